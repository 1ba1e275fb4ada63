import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import type { EcsService } from "@cdktf/provider-aws/lib/ecs-service";
import { EcsTaskDefinition } from "@cdktf/provider-aws/lib/ecs-task-definition";
import { Annotations, Fn, Lazy, Token } from "cdktf";
import { Construct } from "constructs";
import type { ProcessTemplate } from "../../contract/release";
import type { BackingHost, BackingService } from "../backing/host";
import { Alarm, type IAlarm, type Signal } from "../core/alarm";
import { Connections, type IConnectable } from "../core/connections";
import { invalid, Problems, validateAtSynth } from "../core/errors";
import { type IGrantable, Role, type Statement } from "../core/iam";
import { literal } from "../core/literal";
import { pascal, physicalName } from "../core/names";
import { ImportedContract, serviceParameter } from "../core/parameter-contract";
import { Registry } from "../core/registry";
import { movedFrom } from "../core/renamed";
import { addressOf } from "../core/stack";
import { type ILogStream, LogStream } from "../logging/log-stream";
import { ServiceStack } from "../platform/platform";
import { reachableImage, repositoryArn } from "../vpc/images";
import type { AlarmOptions, ServiceAddOn, ServiceHost, Sidecar, Target, TargetShift } from "./add-on";
import { checkAdmin } from "./deployment/admin-process";
import { AdminAccess } from "./deployment/admin-role";
import { ignoredChanges } from "./deployment/ignored-changes";
import { publishTemplate } from "./deployment/release-template";
import { called, tooShort } from "./deployment/strategy-props";
import { brings, STRATEGY_TABLE } from "./deployment/strategy-support";
import { watchRequests, watchRuns, watchTasks } from "./monitoring/alarms";
import { errorAlarm } from "./monitoring/error-alarm";
import { FailedRuns } from "./monitoring/failed-runs";
import { type MonitoredJob, type MonitoredService, signalsOf, signalsOfJob } from "./monitoring/signals";
import { groupsOf } from "./monitoring/target-metrics";
import { type CloudNativeServiceProps, circumstancesOf, resolveService, type ServiceSettings } from "./props";
import { CodeDeployment } from "./runtime/code-deploy";
import { runAlways } from "./runtime/ecs-service";
import { claimAddresses, claimName, warnOfNoRoom } from "./runtime/network-capacity";
import { runOnSchedule } from "./runtime/scheduled-task";
import { scale } from "./scaling/scaling";
import { containerDefinitions, type Secret } from "./task/container-definitions";
import { sessionStatements } from "./task/exec-permissions";
import type { Process } from "./task/process";
import type { ShutdownBudget } from "./task/shutdown";
import { fargateSize, type TaskSize } from "./task/task-size";
import {
  CalledService,
  type Caller,
  type CallOptions,
  type CallSettings,
  Calls,
  callVariables,
  checkCallee,
  type ICallee,
  resolveCall,
  StartOrder,
} from "./traffic/calls";
import { Identity } from "./traffic/identity";
import { PROXY_SIZE, serviceConnect } from "./traffic/service-connect";

/** Most that ECS takes. @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html */
const TASK_DEFINITION_BYTES = 65_536;

/**
 * A service that runs in containers on a platform, with its own roles, log stream, place in the network and scaling: an ECS
 * service on Fargate, or for a job a schedule that starts tasks.
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
export class CloudNativeService extends Construct implements IConnectable, IGrantable, ICallee {
  /** Name of the service in its cluster, and of its container: `orders`. */
  readonly serviceName: string;
  /** What kind of process it is. */
  readonly process: Process;
  /** How many tasks run: fewest and most; undefined for a job. */
  readonly scaling: { readonly min: number; readonly max: number } | undefined;
  readonly connections: Connections;
  readonly logs: ILogStream;
  /** What the app itself may do in AWS. */
  readonly taskRoleArn: string;
  readonly shutdown: ShutdownBudget;

  readonly #stack: ServiceStack;
  readonly #settings: ServiceSettings;
  readonly #taskRole: Role;
  readonly #adminAccess: AdminAccess;
  readonly #executionRole: Role;
  readonly #environment = new Map<string, string>();
  readonly #secrets = new Map<string, Secret>();
  readonly #admin = new Map<string, readonly string[]>();
  readonly #sidecars: Sidecar[] = [];
  readonly #targets: Target[] = [];
  readonly #alarms: IAlarm[] = [];
  /** What add-ons measure besides. */
  readonly #signals: (() => Signal)[] = [];
  /** Names of those that a deployment goes back on. */
  readonly #rollbackAlarms: string[] = [];
  readonly #added = new Set<string>();
  /** Addresses of what must be there before tasks start, and as long as they run. */
  readonly #needed: string[] = [];
  readonly #connect: boolean | undefined;
  readonly #dnsName: string;
  #connected = false;
  #shiftRoleArn: string | undefined;
  #codeDeployment: CodeDeployment | undefined;
  #service: EcsService | undefined;
  /** What there is to measure of a job that is watched. */
  #job: MonitoredJob | undefined;
  readonly #task: EcsTaskDefinition;

  /** @throws InvalidPropsError see {@link resolveService}; SERVICE_NAME_TAKEN, NETWORK_FULL_AT_MAX */
  constructor(scope: Construct, id: string, props: CloudNativeServiceProps = {}) {
    super(scope, id);
    const stack = ServiceStack.of(this);
    const settings = resolveService(this, stack, props);
    claimName(this, stack, settings.name);
    claimAddresses(this, stack, settings.scaling?.max);
    const { name, process, shutdown } = settings;
    this.#stack = stack;
    this.#settings = settings;
    this.serviceName = name;
    this.process = process;
    this.scaling = settings.scaling && { min: settings.scaling.min, max: settings.scaling.max };
    this.shutdown = shutdown;
    this.#connect = props.connect;

    const identity = this.#identify(id, props.renamedFrom);
    this.#dnsName = process.kind === "web" ? identity.text("dnsName") : "";
    this.connections = new Connections(this, "Connections", {
      securityGroupId: identity.text("securityGroupId"),
      defaultPort: process.kind === "web" ? process.port : undefined,
    });
    // AWS's own APIs and those of others; names are resolved without a rule.
    this.connections.allowToInternet(443, { ipv6: stack.vpc.ipv6 });

    this.logs = props.logs ?? new LogStream(this, "Logs", { name: `/${this.#fullName.join("/")}` });
    this.#taskRole = this.#role("TaskRole", "task");
    this.#executionRole = this.#role("ExecutionRole", "execution");
    this.#adminAccess = new AdminAccess(() => this.#role("AdminRole", "admin"));
    this.taskRoleArn = this.#taskRole.roleArn;
    this.logs.grants.write(this.#executionRole);
    this.#allowPull();
    if (settings.exec) for (const each of sessionStatements(stack.cluster.sessions())) this.grant(each);
    this.#setVariables(props);
    this.#task = this.#defineTask();
    this.#run(this.#task, identity);
    const watch = this.#watch;
    if (watch !== undefined && this.#service !== undefined) watchTasks(this, watch);
    if (this.#job !== undefined) {
      this.#addAlarm(
        watchRuns(this, { name: this.#fullName, most: settings.alarms?.failedRuns ?? 0, measured: this.#job }),
      );
    }
    if (props.renamedFrom !== undefined) movedFrom(this, props.renamedFrom);
    for (const addOn of props.addOns ?? []) this.add(addOn);
  }

  /** All that watches the service and what it uses: what says that it is well, for a pipeline or an experiment. */
  get alarms(): readonly IAlarm[] {
    return [...this.#alarms];
  }

  /**
   * The alarms that say whether its users are served: those that roll a deployment back, or all where none does. At most
   * five stop an experiment.
   */
  get health(): readonly IAlarm[] {
    const health = this.#alarms.filter(({ alarmName }) => this.#rollbackAlarms.includes(alarmName));
    return health.length > 0 ? health : [...this.#alarms];
  }

  /** Adds something to the service, such as an Ingress. Adding two of the same name is an error. */
  add(addOn: ServiceAddOn): void {
    addOn.bind(this.#host(addOn.name));
  }

  /**
   * Attaches a backing service: its variables, secrets, permissions, the way to it and the alarm on its health.
   *
   * @param options.prefix goes before the names of its variables: `INVOICES` makes `BUCKET_NAME` `INVOICES_BUCKET_NAME`, so
   *   that a service can use two of a kind. Default: none
   * @example
   * ```ts
   * orders.use(new Queue(stack.data, "Mails"));
   * orders.use(new Bucket(stack.data, "Invoices"), { prefix: "INVOICES" });
   * ```
   * @throws InvalidPropsError USE_PREFIX, ADD_ON_TWICE, BACKING_OUT_OF_REACH, and what the backing service refuses
   */
  use(backing: BackingService, options: { readonly prefix?: string } = {}): void {
    const { prefix } = options;
    if (prefix !== undefined && !/^[A-Z][A-Z0-9_]*$/.test(prefix)) {
      const problem = `${JSON.stringify(prefix)} is no first part of a variable's name`;
      throw invalid(this, {
        code: "USE_PREFIX",
        prop: "prefix",
        problem,
        remedy: "Use capitals, digits and _, as in INVOICES.",
      });
    }
    backing.attach(this.#backingHost(backing, prefix === undefined ? "" : `${prefix}_`));
  }

  /**
   * Declares an admin process: a command of the service's own image that runs once, when somebody asks for it, with the
   * config, permissions and place in the network of the release that runs. Every release first runs the one called
   * `migrate`, with its new image.
   *
   * @example
   * ```ts
   * orders.addAdminProcess("migrate", ["node", "dist/admin/migrate.js"]);
   * ```
   * @throws InvalidPropsError ADMIN_NAME, ADMIN_TWICE, ADMIN_COMMAND, ADMIN_SIZE
   */
  addAdminProcess(name: string, command: readonly string[]): void {
    const problems = new Problems(this);
    checkAdmin(problems, this.#admin, { name, command });
    problems.throwIfAny();
    this.#admin.set(name, command.map(literal));
  }

  /** Lets the app itself do something in AWS. */
  grant(statement: Statement): void {
    this.#taskRole.grant(statement);
    this.#adminAccess.share(statement);
  }

  /**
   * Lets this service call another on the same platform: the way to it, its URL, and what this one's client keeps to. Two
   * may call each other.
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
    const name = callee.serviceName;
    const settings = this.#checkCall(callee, options);
    const id = `Calls${pascal(name)}`;
    const host = this.#host(id);
    const { environment, platformName } = this.#stack;
    const called = new CalledService(host.scope, "Callee", {
      parameter: serviceParameter(environment.name, platformName, name),
    });
    this.connections.allowTo(pascal(name), called.connections);
    for (const [variable, value] of callVariables(name, called.url, settings)) this.#set(variable, value);
    if (callee instanceof CloudNativeService) this.#order(callee, settings);
  }

  /** First parts of names: platform, environment, service. */
  get #fullName(): string[] {
    return [this.#stack.platformName, this.#stack.environment.name, this.#settings.name];
  }

  #role(id: string, part: string): Role {
    const role = new Role(this, id, {
      name: `${this.#fullName.join("-")}-${part}`,
      service: "ecs-tasks.amazonaws.com",
    });
    // Tasks need their permissions until they have ended.
    role.whenPolicy((address) => this.#needed.push(address));
    return role;
  }

  /** Name, with path, that a role of this service has in AWS. */
  #roleName(part: string): string {
    const path = this.#stack.environment.guardrails?.rolePath ?? "/";
    return `${path.slice(1)}${this.#stack.physicalName("role", `${this.#fullName.join("-")}-${part}`)}`;
  }

  #identify(id: string, renamedFrom: string | undefined): ImportedContract {
    const { data, environment, platformName } = this.#stack;
    const { name, process } = this.#settings;
    const parameter = serviceParameter(environment.name, platformName, name);
    const identity = new Identity(data, id, {
      parameter,
      vpcId: data.vpc.vpcId,
      name: this.#fullName.join("-"),
      called: process.kind === "web" ? { name, namespace: data.namespace, port: process.port } : undefined,
    });
    if (renamedFrom !== undefined) movedFrom(identity, renamedFrom);
    return new ImportedContract(this, "Identity", { name: parameter });
  }

  #allowPull(): void {
    const { image } = this.#settings;
    if (image.kind !== "repository") return;
    const repository = literal(image.sourceIn(this.#stack.stackName));
    this.#allowPullFrom(this.#stack.arn("ecr", `repository/${repository}`));
  }

  #allowPullFrom(repository: string): void {
    this.#executionRole.grant({
      actions: ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      resources: [repository],
    });
    // This call takes no resource.
    this.#executionRole.grant({ actions: ["ecr:GetAuthorizationToken"], resources: ["*"] });
  }

  /** An image as the network can pull it, with the permission to. */
  #reachable(image: string): string {
    const uri = reachableImage(this, this.#stack.vpc, image);
    const repository = repositoryArn(this, uri);
    if (repository !== undefined) this.#allowPullFrom(repository);
    return uri;
  }

  #setVariables(props: CloudNativeServiceProps): void {
    const { name, process, shutdown } = this.#settings;
    for (const [variable, value] of Object.entries(props.environment ?? {})) this.#set(variable, literal(value));
    for (const [variable, arn] of Object.entries(props.secrets ?? {})) this.#setSecret(variable, arn);
    this.#set("SERVICE_NAME", name);
    this.#set("DRAIN_SECONDS", String(process.kind === "web" ? shutdown.drain.toSeconds() : 0));
    this.#set("SHUTDOWN_SECONDS", String(shutdown.deadline.toSeconds()));
    if (process.kind === "web") this.#set("PORT", String(process.port));
    if (process.kind === "worker" && process.queue !== undefined) {
      this.#set("QUEUE_URL", process.queue.queueUrl);
      process.queue.grants.consume(this);
    }
  }

  /** What a task needs: the app, its add-ons, and the proxy. */
  get #size(): TaskSize | undefined {
    const parts = [this.#settings.size, ...this.#sidecars, ...(this.#connected ? [PROXY_SIZE] : [])];
    return fargateSize({
      cpu: sum(parts.map(({ cpu }) => cpu)),
      memoryMiB: sum(parts.map(({ memoryMiB }) => memoryMiB)),
    });
  }

  #defineTask(): EcsTaskDefinition {
    const { name, process, image, user, exec, shutdown, architecture } = this.#settings;
    const imageUri = this.#reachable(image.uri);
    const definitions = () =>
      containerDefinitions({
        name,
        process,
        image,
        imageUri,
        user,
        exec,
        shutdown,
        environment: this.#environment,
        secrets: this.#secrets,
        sidecars: this.#sidecars,
        logs: this.logs,
        region: this.#stack.environment.region,
      });
    validateAtSynth(this, () => [
      ...(this.#size === undefined
        ? [
            {
              code: "SERVICE_SIZE",
              prop: "size",
              problem: "must fit into a Fargate task together with its add-ons",
              remedy: "Use fewer or smaller add-ons.",
            },
          ]
        : []),
      ...(Buffer.byteLength(definitions()) > TASK_DEFINITION_BYTES
        ? [
            {
              code: "TASK_DEFINITION_SIZE",
              prop: "environment",
              problem: `must make a task definition of at most ${TASK_DEFINITION_BYTES} bytes, the variables of add-ons included`,
              remedy: "Keep large values in a file or parameter, and pass its name.",
            },
          ]
        : []),
    ]);
    return new EcsTaskDefinition(this, "Task", {
      family: physicalName("taskFamily", ...this.#fullName),
      cpu: Lazy.stringValue({ produce: () => String(this.#size?.cpu) }),
      memory: Lazy.stringValue({ produce: () => String(this.#size?.memoryMiB) }),
      networkMode: "awsvpc",
      requiresCompatibilities: [this.#settings.compatibility],
      runtimePlatform: {
        operatingSystemFamily: "LINUX",
        cpuArchitecture: architecture === "arm64" ? "ARM64" : "X86_64",
      },
      taskRoleArn: this.#taskRole.roleArn,
      executionRoleArn: this.#executionRole.roleArn,
      containerDefinitions: Lazy.stringValue({ produce: definitions }),
      // An older revision must stay usable: a rollback starts it again.
      skipDestroy: true,
    });
  }

  #run(task: EcsTaskDefinition, identity: ImportedContract): void {
    const settings = this.#settings;
    const { process, scaling } = settings;
    const common = {
      stack: this.#stack,
      settings,
      task,
      securityGroupId: this.connections.securityGroupId,
      dependsOn: () => [...this.#needed, ...this.#startsAfter(), ...this.connections.ruleAddresses],
    };
    if (process.kind === "job") {
      const roleArns = [this.#taskRole.roleArn, this.#executionRole.roleArn];
      const runs = this.#countRuns();
      const schedule = runOnSchedule(this, {
        ...common,
        process,
        roleArns,
        notStartedQueueArn: runs?.notStartedQueueArn,
      });
      this.#publish(task, { schedule: schedule.name });
      return;
    }
    if (scaling === undefined) return;
    const targets = () => this.#targets;
    const registryArn = process.kind === "web" ? identity.text("registryArn") : undefined;
    this.#service = runAlways(this, {
      ...common,
      scaling,
      registryArn,
      targets,
      shiftRoleArn: () => this.#shiftRoleArn,
    });
    this.#publish(task, { service: this.#service.name });
    this.#checkShift();
    if (this.#connect === true) this.#joinServiceConnect();
    scale(this, {
      service: this.#service,
      clusterName: this.#stack.cluster.clusterName,
      fullName: this.#fullName,
      settings: scaling,
      ignored: ignoredChanges("scalableTarget", circumstancesOf(settings)),
      queue: process.kind === "worker" ? process.queue : undefined,
      targets,
    });
    this.#checkScaling();
  }

  /** Counts the runs of a job that fail, where somebody is told. */
  #countRuns(): FailedRuns | undefined {
    const { name, alarms } = this.#settings;
    if (alarms === undefined) return undefined;
    const containers = () => 1 + this.#sidecars.length;
    const runs = new FailedRuns(this, "Runs", { stack: this.#stack, name, containers });
    const { platformName, environment } = this.#stack;
    const { notStartedQueueName } = runs;
    this.#job = { platform: platformName, environment: environment.name, name, notStartedQueueName };
    return runs;
  }

  /** Tells releases and admin processes what they need. */
  #publish(task: EcsTaskDefinition, runs: Pick<ProcessTemplate, "service" | "schedule">): void {
    const { name, process, image, capacity, compatibility, deployment, releaseOwner } = this.#settings;
    const { vpc, cluster } = this.#stack;
    publishTemplate(this, {
      stack: this.#stack,
      name,
      owner: releaseOwner,
      task,
      template: () => ({
        kind: process.kind,
        owner: releaseOwner,
        cluster: cluster.clusterName,
        ...runs,
        container: name,
        task: task.arn,
        source: literal(image.sourceIn(this.#stack.stackName)),
        bootstrap: image.kind === "repository",
        strategy: deployment.kind,
        codeDeploy:
          this.#codeDeployment === undefined || process.kind !== "web"
            ? undefined
            : { ...this.#codeDeployment.names, port: process.port },
        network: {
          subnets: Fn.join(",", [...vpc.workloadSubnetIds]),
          securityGroup: this.connections.securityGroupId,
          assignPublicIp: compatibility === "FARGATE" && vpc.egress === "public-ip",
        },
        platformVersion: compatibility === "FARGATE" ? "LATEST" : undefined,
        capacity: cluster.strategy(capacity),
        alarms: this.#alarms.map(({ alarmName }) => alarmName),
        admin: Object.fromEntries(this.#admin),
        adminRole: this.#adminAccess.roleArn,
        adminEnvironment: this.#adminAccess.environment,
      }),
      process: () => ({
        owner: releaseOwner,
        family: physicalName("taskFamily", ...this.#fullName),
        ...(process.kind === "job"
          ? { schedule: { name: physicalName("schedule", ...this.#fullName), role: this.#roleName("schedule") } }
          : { service: physicalName("ecsService", name) }),
        codeDeploy: this.#codeDeployment?.names,
        roles: [
          this.#roleName("task"),
          this.#roleName("execution"),
          ...(this.#adminAccess.roleArn === undefined ? [] : [this.#roleName("admin")]),
        ],
        admin: this.#admin.size > 0,
        logGroup: logGroupNameOf(this.logs),
      }),
    });
  }

  /** Whether something moves the requests from the old version to the new one is known only when all add-ons are there. */
  #checkShift(): void {
    const { deployment, process } = this.#settings;
    const short = tooShort(deployment);
    if (short.length > 0) {
      Annotations.of(this).addWarning(
        `deployment ${called(deployment)}: ${short.join(" and ")} is over before an alarm can go off, two minutes after requests ` +
          "began to fail. Use at least 3 minutes.  [DEPLOYMENT_TOO_SHORT]",
      );
    }
    const { verdict, note } = STRATEGY_TABLE[deployment.kind].internal;
    if (process.kind !== "web" || verdict === "yes") return;
    validateAtSynth(this, () =>
      this.#targets.length > 0 || (verdict === "connect" && this.#connected)
        ? []
        : [
            {
              code: "STRATEGY_NEEDS_INGRESS",
              prop: "deployment",
              problem: `${called(deployment)} needs requests to shift: ${note}`,
              remedy: `Add an Ingress${verdict === "connect" ? ", set connect: true" : ""}, or use rolling().`,
            },
          ],
    );
  }

  /** Says what is legal and will hurt; refuses what is known only when all add-ons are there. */
  #checkScaling(): void {
    const { scaling } = this.#settings;
    if (scaling === undefined) return;
    const { requestsPerTask } = scaling;
    validateAtSynth(this, () =>
      requestsPerTask !== undefined && this.#targets.length === 0
        ? [
            {
              code: "SCALING_REQUESTS_WITHOUT_INGRESS",
              prop: "scaling.requestsPerTask",
              problem: "needs requests from a load balancer, and the service has no Ingress",
              remedy: "Add an Ingress, or leave it out.",
            },
          ]
        : [],
    );
    warnOfNoRoom(this, this.#stack, scaling);
  }

  #checkCall(callee: ICallee, options: CallOptions): CallSettings {
    const problems = new Problems(this);
    const { process, shutdown } = this.#settings;
    checkCallee(problems, this.#caller, callee instanceof CloudNativeService ? callee.#caller : callee);
    const longest = process.kind === "web" ? shutdown.deregistrationDelay : undefined;
    const settings = resolveCall(problems, callee.serviceName, options, longest);
    problems.throwIfAny();
    return settings;
  }

  /** What the check of a call wants to know of either side. */
  get #caller(): Caller {
    const { serviceName, process } = this;
    return { serviceName, process, stack: this.#stack };
  }

  /** Who is called is there first, where that makes no cycle, and both take part in Service Connect. */
  #order(callee: CloudNativeService, settings: CallSettings): void {
    this.#stack.addDependency(callee.#stack.data);
    const both = [this, callee];
    // Where one of them cannot, the other's proxy would have nothing to do: they find each other by DNS.
    if (both.every((service) => brings(service.#settings.deployment.kind, "serviceConnect"))) {
      for (const service of both) if (service.#connect === undefined) service.#joinServiceConnect();
    }
    Calls.of(this).add({ from: this, to: callee, timeout: settings.timeout });
    if (callee.#stack === this.#stack) startOrderOf(this.#stack).preferAfter(this, callee);
    else this.#stack.preferAfter(callee.#stack);
  }

  /** Addresses of the services of the stack that this one calls, where they need not wait for it. */
  #startsAfter(): string[] {
    const callees = startOrderOf(this.#stack).before(this);
    return callees.flatMap((callee) => (callee.#service === undefined ? [] : [addressOf(callee.#service)]));
  }

  #joinServiceConnect(): void {
    if (this.#connected || this.#service === undefined) return;
    this.#connected = true;
    this.#service.putServiceConnectConfiguration(
      serviceConnect({
        settings: this.#settings,
        namespaceArn: this.#stack.namespace.namespaceArn,
        region: this.#stack.environment.region,
        logs: this.logs,
        dnsName: this.#dnsName,
      }),
    );
  }

  #host(name: string): ServiceHost {
    if (this.#added.has(name)) {
      throw invalid(this, {
        code: "ADD_ON_TWICE",
        prop: name,
        problem: "was added before",
        remedy: "Add it once, or give the second its own name.",
      });
    }
    this.#added.add(name);
    return {
      scope: new Construct(this, name),
      serviceName: this.serviceName,
      process: this.process,
      exec: this.#settings.exec,
      connections: this.connections,
      deregistrationSeconds: this.shutdown.deregistrationDelay.toSeconds(),
      deployment: this.#settings.deployment,
      grant: (statement) => this.grant(statement),
      targets: () => this.#targets,
      signals: () => [
        ...(this.#service === undefined ? [] : signalsOf(this.#monitored)),
        ...(this.#job === undefined ? [] : signalsOfJob(this.#job)),
        ...this.#signals.map((signal) => signal()),
      ],
      addSignal: (signal) => this.#signals.push(signal),
      alarms: () => this.#alarms,
      addEnvironment: (variable, value) => this.#set(variable, value),
      addSecret: (variable, valueFrom) => this.#setSecret(variable, valueFrom),
      addSidecar: (sidecar) => this.#addSidecar(sidecar),
      addTarget: (target) => this.#addTarget(target),
      addAlarm: (alarm, options) => this.#addAlarm(alarm, options),
      allowNetworkFaults: () => {
        this.#task.enableFaultInjection = true;
        this.#task.pidMode = "task";
      },
    };
  }

  #backingHost(backing: BackingService, prefix: string): BackingHost {
    const { scope, connections, grant, addSecret, addAlarm } = this.#host(backing.name);
    const { process, scaling } = this.#settings;
    return {
      scope,
      connections,
      grant,
      // A job is one task; two for as long as one takes too long.
      maxTasks: scaling?.max ?? 2,
      worksOff: process.kind === "worker" ? process.queue : undefined,
      admin: {
        grant: (statement) => this.#adminAccess.grant(statement),
        addEnvironment: (variable, value) => this.#adminAccess.set(`${prefix}${variable}`, value),
      },
      addEnvironment: (variable, value) => this.#set(`${prefix}${variable}`, value),
      addSecret: (variable, valueFrom) => addSecret(`${prefix}${variable}`, valueFrom),
      addAlarm: (alarm) => addAlarm(alarm),
      needsEndpoint: (name) => this.#checkReach(backing.name, name),
    };
  }

  #checkReach(backing: string, endpoint: string): void {
    const { vpc, endpoints = [endpoint] } = this.#stack;
    if (vpc.egress !== "endpoints" || endpoints.includes(endpoint)) return;
    throw invalid(this, {
      code: "BACKING_OUT_OF_REACH",
      prop: `use ${backing}`,
      problem: `cannot be reached: the network has egress "endpoints", and none for ${JSON.stringify(endpoint)}`,
      remedy: `Add ${JSON.stringify(endpoint)} to the platform's network.endpoints, or choose another egress.`,
    });
  }

  #addSidecar(sidecar: Sidecar): void {
    const { name, cpu, memoryMiB } = sidecar;
    const problems = new Problems(this);
    problems.check(
      /^[A-Za-z0-9_-]{1,255}$/.test(name) &&
        ![this.serviceName, ...this.#sidecars.map((other) => other.name)].includes(name),
      {
        code: "SIDECAR_NAME",
        prop: `sidecar ${JSON.stringify(name)}`,
        problem: "is no name for a container, or another has it",
        remedy: "Use letters, digits, - and _, and a name of its own.",
      },
    );
    problems.check(Number.isInteger(cpu) && cpu >= 0 && Number.isInteger(memoryMiB) && memoryMiB >= 6, {
      code: "SIDECAR_SIZE",
      prop: `sidecar ${JSON.stringify(name)}`,
      problem: `wants ${cpu} CPU units and ${memoryMiB} MiB`,
      remedy: "Use whole numbers, at least 6 MiB.",
    });
    problems.throwIfAny();
    for (const arn of Object.values(sidecar.secrets ?? {})) this.#allowSecret(arn);
    this.#sidecars.push({ ...sidecar, image: this.#reachable(sidecar.image) });
  }

  #addTarget(target: Target): void {
    const service = this.#service;
    if (service === undefined || this.#settings.process.kind !== "web") {
      throw invalid(this, {
        code: "TARGET_OF_NO_WEB",
        prop: "process",
        problem: `is a ${this.#settings.process.kind}, which takes no requests`,
        remedy: "Use process: web().",
      });
    }
    const { deployment } = this.#settings;
    if (STRATEGY_TABLE[deployment.kind].twoGroups && (target.shift === undefined || this.#targets.length > 0)) {
      throw invalid(this, {
        code: "STRATEGY_TARGETS",
        prop: "deployment",
        problem: `${called(deployment)} moves requests between the two target groups of one Ingress`,
        remedy: "Add one Ingress and no other target, or use rolling().",
      });
    }
    this.#targets.push(target);
    this.#needed.push(...target.dependsOn);
    if (this.#targets.length > 1) return;
    if (target.shift !== undefined) this.#shift(service, target.shift);
    const alarm = errorAlarm(this, "Errors", {
      name: [...this.#fullName, "errors"],
      deployment: this.#settings.deployment,
      targets: () => this.#targets,
    });
    this.#addAlarm(alarm, { rollsBack: true });
    const watch = this.#watch;
    if (watch !== undefined) watchRequests(this, watch);
  }

  /** What there is to measure, at the moment of asking. */
  get #monitored(): MonitoredService {
    const { process, name } = this.#settings;
    return {
      platform: this.#stack.platformName,
      environment: this.#stack.environment.name,
      serviceName: physicalName("ecsService", name),
      clusterName: this.#stack.cluster.clusterName,
      groups: groupsOf(this.#targets),
      queueName: process.kind === "worker" ? process.queue?.queueName : undefined,
    };
  }

  get #watch() {
    const { alarms, deployment } = this.#settings;
    return (
      alarms && {
        name: this.#fullName,
        alarms,
        measured: () => this.#monitored,
        minimumRequests: deployment.minimumRequests,
        add: (alarm: Alarm, options?: AlarmOptions) => this.#addAlarm(alarm, options),
      }
    );
  }

  /** What moves requests from one target group to the other. */
  #shift(service: EcsService, target: TargetShift): void {
    const { deployment } = this.#settings;
    if (deployment.kind === "codeDeploy") {
      this.#codeDeployment = new CodeDeployment(this, "CodeDeploy", {
        fullName: this.#fullName,
        clusterName: this.#stack.cluster.clusterName,
        service,
        shift: deployment.shift,
        target,
        roleArns: [this.#taskRole.roleArn, this.#executionRole.roleArn],
        alarmNames: () => this.#rollbackAlarms,
      });
      return;
    }
    const role = new Role(this, "ShiftRole", {
      name: `${this.#fullName.join("-")}-shift`,
      service: "ecs.amazonaws.com",
      sendsSourceAccount: false,
    });
    this.#shiftRoleArn = role.roleArn;
    this.#needed.push(role.addManagedPolicy("AmazonECSInfrastructureRolePolicyForLoadBalancers"));
  }

  #addAlarm(alarm: IAlarm, { rollsBack = false }: AlarmOptions = {}): void {
    this.#alarms.push(alarm);
    if (!rollsBack) return;
    const service = this.#service;
    if (service === undefined) {
      throw invalid(this, {
        code: "ALARM_ROLLS_BACK_NOTHING",
        prop: `alarm ${alarm.alarmName}`,
        problem: "is to roll a deployment back, and a job has none",
        remedy: "Leave rollsBack out.",
      });
    }
    this.#rollbackAlarms.push(alarm.alarmName);
    if (brings(this.#settings.deployment.kind, "alarms")) {
      service.putAlarms({ alarmNames: [...this.#rollbackAlarms].sort(), enable: true, rollback: true });
    }
    if (alarm instanceof Alarm) this.#needed.push(alarm.address);
  }

  #set(variable: string, value: string): void {
    this.#refuseTwice(variable);
    this.#environment.set(variable, value);
  }

  #setSecret(variable: string, valueFrom: string): void {
    this.#refuseTwice(variable);
    this.#secrets.set(variable, { name: variable, valueFrom });
    this.#allowSecret(valueFrom);
  }

  /** Lets ECS read a secret or parameter when a task starts. */
  #allowSecret(valueFrom: string): void {
    const isParameter = !Token.isUnresolved(valueFrom) && valueFrom.includes(":ssm:");
    this.#executionRole.grant({
      actions: [isParameter ? "ssm:GetParameters" : "secretsmanager:GetSecretValue"],
      // A key of a secret is named behind its ARN, and is no resource of its own.
      resources: [isParameter ? valueFrom : valueFrom.replace(/^((?:[^:]+:){6}[^:]+):.*$/, "$1")],
    });
  }

  #refuseTwice(variable: string): void {
    if (this.#environment.has(variable) || this.#secrets.has(variable)) {
      throw invalid(this, {
        code: "ENVIRONMENT_VARIABLE_TWICE",
        prop: `environment.${variable}`,
        problem: "is set twice",
        remedy: "Take it out of environment, or add only one of the add-ons that set it.",
      });
    }
  }
}

/** Name of a log group as it is known at synth; `*` where it is not. */
function logGroupNameOf(logs: ILogStream): string {
  const group = logs.node.defaultChild;
  const name = group instanceof CloudwatchLogGroup ? group.nameInput : logs.logGroupName;
  return name === undefined || Token.isUnresolved(name) ? "*" : name;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

const START_ORDER = () => new StartOrder<CloudNativeService>();

function startOrderOf(stack: ServiceStack): StartOrder<CloudNativeService> {
  return Registry.of(stack).get(START_ORDER);
}
