export { type ConnectionOptions, Connections, type IConnectable } from "./connections";
export { type Environment, type Guardrails, PROFILES, type Profile } from "./environment";
export { InvalidPropsError, type Problem } from "./errors";
export type { IGrantable, Statement } from "./iam";
export type { ProviderLine } from "./provider-line";
export { QUOTAS, type Quota } from "./quotas";
export { AwsStack, type AwsStackProps, LIFETIMES, type Lifetime } from "./stack";
export { Duration } from "./units";
