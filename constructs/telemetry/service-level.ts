import { Alarm, CompositeAlarm, type Query } from "../core/alarm";
import { Problems } from "../core/errors";
import { ServiceStack } from "../platform/platform";
import type { ServiceAddOn, ServiceHost } from "../service/host";
import { groupsOf } from "../service/metrics";
import { errorPercent } from "../service/signals";

/**
 * How fast what may fail in 30 days is used up: over a long window, so that it matters, and over a short one, so that it
 * still goes on. The first uses up a fiftieth in an hour, the second a twentieth in six.
 *
 * @see https://sre.google/workbook/alerting-on-slos/#6-multiwindow-multi-burn-rate-alerts
 */
const BURNS = [
  { id: "Fast", part: "budget-fast", factor: 14.4, longSeconds: 3600, shortSeconds: 300 },
  { id: "Slow", part: "budget-slow", factor: 6, longSeconds: 21_600, shortSeconds: 1800 },
] as const;

export interface ServiceLevelProps {
  /**
   * How many of a hundred requests are to be answered without an error, over 30 days; above 94 and below 100.
   *
   * @default 99.9
   */
  readonly availablePercent?: number;
}

/**
 * What a service promises to those who call it (an SLO), and alarms when it is about to break that: when errors use up what
 * may fail in 30 days too fast. Needs an Ingress.
 *
 * Costs about 2.20 USD a month for its alarms.
 *
 * @example
 * ```ts
 * orders.add(new Ingress());
 * orders.add(new ServiceLevel({ availablePercent: 99.9 }));
 * ```
 * @see https://sre.google/workbook/alerting-on-slos/
 */
export class ServiceLevel implements ServiceAddOn {
  readonly name = "ServiceLevel";

  constructor(private readonly props: ServiceLevelProps = {}) {}

  /** @throws InvalidPropsError SERVICE_LEVEL_PERCENT, SERVICE_LEVEL_NO_REQUESTS */
  bind(host: ServiceHost): void {
    const { scope, serviceName, process } = host;
    const goal = this.props.availablePercent ?? 99.9;
    const problems = new Problems(scope);
    problems.check(
      goal > 94 && goal < 100,
      "SERVICE_LEVEL_PERCENT",
      "availablePercent",
      `${goal} leaves nothing that may fail, or so much that no alarm ever goes off`,
      "Use a number above 94 and below 100: 99.5, 99.9.",
    );
    problems.check(
      process.kind === "web",
      "SERVICE_LEVEL_NO_REQUESTS",
      "process",
      `is a ${process.kind}, which answers no requests`,
      "Watch alarms.queueAge of a worker instead.",
    );
    problems.throwIfAny();
    scope.node.addValidation({
      validate: () =>
        host.targets().length === 0
          ? [
              `${scope.node.path}: nothing is measured of its requests\n  Add an Ingress, or leave ServiceLevel out.  [SERVICE_LEVEL_WITHOUT_INGRESS]`,
            ]
          : [],
    });
    const { platformName, environment } = ServiceStack.of(scope);
    const name = [platformName, environment.name, serviceName];
    const queries = (): Query[] => errorPercent(groupsOf(host.targets()), 1);
    for (const { id, part, factor, longSeconds, shortSeconds } of BURNS) {
      const most = Math.round(factor * (100 - goal) * 1000) / 1000;
      const burning = [longSeconds, shortSeconds].map(
        (periodSeconds, index) =>
          new Alarm(scope, `${id}${index === 0 ? "Long" : "Short"}`, {
            name: [...name, part, index === 0 ? "long" : "short"],
            description: `More than ${most} of a hundred requests failed in ${periodSeconds / 60} minutes. Part of ${part}.`,
            threshold: most,
            periodSeconds,
            periods: 1,
            silent: true,
            queries,
          }),
      );
      const alarm = new CompositeAlarm(scope, id, {
        name: [...name, part],
        description: `Errors use up what may fail in 30 days ${factor} times too fast: the promise of ${goal} % will be broken.`,
        all: burning,
      });
      host.addAlarm(alarm);
    }
  }
}
