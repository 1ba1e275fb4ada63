import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { quoted } from "../../contract/text";
import { UserError } from "../../contract/user-error";
import type { RunningTask } from "./cloud";
import { type ReleaseContext, throwIfInterrupted } from "./context";
import { chooseService, servicesOf } from "./services";

export interface ExecOptions {
  readonly service: string | undefined;
  /** Id of a task, or its beginning. @default - the task that runs for the shortest time */
  readonly task: string | undefined;
  /** Command and its arguments. @default - a shell */
  readonly command: readonly string[];
  readonly region: string;
  readonly env: NodeJS.ProcessEnv;
}

/** AWS's program that connects a terminal to a session. */
const PLUGIN = "session-manager-plugin";

/** Opens a session in a running task of a service, and returns the exit code of the program that connects to it. */
export async function exec(context: ReleaseContext, options: ExecOptions): Promise<number> {
  const { cloud, place, print } = context;
  const { service, command, region, env } = options;
  const [name, process] = chooseService(await servicesOf(context), service);
  if (process.kind === "job") {
    throw new UserError(
      `${name} is a job, whose tasks a schedule starts: antifragile run ${place.environment} ${name} -- <command> runs a command in a task of its own`,
      2,
    );
  }
  requirePlugin(env);
  const task = choose(await cloud.runningTasks(process), name, options.task);
  if (!task.exec) {
    throw new UserError(
      `task ${task.id} of ${name} was started without ECS Exec: set exec: true in the service and cluster: { exec: {} } in its platform, deploy both, and release; tasks that start then have it`,
      1,
    );
  }
  throwIfInterrupted(context);
  const session = await cloud.openSession(
    process,
    task,
    command.length === 0 ? "/bin/sh" : command.map(word).join(" "),
  );
  throwIfInterrupted(context);
  print(`${name}, task ${task.id}\n`);
  // As the AWS CLI starts it. With the target it can connect again after a lost connection.
  const { AWS_PROFILE = "" } = env;
  const target = JSON.stringify({ Target: session.target });
  return connect([JSON.stringify(session.start), region, "StartSession", AWS_PROFILE, target], env);
}

function choose(tasks: readonly RunningTask[], service: string, wanted: string | undefined): RunningTask {
  if (tasks.length === 0) throw new UserError(`no task of ${service} is running: antifragile status shows why`, 1);
  const [task] = tasks.filter(({ id }) => id.startsWith(wanted ?? ""));
  if (task !== undefined) return task;
  const ids = tasks.map(({ id }) => id).join(", ");
  throw new UserError(`--task ${quoted(wanted)}: is not a running task of ${service}; choose one of ${ids}`, 2);
}

/** Word of a command line for the agent in the container, which splits it as a shell does. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** @throws UserError that explains how to install the plugin, before a session is opened that nothing could use */
function requirePlugin(env: NodeJS.ProcessEnv): void {
  const { error } = spawnSync(PLUGIN, [], { env, stdio: "ignore" });
  if (error === undefined) return;
  throw new UserError(
    (error as NodeJS.ErrnoException).code === "ENOENT"
      ? `${PLUGIN} is not on PATH: install it as https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html describes (macOS: brew install --cask session-manager-plugin)`
      : `${PLUGIN} cannot be started: ${error.message}`,
    1,
  );
}

/** True while a session is open: Ctrl-C is then for the program in the container. */
let connected = false;

export const isConnected = (): boolean => connected;

async function connect(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(PLUGIN, args, { env, stdio: "inherit" });
  const end = () => void child.kill("SIGTERM");
  connected = true;
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, end);
  try {
    const [code] = await once(child, "close");
    return (code as number | null) ?? 1;
  } finally {
    connected = false;
    for (const signal of ["SIGTERM", "SIGHUP"]) process.off(signal, end);
  }
}
