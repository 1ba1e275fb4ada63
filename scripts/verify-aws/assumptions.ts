/** Place in the sources that depends on an assumption. */
interface Place {
  readonly file: string;
  /** Text of the file that the assumption is about. When it goes, the assumption must be looked at again. */
  readonly text: string;
}

/** Assumption about AWS that no test without an AWS account can settle. */
export interface Assumption {
  readonly id: string;
  /** True on AWS, as far as we know. */
  readonly statement: string;
  /** Page or issue that it is taken from. */
  readonly source: string;
  readonly dependsOn: readonly Place[];
  /** Procedure that settles it: the deployment of `npm run verify:aws`, or steps for a person. */
  readonly settledBy: { readonly deployment: string } | { readonly steps: string };
  /** Error of Terraform by which AWS refuses it. Any other error of an apply leaves it open. */
  readonly refusedBy?: RegExp;
}

const AWS_DOCS = "https://docs.aws.amazon.com";

/** All of them. `docs/assumptions.md` is written from these rows. */
export const ASSUMPTIONS: readonly Assumption[] = [
  {
    id: "tmpfs-mode",
    statement:
      "Fargate accepts a `tmpfs` with the mount option `mode=1777`, and a user other than root can write to it",
    source: `${AWS_DOCS}/AmazonECS/latest/APIReference/API_Tmpfs.html`,
    dependsOn: [{ file: "constructs/service/task/container-definitions.ts", text: '"mode=1777"' }],
    settledBy: { deployment: "a task writes a file to `/tmp` and reports its user and the mode of the folder" },
    refusedBy: /aws_ecs_task_definition\.[\s\S]*(ClientException|InvalidParameterException)/,
  },
  {
    id: "container-json",
    statement:
      "ECS returns container definitions so that the provider sees no difference, including an empty `capabilities.add` and a variable without a value",
    source: "https://github.com/hashicorp/terraform-provider-aws/issues/39533",
    dependsOn: [
      { file: "constructs/service/task/container-definitions.ts", text: "capabilities: { add: []" },
      { file: "emulator/python/services/ecs.py", text: "def fill_defaults" },
    ],
    settledBy: { deployment: "a second plan changes no task definition" },
    refusedBy: /aws_ecs_task_definition\.[\s\S]*(ClientException|InvalidParameterException)/,
  },
  {
    id: "task-role-condition",
    statement: "ECS sends `aws:SourceAccount` when it assumes the execution role and the task role",
    source: `${AWS_DOCS}/AmazonECS/latest/developerguide/task-iam-roles.html`,
    dependsOn: [{ file: "constructs/service/service-role.ts", text: 'service: "ecs-tasks.amazonaws.com"' }],
    settledBy: { deployment: "a task starts, and receives the credentials of its task role" },
  },
  {
    id: "stopped-tasks-policy",
    statement:
      "EventBridge sends `aws:SourceArn` with `logs:PutLogEvents`, and may create log streams by a statement without condition",
    source: `${AWS_DOCS}/eventbridge/latest/userguide/eb-use-resource-based.html`,
    dependsOn: [{ file: "constructs/cluster/stopped-tasks.ts", text: 'Condition: { ArnEquals: { "aws:SourceArn"' }],
    settledBy: { deployment: "the event of a stopped task arrives in the log group of stopped tasks" },
  },
  {
    id: "valkey-users",
    statement: "A user group of Valkey needs no user named `default`",
    source: `${AWS_DOCS}/AmazonElastiCache/latest/dg/Clusters.RBAC.html`,
    dependsOn: [{ file: "constructs/backing/cache.ts", text: "userIds: [user.userId]" }],
    settledBy: { deployment: "a user group with one user is created" },
    refusedBy: /aws_elasticache_user_group\.[\s\S]*(DefaultUserRequired|InvalidParameter)/,
  },
  {
    id: "destroyed",
    statement: "A destroyed stack leaves no resource with its tags",
    source: `${AWS_DOCS}/resourcegroupstagging/latest/APIReference/API_GetResources.html`,
    dependsOn: [{ file: "constructs/core/stack.ts", text: "this.tags = resolveTags" }],
    settledBy: { deployment: "after the destroy, no resource has the tag of the run" },
  },
  {
    id: "artifact-acl",
    statement:
      "A source action that uses a connection needs `s3:PutObjectAcl` and `s3:GetBucketAcl`, also in a bucket without ACLs",
    source: "https://github.com/aws/aws-cdk/issues/13557",
    dependsOn: [{ file: "constructs/pipeline/artifacts.ts", text: "grantUploadByConnection" }],
    settledBy: {
      steps:
        "deploy `examples/pipeline` with an approved connection and start it; then remove the grant, and start it again: the source action fails",
    },
  },
  {
    id: "connection-starts-pipeline",
    statement: "A push to the branch of a connection starts the pipeline",
    source: `${AWS_DOCS}/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html`,
    dependsOn: [{ file: "constructs/pipeline/triggers.ts", text: "CodeStarSourceConnection" }],
    settledBy: { steps: "deploy `examples/pipeline` with an approved connection, and push a commit" },
  },
  {
    id: "build-image",
    statement: "CodeBuild's standard images offer Node.js 22",
    source: `${AWS_DOCS}/codebuild/latest/userguide/available-runtimes.html`,
    dependsOn: [{ file: "constructs/pipeline/commands.ts", text: "amazonlinux-aarch64-standard:3.0" }],
    settledBy: { steps: "run the pipeline of `examples/pipeline`, and read the version in the log of its test action" },
  },
  {
    id: "alarm-key",
    statement: "CloudWatch sends `aws:SourceAccount` when it publishes to an encrypted topic",
    source: `${AWS_DOCS}/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html`,
    dependsOn: [{ file: "constructs/platform/alarm-topic.ts", text: "const ofThisAccount" }],
    settledBy: {
      steps:
        "deploy `examples/telemetry`, confirm the subscription, and set an alarm by `aws cloudwatch set-alarm-state`",
    },
  },
  {
    id: "schedule-role-condition",
    statement: "EventBridge Scheduler sends `aws:SourceAccount` when it assumes the role of a schedule",
    source: `${AWS_DOCS}/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html`,
    dependsOn: [{ file: "constructs/service/runtime/scheduled-task.ts", text: 'service: "scheduler.amazonaws.com"' }],
    settledBy: { steps: "deploy a job with the schedule `* * * * *`, and see its task start" },
  },
  {
    id: "late-metrics",
    statement: "Load balancers, SQS and ECS report the metrics of a minute at most one minute late",
    source: `${AWS_DOCS}/AmazonCloudWatch/latest/monitoring/using-metric-math.html`,
    dependsOn: [{ file: "test/contract/alarms/metrics.ts", text: 'title: "1 minute late"' }],
    settledBy: {
      steps:
        "compare the times of datapoints of a busy service with the times at which `get-metric-data` first returns them",
    },
  },
  {
    id: "scale-from-zero",
    statement: "`FILL(tasks, REPEAT)` of a service without running tasks is 0, once Container Insights has reported it",
    source: `${AWS_DOCS}/AmazonCloudWatch/latest/monitoring/using-metric-math.html`,
    dependsOn: [
      { file: "constructs/service/scaling/scaling.ts", text: "IF(FILL(tasks, REPEAT) + working > 0, 0, waiting)" },
    ],
    settledBy: {
      steps:
        "deploy a worker with a queue and `scaling: { min: 0 }`, wait until no task runs, and send one message: one task starts",
    },
  },
  {
    id: "key-of-caches",
    statement:
      "ElastiCache creates a grant for a customer-managed key in the name of who creates the cache, and names itself `elasticache` or `dax` then",
    source: `${AWS_DOCS}/AmazonElastiCache/latest/dg/at-rest-encryption.html`,
    dependsOn: [{ file: "constructs/pipeline/environment-limits.ts", text: '"dax"' }],
    settledBy: {
      steps:
        'deploy an environment with `encryption: "customer-managed"` and a `Cache` by the role of a pipeline, and read the event `CreateGrant` in CloudTrail',
    },
  },
  {
    id: "minor-version-of-valkey",
    statement: "ElastiCache raises the minor version of Valkey by itself, and the provider then plans no change",
    source: `${AWS_DOCS}/AmazonElastiCache/latest/dg/VersionManagement.html`,
    dependsOn: [{ file: "constructs/backing/cache.ts", text: 'ignoreChanges: ["engine_version"]' }],
    settledBy: { steps: "raise the version by `aws elasticache modify-replication-group --engine-version`, and plan" },
  },
  {
    id: "major-version-of-postgres",
    statement:
      "A major version of PostgreSQL and its parameter group can be changed by one apply, for instances and for Aurora",
    source: "https://github.com/hashicorp/terraform-provider-aws/issues/13389",
    dependsOn: [{ file: "constructs/backing/postgres-database.ts", text: "allowMajorVersionUpgrade" }],
    settledBy: { steps: "deploy `examples/backing-services`, raise `version`, and apply; about an hour and 1 USD" },
  },
  {
    id: "fault-permissions",
    statement: "The roles of experiments and of the agent may do what FIS does in their name",
    source: `${AWS_DOCS}/fis/latest/userguide/fis-actions-reference.html`,
    dependsOn: [
      { file: "constructs/chaos/chaos-experiment.ts", text: 'service: "fis.amazonaws.com"' },
      { file: "constructs/chaos/agent.ts", text: "ECS_CONTAINER_METADATA_URI_V4" },
    ],
    settledBy: { steps: "deploy `examples/chaos`, and run each of its experiments" },
  },
  {
    id: "alarms-turned-off",
    statement:
      "ECS accepts an alarm that does not exist in a deployment configuration that turns alarms off, and returns it",
    source: `${AWS_DOCS}/cdk/api/v2/docs/aws-cdk-lib.aws_ecs.DeploymentAlarmConfig.html`,
    dependsOn: [{ file: "constructs/service/monitoring/monitoring.ts", text: "#configureRollback(): void" }],
    settledBy: { steps: "deploy `examples/microservices` in a dev environment, and plan: the plan is empty" },
  },
  {
    id: "code-deploy-states",
    statement: "A deployment of CodeDeploy reports the states that `antifragile release` waits for",
    source: `${AWS_DOCS}/codedeploy/latest/APIReference/API_DeploymentInfo.html`,
    dependsOn: [{ file: "operations/release/aws.ts", text: "Succeeded" }],
    settledBy: { steps: "deploy `examples/canary-codedeploy`, and run `antifragile release` twice" },
  },
  {
    id: "native-canary",
    statement: "ECS shifts traffic by the listener rules and target groups that provider 6 configures",
    source: `${AWS_DOCS}/AmazonECS/latest/developerguide/canary-deployment.html`,
    dependsOn: [{ file: "constructs/service/traffic/targets.ts", text: "to shift traffic between target groups" }],
    settledBy: { steps: "deploy `examples/canary-native` with provider 6, and release a second version" },
  },
  {
    id: "github-subject",
    statement: "Tokens of new repositories name owner and repository with their ids",
    source: "https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/",
    dependsOn: [{ file: "constructs/pipeline/ci-trust.ts", text: "immutable-subject-claims" }],
    settledBy: {
      steps: "deploy `examples/github-actions` for a repository created after 15 July 2026, and run its workflow",
    },
  },
  {
    id: "sign-in",
    statement: "A browser signs in by Cognito and the load balancer, and signs out",
    source: `${AWS_DOCS}/elasticloadbalancing/latest/application/listener-authenticate-users.html`,
    dependsOn: [{ file: "constructs/auth/user-pool.ts", text: "class UserPool" }],
    settledBy: { steps: "deploy `examples/auth`, and open its page in a browser" },
  },
];
