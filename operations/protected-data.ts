/** Consequences of changes to the resources that hold data: databases, caches, buckets, queues, images, logs, keys and secrets. */

import {
  changed,
  elements,
  fewer,
  type HarmfulChange,
  isNumber,
  lowered,
  namesIn,
  type Protection,
  removed,
  turnedOff,
  turnedOn,
  UNPROTECTED,
} from "./harmful-changes";
import { attributes } from "./terraform-plan";

/** True if the parameters of a database accept connections without TLS. */
const acceptsPlainText = (parameters: unknown) =>
  elements(parameters).some((each) => {
    const { name, value } = attributes(each);
    return name === "rds.force_ssl" && value === "0";
  });

/** Older version, compared number by number: `16.10` is newer than `16.9`, and `16` is not older than `16.4`. */
function downgraded(before: unknown, after: unknown): boolean {
  const [old, wanted] = [before, after].map((value) =>
    String(value ?? "")
      .split(".")
      .map((part) => Number.parseInt(part, 10)),
  ) as [number[], number[]];
  for (const [index, number] of wanted.entries()) {
    const other = old[index];
    if (other === undefined || Number.isNaN(other) || Number.isNaN(number)) return false;
    if (number !== other) return number < other;
  }
  return false;
}

/** Number of times for which the rules of a bucket delete objects or former versions. */
const expirations = (rules: unknown) =>
  elements(rules)
    .map(attributes)
    .filter(({ status }) => status !== "Disabled")
    .flatMap(({ expiration, noncurrent_version_expiration: former }) => [...elements(expiration), ...elements(former)])
    .map(attributes)
    .filter(({ days, noncurrent_days: former }) => Boolean(days) || Boolean(former)).length;

/** Indexes of a table, each with the attributes that its replacement must have. */
const indexesIn = (indexes: unknown) =>
  elements(indexes)
    .map(attributes)
    .map(({ name, hash_key, range_key, projection_type }) => [name, hash_key, range_key, projection_type].join());

/** Numbers of images that a lifecycle policy keeps. */
const keptImages = (policy: unknown) => namesIn(policy, /"countNumber":\d+/g).map((each) => Number(each.split(":")[1]));

/** A shorter time for which something is kept; 0 keeps it forever. */
const keptShorter = (before: unknown, after: unknown) =>
  isNumber(before) && isNumber(after) && after > 0 && (before === 0 || after < before);

const UNENCRYPTED = "new messages are stored without encryption";
const DATA_LOST = "all of its data is lost";
const CACHE_LOST = "its content is lost; services are slower or down until it is filled again";
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
const EXPIRED = "objects and versions older than the new number of days are deleted";
const NOT_SENT = "log lines no longer arrive at their destination";
const TLS_OPTIONAL: HarmfulChange = {
  path: "parameter",
  harms: (before, after) => acceptsPlainText(after) && !acceptsPlainText(before),
  effect: "it accepts connections without TLS",
};

export const PROTECTED_DATA: Readonly<Record<string, Protection>> = {
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
        harms: keptShorter,
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
        harms: keptShorter,
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
};
