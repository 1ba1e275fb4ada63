import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { type Interruption, listenForInterruption } from "../contract/interruption";
import { terraformProgram } from "../contract/terraform-program";
import { cancelled, UserError } from "../contract/user-error";
import { terraformMissing } from "../contract/version";

/** Command that starts Terraform. @throws UserError where it is not installed */
export function findTerraform(env: NodeJS.ProcessEnv): readonly [string] {
  const program = terraformProgram(env);
  if (spawnSync(program, ["version"], { stdio: "ignore", env }).error !== undefined) {
    throw new UserError(terraformMissing(program), 1);
  }
  return [program];
}

export interface TerraformOptions {
  /** Command that starts Terraform. */
  readonly terraform: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  readonly print: (text: string) => void;
  /** Way to complete what was interrupted, or failed for a reason outside of the code. @default - run the command again */
  readonly again?: string;
}

/** Result of a program that has ended. */
export interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

const FOLDER = "antifragile-private-";

/** Age of a folder of a command that was killed; no apply takes as long. */
const LEFTOVER_MS = 24 * 3_600_000;

/** Removes what commands that were killed kept on disk: plans hold secrets. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(FOLDER))) {
    const path = join(tmpdir(), name);
    try {
      if (Date.now() - statSync(path).mtimeMs > LEFTOVER_MS) rmSync(path, { recursive: true });
    } catch {
      // It is another user's, or was removed by another command.
    }
  }
}

/** On Windows the console itself sends Ctrl-C, and a process of another group would get none. */
const GROUPS = process.platform !== "win32";

/** Time between two looks at the output of a program. */
const SHOW_EVERY_MS = 50;

/**
 * Terraform for as long as a command runs.
 *
 * It is a group of processes of its own, so that a Ctrl-C reaches it once, from here, also where a script starts it: on the
 * first it completes what it has begun, writes the state and releases the lock; on the second it aborts. It writes to files from which its output is shown:
 * a pipe or a terminal that goes away would end it in the middle of an apply.
 */
export class Terraform {
  readonly #interruption: Interruption;
  readonly #folder = mkdtempSync(join(tmpdir(), FOLDER));
  readonly #remove = () => rmSync(this.#folder, { recursive: true, force: true });
  #child: ChildProcess | undefined;
  #calls = 0;

  private constructor(private readonly options: TerraformOptions) {
    const { print } = options;
    removeLeftovers();
    this.#interruption = listenForInterruption({
      onStop: (signal) => {
        const running = this.#child !== undefined;
        print(
          `\n  interrupted by ${signal}${running ? ": Terraform completes what it has begun. Ctrl-C again aborts it, and may leave a lock" : ""}\n`,
        );
        this.#interrupt();
      },
      onForce: () => this.#interrupt(),
    });
    process.on("exit", this.#remove);
  }

  /** Lends Terraform to work, and removes what it kept on disk however that ends. */
  static async use<T>(options: TerraformOptions, work: (terraform: Terraform) => Promise<T>): Promise<T> {
    const terraform = new Terraform(options);
    try {
      return await work(terraform);
    } finally {
      terraform.#interruption.dispose();
      process.off("exit", terraform.#remove);
      terraform.#remove();
    }
  }

  /** Aborted when the command is interrupted. */
  get interrupted(): AbortSignal {
    return this.#interruption.signal;
  }

  /** Way to complete what was interrupted, for messages. */
  get again(): string {
    return this.options.again ?? "run the command again";
  }

  /** Command that starts Terraform, for messages. */
  get command(): string {
    return this.options.terraform.join(" ");
  }

  /** Path of a file that only the user can read, and that is removed when the command ends. */
  privateFile(name: string): string {
    return join(this.#folder, name);
  }

  /**
   * Runs Terraform in a stack's folder, and shows its output as it comes unless it is quiet.
   *
   * @throws UserError with code 130 when the command is interrupted before or meanwhile; a run that changes the stack returns
   */
  async run(
    cwd: string,
    args: readonly string[],
    { quiet = false, changes = false }: { readonly quiet?: boolean; readonly changes?: boolean } = {},
  ): Promise<Ended> {
    this.#throwIfInterrupted(cwd);
    const ended = await this.#start(cwd, args, quiet);
    if (!changes) this.#throwIfInterrupted(cwd);
    return ended;
  }

  #throwIfInterrupted(cwd: string): void {
    if (this.interrupted.aborted) throw cancelled(`${basename(cwd)} is as it was`);
  }

  #interrupt(): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(GROUPS ? -pid : pid, "SIGINT");
    } catch {
      // It has ended.
    }
  }

  async #start(cwd: string, args: readonly string[], quiet: boolean): Promise<Ended> {
    const { terraform, env, print } = this.options;
    const [program, ...first] = terraform;
    this.#calls += 1;
    const output = new OutputFile(this.privateFile(`${this.#calls}.out`), quiet ? undefined : print);
    const errors = new OutputFile(
      this.privateFile(`${this.#calls}.err`),
      quiet ? undefined : (text) => void process.stderr.write(text),
    );
    const show = () => {
      output.show();
      errors.show();
    };
    const timer = setInterval(show, SHOW_EVERY_MS);
    try {
      const code = await new Promise<number>((resolve, reject) => {
        const child = spawn(program, [...first, ...args], {
          cwd,
          env: { ...env, TF_IN_AUTOMATION: "1", CHECKPOINT_DISABLE: "1" },
          stdio: ["ignore", output.fd, errors.fd],
          detached: GROUPS,
        });
        this.#child = child;
        child.once("error", reject);
        child.once("close", (status) => resolve(status ?? 130));
      });
      show();
      return { code, output: output.text, errors: errors.text };
    } finally {
      this.#child = undefined;
      clearInterval(timer);
      output.close();
      errors.close();
    }
  }
}

/** File that a program writes to and that is shown as it grows. */
class OutputFile {
  readonly fd: number;
  readonly #decoder = new StringDecoder("utf8");
  #position = 0;
  text = "";

  constructor(
    path: string,
    private readonly print: ((text: string) => void) | undefined,
  ) {
    this.fd = openSync(path, "a+", 0o600);
  }

  /** Reads what was added. */
  show(): void {
    const chunk = Buffer.alloc(65_536);
    for (;;) {
      const length = readSync(this.fd, chunk, 0, chunk.length, this.#position);
      if (length === 0) return;
      this.#position += length;
      const text = this.#decoder.write(chunk.subarray(0, length));
      this.text += text;
      this.print?.(text);
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}
