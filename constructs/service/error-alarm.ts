import type { Construct } from "constructs";
import { Alarm, type Query } from "../core/alarm";
import type { Deployment } from "./deployment";
import type { Target } from "./host";
import { groupsOf, ofTarget } from "./metrics";

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
  const groups = groupsOf(targets);
  const rows = groups.flatMap((group, index): Query[] => [
    { id: `failed${index}`, metric: ofTarget(group, "HTTPCode_Target_5XX_Count", "Sum") },
    { id: `refused${index}`, metric: ofTarget(group, "TargetConnectionErrorCount", "Sum") },
    { id: `requests${index}`, metric: ofTarget(group, "RequestCount", "Sum") },
  ]);
  const percentOf = (indexes: readonly number[]) => {
    const sum = (...names: string[]) =>
      indexes.flatMap((index) => names.map((name) => `FILL(${name}${index}, 0)`)).join(" + ");
    const asked = `(${sum("requests")})`;
    return `IF(${asked} >= ${minimumRequests}, 100 * (${sum("failed", "refused")}) / ${asked}, 0)`;
  };
  const all = groups.map((_, index) => index);
  // Of a tenth of the requests all may fail without a twentieth of all failing: each group counts by itself too.
  const each = all.length === 1 ? [] : all.map((index) => percentOf([index]));
  return [
    ...rows,
    {
      id: "result",
      expression: each.length === 0 ? percentOf(all) : `MAX([${[percentOf(all), ...each].join(", ")}])`,
      returned: true,
    },
  ];
}
