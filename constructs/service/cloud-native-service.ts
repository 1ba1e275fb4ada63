import type { EcsService } from "@cdktf/provider-aws/lib/ecs-service";
import type { EcsTaskDefinition } from "@cdktf/provider-aws/lib/ecs-task-definition";
import { Construct } from "constructs";
import type { ProcessTemplate } from "../../contract/release";
import type { BackingHost, BackingService } from "../backing/host";
import type { IAlarm } from "../core/alarm";
import { checkArguments } from "../core/check-types";
import { Connections, type IConnectable } from "../core/connections";
import { invalid, validateAtSynth } from "../core/errors";
import type { IGrantable, Statement } from "../core/iam";
import { pascal } from "../core/names";
import { type ImportedContract, serviceParameter } from "../core/parameter-contract";
import { movedFrom } from "../core/renamed";
import { type ILogStream, LogStream } from "../logging/log-stream";
import { ServiceStack } from "../platform/platform";
import type { ServiceAddOn, ServiceHost } from "./add-on";
import { AdminProcesses } from "./deployment/admin-process";
import { AdminRole } from "./deployment/admin-role";
import { ignoredChanges } from "./deployment/ignored-changes";
import { firstTask, publishReleaseTemplate } from "./deployment/release-template";
import { FailedRuns } from "./monitoring/failed-runs";
import { Monitoring } from "./monitoring/monitoring";
import { type CloudNativeServiceProps, circumstancesOf, resolveService, type ServiceContext } from "./props";
import { createEcsService } from "./runtime/ecs-service";
import { reserveAddresses, reserveServiceName, warnOfThinScaling } from "./runtime/network-capacity";
import { createScheduledTask } from "./runtime/scheduled-task";
import { scale } from "./scaling/scaling";
import type { ScalingSettings } from "./scaling/scaling-props";
import type { ContainerOverrides } from "./task/container-overrides";
import { execStatements } from "./task/exec-permissions";
import { warnOfSharedImage } from "./task/image";
import type { Process } from "./task/process";
import type { ShutdownBudget } from "./task/shutdown";
import { Task } from "./task/task";
import { CalledService, type CallOptions, callVariables, type ICallee } from "./traffic/calls";
import { publishIdentity } from "./traffic/identity";
import { type CallEndpoint, OutgoingCalls } from "./traffic/outgoing-calls";
import { ServiceConnect } from "./traffic/service-connect";
import { Targets } from "./traffic/targets";

/**
 * Runs a service in containers: an ECS service on Fargate, or for a job a schedule that starts tasks, with its own IAM roles,
 * log group, security group, scaling and alarms.
 *
 * A task with 256 CPU units (a quarter vCPU) and 512 MiB costs about 10 USD per month.
 *
 * Extend it with {@link add}: `Ingress` for requests through the load balancer, `Telemetry` for traces, `ServiceLevel` for an
 * objective with burn-rate alarms, `ServiceDashboard` for a dashboard. Attach queues, buckets, databases and caches with {@link use},
 * and other services with {@link call}.
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
export class CloudNativeService extends Construct implements IConnectable, IGrantable, ICallee {
  /** Name of the service in its cluster, and of its container: `orders`. */
  readonly serviceName: string;
  /** Process that the service runs: web, worker or job. */
  readonly process: Process;
  /** Minimum and maximum number of tasks; undefined for a job. */
  readonly scaling: { readonly min: number; readonly max: number } | undefined;
  /** Security group of the tasks. */
  readonly connections: Connections;
  /** Log group of the containers. */
  readonly logs: ILogStream;
  /** Role of the app in AWS. */
  readonly taskRoleArn: string;
  /** Times between SIGTERM and SIGKILL. */
  readonly shutdown: ShutdownBudget;

  readonly #context: ServiceContext;
  readonly #task: Task;
  readonly #adminRole: AdminRole;
  readonly #adminProcesses: AdminProcesses;
  readonly #monitoring: Monitoring;
  readonly #targets: Targets;
  readonly #endpoint: CallEndpoint;
  readonly #calls: OutgoingCalls;
  readonly #addOnNames = new Set<string>();

  /** @throws InvalidPropsError see {@link resolveService}; SERVICE_NAME_TAKEN, SUBNETS_FULL_AT_MAX */
  constructor(scope: Construct, id: string, props: CloudNativeServiceProps = {}) {
    super(scope, id);
    checkArguments("new CloudNativeService", { props }, this);
    const stack = ServiceStack.of(this);
    const settings = resolveService(this, stack, props);
    const { name, process, scaling, shutdown } = settings;
    const context = { stack, settings, fullName: [stack.platformName, stack.environment.name, name] };
    this.#context = context;
    reserveServiceName(this, stack, name);
    reserveAddresses(this, stack, scaling?.max);
    stack.checkCapacity(this, settings.capacity, settings.architecture);
    warnOfSharedImage(stack, this, settings.image, process);
    this.serviceName = name;
    this.process = process;
    this.scaling = scaling && { min: scaling.min, max: scaling.max };
    this.shutdown = shutdown;

    const identity = publishIdentity(this, context, props.renamedFrom);
    this.connections = new Connections(this, "Connections", {
      securityGroupId: identity.text("securityGroupId"),
      defaultPort: process.kind === "web" ? process.port : undefined,
    });
    // HTTPS to the APIs of AWS and of third parties; DNS needs no rule.
    this.connections.allowToInternet(443, { ipv6: stack.vpc.ipv6 });

    this.logs = props.logs ?? new LogStream(this, "Logs", { name: `/${context.fullName.join("/")}` });
    const connect = (): ServiceConnect => this.#endpoint.connect;
    this.#task = new Task(this, context, {
      logs: this.logs,
      environment: props.environment ?? {},
      secrets: props.secrets ?? {},
      hasProxy: () => connect().joined,
    });
    this.taskRoleArn = this.#task.roleArn;
    this.#adminRole = new AdminRole(this, context);
    this.#adminProcesses = new AdminProcesses(this);
    if (settings.exec) for (const each of execStatements(stack.cluster.sessions())) this.grant(each);
    if (process.kind === "worker") process.queue?.grants.consume(this);

    const { service, failedRuns } = this.#run(identity);
    this.#endpoint = {
      serviceName: name,
      construct: this,
      process,
      stack,
      service,
      connect: new ServiceConnect(context, {
        service,
        logs: this.logs,
        dnsName: process.kind === "web" ? identity.text("dnsName") : "",
        connect: props.connect,
      }),
    };
    this.#calls = new OutgoingCalls(context, this.#endpoint);
    if (service !== undefined && scaling !== undefined) this.#scale(service, scaling);
    this.#monitoring = new Monitoring(this, context, { service, failedRuns, targets: () => this.#targets.list });
    this.#targets = new Targets(this, context, {
      service,
      roleArns: this.#task.roleArns,
      monitoring: this.#monitoring,
      connected: () => connect().joined,
    });
    this.#monitoring.watch();
    if (props.renamedFrom !== undefined) movedFrom(this, props.renamedFrom);
    for (const addOn of props.addOns ?? []) this.add(addOn);
  }

  /** Alarms on the service and on what it uses, for pipelines and experiments. */
  get alarms(): readonly IAlarm[] {
    return this.#monitoring.alarms;
  }

  /**
   * Alarms on the health of the service for its users: those that roll back a deployment, or all alarms if none does. An
   * experiment can use at most five.
   */
  get health(): readonly IAlarm[] {
    return this.#monitoring.health;
  }

  /**
   * ECS task definition, the escape hatch for what Terraform knows and no prop covers, such as volumes. Use
   * {@link overrideContainer} for its containers.
   */
  get taskDefinition(): EcsTaskDefinition {
    return this.#task.definition;
  }

  /**
   * Adds an add-on: {@link Ingress}, `Telemetry`, `ServiceLevel`, `ServiceDashboard`, or your own {@link ServiceAddOn}.
   *
   * @throws InvalidPropsError ADD_ON_TWICE, and the errors of the add-on
   */
  add(addOn: ServiceAddOn): void {
    checkArguments("CloudNativeService.add", { addOn }, this);
    addOn.bind(this.#host(addOn.name));
  }

  /**
   * Attaches a backing service: sets its environment variables and secrets, grants access, opens the network path and adds
   * the alarms on its health.
   *
   * @param options.prefix prefix of its environment variables, to use two of a kind: `INVOICES` turns `BUCKET_NAME` into
   *   `INVOICES_BUCKET_NAME`. Default: none
   * @example
   * ```ts
   * orders.use(new Queue(stack.data, "Mails"));
   * orders.use(new Bucket(stack.data, "Invoices"), { prefix: "INVOICES" });
   * ```
   * @throws InvalidPropsError USE_PREFIX, ADD_ON_TWICE, BACKING_OUT_OF_REACH, and what the backing service refuses
   */
  use(backing: BackingService, options: { readonly prefix?: string } = {}): void {
    checkArguments("CloudNativeService.use", { backing, options }, this);
    const { prefix } = options;
    if (prefix !== undefined && !/^[A-Z][A-Z0-9_]*$/.test(prefix)) {
      throw invalid(this, {
        code: "USE_PREFIX",
        prop: "prefix",
        problem: `must be uppercase letters, digits and _, starting with a letter, got ${JSON.stringify(prefix)}`,
        remedy: "Use a prefix such as INVOICES.",
      });
    }
    backing.attach(this.#backingHost(backing, prefix === undefined ? "" : `${prefix}_`));
  }

  /**
   * Declares an admin process: a command of the service's image that runs once, on request, with the configuration,
   * permissions and security group of the live release. Every release first runs the admin process named `migrate`, with its
   * new image.
   *
   * @example
   * ```ts
   * orders.addAdminProcess("migrate", ["node", "dist/admin/migrate.js"]);
   * ```
   * @throws InvalidPropsError ADMIN_NAME, ADMIN_TWICE, ADMIN_COMMAND, ADMIN_SIZE
   */
  addAdminProcess(name: string, command: readonly string[]): void {
    checkArguments("CloudNativeService.addAdminProcess", { name, command }, this);
    this.#adminProcesses.add(name, command);
    this.#adminRole.hasProcess();
  }

  /**
   * Overrides fields of a container definition that no prop covers, such as `ulimits`, `mountPoints`, `dockerLabels`,
   * additional `portMappings` or another log driver. Lists are appended to; see {@link ContainerOverrides}.
   *
   * @param name name of the service or of a sidecar
   * @example
   * ```ts
   * orders.taskDefinition.putVolume([
   *   { name: "files", efsVolumeConfiguration: { fileSystemId: "fs-0123456789abcdef0", transitEncryption: "ENABLED" } },
   * ]);
   * orders.overrideContainer(orders.serviceName, {
   *   ulimits: [{ name: "nofile", softLimit: 65536, hardLimit: 65536 }],
   *   mountPoints: [{ sourceVolume: "files", containerPath: "/files" }],
   * });
   * ```
   * @throws InvalidPropsError CONTAINER_OVERRIDES; at synth CONTAINER_UNKNOWN
   */
  overrideContainer(name: string, overrides: ContainerOverrides): void {
    checkArguments("CloudNativeService.overrideContainer", { name, overrides }, this);
    this.#task.overrideContainer(name, overrides);
  }

  /** Grants the app a permission in AWS; its admin processes receive it too. */
  grant(statement: Statement): void {
    checkArguments("CloudNativeService.grant", { statement }, this);
    this.#task.grant(statement);
    this.#adminRole.share(statement);
  }

  /**
   * Lets this service call another one on the same platform: opens the network path and sets its URL and the settings of the
   * client. Two services may call each other.
   *
   * Sets `PAYMENTS_URL`, `PAYMENTS_TIMEOUT_MS`, `PAYMENTS_RETRY_BUDGET_PERCENT` and `PAYMENTS_BREAKER_FAILURE_PERCENT`.
   *
   * @example
   * ```ts
   * orders.call(payments, { timeout: Duration.seconds(2) });
   * ```
   * @throws InvalidPropsError CALL_NAME, CALL_SELF, CALL_OTHER_PLATFORM, CALL_NO_PORT, CALL_TIMEOUT, CALL_RETRY_BUDGET, CALL_BREAKER,
   *   ADD_ON_TWICE
   */
  call(callee: ICallee, options: CallOptions = {}): void {
    checkArguments("CloudNativeService.call", { callee, options }, this);
    const name = callee.serviceName;
    const endpoint = callee instanceof CloudNativeService ? callee.#endpoint : undefined;
    const settings = this.#calls.resolve(endpoint ?? callee, options);
    const { scope } = this.#host(`Calls${pascal(name)}`);
    const { environment, platformName } = this.#context.stack;
    const target = new CalledService(scope, "Callee", {
      parameter: serviceParameter(environment.name, platformName, name),
    });
    this.connections.allowTo(pascal(name), target.connections);
    for (const [variable, value] of callVariables(name, target.url, settings)) this.#task.setVariable(variable, value);
    if (endpoint !== undefined) this.#calls.add(endpoint, settings);
  }

  /** Creates the ECS service that runs the tasks, or the schedule of a job. */
  #run(identity: ImportedContract): { service?: EcsService; failedRuns?: FailedRuns } {
    const { stack, settings } = this.#context;
    const { process, scaling } = settings;
    const common = {
      stack,
      settings,
      task: this.#task.definition,
      firstTaskArn: firstTask(this.#context, this.#task.definition),
      securityGroupId: this.connections.securityGroupId,
      dependsOn: () => [
        ...this.#task.dependencies,
        ...this.#adminRole.dependencies,
        ...this.#targets.dependencies,
        ...this.#monitoring.dependencies,
        ...this.#calls.dependencies,
        ...this.connections.ruleAddresses,
      ],
    };
    if (process.kind === "job" || scaling === undefined) {
      if (process.kind !== "job") return {};
      const containers = () => this.#task.containerCount;
      const failedRuns = settings.alarms && new FailedRuns(this, "Runs", { stack, name: settings.name, containers });
      const schedule = createScheduledTask(this, {
        ...common,
        process,
        roleArns: this.#task.roleArns,
        notStartedQueueArn: failedRuns?.notStartedQueueArn,
      });
      this.#publish({ schedule: schedule.name });
      return { failedRuns };
    }
    const service = createEcsService(this, {
      ...common,
      scaling,
      registryArn: process.kind === "web" ? identity.text("registryArn") : undefined,
      targets: () => this.#targets.list,
      shiftRoleArn: () => this.#targets.shiftRoleArn,
    });
    this.#publish({ service: service.name, url: process.kind === "web" ? identity.text("url") : undefined });
    return { service };
  }

  #publish(runner: Pick<ProcessTemplate, "service" | "schedule" | "url">): void {
    publishReleaseTemplate(this, this.#context, this.#task.definition, () => ({
      runner,
      securityGroupId: this.connections.securityGroupId,
      logs: this.logs,
      monitoring: this.#monitoring,
      targets: this.#targets,
      adminProcesses: this.#adminProcesses,
      adminRole: this.#adminRole,
    }));
  }

  #scale(service: EcsService, scaling: ScalingSettings): void {
    const { stack, settings, fullName } = this.#context;
    const { process } = settings;
    scale(this, {
      service,
      clusterName: stack.cluster.clusterName,
      fullName,
      settings: scaling,
      ignored: ignoredChanges("scalableTarget", circumstancesOf(settings)),
      queue: process.kind === "worker" ? process.queue : undefined,
      targets: () => this.#targets.list,
    });
    validateAtSynth(this, () =>
      scaling.requestsPerTask !== undefined && this.#targets.list.length === 0
        ? [
            {
              code: "SCALING_REQUESTS_WITHOUT_INGRESS",
              prop: "scaling.requestsPerTask",
              problem: "needs requests from a load balancer, but the service has no Ingress",
              remedy: "Add an Ingress, or remove requestsPerTask.",
            },
          ]
        : [],
    );
    warnOfThinScaling(this, stack, scaling);
  }

  #host(name: string): ServiceHost {
    if (this.#addOnNames.has(name)) {
      throw invalid(this, {
        code: "ADD_ON_TWICE",
        prop: name,
        problem: "has already been added",
        remedy: "Remove the duplicate, or give it a different name.",
      });
    }
    this.#addOnNames.add(name);
    const { settings } = this.#context;
    return {
      scope: new Construct(this, name),
      serviceName: this.serviceName,
      process: this.process,
      exec: settings.exec,
      connections: this.connections,
      deregistrationSeconds: this.shutdown.deregistrationDelay.toSeconds(),
      deployment: settings.deployment,
      grant: (statement) => this.grant(statement),
      targets: () => this.#targets.list,
      signals: () => this.#monitoring.signals,
      addSignal: (signal) => this.#monitoring.addSignal(signal),
      alarms: () => this.#monitoring.alarms,
      addEnvironment: (variable, value) => this.#task.setVariable(variable, value),
      addSecret: (variable, valueFrom) => this.#task.setSecret(variable, valueFrom),
      addSidecar: (sidecar) => this.#task.addSidecar(sidecar),
      addTarget: (target) => this.#targets.add(target),
      addAlarm: (alarm, options) => this.#monitoring.add(alarm, options),
      allowNetworkFaults: () => this.#task.allowNetworkFaults(),
    };
  }

  #backingHost(backing: BackingService, prefix: string): BackingHost {
    const { scope, connections, grant, addSecret, addAlarm } = this.#host(backing.name);
    const { process, scaling } = this.#context.settings;
    return {
      scope,
      connections,
      grant,
      // A job is one task, or two while a run overlaps with the next.
      maxTasks: scaling?.max ?? 2,
      worksOff: process.kind === "worker" ? process.queue : undefined,
      admin: {
        grant: (statement) => this.#adminRole.grant(statement),
        addEnvironment: (variable, value) => this.#adminRole.set(`${prefix}${variable}`, value),
      },
      addEnvironment: (variable, value) => this.#task.setVariable(`${prefix}${variable}`, value),
      addSecret: (variable, valueFrom) => addSecret(`${prefix}${variable}`, valueFrom),
      addAlarm: (alarm) => addAlarm(alarm),
      needsEndpoint: (name) => this.#checkReach(backing.name, name),
    };
  }

  #checkReach(backing: string, endpoint: string): void {
    const { vpc, endpoints = [endpoint] } = this.#context.stack;
    if (vpc.egress !== "endpoints" || endpoints.includes(endpoint)) return;
    throw invalid(this, {
      code: "BACKING_OUT_OF_REACH",
      prop: `use ${backing}`,
      problem: `needs the VPC endpoint ${JSON.stringify(endpoint)}: the VPC has egress "endpoints", and this one is missing`,
      remedy: `Add ${JSON.stringify(endpoint)} to vpc.endpoints of the platform, or choose another egress.`,
    });
  }
}
