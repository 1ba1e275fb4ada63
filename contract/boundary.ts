import { PULL_IMAGE_ACTIONS } from "./images";
import { partitionOf } from "./partition";

/** Value of `guardrails.permissionsBoundary` for the policy that `antifragile bootstrap` creates. */
export const BOOTSTRAP_BOUNDARY = "bootstrap";

/** Environment whose roles a permissions boundary limits. */
export interface BoundaryPlace {
  readonly environment: string;
  /** Id of the account, 12 digits. */
  readonly account: string;
  readonly partition: string;
}

/** ARN of the boundary that `antifragile bootstrap` creates for an environment. */
export function boundaryArn({ environment, account, partition }: BoundaryPlace): string {
  return `arn:${partition}:iam::${account}:policy/antifragile-${environment}-boundary`;
}

/** ARN of the boundary of an environment's roles; undefined if they have none. */
export function boundaryOf(environment: {
  readonly name: string;
  readonly region: string;
  readonly account?: string;
  readonly guardrails?: { readonly permissionsBoundary?: string };
}): string | undefined {
  const { name, region, account = "", guardrails } = environment;
  if (guardrails?.permissionsBoundary !== BOOTSTRAP_BOUNDARY) return guardrails?.permissionsBoundary;
  return boundaryArn({ environment: name, account, partition: partitionOf(region) });
}

/** Boundaries that a text names, such as a synthesized stack. */
export function boundariesIn(text: string): BoundaryPlace[] {
  const arns = text.matchAll(/arn:(aws[a-z-]*):iam::(\d{12}):policy\/antifragile-([a-z0-9-]+)-boundary(?![\w+=,.@-])/g);
  const places = [...arns].map(([arn, partition = "", account = "", environment = ""]) => {
    return [arn, { environment, account, partition }] as const;
  });
  return [...new Map(places).values()];
}

/**
 * Actions that a boundary allows, by service: those of the roles that constructs create, and those with which apps commonly use data.
 * None of them changes permissions, code or settings of something that runs with another role.
 */
const ALLOWED: Readonly<Record<string, string>> = {
  bedrock: "InvokeModel*",
  cloudwatch: "BatchGet* Describe* Get* List* PutMetricData",
  "cognito-idp": "Admin*",
  dynamodb: "*Item DescribeTable PartiQL* Query Scan",
  ec2: "AssignPrivateIpAddresses CreateNetworkAcl CreateNetworkAclEntry CreateNetworkInterface CreateTags DeleteNetworkAcl DeleteNetworkInterface Describe* ReplaceNetworkAclAssociation SendSpotInstanceInterruptions StopInstances UnassignPrivateIpAddresses",
  ec2messages: "*",
  ecr: "BatchCheckLayerAvailability BatchGetImage GetAuthorizationToken GetDownloadUrlForLayer",
  ecs: "CreateTaskSet DeleteTaskSet DeregisterContainerInstance DescribeContainerInstances DescribeServices DescribeTasks DiscoverPollEndpoint ListTasks Poll RegisterContainerInstance RunTask StartTelemetrySession StopTask Submit* TagResource UpdateContainerInstancesState UpdateServicePrimaryTaskSet",
  elasticache: "Connect",
  elasticloadbalancing: "DeregisterTargets Describe* ModifyListener ModifyRule RegisterTargets",
  es: "ESHttp*",
  events: "PutEvents",
  "execute-api": "Invoke",
  firehose: "PutRecord*",
  fis: "StartExperiment",
  kinesis: "Describe* Get* List* PutRecord* SubscribeToShard",
  kms: "Decrypt DescribeKey Encrypt GenerateDataKey* GenerateMac ReEncrypt* Sign Verify*",
  lambda: "InvokeFunction",
  logs: "CreateLogDelivery CreateLogGroup CreateLogStream Describe* FilterLogEvents Get* List* PutLogEvents PutResourcePolicy PutRetentionPolicy StartQuery StopQuery",
  "rds-db": "connect",
  s3: "AbortMultipartUpload DeleteObject DeleteObjectTagging DeleteObjectVersion GetBucketLocation GetObject* List* PutObject PutObjectTagging",
  secretsmanager: "DescribeSecret GetSecretValue",
  ses: "Send*",
  sns: "Get* List* Publish",
  sqs: "ChangeMessageVisibility DeleteMessage GetQueue* ReceiveMessage SendMessage",
  ssm: "AddTagsToResource CancelCommand CreateActivation DeleteActivation DeregisterManagedInstance Describe* GetDeployablePatchSnapshotForInstance GetDocument GetManifest GetParameter* List* PutComplianceItems PutConfigurePackageResult PutInventory UpdateAssociationStatus UpdateInstanceAssociationStatus UpdateInstanceInformation",
  ssmmessages: "*",
  states: "StartExecution StartSyncExecution",
  tag: "GetResources",
  xray: "BatchGet* Get* List* PutTelemetryRecords PutTraceSegments",
};

/** Actions that a boundary allows on named resources, or under a condition. */
const LIMITED = ["iam:CreateServiceLinkedRole", "iam:PassRole", "ssm:SendCommand"];

const allowedActions = (): string[] =>
  Object.entries(ALLOWED).flatMap(([service, names]) => names.split(" ").map((name) => `${service}:${name}`));

/** Made at first use: apps without the boundary never ask, others for each action of each role. */
let withinBoundary: RegExp | undefined;

/** Returns whether the boundary that `antifragile bootstrap` creates allows an action, on some resource at least. */
export function isWithinBoundary(action: string): boolean {
  withinBoundary ??= new RegExp(`^(?:${[...allowedActions(), ...LIMITED].join("|").replaceAll("*", ".*")})$`, "i");
  return withinBoundary.test(action);
}

/** Policy document of the boundary that `antifragile bootstrap` creates: the most that any role of an environment may do. */
export function boundaryDocument({ environment, account, partition }: BoundaryPlace): string {
  const role = (name: string) => `arn:${partition}:iam::${account}:role/${name}`;
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Sid: "Allowed", Effect: "Allow", Action: allowedActions(), Resource: "*" },
      {
        Sid: "OwnRoles",
        Effect: "Allow",
        Action: "iam:PassRole",
        Resource: role(`*-${environment}-*`),
        Condition: { StringEquals: { "iam:PassedToService": ["ecs-tasks.amazonaws.com", "ssm.amazonaws.com"] } },
      },
      {
        Sid: "FaultInjection",
        Effect: "Allow",
        Action: "iam:CreateServiceLinkedRole",
        Resource: role("aws-service-role/fis.amazonaws.com/AWSServiceRoleForFIS"),
      },
      {
        // Any other document could run commands with the role of the instance.
        Sid: "FaultsOfFis",
        Effect: "Allow",
        Action: "ssm:SendCommand",
        Resource: [
          `arn:${partition}:ssm:*::document/AWSFIS-*`,
          `arn:${partition}:ssm:*:${account}:managed-instance/*`,
          `arn:${partition}:ec2:*:${account}:instance/*`,
        ],
      },
      {
        // The image repository belongs to all environments, and a function may be in the VPC of another one.
        Sid: "OtherEnvironments",
        Effect: "Deny",
        NotAction: ["ec2:CreateNetworkInterface", ...PULL_IMAGE_ACTIONS],
        Resource: "*",
        Condition: {
          StringEquals: { "aws:ResourceTag/ManagedBy": "antifragile" },
          StringNotEquals: { "aws:ResourceTag/Environment": environment },
        },
      },
    ],
  });
}
