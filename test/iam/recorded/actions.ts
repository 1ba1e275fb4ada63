import type { Params } from "./resources";

/** IAM's prefix of a service where botocore has another name. */
const PREFIXES: Readonly<Record<string, string>> = {
  elbv2: "elasticloadbalancing",
  resourcegroupstaggingapi: "tag",
};

export const prefixOf = (service: string): string => PREFIXES[service] ?? service;

/**
 * Actions of operations that have another name.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
const RENAMED: Readonly<Record<string, string>> = {
  "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
  "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
  "s3:DeleteBucketMetricsConfiguration": "s3:PutMetricsConfiguration",
  "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
  "s3:DeleteBucketTagging": "s3:PutBucketTagging",
  "s3:DeleteObjects": "s3:DeleteObject",
  "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
  "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
  "s3:GetBucketCors": "s3:GetBucketCORS",
  "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
  "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
  "s3:GetBucketMetricsConfiguration": "s3:GetMetricsConfiguration",
  "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
  "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
  "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
  "s3:HeadBucket": "s3:ListBucket",
  "s3:HeadObject": "s3:GetObject",
  "s3:ListObjectVersions": "s3:ListBucketVersions",
  "s3:ListObjects": "s3:ListBucket",
  "s3:ListObjectsV2": "s3:ListBucket",
  "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
  "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
  "s3:PutBucketMetricsConfiguration": "s3:PutMetricsConfiguration",
  "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
};

/** IAM action of an operation of a service. */
export function actionOf(service: string, operation: string): string {
  const action = `${prefixOf(service)}:${operation}`;
  return RENAMED[action] ?? action;
}

/** Actions that AWS requires for tags in the call that creates something, by service; `TagResource` elsewhere. */
const TAGGING: Readonly<Record<string, string>> = {
  acm: "AddTagsToCertificate",
  autoscaling: "CreateOrUpdateTags",
  ec2: "CreateTags",
  elasticache: "AddTagsToResource",
  elasticloadbalancing: "AddTags",
  firehose: "TagDeliveryStream",
  // TagResource does not do: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html
  kinesis: "AddTagsToStream",
  rds: "AddTagsToResource",
  sqs: "TagQueue",
  ssm: "AddTagsToResource",
};
const TAGGING_OF_IAM: Readonly<Record<string, string>> = {
  CreateInstanceProfile: "TagInstanceProfile",
  CreateOpenIDConnectProvider: "TagOpenIDConnectProvider",
  CreatePolicy: "TagPolicy",
  CreateRole: "TagRole",
};

/** Action that AWS requires, too, for a call that creates something with tags. */
export function taggingActionOf(prefix: string, operation: string): string {
  return `${prefix}:${prefix === "iam" ? TAGGING_OF_IAM[operation] : (TAGGING[prefix] ?? "TagResource")}`;
}

/** Calls that only set the tags of something that exists. */
export const isTagging = (operation: string): boolean => /^(Tag|CreateTags|AddTags|CreateOrUpdateTags)/.test(operation);

type Tags = Readonly<Record<string, string>>;

/** Tags in the parameters of a call: lists of keys and values, or maps, whatever the service calls them. */
export function tagsIn(value: unknown): Tags {
  if (typeof value !== "object" || value === null) return {};
  // A launch template has the tags of what it starts later.
  const members = Object.entries(value).filter(([name]) => name !== "LaunchTemplateData");
  return Object.fromEntries(
    members.flatMap(([name, inner]) => Object.entries(/tags$/i.test(name) ? readTags(inner) : tagsIn(inner))),
  );
}

function readTags(tags: unknown): Tags {
  if (!Array.isArray(tags)) {
    return typeof tags === "object" && tags !== null ? (tags as Tags) : {};
  }
  const text = (tag: Params, ...keys: readonly string[]) =>
    keys.map((key) => tag[key]).find((each) => each !== undefined);
  return Object.fromEntries(
    tags.map((tag: Params) => [
      String(text(tag, "Key", "key", "TagKey")),
      String(text(tag, "Value", "value", "TagValue") ?? ""),
    ]),
  );
}
