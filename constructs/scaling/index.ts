export { AutoScalingGroup } from "./auto-scaling-group";
export { MachineImage, type MachineNeed, Machines } from "./machines";
export type { HookOptions, ScheduleOptions, StepsOptions, TrackOptions } from "./options";
export {
  type AutoScalingGroupProps,
  type BehindBalancer,
  type MachineScaling,
  PREDICTIONS,
  type Prediction,
  type Refresh,
  type Spot,
  WARM_STATES,
  type WarmPool,
  type WarmState,
} from "./settings";
export type { StepIn, StepOut } from "./steps";
export { UserData } from "./user-data";
