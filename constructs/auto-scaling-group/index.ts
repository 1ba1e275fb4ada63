/**
 * EC2 instances that replace themselves and scale, alone or as the capacity of a cluster.
 *
 * @module
 */
export { AutoScalingGroup } from "./auto-scaling-group";
export {
  type AutoScalingGroupProps,
  type InstanceRefresh,
  type Spot,
  WARM_STATES,
  type WarmPool,
  type WarmState,
} from "./auto-scaling-group-props";
export {
  type InstanceScaling,
  type InstanceScalingSteps,
  PREDICTIONS,
  type Prediction,
  type ScheduledInstances,
} from "./instance-scaling";
export { type InstanceRequirements, InstanceTypes, MachineImage } from "./instance-types";
export type { LifecycleHookOptions } from "./lifecycle-hook";
export type { TargetRegistration } from "./target-registration";
export { UserData } from "./user-data";
