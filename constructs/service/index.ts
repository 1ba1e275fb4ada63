export type { ServiceAlarms } from "./alarms";
export { type CallOptions, existingService, type ICallee } from "./calls";
export { CloudNativeService } from "./cloud-native-service";
export {
  type BlueGreenDeployment,
  blueGreen,
  type CanaryDeployment,
  type CodeDeployDeployment,
  canary,
  codeDeploy,
  type Deployment,
  type LinearDeployment,
  linear,
  type RollbackCriteria,
  type RollingDeployment,
  rolling,
  type TrafficShift,
  type TrafficShiftOptions,
} from "./deployment";
export type {
  AlarmOptions,
  ServiceAddOn,
  ServiceHost,
  Sidecar,
  Target,
  TargetGroup,
  TargetShift,
} from "./host";
export { Image } from "./image";
export { Ingress, type IngressProps } from "./ingress";
export { RELEASE_OWNERS, type ReleaseOwner } from "./lifecycle";
export { type JobProcess, job, type Process, type WebProcess, type WorkerProcess, web, worker } from "./process";
export { releaseStatements } from "./release";
export type { MetricTarget, Scaling, ScalingSteps, ScheduledBounds } from "./scaling";
export type { CloudNativeServiceProps } from "./settings";
export type { ShutdownBudget } from "./shutdown";
export { ARCHITECTURES, type Architecture, type TaskSize } from "./task-size";
