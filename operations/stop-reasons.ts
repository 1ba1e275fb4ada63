import type { DescribeServicesCommandOutput, Task } from "@aws-sdk/client-ecs";
import { logLine } from "../contract/text";
import { UserError } from "../contract/user-error";
import { AwsClients, loadSdk } from "./aws-sdk";

/** Region, cluster and name of a service. */
export interface ServicePlace {
  readonly region: string;
  readonly cluster: string;
  readonly service: string;
}

/** Reason why tasks stopped; one entry for all that stopped for the same reason. */
export interface StopReason {
  readonly tasks: number;
  /** Family and revision: `shop-dev-orders:7`. */
  readonly taskDefinition: string;
  readonly reason: string;
  /** Exit of each container that reported one. */
  readonly containers: readonly string[];
  /** Last log lines of one of the tasks. */
  readonly lines: readonly string[];
}

/** Deployments of a service, and the reasons why its tasks stopped. */
export interface StopReport {
  readonly deployments: readonly { readonly taskDefinition: string; readonly state: string; readonly reason: string }[];
  readonly stopped: readonly StopReason[];
}

const LINES = 10;
const MAX_TASKS = 100;

/**
 * Reads from ECS why a service's tasks stopped. ECS keeps a stopped task for an hour.
 *
 * Needs `ecs:DescribeServices`, `ecs:ListTasks`, `ecs:DescribeTasks`, `ecs:DescribeTaskDefinition` and `logs:GetLogEvents`.
 *
 * @throws UserError if the service does not exist, or AWS refuses
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-errors.html
 */
export async function findStopReasons(place: ServicePlace): Promise<StopReport> {
  const { DescribeServicesCommand, DescribeTasksCommand, ECSClient, ListTasksCommand } = await loadSdk(
    "@aws-sdk/client-ecs",
    () => import("@aws-sdk/client-ecs"),
  );
  const { region, cluster, service } = place;
  const clients = new AwsClients({ region });
  const ecs = clients.get(ECSClient);
  try {
    const described = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
    const found = described.services?.[0];
    if (found === undefined)
      throw new UserError(`service ${service} does not exist in cluster ${cluster} in ${region}`, 1);
    const { taskArns = [] } = await ecs.send(
      new ListTasksCommand({ cluster, serviceName: service, desiredStatus: "STOPPED", maxResults: MAX_TASKS }),
    );
    const { tasks = [] } =
      taskArns.length === 0 ? {} : await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }));
    const groups = groupBy(tasks, reasonOf);
    const stopped = await Promise.all(
      [...groups.values()].map(async (alike): Promise<StopReason> => {
        const [task = {}] = alike;
        return {
          tasks: alike.length,
          taskDefinition: lastPart(task.taskDefinitionArn),
          reason: task.stoppedReason ?? "no reason given",
          containers: containersOf(task),
          lines: await lastLines(clients, task).catch(() => []),
        };
      }),
    );
    return { deployments: deploymentsOf(found), stopped };
  } finally {
    clients.destroy();
  }
}

type Service = NonNullable<DescribeServicesCommandOutput["services"]>[number];

function deploymentsOf({ deployments = [] }: Service): StopReport["deployments"] {
  return deployments.map(({ taskDefinition, rolloutState, rolloutStateReason }) => ({
    taskDefinition: lastPart(taskDefinition),
    state: rolloutState ?? "UNKNOWN",
    reason: rolloutStateReason ?? "",
  }));
}

function reasonOf(task: Task): string {
  return JSON.stringify([task.taskDefinitionArn, task.stoppedReason, containersOf(task)]);
}

function containersOf({ containers = [] }: Task): string[] {
  return containers
    .filter(({ exitCode, reason }) => exitCode !== undefined || reason !== undefined)
    .map(
      ({ name, exitCode, reason }) =>
        `${name} ended${exitCode === undefined ? "" : ` with code ${exitCode}`}${reason ? `: ${reason}` : ""}`,
    )
    .sort();
}

/** Last log lines of a task's first essential container. */
async function lastLines(clients: AwsClients, task: Task): Promise<string[]> {
  const { DescribeTaskDefinitionCommand, ECSClient } = await import("@aws-sdk/client-ecs");
  const { CloudWatchLogsClient, GetLogEventsCommand } = await loadSdk(
    "@aws-sdk/client-cloudwatch-logs",
    () => import("@aws-sdk/client-cloudwatch-logs"),
  );
  const { taskDefinition } = await clients
    .get(ECSClient)
    .send(new DescribeTaskDefinitionCommand({ taskDefinition: task.taskDefinitionArn }));
  const container = taskDefinition?.containerDefinitions?.find(({ essential }) => essential === true);
  const options = container?.logConfiguration?.options ?? {};
  const { events = [] } = await clients.get(CloudWatchLogsClient).send(
    new GetLogEventsCommand({
      logGroupName: options["awslogs-group"],
      logStreamName: [options["awslogs-stream-prefix"], container?.name, lastPart(task.taskArn)].join("/"),
      limit: LINES,
    }),
  );
  return events.map(({ message = "" }) => message.trimEnd());
}

function lastPart(arn: string | undefined): string {
  return arn?.split("/").at(-1) ?? "";
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** Report as text; log lines are made safe for a terminal. */
export function describeStopReport({ service }: ServicePlace, { deployments, stopped }: StopReport): string {
  const lines = [`${service}:`];
  for (const { taskDefinition, state, reason } of deployments) lines.push(`  ${taskDefinition} ${state} ${reason}`);
  if (stopped.length === 0) lines.push("  no task has stopped within the last hour");
  for (const { tasks, taskDefinition, reason, containers, lines: last } of stopped) {
    lines.push(`  ${tasks === 1 ? "1 task" : `${tasks} tasks`} of ${taskDefinition} stopped: ${reason}`);
    lines.push(...containers.map((container) => `    ${container}`));
    if (last.length > 0) lines.push("    last lines:", ...last.map((line) => `      ${line}`));
  }
  return `${lines.map(logLine).join("\n")}\n`;
}
