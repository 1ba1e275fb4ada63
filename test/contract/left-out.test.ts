import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { TerraformStack, Testing } from "cdktf";
import { describe, expect, it } from "vitest";
import type { App } from "../../constructs";
import { COMBINATIONS } from "../support/engines";
import { addChanging } from "./support/changing";
import COMPUTED from "./support/computed-settings.json";
import { everything } from "./support/everything";

/**
 * Blocks that the provider ignores once a configuration leaves them out: they are computed, or suppressed, or its update sends
 * only those that are there. Attributes are listed in a file.
 */
const KEPT_BLOCKS = [
  "aws_cognito_user_pool.admin_create_user_config",
  "aws_cognito_user_pool.password_policy",
  "aws_dynamodb_table.point_in_time_recovery",
  "aws_dynamodb_table.server_side_encryption",
  "aws_dynamodb_table.ttl",
  "aws_ecs_cluster.configuration",
  "aws_ecs_cluster.service_connect_defaults",
  "aws_ecs_cluster.setting",
  "aws_launch_template.metadata_options",
  "aws_lb.access_logs",
  "aws_lb.connection_logs",
  "aws_lb_listener.mutual_authentication",
  "aws_lb_target_group.health_check",
  "aws_lb_target_group.stickiness",
];

/** Attributes that one version of a resource sets and another one leaves out, by the reason why this does no harm. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  "data keeps the key that it was created with, and the plan gate refuses to delete that key": [
    "aws_db_instance.kms_key_id",
    "aws_db_instance.performance_insights_kms_key_id",
    "aws_rds_cluster.kms_key_id",
    "aws_rds_cluster_instance.performance_insights_kms_key_id",
  ],
  "has no effect once monitoring is off": [
    "aws_db_instance.monitoring_role_arn",
    "aws_db_instance.performance_insights_retention_period",
    "aws_rds_cluster_instance.monitoring_role_arn",
    "aws_rds_cluster_instance.performance_insights_retention_period",
  ],
};

type Resources = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

/** Resources of an app, by stack, type and id. */
function resourcesOf(app: App): Map<string, Readonly<Record<string, unknown>>> {
  const stacks = app.node.findAll().filter((node): node is TerraformStack => TerraformStack.isStack(node));
  return new Map(
    stacks.flatMap((stack) => {
      stack.prepareStack();
      const { resource = {} } = JSON.parse(Testing.synth(stack)) as { resource?: Resources };
      return Object.entries(resource).flatMap(([type, byId]) =>
        Object.entries(byId).map(([id, block]) => [`${stack.node.id} ${type} ${id}`, block] as const),
      );
    }),
  );
}

/** Settings of a type that the provider keeps. */
function keptSettings(type: string): string[] {
  const attributes: Readonly<Record<string, readonly string[]>> = COMPUTED.attributes;
  const blocks = KEPT_BLOCKS.filter((each) => each.startsWith(`${type}.`)).map((each) => each.slice(type.length + 1));
  return [...(attributes[type] ?? []), ...blocks];
}

describe("a setting that the provider keeps when a configuration leaves it out", () => {
  it("is left out in every version of a resource, or in none, unless a reason says why not", () => {
    const versions = ([0, 1] as const).map((version) =>
      resourcesOf(
        everything(
          version === 0 ? "dev" : "production",
          undefined,
          { more: (platform) => addChanging(platform, version) },
          version === 0 ? undefined : "customer-managed",
        ),
      ),
    );
    const found = new Set<string>();
    for (const address of new Set(versions.flatMap((each) => [...each.keys()]))) {
      const [, type = ""] = address.split(" ");
      if (!type.startsWith("aws_")) continue;
      const blocks = versions.map((each) => each.get(address)).filter((block) => block !== undefined);
      for (const name of keptSettings(type)) {
        const set = blocks.filter((block) => block[name] !== undefined);
        if (set.length > 0 && set.length < blocks.length) found.add(`${type}.${name}`);
      }
    }
    expect([...found].sort()).toEqual(Object.values(LEFT_OUT).flat().sort());
  });

  it("is known for the version of the provider, and exists in it", () => {
    // The attributes of `terraform providers schema -json` that are both optional and computed.
    expect(COMPUTED.provider).toBe(COMBINATIONS["cdktf with provider 5"].provider);
    const lib = join(dirname(require.resolve("@cdktf/provider-aws/package.json")), "lib");
    for (const each of KEPT_BLOCKS) {
      const [type = "", name] = each.split(".");
      const source = readFileSync(join(lib, type.slice(4).replaceAll("_", "-"), "index.js"), "utf8");
      expect(source).toContain(`// ${name} - computed: false, optional: true`);
    }
  });
});
