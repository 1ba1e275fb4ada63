import { REGION } from "../resolve";
import { arn, calls, DOCS, type Flow, passed, roleArn } from "./flow";

const BUILDS =
  "([a-z]+)-delivery-((?:live-|staging-)?(?:test|image)|(?:live-|staging-)(?:plan|apply|release|drift|smoke|shaken))";
const artifact = (repository: string) => `arn:aws:s3:::${repository}-artifacts-0123456789/x/Source/a1b2c3d`;
const ARTIFACTS_KEY = arn("kms", "key/pipeline-artifacts-key-18634b1b");
const CODEPIPELINE = `${DOCS}/codepipeline/latest/userguide`;

/** Flows of pipelines. */
export const OF_PIPELINES: readonly Flow[] = [
  {
    name: "CodePipeline reads and writes artifacts",
    role: /^([a-z]+)-delivery-pipeline$/,
    source: `${CODEPIPELINE}/how-to-custom-role.html#how-to-custom-role-policy`,
    calls: (name = "") => [
      calls("s3:GetBucketVersioning s3:GetBucketLocation s3:GetBucketAcl", `arn:aws:s3:::${name}-artifacts-0123456789`),
      calls("s3:GetObject s3:GetObjectVersion s3:PutObject", artifact(name)),
    ],
  },
  {
    name: "CodePipeline encrypts artifacts with a customer-managed key",
    role: /^([a-z]+)-delivery-pipeline$/,
    source: `${CODEPIPELINE}/pipelines-create-cross-account.html`,
    calls: () => [calls("kms:DescribeKey kms:GenerateDataKey kms:Encrypt kms:Decrypt", ARTIFACTS_KEY)],
  },
  {
    name: "CodePipeline builds with CodeBuild",
    role: /^([a-z]+)-delivery-pipeline$/,
    source: `${CODEPIPELINE}/action-reference-CodeBuild.html`,
    calls: (name = "") =>
      ["test", name === "orders" ? "staging-release" : "live-release"].map((project) =>
        calls("codebuild:StartBuild codebuild:BatchGetBuilds", arn("codebuild", `project/${name}-${project}`)),
      ),
  },
  {
    name: "CodePipeline reads a repository through a connection, and sets an ACL on what it uploads",
    role: /^(goods|old)-delivery-pipeline$/,
    source: `${CODEPIPELINE}/action-reference-CodestarConnectionSource.html`,
    calls: (name = "") => {
      const service = name === "old" ? "codestar-connections" : "codeconnections";
      return [
        calls(`${service}:UseConnection`, arn(service, "connection/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")),
        calls("s3:PutObjectAcl", artifact(name)),
      ];
    },
  },
  {
    name: "CodePipeline reads a CodeCommit repository",
    role: /^orders-delivery-pipeline$/,
    source: `${CODEPIPELINE}/action-reference-CodeCommit.html`,
    calls: () => [
      calls("codecommit:GetBranch codecommit:GetCommit codecommit:UploadArchive", arn("codecommit", "orders")),
      calls("codecommit:GetUploadArchiveStatus codecommit:CancelUploadArchive", arn("codecommit", "orders")),
    ],
  },
  {
    name: "CodePipeline reads a file in S3",
    role: /^uploaded-delivery-pipeline$/,
    source: `${CODEPIPELINE}/action-reference-S3.html`,
    calls: () => [
      calls("s3:GetBucketVersioning", "arn:aws:s3:::sources"),
      calls("s3:GetObject s3:GetObjectVersion s3:GetObjectTagging", "arn:aws:s3:::sources/uploaded.zip"),
    ],
  },
  {
    name: "CodePipeline reads an image in ECR",
    role: /^uploaded-delivery-pipeline$/,
    source: `${CODEPIPELINE}/action-reference-ECR.html`,
    calls: () => [calls("ecr:DescribeImages", arn("ecr", "repository/prebuilt"))],
  },
  {
    name: "CodeBuild runs a build: logs and artifacts",
    role: new RegExp(`^${BUILDS}$`),
    source: `${DOCS}/codebuild/latest/userguide/setting-up-service-role.html`,
    calls: (name = "", build = "") => [
      calls(
        "logs:CreateLogStream logs:PutLogEvents",
        arn("logs", `log-group:/${name}/delivery/builds:log-stream:${build}/1`),
      ),
      calls("s3:GetObject s3:GetObjectVersion", artifact(name)),
      calls("s3:GetBucketAcl s3:GetBucketLocation", `arn:aws:s3:::${name}-artifacts-0123456789`),
    ],
  },
  {
    name: "CodeBuild hands plans on to the build that applies them",
    role: /^([a-z]+)-delivery-(live|staging)-(plan|apply)$/,
    source: `${DOCS}/codebuild/latest/userguide/setting-up-service-role.html`,
    calls: (name = "", environment = "", access = "") => {
      const stage = `${environment.charAt(0).toUpperCase()}${environment.slice(1)}Plan`.slice(0, 10);
      const plans = artifact(name).replace("Source", stage);
      return [calls(access === "plan" ? "s3:PutObject" : "s3:GetObject s3:GetObjectVersion", plans)];
    },
  },
  {
    name: "CodeBuild encrypts artifacts with a customer-managed key",
    role: new RegExp(`^${BUILDS}$`),
    source: `${DOCS}/codebuild/latest/userguide/setting-up-kms.html`,
    calls: () => [calls("kms:Encrypt kms:Decrypt kms:GenerateDataKey kms:DescribeKey", ARTIFACTS_KEY)],
  },
  {
    name: "Docker and npm run image push an image",
    role: /^([a-z]+)-delivery-(?:gh-)?image$/,
    source: `${DOCS}/AmazonECR/latest/userguide/image-push-iam.html`,
    calls: (name = "") => {
      const repository = arn("ecr", `repository/${name}`);
      return [
        calls("ecr:GetAuthorizationToken", "*"),
        calls("ecr:CompleteLayerUpload ecr:UploadLayerPart ecr:InitiateLayerUpload", repository),
        calls("ecr:BatchCheckLayerAvailability ecr:PutImage ecr:BatchGetImage", repository),
        // BuildKit reads layers of the cache; the script asks for the URI and whether the tag exists.
        calls("ecr:GetDownloadUrlForLayer ecr:DescribeRepositories ecr:DescribeImages", repository),
      ];
    },
  },
  {
    name: "EventBridge starts a pipeline",
    role: /^([a-z]+)-delivery-start$/,
    source: `${DOCS}/eventbridge/latest/userguide/eb-use-identity-based.html`,
    calls: (name = "") => [calls("codepipeline:StartPipelineExecution", arn("codepipeline", name))],
  },
  {
    name: "EventBridge Scheduler starts the pipeline that finds drift",
    role: /^([a-z]+)-delivery-drift-start$/,
    source: `${DOCS}/scheduler/latest/UserGuide/managing-targets-templated.html`,
    calls: (name = "") => [calls("codepipeline:StartPipelineExecution", arn("codepipeline", `${name}-drift`))],
  },
  {
    name: "A gate runs an experiment",
    role: /^orders-delivery-staging-shaken$/,
    source: `${DOCS}/fis/latest/userguide/security_iam_id-based-policy-examples.html`,
    calls: () => [
      calls("ssm:GetParameter", arn("ssm", "parameter/antifragile/staging/elsewhere/experiments/shaken")),
      calls("fis:StartExperiment", arn("fis", "experiment-template/EXT0123456789abcde"), {
        "aws:ResourceTag/Name": "elsewhere-staging-shaken",
      }),
      calls("fis:StartExperiment fis:GetExperiment", arn("fis", "experiment/EXP0123456789abcde")),
      calls("iam:CreateServiceLinkedRole", roleArn("aws-service-role/fis.amazonaws.com/AWSServiceRoleForFIS"), {
        "iam:AWSServiceName": "fis.amazonaws.com",
      }),
    ],
  },
];

const RELEASE = /^([a-z]+)-delivery-(?:gh-)?(?:live|staging)-release$/;
const RELEASE_LIVE = /^([a-z]+)-delivery-(?:gh-)?live-release$/;
const inDepot = { "ecs:cluster": arn("ecs", "cluster/depot-live") };
const released = (name: string) => arn("ssm", `parameter/antifragile/live/depot/releases/goods/${name}`);
const ofDepot = (service: string) => arn("ecs", `service/depot-live/${service}`);
const AUTHORIZATION = `${DOCS}/service-authorization/latest/reference`;
const STARTED = arn("ecs", "task/depot-live/0123456789abcdef0123456789abcdef");

/** Flows of the commands release, rollback, migrate, admin and alarms. A test compares the commands' calls with the permissions. */
export const OF_COMMANDS: readonly Flow[] = [
  {
    name: "alarms reads metric and composite alarms",
    role: RELEASE,
    source: `${DOCS}/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html`,
    calls: () => [calls("cloudwatch:DescribeAlarms", "*", { "aws:RequestedRegion": REGION })],
  },
  {
    name: "release tags the image as released",
    role: RELEASE,
    source: `${AUTHORIZATION}/list_amazonelasticcontainerregistry.html`,
    calls: (name = "") => {
      const repository = { uploaded: "prebuilt" }[name] ?? name;
      return [calls("ecr:BatchGetImage ecr:PutImage", arn("ecr", `repository/${repository}`))];
    },
  },
  {
    name: "release reads what to release, takes the lock and records the release",
    role: RELEASE_LIVE,
    source: `${AUTHORIZATION}/list_awssystemsmanager.html`,
    calls: () => [
      calls("ssm:GetParametersByPath", released("processes")),
      calls("ssm:GetParameter ssm:PutParameter ssm:DeleteParameter", released("lock")),
      calls("ssm:GetParameter ssm:GetParameterHistory ssm:PutParameter", released("record")),
    ],
  },
  {
    name: "release updates services and registers task definitions",
    role: RELEASE_LIVE,
    source: `${AUTHORIZATION}/list_amazonelasticcontainerservice.html`,
    calls: () => [
      ...["web", "shifted", "quiet"].map((each) => calls("ecs:DescribeServices ecs:UpdateService", ofDepot(each))),
      calls("ecs:DescribeServices", ofDepot("swapped")),
      calls("ecs:DescribeTaskDefinition ecs:RegisterTaskDefinition", "*"),
      calls("ecs:TagResource", arn("ecs", "task-definition/depot-live-web:7"), {
        "ecs:CreateAction": "RegisterTaskDefinition",
      }),
      ...["web-task", "web-execution", "nightly-task"].map((each) =>
        calls("iam:PassRole", roleArn(`depot-live-${each}`), passed("ecs-tasks")),
      ),
    ],
  },
  {
    name: "release points a schedule at a new task definition",
    role: RELEASE_LIVE,
    source: `${AUTHORIZATION}/list_amazoneventbridgescheduler.html`,
    calls: () => [
      calls("scheduler:GetSchedule scheduler:UpdateSchedule", arn("scheduler", "schedule/default/depot-live-nightly")),
      calls("iam:PassRole", roleArn("depot-live-nightly-schedule"), passed("scheduler")),
    ],
  },
  {
    name: "release deploys with CodeDeploy, and stops a deployment",
    role: RELEASE_LIVE,
    source: `${DOCS}/codedeploy/latest/userguide/auth-and-access-control-permissions-reference.html`,
    calls: () => [
      calls(
        "codedeploy:CreateDeployment codedeploy:GetDeployment",
        arn("codedeploy", "deploymentgroup:depot-live-swapped/depot-live-swapped"),
      ),
      calls("codedeploy:StopDeployment", "*", { "aws:RequestedRegion": REGION }),
      calls(
        "codedeploy:GetApplicationRevision codedeploy:RegisterApplicationRevision",
        arn("codedeploy", "application:depot-live-swapped"),
      ),
      calls(
        "codedeploy:GetDeploymentConfig",
        arn("codedeploy", "deploymentconfig:CodeDeployDefault.ECSCanary10Percent5Minutes"),
      ),
    ],
  },
  {
    name: "migrate runs an admin process, waits for it, stops it and prints its logs",
    role: RELEASE_LIVE,
    source: `${AUTHORIZATION}/list_amazonelasticcontainerservice.html`,
    calls: () => [
      calls("ecs:RunTask", arn("ecs", "task-definition/depot-live-web:7"), inDepot),
      calls("ecs:TagResource", STARTED, { "ecs:CreateAction": "RunTask" }),
      calls("iam:PassRole", roleArn("depot-live-web-admin"), passed("ecs-tasks")),
      calls("ecs:DescribeTasks ecs:StopTask", STARTED, inDepot),
      calls("logs:GetLogEvents", arn("logs", "log-group:/depot/live/web:log-stream:web/web/1")),
    ],
  },
  {
    name: "release prints why tasks stopped",
    role: RELEASE_LIVE,
    source: `${AUTHORIZATION}/list_amazonelasticcontainerservice.html`,
    calls: () => [calls("ecs:ListTasks", "*", inDepot)],
  },
];
