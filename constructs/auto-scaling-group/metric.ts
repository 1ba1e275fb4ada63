import { literal } from "../core/literal";
import type { Metric } from "../core/metric";

/** A metric with its defaults, the user's texts as Terraform reads them. */
export function resolveMetric(metric: Metric): Required<Metric> {
  return {
    namespace: literal(metric.namespace),
    metricName: literal(metric.metricName),
    statistic: metric.statistic ?? "Average",
    dimensions: Object.fromEntries(
      Object.entries(metric.dimensions ?? {})
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => [literal(name), literal(value)]),
    ),
  };
}
