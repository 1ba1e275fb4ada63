export { ChaosExperiment } from "./chaos-experiment";
export {
  type Between,
  type BlastRadius,
  Fault,
  type Lasting,
  type LatencyOptions,
  type LossOptions,
  type StressOptions,
  type ZoneLossOptions,
} from "./fault";
export { type ExperimentGateOptions, experimentGate, type GateOptions, type GateRequests } from "./gate";
export type { ChaosExperimentProps, ExperimentReport, FaultTarget } from "./settings";
