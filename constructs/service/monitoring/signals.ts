import { crashesOf, failedRunsOf } from "../../cluster/stopped-tasks";
import type { MetricDataQuery, MetricStat, Signal } from "../../core/alarm";
import type { Duration } from "../../core/units";
import { groupOfJob } from "./failed-runs";
import { type MonitoredTargetGroup, ofTarget } from "./target-metrics";

/** What of a service there is to measure. */
export interface MonitoredService {
  readonly platform: string;
  readonly environment: string;
  readonly serviceName: string;
  readonly clusterName: string;
  /** Target groups that its tasks are in; none where nothing takes requests. */
  readonly groups: readonly MonitoredTargetGroup[];
  /** Name of the queue that it works off. */
  readonly queueName: string | undefined;
}

/** What of a job there is to measure. */
export interface MonitoredJob extends Pick<MonitoredService, "platform" | "environment"> {
  /** Name of the job. */
  readonly name: string;
  /** Name of the queue of runs that the schedule could not start. */
  readonly notStartedQueueName: string;
}

/**
 * A sum over target groups. CloudWatch adds nothing for a group without requests, and where none of them has a value there is
 * none: filled with 0, the newest minute of a metric that arrives late would always count as 0, and no alarm could go off.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
function overGroups(groups: readonly MonitoredTargetGroup[], id: string): string {
  return groups.map((_, index) => `${id}${index}`).join(" + ");
}

/** The same as a result, which must be of a function. */
function total(groups: readonly MonitoredTargetGroup[], id: string): string {
  return `SUM([${groups.map((_, index) => `${id}${index}`).join(", ")}])`;
}

const result = (expression: string): MetricDataQuery => ({ id: "result", expression, returned: true });

/**
 * How many of a hundred requests failed, of the service's own tasks; fewer than `minimumRequests` prove nothing.
 *
 * @param worst whether a target group that is worse than all together decides: for a deployment, not for a promise
 */
export function errorPercent(
  groups: readonly MonitoredTargetGroup[],
  minimumRequests: number,
  worst = true,
): MetricDataQuery[] {
  const percentOf = (indexes: readonly number[]) => {
    const asked = `(${indexes.map((index) => `requests${index}`).join(" + ")})`;
    // These are reported only when there are any.
    const failed = indexes.flatMap((index) => [`FILL(failed${index}, 0)`, `FILL(refused${index}, 0)`]).join(" + ");
    return `IF(${asked} >= ${minimumRequests}, 100 * (${failed}) / ${asked}, 0)`;
  };
  const all = groups.map((_, index) => index);
  // Of a tenth of the requests all may fail without a twentieth of all failing: each group counts by itself too.
  const each = all.length === 1 || !worst ? [] : all.map((index) => percentOf([index]));
  return [
    ...groups.flatMap((group, index): MetricDataQuery[] => [
      { id: `failed${index}`, metric: ofTarget(group, "HTTPCode_Target_5XX_Count", "Sum") },
      { id: `refused${index}`, metric: ofTarget(group, "TargetConnectionErrorCount", "Sum") },
      { id: `requests${index}`, metric: ofTarget(group, "RequestCount", "Sum") },
    ]),
    result(each.length === 0 ? percentOf(all) : `MAX([${[percentOf(all), ...each].join(", ")}])`),
  ];
}

/** The slowest answers of a minute in which enough was asked, in seconds. */
export function latency(
  groups: readonly MonitoredTargetGroup[],
  percentile: number,
  minimumRequests: number,
): MetricDataQuery[] {
  const slowest = groups.map((_, index) => `slow${index}`).join(", ");
  return [
    ...groups.flatMap((group, index): MetricDataQuery[] => [
      {
        id: `slow${index}`,
        metric: { ...ofTarget(group, "TargetResponseTime", "Average"), statistic: `p${percentile}` },
      },
      { id: `requests${index}`, metric: ofTarget(group, "RequestCount", "Sum") },
    ]),
    result(`IF(${overGroups(groups, "requests")} >= ${minimumRequests}, MAX([${slowest}]), 0)`),
  ];
}

/**
 * Answers that came in time, counted one by one over all target groups: a trimmed count needs no weights, which a percentile
 * of each group would. Measured until the first byte; a request without any answer is not among them, an error is.
 */
function inTime(groups: readonly MonitoredTargetGroup[], within: Duration) {
  const measure = (group: MonitoredTargetGroup, statistic: MetricStat["statistic"]): MetricStat => ({
    ...ofTarget(group, "TargetResponseTime", "Average"),
    statistic,
  });
  return {
    rows: groups.flatMap((group, index): MetricDataQuery[] => [
      { id: `fast${index}`, metric: measure(group, `TC(:${within.toSeconds()})`) },
      { id: `answers${index}`, metric: measure(group, "SampleCount") },
    ]),
    fast: `(${overGroups(groups, "fast")})`,
    answers: `(${overGroups(groups, "answers")})`,
  };
}

/** How many of a hundred answers took longer than that. */
export function latePercent(groups: readonly MonitoredTargetGroup[], within: Duration): MetricDataQuery[] {
  const { rows, fast, answers } = inTime(groups, within);
  return [...rows, result(`IF(${answers} > 0, 100 * (${answers} - ${fast}) / ${answers}, 0)`)];
}

/** How many of a hundred answers came within that. */
export function fastPercent(groups: readonly MonitoredTargetGroup[], within: Duration): MetricDataQuery[] {
  const { rows, fast, answers } = inTime(groups, within);
  return [...rows, result(`IF(${answers} > 0, 100 * ${fast} / ${answers}, 100)`)];
}

export function unhealthy(groups: readonly MonitoredTargetGroup[]): MetricDataQuery[] {
  return [
    ...groups.map((group, index) => ({
      id: `unhealthy${index}`,
      metric: ofTarget(group, "UnHealthyHostCount", "Maximum"),
    })),
    result(total(groups, "unhealthy")),
  ];
}

function requests(groups: readonly MonitoredTargetGroup[]): MetricDataQuery[] {
  return [
    ...groups.map((group, index) => ({ id: `requests${index}`, metric: ofTarget(group, "RequestCount", "Sum") })),
    result(total(groups, "requests")),
  ];
}

function one(id: string, metric: MetricStat): MetricDataQuery[] {
  return [{ id, metric, returned: true }];
}

/** How much of what its tasks have a service uses, in percent. */
export function usage({ clusterName, serviceName }: MonitoredService, what: "CPU" | "Memory"): MetricDataQuery[] {
  return one(what.toLowerCase(), {
    namespace: "AWS/ECS",
    metricName: `${what}Utilization`,
    dimensions: { ClusterName: clusterName, ServiceName: serviceName },
    statistic: "Average",
  });
}

/** How long the oldest message has waited, in seconds. */
export function queueAge(queueName: string): MetricDataQuery[] {
  return one("age", ofQueue(queueName, "ApproximateAgeOfOldestMessage"));
}

function ofQueue(queueName: string, metricName: string): MetricStat {
  return { namespace: "AWS/SQS", metricName, dimensions: { QueueName: queueName }, statistic: "Maximum" };
}

/** How many tasks nobody asked to stop did. */
export function restarts({ platform, environment, serviceName }: MonitoredService): MetricDataQuery[] {
  return [{ id: "crashed", metric: crashesOf(platform, environment, serviceName) }, result("FILL(crashed, 0)")];
}

/** How many runs of a job ended badly, did not come up, or could not be started. */
export function failedRuns({ platform, environment, name, notStartedQueueName }: MonitoredJob): MetricDataQuery[] {
  return [
    { id: "failed", metric: failedRunsOf(platform, environment, groupOfJob(name)) },
    // Sent and not waiting: a run that somebody has yet to read about is no new one.
    { id: "unstarted", metric: { ...ofQueue(notStartedQueueName, "NumberOfMessagesSent"), statistic: "Sum" } },
    result("FILL(failed, 0) + FILL(unstarted, 0)"),
  ];
}

/** All that there is to measure of a job. */
export function signalsOfJob(measured: MonitoredJob): Signal[] {
  return [{ name: "failed", title: "Runs that failed", queries: failedRuns(measured) }];
}

/** All that there is to measure of a service: nothing of a load balancer or a queue that it does not have. */
export function signalsOf(measured: MonitoredService): Signal[] {
  const { groups, queueName } = measured;
  return [
    ...(groups.length === 0
      ? []
      : [
          { name: "requests", title: "Requests (a minute)", queries: requests(groups) },
          { name: "errors", title: "Requests that failed (of a hundred)", queries: errorPercent(groups, 1) },
          { name: "latency", title: "Slowest of a hundred answers (s)", queries: latency(groups, 99, 1) },
          { name: "unhealthy", title: "Tasks that are not ready", queries: unhealthy(groups) },
        ]),
    ...(queueName === undefined
      ? []
      : [
          { name: "queue-age", title: "Age of the oldest message (s)", queries: queueAge(queueName) },
          {
            name: "queue-length",
            title: "Messages that wait",
            queries: one("waiting", ofQueue(queueName, "ApproximateNumberOfMessagesVisible")),
          },
        ]),
    { name: "cpu", title: "CPU in use (%)", queries: usage(measured, "CPU") },
    { name: "memory", title: "Memory in use (%)", queries: usage(measured, "Memory") },
    { name: "restarts", title: "Tasks that crashed", queries: restarts(measured) },
  ];
}
