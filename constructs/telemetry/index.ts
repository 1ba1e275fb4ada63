/**
 * Traces, metrics, service level objectives with alarms, and dashboards.
 *
 * @module
 */
export { PlatformDashboard, type PlatformDashboardProps, ServiceDashboard } from "./dashboards";
export {
  type CloudWatchExporter,
  cloudWatch,
  managedPrometheus,
  type OtlpExporter,
  otlp,
  type PrometheusExporter,
  type TelemetryExporter,
  type XRayExporter,
  xRay,
} from "./exporters";
export { type LatencyGoal, ServiceLevel, type ServiceLevelProps } from "./service-level";
export { Telemetry, type TelemetryProps } from "./telemetry";
