/** AWS constructs for CDK for Terraform. */
import "./core/engine-startup";

export * from "./auth";
export * from "./auto-scaling-group";
export * from "./backing";
export * from "./chaos";
export * from "./cluster";
export * from "./core";
export * from "./discovery";
export * from "./load-balancer";
export * from "./logging";
export * from "./pipeline";
export * from "./platform";
export * from "./service";
export * from "./telemetry";
export * from "./vpc";
