import { EcsTaskDefinition } from "@cdktf/provider-aws/lib/ecs-task-definition";
import { Lazy } from "cdktf";
import type { Construct } from "constructs";
import { PULL_IMAGE_ACTIONS } from "../../../contract/images";
import { invalid, type Problem, validateAtSynth } from "../../core/errors";
import type { Role, Statement } from "../../core/iam";
import { jsonText, literal, markValues } from "../../core/literal";
import { physicalName } from "../../core/names";
import { mapText } from "../../core/plain";
import { readsSecrets, type SecretStore, storesOf, withoutKey } from "../../core/secrets";
import type { ILogStream } from "../../logging/log-stream";
import { reachableImage, repositoryArn } from "../../vpc/images";
import type { ServiceContext } from "../props";
import { serviceRole } from "../service-role";
import { PROXY_SIZE } from "../traffic/service-connect";
import { containerDefinitions, type Secret, sortKeys } from "./container-definitions";
import { type ContainerOverrides, checkContainerOverrides, overridden } from "./container-overrides";
import { checkSidecar, type Sidecar } from "./sidecar";
import { fargateSize, type TaskSize } from "./task-size";

/** Largest task definition that ECS accepts. @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html */
const TASK_DEFINITION_BYTES = 65_536;

interface TaskProps {
  readonly logs: ILogStream;
  /** Environment variables from the props of the service. */
  readonly environment: Readonly<Record<string, string>>;
  /** ARNs of secrets and parameters, by environment variable. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Reports at synth whether the Service Connect proxy runs in the task. */
  readonly hasProxy: () => boolean;
}

/** Task definition of a service with its roles, environment variables, secrets, sidecars and size. */
export class Task {
  /** Task definition in Terraform. */
  readonly definition: EcsTaskDefinition;
  /** Addresses that must exist before tasks start and as long as they run: the policies of the roles. */
  readonly dependencies: string[] = [];

  readonly #scope: Construct;
  readonly #context: ServiceContext;
  readonly #props: TaskProps;
  readonly #taskRole: Role;
  readonly #executionRole: Role;
  readonly #environment = new Map<string, string>();
  readonly #secrets = new Map<string, Secret>();
  /** ARNs of all secrets of the task's containers. */
  readonly #secretArns = new Map<SecretStore, string[]>();
  readonly #sidecars: Sidecar[] = [];
  readonly #overrides = new Map<string, ContainerOverrides[]>();
  readonly #imageUri: string;

  constructor(scope: Construct, context: ServiceContext, props: TaskProps) {
    this.#scope = scope;
    this.#context = context;
    this.#props = props;
    this.#taskRole = serviceRole(scope, "TaskRole", context, "task", this.dependencies);
    this.#executionRole = serviceRole(scope, "ExecutionRole", context, "execution", this.dependencies);
    props.logs.grants.write(this.#executionRole);
    this.#allowPullOfReleases();
    this.#setVariables();
    this.#imageUri = this.#reachable(context.settings.image.uri);
    this.definition = this.#define();
    this.#validate();
  }

  /** Role of the app itself. */
  get roleArn(): string {
    return this.#taskRole.roleArn;
  }

  /** Roles that the starter of the tasks must be allowed to pass. */
  get roleArns(): string[] {
    return [this.#taskRole.roleArn, this.#executionRole.roleArn];
  }

  /** Number of containers, without the Service Connect proxy. */
  get containerCount(): number {
    return 1 + this.#sidecars.length;
  }

  /** Adds a statement to the role of the app. */
  grant(statement: Statement): void {
    this.#taskRole.grant(statement);
  }

  /** @throws InvalidPropsError ENVIRONMENT_VARIABLE_TWICE */
  setVariable(variable: string, value: string): void {
    this.#refuseTwice(variable);
    this.#environment.set(variable, markValues(value));
  }

  /**
   * Sets a variable that ECS reads from a secret or parameter when a task starts.
   *
   * @throws InvalidPropsError ENVIRONMENT_VARIABLE_TWICE
   */
  setSecret(variable: string, valueFrom: string): void {
    this.#refuseTwice(variable);
    this.#secrets.set(variable, { name: variable, valueFrom: literal(valueFrom) });
    this.#allowSecret(valueFrom);
  }

  /** @throws InvalidPropsError SIDECAR_NAME, SIDECAR_SIZE */
  addSidecar(sidecar: Sidecar): void {
    checkSidecar(this.#scope, sidecar, this.#containerNames);
    for (const arn of Object.values(sidecar.secrets ?? {})) this.#allowSecret(arn);
    const { image, ...others } = mapText(sidecar, literal);
    this.#sidecars.push({ ...others, image: this.#reachable(image) });
  }

  /** @throws InvalidPropsError CONTAINER_OVERRIDES */
  overrideContainer(name: string, overrides: ContainerOverrides): void {
    checkContainerOverrides(this.#scope, name, overrides);
    this.#overrides.set(name, [...(this.#overrides.get(name) ?? []), mapText(overrides, literal)]);
  }

  /** Allows AWS FIS to inject network faults: its agent must see the processes of the other containers. */
  allowNetworkFaults(): void {
    this.definition.enableFaultInjection = true;
    this.definition.pidMode = "task";
  }

  get #containerNames(): string[] {
    return [this.#context.settings.name, ...this.#sidecars.map(({ name }) => name)];
  }

  /** Task size for the app, its sidecars and the proxy together; undefined if no Fargate size is large enough. */
  get #size(): TaskSize | undefined {
    const parts = [this.#context.settings.size, ...this.#sidecars, ...(this.#props.hasProxy() ? [PROXY_SIZE] : [])];
    return fargateSize({
      cpu: sum(parts.map(({ cpu }) => cpu)),
      memoryMiB: sum(parts.map(({ memoryMiB }) => memoryMiB)),
    });
  }

  #allowPullOfReleases(): void {
    const { stack, settings } = this.#context;
    if (settings.image.kind !== "repository") return;
    const repository = literal(settings.image.sourceIn(stack.stackName));
    const { region, imageAccount = stack.accountId } = stack.environment;
    this.#allowPull(`arn:${stack.partition}:ecr:${region}:${imageAccount}:repository/${repository}`);
  }

  #allowPull(repository: string): void {
    this.#executionRole.grant({
      actions: PULL_IMAGE_ACTIONS,
      resources: [repository],
    });
    // This action supports no resource-level permissions.
    this.#executionRole.grant({ actions: ["ecr:GetAuthorizationToken"], resources: ["*"] });
  }

  /** URI from which the VPC can pull an image. Grants the permission to pull if the image is in ECR. */
  #reachable(image: string): string {
    const uri = reachableImage(this.#scope, this.#context.stack.vpc, image);
    const repository = repositoryArn(this.#scope, uri);
    if (repository !== undefined) this.#allowPull(repository);
    return uri;
  }

  #setVariables(): void {
    const { name, process, shutdown } = this.#context.settings;
    const { environment, secrets } = this.#props;
    for (const [variable, value] of Object.entries(environment)) this.setVariable(variable, literal(value));
    for (const [variable, arn] of Object.entries(secrets)) this.setSecret(variable, arn);
    this.setVariable("SERVICE_NAME", name);
    this.setVariable("DRAIN_SECONDS", String(process.kind === "web" ? shutdown.drain.toSeconds() : 0));
    this.setVariable("SHUTDOWN_SECONDS", String(shutdown.deadline.toSeconds()));
    if (process.kind === "web") this.setVariable("PORT", String(process.port));
    if (process.kind === "worker" && process.queue !== undefined) this.setVariable("QUEUE_URL", process.queue.queueUrl);
  }

  #define(): EcsTaskDefinition {
    const { settings, fullName } = this.#context;
    return new EcsTaskDefinition(this.#scope, "Task", {
      family: physicalName("taskFamily", ...fullName),
      cpu: Lazy.stringValue({ produce: () => String(this.#size?.cpu) }),
      memory: Lazy.stringValue({ produce: () => String(this.#size?.memoryMiB) }),
      networkMode: "awsvpc",
      // Tasks on instances that Fargate could run may: a release that is live moves with its service, at an apply.
      requiresCompatibilities: Lazy.listValue({
        produce: () =>
          settings.compatibility === "EC2" && this.#overrides.size === 0
            ? ["EC2", "FARGATE"]
            : [settings.compatibility],
      }),
      runtimePlatform: {
        operatingSystemFamily: "LINUX",
        cpuArchitecture: settings.architecture === "arm64" ? "ARM64" : "X86_64",
      },
      taskRoleArn: this.#taskRole.roleArn,
      executionRoleArn: this.#executionRole.roleArn,
      containerDefinitions: Lazy.stringValue({ produce: () => this.#containers() }),
      // Keeps old revisions active, because a rollback starts one of them again.
      skipDestroy: true,
    });
  }

  #containers(): string {
    const { settings, stack } = this.#context;
    const definitions = containerDefinitions({
      ...settings,
      imageUri: this.#imageUri,
      environment: this.#environment,
      secrets: this.#secrets,
      sidecars: this.#sidecars,
      logs: this.#props.logs,
      region: stack.environment.region,
    });
    const patched = definitions.map((container) =>
      (this.#overrides.get(container.name) ?? []).reduce(overridden, container),
    );
    return jsonText(patched.map(sortKeys));
  }

  /** Checks conditions at synth that are known only when all add-ons are present. */
  #validate(): void {
    validateAtSynth(this.#scope, () => {
      const problems: Problem[] = [];
      if (this.#size === undefined) {
        problems.push({
          code: "SERVICE_SIZE",
          prop: "size",
          problem: "must fit into a Fargate task, together with its add-ons",
          remedy: "Use fewer or smaller add-ons.",
        });
      }
      if (Buffer.byteLength(this.#containers()) > TASK_DEFINITION_BYTES) {
        problems.push({
          code: "TASK_DEFINITION_SIZE",
          prop: "environment",
          problem: `must result in a task definition of at most ${TASK_DEFINITION_BYTES} bytes, including the variables of add-ons`,
          remedy: "Keep large values in a file or parameter, and pass its name.",
        });
      }
      for (const name of this.#overrides.keys()) {
        if (this.#containerNames.includes(name)) continue;
        problems.push({
          code: "CONTAINER_UNKNOWN",
          prop: `overrideContainer(${JSON.stringify(name)})`,
          problem: `must name a container of the task: ${this.#containerNames.join(", ")}`,
          remedy: "Use one of these names, or add the sidecar.",
        });
      }
      return problems;
    });
  }

  /** Allows ECS to read a secret or parameter when a task starts. */
  #allowSecret(valueFrom: string): void {
    const { partition, environment } = this.#context.stack;
    const known = [...this.#secretArns.values()].flat().length;
    const arn = withoutKey(this.#scope, `SecretArn${known + 1}`, valueFrom);
    for (const store of storesOf(valueFrom)) {
      const arns = this.#secretArns.get(store) ?? [];
      if (!this.#secretArns.has(store)) {
        this.#secretArns.set(store, arns);
        for (const statement of readsSecrets(store, { partition, region: environment.region }, arns)) {
          this.#executionRole.grant(statement);
        }
      }
      if (!arns.includes(arn)) arns.push(arn);
    }
  }

  #refuseTwice(variable: string): void {
    if (this.#environment.has(variable) || this.#secrets.has(variable)) {
      throw invalid(this.#scope, {
        code: "ENVIRONMENT_VARIABLE_TWICE",
        prop: `environment.${variable}`,
        problem: "is set twice",
        remedy: "Remove it from environment, or add only one of the add-ons that set it.",
      });
    }
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
