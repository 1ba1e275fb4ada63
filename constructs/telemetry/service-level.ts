import { Alarm, CompositeAlarm, type MetricDataQuery } from "../core/alarm";
import { Problems, validateAtSynth } from "../core/errors";
import type { Duration } from "../core/units";
import { ServiceStack } from "../platform/platform";
import type { ServiceAddOn, ServiceHost } from "../service/add-on";
import { errorPercent, fastPercent, latePercent } from "../service/monitoring/signals";
import { groupsOf } from "../service/monitoring/target-metrics";

/**
 * Burn rates of the error budget of 30 days: over a long window, so that the alarm matters, and over a short one, so that it
 * ends soon after the problem. The first uses up 2 % in an hour, the second 5 % in six.
 *
 * @see https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts
 */
const BURNS = [
  { id: "Fast", part: "budget-fast", factor: 14.4, longSeconds: 3600, shortSeconds: 300 },
  { id: "Slow", part: "budget-slow", factor: 6, longSeconds: 21_600, shortSeconds: 1800 },
] as const;

/** Latency objective of a service. */
export interface LatencyGoal {
  /** Percentage of requests to answer in time, over 30 days; above 94 and below 100: 99. */
  readonly percent: number;
  /** Threshold, from the request that the load balancer forwards to the first byte of the response; whole milliseconds. */
  readonly within: Duration;
}

export interface ServiceLevelProps {
  /**
   * Percentage of requests to answer without an error, over 30 days; above 94 and below 100.
   *
   * @default 99.9
   */
  readonly availablePercent?: number;
  /**
   * Latency objective. An error that is returned in time counts as fast: it violates `availablePercent`.
   *
   * @default - none: nothing is promised of how long answers take
   */
  readonly fast?: LatencyGoal;
}

/** One thing that is promised. */
interface Promised {
  /** First part of ids of its alarms. */
  readonly id: "" | "Latency";
  /** First part of names of its alarms. */
  readonly part: "" | "latency-";
  readonly goalPercent: number;
  /** Violation of the objective: `requests failed`. */
  readonly bad: string;
  /** Description of the burn: `Errors use up the error budget`. */
  readonly using: string;
  /** Percentage of requests that violated the objective. */
  readonly queries: () => readonly MetricDataQuery[];
}

/**
 * Service level objectives (SLOs) of a service, with alarms on their burn rate: when errors, or slow responses,
 * use up the error budget of 30 days too fast. Counts single requests, of all target groups together.
 * Needs an Ingress.
 *
 * Costs about 2.20 USD a month for the alarms of `availablePercent` and 1.80 for those of `fast`, where the service has one
 * target group.
 *
 * @example
 * ```ts
 * orders.add(new Ingress());
 * orders.add(new ServiceLevel({ availablePercent: 99.9, fast: { percent: 99, within: Duration.millis(500) } }));
 * ```
 * @see https://sre.google/workbook/alerting-on-slos/
 */
export class ServiceLevel implements ServiceAddOn {
  readonly name = "ServiceLevel";

  constructor(private readonly props: ServiceLevelProps = {}) {}

  /** @throws InvalidPropsError SERVICE_LEVEL_PERCENT, SERVICE_LEVEL_WITHIN, SERVICE_LEVEL_NO_REQUESTS */
  bind(host: ServiceHost): void {
    const { fast } = this.props;
    const availablePercent = this.props.availablePercent ?? 99.9;
    check(host, availablePercent, fast);
    validateAtSynth(host.scope, () =>
      host.targets().length > 0
        ? []
        : [
            {
              code: "SERVICE_LEVEL_WITHOUT_INGRESS",
              prop: "ServiceLevel",
              problem: "needs requests from a load balancer, and the service has no Ingress",
              remedy: "Add an Ingress, or leave ServiceLevel out.",
            },
          ],
    );
    const groups = () => groupsOf(host.targets());
    watch(host, {
      id: "",
      part: "",
      goalPercent: availablePercent,
      bad: "requests failed",
      using: "Errors use up what may fail",
      queries: () => errorPercent(groups(), 1, false),
    });
    if (fast === undefined) return;
    watch(host, {
      id: "Latency",
      part: "latency-",
      goalPercent: fast.percent,
      bad: `answers took longer than ${fast.within}`,
      using: "Slow answers use up what may be late",
      queries: () => latePercent(groups(), fast.within),
    });
    host.addSignal(() => ({
      name: "fast",
      title: `Answers within ${fast.within} (of a hundred)`,
      queries: fastPercent(groups(), fast.within),
    }));
  }
}

function check({ scope, process }: ServiceHost, availablePercent: number, fast: LatencyGoal | undefined): void {
  const problems = new Problems(scope);
  const checkGoal = (prop: string, goal: number) =>
    problems.check(goal > 94 && goal < 100, {
      code: "SERVICE_LEVEL_PERCENT",
      prop,
      problem: `${goal} leaves nothing that may fail, or so much that no alarm ever goes off`,
      remedy: "Use a number above 94 and below 100: 99, 99.5, 99.9.",
    });
  checkGoal("availablePercent", availablePercent);
  if (fast !== undefined) {
    checkGoal("fast.percent", fast.percent);
    problems.check(Number.isInteger(fast.within.toMillis()) && fast.within.toMillis() >= 1, {
      code: "SERVICE_LEVEL_WITHIN",
      prop: "fast.within",
      problem: `${fast.within} is not a threshold that latency can be counted by`,
      remedy: "Use whole milliseconds, at least one: Duration.millis(500).",
    });
  }
  problems.check(process.kind === "web", {
    code: "SERVICE_LEVEL_NO_REQUESTS",
    prop: "process",
    problem: `is a ${process.kind}, which answers no requests`,
    remedy:
      process.kind === "job"
        ? "Watch alarms.failedRuns of a job instead."
        : "Watch alarms.queueAge of a worker instead.",
  });
  problems.throwIfAny();
}

function watch(host: ServiceHost, { id, part, goalPercent, bad, using, queries }: Promised): void {
  const { scope, serviceName } = host;
  const { platformName, environment } = ServiceStack.of(scope);
  const name = [platformName, environment.name, serviceName];
  for (const burn of BURNS) {
    const most = Math.round(burn.factor * (100 - goalPercent) * 1000) / 1000;
    const burnId = `${id}${burn.id}`;
    const burnPart = `${part}${burn.part}`;
    const burning = [burn.longSeconds, burn.shortSeconds].map(
      (periodSeconds, index) =>
        new Alarm(scope, `${burnId}${index === 0 ? "Long" : "Short"}`, {
          name: [...name, burnPart, index === 0 ? "long" : "short"],
          description: `More than ${most} of a hundred ${bad} in ${periodSeconds / 60} minutes. Part of ${burnPart}.`,
          threshold: most,
          periodSeconds,
          datapoints: 1,
          periods: 1,
          silent: true,
          queries,
        }),
    );
    host.addAlarm(
      new CompositeAlarm(scope, burnId, {
        name: [...name, burnPart],
        description: `${using} in 30 days ${burn.factor} times too fast: the promise of ${goalPercent} % will be broken.`,
        all: burning,
      }),
    );
  }
}
