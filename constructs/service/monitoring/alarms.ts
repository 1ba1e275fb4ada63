import type { Construct } from "constructs";
import { Alarm, type AlarmProps } from "../../core/alarm";
import type { Problems } from "../../core/errors";
import { Duration } from "../../core/units";
import type { AlarmOptions } from "../add-on";
import {
  failedRuns,
  latency,
  type MonitoredJob,
  type MonitoredService,
  queueAge,
  restarts,
  unhealthy,
  usage,
} from "./signals";

/** Thresholds of a service's alarms. Alarms on a load balancer or a queue exist only if the service uses one. */
export interface ServiceAlarms {
  /**
   * Latency threshold, for the percentile in `latencyPercentile`.
   *
   * @default Duration.seconds(1)
   */
  readonly latency?: Duration;
  /**
   * Latency percentile to alarm on: 99 is the slowest 1 % of responses.
   *
   * @default 99
   */
  readonly latencyPercentile?: number;
  /**
   * CPU or memory utilization, in percent, above which tasks may not stay for 8 of 10 minutes.
   *
   * @default 85
   */
  readonly saturationPercent?: number;
  /**
   * Maximum age of a message in the queue of a worker.
   *
   * @default Duration.minutes(10)
   */
  readonly queueAge?: Duration;
  /**
   * Number of tasks that may crash within 5 minutes.
   *
   * @default 3
   */
  readonly restarts?: number;
  /**
   * Number of runs of a job that may fail within half an hour: by a nonzero exit code, by failing to start, or because the
   * schedule could not start them.
   *
   * @default 0
   */
  readonly failedRuns?: number;
}

/** Records ALARM_LATENCY, ALARM_PERCENTILE, ALARM_SATURATION, ALARM_QUEUE_AGE, ALARM_RESTARTS, ALARM_FAILED_RUNS. */
export function resolveAlarms(problems: Problems, props: ServiceAlarms): Required<ServiceAlarms> {
  const settings = {
    latency: props.latency ?? Duration.seconds(1),
    latencyPercentile: props.latencyPercentile ?? 99,
    saturationPercent: props.saturationPercent ?? 85,
    queueAge: props.queueAge ?? Duration.minutes(10),
    restarts: props.restarts ?? 3,
    failedRuns: props.failedRuns ?? 0,
  };
  problems.check(settings.latency.toMillis() > 0, {
    code: "ALARM_LATENCY",
    prop: "alarms.latency",
    problem: `must be above zero, got ${settings.latency}`,
    remedy: "Use a duration such as Duration.seconds(1).",
  });
  problems.check(settings.latencyPercentile >= 50 && settings.latencyPercentile < 100, {
    code: "ALARM_PERCENTILE",
    prop: "alarms.latencyPercentile",
    problem: `must be at least 50 and below 100, got ${settings.latencyPercentile}`,
    remedy: "Use a percentile such as 99 or 99.9.",
  });
  problems.check(settings.saturationPercent > 0 && settings.saturationPercent < 100, {
    code: "ALARM_SATURATION",
    prop: "alarms.saturationPercent",
    problem: `must be above 0 and below 100, got ${settings.saturationPercent}`,
    remedy: "Use a percentage such as 85.",
  });
  problems.check(settings.queueAge.toSeconds() > 0, {
    code: "ALARM_QUEUE_AGE",
    prop: "alarms.queueAge",
    problem: `must be above zero, got ${settings.queueAge}`,
    remedy: "Use a duration such as Duration.minutes(10).",
  });
  problems.check(Number.isInteger(settings.restarts) && settings.restarts >= 0, {
    code: "ALARM_RESTARTS",
    prop: "alarms.restarts",
    problem: `must be a whole number, at least 0, got ${settings.restarts}`,
    remedy: "Use a number of tasks such as 3.",
  });
  problems.check(Number.isInteger(settings.failedRuns) && settings.failedRuns >= 0, {
    code: "ALARM_FAILED_RUNS",
    prop: "alarms.failedRuns",
    problem: `must be a whole number, at least 0, got ${settings.failedRuns}`,
    remedy: "Use a number of runs such as 0.",
  });
  return settings;
}

interface Named {
  /** Parts of the names of alarms: `shop`, `dev`, `orders`. */
  readonly name: readonly string[];
}

interface Watch extends Named {
  readonly alarms: Required<ServiceAlarms>;
  readonly measured: () => MonitoredService;
  readonly minimumRequests: number;
  readonly add: (alarm: Alarm, options?: AlarmOptions) => void;
}

function alarm(scope: Construct, id: string, watch: Named, part: string, props: Omit<AlarmProps, "name">): Alarm {
  return new Alarm(scope, id, { ...props, name: [...watch.name, part] });
}

/** Creates the alarms of every long-running service. */
export function watchTasks(scope: Construct, watch: Watch): void {
  const { alarms, measured } = watch;
  for (const what of ["CPU", "Memory"] as const) {
    watch.add(
      alarm(scope, `${what}High`, watch, what.toLowerCase(), {
        description: `Tasks use more than ${alarms.saturationPercent} % of their ${what} in 8 of 10 minutes: raise scaling.max or size.`,
        threshold: alarms.saturationPercent,
        datapoints: 8,
        periods: 10,
        queries: () => usage(measured(), what),
      }),
    );
  }
  watch.add(
    alarm(scope, "Restarts", watch, "restarts", {
      description: `More than ${alarms.restarts} tasks crashed in 5 minutes: run antifragile stop-reasons for the reasons.`,
      threshold: alarms.restarts,
      periodSeconds: 300,
      // The last but one period is complete, even if crashes are counted late.
      datapoints: 1,
      periods: 2,
      queries: () => restarts(measured()),
    }),
    { rollsBack: true },
  );
  const { queueName } = measured();
  if (queueName === undefined) return;
  watch.add(
    alarm(scope, "QueueAge", watch, "queue-age", {
      description: `A message has been in the queue for more than ${alarms.queueAge}: raise scaling.max, or look for a message that always fails.`,
      threshold: alarms.queueAge.toSeconds(),
      datapoints: 3,
      queries: () => queueAge(queueName),
    }),
  );
}

/** Creates the alarms on requests from a load balancer. */
export function watchRequests(scope: Construct, watch: Watch): void {
  const { alarms, measured } = watch;
  watch.add(
    alarm(scope, "Latency", watch, "latency", {
      description: `The ${alarms.latencyPercentile}th percentile of response times is above ${alarms.latency}.`,
      threshold: alarms.latency.toSeconds(),
      datapoints: 3,
      queries: () => latency(measured().groups, alarms.latencyPercentile, watch.minimumRequests),
    }),
    { rollsBack: true },
  );
  watch.add(
    alarm(scope, "Unhealthy", watch, "unhealthy", {
      description: "Tasks that passed the health check of the load balancer have failed it for 5 minutes.",
      threshold: 0,
      datapoints: 5,
      queries: () => unhealthy(measured().groups),
    }),
    { rollsBack: true },
  );
}

/**
 * Creates the alarm on failed runs of a job. CloudWatch can report a queue that was idle 15 minutes late, so it evaluates
 * half an hour.
 */
export function watchRuns(scope: Construct, watch: Named & { most: number; measured: MonitoredJob }): Alarm {
  const { most, measured } = watch;
  return alarm(scope, "Failed", watch, "failed", {
    description: `${most === 0 ? "A run" : `More than ${most} runs`} of ${measured.name} failed in half an hour: read its logs, the platform's log of stopped tasks, and the queue ${measured.notStartedQueueName}.`,
    threshold: most,
    periodSeconds: 1800,
    datapoints: 1,
    periods: 1,
    queries: () => failedRuns(measured),
  });
}
