import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import nodePath from "node:path";

/** Result of a child process. */
export interface Outcome {
  /** Exit code, or null if the process did not start or a signal ended it. */
  readonly code: number | null;
  /** Combined stdout and stderr. */
  readonly output: string;
  /** True if the program does not exist. */
  readonly notFound: boolean;
}

/** Starts a program without a shell, so that every argument arrives unchanged. */
export type Run = (command: readonly [string, ...string[]], cwd: string, signal: AbortSignal) => Promise<Outcome>;

/** Creates a {@link Run} that starts real processes. */
export function processRunner(env: NodeJS.ProcessEnv): Run {
  // git sets these for hooks and npm for scripts. They would point a child process to the repository of the caller.
  const { GIT_DIR, GIT_WORK_TREE, GIT_INDEX_FILE, GIT_PREFIX, npm_config_local_prefix, ...inherited } = env;
  return ([program, ...args], cwd, signal) =>
    new Promise((resolve) => {
      const child = spawn(program, args, { cwd, env: inherited, stdio: ["ignore", "pipe", "pipe"], windowsHide: true });
      const output: Buffer[] = [];
      const interrupt = (): void => {
        child.kill("SIGINT");
      };
      const finish = (code: number | null, notFound: boolean): void => {
        signal.removeEventListener("abort", interrupt);
        resolve({ code, output: Buffer.concat(output).toString("utf8"), notFound });
      };
      signal.addEventListener("abort", interrupt);
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.push(chunk));
      child.on("error", (error: NodeJS.ErrnoException) => {
        output.push(Buffer.from(error.message));
        finish(null, error.code === "ENOENT");
      });
      child.on("close", (code) => finish(code, false));
    });
}

/** Inputs of {@link npmCommand}. */
interface NpmPlace {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly execPath: string;
  readonly exists?: (path: string) => boolean;
}

/**
 * Command that starts npm without a shell. Node refuses to start `npm.cmd` on Windows, so node runs the script of npm there: the
 * npm that started this process (npx), or the one that came with node.
 */
export function npmCommand({ env, platform, execPath, exists = existsSync }: NpmPlace): readonly [string, ...string[]] {
  const path = platform === "win32" ? nodePath.win32 : nodePath.posix;
  const started = env.npm_execpath;
  if (started !== undefined && path.basename(started) === "npm-cli.js" && exists(started)) return [execPath, started];
  if (platform !== "win32") return ["npm"];
  return [execPath, path.join(path.dirname(execPath), "node_modules", "npm", "bin", "npm-cli.js")];
}
