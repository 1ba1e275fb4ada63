import type { Metric } from "../../core/metric";
import type { Target, TargetGroup } from "../add-on";

/** Dimensions of a target group in the metrics of the load balancer. */
export type MonitoredTargetGroup = Pick<Target, "loadBalancerArnSuffix"> & Pick<TargetGroup, "targetGroupArnSuffix">;

/** Returns all target groups of a service: two for each target if a deployment shifts traffic between them. */
export function groupsOf(targets: readonly Target[]): MonitoredTargetGroup[] {
  return targets.flatMap(({ loadBalancerArnSuffix, targetGroupArnSuffix, shift }) => [
    { loadBalancerArnSuffix, targetGroupArnSuffix },
    ...(shift === undefined
      ? []
      : [{ loadBalancerArnSuffix, targetGroupArnSuffix: shift.alternate.targetGroupArnSuffix }]),
  ]);
}

/** Creates a metric of the load balancer for one target group. */
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
