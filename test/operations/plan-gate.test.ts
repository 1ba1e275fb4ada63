import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeVerdict, judgePlan } from "../../operations/plan-gate";
import { runPlanGate } from "../../operations/plan-gate-command";
import { PROTECTED as TABLE } from "../../operations/protected-resources";
import { SECURITY_GROUP_RULES } from "../../operations/security-group-rules";
import { readPlan, type TerraformPlan } from "../../operations/terraform-plan";
import { PROVIDER_CALLS } from "../contract/support/provider-calls";
import { exitCodeOf } from "../support/exit-code";
import { type Change, plan } from "./support/plan";

const findings = (changes: Parameters<typeof plan>[0], allowances?: Parameters<typeof judgePlan>[1]) =>
  judgePlan(plan(changes), allowances).refused.map(({ action, address }) => `${action} ${address}`);

describe("listener rules of one plan", () => {
  const rule = (actions: readonly string[], before?: number, after?: number, listener = "arn:listener"): Change => {
    const at = (priority: number | undefined) =>
      priority === undefined ? null : { listener_arn: listener, priority, condition: [] };
    return { actions, before: at(before), after: at(after) };
  };

  it("are refused if they swap their priorities, or if one takes that of another", () => {
    const swap = {
      "aws_lb_listener_rule.A": rule(["update"], 10, 20),
      "aws_lb_listener_rule.B": rule(["update"], 20, 10),
    };
    expect(findings(swap)).toEqual(["update aws_lb_listener_rule.A", "update aws_lb_listener_rule.B"]);
    const moved = {
      "aws_lb_listener_rule.A": rule(["delete"], 10),
      "aws_lb_listener_rule.B": rule(["create"], undefined, 10),
    };
    expect(findings(moved)).toEqual(["delete aws_lb_listener_rule.A"]);
    expect(findings(moved, { delete: ["aws_lb_listener_rule.A"] })).toEqual([]);
    expect(describeVerdict(judgePlan(plan(swap)))).toContain(
      "aws_lb_listener_rule.B takes its priority 10 at the same time, which AWS refuses while it is in use",
    );
  });

  it("may change otherwise: to a free priority, on another listener, or in place", () => {
    expect(
      findings({
        "aws_lb_listener_rule.A": rule(["update"], 10, 30),
        "aws_lb_listener_rule.B": rule(["update"], 20, 20),
        "aws_lb_listener_rule.C": rule(["create"], undefined, 10, "arn:other"),
        "aws_lb_listener_rule.D": rule(["no-op"], 50, 50),
      }),
    ).toEqual([]);
  });
});

describe("the plan gate", () => {
  const PROTECTED = [
    "aws_autoscaling_group",
    "aws_cloudwatch_log_data_protection_policy",
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_log_subscription_filter",
    "aws_codeconnections_connection",
    "aws_cognito_user_pool",
    "aws_cognito_user_pool_client",
    "aws_cognito_user_pool_domain",
    "aws_db_instance",
    "aws_docdb_cluster",
    "aws_dynamodb_table",
    "aws_ecr_repository",
    "aws_ecs_capacity_provider",
    "aws_ecs_cluster",
    "aws_ecs_service",
    "aws_efs_file_system",
    "aws_egress_only_internet_gateway",
    "aws_eip",
    "aws_elasticache_cluster",
    "aws_elasticache_replication_group",
    "aws_elasticache_serverless_cache",
    "aws_elasticache_user",
    "aws_elasticache_user_group",
    "aws_iam_openid_connect_provider",
    "aws_internet_gateway",
    "aws_kinesis_firehose_delivery_stream",
    "aws_kinesis_stream",
    "aws_kms_key",
    "aws_lb",
    "aws_lb_listener",
    "aws_lb_target_group",
    "aws_nat_gateway",
    "aws_opensearch_domain",
    "aws_rds_cluster",
    "aws_rds_cluster_instance",
    "aws_rds_global_cluster",
    "aws_route53_zone",
    "aws_route_table_association",
    "aws_s3_bucket",
    "aws_s3_bucket_logging",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_versioning",
    "aws_secretsmanager_secret",
    "aws_service_discovery_http_namespace",
    "aws_service_discovery_private_dns_namespace",
    "aws_service_discovery_service",
    "aws_sns_topic",
    "aws_sns_topic_subscription",
    "aws_sqs_queue",
    "aws_subnet",
    "aws_vpc",
    "aws_wafv2_web_acl",
    "aws_wafv2_web_acl_association",
    "aws_wafv2_web_acl_logging_configuration",
  ];
  /** Types that can be made again as they were, whose loss shows in a type above, or that AWS refuses to delete while in use. */
  const UNPROTECTED = [
    "aws_acm_certificate_validation",
    "aws_appautoscaling_policy",
    "aws_appautoscaling_scheduled_action",
    "aws_appautoscaling_target",
    "aws_autoscaling_lifecycle_hook",
    "aws_autoscaling_policy",
    "aws_autoscaling_schedule",
    "aws_chatbot_slack_channel_configuration",
    "aws_cloudwatch_composite_alarm",
    "aws_cloudwatch_dashboard",
    "aws_cloudwatch_event_target",
    "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_log_resource_policy",
    "aws_cloudwatch_log_stream",
    "aws_cloudwatch_query_definition",
    "aws_codedeploy_app",
    "aws_codedeploy_deployment_config",
    "aws_db_subnet_group",
    "aws_default_security_group",
    "aws_ecs_cluster_capacity_providers",
    "aws_ecs_task_definition",
    "aws_elasticache_subnet_group",
    "aws_fis_experiment_template",
    "aws_iam_instance_profile",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_lambda_function",
    "aws_lambda_function_event_invoke_config",
    "aws_lambda_permission",
    "aws_route_table",
    "aws_s3_bucket_metric",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_sns_topic_policy",
  ];
  /** A new one can be made before the old one goes, without harm. */
  const EXCHANGED = ["aws_lb_listener_certificate", "aws_vpc_endpoint"];

  it("protects these types, and no other type of the provider", () => {
    const provider = join(dirname(require.resolve("@cdktf/provider-aws/package.json")), "lib");
    const types = readdirSync(provider).map((name) => `aws_${name.replaceAll("-", "_")}`);
    expect(types.length).toBeGreaterThan(1_000);
    const deletions = Object.fromEntries(types.map((type) => [`${type}.A`, ["delete"]]));
    expect(
      judgePlan(plan(deletions))
        .refused.map(({ address }) => address)
        .sort(),
    ).toEqual([...PROTECTED, ...EXCHANGED, "aws_flow_log", "aws_scheduler_schedule"].sort().map((type) => `${type}.A`));
  });

  it("leaves only these types of our constructs unprotected", () => {
    const unprotected = Object.keys(PROVIDER_CALLS)
      .map((type) => `aws_${type}`)
      .filter((type) => !Object.hasOwn(TABLE, type) && !Object.hasOwn(SECURITY_GROUP_RULES, type));
    expect(unprotected).toEqual(UNPROTECTED);
  });

  it.each(["aws_flow_log", "aws_scheduler_schedule"])("refuses to delete %s, which may be replaced", (type) => {
    expect(findings({ [`${type}.A`]: ["delete"] })).toEqual([`delete ${type}.A`]);
    expect(findings({ [`${type}.A`]: ["delete", "create"] })).toEqual([]);
  });

  it("refuses to replace a certificate by one that covers fewer hosts", () => {
    const replaced = (before: object, after: object) =>
      findings({ "aws_acm_certificate.A": { actions: ["create", "delete"], before, after } });
    const names = (domain_name: string, ...subject_alternative_names: string[]) => ({
      domain_name,
      subject_alternative_names,
    });
    const refused = ["replace aws_acm_certificate.A"];
    expect(replaced(names("shop.example.com"), names("market.example.com"))).toEqual(refused);
    expect(replaced(names("a.example.com", "b.example.com"), { domain_name: "a.example.com" })).toEqual(refused);
    expect(replaced(names("a.b.example.com"), names("*.example.com"))).toEqual(refused);
    expect(replaced(names("*.example.com"), names("a.example.com"))).toEqual(refused);
    expect(replaced(names("a.example.com"), names("a.example.com", "b.example.com"))).toEqual([]);
    expect(replaced(names("a.example.com", "example.com"), names("*.example.com", "example.com"))).toEqual([]);
    expect(findings({ "aws_acm_certificate.A": { actions: ["delete"], before: names("a.example.com") } })).toEqual([]);
  });

  it("refuses to replace a role, which may be deleted", () => {
    for (const actions of [
      ["delete", "create"],
      ["create", "delete"],
    ]) {
      expect(findings({ "aws_iam_role.A": actions })).toEqual(["replace aws_iam_role.A"]);
    }
    expect(findings({ "aws_iam_role.A": ["delete"] })).toEqual([]);
  });

  it("explains that a zone moves its subnets", () => {
    const change = {
      actions: ["delete", "create"],
      before: { availability_zone: "eu-central-1b" },
      after: { availability_zone: "eu-central-1a" },
      replace_paths: [["availability_zone"]],
    };
    const [finding] = judgePlan(plan({ "aws_subnet.A": change })).refused;
    expect(finding?.because).toEqual([expect.stringContaining("add a zone at the end")]);
  });

  it.each(PROTECTED)("refuses to delete or replace %s, in any order", (type) => {
    expect(findings({ [`${type}.A`]: ["delete"] })).toEqual([`delete ${type}.A`]);
    expect(findings({ [`${type}.A`]: ["delete", "create"] })).toEqual([`replace ${type}.A`]);
    expect(findings({ [`${type}.A`]: ["create", "delete"] })).toEqual([`replace ${type}.A`]);
  });

  it.each(EXCHANGED)("refuses to delete %s, or to replace it, unless the new one comes first", (type) => {
    expect(findings({ [`${type}.A`]: ["delete"] })).toEqual([`delete ${type}.A`]);
    expect(findings({ [`${type}.A`]: ["delete", "create"] })).toEqual([`replace ${type}.A`]);
    expect(findings({ [`${type}.A`]: ["create", "delete"] })).toEqual([]);
  });

  it("refuses to replace what may be deleted with what it belongs to", () => {
    for (const [type, both] of [
      ["aws_lb_listener_rule", true],
      ["aws_security_group", false],
    ] as const) {
      expect(findings({ [`${type}.A`]: ["delete"] })).toEqual([]);
      expect(findings({ [`${type}.A`]: ["delete", "create"] })).toEqual([`replace ${type}.A`]);
      expect(findings({ [`${type}.A`]: ["create", "delete"] })).toEqual(both ? [`replace ${type}.A`] : []);
    }
  });

  it("refuses to delete the only way out, and no other route", () => {
    const route = (before: object) => findings({ "aws_route.A": { actions: ["delete"], before } });
    expect(route({ destination_cidr_block: "0.0.0.0/0" })).toEqual(["delete aws_route.A"]);
    expect(route({ destination_ipv6_cidr_block: "::/0" })).toEqual(["delete aws_route.A"]);
    expect(route({ destination_cidr_block: "10.8.0.0/16" })).toEqual([]);
  });

  it("refuses to delete DNS records of hosts, and none that proves a domain", () => {
    const record = (type: string) => findings({ "aws_route53_record.A": { actions: ["delete"], before: { type } } });
    expect(record("A")).toEqual(["delete aws_route53_record.A"]);
    expect(record("AAAA")).toEqual(["delete aws_route53_record.A"]);
    expect(record("CNAME")).toEqual([]);
  });

  it.each([[["no-op"]], [["create"]], [["update"]], [["read"]], [["forget"]]])(
    "allows %j of protected resources",
    (actions) => {
      expect(findings(Object.fromEntries(PROTECTED.map((type) => [`${type}.A`, actions])))).toEqual([]);
    },
  );

  describe("rules of security groups", () => {
    const rule = (port: number, more: object = {}) => ({
      security_group_id: "sg-1",
      referenced_security_group_id: "sg-2",
      ip_protocol: "tcp",
      from_port: port,
      to_port: port,
      description: "x",
      ...more,
    });
    const INGRESS = "aws_vpc_security_group_ingress_rule";

    it("are refused where one closes in place", () => {
      expect(findings({ [`${INGRESS}.A`]: { actions: ["update"], before: rule(3000), after: rule(3001) } })).toEqual([
        `update ${INGRESS}.A`,
      ]);
      expect(
        findings({
          [`${INGRESS}.A`]: { actions: ["update"], before: rule(3000), after: rule(3000, { description: "y" }) },
        }),
      ).toEqual([]);
    });

    it("are refused where one is closed before its successor opens", () => {
      const replaced = { before: rule(3000), after: rule(3001) };
      expect(findings({ [`${INGRESS}.A`]: { actions: ["delete", "create"], ...replaced } })).toEqual([
        `replace ${INGRESS}.A`,
      ]);
      expect(findings({ [`${INGRESS}.A`]: { actions: ["create", "delete"], ...replaced } })).toEqual([]);
      const closed = { actions: ["delete"], before: rule(3000), after: null };
      const opened = { actions: ["create"], before: null, after: rule(3001) };
      expect(findings({ [`${INGRESS}.A`]: closed, [`${INGRESS}.B`]: opened })).toEqual([`delete ${INGRESS}.A`]);
    });

    it("pass where one is closed for good, or another one opens for others", () => {
      const closed = { actions: ["delete"], before: rule(3000), after: null };
      expect(findings({ [`${INGRESS}.A`]: closed })).toEqual([]);
      const others = { actions: ["create"], before: null, after: rule(3000, { referenced_security_group_id: "sg-3" }) };
      expect(findings({ [`${INGRESS}.A`]: closed, [`${INGRESS}.B`]: others })).toEqual([]);
    });
  });

  describe("another region", () => {
    const moved = (region: string | undefined, arn: string, type = "aws_db_instance"): TerraformPlan => ({
      ...plan({ [`${type}.A`]: { actions: ["create"], before: null, after: {} } }),
      resource_drift: [{ address: `${type}.A`, change: { actions: ["delete"], before: { arn }, after: null } }],
      configuration: { provider_config: { aws: { expressions: { region: { constant_value: region as string } } } } },
    });
    const ARN = "arn:aws:rds:eu-central-1:123456789012:db:a";

    it("is refused for what stays behind", () => {
      const verdict = judgePlan(moved("eu-west-1", ARN));
      expect(verdict.refused).toMatchObject([
        { action: "replace", because: ['region: "eu-central-1" -> "eu-west-1"'] },
      ]);
      expect(describeVerdict(verdict)).toMatch(/it stays in eu-central-1, billed[\s\S]*instead: keep the region/);
    });

    it("is not seen where a resource was deleted by hand, is global, or holds nothing", () => {
      expect(judgePlan(moved("eu-central-1", ARN)).refused).toEqual([]);
      expect(judgePlan(moved("eu-west-1", "arn:aws:iam::123456789012:role/a", "aws_ecs_service")).refused).toEqual([]);
      expect(judgePlan(moved("eu-west-1", ARN, "aws_appautoscaling_policy")).refused).toEqual([]);
      expect(judgePlan(moved(undefined, ARN)).refused).toEqual([]);
    });
  });

  it("explains why another strategy replaces a service", () => {
    const change = (before: string, after: string) => ({
      actions: ["delete", "create"],
      before: { deployment_controller: [{ type: before }] },
      after: { deployment_controller: [{ type: after }] },
      replace_paths: [["deployment_controller", 0, "type"]],
    });
    const verdict = judgePlan(plan({ "aws_ecs_service.Orders": change("ECS", "CODE_DEPLOY") }));
    expect(describeVerdict(verdict)).toContain(
      'deployment_controller.0.type: "ECS" -> "CODE_DEPLOY" (a service keeps its deployment controller: codeDeploy(...)',
    );
  });

  it.each(["aws_db_instance", "aws_rds_cluster", "aws_elasticache_replication_group"])(
    "explains why another key replaces %s",
    (type) => {
      const change = {
        actions: ["delete", "create"],
        before: { kms_key_id: "arn:aws:kms:eu-central-1:123456789012:key/aws" },
        after: {},
        after_unknown: { kms_key_id: true },
        replace_paths: [["kms_key_id"]],
      };
      expect(describeVerdict(judgePlan(plan({ [`${type}.A`]: change })))).toContain(
        '(known after apply) (data keeps the KMS key it was created with: set encryption: "aws-managed"',
      );
    },
  );

  it("allows deleting unprotected resources", () => {
    expect(findings({ "aws_iam_role.A": ["delete"], "aws_appautoscaling_policy.B": ["delete", "create"] })).toEqual([]);
  });

  it("allows by action and address, also in modules and sets", () => {
    const changes = { 'module.x.aws_ecs_service.A["b"]': ["delete"], "aws_ecs_service.B": ["delete", "create"] };
    const typed = {
      resource_changes: plan(changes).resource_changes.map((each) => ({ ...each, type: "aws_ecs_service" })),
    };
    const judge = (allowed: Parameters<typeof judgePlan>[1]) =>
      judgePlan(typed, allowed).refused.map(({ address }) => address);
    expect(judge({ delete: ['module.x.aws_ecs_service.A["b"]'], replace: ["aws_ecs_service.B"] })).toEqual([]);
    expect(judge({ delete: ["aws_ecs_service.B"], replace: ['module.x.aws_ecs_service.A["b"]'] })).toHaveLength(2);
    expect(judge({ delete: ["aws_ecs_service"], replace: ["*"] })).toHaveLength(2);
  });

  it("reports allowances that the plan does not need", () => {
    const { unused } = judgePlan(plan({ "aws_ecs_service.A": ["update"] }), {
      delete: ["aws_ecs_service.A"],
      replace: [],
    });
    expect(unused).toEqual(["--allow-delete aws_ecs_service.A"]);
  });

  it("explains downtime, the reason, and how to allow it; and shows no sensitive value", () => {
    const change: Change = {
      actions: ["delete", "create"],
      before: { storage_encrypted: false, master_password: "hunter2", name: "a" },
      after: { storage_encrypted: true, master_password: "hunter3" },
      before_sensitive: { master_password: true },
      after_sensitive: {},
      after_unknown: { name: true },
      replace_paths: [["storage_encrypted"], ["master_password"], ["name"]],
    };
    const text = describeVerdict(judgePlan(plan({ "aws_rds_cluster.Orders": change })));
    expect(text).toContain("aws_rds_cluster.Orders  (database, replaced: all of its data is lost)");
    expect(text).toContain("because storage_encrypted: false -> true");
    expect(text).toContain("because master_password: (sensitive)");
    expect(text).toContain('because name: "a" -> (known after apply)');
    expect(text).toContain("--allow-replace 'aws_rds_cluster.Orders'");
    expect(text).not.toContain("hunter");
  });

  it("explains the replacement of a service and of a target group, by the order of creation and deletion", () => {
    const effect = (type: string, actions: string[]) => judgePlan(plan({ [`${type}.A`]: actions })).refused[0]?.effect;
    expect(effect("aws_ecs_service", ["delete", "create"])).toMatch(/outage/);
    expect(effect("aws_lb_target_group", ["create", "delete"])).toMatch(/some requests fail/);
    expect(effect("aws_lb_target_group", ["delete", "create"])).toMatch(/gets no requests/);
  });

  it("takes no data source for a resource", () => {
    const changes = [{ mode: "data", address: "data.aws_ecs_service.A", change: { actions: ["read"] } }];
    const text = JSON.stringify({ format_version: "1.2", planned_values: {}, resource_changes: changes });
    expect(readPlan(text).resource_changes).toEqual([]);
  });

  it.each([
    ["no JSON", "terraform", /is not JSON/],
    ["a state", '{"format_version":"1.0","values":{}}', /is not a plan/],
    ["an empty object", "{}", /is not a plan/],
    ["null", "null", /is not a plan/],
    ["a format of the future", '{"format_version":"2.0","planned_values":{}}', /has format 2.0/],
    ["a plan that failed", '{"format_version":"1.2","planned_values":{},"errored":true}', /failed/],
  ])("does not accept %s as an empty plan", (_, text, message) => {
    expect(() => readPlan(text)).toThrow(message);
  });
});

describe("antifragile plan-gate", () => {
  async function gate(args: readonly string[], content = plan({ "aws_ecs_service.A": ["delete"] })) {
    const file = join(mkdtempSync(join(tmpdir(), "antifragile-gate-")), "plan.json");
    writeFileSync(file, JSON.stringify({ format_version: "1.2", planned_values: {}, ...content }));
    const printed: string[] = [];
    const words = args.map((word) => (word === "FILE" ? file : word));
    const print = (text: string) => printed.push(text);
    const code = await exitCodeOf(() => runPlanGate({ args: words, cwd: ".", print }), printed);
    return { code, text: printed.join("") };
  }

  it("exits with 3 for a refusal, with 0 if everything is allowed or harmless, with 2 for an unneeded allowance", async () => {
    expect(await gate(["FILE"])).toMatchObject({
      code: 3,
      text: expect.stringContaining("--allow-delete 'aws_ecs_service.A'"),
    });
    expect(await gate(["FILE", "--allow-delete", "aws_ecs_service.A"])).toMatchObject({ code: 0 });
    expect(await gate(["FILE"], plan({}))).toMatchObject({
      code: 0,
      text: expect.stringContaining("no protected resources"),
    });
    expect(await gate(["FILE", "--allow-replace", "aws_ecs_service.B"], plan({}))).toMatchObject({ code: 2 });
  });

  it("exits with 3 for an allowed deletion that AWS refuses, and shows the command that turns its protection off", async () => {
    const deletion = { actions: ["delete"], before: { identifier: "a", deletion_protection: true } };
    const content = plan({ "aws_db_instance.A": deletion });
    expect(await gate(["FILE", "--allow-delete", "aws_db_instance.A"], content)).toMatchObject({
      code: 3,
      text: expect.stringContaining("aws rds modify-db-instance --db-instance-identifier a --no-deletion-protection"),
    });
  });

  it("refuses invalid arguments, with its usage", async () => {
    expect(await gate([])).toMatchObject({ code: 2, text: expect.stringContaining("<plan.json>: is missing") });
    expect(await gate(["FILE", "FILE"])).toMatchObject({ code: 2 });
    expect(await gate(["FILE", "--allow-everything"])).toMatchObject({
      code: 2,
      text: expect.stringContaining("--allow-everything"),
    });
    expect(await gate(["/nowhere/plan.json"])).toMatchObject({
      code: 2,
      text: expect.stringContaining("does not exist"),
    });
    expect(await gate(["--help"])).toMatchObject({ code: 0, text: expect.stringContaining("Usage") });
  });
});
