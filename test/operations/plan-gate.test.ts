import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeVerdict, judgePlan, readPlan, type TerraformPlan } from "../../operations/plan-gate";
import { runPlanGate } from "../../operations/plan-gate-command";
import { exitCodeOf } from "../support/exit-code";

type Change = TerraformPlan["resource_changes"][number]["change"];

/** A plan of changes, as `address: actions`. */
function plan(changes: Readonly<Record<string, readonly string[] | Change>>): TerraformPlan {
  return {
    resource_changes: Object.entries(changes).map(([address, change]) => ({
      address,
      type: address.split(".")[0] as string,
      change: "actions" in change ? change : { actions: change },
    })),
  };
}

const findings = (changes: Parameters<typeof plan>[0], allowances?: Parameters<typeof judgePlan>[1]) =>
  judgePlan(plan(changes), allowances).refused.map(({ action, address }) => `${action} ${address}`);

describe("the plan gate", () => {
  const PROTECTED = [
    "aws_cloudwatch_log_group",
    "aws_cognito_user_pool",
    "aws_db_instance",
    "aws_docdb_cluster",
    "aws_dynamodb_table",
    "aws_ecr_repository",
    "aws_ecs_cluster",
    "aws_ecs_service",
    "aws_efs_file_system",
    "aws_elasticache_cluster",
    "aws_elasticache_replication_group",
    "aws_elasticache_serverless_cache",
    "aws_kms_key",
    "aws_lb",
    "aws_lb_listener",
    "aws_lb_target_group",
    "aws_opensearch_domain",
    "aws_rds_cluster",
    "aws_rds_cluster_instance",
    "aws_rds_global_cluster",
    "aws_route53_zone",
    "aws_s3_bucket",
    "aws_secretsmanager_secret",
    "aws_service_discovery_http_namespace",
    "aws_service_discovery_private_dns_namespace",
    "aws_service_discovery_service",
    "aws_sqs_queue",
    "aws_vpc",
  ];

  it("protects these types, and no other type of the provider", () => {
    const provider = join(dirname(require.resolve("@cdktf/provider-aws/package.json")), "lib");
    const types = readdirSync(provider).map((name) => `aws_${name.replaceAll("-", "_")}`);
    expect(types.length).toBeGreaterThan(1_000);
    const deletions = Object.fromEntries(types.map((type) => [`${type}.A`, ["delete"]]));
    expect(
      judgePlan(plan(deletions))
        .refused.map(({ address }) => address)
        .sort(),
    ).toEqual(PROTECTED.map((type) => `${type}.A`));
  });

  it.each(PROTECTED)("refuses to delete or replace %s, in any order", (type) => {
    expect(findings({ [`${type}.A`]: ["delete"] })).toEqual([`delete ${type}.A`]);
    expect(findings({ [`${type}.A`]: ["delete", "create"] })).toEqual([`replace ${type}.A`]);
    expect(findings({ [`${type}.A`]: ["create", "delete"] })).toEqual([`replace ${type}.A`]);
  });

  it.each([[["no-op"]], [["create"]], [["update"]], [["read"]], [["forget"]]])(
    "allows %j of protected resources",
    (actions) => {
      expect(findings(Object.fromEntries(PROTECTED.map((type) => [`${type}.A`, actions])))).toEqual([]);
    },
  );

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
