export const STATISTICS = ["Average", "Sum", "Minimum", "Maximum", "SampleCount"] as const;
export type Statistic = (typeof STATISTICS)[number];

/** A measure in CloudWatch. */
export interface Metric {
  /** `Shop/Jobs` */
  readonly namespace: string;
  readonly metricName: string;
  /**
   * What is measured, by name and value.
   *
   * @default - none
   */
  readonly dimensions?: Readonly<Record<string, string>>;
  /** @default "Average" */
  readonly statistic?: Statistic;
}
