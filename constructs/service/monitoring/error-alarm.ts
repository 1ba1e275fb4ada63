import type { Construct } from "constructs";
import { Alarm } from "../../core/alarm";
import type { Target } from "../add-on";
import type { Deployment } from "../deployment/strategy-props";
import { errorPercent } from "./signals";
import { groupsOf } from "./target-metrics";

/**
 * Creates the alarm that rolls back a deployment. It counts error responses of this service's own tasks and failed
 * connections to them. Errors of the load balancer itself are excluded: they have no target group, so those of one service
 * would roll back another.
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
    description: `More than ${most} % of requests fail. A deployment in progress rolls back.`,
    threshold: most,
    queries: () => errorPercent(groupsOf(props.targets()), minimumRequests),
  });
}
