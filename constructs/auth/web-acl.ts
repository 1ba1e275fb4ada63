import { Wafv2WebAcl } from "@cdktf/provider-aws/lib/wafv2-web-acl";
import { Wafv2WebAclAssociation } from "@cdktf/provider-aws/lib/wafv2-web-acl-association";
import { Wafv2WebAclLoggingConfiguration } from "@cdktf/provider-aws/lib/wafv2-web-acl-logging-configuration";

import { Construct, type IConstruct } from "constructs";
import { checkArguments } from "../core/check-types";
import { Problems, warn } from "../core/errors";
import { kebab } from "../core/names";
import { AwsStack } from "../core/stack";
import type { Duration } from "../core/units";
import type { ILoadBalancer } from "../load-balancer/load-balancer";
import { type ILogStream, LogStream } from "../logging/log-stream";

/** AWS managed rule groups. All of them together fit into the capacity of one web ACL. */
const RULE_GROUPS = {
  common: "AWSManagedRulesCommonRuleSet",
  "known-bad-inputs": "AWSManagedRulesKnownBadInputsRuleSet",
  "ip-reputation": "AWSManagedRulesAmazonIpReputationList",
  "anonymous-ip": "AWSManagedRulesAnonymousIpList",
  "admin-pages": "AWSManagedRulesAdminProtectionRuleSet",
  sql: "AWSManagedRulesSQLiRuleSet",
  linux: "AWSManagedRulesLinuxRuleSet",
} as const;

export const MANAGED_RULES = Object.keys(RULE_GROUPS) as readonly ManagedRules[];
/**
 * Managed rule groups, which AWS updates.
 *
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
 */
export type ManagedRules = keyof typeof RULE_GROUPS;

export const WEB_ACL_MODES = ["block", "count"] as const;
/** Action for a request that matches a rule: responds with 403 (`block`), or records it and lets it through (`count`). */
export type WebAclMode = (typeof WEB_ACL_MODES)[number];

export const WEB_ACL_LOGS = ["matched", "all"] as const;
/** Requests to log: those that matched a rule, or all of them. */
export type WebAclLogs = (typeof WEB_ACL_LOGS)[number];

export interface WebAclProps {
  /** Load balancer to protect: `platform.loadBalancer`. A load balancer has one web ACL. */
  readonly loadBalancer: ILoadBalancer | undefined;
  /**
   * Action for a request that matches a rule. Start with `count` until you know the requests of real users, and check in the
   * log which requests would have been blocked.
   *
   * @default "block"
   */
  readonly mode?: WebAclMode;
  /**
   * Managed rule groups of AWS to evaluate. Each group costs 1 USD a month.
   *
   * @default ["common", "known-bad-inputs", "ip-reputation"]
   */
  readonly managedRules?: readonly ManagedRules[];
  /**
   * Number of requests that one address may send within five minutes, at least 10.
   *
   * @default 2000
   */
  readonly requestsPerIp?: number;
  /**
   * Allows request bodies above 8 KB. The common rules block them, since AWS WAF inspects at most 8 KB.
   *
   * @default false
   */
  readonly largeBodies?: boolean;
  /**
   * Requests to log, without the headers authorization and cookie.
   *
   * @default "matched"
   */
  readonly log?: WebAclLogs;
  /** @default - see LogStream */
  readonly logRetention?: Duration;
}

interface WebAclSettings {
  readonly loadBalancer: ILoadBalancer;
  readonly mode: WebAclMode;
  readonly managedRules: readonly ManagedRules[];
  readonly requestsPerIp: number;
  readonly largeBodies: boolean;
  readonly log: WebAclLogs;
}

const GUARDED = new WeakSet<IConstruct>();

/**
 * An AWS WAF web ACL, which blocks requests that look like an attack or exceed a rate limit, before the load balancer
 * forwards or authenticates them.
 *
 * Costs 5 USD a month, 1 USD for each rule group and for the rate limit, and 0.60 USD per million requests.
 *
 * @example
 * ```ts
 * new WebAcl(platform, "WebAcl", { loadBalancer: platform.loadBalancer, requestsPerIp: 1000 });
 * ```
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/waf-chapter.html
 */
export class WebAcl extends Construct {
  readonly webAclArn: string;
  /** Log group of the logged requests, named as AWS WAF requires. */
  readonly logs: ILogStream;

  /**
   * @throws InvalidPropsError WEB_ACL_LOAD_BALANCER, WEB_ACL_TWICE, WEB_ACL_RATE, WEB_ACL_RULES, WEB_ACL_MODE, and the
   * errors of {@link LogStream}
   */
  constructor(scope: Construct, id: string, props: WebAclProps) {
    super(scope, id);
    checkArguments("new WebAcl", { props }, this);
    const settings = resolveWebAcl(this, props);
    const stack = AwsStack.of(this);
    const name = stack.physicalName("webAcl", stack.stackName, stack.environment.name, kebab(id));
    if (stack.production && settings.mode === "count") {
      warn(this, {
        code: "WEB_ACL_COUNTS",
        prop: "mode",
        problem: 'is "count", which blocks nothing',
        remedy: "Once its log contains no requests of real users, leave mode out.",
      });
    }
    const acl = new Wafv2WebAcl(this, "Resource", {
      name,
      scope: "REGIONAL",
      defaultAction: { allow: {} },
      rule: rulesOf(settings),
      visibilityConfig: visibility(name),
    });
    new Wafv2WebAclAssociation(this, "Association", {
      webAclArn: acl.arn,
      resourceArn: settings.loadBalancer.loadBalancerArn,
    });
    this.logs = new LogStream(this, "Logs", { name: `aws-waf-logs-${name}`, retention: props.logRetention });
    new Wafv2WebAclLoggingConfiguration(this, "Logging", {
      resourceArn: acl.arn,
      logDestinationConfigs: [this.logs.logGroupArn],
      redactedFields: ["authorization", "cookie"].map((header) => ({ singleHeader: { name: header } })),
      loggingFilter:
        settings.log === "all"
          ? undefined
          : {
              defaultBehavior: "DROP",
              filter: [
                {
                  behavior: "KEEP",
                  requirement: "MEETS_ANY",
                  condition: ["BLOCK", "COUNT", "EXCLUDED_AS_COUNT"].map((action) => ({ actionCondition: { action } })),
                },
              ],
            },
    });
    this.webAclArn = acl.arn;
  }
}

/** @throws InvalidPropsError see {@link WebAcl} */
function resolveWebAcl(scope: IConstruct, props: WebAclProps): WebAclSettings {
  const { loadBalancer, mode = "block", managedRules = ["common", "known-bad-inputs", "ip-reputation"] } = props;
  const { requestsPerIp = 2000, largeBodies = false, log = "matched" } = props;
  const problems = new Problems(scope);
  problems.check(loadBalancer !== undefined, {
    code: "WEB_ACL_LOAD_BALANCER",
    prop: "loadBalancer",
    problem: "requires a load balancer, but the platform has no listener",
    remedy: "Set the platform's listener, or remove the web ACL.",
  });
  problems.check(loadBalancer === undefined || !GUARDED.has(loadBalancer), {
    code: "WEB_ACL_TWICE",
    prop: "loadBalancer",
    problem: "already has a web ACL, which this one would replace",
    remedy: "Create a single web ACL with all rules.",
  });
  problems.check(Number.isInteger(requestsPerIp) && requestsPerIp >= 10 && requestsPerIp <= 2_000_000_000, {
    code: "WEB_ACL_RATE",
    prop: "requestsPerIp",
    problem: `must be a whole number from 10 to 2000000000, got ${requestsPerIp}`,
    remedy: "Set the number of requests within five minutes, such as 2000.",
  });
  problems.check(
    managedRules.every((rules) => MANAGED_RULES.includes(rules)) && new Set(managedRules).size === managedRules.length,
    {
      code: "WEB_ACL_RULES",
      prop: "managedRules",
      problem: `must contain known rule groups, each only once, got ${JSON.stringify(managedRules)}`,
      remedy: `Use some of: ${MANAGED_RULES.join(", ")}.`,
    },
  );
  problems.check(WEB_ACL_MODES.includes(mode) && WEB_ACL_LOGS.includes(log), {
    code: "WEB_ACL_MODE",
    prop: "mode and log",
    problem: `${JSON.stringify([mode, log])} are not supported values`,
    remedy: `Use a mode of ${WEB_ACL_MODES.join(", ")}, and a log of ${WEB_ACL_LOGS.join(", ")}.`,
  });
  problems.throwIfAny();
  const found = loadBalancer as ILoadBalancer;
  GUARDED.add(found);
  return { loadBalancer: found, mode, managedRules, requestsPerIp, largeBodies, log };
}

/** Builds the rules. The rate limit comes first: it is cheap, and requests above it need no further inspection. */
function rulesOf({ mode, managedRules, requestsPerIp, largeBodies }: WebAclSettings) {
  const counting = mode === "count";
  return [
    {
      name: "requests-per-ip",
      priority: 0,
      action: counting ? { count: {} } : { block: {} },
      statement: { rate_based_statement: { aggregate_key_type: "IP", limit: requestsPerIp } },
      visibilityConfig: visibility("requests-per-ip"),
    },
    ...managedRules.map((rules, index) => ({
      name: rules,
      priority: index + 1,
      overrideAction: counting ? { count: {} } : { none: {} },
      statement: {
        managed_rule_group_statement: {
          vendor_name: "AWS",
          name: RULE_GROUPS[rules],
          ...(rules === "common" && largeBodies
            ? { rule_action_override: [{ name: "SizeRestrictions_BODY", action_to_use: { count: {} } }] }
            : {}),
        },
      },
      visibilityConfig: visibility(rules),
    })),
  ];
}

function visibility(metricName: string) {
  return { metricName, cloudwatchMetricsEnabled: true, sampledRequestsEnabled: true };
}
