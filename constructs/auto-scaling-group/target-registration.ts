import { LbListenerRule } from "@cdktf/provider-aws/lib/lb-listener-rule";
import { LbTargetGroup } from "@cdktf/provider-aws/lib/lb-target-group";
import type { Construct } from "constructs";
import { Problems } from "../core/errors";
import { literal } from "../core/literal";
import { kebab, namePrefix } from "../core/names";
import { QUOTAS } from "../core/quotas";
import { AwsStack } from "../core/stack";
import { claimRule } from "../load-balancer/claims";
import { EXPLICIT_PRIORITY, rulePriority } from "../load-balancer/priority";
import type { TargetRegistration } from "./auto-scaling-group-props";

/**
 * A rule on a shared load balancer, and the group of targets that instances join.
 *
 * @throws InvalidPropsError REGISTRATION_CONDITIONS, REGISTRATION_PATH, REGISTRATION_PRIORITY, and what {@link claimRule} finds
 */
export function joinLoadBalancer(scope: Construct, vpcId: string, registerWith: TargetRegistration) {
  const { loadBalancer, port, healthPath = "/", hosts = [], paths = [] } = registerWith;
  const { priority = rulePriority({ hosts, paths }) } = registerWith;
  const problems = new Problems(scope);
  problems.check(hosts.length + paths.length <= 4 && hosts.length <= 3 && paths.length <= 3, {
    code: "REGISTRATION_CONDITIONS",
    prop: "registerWith",
    problem: `has ${hosts.length} hosts and ${paths.length} paths; a rule may have 5 conditions' values in all`,
    remedy: "Use up to 3 hosts and 3 paths, 4 together.",
  });
  for (const path of paths) {
    problems.check(/^\/[A-Za-z0-9_\-.$/~"'@:+*?&]*$/.test(path) && path.length <= 128, {
      code: "REGISTRATION_PATH",
      prop: "registerWith.paths",
      problem: `${JSON.stringify(path)} is no path pattern`,
      remedy: "Begin with / and use up to 128 letters, digits and _-.$/~\"'@:+&, with * and ? as wildcards.",
    });
  }
  problems.check(
    registerWith.priority === undefined ||
      (Number.isInteger(priority) && priority >= EXPLICIT_PRIORITY.min && priority <= EXPLICIT_PRIORITY.max),
    {
      code: "REGISTRATION_PRIORITY",
      prop: "registerWith.priority",
      problem: `${priority} is outside what is free for explicit ones`,
      remedy: `Use ${EXPLICIT_PRIORITY.min} to ${EXPLICIT_PRIORITY.max}, or leave it out.`,
    },
  );
  problems.throwIfAny();
  const stack = AwsStack.of(scope);
  const limitOf = (quota: keyof typeof QUOTAS) => stack.environment.quotas?.[quota] ?? QUOTAS[quota];
  claimRule(
    problems,
    scope.node.root,
    {
      // The platform that the load balancer belongs to: this stack, or the one that it stands on.
      loadBalancer: `${"platformName" in stack ? stack.platformName : stack.stackName}-${stack.environment.name}`,
      owner: scope.node.path,
      match: { hosts, paths },
      priority,
      explicit: registerWith.priority !== undefined,
    },
    { rules: limitOf("rulesPerLoadBalancer"), targetGroups: limitOf("targetGroupsPerLoadBalancer") },
  );
  problems.throwIfAny();
  const group = new LbTargetGroup(scope, "Targets", {
    namePrefix: namePrefix("targetGroup", kebab(scope.node.id)),
    vpcId: vpcId,
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
    priority,
    condition: [
      ...(hosts.length === 0 ? [] : [{ hostHeader: { values: hosts.map(literal) } }]),
      ...(paths.length === 0 && hosts.length > 0
        ? []
        : [{ pathPattern: { values: paths.length === 0 ? ["/*"] : paths.map(literal) } }]),
    ],
    action: [{ type: "forward", targetGroupArn: group.arn }],
  });
  return { group, rule };
}
