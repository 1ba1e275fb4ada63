import { Wafv2WebAcl } from "@cdktf/provider-aws/lib/wafv2-web-acl";
import { Wafv2WebAclAssociation } from "@cdktf/provider-aws/lib/wafv2-web-acl-association";
import { Wafv2WebAclLoggingConfiguration } from "@cdktf/provider-aws/lib/wafv2-web-acl-logging-configuration";
import { Annotations } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { Problems } from "../core/errors";
import { kebab } from "../core/names";
import { AwsStack } from "../core/stack";
import type { Duration } from "../core/units";
import type { ILoadBalancer } from "../load-balancer/load-balancer";
import { type ILogStream, LogStream } from "../logging/log-stream";

/** Rule groups that AWS keeps; all of them together are within what one web ACL may have. */
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
 * Rules that AWS keeps current.
 *
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
 */
export type ManagedRules = keyof typeof RULE_GROUPS;

export const WEB_ACL_MODES = ["block", "count"] as const;
/** Action for a request that a rule matches: answers 403 (`block`), or records and lets it through (`count`). */
export type WebAclMode = (typeof WEB_ACL_MODES)[number];

export const WEB_ACL_LOGS = ["matched", "all"] as const;
/** Requests that are logged: those that a rule matched, or all of them. */
export type WebAclLogs = (typeof WEB_ACL_LOGS)[number];

export interface WebAclProps {
  /** Load balancer to protect: `platform.loadBalancer`. A load balancer has one web ACL. */
  readonly loadBalancer: ILoadBalancer | undefined;
  /**
   * Action for a request that a rule matches. Begin with `count` while the requests of real users are not known yet, and
   * read in the log which requests would have been refused.
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
   * Lets bodies of more than 8 KB through, which the common rules refuse, since no more than 8 KB of one are looked at.
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
 * Refuses requests that look like an attack, or are too many, before the load balancer passes them on or asks anybody to sign in:
 * a web ACL of AWS WAF.
 *
 * Costs 5 USD a month, 1 USD for each group of rules and for the limit, and 0.60 USD a million requests.
 *
 * @example
 * ```ts
 * new WebAcl(platform, "WebAcl", { loadBalancer: platform.loadBalancer, requestsPerIp: 1000 });
 * ```
 * @see https://docs.aws.amazon.com/waf/latest/developerguide/waf-chapter.html
 */
export class WebAcl extends Construct {
  readonly webAclArn: string;
  /** Log group of matched requests; its name starts as AWS WAF requires. */
  readonly logs: ILogStream;

  /**
   * @throws InvalidPropsError WEB_ACL_LOAD_BALANCER, WEB_ACL_TWICE, WEB_ACL_RATE, WEB_ACL_RULES, WEB_ACL_MODE, and what
   *   {@link LogStream} finds
   */
  constructor(scope: Construct, id: string, props: WebAclProps) {
    super(scope, id);
    const settings = resolveWebAcl(this, props);
    const stack = AwsStack.of(this);
    const name = stack.physicalName("webAcl", stack.stackName, stack.environment.name, kebab(id));
    if (stack.production && settings.mode === "count") {
      Annotations.of(this).addWarning(
        'mode "count" refuses nothing. When its log shows no requests of real users, leave mode out.  [WEB_ACL_COUNTS]',
      );
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
    problem: "is none: the platform has no listener",
    remedy: "Set the platform's listener, or leave the web ACL out.",
  });
  problems.check(loadBalancer === undefined || !GUARDED.has(loadBalancer), {
    code: "WEB_ACL_TWICE",
    prop: "loadBalancer",
    problem: "has a web ACL, and AWS would put this one in its place",
    remedy: "Make one, with all the rules.",
  });
  problems.check(Number.isInteger(requestsPerIp) && requestsPerIp >= 10 && requestsPerIp <= 2_000_000_000, {
    code: "WEB_ACL_RATE",
    prop: "requestsPerIp",
    problem: `${requestsPerIp} is not a valid rate limit of AWS WAF`,
    remedy: "Use a whole number, 10 to 2000000000, for five minutes.",
  });
  problems.check(
    managedRules.every((rules) => MANAGED_RULES.includes(rules)) && new Set(managedRules).size === managedRules.length,
    {
      code: "WEB_ACL_RULES",
      prop: "managedRules",
      problem: `${JSON.stringify(managedRules)} has one that is not known, or one twice`,
      remedy: `Use some of: ${MANAGED_RULES.join(", ")}.`,
    },
  );
  problems.check(WEB_ACL_MODES.includes(mode) && WEB_ACL_LOGS.includes(log), {
    code: "WEB_ACL_MODE",
    prop: "mode and log",
    problem: `${JSON.stringify([mode, log])} are not known`,
    remedy: `Use a mode of ${WEB_ACL_MODES.join(", ")}, and a log of ${WEB_ACL_LOGS.join(", ")}.`,
  });
  problems.throwIfAny();
  const found = loadBalancer as ILoadBalancer;
  GUARDED.add(found);
  return { loadBalancer: found, mode, managedRules, requestsPerIp, largeBodies, log };
}

/** The limit first: it is cheap, and what is over it need not be looked into. */
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
