import { crashesOf, failedRunsOf } from "../../cluster/stopped-tasks";
import type { MetricDataQuery, MetricStat, Signal } from "../../core/alarm";
import type { Duration } from "../../core/units";
import { groupOfJob } from "./failed-runs";
import { type MonitoredTargetGroup, ofTarget } from "./target-metrics";

/** Names of a service in its metrics. */
export interface MonitoredService {
  readonly platform: string;
  readonly environment: string;
  readonly serviceName: string;
  readonly clusterName: string;
  /** Target groups of its tasks; none if the service receives no requests from a load balancer. */
  readonly groups: readonly MonitoredTargetGroup[];
  /** Name of the queue that the service consumes. */
  readonly queueName: string | undefined;
}

/** Names of a job in its metrics. */
export interface MonitoredJob extends Pick<MonitoredService, "platform" | "environment"> {
  /** Name of the job. */
  readonly name: string;
  /** Name of the dead-letter queue of runs that the schedule could not start. */
  readonly notStartedQueueName: string;
}

/**
 * Sums a metric over target groups. A group without requests contributes nothing, and if no group has a value, there is
 * none: filling with 0 would make the most recent minute of a delayed metric always 0, and no alarm could fire.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
function overGroups(groups: readonly MonitoredTargetGroup[], id: string): string {
  return groups.map((_, index) => `${id}${index}`).join(" + ");
}

/** Sums a metric as a result, which must be a function. */
function total(groups: readonly MonitoredTargetGroup[], id: string): string {
  return `SUM([${groups.map((_, index) => `${id}${index}`).join(", ")}])`;
}

const result = (expression: string): MetricDataQuery => ({ id: "result", expression, returned: true });

/**
 * Percentage of failed requests of the service's own tasks; 0 in minutes with fewer than `minimumRequests`.
 *
 * @param worst uses the worst target group if it is worse than the total: for deployments, not for service levels
 */
export function errorPercent(
  groups: readonly MonitoredTargetGroup[],
  minimumRequests: number,
  worst = true,
): MetricDataQuery[] {
  const percentOf = (indexes: readonly number[]) => {
    const asked = `(${indexes.map((index) => `requests${index}`).join(" + ")})`;
    // These metrics are reported only if there are any errors.
    const failed = indexes.flatMap((index) => [`FILL(failed${index}, 0)`, `FILL(refused${index}, 0)`]).join(" + ");
    return `IF(${asked} >= ${minimumRequests}, 100 * (${failed}) / ${asked}, 0)`;
  };
  const all = groups.map((_, index) => index);
  // If 10 % of the requests go to new tasks, all of them can fail without 5 % of all failing, so each group also counts
  // alone.
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

/** Response time percentile in seconds, in minutes with enough requests. */
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
 * Responses within a threshold, counted individually over all target groups: a trimmed count needs no weights, unlike a
 * percentile of each group. Timed until the first byte of the response; includes error responses, but not requests
 * without a response.
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

/** Percentage of responses that took longer than a threshold. */
export function latePercent(groups: readonly MonitoredTargetGroup[], within: Duration): MetricDataQuery[] {
  const { rows, fast, answers } = inTime(groups, within);
  return [...rows, result(`IF(${answers} > 0, 100 * (${answers} - ${fast}) / ${answers}, 0)`)];
}

/** Percentage of responses within a threshold. */
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

/** CPU or memory utilization of a service's tasks, in percent. */
export function usage({ clusterName, serviceName }: MonitoredService, what: "CPU" | "Memory"): MetricDataQuery[] {
  return one(what.toLowerCase(), {
    namespace: "AWS/ECS",
    metricName: `${what}Utilization`,
    dimensions: { ClusterName: clusterName, ServiceName: serviceName },
    statistic: "Average",
  });
}

/** Age of the oldest message in seconds. */
export function queueAge(queueName: string): MetricDataQuery[] {
  return one("age", ofQueue(queueName, "ApproximateAgeOfOldestMessage"));
}

function ofQueue(queueName: string, metricName: string): MetricStat {
  return { namespace: "AWS/SQS", metricName, dimensions: { QueueName: queueName }, statistic: "Maximum" };
}

/** Number of tasks that stopped without being asked to. */
export function restarts({ platform, environment, serviceName }: MonitoredService): MetricDataQuery[] {
  return [{ id: "crashed", metric: crashesOf(platform, environment, serviceName) }, result("FILL(crashed, 0)")];
}

/** Number of runs of a job that failed, including those that could not be started. */
export function failedRuns({ platform, environment, name, notStartedQueueName }: MonitoredJob): MetricDataQuery[] {
  return [
    { id: "failed", metric: failedRunsOf(platform, environment, groupOfJob(name)) },
    // Counts messages sent rather than messages in the queue: an unread message about a run is not a new failure.
    { id: "unstarted", metric: { ...ofQueue(notStartedQueueName, "NumberOfMessagesSent"), statistic: "Sum" } },
    result("FILL(failed, 0) + FILL(unstarted, 0)"),
  ];
}

/** Returns all metrics of a job. */
export function signalsOfJob(measured: MonitoredJob): Signal[] {
  return [{ name: "failed", title: "Failed runs", queries: failedRuns(measured) }];
}

/** Returns all metrics of a service, leaving out a load balancer or a queue that it does not use. */
export function signalsOf(measured: MonitoredService): Signal[] {
  const { groups, queueName } = measured;
  return [
    ...(groups.length === 0
      ? []
      : [
          { name: "requests", title: "Requests (a minute)", queries: requests(groups) },
          { name: "errors", title: "Failed requests (%)", queries: errorPercent(groups, 1) },
          { name: "latency", title: "Latency p99 (s)", queries: latency(groups, 99, 1) },
          { name: "unhealthy", title: "Unhealthy tasks", queries: unhealthy(groups) },
        ]),
    ...(queueName === undefined
      ? []
      : [
          { name: "queue-age", title: "Age of the oldest message (s)", queries: queueAge(queueName) },
          {
            name: "queue-length",
            title: "Messages in the queue",
            queries: one("waiting", ofQueue(queueName, "ApproximateNumberOfMessagesVisible")),
          },
        ]),
    { name: "cpu", title: "CPU utilization (%)", queries: usage(measured, "CPU") },
    { name: "memory", title: "Memory utilization (%)", queries: usage(measured, "Memory") },
    { name: "restarts", title: "Crashed tasks", queries: restarts(measured) },
  ];
}
