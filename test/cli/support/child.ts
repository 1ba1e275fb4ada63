import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach } from "vitest";

/** End of a child process. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Standard output and standard error, as they came. */
  readonly text: string;
  readonly stdout: string;
}

/** Child process that runs. */
export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly text: () => string;
}

export interface StartOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout?: "pipe" | number;
}

/** Starts a program without input. */
export function start(command: readonly string[], { cwd, env, stdout = "pipe" }: StartOptions): Started {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", stdout, "pipe"] });
  let text = "";
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (text += chunk));
  child.stdout?.on("data", (chunk) => (output += chunk));
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, text, stdout: output }) as Ended);
  return { child, ended, text: () => text };
}

/** Starts programs in the tests of a file, and kills after each test those that still run. */
export function useChildren(
  options: () => Omit<StartOptions, "stdout">,
): (command: readonly string[], stdout?: StartOptions["stdout"]) => Started {
  const children = new Set<ChildProcess>();
  afterEach(() => {
    for (const child of children) child.kill("SIGKILL");
    children.clear();
  });
  return (command, stdout) => {
    const started = start(command, { ...options(), stdout });
    children.add(started.child);
    return started;
  };
}

/** Ends of the output of a command, each with the script that runs the command given as its arguments. */
export const OUTPUT_ENDS = [
  ["a reader that has seen enough", `"$@" | head -1 > /dev/null; exit "\${PIPESTATUS[0]}"`],
  ["a closed stdout and stderr", `"$@" >&- 2>&-`],
  ["a full disk", `"$@" > /dev/full`],
] as const;

/** Waits until a condition holds. */
export async function until(holds: () => boolean, describe: () => string, seconds = 20): Promise<void> {
  for (let turn = 0; turn < seconds * 50; turn++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain: ${describe()}`);
}
