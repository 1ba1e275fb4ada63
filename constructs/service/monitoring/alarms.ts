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

/** From when on a service is not well. What it does not have, a load balancer or a queue, has no alarm. */
export interface ServiceAlarms {
  /**
   * How long the answers may take that `latencyPercentile` names.
   *
   * @default Duration.seconds(1)
   */
  readonly latency?: Duration;
  /**
   * Which answers `latency` is about: 99 is the slowest of a hundred.
   *
   * @default 99
   */
  readonly latencyPercentile?: number;
  /**
   * Share of CPU and memory that its tasks may use in 8 of 10 minutes.
   *
   * @default 85
   */
  readonly saturationPercent?: number;
  /**
   * How long a message may wait in the queue of a worker.
   *
   * @default Duration.minutes(10)
   */
  readonly queueAge?: Duration;
  /**
   * How many tasks may crash in 5 minutes.
   *
   * @default 3
   */
  readonly restarts?: number;
  /**
   * How many runs of a job may fail in half an hour: end with another code than 0, not come up, or not be started.
   *
   * @default 0
   */
  readonly failedRuns?: number;
}

/** Notes ALARM_LATENCY, ALARM_PERCENTILE, ALARM_SATURATION, ALARM_QUEUE_AGE, ALARM_RESTARTS, ALARM_FAILED_RUNS. */
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
    problem: `${settings.latency} is always exceeded`,
    remedy: "Use a length of time above zero.",
  });
  problems.check(settings.latencyPercentile >= 50 && settings.latencyPercentile < 100, {
    code: "ALARM_PERCENTILE",
    prop: "alarms.latencyPercentile",
    problem: `${settings.latencyPercentile} says nothing about the slow answers`,
    remedy: "Use 50 or more, below 100: 99, 99.9.",
  });
  problems.check(settings.saturationPercent > 0 && settings.saturationPercent < 100, {
    code: "ALARM_SATURATION",
    prop: "alarms.saturationPercent",
    problem: `${settings.saturationPercent} is always or never exceeded`,
    remedy: "Use a number above 0 and below 100.",
  });
  problems.check(settings.queueAge.toSeconds() > 0, {
    code: "ALARM_QUEUE_AGE",
    prop: "alarms.queueAge",
    problem: `${settings.queueAge} is always exceeded`,
    remedy: "Use a length of time above zero.",
  });
  problems.check(Number.isInteger(settings.restarts) && settings.restarts >= 0, {
    code: "ALARM_RESTARTS",
    prop: "alarms.restarts",
    problem: `${settings.restarts} is no count of tasks`,
    remedy: "Use a whole number, at least 0.",
  });
  problems.check(Number.isInteger(settings.failedRuns) && settings.failedRuns >= 0, {
    code: "ALARM_FAILED_RUNS",
    prop: "alarms.failedRuns",
    problem: `${settings.failedRuns} is no count of runs`,
    remedy: "Use a whole number, at least 0.",
  });
  return settings;
}

interface Named {
  /** First parts of names of alarms: `shop`, `dev`, `orders`. */
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

/** What is watched of every service that always runs. */
export function watchTasks(scope: Construct, watch: Watch): void {
  const { alarms, measured } = watch;
  for (const what of ["CPU", "Memory"] as const) {
    watch.add(
      alarm(scope, `${what}High`, watch, what.toLowerCase(), {
        description: `Tasks use more than ${alarms.saturationPercent} % of their ${what} in 8 of 10 minutes: raise scaling.max, or size.`,
        threshold: alarms.saturationPercent,
        datapoints: 8,
        periods: 10,
        queries: () => usage(measured(), what),
      }),
    );
  }
  watch.add(
    alarm(scope, "Restarts", watch, "restarts", {
      description: `More than ${alarms.restarts} tasks crashed in 5 minutes: antifragile stop-reasons tells why.`,
      threshold: alarms.restarts,
      periodSeconds: 300,
      // The last but one is complete, however late the crashes are counted.
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
      description: `A message has waited for more than ${alarms.queueAge}: raise scaling.max, or look for one that always fails.`,
      threshold: alarms.queueAge.toSeconds(),
      datapoints: 3,
      queries: () => queueAge(queueName),
    }),
  );
}

/** What is watched where requests come in. */
export function watchRequests(scope: Construct, watch: Watch): void {
  const { alarms, measured } = watch;
  watch.add(
    alarm(scope, "Latency", watch, "latency", {
      description: `The ${alarms.latencyPercentile}th percentile of answers takes longer than ${alarms.latency}.`,
      threshold: alarms.latency.toSeconds(),
      datapoints: 3,
      queries: () => latency(measured().groups, alarms.latencyPercentile, watch.minimumRequests),
    }),
    { rollsBack: true },
  );
  watch.add(
    alarm(scope, "Unhealthy", watch, "unhealthy", {
      description: "Tasks that were ready are not any more, for 5 minutes.",
      threshold: 0,
      datapoints: 5,
      queries: () => unhealthy(measured().groups),
    }),
    { rollsBack: true },
  );
}

/** What is watched of a job. CloudWatch may learn of a queue that was idle a quarter of an hour late: half an hour is looked at. */
export function watchRuns(scope: Construct, watch: Named & { most: number; measured: MonitoredJob }): Alarm {
  const { most, measured } = watch;
  return alarm(scope, "Failed", watch, "failed", {
    description: `${most === 0 ? "A run" : `More than ${most} runs`} of ${measured.name} failed in half an hour: read its log lines, what the platform keeps of stopped tasks, and ${measured.notStartedQueueName}.`,
    threshold: most,
    periodSeconds: 1800,
    datapoints: 1,
    periods: 1,
    queries: () => failedRuns(measured),
  });
}
