import type { Problems } from "./errors";
import { literal } from "./literal";
import { isReference } from "./reference";

export const STATISTICS = ["Average", "Sum", "Minimum", "Maximum", "SampleCount"] as const;
/** Statistic of a metric over a period. */
export type Statistic = (typeof STATISTICS)[number];

/** A CloudWatch metric. */
export interface Metric {
  /** `Shop/Jobs` */
  readonly namespace: string;
  readonly metricName: string;
  /**
   * Names and values of the metric's dimensions, at most 30.
   *
   * @default - none
   */
  readonly dimensions?: Readonly<Record<string, string>>;
  /** @default "Average" */
  readonly statistic?: Statistic;
}

/**
 * Records METRIC unless CloudWatch accepts such a metric.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Metric.html
 */
export function checkMetric(problems: Problems, prop: string, metric: Metric): void {
  const within = (text: string, most: number) => text.length <= most && /^[\x20-\x7e]+$/.test(text);
  const dimensions = Object.entries(metric.dimensions ?? {});
  problems.check(
    (isReference(metric.namespace) || /^[\w.\-/#][\w .\-/#]{0,254}$/.test(metric.namespace)) &&
      within(metric.metricName, 255) &&
      STATISTICS.includes(metric.statistic ?? "Average") &&
      dimensions.length <= 30 &&
      dimensions.every(([name, value]) => within(name, 255) && !name.startsWith(":") && within(value, 1024)),
    {
      code: "METRIC",
      prop,
      problem: `must be a metric that CloudWatch accepts, got ${JSON.stringify(metric)}`,
      remedy: `Set a namespace of ASCII letters, digits, spaces and . - _ / #, a metric name, up to 30 dimensions with values, all in ASCII, and one of the statistics ${STATISTICS.join(", ")}.`,
    },
  );
}

/** Fills in the defaults and escapes the user's texts for Terraform. */
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
