export { AutoScalingGroup } from "./auto-scaling-group";
export {
  type AutoScalingGroupProps,
  type InstanceRefresh,
  type InstanceScaling,
  PREDICTIONS,
  type Prediction,
  type Spot,
  type TargetRegistration,
  WARM_STATES,
  type WarmPool,
  type WarmState,
} from "./auto-scaling-group-props";
export { type InstanceRequirements, InstanceTypes, MachineImage } from "./instance-types";
export type { LifecycleHookOptions, ScheduleOptions, StepsOptions, TrackOptions } from "./options";
export type { StepIn, StepOut } from "./steps";
export { UserData } from "./user-data";
