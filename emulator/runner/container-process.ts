import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Container } from "./applied";
import { endWithParent } from "./end-with-parent";
import type { LocalImage } from "./image";

/** End of a container: its exit code, or the reason why it has none. */
export interface Ending {
  readonly exitCode: number | undefined;
  readonly reason: string;
}

export interface ContainerProcessOptions {
  readonly container: Container;
  readonly image: LocalImage;
  /** Command in place of the container's own. */
  readonly command?: readonly string[];
  /** Variables of the container, complete. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}

const DEFAULT_STOP_SECONDS = 30;

/** Container as a process of this machine: command, variables and stop timeout are the container's. */
export class ContainerProcess {
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #stopSeconds: number;

  constructor({ container, image, command, environment, onLine }: ContainerProcessOptions) {
    this.#stopSeconds = container.stopTimeout ?? DEFAULT_STOP_SECONDS;
    const [program = "", ...args] = [
      ...(container.entryPoint ?? image.entryPoint),
      ...(command ?? container.command ?? image.command),
    ];
    // A group of its own: Ctrl-C is for this process, which drains the load balancer before it stops tasks.
    const child = spawn(program === "node" ? process.execPath : program, args, {
      cwd: image.folder,
      env: { PATH: process.env.PATH, ...image.environment, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    endWithParent(child);
    const read = [child.stdout, child.stderr].map(async (stream) => {
      if (stream === null) return;
      for await (const line of createInterface({ input: stream })) onLine(line);
    });
    this.ended = new Promise((resolve) => {
      child.once("error", ({ message }) =>
        resolve({ exitCode: undefined, reason: `CannotStartContainerError: ${message}` }),
      );
      child.once("close", async (code, signal) => {
        await Promise.all(read);
        resolve({ exitCode: code ?? (signal === "SIGKILL" ? 137 : 143), reason: "Essential container in task exited" });
      });
    });
  }

  /** Sends SIGTERM, and SIGKILL after the stop timeout. */
  async stop(): Promise<Ending> {
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), this.#stopSeconds * 1000);
    const ending = await this.ended;
    clearTimeout(timer);
    return ending;
  }
}
