import type { Run } from "./processes";
import type { Prompter } from "./prompts";
import type { Disk } from "./write";

/** Everything that a command takes from the world, so that a test can hand it another one. */
export interface Context {
  /** Words after the command's name. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** Folder of this package. */
  readonly packageRoot: string;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly colour: boolean;
  readonly print: (text: string) => void;
  /** Reads a file, or stdin for `-`, up to a little more than an answers file may have. */
  readonly readText: (path: string) => Promise<string>;
  readonly prompter: () => Prompter;
  readonly run: Run;
  /** Milliseconds since some moment. */
  readonly now: () => number;
  readonly disk: Disk;
  /** Runs work that SIGINT, SIGTERM and SIGHUP abort instead of killing the process. */
  readonly interruptible: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}
