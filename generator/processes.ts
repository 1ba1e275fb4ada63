import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import nodePath from "node:path";
import { UserError } from "../contract/user-error";
import type { PackageManager } from "./package-managers";

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
export type Run = (
  command: readonly [string, ...string[]],
  cwd: string,
  signal: AbortSignal,
  /** Receives the output as it comes. */
  onOutput?: (output: string) => void,
) => Promise<Outcome>;

/** Creates a {@link Run} that starts real processes. */
export function processRunner(env: NodeJS.ProcessEnv): Run {
  // git sets these for hooks and npm for scripts. They would point a child process to the repository of the caller.
  const { GIT_DIR, GIT_WORK_TREE, GIT_INDEX_FILE, GIT_PREFIX, npm_config_local_prefix, ...inherited } = env;
  // Messages in English: some causes are recognized by their message.
  const childEnv = { ...inherited, LC_ALL: "C.UTF-8" };
  return ([program, ...args], cwd, signal, onOutput) =>
    new Promise((resolve) => {
      const child = spawn(program, args, { cwd, env: childEnv, stdio: ["ignore", "pipe", "pipe"], windowsHide: true });
      const output: Buffer[] = [];
      const interrupt = (): void => {
        child.kill("SIGINT");
      };
      const finish = (code: number | null, notFound: boolean): void => {
        signal.removeEventListener("abort", interrupt);
        resolve({ code, output: Buffer.concat(output).toString("utf8"), notFound });
      };
      signal.addEventListener("abort", interrupt);
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => {
          output.push(chunk);
          onOutput?.(chunk.toString("utf8"));
        });
      }
      child.on("error", (error: NodeJS.ErrnoException) => {
        output.push(Buffer.from(error.message));
        finish(null, error.code === "ENOENT");
      });
      child.on("close", (code) => finish(code, false));
    });
}

/** Inputs of {@link programOf}. */
interface NodePlace {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly execPath: string;
  readonly exists?: (path: string) => boolean;
}

/**
 * Command that starts a package manager without a shell. Node refuses to start `npm.cmd` and `pnpm.cmd` on Windows, so node runs
 * the script there: the one that started this process (npx, pnpm dlx), or the npm that came with node.
 *
 * @throws UserError if pnpm cannot be started without a shell
 */
export function programOf(manager: PackageManager, place: NodePlace): readonly [string, ...string[]] {
  const { env, platform, execPath, exists = existsSync } = place;
  const path = platform === "win32" ? nodePath.win32 : nodePath.posix;
  const started = env.npm_execpath;
  const script = { npm: /^npm-cli\.js$/, pnpm: /^pnpm\.c?js$/ }[manager];
  if (started !== undefined && script.test(path.basename(started)) && exists(started)) return [execPath, started];
  if (platform !== "win32") return [manager];
  if (manager === "npm")
    return [execPath, path.join(path.dirname(execPath), "node_modules", "npm", "bin", "npm-cli.js")];
  throw new UserError(
    "pnpm cannot be started from here; run the command with pnpm dlx, or pass --package-manager npm",
    2,
  );
}
