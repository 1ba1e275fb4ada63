import { ACCOUNT, REGION } from "../resolve";
import { arn, CLUSTER, calls, DOCS, type Flow, group, INSTANCE, KEY, passed, path, roleArn, TASK } from "./flow";

const SERVICES = "(shop-dev|depot-live)-(.+)";

/** Flows of running services. */
export const OF_SERVICES: readonly Flow[] = [
  {
    name: "ECS starts a task: image, and logs of every container, also of the Service Connect proxy",
    role: new RegExp(`^${SERVICES}-execution$`),
    source: `${DOCS}/AmazonECS/latest/developerguide/task_execution_IAM_role.html`,
    calls: (platform = "", service = "") => [
      calls("ecr:GetAuthorizationToken", "*"),
      calls(
        "ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer ecr:BatchGetImage",
        arn("ecr", `repository/${platform === "shop-dev" ? "orders" : "goods"}`),
      ),
      calls("logs:CreateLogStream logs:PutLogEvents", group(`/${path(platform)}/${service}`)),
    ],
  },
  {
    name: "ECS starts a task: secrets, each under a key of its own",
    role: /^depot-live-web-execution$/,
    source: `${DOCS}/AmazonECS/latest/developerguide/task_execution_IAM_role.html#task-execution-secrets`,
    calls: () => {
      const secret = arn("secretsmanager", "secret:token-AbCdEf");
      const parameter = arn("ssm", "parameter/salt");
      return [
        calls("secretsmanager:GetSecretValue", secret),
        calls("kms:Decrypt", KEY, {
          "kms:ViaService": `secretsmanager.${REGION}.amazonaws.com`,
          "kms:EncryptionContext:SecretARN": secret,
        }),
        calls("ssm:GetParameters", parameter),
        calls("kms:Decrypt", KEY, {
          "kms:ViaService": `ssm.${REGION}.amazonaws.com`,
          "kms:EncryptionContext:PARAMETER_ARN": parameter,
        }),
      ];
    },
  },
  {
    name: "ECS Exec in a task, with logged and encrypted sessions",
    role: /^shop-dev-mailer-(task|admin)$/,
    source: `${DOCS}/AmazonECS/latest/developerguide/ecs-exec.html#ecs-exec-required-iam-permissions`,
    calls: () => [
      calls("ssmmessages:CreateControlChannel ssmmessages:CreateDataChannel", "*"),
      calls("ssmmessages:OpenControlChannel ssmmessages:OpenDataChannel logs:DescribeLogGroups", "*"),
      calls("logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents", group("shop-dev-exec")),
      calls("kms:Decrypt", KEY),
    ],
  },
  {
    name: "X-Ray receives traces",
    role: /^shop-dev-orders-task$/,
    source: `${DOCS}/xray/latest/devguide/security_iam_id-based-policy-examples.html`,
    calls: () => [
      calls("xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets", "*"),
    ],
  },
  {
    name: "The collector writes metrics as log events",
    role: /^(shop-dev-orders|depot-live-web)-(task|admin)$/,
    source: "https://aws-otel.github.io/docs/setup/permissions",
    calls: (service = "") => [
      calls("logs:CreateLogStream logs:PutLogEvents", group(`/${service.replaceAll("-", "/")}/metrics`)),
    ],
  },
  {
    name: "The app connects to PostgreSQL as its user",
    role: /^(?:shop-dev-(?:orders|mailer)|depot-live-web)-(?:task|admin)$/,
    source: `${DOCS}/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html`,
    calls: () => [calls("rds-db:connect", arn("rds-db", "dbuser:db-ABCDEFGHIJKLMNOPQRSTUVWXY/app"))],
  },
  {
    name: "An admin process reads the credentials of the master user",
    role: /^(?:shop-dev-(?:orders|mailer)|depot-live-web)-admin$/,
    source: `${DOCS}/AmazonRDS/latest/UserGuide/rds-secrets-manager.html`,
    calls: () => [calls("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:rds!db-1-AbCdEf"))],
  },
  {
    name: "The app sends to a queue",
    role: /^shop-dev-orders-task$/,
    source: `${DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html`,
    calls: () => [calls("sqs:SendMessage sqs:GetQueueUrl sqs:GetQueueAttributes", arn("sqs", "orders-dev-events"))],
  },
  {
    name: "The worker consumes a queue",
    role: /^shop-dev-mailer-(?:task|admin)$/,
    source: `${DOCS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html`,
    calls: () => [
      calls("sqs:ReceiveMessage sqs:DeleteMessage sqs:ChangeMessageVisibility", arn("sqs", "mails")),
      calls("sqs:GetQueueUrl sqs:GetQueueAttributes", arn("sqs", "mails")),
    ],
  },
  {
    name: "The app publishes to a topic",
    role: /^shop-dev-mailer-(?:task|admin)$/,
    source: `${DOCS}/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html`,
    calls: () => [calls("sns:Publish", arn("sns", "orders-dev-placed"))],
  },
  {
    name: "The app connects to the cache as its user",
    role: /^shop-dev-mailer-(?:task|admin)$/,
    source: `${DOCS}/AmazonElastiCache/latest/dg/auth-iam.html`,
    calls: () => [
      calls("elasticache:Connect", arn("elasticache", "replicationgroup:orders-dev-cache")),
      calls("elasticache:Connect", arn("elasticache", "user:orders-dev-cache")),
    ],
  },
  {
    name: "The app reads and writes objects",
    role: /^shop-dev-mailer-(?:task|admin)$/,
    source: `${DOCS}/AmazonS3/latest/userguide/using-with-s3-policy-actions.html`,
    calls: () => [
      calls("s3:ListBucket", `arn:aws:s3:::orders-dev-files-${ACCOUNT}`),
      calls(
        "s3:GetObject s3:PutObject s3:DeleteObject s3:AbortMultipartUpload",
        `arn:aws:s3:::orders-dev-files-${ACCOUNT}/x`,
      ),
    ],
  },
  {
    name: "The app reads and writes items of a table, and queries its indexes",
    role: /^shop-dev-mailer-(?:task|admin)$/,
    source: `${DOCS}/amazondynamodb/latest/developerguide/api-permissions-reference.html`,
    calls: () => {
      const table = arn("dynamodb", "table/orders-dev-sessions");
      return [
        calls("dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query dynamodb:Scan dynamodb:DescribeTable", table),
        calls("dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem dynamodb:BatchWriteItem", table),
        calls("dynamodb:ConditionCheckItem", table),
        calls("dynamodb:Query dynamodb:Scan", `${table}/index/by-user`),
      ];
    },
  },
  {
    name: "DynamoDB decrypts the key of a table in the name of the caller",
    role: /^shop-dev-mailer-(?:task|admin)$/,
    source: `${DOCS}/amazondynamodb/latest/developerguide/encryption.howitworks.html`,
    calls: () => [
      // Another key than that of sessions of ECS Exec.
      calls("kms:Decrypt", arn("kms", "key/11111111-2222-3333-4444-555555555555"), {
        "kms:ViaService": `dynamodb.${REGION}.amazonaws.com`,
        "kms:EncryptionContext:aws:dynamodb:tableName": "orders-dev-sessions",
        "kms:EncryptionContext:aws:dynamodb:subscriberId": ACCOUNT,
      }),
    ],
  },
  {
    name: "EventBridge Scheduler starts a job, and reports a failure to start it",
    role: /^(shop-dev-report|depot-live-nightly)-schedule$/,
    source: `${DOCS}/AmazonECS/latest/developerguide/CWE_IAM_role.html`,
    calls: (job = "") => [
      calls("ecs:RunTask", arn("ecs", `task-definition/${job}:7`), { "ecs:cluster": CLUSTER }),
      calls("ecs:TagResource", TASK, { "ecs:CreateAction": "RunTask" }),
      calls("iam:PassRole", roleArn(`${job}-task`), passed("ecs-tasks")),
      calls("iam:PassRole", roleArn(`${job}-execution`), passed("ecs-tasks")),
      calls("sqs:SendMessage", arn("sqs", `${job}-not-started`)),
    ],
  },
  {
    name: "CodeDeploy creates the tasks of the new version",
    role: /^(shop-dev-storefront|depot-live-swapped)-codedeploy$/,
    source: `${DOCS}/AmazonECS/latest/developerguide/codedeploy_IAM_role.html`,
    calls: (service = "") => [
      calls("iam:PassRole", roleArn(`${service}-task`), passed("ecs-tasks")),
      calls("iam:PassRole", roleArn(`${service}-execution`), passed("ecs-tasks")),
    ],
  },
];

/** Calls that only policies of AWS allow, which it manages. */
export const OF_MANAGED_POLICIES: readonly Flow[] = [
  {
    name: "CodeDeploy moves the traffic between target groups, and reads alarms",
    role: /^(?:shop-dev-storefront|depot-live-swapped)-codedeploy$/,
    source: `${DOCS}/codedeploy/latest/userguide/getting-started-create-service-role.html`,
    calls: () => [
      calls(
        "ecs:DescribeServices ecs:CreateTaskSet ecs:UpdateServicePrimaryTaskSet ecs:DeleteTaskSet cloudwatch:DescribeAlarms",
        "*",
      ),
      calls(
        "elasticloadbalancing:ModifyListener",
        arn("elasticloadbalancing", "listener/app/a/0123456789abcdef/0123456789abcdef"),
      ),
      calls(
        "elasticloadbalancing:ModifyRule",
        arn("elasticloadbalancing", "listener-rule/app/a/0123456789abcdef/0123456789abcdef/0123456789abcdef"),
      ),
    ],
  },
  {
    name: "ECS moves the traffic of a native deployment",
    role: /^depot-live-shifted-shift$/,
    source: `${DOCS}/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html`,
    calls: () => [
      calls(
        "elasticloadbalancing:RegisterTargets elasticloadbalancing:DeregisterTargets",
        arn("elasticloadbalancing", "targetgroup/a/0123456789abcdef"),
      ),
      calls("elasticloadbalancing:DescribeTargetHealth", "*"),
      calls(
        "elasticloadbalancing:ModifyRule",
        arn("elasticloadbalancing", "listener-rule/app/a/0123456789abcdef/0123456789abcdef/0123456789abcdef"),
      ),
    ],
  },
  {
    name: "The ECS agent of an instance registers it, and pulls images",
    role: /^depot-live-instances$/,
    source: `${DOCS}/AmazonECS/latest/developerguide/instance_IAM_role.html`,
    calls: () => [
      calls("ecs:DiscoverPollEndpoint ecr:GetAuthorizationToken ec2:DescribeTags", "*"),
      calls("ecs:RegisterContainerInstance ecs:DeregisterContainerInstance", arn("ecs", "cluster/depot-live")),
      calls(
        "ecs:Poll ecs:StartTelemetrySession ecs:UpdateContainerInstancesState",
        arn("ecs", "container-instance/depot-live/0123456789abcdef"),
      ),
    ],
  },
  {
    name: "The Systems Manager agent of an instance, or of a task, receives commands",
    role: /^(?:depot-live-instances|depot-live-web-fault-agent)$/,
    source: `${DOCS}/systems-manager/latest/userguide/setup-instance-permissions.html`,
    calls: () => [
      calls("ssmmessages:CreateControlChannel ec2messages:GetMessages", "*"),
      calls("ssm:UpdateInstanceInformation", INSTANCE),
    ],
  },
  {
    name: "RDS writes the metrics of Enhanced Monitoring",
    role: /^.+-monitoring$/,
    source: `${DOCS}/AmazonRDS/latest/UserGuide/USER_Monitoring.OS.Enabling.html`,
    calls: () => [calls("logs:CreateLogStream logs:PutLogEvents", group("RDSOSMetrics"))],
  },
];
