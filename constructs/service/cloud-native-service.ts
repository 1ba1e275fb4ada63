import { AppautoscalingPolicy } from "@cdktf/provider-aws/lib/appautoscaling-policy";
import { AppautoscalingTarget } from "@cdktf/provider-aws/lib/appautoscaling-target";
import { EcsService } from "@cdktf/provider-aws/lib/ecs-service";
import { EcsTaskDefinition } from "@cdktf/provider-aws/lib/ecs-task-definition";
import { Lazy, Token } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { Subscribed, serviceParameter } from "../core/border";
import { Connections, type IConnectable } from "../core/connections";
import { invalid, Problems } from "../core/errors";
import { type IGrantable, Role, type Statement } from "../core/iam";
import { literal } from "../core/literal";
import { kebab, NAME_PATTERN, NAME_RULE, physicalName } from "../core/names";
import { type AwsStack, addressOf } from "../core/stack";
import { Duration } from "../core/units";
import { type ILogStream, LogStream } from "../logging/log-stream";
import { ServiceStack } from "../platform/platform";
import { containerDefinitions, type Secret } from "./container-definitions";
import type { BackingService, ServiceAddOn, ServiceHost, Sidecar, Target } from "./host";
import { Identity } from "./identity";
import { Image } from "./image";
import { ignoredServiceChanges, RELEASE_OWNERS, type ReleaseOwner } from "./lifecycle";
import { type Process, web } from "./process";
import { SHUTDOWN_SECONDS, type ShutdownBudget, splitShutdown } from "./shutdown";
import { fargateSize, type TaskSize } from "./task-size";

/** How many tasks run, and what decides. */
export interface Scaling {
  /**
   * Fewest tasks.
   *
   * @default 1 in dev, 2 in production
   */
  readonly min?: number;
  /**
   * Most tasks.
   *
   * @default - twice min, and at least 4
   */
  readonly max?: number;
  /**
   * Tasks are added above this average use of CPU, and taken away below it.
   *
   * @default 60
   */
  readonly cpuPercent?: number;
  /**
   * The same of memory.
   *
   * @default - memory does not decide
   */
  readonly memoryPercent?: number;
}

export interface CloudNativeServiceProps {
  /**
   * What kind of process it is.
   *
   * @default web()
   */
  readonly process?: Process;
  /**
   * What its container is made from.
   *
   * @default Image.repository()
   */
  readonly image?: Image;
  /**
   * What the app needs; add-ons bring their own share. A task gets the smallest size that Fargate has for the sum.
   *
   * @default 256 CPU units (a quarter vCPU) and 512 MiB
   */
  readonly size?: TaskSize;
  /** @default - see Scaling */
  readonly scaling?: Scaling;
  /**
   * Variables of the app's container, besides those that add-ons set. No secrets.
   *
   * @default - none
   */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Where its lines go.
   *
   * @default - a log stream of its own
   */
  readonly logs?: ILogStream;
  /**
   * From SIGTERM to SIGKILL, 10 to 120 seconds. Drain, deadline, stop timeout and deregistration delay derive from it.
   *
   * @default Duration.seconds(30)
   */
  readonly shutdown?: Duration;
  /**
   * Who decides which release runs.
   *
   * @default "pipeline" with Image.repository(), "terraform" with Image.digest()
   */
  readonly releaseOwner?: ReleaseOwner;
  /**
   * User and group that the containers run as, never root.
   *
   * @default "1000:1000"
   */
  readonly user?: string;
  /**
   * Added as by `add`.
   *
   * @default - none
   */
  readonly addOns?: readonly ServiceAddOn[];
}

/** How long the balancer's verdict on a task does not count after its start. */
const START_SECONDS = 60;

interface ServiceSettings {
  readonly name: string;
  readonly process: Process;
  readonly image: Image;
  readonly size: TaskSize;
  readonly scaling: {
    readonly min: number;
    readonly max: number;
    readonly cpuPercent: number;
    readonly memoryPercent?: number;
  };
  readonly shutdown: ShutdownBudget;
  readonly releaseOwner: ReleaseOwner;
  readonly user: string;
}

/** Variables that the service sets itself, so that `environment` cannot. */
const OWN_VARIABLES = ["PORT", "SERVICE_NAME", "DRAIN_SECONDS", "SHUTDOWN_SECONDS", "BOOTSTRAP_HEALTHY"];

/**
 * @throws InvalidPropsError SERVICE_NAME, SERVICE_PORT, SERVICE_SIZE, SCALING_MIN, SCALING_MIN_GT_MAX,
 *   SCALING_MIN_ONE_ZONE, SCALING_PERCENT, SHUTDOWN_BUDGET, RELEASE_OWNER, SERVICE_USER_ROOT, ENVIRONMENT_VARIABLE
 */
export function resolveService(scope: IConstruct, stack: AwsStack, props: CloudNativeServiceProps): ServiceSettings {
  const name = kebab(scope.node.id);
  const process = props.process ?? web();
  const image = props.image ?? Image.repository();
  const size = props.size ?? { cpu: 256, memoryMiB: 512 };
  const min = props.scaling?.min ?? (stack.production ? 2 : 1);
  const max = props.scaling?.max ?? Math.max(4, 2 * min);
  const cpuPercent = props.scaling?.cpuPercent ?? 60;
  const memoryPercent = props.scaling?.memoryPercent;
  const shutdown = props.shutdown ?? Duration.seconds(30);
  const releaseOwner = props.releaseOwner ?? (image.kind === "repository" ? "pipeline" : "terraform");
  const user = props.user ?? "1000:1000";

  const problems = new Problems(scope);
  problems.check(
    NAME_PATTERN.test(name),
    "SERVICE_NAME",
    "id",
    `${JSON.stringify(scope.node.id)} gives the service's name ${JSON.stringify(name)}`,
    `Use an id that gives ${NAME_RULE}.`,
  );
  problems.check(
    Number.isInteger(process.port) && process.port >= 1024 && process.port <= 65535,
    "SERVICE_PORT",
    "process.port",
    `${process.port} is no port that a process without root may listen on`,
    "Use 1024 to 65535.",
  );
  problems.check(
    size.cpu > 0 && size.memoryMiB > 0 && fargateSize(size) !== undefined,
    "SERVICE_SIZE",
    "size",
    `${size.cpu} CPU units and ${size.memoryMiB} MiB fit into no task of Fargate`,
    "Use up to 16384 CPU units and 122880 MiB.",
  );
  problems.check(
    Number.isInteger(min) && min >= 0 && Number.isInteger(max) && max >= 1,
    "SCALING_MIN",
    "scaling",
    `min ${min} and max ${max} are no counts of tasks`,
    "Use whole numbers, min >= 0 and max >= 1.",
  );
  problems.check(
    min <= max,
    "SCALING_MIN_GT_MAX",
    "scaling.min",
    `must be <= scaling.max (${max}), got ${min}`,
    "Raise max or lower min.",
  );
  problems.check(
    !stack.production || min >= 2,
    "SCALING_MIN_ONE_ZONE",
    "scaling.min",
    `${min} cannot lose a zone: the other zones have no task to take over`,
    'Use scaling.min >= 2, or profile "dev" for an environment that may go down.',
  );
  for (const [prop, percent] of [
    ["scaling.cpuPercent", cpuPercent],
    ["scaling.memoryPercent", memoryPercent ?? 50],
  ] as const) {
    problems.check(
      percent >= 10 && percent <= 90,
      "SCALING_PERCENT",
      prop,
      `${percent} leaves no room to scale before tasks are full, or never scales in`,
      "Use 10 to 90.",
    );
  }
  const seconds = shutdown.toSeconds();
  problems.check(
    Number.isInteger(seconds) && seconds >= SHUTDOWN_SECONDS.min && seconds <= SHUTDOWN_SECONDS.max,
    "SHUTDOWN_BUDGET",
    "shutdown",
    `${shutdown} is no budget that drain, deadline and stop timeout fit into`,
    `Use ${SHUTDOWN_SECONDS.min} to ${SHUTDOWN_SECONDS.max} whole seconds; Fargate kills after ${SHUTDOWN_SECONDS.max}.`,
  );
  problems.check(
    RELEASE_OWNERS.includes(releaseOwner),
    "RELEASE_OWNER",
    "releaseOwner",
    `${JSON.stringify(releaseOwner)} is not known`,
    `Use one of: ${RELEASE_OWNERS.join(", ")}.`,
  );
  problems.check(
    /^[1-9]\d*(:[1-9]\d*)?$/.test(user),
    "SERVICE_USER_ROOT",
    "user",
    `${JSON.stringify(user)} is root, or is not told by number`,
    'Use "<uid>" or "<uid>:<gid>", both above 0.',
  );
  for (const variable of Object.keys(props.environment ?? {})) {
    problems.check(
      /^[A-Za-z_][A-Za-z0-9_]*$/.test(variable) && !OWN_VARIABLES.includes(variable),
      "ENVIRONMENT_VARIABLE",
      `environment.${variable}`,
      OWN_VARIABLES.includes(variable) ? "is set by the service itself" : "is no name for a variable",
      `Use letters, digits and _, and none of: ${OWN_VARIABLES.join(", ")}.`,
    );
  }
  problems.throwIfAny();
  return {
    name,
    process,
    image,
    size,
    scaling: { min, max, cpuPercent, memoryPercent },
    shutdown: splitShutdown(shutdown),
    releaseOwner,
    user,
  };
}

/**
 * A service that runs in containers on a platform: an ECS service on Fargate with its own roles, log stream, place in the
 * network and scaling.
 *
 * A task of a quarter vCPU and 512 MiB that always runs costs about 10 USD a month.
 *
 * @example
 * ```ts
 * const orders = new CloudNativeService(stack, "Orders", {
 *   process: web({ port: 8080 }),
 *   scaling: { min: 2, max: 20, cpuPercent: 60 },
 * });
 * orders.add(new Ingress());
 * ```
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html
 */
export class CloudNativeService extends Construct implements IConnectable, IGrantable {
  /** Name of the service in its cluster, and of its container: `orders`. */
  readonly serviceName: string;
  readonly connections: Connections;
  readonly logs: ILogStream;
  /** What the app itself may do in AWS. */
  readonly taskRoleArn: string;
  readonly shutdown: ShutdownBudget;

  readonly #process: Process;
  readonly #taskRole: Role;
  readonly #executionRole: Role;
  readonly #environment = new Map<string, string>();
  readonly #secrets = new Map<string, Secret>();
  readonly #sidecars: Sidecar[] = [];
  readonly #targets: Target[] = [];
  readonly #added = new Set<string>();
  readonly #serviceDependsOn: string[];

  constructor(scope: Construct, id: string, props: CloudNativeServiceProps = {}) {
    super(scope, id);
    const stack = ServiceStack.of(this);
    const settings = resolveService(this, stack, props);
    const { name, process, image, scaling, shutdown } = settings;
    this.serviceName = name;
    this.shutdown = shutdown;
    this.#process = process;
    const fullName = [stack.platformName, stack.environment.name, name];

    new Identity(stack.data, id, {
      parameter: serviceParameter(stack.environment.name, stack.platformName, name),
      vpcId: stack.data.network.vpcId,
      name: fullName.join("-"),
      port: process.port,
    });
    const identity = new Subscribed(this, "Identity", {
      name: serviceParameter(stack.environment.name, stack.platformName, name),
    });
    this.connections = new Connections(this, "Connections", {
      securityGroupId: identity.text("securityGroupId"),
      defaultPort: process.port,
    });
    // AWS's own APIs and those of others; names are resolved without a rule.
    this.connections.allowToInternet(443);

    this.logs = props.logs ?? new LogStream(this, "Logs", { name: `/${fullName.join("/")}` });
    this.#taskRole = new Role(this, "TaskRole", {
      name: `${fullName.join("-")}-task`,
      service: "ecs-tasks.amazonaws.com",
    });
    this.#executionRole = new Role(this, "ExecutionRole", {
      name: `${fullName.join("-")}-execution`,
      service: "ecs-tasks.amazonaws.com",
    });
    this.taskRoleArn = this.#taskRole.roleArn;
    this.logs.grants.write(this.#executionRole);
    if (image.kind === "repository") {
      this.#executionRole.grant({
        actions: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        resources: [stack.arn("ecr", `repository/${literal(image.repositoryName ?? stack.stackName)}`)],
      });
      // This call takes no resource.
      this.#executionRole.grant({ actions: ["ecr:GetAuthorizationToken"], resources: ["*"] });
    }

    for (const [variable, value] of Object.entries(props.environment ?? {})) this.#set(variable, literal(value));
    this.#set("PORT", String(process.port));
    this.#set("SERVICE_NAME", name);
    this.#set("DRAIN_SECONDS", String(shutdown.drain.toSeconds()));
    this.#set("SHUTDOWN_SECONDS", String(shutdown.deadline.toSeconds()));

    const size = () =>
      fargateSize({
        cpu: settings.size.cpu + sum(this.#sidecars.map((sidecar) => sidecar.cpu)),
        memoryMiB: settings.size.memoryMiB + sum(this.#sidecars.map((sidecar) => sidecar.memoryMiB)),
      });
    this.node.addValidation({
      validate: () =>
        size() === undefined
          ? [
              `${this.node.path}: size with its add-ons fits into no task of Fargate\n  Use fewer or smaller add-ons.  [SERVICE_SIZE]`,
            ]
          : [],
    });
    const task = new EcsTaskDefinition(this, "Task", {
      family: physicalName("taskFamily", ...fullName),
      cpu: Lazy.stringValue({ produce: () => String(size()?.cpu) }),
      memory: Lazy.stringValue({ produce: () => String(size()?.memoryMiB) }),
      networkMode: "awsvpc",
      requiresCompatibilities: ["FARGATE"],
      runtimePlatform: { operatingSystemFamily: "LINUX", cpuArchitecture: "ARM64" },
      taskRoleArn: this.#taskRole.roleArn,
      executionRoleArn: this.#executionRole.roleArn,
      containerDefinitions: Lazy.stringValue({
        produce: () =>
          containerDefinitions({
            name,
            process,
            image,
            user: settings.user,
            shutdown,
            environment: this.#environment,
            secrets: this.#secrets,
            sidecars: this.#sidecars,
            logs: this.logs,
            region: stack.environment.region,
          }),
      }),
      // An older revision must stay usable: a rollback starts it again.
      skipDestroy: true,
    });

    const service = new EcsService(this, "Resource", {
      name: physicalName("ecsService", name),
      cluster: stack.cluster.clusterArn,
      taskDefinition: task.arn,
      desiredCount: scaling.min,
      // Always a strategy and never launch_type: going from one to the other replaces the service.
      capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }],
      platformVersion: "LATEST",
      propagateTags: "SERVICE",
      enableEcsManagedTags: true,
      enableExecuteCommand: false,
      availabilityZoneRebalancing: "ENABLED",
      deploymentController: { type: "ECS" },
      deploymentMinimumHealthyPercent: 100,
      deploymentMaximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
      waitForSteadyState: true,
      networkConfiguration: {
        subnets: [...stack.network.privateSubnetIds],
        securityGroups: [this.connections.securityGroupId],
        assignPublicIp: false,
      },
      // Known only when all add-ons are there.
      loadBalancer: Lazy.anyValue({
        produce: () =>
          this.#targets.map((target) => ({
            target_group_arn: target.targetGroupArn,
            container_name: name,
            container_port: process.port,
          })),
      }),
      healthCheckGracePeriodSeconds: Lazy.numberValue({
        produce: () => (this.#targets.length === 0 ? undefined : START_SECONDS),
      }),
      lifecycle: { ignoreChanges: ignoredServiceChanges(settings.releaseOwner) },
      timeouts: { create: "20m", update: "20m", delete: "20m" },
    });
    const dependsOn: string[] = [];
    service.dependsOn = dependsOn;
    this.#serviceDependsOn = dependsOn;
    // Tasks need their permissions until they have ended.
    this.#executionRole.whenPolicy((address) => this.#serviceDependsOn.push(address));
    this.#taskRole.whenPolicy((address) => this.#serviceDependsOn.push(address));

    const target = new AppautoscalingTarget(this, "Scaling", {
      minCapacity: scaling.min,
      maxCapacity: scaling.max,
      serviceNamespace: "ecs",
      scalableDimension: "ecs:service:DesiredCount",
      resourceId: `service/${stack.cluster.clusterName}/${service.name}`,
      // AWS forgets the target when the service is replaced, and Terraform would not notice.
      lifecycle: { replaceTriggeredBy: [`${addressOf(service)}.id`] },
    });
    const track = (policy: string, metric: string, percent: number) =>
      new AppautoscalingPolicy(this, policy, {
        name: kebab(policy),
        policyType: "TargetTrackingScaling",
        resourceId: target.resourceId,
        scalableDimension: target.scalableDimension,
        serviceNamespace: target.serviceNamespace,
        targetTrackingScalingPolicyConfiguration: {
          targetValue: percent,
          predefinedMetricSpecification: { predefinedMetricType: metric },
          scaleOutCooldown: 60,
          scaleInCooldown: 300,
        },
        lifecycle: { replaceTriggeredBy: [`${addressOf(target)}.id`] },
      });
    track("ScaleOnCpu", "ECSServiceAverageCPUUtilization", scaling.cpuPercent);
    if (scaling.memoryPercent !== undefined) {
      track("ScaleOnMemory", "ECSServiceAverageMemoryUtilization", scaling.memoryPercent);
    }
    for (const addOn of props.addOns ?? []) this.add(addOn);
  }

  /** Adds something to the service, such as an Ingress. Adding two of the same name is an error. */
  add(addOn: ServiceAddOn): void {
    addOn.bind(this.#host(addOn.name));
  }

  /** Attaches a backing service: its variables, secrets, permissions and the way to it. */
  use(backing: BackingService): void {
    backing.attach(this.#host(backing.name));
  }

  /** Lets the app itself do something in AWS. */
  grant(statement: Statement): void {
    this.#taskRole.grant(statement);
  }

  #host(name: string): ServiceHost {
    if (this.#added.has(name)) {
      throw invalid(this, "ADD_ON_TWICE", name, "was added before", "Add it once, or give the second its own name.");
    }
    this.#added.add(name);
    return {
      scope: new Construct(this, name),
      serviceName: this.serviceName,
      process: this.#process,
      connections: this.connections,
      deregistrationSeconds: this.shutdown.deregistrationDelay.toSeconds(),
      grant: (statement) => this.grant(statement),
      addEnvironment: (variable, value) => this.#set(variable, value),
      addSecret: (variable, valueFrom) => this.#setSecret(variable, valueFrom),
      addSidecar: (sidecar) => this.#sidecars.push(sidecar),
      addTarget: (target) => {
        this.#targets.push(target);
        this.#serviceDependsOn.push(...target.dependsOn);
      },
    };
  }

  #set(variable: string, value: string): void {
    this.#refuseTwice(variable);
    this.#environment.set(variable, value);
  }

  #setSecret(variable: string, valueFrom: string): void {
    this.#refuseTwice(variable);
    this.#secrets.set(variable, { name: variable, valueFrom });
    this.#executionRole.grant({
      actions: [
        Token.isUnresolved(valueFrom) || valueFrom.includes(":secretsmanager:")
          ? "secretsmanager:GetSecretValue"
          : "ssm:GetParameters",
      ],
      resources: [valueFrom],
    });
  }

  #refuseTwice(variable: string): void {
    if (this.#environment.has(variable) || this.#secrets.has(variable)) {
      throw invalid(
        this,
        "ENVIRONMENT_VARIABLE_TWICE",
        `environment.${variable}`,
        "is set twice",
        "Take it out of environment, or add only one of the add-ons that set it.",
      );
    }
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
