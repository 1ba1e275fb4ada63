import type { MetricStat } from "../../support/alarms/metric-alarm";

/**
 * When AWS reports a metric: each minute; in minutes with traffic alone; or only when what it counts happens.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
 */
type Reported = "always" | "with traffic" | "on events";

/** Values of a metric in normal operation, and during the fault that its alarm detects. */
interface Behaviour {
  readonly reported: Reported;
  /** Samples of a minute in calm; none: it is not reported. */
  readonly calm: readonly number[];
  /** Samples of a minute of the fault. None: no fault shows in this metric alone. */
  readonly fault?: readonly number[] | "just more than the threshold";
}

const ratio = { reported: "with traffic", calm: [] } as const;
const count = { reported: "on events", calm: [] } as const;

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  "AWS/ApplicationELB RequestCount": { reported: "with traffic", calm: [120] },
  "AWS/ApplicationELB HTTPCode_Target_5XX_Count": { ...ratio, fault: [60] },
  "AWS/ApplicationELB TargetConnectionErrorCount": { ...ratio, fault: [60] },
  "AWS/ApplicationELB TargetResponseTime": { reported: "with traffic", calm: [0.1, 0.1, 0.1], fault: [9, 9, 9] },
  "AWS/ApplicationELB UnHealthyHostCount": { reported: "always", calm: [0], fault: [1] },
  "AWS/DynamoDB ReadThrottleEvents": { ...count, fault: [50] },
  "AWS/DynamoDB WriteThrottleEvents": { ...count, fault: [50] },
  "AWS/ECS CPUUtilization": { reported: "always", calm: [30, 30], fault: [99, 99] },
  "AWS/ECS MemoryUtilization": { reported: "always", calm: [30, 30], fault: [99, 99] },
  "AWS/ElastiCache DatabaseMemoryUsagePercentage": { reported: "always", calm: [10], fault: [99] },
  "AWS/ElastiCache EngineCPUUtilization": { reported: "always", calm: [10], fault: [99] },
  "AWS/Firehose DeliveryToAmazonOpenSearchServerless.Success": { reported: "with traffic", calm: [1], fault: [0] },
  "AWS/Firehose DeliveryToHttpEndpoint.Success": { reported: "with traffic", calm: [1], fault: [0] },
  "AWS/Firehose DeliveryToS3.DataFreshness": { reported: "with traffic", calm: [60], fault: [7200] },
  "AWS/Firehose OutputDecompressedRecords.Failed": { ...count, fault: [3] },
  "AWS/Lambda AsyncEventAge": { reported: "with traffic", calm: [100], fault: [3_600_000] },
  "AWS/Lambda AsyncEventsDropped": { ...count, fault: [1] },
  "AWS/Lambda DestinationDeliveryFailures": { ...count, fault: [1] },
  "AWS/Logs DeliveryErrors": { ...count, fault: [2] },
  "AWS/RDS CPUUtilization": { reported: "always", calm: [30], fault: [99] },
  "AWS/RDS DatabaseConnections": { reported: "always", calm: [5], fault: [100_000] },
  "AWS/RDS FreeStorageSpace": { reported: "always", calm: [10 ** 12], fault: [10 ** 6] },
  "AWS/S3 5xxErrors": { reported: "with traffic", calm: [0, 0, 0], fault: [1, 1, 0] },
  "AWS/SNS NumberOfNotificationsFailed": { ...count, fault: [1] },
  "AWS/SQS ApproximateAgeOfOldestMessage": { reported: "always", calm: [5], fault: [86_400] },
  "AWS/SQS ApproximateNumberOfMessagesVisible": { reported: "always", calm: [0], fault: [1] },
  "AWS/SQS NumberOfMessagesSent": { ...count, fault: "just more than the threshold" },
};

/** Metrics of our own are counted out of log lines. */
const OWN: Behaviour = { ...count, fault: "just more than the threshold" };

/** @throws Error for a metric that the table does not have */
export function behaviourOf({ namespace, metricName }: MetricStat): Behaviour {
  if (namespace.startsWith("Antifragile/")) return OWN;
  const found = BEHAVIOURS[`${namespace} ${metricName}`];
  if (found === undefined) throw new Error(`say in metrics.ts what ${namespace} ${metricName} looks like`);
  return found;
}

const keys = new WeakMap<MetricStat, string>();

/** Key that identifies a metric, independent of expressions on it. */
export function keyOf(metric: MetricStat): string {
  const { namespace, metricName, dimensions } = metric;
  const key = keys.get(metric) ?? JSON.stringify([namespace, metricName, Object.entries(dimensions).sort()]);
  keys.set(metric, key);
  return key;
}

/** Delivery of metrics to CloudWatch. */
export interface Arrival {
  readonly title: string;
  /** Minutes that a metric is late by. */
  readonly late: (metric: MetricStat) => number;
  /** Returns whether no datapoint is reported for a minute. */
  readonly lost?: (reported: Reported, minute: number) => boolean;
}

const everyoneLate = (minutes: number) => () => minutes;

export const PUNCTUAL: Arrival = { title: "punctual", late: everyoneLate(0) };
export const LATE: Arrival = { title: "1 minute late", late: everyoneLate(1) };
export const VERY_LATE: Arrival = { title: "2 minutes late", late: everyoneLate(2) };
/** Requests come every other minute, and of what is always reported one minute in five is lost. */
export const SPARSE: Arrival = {
  title: "sparse",
  late: everyoneLate(0),
  lost: (reported, minute) =>
    reported === "with traffic" ? minute % 2 === 1 : reported === "always" ? minute % 5 === 4 : false,
};

/** One metric alone is late by two minutes. */
export const oneLate = (key: string): Arrival => ({
  title: "one metric 2 minutes late",
  late: (metric) => (keyOf(metric) === key ? 2 : 0),
});
