import { ACCOUNT, REGION, UUID } from "../resolve";

/** Parameters of a call, as botocore's model of the service names them. */
export type Params = Readonly<Record<string, unknown>>;

/** Kinds of EC2 resources, by the prefix of their ids. */
const EC2_KINDS: Readonly<Record<string, string>> = {
  acl: "network-acl",
  eigw: "egress-only-internet-gateway",
  eipalloc: "elastic-ip",
  eni: "network-interface",
  fl: "vpc-flow-log",
  igw: "internet-gateway",
  lt: "launch-template",
  nat: "natgateway",
  rtb: "route-table",
  sg: "security-group",
  sgr: "security-group-rule",
  subnet: "subnet",
  vpc: "vpc",
  vpce: "vpc-endpoint",
};

/** Values of parameters, which may be one or a list; those that are ARNs already are left out. */
const names = (params: Params, ...keys: readonly string[]): string[] =>
  keys
    .flatMap((key) => params[key] ?? [])
    .flat()
    .map(String)
    .filter((each) => each !== "" && !each.startsWith("arn:"));

const last = (text: unknown): string => String(text).split("/").at(-1) as string;

/** Rows `parameter: what stands before its value in the ARN`. */
const by =
  (rows: Readonly<Record<string, string>>) =>
  (params: Params): string[] =>
    Object.entries(rows).flatMap(([key, before]) => names(params, key).map((name) => `${before}${name}`));

/** Resources that a call names by parameters that are not ARNs: the part of an ARN after the account, or a whole ARN. */
const NAMED: Readonly<Record<string, (params: Params) => string[]>> = {
  autoscaling: (params) =>
    [
      ...names(params, "AutoScalingGroupName", "AutoScalingGroupNames"),
      ...((params.Tags ?? []) as { readonly ResourceId?: string }[]).flatMap(({ ResourceId }) => ResourceId ?? []),
    ].map((name) => `autoScalingGroup:${UUID}:autoScalingGroupName/${name}`),
  cloudwatch: (params) => [
    ...by({ AlarmName: "alarm:", AlarmNames: "alarm:" })(params),
    ...names(params, "DashboardName", "DashboardNames").map(
      (name) => `arn:aws:cloudwatch::${ACCOUNT}:dashboard/${name}`,
    ),
  ],
  codepipeline: by({ name: "", pipelineName: "" }),
  codedeploy: (params) => [
    ...by({ applicationName: "application:", deploymentConfigName: "deploymentconfig:" })(params),
    ...names(params, "deploymentGroupName", "currentDeploymentGroupName").map(
      (name) => `deploymentgroup:${params.applicationName}/${name}`,
    ),
  ],
  "cognito-idp": by({ UserPoolId: "userpool/" }),
  dynamodb: by({ TableName: "table/" }),
  ecr: ({ registryId = ACCOUNT, ...params }) =>
    names(params, "repositoryName", "repositoryNames").map(
      (name) => `arn:aws:ecr:${REGION}:${registryId}:repository/${name}`,
    ),
  ecs: (params) => {
    const cluster = last(params.cluster ?? params.clusterName ?? "default");
    return [
      ...by({
        capacityProvider: "capacity-provider/",
        capacityProviders: "capacity-provider/",
        cluster: "cluster/",
        clusterName: "cluster/",
        clusters: "cluster/",
        name: "capacity-provider/",
        service: `service/${cluster}/`,
        serviceName: `service/${cluster}/`,
        services: `service/${cluster}/`,
        task: `task/${cluster}/`,
        tasks: `task/${cluster}/`,
      })(params),
      ...names(params, "taskDefinition").map((name) => `task-definition/${name.includes(":") ? name : `${name}:1`}`),
      ...names(params, "family").map((name) => `task-definition/${name}:1`),
    ];
  },
  elasticache: by({
    CacheClusterId: "cluster:",
    CacheParameterGroupName: "parametergroup:",
    CacheSubnetGroupName: "subnetgroup:",
    ReplicationGroupId: "replicationgroup:",
    UserGroupId: "usergroup:",
    UserGroupIds: "usergroup:",
    UserId: "user:",
    UserIds: "user:",
  }),
  elasticloadbalancing: (params) =>
    names(params, "Name", "Names").flatMap((name) => [
      `loadbalancer/app/${name}/0123456789abcdef`,
      `targetgroup/${name}/0123456789abcdef`,
    ]),
  events: by({ Name: "rule/", Rule: "rule/" }),
  firehose: by({ DeliveryStreamName: "deliverystream/" }),
  fis: (params) => [
    ...by({ experimentTemplateId: "experiment-template/" })(params),
    ...names(params, "id").map((id) => `${id.startsWith("EXP") ? "experiment" : "experiment-template"}/${id}`),
  ],
  iam: (params) => [
    ...names(params, "RoleName").map((name) => `arn:aws:iam::${ACCOUNT}:role${params.RolePath ?? "/"}${name}`),
    ...names(params, "InstanceProfileName").map(
      (name) => `arn:aws:iam::${ACCOUNT}:instance-profile${params.ProfilePath ?? "/"}${name}`,
    ),
    ...names(params, "PolicyName").map((name) => `arn:aws:iam::${ACCOUNT}:policy/${name}`),
  ],
  kinesis: by({ StreamName: "stream/" }),
  kms: by({ KeyId: "key/" }),
  lambda: by({ FunctionName: "function:" }),
  logs: (params) => [
    ...by({
      destinationName: "destination:",
      logGroupIdentifier: "log-group:",
      logGroupName: "log-group:",
      logGroupNamePrefix: "log-group:",
    })(params),
    ...names(params, "logStreamName").map((name) => `log-group:${params.logGroupName}:log-stream:${name}`),
  ],
  rds: (params) => [
    ...by({
      DBClusterIdentifier: "cluster:",
      DBClusterParameterGroupName: "cluster-pg:",
      DBInstanceIdentifier: "db:",
      DBParameterGroupName: "pg:",
      DBSubnetGroupName: "subgrp:",
      DBSnapshotIdentifier: "snapshot:",
      SnapshotIdentifier: "cluster-snapshot:",
    })(params),
  ],
  route53: (params) => names(params, "HostedZoneId").map((id) => `arn:aws:route53:::hostedzone/${last(id)}`),
  s3: (params) =>
    names(params, "Bucket").flatMap((bucket) => [
      `arn:aws:s3:::${bucket}`,
      ...[
        ...names(params, "Key"),
        ...((params.Delete as { readonly Objects?: { readonly Key: string }[] })?.Objects ?? []).map(({ Key }) => Key),
      ].map((key) => `arn:aws:s3:::${bucket}/${key}`),
    ]),
  scheduler: (params) => [
    ...names(params, "Name").map((name) => `schedule/${params.GroupName ?? "default"}/${name}`),
    ...names(params, "GroupName").map((name) => `schedule-group/${name}`),
  ],
  secretsmanager: by({ Name: "secret:", SecretId: "secret:" }),
  servicediscovery: (params) =>
    names(params, "Id", "NamespaceId", "ServiceId").map(
      (id) => `${id.startsWith("ns-") ? "namespace" : "service"}/${id}`,
    ),
  sns: by({ Name: "" }),
  sqs: (params) => [...names(params, "QueueName"), ...names(params, "QueueUrl").map(last)],
  ssm: (params) =>
    names(params, "Name", "Names", "ResourceId", "Path").map((name) =>
      // Those of AWS belong to no account.
      name.startsWith("/aws/service/")
        ? `arn:aws:ssm:${REGION}::parameter${name}`
        : `parameter/${name.replace(/^\//, "")}`,
    ),
  wafv2: (params) => names(params, "Name").map((name) => `regional/webacl/${name}/${params.Id ?? UUID}`),
};

const ID = /^([a-z]+)-[0-9a-f]{8,17}$/;

/** ARN of an EC2 resource; undefined for any other text. */
function ec2Arn(text: string, region: string): string | undefined {
  const kind = EC2_KINDS[ID.exec(text)?.[1] ?? ""];
  return kind === undefined ? undefined : `arn:aws:ec2:${region}:${ACCOUNT}:${kind}/${text}`;
}

/** ARNs among texts, and those of the EC2 resources whose ids are among them. */
export const arnsAmong = (texts: readonly string[], region: string): string[] =>
  texts.flatMap((text) => (/^arn:[^\s*]+$/.test(text) ? text : (ec2Arn(text, region) ?? [])));

/** All texts in a value, at any depth. */
export const textsIn = (value: unknown): string[] =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
      ? Object.values(value).flatMap(textsIn)
      : [];

/** ARNs of what a call of an IAM service prefix names in its parameters. */
export function arnsNamed(service: string, region: string, params: Params): string[] {
  const named = NAMED[service]?.(params) ?? [];
  const whole = named.map((each) =>
    each.startsWith("arn:") ? each : `arn:aws:${service}:${region}:${ACCOUNT}:${each}`,
  );
  return [...new Set([...arnsAmong(textsIn(params), region), ...whole])];
}

/** Checks that an ARN is one of a resource type, by AWS's pattern of it: `arn:${Partition}:ecs:...:cluster/${ClusterName}`. */
export function isOfType(arn: string, pattern: string): boolean {
  const parts = pattern.split(/\$\{[^}]*\}/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  // Names of buckets contain no slash, those of tasks no colon; names of parameters and log groups contain slashes.
  const variable = /\$\{(BucketName|TopicName|QueueName|LogGroupName|FunctionName)\}$/.test(pattern) ? "[^:]+" : ".+";
  const bucket = pattern.endsWith(":::${BucketName}") ? "[^:/]+" : variable;
  return new RegExp(
    `^${parts.join("\0").replace(/\0/g, (_, at: number, all: string) => (at === all.length - 1 ? bucket : "[^:]*?"))}$`,
  ).test(arn);
}

/** An ARN of a resource type, with a name that nothing has. */
export const inventedArn = (pattern: string, region: string, name = UUID): string =>
  pattern
    .replace("${Partition}", "aws")
    .replace("${Region}", region)
    .replace("${Account}", ACCOUNT)
    .replace(/\$\{[^}]*\}/g, name);
