import { describe, expect, it } from "vitest";
import { Duration, type Environment, MANAGED_RULES, WebAcl, type WebAclProps } from "../../../constructs";
import { DEV, only, PRODUCTION, refusals, shop, warnings } from "../../support/synth";

function guarded(props: Partial<WebAclProps> = {}) {
  const platform = shop();
  new WebAcl(platform, "WebAcl", { loadBalancer: platform.loadBalancer, ...props });
  return platform;
}

const rulesOf = (props?: Partial<WebAclProps>) =>
  (only(guarded(props), "aws_wafv2_web_acl").rule as Record<string, unknown>[]).map(
    ({ visibility_config, ...rule }) => rule,
  );

describe("WebAcl", () => {
  it("limits each address, and uses three AWS managed rule groups", () => {
    expect(rulesOf()).toEqual([
      {
        name: "requests-per-ip",
        priority: 0,
        action: { block: {} },
        statement: { rate_based_statement: { aggregate_key_type: "IP", limit: 2000 } },
      },
      ...["CommonRuleSet", "KnownBadInputsRuleSet", "AmazonIpReputationList"].map((name, index) => ({
        name: ["common", "known-bad-inputs", "ip-reputation"][index],
        priority: index + 1,
        override_action: { none: {} },
        statement: { managed_rule_group_statement: { vendor_name: "AWS", name: `AWSManagedRules${name}` } },
      })),
    ]);
  });

  it("protects the platform's load balancer, with metrics", () => {
    const platform = guarded();
    expect(only(platform, "aws_wafv2_web_acl_association")).toMatchObject({
      resource_arn: expect.stringContaining("aws_lb.LoadBalancer"),
      web_acl_arn: expect.stringContaining("aws_wafv2_web_acl.WebAcl"),
    });
    expect(only(platform, "aws_wafv2_web_acl")).toMatchObject({
      name: "shop-dev-web-acl",
      scope: "REGIONAL",
      default_action: { allow: {} },
      visibility_config: { cloudwatch_metrics_enabled: true, metric_name: "shop-dev-web-acl" },
    });
  });

  it("logs matched requests under the name that AWS WAF requires, without credentials", () => {
    const platform = guarded({ logRetention: Duration.days(7) });
    expect(only(platform, "aws_wafv2_web_acl_logging_configuration")).toMatchObject({
      redacted_fields: [{ single_header: { name: "authorization" } }, { single_header: { name: "cookie" } }],
      logging_filter: {
        default_behavior: "DROP",
        filter: [
          {
            behavior: "KEEP",
            condition: ["BLOCK", "COUNT", "EXCLUDED_AS_COUNT"].map((action) => ({ action_condition: { action } })),
          },
        ],
      },
    });
    expect(JSON.stringify(only(guarded({ log: "all" }), "aws_wafv2_web_acl_logging_configuration"))).not.toContain(
      "DROP",
    );
    const prefixed = shop({ ...DEV, guardrails: { namePrefix: "acme" } });
    const { logs } = new WebAcl(prefixed, "WebAcl", { loadBalancer: prefixed.loadBalancer });
    expect(logs.node.defaultChild).toMatchObject({ nameInput: "aws-waf-logs-acme-shop-dev-web-acl" });
  });

  it("can count only", () => {
    for (const { action, override_action } of rulesOf({ mode: "count" }) as never as Record<string, object>[]) {
      expect(action ?? override_action).toEqual({ count: {} });
    }
  });

  it("warns in production that counting blocks nothing", () => {
    const warned = (environment: Environment, mode?: WebAclProps["mode"]) => {
      const platform = shop(environment);
      return warnings(new WebAcl(platform, "WebAcl", { loadBalancer: platform.loadBalancer, mode })).join();
    };
    expect(warned(PRODUCTION, "count")).toContain("WEB_ACL_COUNTS");
    expect(warned(PRODUCTION)).toBe("");
    expect(warned(DEV, "count")).toBe("");
  });

  it("allows large bodies if configured", () => {
    const [, common, ...others] = rulesOf({ largeBodies: true });
    expect(common).toMatchObject({
      statement: {
        managed_rule_group_statement: {
          rule_action_override: [{ name: "SizeRestrictions_BODY", action_to_use: { count: {} } }],
        },
      },
    });
    expect(JSON.stringify(others)).not.toContain("SizeRestrictions_BODY");
  });

  it("supports every rule group", () => {
    expect(rulesOf({ managedRules: MANAGED_RULES, requestsPerIp: 10 })).toHaveLength(MANAGED_RULES.length + 1);
    expect(rulesOf({ managedRules: [] })).toHaveLength(1);
  });

  it("is refused with invalid properties, or if it would replace another", () => {
    const bad = { requestsPerIp: 9, managedRules: ["sql", "sql"] as const, mode: "allow" as never };
    expect(refusals(() => guarded({ ...bad, loadBalancer: undefined }))).toEqual([
      "WEB_ACL_LOAD_BALANCER loadBalancer",
      "WEB_ACL_RATE requestsPerIp",
      "WEB_ACL_RULES managedRules",
      "WEB_ACL_MODE mode and log",
    ]);
    const platform = guarded();
    expect(refusals(() => new WebAcl(platform, "Second", { loadBalancer: platform.loadBalancer }))).toEqual([
      "WEB_ACL_TWICE loadBalancer",
    ]);
  });
});
