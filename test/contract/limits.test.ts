import { TerraformStack, Testing } from "cdktf";
import { describe, expect, it } from "vitest";
import { partsOf } from "../../constructs/core/limits";
import { TEXT_LIMITS } from "../../constructs/core/text-limits";
import { TOTALS } from "../../constructs/core/totals";
import { everything } from "./support/everything";

/** Attributes that hold names, descriptions and other texts, which may come from a user. */
const TEXT =
  /(^|[._])(name|name_prefix|bucket_prefix|identifier|description|family|namespace|prefix|pattern|url|path|domain|metadata|expression|rule|(replication_group|user|user_group|resource|client)_id)$/;

/** Attributes without a limit, by the reason. */
const WITHOUT_LIMIT: Readonly<Record<string, readonly string[]>> = {
  "a constant of the constructs": [
    "aws_appautoscaling_target.service_namespace",
    "aws_codebuild_project.environment.environment_variable.name",
    "aws_codebuild_project.logs_config.cloudwatch_logs.stream_name",
    "aws_codepipeline.stage.action.namespace",
    "aws_codepipeline.variable.name",
    "aws_cognito_user_pool.account_recovery_setting.recovery_mechanism.name",
    "aws_db_instance.ca_cert_identifier",
    "aws_db_parameter_group.description",
    "aws_db_parameter_group.family",
    "aws_db_parameter_group.parameter.name",
    "aws_db_subnet_group.description",
    "aws_ecs_cluster.setting.name",
    "aws_ecs_task_definition.runtime_platform.operating_system_family",
    "aws_eip.domain",
    "aws_elasticache_subnet_group.description",
    "aws_iam_openid_connect_provider.url",
    "aws_kinesis_firehose_delivery_stream.extended_s3_configuration.processing_configuration.processors.parameters.parameter_name",
    "aws_launch_template.block_device_mappings.device_name",
    "aws_rds_cluster_instance.ca_cert_identifier",
    "aws_rds_cluster_parameter_group.description",
    "aws_rds_cluster_parameter_group.family",
    "aws_rds_cluster_parameter_group.parameter.name",
    "aws_s3_bucket_metric.name",
    "aws_vpc_endpoint.service_name",
    "aws_wafv2_web_acl.rule.statement.managed_rule_group_statement.name",
    "aws_wafv2_web_acl.rule.statement.managed_rule_group_statement.vendor_name",
    "aws_wafv2_web_acl_logging_configuration.redacted_fields.single_header.name",
  ],
  "AWS states no limit, and the text is a name of a stack or a service after a constant": [
    "aws_cloudwatch_log_resource_policy.policy_name",
    "aws_elasticache_replication_group.description",
    "aws_lb_listener_rule.action.authenticate_cognito.session_cookie_name",
    "aws_lb_listener_rule.action.authenticate_oidc.session_cookie_name",
  ],
  "checked where the prop enters": ["aws_lb_listener_rule.action.authenticate_oidc.client_id"],
  "the name of a service, which is checked in its own attribute": ["aws_ecs_service.load_balancer.container_name"],
};

/** Attributes of all resources whose value is text, at least in part, with an example. */
function textsIn(stacks: readonly TerraformStack[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (field: string, value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) visit(field, each);
    else if (typeof value === "object" && value !== null) {
      for (const [key, each] of Object.entries(value)) if (key !== "//") visit(`${field}.${key}`, each);
    } else if (typeof value === "string" && partsOf(value).some((part) => "text" in part)) found.set(field, value);
  };
  for (const stack of stacks) {
    const { resource = {} } = JSON.parse(Testing.synth(stack)) as { resource?: Record<string, Record<string, object>> };
    for (const [type, byId] of Object.entries(resource)) for (const block of Object.values(byId)) visit(type, block);
  }
  return found;
}

describe("limits of AWS", () => {
  it("have a row for each text that constructs write, unless a reason says why not", () => {
    const limited = TEXT_LIMITS.flatMap(({ fields }) => fields);
    const texts = [
      ...textsIn(
        ["dev", "production", "strict"].flatMap((profile) =>
          everything(profile as "dev")
            .node.findAll()
            .filter((node): node is TerraformStack => TerraformStack.isStack(node)),
        ),
      ),
    ];
    const inTable = (field: string) =>
      limited.some((limit) => new RegExp(`^${limit.replaceAll("*", "[^.]+")}$`).test(field));
    const without = texts
      .map(([field]) => field)
      .filter((field) => TEXT.test(field) && !field.includes(".tags.") && !field.includes(".dimensions."))
      .filter((field) => !inTable(field));
    expect(without.sort()).toEqual(Object.values(WITHOUT_LIMIT).flat().sort());
  });

  it("have one row for each attribute, and for each total", () => {
    const rows = [
      ...TEXT_LIMITS.flatMap(({ fields }) => fields),
      ...TOTALS.map(({ type, attribute = "", per }) => `${type} ${attribute} ${per}`),
    ];
    expect(rows.filter((row, index) => rows.indexOf(row) !== index)).toEqual([]);
  });
});
