import { LbListenerCertificate } from "@cdktf/provider-aws/lib/lb-listener-certificate";
import { LbListenerRule } from "@cdktf/provider-aws/lib/lb-listener-rule";
import { LbTargetGroup } from "@cdktf/provider-aws/lib/lb-target-group";
import { TerraformOutput } from "cdktf";
import { Construct } from "constructs";
import { checkArguments } from "../../core/check-types";
import { Problems } from "../../core/errors";
import { keyedId, namePrefix } from "../../core/names";
import { isReference } from "../../core/reference";
import { addressOf } from "../../core/stack";
import { type Authentication, authenticateFirst } from "../../load-balancer/authentication";
import { aliasRecord, Certificate, ZONE_ID_PATTERN } from "../../load-balancer/certificate";
import {
  claimListenerRule,
  type ListenerRuleSettings,
  resolveListenerRule,
  ruleConditions,
} from "../../load-balancer/listener-rule";
import { ServiceStack } from "../../platform/platform";
import type { ServiceAddOn, ServiceHost } from "../add-on";
import { ignoredChanges } from "../deployment/ignored-changes";
import { deploymentCall } from "../deployment/strategy-props";
import { STRATEGY_TABLE, strategyCell } from "../deployment/strategy-support";
import { READINESS } from "../task/shutdown";
import { checkAuth, publicPriority, reachedByHttps } from "./ingress-auth";

export interface IngressProps {
  /**
   * Host names to match, at most 3.
   *
   * @default - any
   */
  readonly hosts?: readonly string[];
  /**
   * Path patterns to match, such as `/v1/orders/*`; at most 3.
   *
   * @default - any
   */
  readonly paths?: readonly string[];
  /**
   * Priority among the rules of all services on the load balancer, 1 to 999; the lowest that matches wins. A priority that
   * another rule has had needs two deployments: one that gives that rule another priority, then one that takes it.
   *
   * @default - derived from service, hosts and paths: more specific rules first, after all rules with an explicit priority
   */
  readonly priority?: number;
  /**
   * Id of the Route 53 hosted zone of the hosts, in which each gets a record.
   *
   * @default - none: the platform's domain covers them, or you create the records
   */
  readonly zoneId?: string;
  /**
   * Creates a certificate for the hosts, validated through the zone. For hosts that the platform's certificate does not
   * cover.
   *
   * @default false
   */
  readonly certificate?: boolean;
  /**
   * Authentication of callers: `userPool.signIn(...)` or `oidcSignIn(...)` for users, `bearerToken(...)` for programs.
   * Applies to all paths except its public ones.
   *
   * @default - none: the service itself authenticates its callers
   */
  readonly auth?: Authentication;
}

/**
 * Routes requests from outside to a service: a listener rule on the platform's shared load balancer, and a target group that
 * the tasks join; two target groups if a deployment shifts traffic from the old version to the new one.
 *
 * A task receives requests while its ready path returns 200. Adds an alarm that rolls back a deployment, for 0.40 USD a
 * month.
 *
 * @example
 * ```ts
 * orders.add(new Ingress({ paths: ["/v1/orders", "/v1/orders/*"] }));
 * ```
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
 */
export class Ingress implements ServiceAddOn {
  readonly name = "Ingress";

  constructor(private readonly props: IngressProps = {}) {
    checkArguments("new Ingress", { props });
  }

  /**
   * @throws InvalidPropsError TARGET_OF_NO_WEB, INGRESS_ZONE, INGRESS_CERTIFICATE, INGRESS_AUTH_HTTPS, INGRESS_AUTH_HOST,
   * INGRESS_PUBLIC_PATH, PLATFORM_NO_LOAD_BALANCER, STRATEGY_AUTH, and the errors of {@link resolveListenerRule} and {@link
   * claimListenerRule}
   */
  bind(host: ServiceHost): void {
    const { scope, process } = host;
    const stack = ServiceStack.of(scope);
    const { match, priority } = this.#check(host, stack);
    const { hosts } = match;
    const { zoneId } = this.props;
    const loadBalancer = stack.loadBalancer;
    const targetGroup = (id: string) =>
      new LbTargetGroup(scope, id, {
        namePrefix: namePrefix("targetGroup", host.serviceName),
        vpcId: stack.vpc.vpcId,
        targetType: "ip",
        // Each target registers with its own port; this one is never used, and changing it would replace the target group.
        port: 80,
        protocol: "HTTP",
        deregistrationDelay: String(host.deregistrationSeconds),
        healthCheck: {
          path: process.kind === "web" ? process.readyPath : undefined,
          matcher: "200",
          interval: READINESS.intervalSeconds,
          timeout: READINESS.timeoutSeconds,
          healthyThreshold: READINESS.healthyThreshold,
          unhealthyThreshold: READINESS.unhealthyThreshold,
        },
        lifecycle: { createBeforeDestroy: true },
      });
    const group = targetGroup("Resource");
    const strategy = host.deployment.kind;
    const { twoGroups, controller } = STRATEGY_TABLE[strategy];
    const alternate = twoGroups ? targetGroup("Alternate") : undefined;
    const forward = { type: "forward", targetGroupArn: group.arn };
    const rule = new LbListenerRule(scope, "Rule", {
      listenerArn: loadBalancer.listenerArn,
      priority,
      condition: ruleConditions(match),
      action: [
        // ECS requires both target groups in its rule before the first deployment; CodeDeploy adds the second itself.
        controller === "ECS" && alternate !== undefined
          ? {
              type: "forward",
              forward: {
                targetGroup: [
                  { arn: group.arn, weight: 100 },
                  { arn: alternate.arn, weight: 0 },
                ],
              },
            }
          : forward,
      ],
      lifecycle: twoGroups
        ? { ignoreChanges: ignoredChanges("listenerRule", { owner: "pipeline", strategy, schedules: false }) }
        : undefined,
    });
    const rules = [rule];
    const { auth } = this.props;
    if (auth !== undefined) {
      const guarded = { serviceName: host.serviceName, hosts, providerLine: stack.providerLine };
      authenticateFirst(rule, auth.bind(new Construct(scope, "Auth"), guarded), group.arn);
      rule.lifecycle = { precondition: [reachedByHttps(host.serviceName, stack.platformName, loadBalancer)] };
      if (auth.publicPaths.length > 0) {
        rules.push(
          new LbListenerRule(scope, "Public", {
            listenerArn: loadBalancer.listenerArn,
            priority: publicPriority(this.props, host.serviceName),
            condition: ruleConditions({ hosts, paths: auth.publicPaths }),
            action: [forward],
          }),
        );
      }
    }
    host.connections.allowFrom("LoadBalancer", loadBalancer.connections);
    const url = `${loadBalancer.scheme}://${hosts[0] ?? loadBalancer.dnsName}`;
    host.addTarget({
      targetGroupArn: group.arn,
      targetGroupArnSuffix: group.arnSuffix,
      loadBalancerArnSuffix: loadBalancer.loadBalancerArnSuffix,
      dependsOn: rules.map(addressOf),
      url,
      shift:
        alternate === undefined
          ? undefined
          : {
              alternate: { targetGroupArn: alternate.arn, targetGroupArnSuffix: alternate.arnSuffix },
              names: [group.name, alternate.name],
              listenerArn: loadBalancer.listenerArn,
              ruleArn: rule.arn,
            },
    });
    if (zoneId !== undefined) {
      for (const name of hosts) aliasRecord(scope, keyedId(scope, "Host", name), { zoneId, host: name, loadBalancer });
      if (this.props.certificate === true) {
        const { certificateArn } = new Certificate(scope, "Certificate", { hosts, zoneId });
        new LbListenerCertificate(scope, "ListenerCertificate", {
          listenerArn: loadBalancer.listenerArn,
          certificateArn,
          // With the old certificate detached first, its hosts would have none until the new one is validated.
          lifecycle: { createBeforeDestroy: true },
        });
      }
    }
    new TerraformOutput(scope, "Url", {
      value: url,
      description: "URL of the service.",
    }).overrideLogicalId(`${host.serviceName.replaceAll("-", "_")}_url`);
  }

  #check({ scope, process, serviceName, deployment }: ServiceHost, stack: ServiceStack): ListenerRuleSettings {
    const { hosts = [], zoneId, certificate = false } = this.props;
    const problems = new Problems(scope);
    problems.check(process.kind === "web", {
      code: "TARGET_OF_NO_WEB",
      prop: "process",
      problem: `must be a web process to receive requests, got a ${process.kind}`,
      remedy: "Use process: web().",
    });
    const rule = resolveListenerRule(problems, this.props, serviceName);
    const authCell = strategyCell(deployment.kind, stack.providerLine, "auth");
    problems.check(this.props.auth === undefined || authCell.verdict !== "no", {
      code: "STRATEGY_AUTH",
      prop: "auth",
      problem: `is not supported by ${deploymentCall(deployment)}: ${authCell.note}`,
      remedy: "Use rolling(), or check tokens in the service itself.",
    });
    problems.check(
      zoneId === undefined || (hosts.length > 0 && (isReference(zoneId) || ZONE_ID_PATTERN.test(zoneId))),
      {
        code: "INGRESS_ZONE",
        prop: "zoneId",
        problem: `must be a Route 53 hosted zone ID and requires hosts, got ${JSON.stringify(zoneId)}`,
        remedy: "Use an ID such as Z0123456789ABCDEFGHIJ, and set hosts.",
      },
    );
    problems.check(!certificate || zoneId !== undefined, {
      code: "INGRESS_CERTIFICATE",
      prop: "certificate",
      problem: "needs zoneId, because the certificate is validated through the hosted zone",
      remedy: "Set zoneId, or leave certificate out if the platform's certificate covers the hosts.",
    });
    checkAuth(problems, this.props, { serviceName, scheme: stack.scheme, providerLine: stack.providerLine });
    problems.throwIfAny();

    const owner = scope.node.scope?.node.path ?? scope.node.path;
    claimListenerRule(scope, owner, { ...rule, targetGroups: STRATEGY_TABLE[deployment.kind].twoGroups ? 2 : 1 });
    const publicPaths = this.props.auth?.publicPaths ?? [];
    if (publicPaths.length > 0) {
      const match = { hosts, paths: publicPaths };
      claimListenerRule(scope, owner, {
        ...rule,
        match,
        priority: publicPriority(this.props, serviceName),
        targetGroups: 0,
      });
    }
    return rule;
  }
}
