import type { DeploymentInfo } from "@aws-sdk/client-codedeploy";
import type { Deployment, Service } from "@aws-sdk/client-ecs";
import {
  lockParameter,
  type ProcessTemplate,
  processesPath,
  type ReleaseLock,
  type ReleasePlace,
  type ReleaseRecord,
  recordParameter,
} from "../../contract/release";
import { OperationError } from "../command";
import { findStopReasons } from "../stop-reasons";
import { appSpec } from "./app-spec";
import type { Cloud, Lines, Progress, TaskState } from "./cloud";
import { type DescribedTask, familyAndRevision } from "./task";

/** The SDK's clients that releases use. Only where a job is released, or CodeDeploy moves, are the last two loaded. */
const PACKAGES = {
  ecs: "@aws-sdk/client-ecs",
  ssm: "@aws-sdk/client-ssm",
  logs: "@aws-sdk/client-cloudwatch-logs",
  scheduler: "@aws-sdk/client-scheduler",
  codeDeploy: "@aws-sdk/client-codedeploy",
} as const;

async function load<T>(which: keyof typeof PACKAGES, client: () => Promise<T>): Promise<T> {
  try {
    return await client();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "MODULE_NOT_FOUND" && code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new OperationError(`the AWS SDK is missing: npm install --save-dev ${PACKAGES[which]}`, 1);
  }
}

/** How a deployment of CodeDeploy ends. */
const ENDED = ["Succeeded", "Failed", "Stopped"];

const loadEcs = () => load("ecs", () => import("@aws-sdk/client-ecs"));
const loadSsm = () => load("ssm", () => import("@aws-sdk/client-ssm"));
const loadLogs = () => load("logs", () => import("@aws-sdk/client-cloudwatch-logs"));
const loadScheduler = () => load("scheduler", () => import("@aws-sdk/client-scheduler"));
const loadCodeDeploy = () => load("codeDeploy", () => import("@aws-sdk/client-codedeploy"));

/** AWS in a region, with the credentials of the environment. */
export class AwsCloud implements Cloud {
  constructor(
    private readonly region: string,
    /** How often CodeDeploy is asked whether what was stopped has ended. */
    private readonly pollMilliseconds = 5_000,
  ) {}

  async processes(place: ReleasePlace): Promise<ReadonlyMap<string, ProcessTemplate>> {
    const { GetParametersByPathCommand } = await loadSsm();
    const ssm = await this.#ssm();
    const path = processesPath(place);
    const found: [string, ProcessTemplate][] = [];
    let token: string | undefined;
    do {
      const page = await ssm.send(new GetParametersByPathCommand({ Path: path, NextToken: token }));
      for (const { Name = "", Value = "" } of page.Parameters ?? []) {
        found.push([Name.slice(path.length + 1), parse<ProcessTemplate>(Name, Value)]);
      }
      token = page.NextToken;
    } while (token !== undefined);
    return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async record(place: ReleasePlace): Promise<ReleaseRecord | undefined> {
    return this.#read<ReleaseRecord>(recordParameter(place));
  }

  async history(place: ReleasePlace): Promise<readonly ReleaseRecord[]> {
    const { GetParameterHistoryCommand, ParameterNotFound } = await loadSsm();
    const ssm = await this.#ssm();
    const name = recordParameter(place);
    const versions: { readonly version: number; readonly record: ReleaseRecord }[] = [];
    let token: string | undefined;
    try {
      do {
        const page = await ssm.send(new GetParameterHistoryCommand({ Name: name, MaxResults: 50, NextToken: token }));
        for (const { Version = 0, Value = "" } of page.Parameters ?? []) {
          versions.push({ version: Version, record: parse(name, Value) });
        }
        token = page.NextToken;
      } while (token !== undefined);
    } catch (error) {
      if (!(error instanceof ParameterNotFound)) throw error;
    }
    return versions.sort((a, b) => b.version - a.version).map(({ record }) => record);
  }

  async writeRecord(place: ReleasePlace, record: ReleaseRecord): Promise<void> {
    const { PutParameterCommand } = await loadSsm();
    await (await this.#ssm()).send(
      new PutParameterCommand({ Name: recordParameter(place), Value: JSON.stringify(record), Overwrite: true }),
    );
  }

  /** A parameter that is there cannot be made: of two that try at once, one is told so. */
  async lock(place: ReleasePlace, lock: ReleaseLock): Promise<ReleaseLock | undefined> {
    const { ParameterAlreadyExists, PutParameterCommand } = await loadSsm();
    const ssm = await this.#ssm();
    const Name = lockParameter(place);
    try {
      await ssm.send(new PutParameterCommand({ Name, Type: "String", Value: JSON.stringify(lock), Overwrite: false }));
      return undefined;
    } catch (error) {
      if (!(error instanceof ParameterAlreadyExists)) throw error;
      return (await this.lockedBy(place)) ?? this.lock(place, lock);
    }
  }

  async lockedBy(place: ReleasePlace): Promise<ReleaseLock | undefined> {
    return this.#read<ReleaseLock>(lockParameter(place));
  }

  async unlock(place: ReleasePlace): Promise<void> {
    const { DeleteParameterCommand, ParameterNotFound } = await loadSsm();
    try {
      await (await this.#ssm()).send(new DeleteParameterCommand({ Name: lockParameter(place) }));
    } catch (error) {
      if (!(error instanceof ParameterNotFound)) throw error;
    }
  }

  async task(name: string): Promise<DescribedTask | undefined> {
    const { ClientException, DescribeTaskDefinitionCommand } = await loadEcs();
    try {
      const { taskDefinition, tags = [] } = await (await this.#ecs()).send(
        new DescribeTaskDefinitionCommand({ taskDefinition: name, include: ["TAGS"] }),
      );
      return taskDefinition === undefined ? undefined : { definition: taskDefinition, tags };
    } catch (error) {
      if (error instanceof ClientException) return undefined;
      throw error;
    }
  }

  async register(task: Parameters<Cloud["register"]>[0]): Promise<string> {
    const { RegisterTaskDefinitionCommand } = await loadEcs();
    const { taskDefinition } = await (await this.#ecs()).send(new RegisterTaskDefinitionCommand(task));
    return taskDefinition?.taskDefinitionArn as string;
  }

  async running(process: ProcessTemplate): Promise<string> {
    if (process.schedule !== undefined) {
      const { Target } = await this.#schedule(process.schedule);
      return familyAndRevision(Target?.EcsParameters?.TaskDefinitionArn ?? "");
    }
    const service = await this.#service(process);
    // Under CodeDeploy the service itself names what it was made with.
    const primary = service.taskSets?.find(({ status }) => status === "PRIMARY");
    return familyAndRevision(primary?.taskDefinition ?? service.taskDefinition ?? "");
  }

  async move(process: ProcessTemplate, task: string): Promise<() => Promise<Progress>> {
    const arn = process.task.slice(0, process.task.lastIndexOf("/") + 1) + task;
    if (process.schedule !== undefined) return this.#moveSchedule(process.schedule, arn);
    if (process.codeDeploy !== undefined) return this.#moveByCodeDeploy(process, process.codeDeploy, arn);
    return this.#moveService(process, arn);
  }

  async lastWords(process: ProcessTemplate, task: string): Promise<readonly string[]> {
    const { service, cluster } = process;
    if (service === undefined) return [];
    const { stopped } = await findStopReasons({ region: this.region, cluster, service });
    return stopped
      .filter(({ taskDefinition }) => taskDefinition === task)
      .flatMap(({ reason, containers, lines }) => [reason, ...containers, ...lines]);
  }

  async runTask(process: ProcessTemplate, task: string, command: readonly string[]): Promise<string> {
    const { RunTaskCommand } = await loadEcs();
    const { network, capacity, platformVersion, cluster, container } = process;
    const { tasks = [], failures = [] } = await (await this.#ecs()).send(
      new RunTaskCommand({
        cluster,
        taskDefinition: task,
        capacityProviderStrategy: [...capacity],
        platformVersion,
        startedBy: "antifragile-admin",
        enableECSManagedTags: true,
        propagateTags: "TASK_DEFINITION",
        networkConfiguration: {
          awsvpcConfiguration: {
            subnets: network.subnets.split(","),
            securityGroups: [network.securityGroup],
            assignPublicIp: network.assignPublicIp ? "ENABLED" : "DISABLED",
          },
        },
        overrides: {
          // What may change a schema is the admin task's own, and never the app's.
          taskRoleArn: process.adminRole,
          containerOverrides: [
            {
              name: container,
              command: [...command],
              environment: Object.entries(process.adminEnvironment ?? {}).map(([name, value]) => ({ name, value })),
            },
          ],
        },
      }),
    );
    const arn = tasks[0]?.taskArn;
    if (arn === undefined) {
      throw new Error(`ECS starts no task: ${failures.map(({ reason }) => reason).join(", ") || "no reason told"}`);
    }
    return arn;
  }

  async taskState({ cluster, container }: ProcessTemplate, taskArn: string): Promise<TaskState> {
    const { DescribeTasksCommand } = await loadEcs();
    const { tasks = [] } = await (await this.#ecs()).send(new DescribeTasksCommand({ cluster, tasks: [taskArn] }));
    const [task] = tasks;
    // A task that was just started may not be known everywhere yet.
    if (task === undefined) return { stopped: false, exitCode: undefined, reason: undefined };
    const own = task.containers?.find(({ name }) => name === container);
    return {
      stopped: task.lastStatus === "STOPPED",
      exitCode: own?.exitCode,
      reason: own?.reason ?? task.stoppedReason,
    };
  }

  async stopTask({ cluster }: ProcessTemplate, taskArn: string, reason: string): Promise<void> {
    const { StopTaskCommand } = await loadEcs();
    await (await this.#ecs()).send(new StopTaskCommand({ cluster, task: taskArn, reason }));
  }

  async lines(process: ProcessTemplate, taskArn: string, next: string | undefined): Promise<Lines> {
    const { GetLogEventsCommand, ResourceNotFoundException } = await loadLogs();
    const described = await this.task(process.task);
    const container = described?.definition.containerDefinitions?.find(({ name }) => name === process.container);
    const { logDriver, options = {} } = container?.logConfiguration ?? {};
    if (logDriver !== "awslogs") return { lines: [], next };
    try {
      const { events = [], nextForwardToken } = await (await this.#logs()).send(
        new GetLogEventsCommand({
          logGroupName: options["awslogs-group"],
          logStreamName: [options["awslogs-stream-prefix"], process.container, taskArn.split("/").at(-1)].join("/"),
          startFromHead: true,
          nextToken: next,
        }),
      );
      return { lines: events.map(({ message = "" }) => message.trimEnd()), next: nextForwardToken };
    } catch (error) {
      // The stream is there when the container has written something.
      if (error instanceof ResourceNotFoundException) return { lines: [], next };
      throw error;
    }
  }

  async #moveService(process: ProcessTemplate, arn: string): Promise<() => Promise<Progress>> {
    const { UpdateServiceCommand } = await loadEcs();
    let service = await this.#service(process);
    if (service.taskDefinition !== arn) {
      const { cluster, service: name } = process;
      const updated = await (await this.#ecs()).send(
        new UpdateServiceCommand({ cluster, service: name, taskDefinition: arn }),
      );
      service = updated.service ?? service;
    }
    const { id } = deploymentTo(service, arn) ?? {};
    return async () => progressOf(await this.#service(process), arn, id);
  }

  async #moveSchedule(name: string, arn: string): Promise<() => Promise<Progress>> {
    const { UpdateScheduleCommand } = await loadScheduler();
    const { Target, ...schedule } = await this.#schedule(name);
    // What is not told is set to its default: all is told again.
    await (await this.#scheduler()).send(
      new UpdateScheduleCommand({
        Name: name,
        GroupName: schedule.GroupName,
        Description: schedule.Description,
        ScheduleExpression: schedule.ScheduleExpression,
        ScheduleExpressionTimezone: schedule.ScheduleExpressionTimezone,
        StartDate: schedule.StartDate,
        EndDate: schedule.EndDate,
        State: schedule.State,
        KmsKeyArn: schedule.KmsKeyArn,
        ActionAfterCompletion: schedule.ActionAfterCompletion,
        FlexibleTimeWindow: schedule.FlexibleTimeWindow,
        Target: {
          ...Target,
          Arn: Target?.Arn,
          RoleArn: Target?.RoleArn,
          EcsParameters: { ...Target?.EcsParameters, TaskDefinitionArn: arn },
        },
      }),
    );
    return async () => ({ state: "live" });
  }

  async #moveByCodeDeploy(
    process: ProcessTemplate,
    { application, deploymentGroup, port }: NonNullable<ProcessTemplate["codeDeploy"]>,
    arn: string,
  ): Promise<() => Promise<Progress>> {
    const key = `${application}/${deploymentGroup}`;
    // One at a time: what is under way is given up first, and CodeDeploy brings back what it has moved.
    const underWay = this.#deployments.get(key);
    if (underWay !== undefined) await this.#stopDeployment(underWay);
    if ((await this.running(process)) === familyAndRevision(arn)) return async () => ({ state: "live" });
    const { CreateDeploymentCommand } = await loadCodeDeploy();
    const codeDeploy = await this.#codeDeploy();
    const { deploymentId } = await codeDeploy.send(
      new CreateDeploymentCommand({
        applicationName: application,
        deploymentGroupName: deploymentGroup,
        revision: {
          revisionType: "AppSpecContent",
          appSpecContent: { content: appSpec(process, { task: arn, port }) },
        },
      }),
    );
    this.#deployments.set(key, deploymentId as string);
    return async () => {
      const { status, errorInformation, rollbackInfo } = await this.#deployment(deploymentId as string);
      if (status === undefined || !ENDED.includes(status)) return { state: "moving" };
      this.#deployments.delete(key);
      if (status === "Succeeded") return { state: "live" };
      const { rollbackDeploymentId, rollbackMessage } = rollbackInfo ?? {};
      if (rollbackDeploymentId !== undefined) this.#deployments.set(key, rollbackDeploymentId);
      const told = errorInformation?.message ?? rollbackMessage ?? "no reason told";
      return { state: "failed", reason: `CodeDeploy: ${deploymentId} ${status.toLowerCase()}: ${told}` };
    };
  }

  /** Deployments of CodeDeploy that this command has begun, or seen begin, and not seen end; by deployment group. */
  readonly #deployments = new Map<string, string>();

  async #deployment(deploymentId: string): Promise<DeploymentInfo> {
    const { GetDeploymentCommand } = await loadCodeDeploy();
    const { deploymentInfo } = await (await this.#codeDeploy()).send(new GetDeploymentCommand({ deploymentId }));
    return deploymentInfo ?? {};
  }

  /** Ends a deployment, unless it is the way back already, and waits until nothing moves. */
  async #stopDeployment(deploymentId: string): Promise<void> {
    const { DeploymentAlreadyCompletedException, StopDeploymentCommand } = await loadCodeDeploy();
    let id: string | undefined = deploymentId;
    if ((await this.#deployment(deploymentId)).creator !== "codeDeployRollback") {
      const stop = new StopDeploymentCommand({ deploymentId, autoRollbackEnabled: true });
      await (await this.#codeDeploy()).send(stop).catch((error: unknown) => {
        if (!(error instanceof DeploymentAlreadyCompletedException)) throw error;
      });
    }
    while (id !== undefined) {
      const { status, rollbackInfo }: DeploymentInfo = await this.#deployment(id);
      if (ENDED.includes(status ?? "")) id = rollbackInfo?.rollbackDeploymentId;
      else await new Promise((resolve) => setTimeout(resolve, this.pollMilliseconds));
    }
  }

  async #service({ cluster, service }: ProcessTemplate): Promise<Service> {
    const { DescribeServicesCommand } = await loadEcs();
    const { services = [] } = await (await this.#ecs()).send(
      new DescribeServicesCommand({ cluster, services: [service as string] }),
    );
    const [found] = services;
    if (found === undefined) throw new Error(`there is no service ${service} in cluster ${cluster}`);
    return found;
  }

  async #schedule(name: string) {
    const { GetScheduleCommand } = await loadScheduler();
    return (await this.#scheduler()).send(new GetScheduleCommand({ Name: name }));
  }

  async #read<T>(name: string): Promise<T | undefined> {
    const { GetParameterCommand, ParameterNotFound } = await loadSsm();
    try {
      const { Parameter } = await (await this.#ssm()).send(new GetParameterCommand({ Name: name }));
      return parse<T>(name, Parameter?.Value ?? "");
    } catch (error) {
      if (error instanceof ParameterNotFound) return undefined;
      throw error;
    }
  }

  // One client each for as long as the command runs.
  readonly #clients = new Map<string, unknown>();

  #once<T>(name: string, make: () => T): T {
    if (!this.#clients.has(name)) this.#clients.set(name, make());
    return this.#clients.get(name) as T;
  }

  async #ecs() {
    const { ECSClient } = await loadEcs();
    return this.#once("ecs", () => new ECSClient({ region: this.region }));
  }

  async #ssm() {
    const { SSMClient } = await loadSsm();
    return this.#once("ssm", () => new SSMClient({ region: this.region }));
  }

  async #logs() {
    const { CloudWatchLogsClient } = await loadLogs();
    return this.#once("logs", () => new CloudWatchLogsClient({ region: this.region }));
  }

  async #scheduler() {
    const { SchedulerClient } = await loadScheduler();
    return this.#once("scheduler", () => new SchedulerClient({ region: this.region }));
  }

  async #codeDeploy() {
    const { CodeDeployClient } = await loadCodeDeploy();
    return this.#once("codeDeploy", () => new CodeDeployClient({ region: this.region }));
  }

  /** Ends what is open. */
  destroy(): void {
    for (const client of this.#clients.values()) (client as { destroy(): void }).destroy();
  }
}

function parse<T>(name: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new OperationError(`${name} holds no JSON: somebody has written to it by hand`, 1);
  }
}

/** The newest deployment of a service to a task definition. */
function deploymentTo({ deployments = [] }: Service, arn: string): Deployment | undefined {
  return deployments
    .filter(({ taskDefinition }) => taskDefinition === arn)
    .sort((a, b) => Number(b.createdAt ?? 0) - Number(a.createdAt ?? 0))[0];
}

/**
 * How a deployment stands. ECS that gave one up goes back by itself and is steady again: what counts is this one's state.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
 */
export function progressOf(service: Service, arn: string, id: string | undefined): Progress {
  const deployment = service.deployments?.find((each) => each.id === id);
  if (deployment?.rolloutState === "FAILED") {
    return { state: "failed", reason: deployment.rolloutStateReason ?? "ECS gave the deployment up" };
  }
  if (service.taskDefinition !== arn) {
    return { state: "failed", reason: `${familyAndRevision(service.taskDefinition ?? "")} has taken its place` };
  }
  const current = deployment ?? service.deployments?.find(({ status }) => status === "PRIMARY");
  return { state: current?.rolloutState === "COMPLETED" ? "live" : "moving" };
}
