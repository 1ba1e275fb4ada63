import { APPLY_CALLS, AWS_CALLS, DATA_CALLS, PROVIDER_CALLS } from "../../contract/support/provider-calls";
import { resourceTypesOf } from "../packages";
import { inventedArn, isOfType } from "../recorded/resources";
import { ACCOUNT, REGION } from "../resolve";
import { type Call, taggedByAws } from "../simulate";
import { arn, calls, DOCS, type Flow, KEY, passed, roleArn } from "./flow";

/** Roles that run Terraform in an environment: its name is the group. */
const running = (accesses: string) => new RegExp(`^[a-z]+-delivery-(?:gh-)?(live|staging)-(?:${accesses})$`);
const READS = running("plan|apply|drift");
const WRITES = running("apply");

/** Beginnings of the names in an environment. */
const PREFIXES: Readonly<Record<string, string>> = { live: "depot-live", staging: "shop-staging" };

/** Resources by names that policies name; those of other services have any name of their type. */
const named = (prefix: string, environment: string): readonly string[] => [
  arn("dynamodb", `table/${prefix}-x`),
  arn("events", `rule/${prefix}-x`),
  arn("firehose", `deliverystream/${prefix}-x`),
  roleArn(`${prefix}-x`),
  `arn:aws:iam::${ACCOUNT}:instance-profile/${prefix}-x`,
  arn("lambda", `function:${prefix}-x`),
  `arn:aws:s3:::${prefix}-x`,
  // In production Terraform empties the bucket with the log of who reads access logs, and no other.
  `arn:aws:s3:::${prefix}-access-reads-${ACCOUNT}/x`,
  arn("scheduler", `schedule/default/${prefix}-x`),
  arn("secretsmanager", "secret:rds!db-1-AbCdEf"),
  arn("sqs", `${prefix}-x`),
  arn("ssm", `parameter/antifragile/${environment}/x`),
];

type Tables = readonly Readonly<Record<string, string>>[];

const isRead = (name: string) => /^(Describe|Get|List)/.test(name);

/** One call of each action of some tables, on a resource of the environment. */
async function callsOf(environment: string, tables: Tables, matches: (name: string) => boolean): Promise<Call[][]> {
  const prefix = PREFIXES[environment] as string;
  const actions = tables.flatMap((table) =>
    Object.entries(table).flatMap(([service, names]) =>
      names
        .split(" ")
        .filter(matches)
        .map((name) => `${service}:${name}`),
    ),
  );
  const made = [...new Set(actions)].map(async (action) => {
    const types = await resourceTypesOf(action);
    const own = named(prefix, environment).filter((each) => types.some((type) => isOfType(each, type)));
    const resources =
      own.length > 0 ? own : types.length > 0 ? [inventedArn(types[0] as string, REGION, `${prefix}-x`)] : ["*"];
    // With a narrower scope CloudWatch leaves composite alarms out.
    const asked = action === "cloudwatch:DescribeAlarms" ? ["*"] : resources;
    return asked.map((resource) => ({ action, resource, context: taggedByAws(action, environment) }));
  });
  return Promise.all(made);
}

const OF_RESOURCES = Object.values(PROVIDER_CALLS);
/** Those of secrets have a flow of their own. */
const OF_DATA = Object.entries(DATA_CALLS).flatMap(([type, each]) => (type.startsWith("secret") ? [] : [each]));
const LIMITED = /^(AttachRolePolicy|PassRole|CreateServiceLinkedRole)$/;
const STATE = `arn:aws:s3:::antifragile-state-${ACCOUNT}-${REGION}`;
const stateOf = (environment: string) => `${PREFIXES[environment]}-platform/terraform.tfstate`;

/** Flows of Terraform in the roles that plan, apply, and look for drift. */
export const OF_TERRAFORM: readonly Flow[] = [
  {
    name: "Terraform reads resources, and what AWS asks for in addition",
    role: READS,
    source: "https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs",
    calls: (environment = "") => callsOf(environment, [...OF_RESOURCES, ...OF_DATA, AWS_CALLS], isRead),
  },
  {
    name: "Terraform reads the secret of a client, which a key of its own encrypts",
    role: /^[a-z]+-delivery-(?:gh-)?live-(?:plan|apply|drift)$/,
    source: `${DOCS}/secretsmanager/latest/userguide/security-encryption.html`,
    calls: () => {
      const secret = arn("secretsmanager", "secret:client-AbCdEf");
      return [
        calls("secretsmanager:GetSecretValue", secret),
        calls("kms:Decrypt", KEY, {
          "kms:ViaService": `secretsmanager.${REGION}.amazonaws.com`,
          "kms:EncryptionContext:SecretARN": secret,
        }),
      ];
    },
  },
  {
    name: "Terraform creates, changes and deletes resources, and what AWS asks for in addition",
    role: WRITES,
    source: "https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs",
    calls: (environment = "") =>
      callsOf(environment, [...OF_RESOURCES, AWS_CALLS], (name) => !isRead(name) && !LIMITED.test(name)),
  },
  {
    name: "apply reads why tasks stopped",
    role: WRITES,
    source: `${DOCS}/AmazonECS/latest/developerguide/stopped-task-errors.html`,
    calls: (environment = "") => callsOf(environment, [APPLY_CALLS], () => true),
  },
  {
    name: "Terraform attaches policies of AWS, and passes roles to services",
    role: WRITES,
    source: `${DOCS}/IAM/latest/UserGuide/id_roles_use_passrole.html`,
    calls: (environment = "") => {
      const role = roleArn(`${PREFIXES[environment]}-x`);
      const policy = { "iam:PolicyARN": "arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess" };
      return [calls("iam:AttachRolePolicy", role, policy), calls("iam:PassRole", role, passed("ecs-tasks"))];
    },
  },
  {
    name: "AWS services create their service-linked roles in the caller's name",
    role: WRITES,
    source: `${DOCS}/IAM/latest/UserGuide/id_roles_create-service-linked-role.html`,
    calls: () => [
      calls("iam:CreateServiceLinkedRole", roleArn("aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"), {
        "iam:AWSServiceName": "ecs.amazonaws.com",
      }),
    ],
  },
  {
    name: "RDS, ElastiCache and DynamoDB use the key of the environment's data in the caller's name",
    role: WRITES,
    source: `${DOCS}/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html`,
    calls: (environment = "") => [
      calls(
        "kms:CreateGrant kms:Decrypt kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo",
        KEY,
        { ...taggedByAws("kms:Decrypt", environment), "kms:ViaService": `rds.${REGION}.amazonaws.com` },
      ),
    ],
  },
  {
    name: "Terraform reads its state in S3, and locks it",
    role: READS,
    source: "https://developer.hashicorp.com/terraform/language/backend/s3",
    calls: (environment = "") => [
      calls("s3:ListBucket", STATE, { "s3:prefix": stateOf(environment) }),
      calls("s3:GetObject", `${STATE}/${stateOf(environment)}`),
      calls("s3:GetObject s3:PutObject s3:DeleteObject", `${STATE}/${stateOf(environment)}.tflock`),
    ],
  },
  {
    name: "Terraform writes its state in S3",
    role: WRITES,
    source: "https://developer.hashicorp.com/terraform/language/backend/s3",
    calls: (environment = "") => [calls("s3:PutObject", `${STATE}/${stateOf(environment)}`)],
  },
  {
    name: "plan --upload stores plans once",
    role: /^[a-z]+-delivery-gh-(live|staging)-plan$/,
    source: `${DOCS}/AmazonS3/latest/userguide/conditional-writes-enforce.html`,
    calls: (environment = "") => [
      calls("s3:PutObject", `${STATE}/${PREFIXES[environment]}-platform/plans/1`, { "s3:if-none-match": "*" }),
    ],
  },
  {
    name: "apply --download reads plans, and deletes them",
    role: /^[a-z]+-delivery-gh-(live|staging)-apply$/,
    source: `${DOCS}/AmazonS3/latest/userguide/using-with-s3-policy-actions.html`,
    calls: (environment = "") => [
      calls("s3:GetObject s3:DeleteObject", `${STATE}/${PREFIXES[environment]}-platform/plans/1`),
    ],
  },
];
