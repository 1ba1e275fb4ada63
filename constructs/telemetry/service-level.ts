import { Alarm, CompositeAlarm, type MetricDataQuery } from "../core/alarm";
import { checkArguments } from "../core/check-types";
import { Problems, validateAtSynth } from "../core/errors";
import type { Duration } from "../core/units";
import { ServiceStack } from "../platform/platform";
import type { ServiceAddOn, ServiceHost } from "../service/add-on";
import { errorPercent, fastPercent, latePercent } from "../service/monitoring/signals";
import { groupsOf } from "../service/monitoring/target-metrics";

/**
 * Burn rates of a 30-day error budget: over a long window, so that the alarm is significant, and over a short one, so that
 * it ends soon after the problem. The first consumes 2 % of the budget in an hour, the second 5 % in six hours.
 *
 * @see https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts
 */
const BURNS = [
  { id: "Fast", part: "budget-fast", factor: 14.4, longSeconds: 3600, shortSeconds: 300 },
  { id: "Slow", part: "budget-slow", factor: 6, longSeconds: 21_600, shortSeconds: 1800 },
] as const;

/** Latency objective of a service. */
export interface LatencyGoal {
  /** Percentage of requests to answer within the threshold, over 30 days; above 94 and below 100, such as 99. */
  readonly percent: number;
  /**
   * Latency threshold, from forwarding the request at the load balancer to the first byte of the response; whole
   * milliseconds.
   */
  readonly within: Duration;
}

export interface ServiceLevelProps {
  /**
   * Percentage of requests to answer without a server error, over 30 days; above 94 and below 100.
   *
   * @default 99.9
   */
  readonly availablePercent?: number;
  /**
   * Latency objective. A fast error response meets it and violates `availablePercent` instead.
   *
   * @default - none
   */
  readonly fast?: LatencyGoal;
}

/** A service level objective. */
interface Promised {
  /** Prefix of the ids of its alarms. */
  readonly id: "" | "Latency";
  /** Prefix of the names of its alarms. */
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
 * Service level objectives (SLOs) of a service, with alarms on the burn rate of their 30-day error budgets. Counts
 * individual requests of all target groups together. Needs an Ingress.
 *
 * Costs about 2.20 USD a month for the alarms of `availablePercent` and 1.80 for those of `fast`, for a service with one
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

  constructor(private readonly props: ServiceLevelProps = {}) {
    checkArguments("new ServiceLevel", { props });
  }

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
              problem: "needs requests from a load balancer, but the service has no Ingress",
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
      using: "Errors consume the error budget",
      queries: () => errorPercent(groups(), 1, false),
    });
    if (fast === undefined) return;
    watch(host, {
      id: "Latency",
      part: "latency-",
      goalPercent: fast.percent,
      bad: `responses took longer than ${fast.within}`,
      using: "Slow responses consume the error budget",
      queries: () => latePercent(groups(), fast.within),
    });
    host.addSignal(() => ({
      name: "fast",
      title: `Responses within ${fast.within} (%)`,
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
      problem: `must be above 94 and below 100, so that the error budget is neither empty nor too large for an alarm, got ${goal}`,
      remedy: "Use a percentage such as 99, 99.5 or 99.9.",
    });
  checkGoal("availablePercent", availablePercent);
  if (fast !== undefined) {
    checkGoal("fast.percent", fast.percent);
    problems.check(Number.isInteger(fast.within.toMillis()) && fast.within.toMillis() >= 1, {
      code: "SERVICE_LEVEL_WITHIN",
      prop: "fast.within",
      problem: `must be whole milliseconds, at least one, got ${fast.within}`,
      remedy: "Use a duration such as Duration.millis(500).",
    });
  }
  problems.check(process.kind === "web", {
    code: "SERVICE_LEVEL_NO_REQUESTS",
    prop: "process",
    problem: `must be a web process to have a service level, got a ${process.kind}`,
    remedy:
      process.kind === "job" ? "Use alarms.failedRuns for a job instead." : "Use alarms.queueAge for a worker instead.",
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
          description: `More than ${most} % of ${bad} in ${periodSeconds / 60} minutes. Part of ${burnPart}.`,
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
        description: `${using} of 30 days ${burn.factor} times too fast: the objective of ${goalPercent} % will be missed.`,
        all: burning,
      }),
    );
  }
}
