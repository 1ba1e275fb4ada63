/**
 * Fault injection into running services by AWS Fault Injection Service, which stops when an alarm goes off.
 *
 * @module
 */
export { ChaosExperiment } from "./chaos-experiment";
export type { ChaosExperimentProps, ExperimentReport, FaultTarget } from "./chaos-experiment-props";
export {
  type BlastRadius,
  Fault,
  type FaultDuration,
  type LatencyOptions,
  type NetworkFaultScope,
  type PacketLossOptions,
  type StressOptions,
  type ZoneLossOptions,
} from "./fault";
export { type ExperimentGateOptions, experimentGate, type GateOptions, type GateRequests } from "./gate";
