import { MIGRATE, type ProcessTemplate } from "../../contract/release";
import { OperationError } from "../command";
import { familyAndRevision } from "./task";
import { nothingThere, POLL_MS, throwIfInterrupted, type World } from "./world";

/** One run of an admin process. */
export interface AdminRun {
  readonly process: ProcessTemplate;
  /** Family and revision whose config, permissions and image it has. */
  readonly task: string;
  readonly command: readonly string[];
}

/** How often its log is read once more when it has ended. */
const LOG_ROUNDS_AFTER_END = 3;

/**
 * Runs a command as a task of its own, shows what it writes, waits for its end. Interrupted, it is stopped.
 *
 * @returns its exit code; 1 where its container did not start
 */
export async function runAdmin(world: World, { process, task, command }: AdminRun): Promise<number> {
  const { cloud, print, sleep } = world;
  const arn = await cloud.runTask(process, task, command);
  let next: string | undefined;
  const show = async () => {
    const read = await cloud.lines(process, arn, next);
    next = read.next;
    for (const line of read.lines) print(`    ${printable(line)}\n`);
    return read.lines.length;
  };
  try {
    for (;;) {
      throwIfInterrupted(world);
      const { stopped, exitCode, reason } = await cloud.taskState(process, arn);
      await show();
      if (stopped) {
        // What it wrote last comes later than its end.
        for (let round = 0; round < LOG_ROUNDS_AFTER_END && (await show()) === 0; round++) await sleep(POLL_MS / 5);
        if (exitCode !== 0)
          print(`    ended with ${exitCode ?? "no exit code"}: ${printable(reason ?? "no reason told")}\n`);
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
  /** Words after the command's own. */
  readonly args: readonly string[];
  /** The service, where several have an admin process of this name. */
  readonly service?: string;
}

/** The command `antifragile admin`: an admin process of the release that runs. */
export async function admin(world: World, { name, args, service }: AdminOptions): Promise<number> {
  const { cloud, place, print } = world;
  const processes = await cloud.processes(place);
  if (processes.size === 0) throw nothingThere(world);
  const having = [...processes].filter(
    ([own, { admin: commands }]) => (service === undefined || own === service) && Object.hasOwn(commands, name),
  );
  if (having.length === 0) {
    const known = [...processes].flatMap(([own, { admin: commands }]) =>
      Object.keys(commands).map((each) => `${each} (${own})`),
    );
    throw new OperationError(
      `there is no admin process ${JSON.stringify(name)}${service === undefined ? "" : ` of ${service}`}; there ${known.length === 0 ? `is none: service.addAdminProcess(${JSON.stringify(name)}, [...]) declares one` : `are: ${known.join(", ")}`}`,
      2,
    );
  }
  if (having.length > 1) {
    throw new OperationError(
      `${name} is an admin process of ${having.map(([own]) => own).join(" and ")}: name one by --service`,
      2,
    );
  }
  const [[own, process]] = having as [[string, ProcessTemplate]];
  const task = await cloud.running(process);
  if (process.bootstrap && task === familyAndRevision(process.task)) {
    throw new OperationError(
      `${own} has no release yet, and ${name} is a command of its image: antifragile release ${place.environment} --image <uri@sha256:...>${name === MIGRATE ? " runs it first" : ""}`,
      1,
    );
  }
  print(`${name} of ${own}, as ${task}\n`);
  return await runAdmin(world, { process, task, command: [...(process.admin[name] as string[]), ...args] });
}

/** Control characters of others' lines do not reach the terminal. */
export function printable(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return line.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, "?");
}
