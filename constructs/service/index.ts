/**
 * Containerized services: processes, scaling, deployments, secrets, ingress, sidecars and volumes.
 *
 * @module
 */
export type {
  AlarmOptions,
  ServiceAddOn,
  ServiceHost,
  Target,
  TargetGroup,
  TargetShift,
} from "./add-on";
export { CloudNativeService } from "./cloud-native-service";
export { RELEASE_OWNERS, type ReleaseOwner } from "./deployment/ignored-changes";
export { releaseStatements } from "./deployment/release-template";
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
} from "./deployment/strategy-props";
export type { ServiceAlarms } from "./monitoring/alarms";
export type { CloudNativeServiceProps } from "./props";
export type { Scaling, ScheduledBounds } from "./scaling/scaling-props";
export type { ContainerOverrides } from "./task/container-overrides";
export { Image } from "./task/image";
export { type JobProcess, job, type Process, type WebProcess, type WorkerProcess, web, worker } from "./task/process";
export type { ShutdownBudget } from "./task/shutdown";
export type { Sidecar } from "./task/sidecar";
export { ARCHITECTURES, type Architecture, type TaskSize } from "./task/task-size";
export { type CallOptions, existingService, type ICallee } from "./traffic/calls";
export { Ingress, type IngressProps } from "./traffic/ingress";
