import { evaluateExpression, MetricMathError, type Series } from "./metric-math";
import { percentileOf, significantSamples, statisticOf } from "./statistics";

export type AlarmState = "OK" | "ALARM" | "INSUFFICIENT_DATA";

/** One metric by which CloudWatch knows it, and what of it counts. */
export interface MetricStat {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
}

/** One row of an alarm's computation: a metric, or an expression over other rows. */
export interface MetricRow {
  readonly id: string;
  readonly metric?: MetricStat;
  readonly expression?: string;
  /** True for the metric that the alarm evaluates. */
  readonly returned: boolean;
}

export interface MetricAlarm {
  readonly rows: readonly MetricRow[];
  readonly periodSeconds: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly threshold: number;
  readonly comparison: string;
  readonly treatMissingData: string;
  /** Effect of a percentile of too few samples on the state. @default "evaluate" */
  readonly lowSamples?: "evaluate" | "ignore";
}

/** Samples that CloudWatch has of a metric for one minute; minutes are counted from any beginning. Undefined: none. */
export type Samples = (metric: MetricStat, minute: number) => readonly number[] | undefined;

/**
 * Datapoints that CloudWatch retrieves beyond the evaluation periods, in case the newest are missing. AWS documents that it
 * retrieves more, and the number for one example alone: five for three evaluation periods.
 */
export const EXTRA_DATAPOINTS = 2;

const COMPARISONS: Readonly<Record<string, (value: number, threshold: number) => boolean>> = {
  GreaterThanThreshold: (value, threshold) => value > threshold,
  GreaterThanOrEqualToThreshold: (value, threshold) => value >= threshold,
  LessThanThreshold: (value, threshold) => value < threshold,
  LessThanOrEqualToThreshold: (value, threshold) => value <= threshold,
};

/** Minutes that a datapoint covers, newest last: `back` periods before the one that ends when minute `now` begins. */
export function minutesOf(periodSeconds: number, now: number, back = 0): number[] {
  const minutes = Math.max(1, Math.round(periodSeconds / 60));
  return Array.from({ length: minutes }, (_, index) => now - (back + 1) * minutes + index);
}

/**
 * Computes the datapoints that an alarm looks at when minute `now` begins, oldest first: the rows' statistics over windows
 * that end then, and the expressions over these.
 *
 * @throws MetricMathError
 */
export function datapointsAt(
  rows: readonly MetricRow[],
  periodSeconds: number,
  samples: Samples,
  now: number,
  count: number,
): Series {
  const known = new Map<string, Series>();
  const pending = new Set<string>();
  const seriesOf = (id: string): Series => {
    const found = known.get(id);
    if (found !== undefined) return found;
    const row = rows.find((each) => each.id === id);
    if (row === undefined) throw new MetricMathError(`No row has the id ${JSON.stringify(id)}.`);
    if (pending.has(id)) throw new MetricMathError(`The row ${JSON.stringify(id)} depends on itself.`);
    pending.add(id);
    const { metric, expression } = row;
    const series =
      metric === undefined
        ? evaluateExpression(expression ?? "", seriesOf, count)
        : Array.from({ length: count }, (_, index) =>
            statisticOf(
              metric.statistic,
              minutesOf(periodSeconds, now, count - 1 - index).flatMap((minute) => samples(metric, minute) ?? []),
            ),
          );
    known.set(id, series);
    return series;
  };
  const returned = rows.filter(({ returned }) => returned);
  if (returned.length !== 1) throw new MetricMathError(`One row must be returned, got ${returned.length}.`);
  return seriesOf((returned[0] as MetricRow).id);
}

/**
 * Decides the state of an alarm from the datapoints of its evaluation range, oldest first. The newest that exist decide;
 * what is missing is filled only where fewer exist than there are evaluation periods.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
export function stateOfDatapoints(
  points: Series,
  alarm: Omit<MetricAlarm, "rows" | "periodSeconds" | "lowSamples">,
  before: AlarmState,
): AlarmState {
  const { evaluationPeriods, datapointsToAlarm, threshold } = alarm;
  const breaches = COMPARISONS[alarm.comparison];
  if (breaches === undefined) throw new Error(`The comparison ${JSON.stringify(alarm.comparison)} is not known.`);
  const existing = points.filter((point) => point !== undefined);
  const recent = existing.slice(-evaluationPeriods);
  const breaching = recent.filter((point) => breaches(point, threshold)).length;
  if (breaching >= datapointsToAlarm) return "ALARM";
  const missing = evaluationPeriods - recent.length;
  if (missing === 0 || alarm.treatMissingData === "notBreaching") return "OK";
  if (alarm.treatMissingData === "breaching") return breaching + missing >= datapointsToAlarm ? "ALARM" : "OK";
  if (breaching < recent.length) return "OK";
  if (alarm.treatMissingData === "ignore") return before;
  // Nothing but breaching datapoints: in alarm once the oldest is so old that all that was needed could have been there.
  const oldest = points.findIndex((point) => point !== undefined);
  return oldest >= 0 && points.length - oldest >= datapointsToAlarm ? "ALARM" : "INSUFFICIENT_DATA";
}

/**
 * Evaluates an alarm as CloudWatch does each minute, from the samples that have arrived when minute `now` begins.
 *
 * @param extra datapoints that are retrieved beyond the evaluation periods
 * @throws MetricMathError
 */
export function evaluateAlarm(
  alarm: MetricAlarm,
  samples: Samples,
  now: number,
  before: AlarmState,
  extra = EXTRA_DATAPOINTS,
): AlarmState {
  const { rows, periodSeconds, evaluationPeriods, lowSamples = "evaluate" } = alarm;
  if (lowSamples === "ignore" && hasFewSamples(alarm, samples, now)) return before;
  const points = datapointsAt(rows, periodSeconds, samples, now, evaluationPeriods + extra);
  return stateOfDatapoints(points, alarm, before);
}

function hasFewSamples(
  { rows, periodSeconds, evaluationPeriods }: MetricAlarm,
  samples: Samples,
  now: number,
): boolean {
  return rows.some(({ metric }) => {
    const percentile = metric === undefined ? undefined : percentileOf(metric.statistic);
    if (metric === undefined || percentile === undefined) return false;
    const minutes = minutesOf(periodSeconds * evaluationPeriods, now);
    const count = minutes.reduce((sum, minute) => sum + (samples(metric, minute)?.length ?? 0), 0);
    return count < significantSamples(percentile);
  });
}
