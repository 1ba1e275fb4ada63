import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { findTools, type Tools } from "./tools";

export { ProviderPool } from "./provider-process";
export { type Change, type Plan, type Progress, TerraformError, TerraformStack } from "./terraform";
export { type FoundMirror, type FoundTool, findTools, type MissingTool, missingTools, type Tools } from "./tools";

/** Options of an emulator. */
export interface EmulatorOptions {
  /** File that the server writes its log to; its folder is made. */
  readonly log: string;
  /** Installed tools. @default - searched for */
  readonly tools?: Tools;
  /** Include Amazon's public AMIs and managed policies; without them, the emulator starts and resets faster. @default true */
  readonly catalogue?: boolean;
  /** File that receives each call with its caller and parameters, as a line of JSON. @default - calls are not recorded */
  readonly calls?: string;
}

/** A thing that is still in the emulated account. */
export interface Leftover {
  /** Resource type, for example "log group". */
  readonly kind: string;
  /** Its name, id or ARN. */
  readonly id: string;
  readonly region: string;
  /** @default - the first account */
  readonly account?: string;
}

/** Resources that remain in the emulated accounts, except those that every account has (default VPC, AWS managed policies). */
export interface Leftovers {
  /** Resources that AWS would charge for. */
  readonly billable: readonly Leftover[];
  readonly free: readonly Leftover[];
}

/** A deployment of an ECS service that is to fail. */
export interface RollBack {
  readonly cluster: string;
  readonly service: string;
  /** Why ECS gives up. @default "tasks failed to start." */
  readonly reason?: string;
  /** Why its tasks stopped. @default "Essential container in task exited" */
  readonly stoppedReason?: string;
  /**
   * Time for which ECS shows the failed deployment next to the one that it rolled back to. Terraform, when it waits for a steady
   * state, waits until it has gone, and then takes the roll-back for success, as with AWS.
   *
   * @default 15
   */
  readonly shownSeconds?: number;
}

/** Result of a task without a service. */
export interface TaskEnding {
  /** Family of its task definition. */
  readonly family: string;
  /** @default 0 */
  readonly exitCode?: number;
  /** Output of its first container. @default - nothing */
  readonly lines?: readonly string[];
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
const LOG_TAIL_LINES = 20;

/**
 * AWS on this machine: moto, with what it lacks and with AWS's refusals. An access key that is the id of an account calls this account,
 * the keys of a session that of its role, and all others the first account.
 *
 * Each has a port of its own; two side by side do not meet. It ends with the process that started it.
 */
export class Emulator {
  /** Start one and wait until it answers. Fails with the end of its log when it does not. */
  static async start(options: EmulatorOptions): Promise<Emulator> {
    const { python } = options.tools ?? (await findTools());
    if (!python.found) throw new Error(`the emulator cannot start: ${python.install}`);
    const log = resolve(options.log);
    mkdirSync(dirname(log), { recursive: true });
    const logFile = openSync(log, "a");
    // Standard input is the life line: the server ends when this process does, however it ends.
    const server = spawn(python.path, ["-B", pythonFolder()], {
      stdio: ["pipe", "pipe", logFile],
      env: serverEnvironment(options),
    });
    closeSync(logFile);
    const port = await readPort(server).catch((error: unknown) => {
      server.kill("SIGKILL");
      throw new Error(`the emulator did not start: ${error instanceof Error ? error.message : error}\n${logTail(log)}`);
    });
    return new Emulator(server, port, log);
  }

  readonly url: string;
  #ended: string | undefined;

  private constructor(
    private readonly server: ChildProcess,
    readonly port: number,
    /** File with the server's log. */
    readonly log: string,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    server.once("exit", (code, signal) => {
      this.#ended = signal ? `ended by ${signal}` : `ended with code ${code}`;
    });
    server.stdin?.on("error", () => undefined); // The server has ended: `assertRunning` reports it.
    // It must not keep this process alive; it ends by itself when this process does.
    server.unref();
    for (const stream of [server.stdin, server.stdout]) (stream as { unref?(): void } | null)?.unref?.();
  }

  /** Process id of the server. */
  get pid(): number {
    return this.server.pid as number;
  }

  /** Throws, with the end of the log, when the server is gone. */
  assertRunning(): void {
    if (this.#ended) throw new Error(`the emulator at ${this.url} ${this.#ended}\n${logTail(this.log)}`);
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    const ended = new Promise<void>((done) => this.server.once("exit", () => done()));
    this.server.ref();
    this.server.kill("SIGTERM");
    const timer = setTimeout(() => this.server.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }

  /** Forget everything: an account as new. */
  async reset(): Promise<void> {
    await this.#ask("POST", "reset");
  }

  /** Let the next deployment of a service fail: ECS then brings the old task definition back. */
  async rollBackNext(rollBack: RollBack): Promise<void> {
    await this.#ask("POST", "roll-back-next", rollBack);
  }

  /** Say how the next task of a family ends. */
  async endNextTask(ending: TaskEnding): Promise<void> {
    await this.#ask("POST", "end-next-task", ending);
  }

  async leftovers(): Promise<Leftovers> {
    return (await this.#ask("GET", "leftovers")) as Leftovers;
  }

  async #ask(method: "GET" | "POST", path: string, said?: object): Promise<unknown> {
    this.assertRunning();
    const address = `${this.url}/antifragile/${path}`;
    const body =
      said === undefined ? {} : { body: JSON.stringify(said), headers: { "content-type": "application/json" } };
    const response = await fetch(address, { method, ...body }).catch(async (error: Error) => {
      await new Promise((done) => setTimeout(done, 100)); // The end of the process may be reported a little later.
      this.assertRunning();
      throw new Error(`the emulator does not answer ${method} ${address}: ${error.message}\n${logTail(this.log)}`);
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`the emulator answered ${response.status} to ${method} ${address}: ${text}`);
    return JSON.parse(text);
  }
}

/** The server's sources: beside the TypeScript sources and in the installed package alike, from wherever this is bundled. */
function pythonFolder(): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, "emulator", "python");
    if (existsSync(join(candidate, "__main__.py"))) return candidate;
    if (folder === dirname(folder)) throw new Error(`no emulator/python above ${__dirname}: the package is incomplete`);
  }
}

function serverEnvironment({ catalogue = true, calls }: EmulatorOptions): NodeJS.ProcessEnv {
  // An account, a profile or moto settings of the user must not reach the server.
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS|MOTO|PYTHON)/.test(name));
  return {
    ...Object.fromEntries(kept),
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    ANTIFRAGILE_NODE: process.execPath,
    ANTIFRAGILE_CALLS: calls,
    MOTO_EC2_LOAD_DEFAULT_AMIS: String(catalogue),
    MOTO_IAM_LOAD_MANAGED_POLICIES: String(catalogue),
    PYTHONUNBUFFERED: "1",
    TZ: "UTC", // moto writes local times as if they were UTC
  };
}

function readPort(server: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    let said = "";
    const timer = setTimeout(() => fail(new Error(`no answer in ${START_TIMEOUT_MS / 1000} s`)), START_TIMEOUT_MS);
    const settle = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    server.once("error", (error) => settle(() => fail(error)));
    server.once("exit", (code, signal) => settle(() => fail(new Error(`it ended with ${signal ?? `code ${code}`}`))));
    server.stdout?.on("data", (chunk) => {
      said += chunk;
      const port = /\{"port": (\d+)\}/.exec(said)?.[1];
      if (port) settle(() => done(Number(port)));
    });
  });
}

function logTail(log: string): string {
  const lines = readFileSync(log, "utf8").trimEnd().split("\n").slice(-LOG_TAIL_LINES);
  return `end of ${log}:\n${lines.join("\n")}`;
}
