/** The library: constructs that compile to Terraform for AWS. */
export * from "./auth";
export * from "./backing";
export * from "./chaos";
export * from "./cluster";
export * from "./core";
export * from "./discovery";
export * from "./ingress";
export * from "./logging";
export * from "./network";
export * from "./pipeline";
export * from "./platform";
export * from "./scaling";
export * from "./service";
export * from "./telemetry";
