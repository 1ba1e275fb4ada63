import type { ProcessTemplate } from "../../contract/release";
import { UserError } from "../../contract/user-error";
import { type AwsClients, loadSdk } from "../aws-sdk";
import type { OpenSession, RunningTask } from "./cloud";

const loadEcs = () => loadSdk("@aws-sdk/client-ecs", () => import("@aws-sdk/client-ecs"));

/** Number of tasks that ECS lists and describes in one call. */
const AT_ONCE = 100;

/** Running tasks of a service, at most 100, the newest first. */
export async function runningTasks(
  clients: AwsClients,
  { cluster, service, container }: ProcessTemplate,
): Promise<RunningTask[]> {
  const { DescribeTasksCommand, ECSClient, ListTasksCommand } = await loadEcs();
  const ecs = clients.get(ECSClient);
  const { taskArns = [] } = await ecs.send(
    new ListTasksCommand({ cluster, serviceName: service, desiredStatus: "RUNNING", maxResults: AT_ONCE }),
  );
  if (taskArns.length === 0) return [];
  const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }));
  return tasks
    .filter(({ lastStatus }) => lastStatus === "RUNNING")
    .sort((a, b) => Number(b.startedAt ?? 0) - Number(a.startedAt ?? 0))
    .map(({ taskArn = "", enableExecuteCommand = false, containers = [] }) => ({
      id: taskArn.slice(taskArn.lastIndexOf("/") + 1),
      exec: enableExecuteCommand,
      runtimeId: containers.find(({ name }) => name === container)?.runtimeId ?? "",
    }));
}

/** Starts a command in the app's container of a task. */
export async function openSession(
  clients: AwsClients,
  { cluster, container }: ProcessTemplate,
  { id, runtimeId }: RunningTask,
  command: string,
): Promise<OpenSession> {
  const { ECSClient, ExecuteCommandCommand, TargetNotConnectedException } = await loadEcs();
  try {
    const { session = {} } = await clients
      .get(ECSClient)
      .send(new ExecuteCommandCommand({ cluster, container, task: id, interactive: true, command }));
    return { start: session, target: `ecs:${cluster}_${id}_${runtimeId}` };
  } catch (error) {
    if (!(error instanceof TargetNotConnectedException)) throw error;
    throw new UserError(
      `the agent for ECS Exec in task ${id} does not answer: it may still be starting, or have no way to ssmmessages; try again, or another task with --task`,
      1,
    );
  }
}
