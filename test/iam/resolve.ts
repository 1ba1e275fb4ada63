import type { IConstruct } from "constructs";
import { AwsStack } from "../../constructs/core";

/** Values of a synthesized stack's references, as AWS would give them: only their form matters, and that equal things are equal. */

export const ACCOUNT = "123456789012";
export const REGION = "eu-central-1";
/** Provider of a CI system's tokens in the account: a stack has one, and references to it have one value. */
export const OIDC_PROVIDER = `arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com`;

type Values = Readonly<Record<string, unknown>>;
/** Terraform's JSON of one stack. */
export interface Program {
  readonly provider?: {
    readonly aws?: readonly {
      readonly default_tags?: readonly { readonly tags?: Readonly<Record<string, string>> }[];
    }[];
  };
  readonly resource?: Readonly<Record<string, Readonly<Record<string, Values>>>>;
  readonly data?: Readonly<Record<string, Readonly<Record<string, Values>>>>;
}

/** Program of a stack. */
export function programOf(stack: AwsStack): Program {
  stack.prepareStack();
  return stack.toTerraform() as Program;
}

/** Stacks of an app, each with its id and its program. */
export function programsOf(app: IConstruct): { readonly id: string; readonly program: Program }[] {
  return app.node.children
    .filter((child): child is AwsStack => child instanceof AwsStack)
    .map((stack) => ({ id: stack.node.id, program: programOf(stack) }));
}

const regional = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
/** Id of what AWS names by one. */
export const UUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

/** ARN of a resource, by its type; `name` is its name in AWS, `id` its id in the program. */
const ARNS: Readonly<Record<string, (name: string, id: string) => string>> = {
  aws_cloudwatch_dashboard: (name) => `arn:aws:cloudwatch::${ACCOUNT}:dashboard/${name}`,
  aws_cloudwatch_event_rule: (name) => regional("events", `rule/${name}`),
  aws_cloudwatch_log_group: (name) => regional("logs", `log-group:${name}`),
  aws_codebuild_project: (name) => regional("codebuild", `project/${name}`),
  aws_codeconnections_connection: () => regional("codeconnections", `connection/${UUID}`),
  aws_codepipeline: (name) => regional("codepipeline", name),
  aws_ecr_repository: (name) => regional("ecr", `repository/${name}`),
  aws_iam_openid_connect_provider: () => OIDC_PROVIDER,
  aws_iam_policy: (name) => `arn:aws:iam::${ACCOUNT}:policy/${name}`,
  aws_iam_role: (name) => `arn:aws:iam::${ACCOUNT}:role/${name}`,
  aws_kinesis_firehose_delivery_stream: (name) => regional("firehose", `deliverystream/${name}`),
  aws_kms_key: (_, id) => regional("kms", `key/${id.replace(/_/g, "-").toLowerCase()}`),
  aws_s3_bucket: (name) => `arn:aws:s3:::${name}`,
  aws_sns_topic: (name) => regional("sns", name),
  aws_sqs_queue: (name) => regional("sqs", name),
};

/** Values that a stack reads from the contract of another, by their name. */
const CONTRACT: Readonly<Record<string, string>> = {
  bucketArn: "arn:aws:s3:::shop-dev-contract",
  clusterArn: regional("ecs", "cluster/shop-dev"),
  clusterName: "shop-dev",
  keyArn: regional("kms", `key/${UUID}`),
  logGroupArn: regional("logs", "log-group:shop-dev-exec"),
  masterSecretArn: regional("secretsmanager", "secret:rds!db-1-AbCdEf"),
  privateSubnetIds: "subnet-0123456789abcdef1",
  publicSubnetIds: "subnet-0123456789abcdef0",
  resourceId: "db-ABCDEFGHIJKLMNOPQRSTUVWXY",
  vpcId: "vpc-0123456789abcdef0",
};

/** Name of a resource in AWS. What only AWS knows is made up from its prefix. */
export function nameOf(program: Program, type: string, id: string): string {
  const values = program.resource?.[type]?.[id] ?? {};
  const { name, family, bucket, bucket_prefix: prefix, dashboard_name: dashboard } = values;
  const found = name ?? family ?? bucket ?? dashboard ?? (prefix === undefined ? id : `${prefix}0123456789`);
  return resolve(program, String(found));
}

/** Replaces the references in a text. @throws Error for a reference that this table does not know */
export function resolve(program: Program, text: string): string {
  return text.replace(/\$\{((?:[^{}]|\{[^}]*\})*)\}/g, (whole, expression: string) => {
    if (/^data\.aws_caller_identity\./.test(expression)) return ACCOUNT;
    if (/^data\.aws_partition\./.test(expression)) return "aws";
    const contract = /insecure_value\)\.(?:\w+\.)*(\w+)/.exec(expression)?.[1];
    if (contract !== undefined && contract in CONTRACT) return CONTRACT[contract]!;
    const [, type = "", id = "", attribute = ""] = /^(aws_\w+)\.(\w+)\.(\w+)$/.exec(expression) ?? [];
    const name = nameOf(program, type, id);
    if (/arn$/.test(attribute) && type in ARNS) return ARNS[type]!(name, id);
    if (/^(name|family|bucket)$/.test(attribute) || (type === "aws_s3_bucket" && attribute === "id")) return name;
    if (type === "aws_fis_experiment_template") return "EXT0123456789abcde";
    throw new Error(`no value for ${whole}: add its type to the table`);
  });
}
