import type { Metric } from "../../core/metric";
import type { Target, TargetGroup } from "../add-on";

/** A target group as the load balancer measures it. */
export type MonitoredTargetGroup = Pick<Target, "loadBalancerArnSuffix"> & Pick<TargetGroup, "targetGroupArnSuffix">;

/** All target groups of a service: two for each target where a deployment moves requests from one to the other. */
export function groupsOf(targets: readonly Target[]): MonitoredTargetGroup[] {
  return targets.flatMap(({ loadBalancerArnSuffix, targetGroupArnSuffix, shift }) => [
    { loadBalancerArnSuffix, targetGroupArnSuffix },
    ...(shift === undefined
      ? []
      : [{ loadBalancerArnSuffix, targetGroupArnSuffix: shift.alternate.targetGroupArnSuffix }]),
  ]);
}

/** A measure of the load balancer about one target group alone. */
export function ofTarget(
  group: MonitoredTargetGroup,
  metricName: string,
  statistic: "Sum" | "Average" | "Maximum",
): Required<Metric> {
  return {
    namespace: "AWS/ApplicationELB",
    metricName,
    dimensions: { LoadBalancer: group.loadBalancerArnSuffix, TargetGroup: group.targetGroupArnSuffix },
    statistic,
  };
}
