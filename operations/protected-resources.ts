/**
 * Consequences of changes to the resources that the plan gate protects: of their deletion, of their replacement, and of changes
 * in place that take something away without deleting anything.
 */

import {
  acceptsPlainText,
  approvals,
  blocking,
  changed,
  disabled,
  downgraded,
  elements,
  expirations,
  fewer,
  HARMLESS,
  type HarmfulChange,
  indexesIn,
  isNumber,
  keptImages,
  lowered,
  namesIn,
  observes,
  type Protection,
  removed,
  signsIn,
  turnedOff,
  turnedOn,
} from "./harmful-changes";
import type { Attributes } from "./terraform-plan";

const WITHOUT_SIGN_IN: Omit<HarmfulChange, "path"> = {
  harms: (before, after) => signsIn(before) && !signsIn(after),
  effect: "requests reach the service without a sign-in",
};
const UNENCRYPTED = "new messages are stored without encryption";

const DATA_LOST = "all of its data is lost";
const CACHE_LOST = "its content is lost; services are slower or down until it is filled again";
const UNPROTECTED: Omit<HarmfulChange, "path"> = {
  harms: (before, after) => turnedOff(before, after) || (before === "ACTIVE" && after === "INACTIVE"),
  effect: "without deletion protection, AWS no longer refuses to delete it, by Terraform or by hand",
};
const DOWNGRADE: Omit<HarmfulChange, "path"> = {
  harms: downgraded,
  effect: "AWS does not downgrade it in place: the apply fails",
};
const FEWER_BACKUPS: Omit<HarmfulChange, "path"> = {
  harms: lowered,
  effect: "automated backups older than the new retention are deleted; at 0, all of them",
};
const NOTHING_KEPT: Omit<HarmfulChange, "path"> = {
  harms: turnedOn,
  effect: "a later deletion keeps no final snapshot of its data",
};
const FROM_INTERNET: Omit<HarmfulChange, "path"> = {
  harms: turnedOn,
  effect: "it gets an address that the internet can reach",
};
const KEPT_KEY =
  'data keeps the KMS key it was created with: set encryption: "aws-managed", or restore a snapshot beside it that was copied with the new key';
const DATABASE_CHANGES: readonly HarmfulChange[] = [
  {
    path: "engine_version",
    ...DOWNGRADE,
    instead: "keep the version; for the older one, restore a snapshot of the older version beside it",
  },
  { path: "deletion_protection", ...UNPROTECTED },
  { path: "backup_retention_period", ...FEWER_BACKUPS },
  { path: "skip_final_snapshot", ...NOTHING_KEPT },
];
const NO_SIGN_IN: HarmfulChange = {
  path: "iam_database_authentication_enabled",
  harms: turnedOff,
  effect: "services that sign in with their role cannot connect",
};
const NO_BACKUPS_LATER: HarmfulChange = {
  path: "delete_automated_backups",
  harms: turnedOn,
  effect: "a later deletion deletes its backups too",
};
const HEALTH_CHECK: Omit<HarmfulChange, "path"> = {
  harms: changed,
  effect:
    "tasks that run are judged by the new health check at once: those that fail it get no requests and are replaced",
  instead: "release a version that passes both checks, then apply",
};
/** A release owns the task definition that runs where Terraform does not change it in the same step. */
const onRunningTask: HarmfulChange["harms"] = (_, port, { before, after }) =>
  isNumber(port) && before.task_definition === after.task_definition;
const SECOND_SERVICE =
  "create a second service with the new port, move its hosts, paths and callers, then remove the first";
const UNREACHED: Omit<HarmfulChange, "path"> = {
  harms: onRunningTask,
  effect: "ECS refuses it, because the task definition that runs has no such container port",
  instead: SECOND_SERVICE,
};
/** Port in the published address of a service. */
function publishedPort(name: unknown, value: unknown): unknown {
  if (!/^\/antifragile\/.*\/services\//.test(String(name))) return undefined;
  try {
    return (JSON.parse(String(value)) as { readonly port?: unknown } | null)?.port;
  } catch {
    return undefined;
  }
}
/** True if the names of a certificate include a host that those of its replacement do not cover. */
function losesHosts(before: Attributes, after: Attributes): boolean {
  const names = [after.domain_name, ...elements(after.subject_alternative_names)];
  return [before.domain_name, ...elements(before.subject_alternative_names)].some(
    (host) => !names.includes(host) && !names.includes(String(host).replace(/^[^.]+/, "*")),
  );
}
const NOT_ROLLED_BACK = "a failed deployment is not rolled back";
const EXPIRED = "objects and versions older than the new number of days are deleted";
const NO_WAY_OUT = "its subnets have no way out: tasks cannot pull images or call AWS";
const NOT_SENT = "log lines no longer arrive at their destination";
const TLS_OPTIONAL: HarmfulChange = {
  path: "parameter",
  harms: (before, after) => acceptsPlainText(after) && !acceptsPlainText(before),
  effect: "it accepts connections without TLS",
};
const isDefaultRoute = ({ destination_cidr_block: v4, destination_ipv6_cidr_block: v6 }: Attributes) =>
  v4 === "0.0.0.0/0" || v6 === "::/0";

/** Protected resource types. */
export const PROTECTED: Readonly<Record<string, Protection>> = {
  aws_ecs_service: {
    what: "service",
    deleted: "all of its tasks stop, and requests fail",
    replaced: "all of its tasks stop before new ones start: an outage of some minutes",
    replacedAfter: "AWS refuses the new one, because both have the same name",
    causes: {
      "deployment_controller.0.type":
        "a service keeps its deployment controller: codeDeploy(...) and the other strategies cannot be exchanged in place",
    },
    changes: [
      { path: "load_balancer.*.container_port", ...UNREACHED },
      { path: "deployment_circuit_breaker.*.rollback", harms: turnedOff, effect: NOT_ROLLED_BACK },
    ],
  },
  aws_ssm_parameter: {
    what: "address of a service",
    changes: [
      {
        path: "insecure_value",
        harms: (before, after, { after: { name } }) => {
          const port = publishedPort(name, after);
          return isNumber(port) && publishedPort(name, before) !== port;
        },
        effect:
          "callers that are deployed from now on use the new port, while the tasks that run listen on the old one",
        instead: SECOND_SERVICE,
      },
    ],
  },
  aws_ecs_cluster: {
    what: "cluster",
    deleted: "every service in it must be deleted first",
    changes: [
      {
        path: "setting",
        harms: (before, after) => observes(before) && !observes(after),
        effect: "AWS stops reporting its number of tasks: workers that scale from zero do not start",
      },
    ],
  },
  aws_ecs_capacity_provider: {
    what: "capacity provider",
    deleted: "no task can be started on its instances",
    changes: [
      {
        path: "auto_scaling_group_provider.*.managed_termination_protection",
        harms: disabled,
        effect: "instances that run tasks are terminated when the group scales in",
      },
    ],
  },
  aws_launch_template: {
    what: "launch template",
    changes: [
      {
        path: "metadata_options.*.http_tokens",
        harms: (before) => before === "required",
        effect: "a request that a task is made to send can read the credentials of its instance",
      },
    ],
  },
  aws_autoscaling_group: {
    what: "group of instances",
    deleted: "its instances are terminated, and what runs on them stops",
    replacedAfter: "its instances are terminated once new ones run: what runs on them is moved",
    changes: [
      {
        path: "max_size",
        harms: (_, after, { before: { desired_capacity: running } }) =>
          isNumber(after) && isNumber(running) && after < running,
        effect: "instances above the new maximum are terminated, and what runs on them stops or is moved",
      },
    ],
  },
  aws_lb: {
    what: "load balancer",
    deleted: "none of its services can be reached",
    replaced: "none of its services can be reached for some minutes, and then only by its new DNS name",
    changes: [
      { path: "enable_deletion_protection", ...UNPROTECTED },
      {
        path: "drop_invalid_header_fields",
        harms: turnedOff,
        effect: "requests with invalid headers, as request smuggling uses, reach the services",
      },
      {
        path: "access_logs.*.enabled",
        harms: turnedOff,
        effect: "its requests are no longer recorded",
      },
      {
        path: "ip_address_type",
        harms: (before, after) => before === "dualstack" && after === "ipv4",
        effect: "clients with IPv6 alone cannot connect",
      },
    ],
  },
  aws_lb_listener: {
    what: "listener",
    deleted: "no service can be reached on its port",
    changes: [
      { path: "port", harms: changed, effect: "no service can be reached on its old port" },
      { path: "protocol", harms: changed, effect: "clients of the old protocol cannot connect" },
      {
        path: "certificate_arn",
        harms: changed,
        effect: "hosts that only the old certificate covers fail the TLS handshake",
        instead: "attach the new certificate beside the old one first",
      },
      {
        path: "ssl_policy",
        harms: changed,
        effect: "clients that know only the versions and ciphers of the old policy fail the TLS handshake",
      },
      { path: "default_action", ...WITHOUT_SIGN_IN },
    ],
  },
  aws_acm_certificate: {
    what: "certificate",
    replaced: "hosts that the new certificate does not cover fail the TLS handshake",
    only: losesHosts,
  },
  aws_lb_listener_certificate: {
    what: "certificate of a listener",
    deleted: "hosts that only this certificate covers fail the TLS handshake",
    replacedAfter: HARMLESS,
  },
  aws_lb_listener_rule: {
    what: "listener rule",
    replaced: "requests for its hosts and paths get the default answer, 404, until the new rule exists",
    replacedAfter: "AWS refuses the new rule where both have the same priority",
    changes: [{ path: "action", ...WITHOUT_SIGN_IN }],
  },
  aws_lb_target_group: {
    what: "target group",
    deleted: "its service gets no requests",
    replaced: "its service gets no requests until its tasks are healthy in the new one",
    replacedAfter:
      "its service is replaced or registered again: some requests fail until tasks are healthy in the new one",
    changes: ["path", "port", "protocol", "matcher"].map((name) => ({
      path: `health_check.*.${name}`,
      ...HEALTH_CHECK,
    })),
  },
  aws_security_group: {
    what: "security group",
    replaced: "AWS does not delete it while something uses it: the apply waits for many minutes and fails",
    replacedAfter: HARMLESS,
  },
  aws_service_discovery_http_namespace: {
    what: "namespace",
    deleted: "services on the platform cannot find each other",
  },
  aws_service_discovery_private_dns_namespace: {
    what: "namespace",
    deleted: "services on the platform cannot find each other",
  },
  aws_service_discovery_service: {
    what: "name",
    deleted: "callers cannot find the service until it is deployed again",
  },
  aws_db_instance: {
    what: "database",
    deleted: DATA_LOST,
    causes: { kms_key_id: KEPT_KEY },
    changes: [
      ...DATABASE_CHANGES,
      NO_SIGN_IN,
      NO_BACKUPS_LATER,
      {
        path: "multi_az",
        harms: turnedOff,
        effect: "it has no standby in another zone: maintenance and the failure of its zone are outages",
      },
      { path: "allocated_storage", harms: lowered, effect: "AWS does not shrink storage: the apply fails" },
      {
        path: "max_allocated_storage",
        harms: lowered,
        effect: "its storage grows less, or not at all: when it is full, the database stops",
      },
      ...["identifier", "port"].map((path) => ({
        path,
        harms: changed,
        effect: "its address changes: tasks that run cannot connect until they are replaced",
      })),
      { path: "publicly_accessible", ...FROM_INTERNET },
    ],
  },
  aws_rds_cluster: {
    what: "database",
    deleted: DATA_LOST,
    causes: { kms_key_id: KEPT_KEY },
    changes: [...DATABASE_CHANGES, NO_SIGN_IN, NO_BACKUPS_LATER],
  },
  aws_rds_cluster_instance: {
    what: "database instance",
    deleted: "the database has one instance less, or none",
    replaced: "the database fails over, or is down for some minutes if it is the only instance",
    causes: { performance_insights_kms_key_id: KEPT_KEY },
    changes: [{ path: "publicly_accessible", ...FROM_INTERNET }],
  },
  aws_db_parameter_group: { what: "settings of a database", changes: [TLS_OPTIONAL] },
  aws_rds_cluster_parameter_group: { what: "settings of a database", changes: [TLS_OPTIONAL] },
  aws_rds_global_cluster: { what: "database", deleted: DATA_LOST },
  aws_dynamodb_table: {
    what: "table",
    deleted: DATA_LOST,
    changes: [
      { path: "deletion_protection_enabled", ...UNPROTECTED },
      {
        path: "point_in_time_recovery.*.enabled",
        harms: turnedOff,
        effect: "its continuous backups are deleted: no point in time can be restored",
      },
      { path: "ttl.*.enabled", harms: turnedOn, effect: "items whose time has passed are deleted" },
      {
        path: "ttl.*.attribute_name",
        harms: (before, after) => Boolean(before) && Boolean(after),
        effect: "AWS refuses another attribute while TTL is on: the apply fails",
        instead: "turn TTL off first: aws dynamodb update-time-to-live",
      },
      {
        path: "global_secondary_index",
        harms: (before, after) => fewer(indexesIn(before), indexesIn(after)),
        effect: "queries that use an index that is gone fail",
      },
    ],
  },
  aws_docdb_cluster: { what: "database", deleted: DATA_LOST, changes: DATABASE_CHANGES },
  aws_elasticache_replication_group: {
    what: "cache",
    deleted: CACHE_LOST,
    causes: { kms_key_id: KEPT_KEY },
    changes: [
      {
        path: "engine_version",
        ...DOWNGRADE,
        instead: "create a second cache, move its services, then remove the first",
      },
      { path: "snapshot_retention_limit", ...FEWER_BACKUPS },
      ...["automatic_failover_enabled", "multi_az_enabled"].map((path) => ({
        path,
        harms: turnedOff,
        effect: "no replica takes over when its node or its zone fails",
      })),
      {
        path: "transit_encryption_enabled",
        harms: changed,
        effect: "clients that use the other kind of connection cannot connect",
      },
    ],
  },
  aws_elasticache_serverless_cache: {
    what: "cache",
    deleted: CACHE_LOST,
    changes: [{ path: "snapshot_retention_limit", ...FEWER_BACKUPS }],
  },
  aws_elasticache_cluster: { what: "cache", deleted: CACHE_LOST },
  aws_elasticache_user: { what: "user of a cache", deleted: "services that sign in as this user cannot connect" },
  aws_elasticache_user_group: { what: "users of a cache", deleted: "no service can sign in to the cache" },
  aws_opensearch_domain: { what: "search domain", deleted: DATA_LOST },
  aws_efs_file_system: { what: "file system", deleted: DATA_LOST },
  aws_s3_bucket: {
    what: "bucket",
    deleted: DATA_LOST,
    changes: [{ path: "force_destroy", harms: turnedOn, effect: "a later deletion deletes its objects with it" }],
  },
  aws_s3_bucket_versioning: {
    what: "versioning of a bucket",
    deleted: "objects that are overwritten or deleted from now on cannot be restored",
    changes: [
      {
        path: "versioning_configuration.*.status",
        harms: (before) => before === "Enabled",
        effect: "objects that are overwritten or deleted from now on cannot be restored",
      },
    ],
  },
  aws_s3_bucket_lifecycle_configuration: {
    what: "lifecycle of a bucket",
    changes: [
      { path: "rule", harms: (before, after) => expirations(after) > expirations(before), effect: EXPIRED },
      ...["expiration.*.days", "noncurrent_version_expiration.*.noncurrent_days"].map((path) => ({
        path: `rule.*.${path}`,
        harms: (before: unknown, after: unknown) =>
          isNumber(before) && isNumber(after) && after > 0 && (before === 0 || after < before),
        effect: EXPIRED,
      })),
    ],
  },
  aws_s3_bucket_logging: { what: "log of a bucket", deleted: "accesses to the bucket are no longer recorded" },
  aws_s3_bucket_public_access_block: {
    what: "public access block of a bucket",
    deleted: "policies and ACLs can make its objects public",
    changes: ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"].map(
      (path) => ({
        path,
        harms: turnedOff,
        effect: "policies and ACLs can make its objects public",
      }),
    ),
  },
  aws_sqs_queue: {
    what: "queue",
    deleted: "its messages are lost, and senders fail",
    changes: [
      {
        path: "message_retention_seconds",
        harms: lowered,
        effect: "messages older than the new retention are deleted",
      },
      {
        path: "redrive_policy",
        harms: removed,
        effect: "messages that cannot be handled are no longer kept in its dead-letter queue",
      },
      {
        path: "visibility_timeout_seconds",
        harms: lowered,
        effect: "messages that take longer than the new time are delivered again while they are handled",
      },
      { path: "sqs_managed_sse_enabled", harms: turnedOff, effect: UNENCRYPTED },
    ],
  },
  aws_sns_topic: {
    what: "topic",
    deleted: "its subscribers get no more messages, and e-mail addresses must confirm again",
    changes: [{ path: "kms_master_key_id", harms: removed, effect: UNENCRYPTED }],
  },
  aws_sns_topic_subscription: { what: "subscription", deleted: "its recipient gets no more messages" },
  aws_kinesis_stream: {
    what: "stream",
    deleted: "its records are lost, and senders fail",
    changes: [{ path: "retention_period", harms: lowered, effect: "records older than the new retention are deleted" }],
  },
  aws_ecr_repository: {
    what: "image repository",
    deleted: "its images are lost: tasks that need one cannot start, and rollbacks fail",
    changes: [
      { path: "force_delete", harms: turnedOn, effect: "a later deletion deletes its images with it" },
      {
        path: "image_scanning_configuration.*.scan_on_push",
        harms: turnedOff,
        effect: "AWS no longer looks for vulnerabilities in new images",
      },
      {
        path: "image_tag_mutability",
        harms: (before) => before === "IMMUTABLE",
        effect: "a released image can be overwritten, and a rollback would run another one",
      },
    ],
  },
  aws_ecr_lifecycle_policy: {
    what: "lifecycle of images",
    changes: [
      {
        path: "policy",
        harms: (before, after) => {
          const kept = keptImages(after);
          return keptImages(before).some((count, index) => lowered(count, kept[index] ?? count));
        },
        effect: "images beyond the new number are deleted: a release that needs one cannot be rolled back to",
      },
    ],
  },
  aws_cloudwatch_log_group: {
    what: "log group",
    deleted: "its lines are lost",
    changes: [
      {
        path: "retention_in_days",
        // 0 keeps them forever.
        harms: (before, after) => isNumber(before) && isNumber(after) && after > 0 && (before === 0 || after < before),
        effect: "lines older than the new retention are deleted",
      },
    ],
  },
  aws_cloudwatch_log_subscription_filter: { what: "subscription of a log group", deleted: NOT_SENT },
  aws_kinesis_firehose_delivery_stream: { what: "delivery stream", deleted: NOT_SENT },
  aws_kms_key: {
    what: "key",
    deleted: "the data that it encrypts can never be read again after its waiting period",
    changes: [
      { path: "is_enabled", harms: turnedOff, effect: "the data that it encrypts cannot be read" },
      { path: "enable_key_rotation", harms: turnedOff, effect: "AWS stops replacing its key material each year" },
      {
        path: "deletion_window_in_days",
        harms: lowered,
        effect: "after a deletion there is less time to restore it",
      },
    ],
  },
  aws_secretsmanager_secret: {
    what: "secret",
    deleted: "tasks that need it cannot start, and its value is lost",
    changes: [
      {
        path: "recovery_window_in_days",
        harms: lowered,
        effect: "after a deletion there is less time to restore it; at 0, none",
      },
    ],
  },
  aws_cloudwatch_log_data_protection_policy: {
    what: "data protection policy",
    deleted: "its log group shows personal data and secrets that it masked",
    changes: [
      {
        path: "policy_document",
        harms: (before, after) =>
          fewer(namesIn(before, /data-identifier\/[\w-]+/g), namesIn(after, /data-identifier\/[\w-]+/g)),
        effect: "its log group shows personal data that it masked",
      },
    ],
  },
  aws_codeconnections_connection: {
    what: "connection",
    deleted: "pipelines receive no code until a person authorizes a new connection in the console",
  },
  aws_iam_openid_connect_provider: {
    what: "identity provider",
    deleted: "no CI job can sign in to the account until it exists again",
  },
  aws_iam_role: {
    what: "role",
    replaced: "what runs with it loses its permissions at once, until it is started with the new role",
    changes: [
      {
        path: "permissions_boundary",
        harms: removed,
        effect: "nothing limits what its policies may allow: who can change them controls the account",
      },
    ],
  },
  aws_cloudwatch_metric_alarm: {
    what: "alarm",
    changes: [
      { path: "actions_enabled", harms: turnedOff, effect: "it notifies no one, and rolls back and scales nothing" },
      {
        path: "alarm_actions",
        harms: (before, after) => elements(before).length > 0 && elements(after).length === 0,
        effect: "it notifies no one",
      },
    ],
  },
  aws_codedeploy_deployment_group: {
    what: "deployment group",
    changes: [
      {
        path: "auto_rollback_configuration.*.enabled",
        harms: turnedOff,
        effect: NOT_ROLLED_BACK,
      },
    ],
  },
  aws_codepipeline: {
    what: "pipeline",
    changes: [
      {
        path: "stage",
        harms: (before, after) => approvals(after) < approvals(before),
        effect: "releases no longer wait for an approval",
      },
    ],
  },
  aws_scheduler_schedule: {
    what: "schedule",
    deleted: "its job no longer runs",
    replaced: HARMLESS,
    changes: [{ path: "state", harms: disabled, effect: "its job no longer runs" }],
  },
  aws_cloudwatch_event_rule: {
    what: "event rule",
    changes: [{ path: "state", harms: disabled, effect: "what it starts or records no longer happens" }],
  },
  aws_cognito_user_pool: {
    what: "user pool",
    deleted: "all users are lost",
    changes: [
      { path: "deletion_protection", ...UNPROTECTED },
      {
        path: "mfa_configuration",
        harms: (before) => before === "ON",
        effect: "users sign in without a second factor",
      },
      {
        path: "admin_create_user_config.*.allow_admin_create_user_only",
        harms: turnedOff,
        effect: "anyone can create an account",
      },
    ],
  },
  aws_cognito_user_pool_client: {
    what: "client of a user pool",
    deleted: "no user can sign in through it",
    changes: [
      {
        path: "callback_urls",
        harms: (before, after) => fewer(elements(before), elements(after)),
        effect: "users can no longer sign in at the URLs that are gone",
      },
    ],
  },
  aws_cognito_user_pool_domain: { what: "domain of a user pool", deleted: "its sign-in page cannot be reached" },
  aws_wafv2_web_acl: {
    what: "web ACL",
    deleted: "it filters no more requests",
    changes: [
      {
        path: "rule",
        harms: (before, after) => blocking(after) < blocking(before),
        effect: "requests that it blocked reach the services",
      },
    ],
  },
  aws_wafv2_web_acl_association: {
    what: "association of a web ACL",
    deleted: "requests reach the load balancer without a filter",
  },
  aws_wafv2_web_acl_logging_configuration: {
    what: "log of a web ACL",
    deleted: "the requests that it blocks are no longer recorded",
  },
  aws_route53_zone: { what: "zone", deleted: "its DNS names no longer resolve" },
  aws_route53_record: {
    what: "DNS record",
    deleted: "its name no longer resolves",
    only: ({ type }) => type === "A" || type === "AAAA",
  },
  aws_vpc: {
    what: "vpc",
    deleted: "everything in it must be deleted first",
    changes: ["enable_dns_hostnames", "enable_dns_support"].map((path) => ({
      path,
      harms: turnedOff,
      effect: "names of services, databases and endpoints no longer resolve to private addresses",
    })),
  },
  aws_subnet: {
    what: "subnet",
    deleted:
      "AWS does not delete it while tasks, databases or a load balancer have addresses in it: the apply waits and fails",
    causes: { availability_zone: "each subnet keeps its place in zoneNames: add a zone at the end" },
  },
  aws_internet_gateway: { what: "internet gateway", deleted: "nothing in the VPC reaches the internet, or is reached" },
  aws_egress_only_internet_gateway: {
    what: "egress-only internet gateway",
    deleted: "its subnets have no way out over IPv6",
  },
  aws_nat_gateway: {
    what: "NAT gateway",
    deleted: NO_WAY_OUT,
    replaced: "its subnets have no way out for some minutes: tasks cannot pull images or call AWS",
    replacedAfter: "its subnets call out from another address",
  },
  aws_eip: {
    what: "address",
    deleted: "it is released: partners that allow only this address refuse calls from another",
  },
  aws_route: {
    what: "default route",
    deleted: NO_WAY_OUT,
    only: isDefaultRoute,
  },
  aws_route_table_association: { what: "routes of a subnet", deleted: NO_WAY_OUT },
  aws_flow_log: {
    what: "flow log",
    deleted: "connections in its network are no longer recorded",
    replaced: HARMLESS,
  },
  aws_vpc_endpoint: {
    what: "VPC endpoint",
    deleted: "subnets without another way out no longer reach its service",
    replacedAfter: HARMLESS,
    changes: [
      {
        path: "private_dns_enabled",
        harms: turnedOff,
        effect: "names of its service resolve to public addresses, which subnets without another way out do not reach",
      },
    ],
  },
};

/** Rules of a security group, which may close before others open. */
export const SECURITY_GROUP_RULES: Readonly<Record<string, "in" | "out">> = {
  aws_vpc_security_group_ingress_rule: "in",
  aws_vpc_security_group_egress_rule: "out",
};

/** Attributes of a rule that define its peers. */
export const PEERS = ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"] as const;

/** Attributes that decide what a rule of a security group lets through. */
export const OPENING = ["from_port", "to_port", "ip_protocol", ...PEERS] as const;
