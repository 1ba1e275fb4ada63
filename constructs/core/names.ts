import { createHash } from "node:crypto";
import type { IConstruct } from "constructs";
import { pascal } from "../../contract/names";

export { kebab, NAME_PATTERN, NAME_RULE, pascal } from "../../contract/names";

/** Length of the hash at the end of a name that is cut. */
const HASH_LENGTH = 8;

/**
 * Maximum length of names in AWS.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
 */
export const NAME_LIMITS = {
  cluster: 255,
  ecsService: 255,
  taskFamily: 255,
  role: 64,
  rolePolicy: 128,
  loadBalancer: 32,
  logGroup: 512,
  repository: 256,
  parameter: 1011,
  scalingPolicy: 256,
  alarm: 255,
  schedule: 64,
  capacityProvider: 255,
  keyAlias: 256,
  topic: 256,
  eventRule: 64,
  deliveryStream: 64,
  function: 64,
  dashboard: 255,
  webAcl: 128,
  userPool: 128,
  // Includes the suffix that makes the name unique.
  userPoolDomain: 54,
  codeDeploy: 100,
  queue: 75,
  bucket: 50,
  table: 255,
  // Without the suffix of a cluster's second instance.
  database: 56,
  cache: 40,
  pipeline: 100,
  buildProject: 150,
  connection: 32,
  policy: 128,
} as const;

/** Maximum length of prefixes, to which Terraform adds 26 characters. */
const PREFIX_LIMITS = {
  targetGroup: 6,
  securityGroup: 100,
  autoScalingGroup: 200,
  launchTemplate: 100,
  bucket: 37,
  parameterGroup: 200,
} as const;

/** Maximum length of an environment's prefix, `shop-staging`, with which every name begins, even one that is cut; of buckets, less. */
export const WHOLE_PREFIX = NAME_LIMITS.role - "-".length - HASH_LENGTH - "-".length;
const WHOLE_BUCKET_PREFIX = PREFIX_LIMITS.bucket - "-".length;

/** Start of the names of an environment's buckets. Those of another one may have it, too, if it is cut. */
export const bucketStart = (prefix: string): string =>
  prefix.length > WHOLE_BUCKET_PREFIX ? prefix.slice(0, WHOLE_BUCKET_PREFIX) : `${prefix}-`;

/** Compares two environments: true if buckets of both may have the same start, because one of these is cut. */
export function mayShareBuckets(prefix: string, other: string): boolean {
  const [one, two] = [bucketStart(prefix), bucketStart(other)];
  return Math.max(prefix.length, other.length) > WHOLE_BUCKET_PREFIX && (one.startsWith(two) || two.startsWith(one));
}

/** Prefixes that AWS reserves. */
const RESERVED: Readonly<Partial<Record<NameKind | keyof typeof PREFIX_LIMITS, RegExp>>> = {
  capacityProvider: /^(aws|ecs|fargate)/i,
  loadBalancer: /^internal-/,
  securityGroup: /^sg-/,
};

export type NameKind = keyof typeof NAME_LIMITS;

/**
 * Joins the parts of a physical name with `-`. A name that is too long is cut and ends with a hash of the whole name, so
 * that two long names never collide.
 */
export function physicalName(kind: NameKind, ...parts: string[]): string {
  const limit = NAME_LIMITS[kind];
  const name = allowed(kind, parts.join("-"));
  if (name.length <= limit) return name;
  const hash = hashOf(name);
  return `${name.slice(0, limit - hash.length - 1).replace(/-+$/, "")}-${hash}`;
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, HASH_LENGTH);

/** Creates a name prefix, ending in `-`, that Terraform completes. */
export function namePrefix(kind: keyof typeof PREFIX_LIMITS, name: string): string {
  return `${allowed(kind, name)
    .slice(0, PREFIX_LIMITS[kind] - 1)
    .replace(/-+$/, "")}-`;
}

function allowed(kind: NameKind | keyof typeof PREFIX_LIMITS, name: string): string {
  return RESERVED[kind]?.test(name) ? `x-${name}` : name;
}

/**
 * Name of the bucket for accesses to the logs of load balancers, which each plan to delete it fills again. Only by this name may the role
 * that applies production empty a bucket, so it is never cut.
 */
export const readsBucket = (prefix: string, account: string) => `${prefix.slice(0, 37)}-access-reads-${account}`;

/** Id of a construct for one host or address, which does not depend on the others: adding one moves no resource of another. */
export function keyedId(scope: IConstruct, prefix: string, key: string): string {
  const id = `${prefix}${pascal(key.replace(/^\*\./, "any."))}`;
  return scope.node.tryFindChild(id) === undefined ? id : `${id}${hashOf(key)}`;
}

/** Joins the parts of a name with `-`, after the environment's name prefix. */
export function prefixed(prefix: string | undefined, ...parts: string[]): string {
  return [...(prefix === undefined ? [] : [prefix]), ...parts].join("-");
}

/** Name of a value's class, as users import it: the bundler puts an underscore before that of a class that refers to itself. */
export function classNameOf(value: object): string {
  return (value.constructor?.name ?? "Object").replace(/^_/, "");
}
