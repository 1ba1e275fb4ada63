import type { Problems } from "../core/errors";
import { type Metric, STATISTICS } from "../core/metric";
import type { Duration } from "../core/units";
import type { StepIn, StepOut } from "./steps";

/** A target for a metric of one's own. */
export interface TrackOptions {
  readonly metric: Metric;
  /** Instances are added above this, and taken away below it. The metric must fall when instances are added. */
  readonly target: number;
}

/** Steps for a metric of one's own. */
export interface StepsOptions {
  readonly metric: Metric;
  /** At least one. */
  readonly out: readonly StepOut[];
  /**
   * All below the lowest of `out`.
   *
   * @default - instances are not taken away
   */
  readonly in?: readonly StepIn[];
}

/** When a number of instances is wanted, whatever is measured. */
export interface ScheduleOptions {
  /** Five fields of cron: `0 7 * * MON-FRI`. */
  readonly cron: string;
  /** How many, within scaling.min and scaling.max. Policies go on from there. */
  readonly instances: number;
  /**
   * Name of a time zone, summer time included.
   *
   * @default "UTC"
   */
  readonly timezone?: string;
}

export const TRANSITIONS = ["launch", "terminate"] as const;

/** What a instance waits for before it takes part, or before it ends. */
export interface LifecycleHookOptions {
  readonly on: (typeof TRANSITIONS)[number];
  /**
   * How long it waits for the word to go on, 30 s to 2 hours.
   *
   * @default Duration.minutes(5)
   */
  readonly timeout?: Duration;
  /**
   * What happens when the word does not come: `abandon` ends the machine.
   *
   * @default "abandon" on launch, "continue" on terminate
   */
  readonly otherwise?: "continue" | "abandon";
  /**
   * Told with each event, for those who listen.
   *
   * @default - nothing
   */
  readonly metadata?: string;
}

/** Notes METRIC unless CloudWatch could have such a metric. */
export function checkMetric(metric: Metric, prop: string, problems: Problems): void {
  problems.check(
    /^[^:\s][^:]{0,254}$/.test(metric.namespace) &&
      metric.metricName.length >= 1 &&
      metric.metricName.length <= 255 &&
      STATISTICS.includes(metric.statistic ?? "Average") &&
      Object.keys(metric.dimensions ?? {}).length <= 30,
    {
      code: "METRIC",
      prop,
      problem: `${JSON.stringify(metric)} is no metric`,
      remedy: `Use a namespace without colons, a name, up to 30 dimensions, and one of: ${STATISTICS.join(", ")}.`,
    },
  );
}
