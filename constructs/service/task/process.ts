import type { IQueue } from "../../backing/queue";
import { checkArguments } from "../../core/check-types";
import type { Schedule } from "../../core/schedule";

/** Kind of process that a service runs: see {@link web}, {@link worker} and {@link job}. */
export type Process = WebProcess | WorkerProcess | JobProcess;

interface Command {
  /** Command of the container as a list of words; undefined for the image's own. */
  readonly command: readonly string[] | undefined;
}

/** A process that serves HTTP requests. */
export interface WebProcess extends Command {
  readonly kind: "web";
  readonly port: number;
  readonly livePath: string;
  readonly readyPath: string;
  /** Command of the health check inside the container; undefined for node, "none" for no health check. */
  readonly liveCommand: readonly string[] | "none" | undefined;
}

/** A process that takes its work from a queue or another source and runs until it is stopped. */
export interface WorkerProcess extends Command {
  readonly kind: "worker";
  /** Queue that the worker consumes and scales by. */
  readonly queue: IQueue | undefined;
}

/** A process that runs on a schedule and exits. */
export interface JobProcess extends Command {
  readonly kind: "job";
  readonly schedule: Schedule;
}

/**
 * A process that serves HTTP requests on one port.
 *
 * @param options.port TCP port that it listens on, passed as `PORT`. Default: 8080
 * @param options.livePath path that returns 200 as long as the process works at all; otherwise the container is replaced.
 * Default: "/livez"
 * @param options.readyPath path that returns 200 as long as the process accepts requests, but not while it starts or drains.
 * Default: "/readyz"
 * @param options.liveCommand command that checks the live path inside the container and exits with 0 if it is healthy;
 * "none" if the image cannot run such a command. Default: node, which the image must contain
 * @param options.command command of the container. Default: the image's own
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
  checkArguments("web", { options });
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
 * A process that consumes messages. With a queue, it gets permission to consume it and its URL in `QUEUE_URL`, and scales to
 * zero while the queue is empty.
 *
 * @param options.queue queue to consume. Default: none; the process finds its work itself and scales by CPU
 * @param options.command command of the container: `["node", "dist/worker.js"]`. Default: the image's own
 */
export function worker(options: { readonly queue?: IQueue; readonly command?: readonly string[] } = {}): WorkerProcess {
  checkArguments("worker", { options });
  return { kind: "worker", queue: options.queue, command: options.command };
}

/**
 * A process that starts on a schedule, does its work and exits. Runs can overlap if one takes longer than the interval.
 *
 * @param options.schedule `cron("0 3 * * *")` or `every(Duration.hours(1))`
 * @param options.command command of the container: `["node", "dist/job.js"]`. Default: the image's own
 */
export function job(options: { readonly schedule: Schedule; readonly command?: readonly string[] }): JobProcess {
  checkArguments("job", { options });
  return { kind: "job", schedule: options.schedule, command: options.command };
}
