import { randomUUID } from "node:crypto";
import type { DeploymentInfo } from "@aws-sdk/client-codedeploy";
import type { Deployment, Service } from "@aws-sdk/client-ecs";
import {
  type LockHolder,
  lockParameter,
  type ProcessTemplate,
  processesPath,
  type ReleaseLock,
  type ReleasePlace,
  type ReleaseRecord,
  recordParameter,
} from "../../contract/release";
import { readLock, readRecord, readTemplate } from "../../contract/release-schema";
import { UserError } from "../../contract/user-error";
import { alarmStates } from "../alarm-states";
import { AwsClients, loadSdk } from "../aws-sdk";
import { findStopReasons } from "../stop-reasons";
import { appSpec } from "./app-spec";
import type { Cloud, History, Lines, LogEvent, LogQuery, OpenSession, Progress, RunningTask, TaskState } from "./cloud";
import { openSession, runningTasks } from "./sessions";
import { type DescribedTask, familyAndRevision } from "./task";

const loadEcs = () => loadSdk("@aws-sdk/client-ecs", () => import("@aws-sdk/client-ecs"));
const loadSsm = () => loadSdk("@aws-sdk/client-ssm", () => import("@aws-sdk/client-ssm"));
const loadLogs = () => loadSdk("@aws-sdk/client-cloudwatch-logs", () => import("@aws-sdk/client-cloudwatch-logs"));
const loadScheduler = () => loadSdk("@aws-sdk/client-scheduler", () => import("@aws-sdk/client-scheduler"));
const loadCodeDeploy = () => loadSdk("@aws-sdk/client-codedeploy", () => import("@aws-sdk/client-codedeploy"));

/** Final states of a CodeDeploy deployment. */
const ENDED = ["Succeeded", "Failed", "Stopped"];

interface LogPlace {
  readonly group: string;
  /** Beginning of the names of the streams. */
  readonly streams: string;
}

/** AWS in a region, with the credentials of the environment. */
export class AwsCloud implements Cloud {
  readonly #clients: AwsClients;
  readonly #logPlaces = new Map<string, LogPlace | undefined>();

  constructor(
    private readonly region: string,
    {
      print,
      pollMilliseconds = 5_000,
    }: { readonly print?: (text: string) => void; readonly pollMilliseconds?: number } = {},
  ) {
    this.#clients = new AwsClients({ region, print });
    this.#print = print ?? (() => undefined);
    this.#pollMilliseconds = pollMilliseconds;
  }

  readonly #print: (text: string) => void;
  /** Interval at which a stopped CodeDeploy deployment is polled. */
  readonly #pollMilliseconds: number;

  async processes(place: ReleasePlace): Promise<ReadonlyMap<string, ProcessTemplate>> {
    const { GetParametersByPathCommand } = await loadSsm();
    const ssm = await this.#ssm();
    const path = processesPath(place);
    const found: [string, ProcessTemplate][] = [];
    let token: string | undefined;
    do {
      const page = await ssm.send(new GetParametersByPathCommand({ Path: path, NextToken: token }));
      for (const { Name = "", Value = "" } of page.Parameters ?? []) {
        const read = readTemplate(Value);
        if ("problem" in read) {
          throw new UserError(
            `${Name} cannot be read: ${read.problem}. run antifragile deploy ${place.environment} to write it again`,
            1,
          );
        }
        found.push([Name.slice(path.length + 1), read.value]);
      }
      token = page.NextToken;
    } while (token !== undefined);
    return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async record(place: ReleasePlace): Promise<ReleaseRecord | undefined> {
    const { GetParameterCommand, ParameterNotFound } = await loadSsm();
    const name = recordParameter(place);
    try {
      const { Parameter } = await (await this.#ssm()).send(new GetParameterCommand({ Name: name }));
      const read = readRecord(Parameter?.Value ?? "");
      if ("value" in read) return read.value;
    } catch (error) {
      if (error instanceof ParameterNotFound) return undefined;
      throw error;
    }
    const { records, unreadable } = await this.history(place);
    for (const each of unreadable) this.#print(`  ! ${each}\n`);
    const [newest] = records;
    if (newest !== undefined) return newest;
    throw new UserError(
      `${name} has no version that can be read: delete the parameter, and antifragile deploy ${place.environment} creates an empty one`,
      1,
    );
  }

  async history(place: ReleasePlace): Promise<History> {
    const { GetParameterHistoryCommand, ParameterNotFound } = await loadSsm();
    const ssm = await this.#ssm();
    const name = recordParameter(place);
    const versions: { readonly version: number; readonly text: string }[] = [];
    let token: string | undefined;
    try {
      do {
        const page = await ssm.send(new GetParameterHistoryCommand({ Name: name, MaxResults: 50, NextToken: token }));
        for (const { Version = 0, Value = "" } of page.Parameters ?? []) {
          versions.push({ version: Version, text: Value });
        }
        token = page.NextToken;
      } while (token !== undefined);
    } catch (error) {
      if (!(error instanceof ParameterNotFound)) throw error;
    }
    const records: ReleaseRecord[] = [];
    const unreadable: string[] = [];
    for (const { version, text } of versions.sort((a, b) => b.version - a.version)) {
      const read = readRecord(text);
      if ("value" in read) records.push(read.value);
      else unreadable.push(`version ${version} of ${name} is skipped: ${read.problem}`);
    }
    return { records, unreadable };
  }

  async writeRecord(place: ReleasePlace, record: ReleaseRecord): Promise<void> {
    const { PutParameterCommand } = await loadSsm();
    await (await this.#ssm()).send(
      new PutParameterCommand({ Name: recordParameter(place), Value: JSON.stringify(record), Overwrite: true }),
    );
  }

  /** Creates the lock. Creating an existing parameter fails, so only one of two concurrent commands gets it. */
  async lock(place: ReleasePlace, lock: ReleaseLock): Promise<LockHolder | undefined> {
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

  async lockedBy(place: ReleasePlace): Promise<LockHolder | undefined> {
    const { GetParameterCommand, ParameterNotFound } = await loadSsm();
    try {
      const { Parameter = {} } = await (await this.#ssm()).send(
        new GetParameterCommand({ Name: lockParameter(place) }),
      );
      const read = readLock(Parameter.Value ?? "");
      const beat = Parameter.LastModifiedDate ?? new Date(0);
      return { lock: "value" in read ? read.value : undefined, beat, version: Parameter.Version ?? 0 };
    } catch (error) {
      if (error instanceof ParameterNotFound) return undefined;
      throw error;
    }
  }

  async writeLock(place: ReleasePlace, lock: ReleaseLock): Promise<number> {
    const { PutParameterCommand } = await loadSsm();
    const { Version = 0 } = await (await this.#ssm()).send(
      new PutParameterCommand({ Name: lockParameter(place), Value: JSON.stringify(lock), Overwrite: true }),
    );
    return Version;
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
    // With CodeDeploy, the service itself names the task definition that it was created with.
    const primary = service.taskSets?.find(({ status }) => status === "PRIMARY");
    return familyAndRevision(primary?.taskDefinition ?? service.taskDefinition ?? "");
  }

  async move(process: ProcessTemplate, task: string): Promise<() => Promise<Progress>> {
    const arn = process.task.slice(0, process.task.lastIndexOf("/") + 1) + task;
    if (process.schedule !== undefined) return this.#moveSchedule(process.schedule, arn);
    if (process.codeDeploy !== undefined) return this.#moveByCodeDeploy(process, process.codeDeploy, arn);
    return this.#moveService(process, arn);
  }

  async stoppedTaskLogs(process: ProcessTemplate, task: string): Promise<readonly string[]> {
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
        // A call that is retried because its response was lost starts no second task.
        clientToken: randomUUID(),
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
          // Credentials that may change a schema belong to the admin task, never to the app.
          taskRoleArn: process.adminRole,
          containerOverrides: [
            {
              name: container,
              ...(command.length === 0 ? {} : { command: [...command] }),
              environment: Object.entries(process.adminEnvironment ?? {}).map(([name, value]) => ({ name, value })),
            },
          ],
        },
      }),
    );
    const arn = tasks[0]?.taskArn;
    if (arn === undefined) {
      throw new Error(
        `ECS did not start a task: ${failures.map(({ reason }) => reason).join(", ") || "no reason given"}`,
      );
    }
    return arn;
  }

  async taskState({ cluster, container }: ProcessTemplate, taskArn: string): Promise<TaskState> {
    const { DescribeTasksCommand } = await loadEcs();
    const { tasks = [] } = await (await this.#ecs()).send(new DescribeTasksCommand({ cluster, tasks: [taskArn] }));
    const [task] = tasks;
    // ECS is eventually consistent: a task that was just started may not be listed yet.
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
    const log = await this.#logOf(process);
    if (log === undefined) return { lines: [], next };
    try {
      const { events = [], nextForwardToken } = await (await this.#logs()).send(
        new GetLogEventsCommand({
          logGroupName: log.group,
          logStreamName: `${log.streams}${taskArn.split("/").at(-1)}`,
          startFromHead: true,
          nextToken: next,
        }),
      );
      return { lines: events.map(({ message = "" }) => message.trimEnd()), next: nextForwardToken };
    } catch (error) {
      // The stream exists once the container has written a line.
      if (error instanceof ResourceNotFoundException) return { lines: [], next };
      throw error;
    }
  }

  async logEvents(process: ProcessTemplate, { since, task = "", filter }: LogQuery): Promise<readonly LogEvent[]> {
    const { paginateFilterLogEvents, ResourceNotFoundException } = await loadLogs();
    const log = await this.#logOf(process);
    if (log === undefined) {
      throw new UserError(`${process.container} has a log driver of its own: its logs are not in CloudWatch`, 1);
    }
    const found: LogEvent[] = [];
    const query = {
      logGroupName: log.group,
      logStreamNamePrefix: `${log.streams}${task}`,
      startTime: since,
      ...(filter === undefined ? {} : { filterPattern: filter }),
    };
    try {
      for await (const { events = [] } of paginateFilterLogEvents({ client: await this.#logs() }, query)) {
        for (const { eventId: id = "", timestamp: at = 0, logStreamName = "", message = "" } of events) {
          found.push({ id, at, task: logStreamName.slice(log.streams.length), message: message.trimEnd() });
        }
      }
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      throw new UserError(`log group ${log.group} does not exist`, 1);
    }
    return found;
  }

  async runningTasks(process: ProcessTemplate): Promise<readonly RunningTask[]> {
    return runningTasks(this.#clients, process);
  }

  async openSession(process: ProcessTemplate, task: RunningTask, command: string): Promise<OpenSession> {
    return openSession(this.#clients, process, task, command);
  }

  async alarmStates(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return new Map([...(await alarmStates(names, this.#clients))].map(([name, { state }]) => [name, state]));
  }

  /** Log group of a process, and the beginning of its streams' names; undefined with another log driver. */
  async #logOf({ task, container }: ProcessTemplate): Promise<LogPlace | undefined> {
    // A revision never changes, and a log that is followed is read every few seconds.
    const key = `${task} ${container}`;
    if (this.#logPlaces.has(key)) return this.#logPlaces.get(key);
    const described = await this.task(task);
    const own = described?.definition.containerDefinitions?.find(({ name }) => name === container);
    const { logDriver, options = {} } = own?.logConfiguration ?? {};
    const { "awslogs-group": group, "awslogs-stream-prefix": prefix } = options;
    const place =
      logDriver !== "awslogs" || group === undefined ? undefined : { group, streams: `${prefix}/${container}/` };
    this.#logPlaces.set(key, place);
    return place;
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
    // An omitted member is reset to its default, so every member is sent again.
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
    // One at a time: a deployment in progress is stopped first, and CodeDeploy rolls it back.
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
      const reason = errorInformation?.message ?? rollbackMessage ?? "no reason given";
      return { state: "failed", reason: `CodeDeploy: ${deploymentId} ${status.toLowerCase()}: ${reason}` };
    };
  }

  /** CodeDeploy deployments in progress that this command has started, by deployment group. */
  readonly #deployments = new Map<string, string>();

  async #deployment(deploymentId: string): Promise<DeploymentInfo> {
    const { GetDeploymentCommand } = await loadCodeDeploy();
    const { deploymentInfo } = await (await this.#codeDeploy()).send(new GetDeploymentCommand({ deploymentId }));
    return deploymentInfo ?? {};
  }

  /** Stops a deployment, unless it is already a rollback, and waits until it has ended. */
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
      else await new Promise((resolve) => setTimeout(resolve, this.#pollMilliseconds));
    }
  }

  async #service({ cluster, service }: ProcessTemplate): Promise<Service> {
    const { DescribeServicesCommand } = await loadEcs();
    const { services = [] } = await (await this.#ecs()).send(
      new DescribeServicesCommand({ cluster, services: [service as string] }),
    );
    const [found] = services;
    if (found === undefined) {
      throw new UserError(
        `service ${service} does not exist in cluster ${cluster}: apply its stack to create it again`,
        1,
      );
    }
    return found;
  }

  async #schedule(name: string) {
    const { GetScheduleCommand } = await loadScheduler();
    return (await this.#scheduler()).send(new GetScheduleCommand({ Name: name }));
  }

  async #ecs() {
    return this.#clients.get((await loadEcs()).ECSClient);
  }

  async #ssm() {
    return this.#clients.get((await loadSsm()).SSMClient);
  }

  async #logs() {
    return this.#clients.get((await loadLogs()).CloudWatchLogsClient);
  }

  async #scheduler() {
    return this.#clients.get((await loadScheduler()).SchedulerClient);
  }

  async #codeDeploy() {
    return this.#clients.get((await loadCodeDeploy()).CodeDeployClient);
  }

  /** Closes all connections. */
  destroy(): void {
    this.#clients.destroy();
  }
}

/** Newest deployment of a service to a task definition. */
function deploymentTo({ deployments = [] }: Service, arn: string): Deployment | undefined {
  return deployments
    .filter(({ taskDefinition }) => taskDefinition === arn)
    .sort((a, b) => Number(b.createdAt ?? 0) - Number(a.createdAt ?? 0))[0];
}

/**
 * Progress of a deployment. ECS rolls back a failed deployment and is then steady again, so only this deployment's state counts.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
 */
export function progressOf(service: Service, arn: string, id: string | undefined): Progress {
  const deployment = service.deployments?.find((each) => each.id === id);
  if (deployment?.rolloutState === "FAILED") {
    return { state: "failed", reason: deployment.rolloutStateReason ?? "ECS reported a failed deployment" };
  }
  if (service.taskDefinition !== arn) {
    return { state: "failed", reason: `${familyAndRevision(service.taskDefinition ?? "")} has replaced it` };
  }
  const current = deployment ?? service.deployments?.find(({ status }) => status === "PRIMARY");
  return { state: current?.rolloutState === "COMPLETED" ? "live" : "moving" };
}
