/**
 * Parts that all families share: the app and its stacks, environments, durations, schedules, alarms, connections,
 * errors and overrides.
 *
 * @module
 */
export { adopt } from "./adopt";
export { existingAlarm, type IAlarm, type MetricDataQuery, type MetricStat, type Signal } from "./alarm";
export { App, type AppProps } from "./app";
export { ARCHITECTURES, type Architecture } from "./architecture";
export { type ConnectionOptions, Connections, type IConnectable } from "./connections";
export type { Environment, EnvironmentDefaults, Guardrails, StateBucket } from "./environment";
export { InvalidPropsError, type Problem } from "./errors";
export type { IGrantable, Statement } from "./iam";
export { type Metric, STATISTICS, type Statistic } from "./metric";
export { editDocument } from "./overrides";
export { type Placeholder, placeholder, placeholdersIn } from "./placeholders";
export {
  ENCRYPTIONS,
  type Encryption,
  PROFILE_DEFAULTS,
  PROFILES,
  type Profile,
  type ProfileDefaults,
} from "./profiles";
export type { ProviderLine } from "./provider-line";
export { QUOTAS, type Quota } from "./quotas";
export type { MetricTarget, ScaleInStep, ScaleOutStep, ScalingSteps } from "./scaling";
export { cron, every, type Schedule } from "./schedule";
export { type SelectedEnvironments, selectEnvironments } from "./select-environments";
export { AwsStack, type AwsStackProps, LIFETIMES, type Lifetime } from "./stack";
export { stateBucketName } from "./state";
export { Duration } from "./units";
