import { LbListenerRule } from "@cdktf/provider-aws/lib/lb-listener-rule";
import { LbTargetGroup } from "@cdktf/provider-aws/lib/lb-target-group";
import type { Construct } from "constructs";
import { kebab, namePrefix } from "../core/names";
import { claimListenerRule, ruleConditions } from "../load-balancer/listener-rule";
import type { RegistrationSettings } from "./auto-scaling-group-props";

/**
 * Creates a target group for the instances and a listener rule on a shared load balancer.
 *
 * @throws InvalidPropsError as {@link claimListenerRule} does
 */
export function registerTargets(
  scope: Construct,
  vpcId: string,
  { loadBalancer, port, healthPath, rule: settings }: RegistrationSettings,
) {
  claimListenerRule(scope, scope.node.path, settings);
  const group = new LbTargetGroup(scope, "Targets", {
    namePrefix: namePrefix("targetGroup", kebab(scope.node.id)),
    vpcId,
    targetType: "instance",
    port,
    protocol: "HTTP",
    deregistrationDelay: "30",
    healthCheck: {
      path: healthPath,
      matcher: "200",
      interval: 10,
      timeout: 5,
      healthyThreshold: 2,
      unhealthyThreshold: 3,
    },
    lifecycle: { createBeforeDestroy: true },
  });
  const rule = new LbListenerRule(scope, "Rule", {
    listenerArn: loadBalancer.listenerArn,
    priority: settings.priority,
    condition: ruleConditions(settings.match),
    action: [{ type: "forward", targetGroupArn: group.arn }],
  });
  return { group, rule };
}
