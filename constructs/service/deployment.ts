import type { Construct } from "constructs";
import { Alarm, type Query } from "../core/alarm";
import type { Problems } from "../core/errors";
import type { Target } from "./host";
import { ofTarget } from "./metrics";

/** How a new version goes live: see {@link rolling}. */
export interface RollingDeployment {
  readonly kind: "rolling";
  readonly errorPercent: number;
  readonly minimumRequests: number;
}

export type Deployment = RollingDeployment;

/**
 * New tasks come, old ones go, all of the old ones' number staying healthy. What fails goes back by itself: when tasks do
 * not come up, or when requests from outside fail.
 *
 * @param options.errorPercent how many of a hundred requests of a minute may fail. Default: 5
 * @param options.minimumRequests fewer requests in a minute prove nothing. Default: 20
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
 */
export function rolling(
  options: { readonly errorPercent?: number; readonly minimumRequests?: number } = {},
): RollingDeployment {
  return {
    kind: "rolling",
    errorPercent: options.errorPercent ?? 5,
    minimumRequests: options.minimumRequests ?? 20,
  };
}

/** Notes DEPLOYMENT_ERRORS, DEPLOYMENT_REQUESTS. */
export function checkDeployment(problems: Problems, { errorPercent, minimumRequests }: Deployment): void {
  problems.check(
    errorPercent > 0 && errorPercent < 100,
    "DEPLOYMENT_ERRORS",
    "deployment.errorPercent",
    `${errorPercent} never or always goes back`,
    "Use a number above 0 and below 100.",
  );
  problems.check(
    Number.isInteger(minimumRequests) && minimumRequests >= 1,
    "DEPLOYMENT_REQUESTS",
    "deployment.minimumRequests",
    `${minimumRequests} is no count of requests`,
    "Use a whole number, at least 1.",
  );
}

/**
 * The alarm that a deployment goes back on. It counts what this service's own tasks answered, and connections to them that
 * failed: the balancer's own errors have no target group, so one service's would roll back another.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
 */
export function errorAlarm(
  scope: Construct,
  id: string,
  props: {
    readonly name: readonly string[];
    readonly deployment: Deployment;
    readonly targets: () => readonly Target[];
  },
): Alarm {
  const { errorPercent, minimumRequests } = props.deployment;
  return new Alarm(scope, id, {
    name: props.name,
    description: `More than ${errorPercent} of a hundred requests fail; a deployment that runs goes back.`,
    threshold: errorPercent,
    queries: () => errorPercentOf(props.targets(), minimumRequests),
  });
}

function errorPercentOf(targets: readonly Target[], minimumRequests: number): Query[] {
  const rows = targets.flatMap((target, index): Query[] => [
    { id: `failed${index}`, metric: ofTarget(target, "HTTPCode_Target_5XX_Count", "Sum") },
    { id: `refused${index}`, metric: ofTarget(target, "TargetConnectionErrorCount", "Sum") },
    { id: `requests${index}`, metric: ofTarget(target, "RequestCount", "Sum") },
  ]);
  const sum = (...names: string[]) =>
    targets.flatMap((_, index) => names.map((name) => `FILL(${name}${index}, 0)`)).join(" + ");
  const asked = `(${sum("requests")})`;
  return [
    ...rows,
    {
      id: "result",
      expression: `IF(${asked} >= ${minimumRequests}, 100 * (${sum("failed", "refused")}) / ${asked}, 0)`,
      returned: true,
    },
  ];
}
