export { AutoScalingGroup } from "./auto-scaling-group";
export {
  type AutoScalingGroupProps,
  type InstanceRefresh,
  type InstanceScaling,
  type InstanceScalingSteps,
  PREDICTIONS,
  type Prediction,
  type ScheduledInstances,
  type Spot,
  type TargetRegistration,
  WARM_STATES,
  type WarmPool,
  type WarmState,
} from "./auto-scaling-group-props";
export { type InstanceRequirements, InstanceTypes, MachineImage } from "./instance-types";
export type { LifecycleHookOptions } from "./lifecycle-hook";
export { UserData } from "./user-data";
