import { LbListenerRule } from "@cdktf/provider-aws/lib/lb-listener-rule";
import { LbTargetGroup } from "@cdktf/provider-aws/lib/lb-target-group";
import { TerraformOutput } from "cdktf";
import { Problems } from "../core/errors";
import { literal } from "../core/literal";
import { namePrefix } from "../core/names";
import { addressOf } from "../core/stack";
import { EXPLICIT_PRIORITY, rulePriority } from "../ingress/priority";
import { ServiceStack } from "../platform/platform";
import type { ServiceAddOn, ServiceHost } from "./host";
import { READINESS } from "./shutdown";

export interface IngressProps {
  /**
   * Host names whose requests come here, at most 3.
   *
   * @default - any
   */
  readonly hosts?: readonly string[];
  /**
   * Path patterns whose requests come here, as `/v1/orders/*`; at most 3.
   *
   * @default - any
   */
  readonly paths?: readonly string[];
  /**
   * Order among the rules of all services on the balancer, 1 to 9999; the lowest that matches wins.
   *
   * @default - from hosts and paths, the narrower the earlier
   */
  readonly priority?: number;
}

/**
 * Lets requests from outside in: a rule on the platform's shared balancer, and a target group that the tasks join.
 *
 * A task gets requests while its ready path answers 200. No cost of its own.
 *
 * @example
 * ```ts
 * orders.add(new Ingress({ paths: ["/v1/orders", "/v1/orders/*"] }));
 * ```
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
 */
export class Ingress implements ServiceAddOn {
  readonly name = "Ingress";

  constructor(private readonly props: IngressProps = {}) {}

  /** @throws InvalidPropsError INGRESS_CONDITIONS, INGRESS_PATH, INGRESS_PRIORITY, PLATFORM_NO_BALANCER */
  bind(host: ServiceHost): void {
    const { scope, process } = host;
    const { hosts = [], paths = [], priority = rulePriority({ hosts, paths }) } = this.props;
    const problems = new Problems(scope);
    problems.check(
      hosts.length + paths.length <= 4 && hosts.length <= 3 && paths.length <= 3,
      "INGRESS_CONDITIONS",
      "hosts and paths",
      `have ${hosts.length + paths.length} values; a rule may have 5 conditions' values in all`,
      "Use up to 3 hosts and 3 paths, 4 together.",
    );
    for (const path of paths) {
      problems.check(
        /^\/[A-Za-z0-9_\-.$/~"'@:+*?&]*$/.test(path) && path.length <= 128,
        "INGRESS_PATH",
        "paths",
        `${JSON.stringify(path)} is no path pattern`,
        "Begin with / and use up to 128 letters, digits and _-.$/~\"'@:+&, with * and ? as wildcards.",
      );
    }
    problems.check(
      this.props.priority === undefined ||
        (Number.isInteger(priority) && priority >= EXPLICIT_PRIORITY.min && priority <= EXPLICIT_PRIORITY.max),
      "INGRESS_PRIORITY",
      "priority",
      `${priority} is outside what is free for explicit ones`,
      `Use ${EXPLICIT_PRIORITY.min} to ${EXPLICIT_PRIORITY.max}, or leave it out.`,
    );
    problems.throwIfAny();

    const stack = ServiceStack.of(scope);
    const balancer = stack.balancer;
    const group = new LbTargetGroup(scope, "Resource", {
      namePrefix: namePrefix("targetGroup", host.serviceName),
      vpcId: stack.network.vpcId,
      targetType: "ip",
      // Each target brings its own port; this one is never used, and a change of it would replace the group.
      port: 80,
      protocol: "HTTP",
      deregistrationDelay: String(host.deregistrationSeconds),
      healthCheck: {
        path: process.readyPath,
        matcher: "200",
        interval: READINESS.intervalSeconds,
        timeout: READINESS.timeoutSeconds,
        healthyThreshold: READINESS.healthyThreshold,
        unhealthyThreshold: READINESS.unhealthyThreshold,
      },
      lifecycle: { createBeforeDestroy: true },
    });
    const condition = [
      ...(hosts.length === 0 ? [] : [{ hostHeader: { values: hosts.map(literal) } }]),
      ...(paths.length === 0 && hosts.length > 0
        ? []
        : [{ pathPattern: { values: paths.length === 0 ? ["/*"] : paths.map(literal) } }]),
    ];
    const rule = new LbListenerRule(scope, "Rule", {
      listenerArn: balancer.listenerArn,
      priority,
      condition,
      action: [{ type: "forward", targetGroupArn: group.arn }],
    });
    host.connections.allowFrom("Balancer", balancer.connections);
    host.addTarget({
      targetGroupArn: group.arn,
      dependsOn: [addressOf(rule)],
    });
    new TerraformOutput(scope, "Url", {
      value: `${balancer.scheme}://${hosts.length > 0 ? literal(hosts[0] ?? "") : balancer.dnsName}`,
      description: "Where the service is reached.",
    }).overrideLogicalId(`${host.serviceName.replaceAll("-", "_")}_url`);
  }
}
