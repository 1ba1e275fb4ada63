export {
  AutoScalingGroup,
  type HookOptions,
  type ScheduleOptions,
  type StepsOptions,
  type TrackOptions,
} from "./auto-scaling-group";
export { MachineImage, type MachineNeed, Machines } from "./machines";
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
