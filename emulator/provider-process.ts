import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

const START_TIMEOUT_MS = 60_000;
/** Ends the provider when its standard input closes, and so with the process that started it, for any reason. */
const UNTIL_INPUT_ENDS = '"$1" -debug & cat >/dev/null; kill -KILL $!';

/** Log levels of the provider. Its default log contains all requests and responses, including secrets. */
const LOG_LEVELS = { TF_LOG: "", TF_LOG_PROVIDER_AWS: "ERROR", TF_LOG_SDK: "ERROR", TF_LOG_SDK_PROTO: "ERROR" };

/** A running provider, for one run of Terraform. */
export interface AttachedProvider {
  /** Value of `TF_REATTACH_PROVIDERS`. */
  readonly attachment: string;
  /** Leaves the provider to another run. */
  readonly release: () => void;
}

/**
 * Processes of the AWS provider that Terraform runs use one after the other, so that runs do not start their own.
 *
 * Every run configures its provider again: region, default tags and credentials are those of the stack that is run. Two runs at
 * once would mix them up, so each takes one that is free, or starts another.
 *
 * @see https://developer.hashicorp.com/terraform/plugin/debugging#starting-a-provider-in-debug-mode
 */
export class ProviderPool {
  readonly #all: ProviderProcess[] = [];
  readonly #free: ProviderProcess[] = [];

  /** @param log file that the providers write their log to */
  constructor(readonly log: string) {}

  /**
   * Takes a free provider, or starts one from what Terraform installed into a stack's folder.
   *
   * @returns undefined if the provider does not run: Terraform then starts its own
   */
  async attach(stack: string, env: NodeJS.ProcessEnv): Promise<AttachedProvider | undefined> {
    const provider = this.#free.pop() ?? new ProviderProcess(this.log);
    if (!this.#all.includes(provider)) this.#all.push(provider);
    const attachment = await provider.attach(stack, env);
    const release = () => void this.#free.push(provider);
    if (attachment !== undefined) return { attachment, release };
    release();
    return undefined;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((provider) => provider.stop()));
  }
}

class ProviderProcess {
  #starting: Promise<string | undefined> | undefined;
  #process: ChildProcess | undefined;

  constructor(readonly log: string) {}

  /** Starts it once. */
  async attach(stack: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
    this.#starting ??= this.#start(stack, env).catch(() => undefined);
    const attached = await this.#starting;
    return this.#process === undefined ? undefined : attached;
  }

  async stop(): Promise<void> {
    await this.#starting;
    const running = this.#process;
    if (running === undefined) return;
    const ended = new Promise((done) => running.once("exit", done));
    running.ref();
    running.stdin?.end();
    await ended;
  }

  async #start(stack: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
    const executable = await findExecutable(stack);
    if (executable === undefined) return undefined;
    const log = openSync(this.log, "a");
    const shell = spawn("sh", ["-c", UNTIL_INPUT_ENDS, "sh", executable], {
      env: { ...env, ...LOG_LEVELS },
      stdio: ["pipe", "pipe", log],
      // Ctrl-C at a terminal reaches Terraform, which still needs the provider to stop in good order.
      detached: true,
    });
    closeSync(log);
    this.#process = shell;
    const end = () => {
      this.#process = undefined;
    };
    shell.once("exit", end);
    shell.once("error", end);
    shell.stdin?.on("error", end);
    const attached = await readAttachment(shell);
    if (attached === undefined) shell.stdin?.end();
    // It must not keep this process alive.
    shell.unref();
    for (const stream of [shell.stdin, shell.stdout]) (stream as { unref?(): void } | null)?.unref?.();
    return attached;
  }
}

/** The provider's executable, where the folder of a stack has exactly one. */
async function findExecutable(stack: string): Promise<string | undefined> {
  const versions = join(stack, ".terraform", "providers", "registry.terraform.io", "hashicorp", "aws");
  const found: string[] = [];
  for (const version of await readdir(versions)) {
    for (const platform of await readdir(join(versions, version))) {
      for (const file of await readdir(join(versions, version, platform))) {
        if (file.startsWith("terraform-provider-aws")) found.push(join(versions, version, platform, file));
      }
    }
  }
  return found.length === 1 ? found[0] : undefined;
}

/** Waits for the line that the provider prints when it is ready: `TF_REATTACH_PROVIDERS='{...}'`. */
function readAttachment(shell: ChildProcess): Promise<string | undefined> {
  return new Promise((done) => {
    const timer = setTimeout(() => done(undefined), START_TIMEOUT_MS);
    const settle = (attached: string | undefined) => {
      clearTimeout(timer);
      done(attached);
    };
    shell.once("error", () => settle(undefined));
    shell.once("exit", () => settle(undefined));
    createInterface({ input: shell.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      const attached = /TF_REATTACH_PROVIDERS='(\{.*\})'/.exec(line)?.[1];
      if (attached !== undefined) settle(attached);
    });
  });
}
