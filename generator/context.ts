import type { Run } from "./processes";
import type { Prompter } from "./prompts";
import type { Disk } from "./write";

/** Inputs and effects of a command. Tests replace them. */
export interface Context {
  /** Arguments after the name of the command. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** Root folder of this package. */
  readonly packageRoot: string;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly color: boolean;
  /** Width of the terminal, or 80 without one. */
  readonly columns: () => number;
  readonly print: (text: string) => void;
  /** Reads a UTF-8 file, or stdin for `-`, and stops after the maximum size of an answers file. */
  readonly readText: (path: string) => Promise<string>;
  readonly prompter: () => Prompter;
  readonly run: Run;
  /** Monotonic clock in milliseconds. */
  readonly now: () => number;
  readonly disk: Disk;
  /** Runs work that SIGINT, SIGTERM and SIGHUP abort through the signal instead of ending the process. */
  readonly interruptible: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}
