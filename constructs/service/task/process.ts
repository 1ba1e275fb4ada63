import type { IQueue } from "../../backing/queue";
import type { Schedule } from "../../core/schedule";

/** What kind of process a service is: see {@link web}, {@link worker} and {@link job}. */
export type Process = WebProcess | WorkerProcess | JobProcess;

interface Command {
  /** What the container runs, word by word; undefined for the image's own. */
  readonly command: readonly string[] | undefined;
}

/** A process that answers HTTP requests. */
export interface WebProcess extends Command {
  readonly kind: "web";
  readonly port: number;
  readonly livePath: string;
  readonly readyPath: string;
  /** What asks the live path inside the container; undefined for node, "none" for nothing. */
  readonly liveCommand: readonly string[] | "none" | undefined;
}

/** A process that takes its work from somewhere and runs until it is stopped. */
export interface WorkerProcess extends Command {
  readonly kind: "worker";
  /** Where the work comes from, and what decides how many there are. */
  readonly queue: IQueue | undefined;
}

/** A process that runs on a schedule and ends. */
export interface JobProcess extends Command {
  readonly kind: "job";
  readonly schedule: Schedule;
}

/**
 * A process that answers HTTP requests on one port.
 *
 * @param options.port TCP port that it listens on, passed as `PORT`. Default: 8080
 * @param options.livePath answers 200 as long as the process works at all; if not, the container is replaced. Default: "/livez"
 * @param options.readyPath answers 200 as long as the process takes requests; not while it starts or drains. Default: "/readyz"
 * @param options.liveCommand what asks the live path inside the container, ends with 0 when all is well; "none" where the image
 *   has nothing to ask with. Default: node, which the image must have
 * @param options.command what the container runs. Default: the image's own
 */
export function web(
  options: {
    readonly port?: number;
    readonly livePath?: string;
    readonly readyPath?: string;
    readonly liveCommand?: readonly string[] | "none";
    readonly command?: readonly string[];
  } = {},
): WebProcess {
  return {
    kind: "web",
    port: options.port ?? 8080,
    livePath: options.livePath ?? "/livez",
    readyPath: options.readyPath ?? "/readyz",
    liveCommand: options.liveCommand,
    command: options.command,
  };
}

/**
 * A process that handles messages. With a queue it may read it, finds it by `QUEUE_URL`, and there are none of it while
 * the queue is empty.
 *
 * @param options.queue where the messages come from. Default: it finds its work itself, and scales by CPU
 * @param options.command what the container runs: `["node", "dist/worker.js"]`. Default: the image's own
 */
export function worker(options: { readonly queue?: IQueue; readonly command?: readonly string[] } = {}): WorkerProcess {
  return { kind: "worker", queue: options.queue, command: options.command };
}

/**
 * A process that starts on a schedule, does its work and ends. It may run twice at once when one takes too long.
 *
 * @param options.schedule `cron("0 3 * * *")` or `every(Duration.hours(1))`
 * @param options.command what the container runs: `["node", "dist/job.js"]`. Default: the image's own
 */
export function job(options: { readonly schedule: Schedule; readonly command?: readonly string[] }): JobProcess {
  return { kind: "job", schedule: options.schedule, command: options.command };
}

/** Whether a value is a command: a list of words, none of them empty. */
export function isCommand(command: unknown): command is readonly string[] {
  return (
    Array.isArray(command) && command.length > 0 && command.every((word) => typeof word === "string" && word !== "")
  );
}
