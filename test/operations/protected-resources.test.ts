import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeVerdict, judgePlan } from "../../operations/plan-gate";
import { PROTECTED as TABLE } from "../../operations/protected-resources";
import { plan } from "./support/plan";

const findings = (changes: Parameters<typeof plan>[0]) =>
  judgePlan(plan(changes)).refused.map(({ action, address }) => `${action} ${address}`);

describe("changes in place", () => {
  /** Type, values before, values after, the path, and words of the effect. */
  type Row = [type: string, before: object, after: object, path: string, effect: RegExp];
  const HARMFUL: readonly Row[] = [
    ["aws_db_instance", { engine_version: "17.4" }, { engine_version: "16" }, "engine_version", /does not downgrade/],
    [
      "aws_db_instance",
      { engine_version: "16.10" },
      { engine_version: "16.9" },
      "engine_version",
      /does not downgrade/,
    ],
    [
      "aws_ssm_parameter",
      { name: "/antifragile/dev/shop/services/orders", insecure_value: '{"port":3000,"url":"http://orders:3000"}' },
      { name: "/antifragile/dev/shop/services/orders", insecure_value: '{"port":3001,"url":"http://orders:3001"}' },
      "insecure_value",
      /callers that are deployed from now on/,
    ],
    ["aws_rds_cluster", { engine_version: "17" }, { engine_version: "16.4" }, "engine_version", /does not downgrade/],
    [
      "aws_elasticache_replication_group",
      { engine_version: "8.0" },
      { engine_version: "7.2" },
      "engine_version",
      /not downgrade/,
    ],
    [
      "aws_db_instance",
      { deletion_protection: true },
      { deletion_protection: false },
      "deletion_protection",
      /protection/,
    ],
    ["aws_rds_cluster", { deletion_protection: true }, {}, "deletion_protection", /protection/],
    [
      "aws_lb",
      { enable_deletion_protection: true },
      { enable_deletion_protection: false },
      "enable_deletion_protection",
      /protection/,
    ],
    [
      "aws_dynamodb_table",
      { deletion_protection_enabled: true },
      { deletion_protection_enabled: false },
      "deletion_protection_enabled",
      /protection/,
    ],
    [
      "aws_cognito_user_pool",
      { deletion_protection: "ACTIVE" },
      { deletion_protection: "INACTIVE" },
      "deletion_protection",
      /protection/,
    ],
    [
      "aws_db_instance",
      { backup_retention_period: 14 },
      { backup_retention_period: 1 },
      "backup_retention_period",
      /backups/,
    ],
    [
      "aws_db_instance",
      { backup_retention_period: 14 },
      { backup_retention_period: null },
      "backup_retention_period",
      /backups/,
    ],
    [
      "aws_db_instance",
      { skip_final_snapshot: false },
      { skip_final_snapshot: true },
      "skip_final_snapshot",
      /final snapshot/,
    ],
    ["aws_db_instance", { multi_az: true }, { multi_az: false }, "multi_az", /standby/],
    ["aws_db_instance", { allocated_storage: 100 }, { allocated_storage: 20 }, "allocated_storage", /shrink/],
    [
      "aws_rds_cluster_instance",
      { publicly_accessible: false },
      { publicly_accessible: true },
      "publicly_accessible",
      /internet/,
    ],
    [
      "aws_elasticache_replication_group",
      { snapshot_retention_limit: 7 },
      { snapshot_retention_limit: 0 },
      "snapshot_retention_limit",
      /backups/,
    ],
    [
      "aws_elasticache_replication_group",
      { automatic_failover_enabled: true },
      { automatic_failover_enabled: false },
      "automatic_failover_enabled",
      /takes over/,
    ],
    [
      "aws_dynamodb_table",
      { point_in_time_recovery: [{ enabled: true }] },
      { point_in_time_recovery: [{ enabled: false }] },
      "point_in_time_recovery.0.enabled",
      /backups/,
    ],
    ["aws_cloudwatch_log_group", { retention_in_days: 365 }, { retention_in_days: 30 }, "retention_in_days", /lines/],
    ["aws_cloudwatch_log_group", { retention_in_days: 0 }, { retention_in_days: 30 }, "retention_in_days", /lines/],
    ["aws_s3_bucket", { force_destroy: false }, { force_destroy: true }, "force_destroy", /objects/],
    [
      "aws_s3_bucket_versioning",
      { versioning_configuration: [{ status: "Enabled" }] },
      { versioning_configuration: [{ status: "Suspended" }] },
      "versioning_configuration.0.status",
      /restored/,
    ],
    [
      "aws_s3_bucket_lifecycle_configuration",
      { rule: [{ expiration: [{ days: 365 }] }] },
      { rule: [{ expiration: [{ days: 30 }] }] },
      "rule.0.expiration.0.days",
      /deleted/,
    ],
    [
      "aws_s3_bucket_public_access_block",
      { block_public_policy: true },
      { block_public_policy: false },
      "block_public_policy",
      /public/,
    ],
    [
      "aws_sqs_queue",
      { message_retention_seconds: 1209600 },
      { message_retention_seconds: 60 },
      "message_retention_seconds",
      /messages/,
    ],
    ["aws_sqs_queue", { redrive_policy: "{}" }, { redrive_policy: "" }, "redrive_policy", /dead-letter/],
    ["aws_kinesis_stream", { retention_period: 168 }, { retention_period: 24 }, "retention_period", /records/],
    ["aws_ecr_repository", { force_delete: false }, { force_delete: true }, "force_delete", /images/],
    ["aws_kms_key", { is_enabled: true }, { is_enabled: false }, "is_enabled", /cannot be read/],
    [
      "aws_secretsmanager_secret",
      { recovery_window_in_days: 30 },
      { recovery_window_in_days: 0 },
      "recovery_window_in_days",
      /restore/,
    ],
    ["aws_lb_listener", { certificate_arn: "a" }, { certificate_arn: "b" }, "certificate_arn", /TLS/],
    ["aws_lb_listener", { port: 80 }, { port: 8080 }, "port", /old port/],
    [
      "aws_lb_target_group",
      { health_check: [{ path: "/readyz" }] },
      { health_check: [{ path: "/healthz" }] },
      "health_check.0.path",
      /replaced/,
    ],
    [
      "aws_ecs_service",
      { task_definition: "a:1", load_balancer: [{ container_port: 3000 }] },
      { task_definition: "a:1", load_balancer: [{ container_port: 3001 }] },
      "load_balancer.0.container_port",
      /ECS refuses/,
    ],
    ...["aws_db_instance", "aws_rds_cluster"].map(
      (type): Row => [
        type,
        { delete_automated_backups: false },
        { delete_automated_backups: true },
        "delete_automated_backups",
        /backups too/,
      ],
    ),
    ...["aws_rds_cluster", "aws_docdb_cluster"].flatMap((type): Row[] => [
      [type, { backup_retention_period: 7 }, { backup_retention_period: 1 }, "backup_retention_period", /backups/],
      [type, { skip_final_snapshot: false }, { skip_final_snapshot: true }, "skip_final_snapshot", /final snapshot/],
    ]),
    ["aws_docdb_cluster", { engine_version: "5.0" }, { engine_version: "4.0" }, "engine_version", /does not downgrade/],
    [
      "aws_docdb_cluster",
      { deletion_protection: true },
      { deletion_protection: false },
      "deletion_protection",
      /protection/,
    ],
    [
      "aws_db_instance",
      { publicly_accessible: false },
      { publicly_accessible: true },
      "publicly_accessible",
      /internet/,
    ],
    [
      "aws_elasticache_serverless_cache",
      { snapshot_retention_limit: 7 },
      { snapshot_retention_limit: 1 },
      "snapshot_retention_limit",
      /backups/,
    ],
    [
      "aws_elasticache_replication_group",
      { multi_az_enabled: true },
      { multi_az_enabled: false },
      "multi_az_enabled",
      /takes over/,
    ],
    [
      "aws_elasticache_replication_group",
      { transit_encryption_enabled: true },
      { transit_encryption_enabled: false },
      "transit_encryption_enabled",
      /connect/,
    ],
    [
      "aws_cognito_user_pool",
      { mfa_configuration: "ON" },
      { mfa_configuration: "OPTIONAL" },
      "mfa_configuration",
      /second factor/,
    ],
    [
      "aws_lb",
      { access_logs: [{ enabled: true }] },
      { access_logs: [{ enabled: false }] },
      "access_logs.0.enabled",
      /recorded/,
    ],
    [
      "aws_lb",
      { drop_invalid_header_fields: true },
      { drop_invalid_header_fields: false },
      "drop_invalid_header_fields",
      /headers/,
    ],
    ["aws_lb_listener", { protocol: "HTTPS" }, { protocol: "HTTP" }, "protocol", /protocol/],
    ...["port", "protocol", "matcher"].map(
      (name): Row => [
        "aws_lb_target_group",
        { health_check: [{ [name]: "1" }] },
        { health_check: [{ [name]: "2" }] },
        `health_check.0.${name}`,
        /replaced/,
      ],
    ),
    [
      "aws_s3_bucket_lifecycle_configuration",
      { rule: [{}, { noncurrent_version_expiration: [{ noncurrent_days: 90 }] }] },
      { rule: [{}, { noncurrent_version_expiration: [{ noncurrent_days: 7 }] }] },
      "rule.1.noncurrent_version_expiration.0.noncurrent_days",
      /deleted/,
    ],
    ...["block_public_acls", "ignore_public_acls", "restrict_public_buckets"].map(
      (name): Row => ["aws_s3_bucket_public_access_block", { [name]: true }, { [name]: false }, name, /public/],
    ),
    ["aws_kms_key", { enable_key_rotation: true }, { enable_key_rotation: false }, "enable_key_rotation", /material/],
    ["aws_kms_key", { deletion_window_in_days: 30 }, { deletion_window_in_days: 7 }, "deletion_window_in_days", /less/],
    ["aws_dynamodb_table", { ttl: [{ enabled: false }] }, { ttl: [{ enabled: true }] }, "ttl.0.enabled", /items/],
    [
      "aws_dynamodb_table",
      { ttl: [{ enabled: true, attribute_name: "a" }] },
      { ttl: [{ enabled: true, attribute_name: "b" }] },
      "ttl.0.attribute_name",
      /apply fails/,
    ],
    ["aws_cloudwatch_metric_alarm", { actions_enabled: true }, { actions_enabled: false }, "actions_enabled", /rolls/],
    [
      "aws_autoscaling_group",
      { max_size: 6, desired_capacity: 5 },
      { max_size: 3, desired_capacity: 3 },
      "max_size",
      /terminated/,
    ],
    [
      "aws_wafv2_web_acl",
      { rule: [{ action: [{ block: [{}], count: [] }] }, { override_action: [{ none: [{}], count: [] }] }] },
      { rule: [{ action: [{ block: [{}], count: [] }] }, { override_action: [{ none: [], count: [{}] }] }] },
      "rule",
      /reach the services/,
    ],
    ["aws_lb", { ip_address_type: "dualstack" }, { ip_address_type: "ipv4" }, "ip_address_type", /IPv6/],
    ["aws_lb_listener", { ssl_policy: "a" }, { ssl_policy: "b" }, "ssl_policy", /TLS/],
    ...(["aws_lb_listener default_action", "aws_lb_listener_rule action"] as const).map((both): Row => {
      const [type = "", path = ""] = both.split(" ");
      const forward = { type: "forward" };
      return [type, { [path]: [{ type: "authenticate-oidc" }, forward] }, { [path]: [forward] }, path, /sign-in/];
    }),
    [
      "aws_ecr_repository",
      { image_tag_mutability: "IMMUTABLE" },
      { image_tag_mutability: "MUTABLE" },
      "image_tag_mutability",
      /overwritten/,
    ],
    [
      "aws_ecr_lifecycle_policy",
      { policy: '{"rules":[{"selection":{"countNumber":1}},{"selection":{"countNumber":100}}]}' },
      { policy: '{"rules":[{"selection":{"countNumber":1}},{"selection":{"countNumber":10}}]}' },
      "policy",
      /rolled back/,
    ],
    [
      "aws_sqs_queue",
      { visibility_timeout_seconds: 300 },
      { visibility_timeout_seconds: 30 },
      "visibility_timeout_seconds",
      /again/,
    ],
    [
      "aws_sqs_queue",
      { sqs_managed_sse_enabled: true },
      { sqs_managed_sse_enabled: false },
      "sqs_managed_sse_enabled",
      /encrypt/,
    ],
    ["aws_sns_topic", { kms_master_key_id: "a" }, { kms_master_key_id: "" }, "kms_master_key_id", /encrypt/],
    ...["aws_db_instance", "aws_rds_cluster"].map(
      (type): Row => [
        type,
        { iam_database_authentication_enabled: true },
        { iam_database_authentication_enabled: false },
        "iam_database_authentication_enabled",
        /cannot connect/,
      ],
    ),
    ...["enable_dns_hostnames", "enable_dns_support"].map(
      (name): Row => ["aws_vpc", { [name]: true }, { [name]: false }, name, /names/],
    ),
    ["aws_vpc_endpoint", { private_dns_enabled: true }, { private_dns_enabled: false }, "private_dns_enabled", /names/],
    ["aws_iam_role", { permissions_boundary: "a" }, { permissions_boundary: "" }, "permissions_boundary", /limits/],
    [
      "aws_cloudwatch_log_data_protection_policy",
      { policy_document: '["arn:aws:dataprotection::aws:data-identifier/EmailAddress","...:data-identifier/Address"]' },
      { policy_document: '["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]' },
      "policy_document",
      /personal data/,
    ],
    [
      "aws_cognito_user_pool_client",
      { callback_urls: ["https://a", "https://b"] },
      { callback_urls: ["https://b"] },
      "callback_urls",
      /sign in/,
    ],
    [
      "aws_codedeploy_deployment_group",
      { auto_rollback_configuration: [{ enabled: true }] },
      { auto_rollback_configuration: [{ enabled: false }] },
      "auto_rollback_configuration.0.enabled",
      /rolled back/,
    ],
    [
      "aws_ecs_service",
      { deployment_circuit_breaker: [{ enable: true, rollback: true }] },
      { deployment_circuit_breaker: [{ enable: true, rollback: false }] },
      "deployment_circuit_breaker.0.rollback",
      /rolled back/,
    ],
    [
      "aws_ecs_cluster",
      { setting: [{ name: "containerInsights", value: "enabled" }] },
      { setting: [{ name: "containerInsights", value: "disabled" }] },
      "setting",
      /scale from zero/,
    ],
    [
      "aws_ecs_capacity_provider",
      { auto_scaling_group_provider: [{ managed_termination_protection: "ENABLED" }] },
      { auto_scaling_group_provider: [{ managed_termination_protection: "DISABLED" }] },
      "auto_scaling_group_provider.0.managed_termination_protection",
      /terminated/,
    ],
    [
      "aws_launch_template",
      { metadata_options: [{ http_tokens: "required" }] },
      { metadata_options: [{ http_tokens: "optional" }] },
      "metadata_options.0.http_tokens",
      /credentials/,
    ],
    ["aws_db_instance", { max_allocated_storage: 200 }, { max_allocated_storage: 0 }, "max_allocated_storage", /full/],
    ["aws_db_instance", { identifier: "a" }, { identifier: "b" }, "identifier", /cannot connect/],
    ["aws_db_instance", { port: 5432 }, { port: 5433 }, "port", /cannot connect/],
    ...["aws_db_parameter_group", "aws_rds_cluster_parameter_group"].map(
      (type): Row => [
        type,
        { parameter: [{ name: "rds.force_ssl", value: "1" }] },
        { parameter: [{ name: "rds.force_ssl", value: "0" }] },
        "parameter",
        /TLS/,
      ],
    ),
    ...[[], [{ name: "byDay", hash_key: "month" }]].map(
      (after): Row => [
        "aws_dynamodb_table",
        { global_secondary_index: [{ name: "byDay", hash_key: "day" }] },
        { global_secondary_index: after },
        "global_secondary_index",
        /queries/,
      ],
    ),
    [
      "aws_s3_bucket_lifecycle_configuration",
      { rule: [{ id: "a", status: "Enabled", noncurrent_version_expiration: [{ noncurrent_days: 30 }] }] },
      {
        rule: [
          { id: "a", status: "Enabled", noncurrent_version_expiration: [{ noncurrent_days: 30 }] },
          { id: "b", status: "Enabled", expiration: [{ days: 1 }] },
        ],
      },
      "rule",
      /deleted/,
    ],
    [
      "aws_s3_bucket_lifecycle_configuration",
      { rule: [{ status: "Disabled", expiration: [{ days: 1 }] }] },
      { rule: [{ status: "Enabled", expiration: [{ days: 1 }] }] },
      "rule",
      /deleted/,
    ],
    [
      "aws_ecr_repository",
      { image_scanning_configuration: [{ scan_on_push: true }] },
      { image_scanning_configuration: [{ scan_on_push: false }] },
      "image_scanning_configuration.0.scan_on_push",
      /vulnerabilities/,
    ],
    ["aws_cloudwatch_metric_alarm", { alarm_actions: ["a"] }, { alarm_actions: [] }, "alarm_actions", /notifies/],
    [
      "aws_codepipeline",
      { stage: [{ action: [{ category: "Source" }] }, { action: [{ category: "Approval" }, { category: "Build" }] }] },
      { stage: [{ action: [{ category: "Source" }] }, { action: [{ category: "Build" }] }] },
      "stage",
      /approval/,
    ],
    ...["aws_scheduler_schedule", "aws_cloudwatch_event_rule"].map(
      (type): Row => [type, { state: "ENABLED" }, { state: "DISABLED" }, "state", /no longer/],
    ),
    [
      "aws_cognito_user_pool",
      { admin_create_user_config: [{ allow_admin_create_user_only: true }] },
      { admin_create_user_config: [{ allow_admin_create_user_only: false }] },
      "admin_create_user_config.0.allow_admin_create_user_only",
      /account/,
    ],
  ];

  it.each(HARMFUL)("of %s from %j to %j is refused", (type, before, after, path, effect) => {
    const verdict = judgePlan(plan({ [`${type}.A`]: { actions: ["update"], before, after } }));
    expect(verdict.refused).toHaveLength(1);
    expect(verdict.refused[0]).toMatchObject({
      action: "update",
      address: `${type}.A`,
      effect: expect.stringMatching(effect),
    });
    expect(verdict.refused[0]?.because).toEqual([expect.stringMatching(`^${path}: `)]);
    const text = describeVerdict(verdict);
    expect(text).toContain(`--allow-update '${type}.A'`);
    expect(
      judgePlan(plan({ [`${type}.A`]: { actions: ["update"], before, after } }), { update: [`${type}.A`] }).refused,
    ).toEqual([]);
  });

  const isReversible = ([type, , , path]: Row) =>
    !["transit_encryption_enabled", "identifier", "port", "ttl.0.attribute_name"].includes(path) &&
    !path.endsWith("_index") &&
    !["aws_lb_listener", "aws_lb_target_group", "aws_ecs_service", "aws_ssm_parameter"].includes(type);

  it.each(HARMFUL.filter(isReversible))("of %s back to %j from %j passes", (type, before, after) => {
    expect(findings({ [`${type}.A`]: { actions: ["update"], before: after, after: before } })).toEqual([]);
  });

  it("of a maximum above what runs, and of a lifecycle without a number, pass", () => {
    const group = { before: { max_size: 6, desired_capacity: 2 }, after: { max_size: 3, desired_capacity: 2 } };
    const images = { before: { policy: "{}" }, after: { policy: '{"rules":[{"selection":{"countNumber":10}}]}' } };
    expect(
      findings({
        "aws_autoscaling_group.A": { actions: ["update"], ...group },
        "aws_ecr_lifecycle_policy.A": { actions: ["update"], ...images },
      }),
    ).toEqual([]);
    expect(findings({ "aws_s3_bucket_logging.A": ["delete"], "aws_iam_role.A": ["delete"] })).toEqual([
      "delete aws_s3_bucket_logging.A",
    ]);
  });

  it("of a port that is removed with its load balancer or its name pass", () => {
    const name = "/antifragile/dev/shop/services/orders";
    const service = { actions: ["update"], before: { load_balancer: [{ container_port: 3000 }] }, after: {} };
    const address = {
      actions: ["update"],
      before: { name, insecure_value: '{"port":3000}' },
      after: { name, insecure_value: '{"securityGroupId":"sg-1"}' },
    };
    expect(findings({ "aws_ecs_service.A": service, "aws_ssm_parameter.A": address })).toEqual([]);
  });

  it("are all tried here", () => {
    const tried = HARMFUL.map(([type, , , path]) => `${type} ${path.replace(/\.\d+\./g, ".*.")}`);
    const all = Object.entries(TABLE).flatMap(([type, { changes = [] }]) =>
      changes.map(({ path }) => `${type} ${path}`),
    );
    expect([...new Set(tried)].sort()).toEqual(all.sort());
  });

  it("names attributes that the provider has", () => {
    const provider = join(dirname(require.resolve("@cdktf/provider-aws/package.json")), "lib");
    for (const [type, { changes = [] }] of Object.entries(TABLE)) {
      const source = readFileSync(join(provider, type.slice(4).replaceAll("_", "-"), "index.js"), "utf8");
      for (const { path } of changes) {
        for (const name of path.split(".").filter((part) => part !== "*")) {
          expect(source, `${type} ${path}`).toMatch(new RegExp(`\\b${name}: `));
        }
      }
    }
  });

  it("passes what is known only at apply, and a task definition that moves with its port", () => {
    const before = { engine_version: "17" };
    expect(
      findings({
        "aws_db_instance.A": { actions: ["update"], before, after: {}, after_unknown: { engine_version: true } },
      }),
    ).toEqual([]);
    const port = (task_definition: string, container_port: number) => ({
      task_definition,
      load_balancer: [{ container_port }],
    });
    expect(
      findings({ "aws_ecs_service.A": { actions: ["update"], before: port("a:1", 3000), after: port("a:2", 3001) } }),
    ).toEqual([]);
    expect(
      findings({
        "aws_ecs_service.A": {
          actions: ["update"],
          before: { task_definition: "a:1", load_balancer: [] },
          after: port("a:1", 3000),
        },
      }),
    ).toEqual([]);
  });

  it("passes a version that is less exact than the one that AWS runs", () => {
    const version = (before: string, after: string) =>
      findings({
        "aws_db_instance.A": {
          actions: ["update"],
          before: { engine_version: before },
          after: { engine_version: after },
        },
      });
    expect(version("16.4", "16")).toEqual([]);
    expect(version("16", "16.4")).toEqual([]);
    expect(version("16.9", "16.10")).toEqual([]);
    expect(version("9.6.1", "10")).toEqual([]);
  });

  it("reports all harm to a resource at once, and no secret", () => {
    const [finding] = judgePlan(
      plan({
        "aws_db_instance.A": {
          actions: ["update"],
          before: { deletion_protection: true, backup_retention_period: 14, password: "hunter2" },
          after: { deletion_protection: false, backup_retention_period: 0, password: "hunter3" },
        },
      }),
    ).refused;
    expect(finding?.because).toEqual(["deletion_protection: true -> false", "backup_retention_period: 14 -> 0"]);
    expect(JSON.stringify(finding)).not.toContain("hunter");
  });
});
