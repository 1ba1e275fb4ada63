import { MIGRATE, type ProcessTemplate } from "../../contract/release";
import { logLine } from "../../contract/text";
import { UserError } from "../../contract/user-error";
import { POLL_MS, type ReleaseContext, throwIfInterrupted } from "./context";
import { servicesOf } from "./services";
import { familyAndRevision } from "./task";

/** Run of an admin process. */
export interface AdminRun {
  readonly process: ProcessTemplate;
  /** Family and revision of the task definition: its config, permissions and image. */
  readonly task: string;
  readonly command: readonly string[];
}

/** Number of times the log is read again after the task has ended. */
const LOG_ROUNDS_AFTER_END = 3;

/**
 * Runs a command as a one-off task, shows its log, and waits for its end. An interruption stops the task.
 *
 * @returns exit code of the task; 1 if its container did not start
 */
export async function runAdmin(context: ReleaseContext, { process, task, command }: AdminRun): Promise<number> {
  const { cloud, print, sleep } = context;
  const arn = await cloud.runTask(process, task, command);
  let next: string | undefined;
  const show = async () => {
    const read = await cloud.lines(process, arn, next);
    next = read.next;
    for (const line of read.lines) print(`    ${logLine(line)}\n`);
    return read.lines.length;
  };
  try {
    for (;;) {
      throwIfInterrupted(context);
      const { stopped, exitCode, reason } = await cloud.taskState(process, arn);
      await show();
      if (stopped) {
        // The last log lines arrive after the task has ended.
        for (let round = 0; round < LOG_ROUNDS_AFTER_END && (await show()) === 0; round++) await sleep(POLL_MS / 5);
        if (exitCode !== 0)
          print(`    ended with ${exitCode ?? "no exit code"}: ${logLine(reason ?? "no reason given")}\n`);
        return exitCode ?? 1;
      }
      await sleep(POLL_MS);
    }
  } catch (error) {
    await cloud.stopTask(process, arn, "interrupted").catch(() => undefined);
    throw error;
  }
}

export interface AdminOptions {
  readonly name: string;
  /** Arguments added to the command's own. */
  readonly args: readonly string[];
  /** The service, if several have an admin process of this name. */
  readonly service?: string;
}

/** Runs an admin process of the live release. */
export async function admin(context: ReleaseContext, { name, args, service }: AdminOptions): Promise<number> {
  const { cloud, place, print } = context;
  const processes = await servicesOf(context);
  const having = [...processes].filter(
    ([own, { admin: commands }]) => (service === undefined || own === service) && Object.hasOwn(commands, name),
  );
  if (having.length === 0) {
    const known = [...processes].flatMap(([own, { admin: commands }]) =>
      Object.keys(commands).map((each) => `${each} (${own})`),
    );
    throw new UserError(
      `admin process ${JSON.stringify(name)}${service === undefined ? "" : ` of ${service}`} does not exist; ${known.length === 0 ? `add one with service.addAdminProcess(${JSON.stringify(name)}, [...])` : `choose one of ${known.join(", ")}`}`,
      2,
    );
  }
  if (having.length > 1) {
    throw new UserError(
      `${name} is an admin process of ${having.map(([own]) => own).join(" and ")}: choose one with --service`,
      2,
    );
  }
  const [[own, process]] = having as [[string, ProcessTemplate]];
  const task = await cloud.running(process);
  if (process.bootstrap && task === familyAndRevision(process.task)) {
    throw new UserError(
      `${own} has no release yet, and ${name} is a command of its image: antifragile release ${place.environment} --image <uri@sha256:...>${name === MIGRATE ? " runs it first" : ""}`,
      1,
    );
  }
  print(`${name} of ${own}, as ${task}\n`);
  return await runAdmin(context, { process, task, command: [...(process.admin[name] as string[]), ...args] });
}
