import type { Construct } from "constructs";
import { Alarm } from "../../core/alarm";
import type { Target } from "../add-on";
import type { Deployment } from "../deployment/strategy-props";
import { errorPercent } from "./signals";
import { groupsOf } from "./target-metrics";

/**
 * The alarm that a deployment goes back on. It counts what this service's own tasks answered, and connections to them that
 * failed: the load balancer's own errors have no target group, so one service's would roll back another.
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
  const { errorPercent: most, minimumRequests } = props.deployment;
  return new Alarm(scope, id, {
    name: props.name,
    description: `More than ${most} of a hundred requests fail; a deployment that runs goes back.`,
    threshold: most,
    queries: () => errorPercent(groupsOf(props.targets()), minimumRequests),
  });
}
