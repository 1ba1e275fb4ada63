import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { CodeconnectionsConnection } from "@cdktf/provider-aws/lib/codeconnections-connection";
import {
  Codepipeline,
  type CodepipelineConfig,
  type CodepipelineStage,
  type CodepipelineStageAction,
} from "@cdktf/provider-aws/lib/codepipeline";
import { SchedulerSchedule } from "@cdktf/provider-aws/lib/scheduler-schedule";
import { Annotations, TerraformOutput } from "cdktf";
import { Construct } from "constructs";
import { checkArguments } from "../core/check-types";
import { validateAtSynth } from "../core/errors";
import { Role, roleArnOf } from "../core/iam";
import { jsonText, literal } from "../core/literal";
import { pascal } from "../core/names";
import { isReference } from "../core/reference";
import type { Schedule } from "../core/schedule";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import { LogStream } from "../logging/log-stream";
import { Artifacts } from "./artifacts";
import { BuildProject, type BuildProjectProps } from "./build-project";
import {
  APPLY,
  ASSUME_ROLE,
  DRIFT,
  IMAGE,
  INSTALL,
  installTerraform,
  PLAN,
  PLANS,
  RELEASE,
  RELEASE_OR_ROLL_BACK,
} from "./commands";
import { checkAgainstOwnRoles, EnvironmentStacks, rolesScope, warnWithoutBoundary } from "./environment-stacks";
import { allowPush } from "./image-access";
import { type IImageRepository, ImageRepository } from "./image-repository";
import { Notifications } from "./notifications";
import {
  type PipelineProps,
  type PipelineSettings,
  type ReleaseGate,
  type ReleaseSettings,
  resolvePipeline,
} from "./pipeline-props";
import { allowRelease } from "./release-access";
import type { ImageSource, SourceDefinition } from "./source";
import { TerraformAccess } from "./terraform-access";
import { events, SOURCE, triggers } from "./triggers";

type ProjectProps = Omit<BuildProjectProps, "artifacts" | "reads" | "logs" | "architecture"> & {
  /** Name of the artifact with plans. @default - none */
  readonly plans?: string;
};

/** Provider of sources at GitHub, GitLab and Bitbucket. */
const CONNECTION = "CodeStarSourceConnection";

/**
 * A continuous delivery pipeline that releases every commit to all environments in turn: test, image, and for each
 * environment plan, optional approval, apply, release and a check of the alarms. Uses CodePipeline (type V2) and CodeBuild.
 *
 * One role creates plans and changes nothing; another applies exactly those plans. Both run in the same stage, so that no
 * other execution comes between them. Deletions and replacements fail the plan unless the run allows them. A pipeline never
 * changes itself: apply its stack manually.
 *
 * Costs about 2 USD a month (a key, and 0.002 USD a minute of actions after 100), and about 0.004 USD a minute of builds.
 *
 * @example
 * ```ts
 * const staging: Environment = { name: "staging", region: "eu-central-1", profile: "dev", account: "123456789012", state: "s3" };
 * const production: Environment = { ...staging, name: "production", profile: "production" };
 * const delivery = new DeliveryStack(app, "orders", { region: "eu-central-1", account: "123456789012", state: "s3" });
 * new Pipeline(delivery, "Pipeline", {
 *   source: Source.gitHub("acme/orders"),
 *   releases: [{ environment: staging }, { environment: production, approval: true }],
 *   notify: ["orders-team@example.com"],
 * });
 * for (const environment of [staging, production]) {
 *   const shop = new Platform(app, "shop", { environment, listener: insecureHttp() });
 *   new CloudNativeService(shop.stack("orders"), "Orders").add(new Ingress());
 * }
 * ```
 * @see https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
 */
export class Pipeline extends Construct {
  readonly pipelineName: string;
  readonly pipelineArn: string;
  /** ARN of the topic for notifications. */
  readonly topicArn: string;
  /** Repository of the images; undefined if they are built elsewhere. */
  readonly images: IImageRepository | undefined;
  readonly #role: Role;
  readonly #artifacts: Artifacts;
  readonly #logs: LogStream;
  readonly #settings: PipelineSettings;
  /** Permissions of Terraform, by environment. */
  readonly #access = new Map<string, TerraformAccess>();

  /** @throws InvalidPropsError for the codes that {@link PipelineProps} lists */
  constructor(scope: Construct, id: string, props: PipelineProps) {
    super(scope, id);
    checkArguments("new Pipeline", { props }, this);
    const settings = resolvePipeline(this, props);
    this.#settings = settings;
    const stack = AwsStack.of(this);
    const name = stack.physicalName("pipeline", stack.stackName);
    this.#artifacts = new Artifacts(this, "Artifacts");
    this.#logs = new LogStream(this, "Builds");
    this.#role = new Role(this, "Role", {
      name: `${stack.stackName}-delivery-pipeline`,
      service: "codepipeline.amazonaws.com",
    });
    this.#artifacts.grantPipeline(this.#role);
    const followed = props.images !== undefined && "kind" in props.images ? props.images : undefined;
    this.images =
      followed === undefined
        ? ((props.images as IImageRepository | undefined) ?? new ImageRepository(this, "Images"))
        : undefined;

    const { definition } = props.source;
    const connectionArn = definition.kind === "connection" ? this.#connect(definition) : undefined;
    const sources = this.#sourceActions(definition, connectionArn, followed);
    const stages: CodepipelineStage[] = [
      { name: SOURCE, action: sources },
      { name: "Build", action: this.#buildActions() },
      ...settings.releases.map((release) => this.#releaseStage(release, followed)),
    ];
    const pipeline = this.#create("Resource", {
      name,
      executionMode: settings.executionMode.toUpperCase(),
      stage: stages,
      trigger: triggers(definition, this.#settings.directory),
    });
    this.pipelineName = pipeline.name;
    this.pipelineArn = pipeline.arn;
    this.#startOnEvents(events(stack, definition, followed));
    this.topicArn = new Notifications(this, "Notifications", {
      pipelineArn: pipeline.arn,
      driftPipelineArn: props.drift && this.#findDrift(props.drift, sources[0] as CodepipelineStageAction),
      keyArn: this.#artifacts.keyArn,
      emails: settings.notify,
    }).topicArn;
  }

  #create(id: string, config: Pick<CodepipelineConfig, "name" | "executionMode" | "stage" | "trigger">): Codepipeline {
    const pipeline = new Codepipeline(this, id, {
      ...config,
      pipelineType: "V2",
      roleArn: this.#role.roleArn,
      artifactStore: [
        {
          type: "S3",
          location: this.#artifacts.bucketName,
          encryptionKey: { type: "KMS", id: this.#artifacts.keyArn },
        },
      ],
      variable: this.#settings.variables.map((variable) => ({
        name: variable.name,
        defaultValue: literal(variable.value),
        description: variable.description && literal(variable.description),
      })),
    });
    this.#role.whenPolicy((address) => {
      pipeline.dependsOn = [...(pipeline.dependsOn ?? []), address];
    });
    return pipeline;
  }

  /** Returns the ARN of a pipeline that fails where an environment differs from the code. */
  #findDrift(schedule: Schedule, source: CodepipelineStageAction): string {
    const stack = AwsStack.of(this);
    const actions = this.#settings.releases.map(({ environment }) => {
      const id = pascal(environment.name);
      const access = this.#access.get(environment.name) as TerraformAccess;
      const { project, role } = this.#deploying(access.node.scope as Construct, `${id}Drift`, {
        name: `${environment.name}-drift`,
        spec: { install: [...INSTALL, ...installTerraform(this.#settings.architecture)], commands: DRIFT },
        timeout: Duration.hours(1),
        variables: { ENVIRONMENT: environment.name },
      });
      access.allowPlan(role);
      return this.#run(id, project, { runOrder: 1 });
    });
    const pipeline = this.#create("Drift", {
      name: stack.physicalName("pipeline", stack.stackName, "drift"),
      executionMode: "SUPERSEDED",
      stage: [
        {
          name: SOURCE,
          // Without triggers, every push would start it.
          action: [
            source.provider === CONNECTION
              ? { ...source, configuration: { ...source.configuration, DetectChanges: "false" } }
              : source,
          ],
        },
        { name: "Drift", action: actions },
      ],
    });
    const role = new Role(this, "DriftStartRole", {
      name: `${stack.stackName}-delivery-drift-start`,
      service: "scheduler.amazonaws.com",
    });
    role.grant({ actions: ["codepipeline:StartPipelineExecution"], resources: [pipeline.arn] });
    new SchedulerSchedule(this, "DriftSchedule", {
      name: stack.physicalName("schedule", stack.stackName, "drift"),
      description: "Starts the search for drift.",
      scheduleExpression: schedule.expression,
      scheduleExpressionTimezone: schedule.timezone,
      flexibleTimeWindow: { mode: "OFF" },
      target: { arn: pipeline.arn, roleArn: role.roleArn },
    });
    return pipeline.arn;
  }

  #connect(definition: Extract<SourceDefinition, { kind: "connection" }>): string {
    const stack = AwsStack.of(this);
    if (definition.connectionArn !== undefined) return literal(definition.connectionArn);
    const connection = new CodeconnectionsConnection(this, "Connection", {
      name: stack.physicalName("connection", stack.stackName),
      providerType: definition.provider,
    });
    new TerraformOutput(this, "ConnectionStatus", {
      value: connection.connectionStatus,
      description: `The pipeline does not start while the connection is PENDING: approve connection ${stack.stackName} in the console, under Developer Tools, Settings, Connections.`,
    });
    Annotations.of(this).addInfo(
      `connection ${stack.stackName} to ${definition.provider} stays pending until you approve it in the console, under Developer Tools, Settings, Connections`,
    );
    return connection.arn;
  }

  #sourceActions(
    definition: SourceDefinition,
    connectionArn: string | undefined,
    image: ImageSource | undefined,
  ): CodepipelineStageAction[] {
    const stack = AwsStack.of(this);
    const action = (provider: string, owner: string, configuration: Record<string, string>) => ({
      name: SOURCE,
      category: "Source",
      owner,
      provider,
      version: "1",
      namespace: SOURCE,
      outputArtifacts: [SOURCE],
      configuration,
    });
    const actions: CodepipelineStageAction[] = [];
    if (definition.kind === "connection") {
      const arn = connectionArn ?? "";
      this.#role.grant({ actions: useConnection(definition.connectionArn), resources: [arn] });
      this.#artifacts.grantUploadByConnection(this.#role);
      actions.push(
        action(CONNECTION, "AWS", {
          ConnectionArn: arn,
          FullRepositoryId: literal(definition.repository),
          BranchName: literal(definition.branch ?? "main"),
          OutputArtifactFormat: "CODE_ZIP",
        }),
      );
    } else if (definition.kind === "codeCommit") {
      this.#role.grant({
        actions: [
          "codecommit:CancelUploadArchive",
          "codecommit:GetBranch",
          "codecommit:GetCommit",
          "codecommit:GetUploadArchiveStatus",
          "codecommit:UploadArchive",
        ],
        resources: [stack.arn("codecommit", definition.repository)],
      });
      actions.push(
        action("CodeCommit", "AWS", {
          RepositoryName: literal(definition.repository),
          BranchName: literal(definition.branch ?? "main"),
          PollForSourceChanges: "false",
          OutputArtifactFormat: "CODE_ZIP",
        }),
      );
    } else {
      const bucket = `arn:${stack.partition}:s3:::${definition.bucket}`;
      this.#role.grant({ actions: ["s3:GetBucketVersioning"], resources: [bucket] });
      this.#role.grant({
        actions: ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectVersion"],
        resources: [`${bucket}/${literal(definition.key)}`],
      });
      actions.push(
        action("S3", "AWS", {
          S3Bucket: literal(definition.bucket),
          S3ObjectKey: literal(definition.key),
          PollForSourceChanges: "false",
        }),
      );
    }
    if (image !== undefined) {
      this.#role.grant({
        actions: ["ecr:DescribeImages"],
        resources: [stack.arn("ecr", `repository/${image.repository}`)],
      });
      actions.push({
        ...action("ECR", "AWS", { RepositoryName: literal(image.repository), ImageTag: literal(image.tag) }),
        name: "Image",
        namespace: "Image",
        outputArtifacts: ["Image"],
      });
    }
    return actions;
  }

  #buildActions(): CodepipelineStageAction[] {
    const test = this.#project("Test", {
      name: "test",
      spec: { install: INSTALL, commands: this.#settings.testCommands },
      timeout: Duration.hours(1),
    });
    const actions = [this.#run("Test", test, { runOrder: 1 })];
    const { images } = this;
    if (images === undefined) return actions;
    const image = this.#project("Image", {
      name: "image",
      spec: { install: [], commands: IMAGE, exports: ["IMAGE"] },
      timeout: Duration.hours(1),
      variables: { REPOSITORY_NAME: images.repositoryName, REPOSITORY_URL: images.repositoryUrl },
      // A Docker daemon has full access to its build instance, so nothing from the repository runs there except its
      // Dockerfile.
      privileged: true,
    });
    allowPush(image, images);
    return [...actions, this.#run("Image", image, { runOrder: 2, namespace: "Image" })];
  }

  /**
   * Plan, approval, apply, release and gates in one stage: only one execution is in a stage at a time, so its plans stay
   * current.
   */
  #releaseStage(release: ReleaseSettings, followed: ImageSource | undefined): CodepipelineStage {
    const { environment, approval, watch, rollbackOnAlarm, gates } = release;
    const stack = AwsStack.of(this);
    const id = pascal(environment.name);
    const stacks = new EnvironmentStacks(this, environment);
    const scope = rolesScope(this, environment);
    validateAtSynth(this, () => [
      ...checkAgainstOwnRoles(scope, environment, stacks, "releases"),
      ...gates.flatMap(({ name, check }) =>
        (check?.(this.node.root) ?? []).map((problem) => ({ ...problem, prop: `gates.${name}.${problem.prop}` })),
      ),
    ]);
    const access = new TerraformAccess(scope, `${id}Access`, {
      environment,
      stacks,
      name: `${stack.stackName}-delivery-${environment.name}`,
    });
    this.#access.set(environment.name, access);
    warnWithoutBoundary(this, environment, "releases");
    const variables = { ENVIRONMENT: environment.name };
    const plan = this.#deploying(scope, `${id}Plan`, {
      name: `${environment.name}-plan`,
      spec: { install: [...INSTALL, ...installTerraform(this.#settings.architecture)], commands: PLAN, files: [PLANS] },
      timeout: Duration.hours(1),
      variables,
      writes: [`${id}Plan`],
    });
    access.allowPlan(plan.role);
    const apply = this.#deploying(scope, `${id}Apply`, {
      name: `${environment.name}-apply`,
      spec: { install: [...INSTALL, ...installTerraform(this.#settings.architecture)], commands: APPLY },
      timeout: Duration.hours(2),
      variables: { ...variables, APPROVED: approval ? "yes" : "no", PLANS_ARTIFACT: `${id}Plan` },
      plans: `${id}Plan`,
    });
    access.allowApply(apply.role);
    const live = this.#deploying(scope, `${id}Release`, {
      name: `${environment.name}-release`,
      spec: { install: INSTALL, commands: rollbackOnAlarm ? RELEASE_OR_ROLL_BACK : RELEASE },
      timeout: Duration.minutes(150),
      variables: { ...variables, WATCH_MINUTES: String(watch.toMinutes()) },
    });
    allowRelease(live.role, {
      delivery: stack,
      environment,
      stacks,
      images: this.images ?? (followed as ImageSource),
    });
    const image = this.images === undefined ? this.#followedImage(followed as ImageSource) : "#{Image.IMAGE}";
    let order = 0;
    const next = () => {
      order += 1;
      return order;
    };
    return {
      name: id,
      action: [
        this.#run("Plan", plan.project, { runOrder: next(), outputArtifacts: [`${id}Plan`] }),
        ...(approval ? [approvalAction(environment.name, next())] : []),
        this.#run("Apply", apply.project, { runOrder: next(), plans: `${id}Plan` }),
        this.#run("Release", live.project, { runOrder: next(), variables: { IMAGE: image } }),
        ...gates.map((gate) =>
          this.#run(pascal(gate.name), this.#gate(scope, environment.name, gate), { runOrder: next() }),
        ),
      ],
    };
  }

  #gate(scope: Construct, environment: string, gate: ReleaseGate): BuildProject {
    const { project, role } = this.#deploying(scope, `${pascal(environment)}Gate${pascal(gate.name)}`, {
      name: `${environment}-${gate.name}`,
      spec: { install: INSTALL, commands: gate.commands },
      timeout: gate.timeout ?? Duration.hours(1),
      variables: { ENVIRONMENT: environment },
    });
    for (const permission of gate.permissions?.(this.node.root) ?? []) role.grant(permission);
    return project;
  }

  #followedImage({ repository }: ImageSource): string {
    const stack = AwsStack.of(this);
    return `${stack.accountId}.dkr.ecr.${stack.environment.region}.amazonaws.com/${literal(repository)}@#{Image.ImageDigest}`;
  }

  /**
   * Creates a build that changes an environment, and the role to change it with: the role of the build or, in a stack of another account,
   * one that only this build may assume.
   */
  #deploying(scope: Construct, id: string, props: ProjectProps): { project: BuildProject; role: Role } {
    if (scope === this) {
      const project = this.#project(id, props);
      return { project, role: project.role };
    }
    const name = `${AwsStack.of(this).stackName}-delivery-${props.name}`;
    const roleArn = roleArnOf(AwsStack.of(scope), name);
    const project = this.#project(id, {
      ...props,
      spec: { ...props.spec, commands: [ASSUME_ROLE, ...props.spec.commands] },
      variables: { ...props.variables, ROLE_ARN: roleArn },
    });
    project.grant({ actions: ["sts:AssumeRole"], resources: [roleArn] });
    return { project, role: new Role(scope, id, { name, service: [{ roleArn: project.role.arnAsText() }] }) };
  }

  #project(id: string, { plans, ...props }: ProjectProps): BuildProject {
    const project = new BuildProject(this, id, {
      ...props,
      spec: { directory: this.#settings.directory, ...props.spec },
      reads: plans === undefined ? [SOURCE] : [SOURCE, plans],
      artifacts: this.#artifacts,
      logs: this.#logs,
      architecture: this.#settings.architecture,
    });
    this.#role.grant({
      actions: ["codebuild:BatchGetBuilds", "codebuild:StartBuild"],
      resources: [project.projectArn],
    });
    return project;
  }

  #run(
    name: string,
    project: BuildProject,
    options: {
      readonly runOrder: number;
      readonly namespace?: string;
      readonly outputArtifacts?: string[];
      readonly plans?: string;
      readonly variables?: Readonly<Record<string, string>>;
    },
  ): CodepipelineStageAction {
    const { plans, variables = {}, ...rest } = options;
    const given = [
      ...this.#settings.variables.map((variable) => [variable.name, `#{variables.${variable.name}}`]),
      ...Object.entries(variables),
    ].map(([variable, value]) => ({ name: variable, value, type: "PLAINTEXT" }));
    return {
      name,
      category: plans === undefined && name === "Test" ? "Test" : "Build",
      owner: "AWS",
      provider: "CodeBuild",
      version: "1",
      inputArtifacts: plans === undefined ? [SOURCE] : [SOURCE, plans],
      configuration: {
        ProjectName: project.projectName,
        EnvironmentVariables: jsonText(given),
        ...(plans === undefined ? {} : { PrimarySource: SOURCE }),
      },
      ...rest,
    };
  }

  #startOnEvents(patterns: readonly { readonly id: string; readonly pattern: object }[]): void {
    if (patterns.length === 0) return;
    const stack = AwsStack.of(this);
    const role = new Role(this, "StartRole", {
      name: `${stack.stackName}-delivery-start`,
      service: "events.amazonaws.com",
    });
    role.grant({ actions: ["codepipeline:StartPipelineExecution"], resources: [this.pipelineArn] });
    for (const { id, pattern } of patterns) {
      const rule = new CloudwatchEventRule(this, id, {
        name: stack.physicalName("eventRule", stack.stackName, "delivery", id.toLowerCase()),
        description: `Starts the pipeline of ${stack.stackName}`,
        eventPattern: jsonText(pattern),
      });
      new CloudwatchEventTarget(this, `${id}Target`, { rule: rule.name, arn: this.pipelineArn, roleArn: role.roleArn });
    }
  }
}

/** Actions that use a connection: of both services that an ARN can be of, if it is known only at apply. */
function useConnection(connectionArn = "arn:aws:codeconnections"): string[] {
  const services = isReference(connectionArn)
    ? ["codeconnections", "codestar-connections"]
    : [connectionArn.split(":")[2]];
  return services.map((service) => `${service}:UseConnection`);
}

function approvalAction(environment: string, runOrder: number): CodepipelineStageAction {
  return {
    name: "Approve",
    category: "Approval",
    owner: "AWS",
    provider: "Manual",
    version: "1",
    runOrder,
    configuration: {
      CustomData: `Review the plans of ${environment} in the log of the previous action. Approving applies exactly these plans and releases the image.`,
    },
  };
}
