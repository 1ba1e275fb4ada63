import { endpointOf } from "../../contract/partition";
import type { Statement } from "../core/iam";
import { ELSEWHERE, TERRAFORM_ACTIONS } from "./terraform-actions";

/** Resources of services whose write actions are limited to names of the environment, by the prefix of the names. */
const BY_NAME: Readonly<Record<string, (prefix: string) => readonly string[]>> = {
  dynamodb: (prefix) => [`table/${prefix}-*`],
  events: (prefix) => [`rule/${prefix}-*`],
  firehose: (prefix) => [`deliverystream/${prefix}-*`],
  lambda: (prefix) => [`function:${prefix}-*`],
  scheduler: (prefix) => [`schedule/default/${prefix}-*`],
  // Of passwords that RDS creates and rotates in the caller's name.
  secretsmanager: () => ["secret:rds!*"],
  sqs: (prefix) => [`${prefix}-*`],
};

/** Services whose write actions are not allowed on `*`. */
export const BOUNDED = [...Object.keys(BY_NAME), "kms"];

/**
 * Use of keys that RDS, ElastiCache and DynamoDB make in the name of who creates or changes a database, a cache or a table.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
 */
export const KEY_USES = [
  "kms:CreateGrant",
  "kms:Decrypt",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
] as const;
/** ElastiCache has two names. @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/at-rest-encryption.html */
const KEY_USERS = ["dax", "dynamodb", "elasticache", "rds"];

/** Actions that change what exists, its tags above all, although they create something. */
const CHANGES =
  /^Create(Tags|OrUpdateTags|Route|LaunchTemplateVersion|LogStream|DB(Cluster)?Snapshot|UserPool(Client|Domain))$/;

const isCreation = (name: string) => /^(Create|Run)/.test(name) && !CHANGES.test(name);

/** Actions that change nothing that exists. */
const READS_OR_ALLOCATES = /^(Allocate|Describe|List|Request)/;

const writes = (service: string, matches: (name: string) => boolean = () => true) =>
  TERRAFORM_ACTIONS[service]!.write.filter(matches).map((name) => `${service}:${name}`);

export interface BoundsOptions {
  /** `arn:aws:<service>:eu-central-1:123456789012:` */
  readonly arn: (service: string) => string;
  readonly region: string;
  /** Prefixes of the names of the environment's resources: `shop-staging`. */
  readonly prefixes: readonly string[];
  /** Values of the tag `Environment` that the environment's resources have. */
  readonly environments: readonly string[];
}

/** Write actions limited to the environment by the names of resources, and of keys by their tag. */
export function boundedStatements({ arn, region, prefixes, environments }: BoundsOptions): Statement[] {
  const inRegion = { "aws:RequestedRegion": region };
  const tagsNewKey = (name: string) => isCreation(name) || name === "TagResource";
  return [
    ...Object.entries(BY_NAME).map(([service, names]) => ({
      actions: writes(service),
      resources: [...new Set(prefixes.flatMap(names))].map((name) => `${arn(service)}${name}`),
    })),
    // Keys have ids only: a new one has none yet.
    { actions: writes("kms", tagsNewKey), resources: ["*"], conditions: { StringEquals: inRegion } },
    {
      // The tag limits them.
      actions: writes("kms", (name) => !tagsNewKey(name)),
      resources: ["*"],
      conditions: { StringEquals: { ...inRegion, "aws:ResourceTag/Environment": environments } },
    },
    {
      actions: KEY_USES,
      // The tag limits them.
      resources: ["*"],
      conditions: {
        StringEquals: {
          ...inRegion,
          "aws:ResourceTag/Environment": environments,
          "kms:ViaService": KEY_USERS.map((service) => endpointOf(service, region)),
        },
      },
    },
  ];
}

/**
 * Denies changes of what antifragile created in other environments, by the tags of the resources, whatever their names. Creations are left
 * out: the tags of a VPC or a load balancer that environments share would deny them.
 */
export function deniedStatements({ environments }: Pick<BoundsOptions, "environments">): Statement[] {
  const actions = Object.keys(TERRAFORM_ACTIONS)
    .filter((service) => !ELSEWHERE.includes(service))
    .flatMap((service) => writes(service, (name) => !isCreation(name) && !READS_OR_ALLOCATES.test(name)))
    // All that begin with the same verb, which takes a third of the space; few of those that create are meant.
    .map((action) => action.replace(/:(?!Create)([A-Z][a-z]+).*/, ":$1*"));
  return [
    {
      actions: [...new Set(actions)],
      // Denied, by the tags of the resource.
      resources: ["*"],
      conditions: {
        StringEquals: { "aws:ResourceTag/ManagedBy": "antifragile" },
        StringNotEquals: { "aws:ResourceTag/Environment": environments },
      },
    },
  ];
}
