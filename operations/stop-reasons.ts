import type { DescribeServicesCommandOutput, Task } from "@aws-sdk/client-ecs";

/** Where a service is. */
export interface ServicePlace {
  readonly region: string;
  readonly cluster: string;
  readonly service: string;
}

/** Why tasks stopped: one entry for all that stopped for the same reason. */
export interface StopReason {
  readonly tasks: number;
  /** Family and revision: `shop-dev-orders:7`. */
  readonly taskDefinition: string;
  readonly reason: string;
  /** How each container ended that told. */
  readonly containers: readonly string[];
  /** The last lines that one of the tasks wrote. */
  readonly lines: readonly string[];
}

/** How a service's deployments stand, and why its tasks stopped. */
export interface StopReport {
  readonly deployments: readonly { readonly taskDefinition: string; readonly state: string; readonly reason: string }[];
  readonly stopped: readonly StopReason[];
}

const LINES = 10;
const MAX_TASKS = 100;

/**
 * Asks ECS why a service's tasks stopped. ECS remembers a stopped task for an hour.
 *
 * Needs `ecs:DescribeServices`, `ecs:ListTasks`, `ecs:DescribeTasks`, `ecs:DescribeTaskDefinition` and `logs:GetLogEvents`.
 *
 * @throws Error when there is no such service, or AWS refuses
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-errors.html
 */
export async function findStopReasons(place: ServicePlace): Promise<StopReport> {
  const { DescribeServicesCommand, DescribeTasksCommand, ECSClient, ListTasksCommand } = await import(
    "@aws-sdk/client-ecs"
  );
  const { region, cluster, service } = place;
  const ecs = new ECSClient({ region });
  try {
    const described = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
    const found = described.services?.[0];
    if (found === undefined) throw new Error(`no service ${service} in cluster ${cluster} in ${region}`);
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
          reason: task.stoppedReason ?? "no reason told",
          containers: containersOf(task),
          lines: await lastLines(region, task).catch(() => []),
        };
      }),
    );
    return { deployments: deploymentsOf(found), stopped };
  } finally {
    ecs.destroy();
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

/** What the first container of a task wrote last. */
async function lastLines(region: string, task: Task): Promise<string[]> {
  const { DescribeTaskDefinitionCommand, ECSClient } = await import("@aws-sdk/client-ecs");
  const { CloudWatchLogsClient, GetLogEventsCommand } = await import("@aws-sdk/client-cloudwatch-logs");
  const ecs = new ECSClient({ region });
  const logs = new CloudWatchLogsClient({ region });
  try {
    const { taskDefinition } = await ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: task.taskDefinitionArn }),
    );
    const container = taskDefinition?.containerDefinitions?.find(({ essential }) => essential === true);
    const options = container?.logConfiguration?.options ?? {};
    const { events = [] } = await logs.send(
      new GetLogEventsCommand({
        logGroupName: options["awslogs-group"],
        logStreamName: [options["awslogs-stream-prefix"], container?.name, lastPart(task.taskArn)].join("/"),
        limit: LINES,
      }),
    );
    return events.map(({ message = "" }) => message.trimEnd());
  } finally {
    ecs.destroy();
    logs.destroy();
  }
}

function lastPart(arn: string | undefined): string {
  return arn?.split("/").at(-1) ?? "";
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** The report as a person reads it. Control characters of others' log lines do not reach the terminal. */
export function describeStopReport({ service }: ServicePlace, { deployments, stopped }: StopReport): string {
  const lines = [`${service}:`];
  for (const { taskDefinition, state, reason } of deployments) lines.push(`  ${taskDefinition} ${state} ${reason}`);
  if (stopped.length === 0) lines.push("  no task has stopped within the last hour");
  for (const { tasks, taskDefinition, reason, containers, lines: last } of stopped) {
    lines.push(`  ${tasks === 1 ? "1 task" : `${tasks} tasks`} of ${taskDefinition} stopped: ${reason}`);
    lines.push(...containers.map((container) => `    ${container}`));
    if (last.length > 0) lines.push("    last lines:", ...last.map((line) => `      ${line}`));
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return `${lines.map((line) => line.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "?")).join("\n")}\n`;
}
