import { LbListenerRule } from "@cdktf/provider-aws/lib/lb-listener-rule";
import { LbTargetGroup } from "@cdktf/provider-aws/lib/lb-target-group";
import type { Construct, IConstruct } from "constructs";
import type { Problems } from "../core/errors";
import { kebab, namePrefix } from "../core/names";
import {
  claimListenerRule,
  type ListenerRuleSettings,
  resolveListenerRule,
  ruleConditions,
} from "../load-balancer/listener-rule";
import { type ILoadBalancer, STACK_LOAD_BALANCER } from "../load-balancer/load-balancer";

/** Requests that a shared load balancer routes to the instances, and its health check. */
export interface TargetRegistration {
  /** @default - the load balancer of the {@link Platform} that the group is in */
  readonly loadBalancer?: ILoadBalancer;
  /** TCP port that the instances listen on. */
  readonly port: number;
  /**
   * Path of the health check, which must return 200. Unhealthy instances are replaced.
   *
   * @default "/"
   */
  readonly healthPath?: string;
  /**
   * Host names to match, at most 3.
   *
   * @default - any
   */
  readonly hosts?: readonly string[];
  /**
   * Path patterns to match, such as `/reports/*`; at most 3.
   *
   * @default - any
   */
  readonly paths?: readonly string[];
  /**
   * Priority among all rules of the load balancer, 1 to 999; the lowest that matches wins.
   *
   * @default - derived from hosts and paths: more specific rules first, after all rules with an explicit priority
   */
  readonly priority?: number;
}

/** Registration with a load balancer, with defaults applied. */
export interface RegistrationSettings {
  readonly loadBalancer: ILoadBalancer;
  readonly port: number;
  readonly healthPath: string;
  readonly rule: ListenerRuleSettings;
}

/** Applies defaults and records problems; undefined if the group registers with no load balancer. */
export function resolveRegistration(
  scope: IConstruct,
  registerWith: TargetRegistration,
  problems: Problems,
): RegistrationSettings | undefined {
  const { port, healthPath = "/", loadBalancer = STACK_LOAD_BALANCER.of(scope) } = registerWith;
  problems.check(loadBalancer !== undefined, {
    code: "REGISTRATION_LOAD_BALANCER",
    prop: "registerWith.loadBalancer",
    problem: "must be set for a group outside a platform with a listener",
    remedy: "Set it, or set listener: https({ certificateArn }) on the Platform that the group is in.",
  });
  problems.check(Number.isInteger(port) && port >= 1 && port <= 65_535 && port !== 22, {
    code: "REGISTRATION_PORT",
    prop: "registerWith.port",
    problem: `must be a port from 1 to 65535 other than 22, got ${port}`,
    remedy: "Use the port that the instances listen on.",
  });
  problems.check(/^\/[\x21-\x7e]{0,1023}$/.test(healthPath) && !/[$%]\{/.test(healthPath), {
    code: "REGISTRATION_HEALTH_PATH",
    prop: "registerWith.healthPath",
    problem: `${JSON.stringify(healthPath)} is not a valid path`,
    remedy: "Start the path with / and use up to 1024 printable characters.",
  });
  const rule = resolveListenerRule(problems, registerWith, scope.node.path, "registerWith.");
  return loadBalancer && { loadBalancer, port, healthPath, rule };
}

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
