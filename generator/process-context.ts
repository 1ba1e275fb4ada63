import { createReadStream } from "node:fs";
import disk from "node:fs/promises";
import { listenForInterruption } from "../contract/interruption";
import { didYouMean, quoted, visible } from "../contract/text";
import { type ExitCode, UserError } from "../contract/user-error";
import { MAX_ANSWERS_BYTES } from "./answers-file";
import type { Context } from "./context";
import { inquirerPrompter } from "./inquirer-prompter";
import { linePrompter } from "./line-prompter";
import { findPackageRoot } from "./package-files";
import { processRunner } from "./processes";

async function readText(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of path === "-" ? process.stdin : createReadStream(path)) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_ANSWERS_BYTES) return Buffer.concat(chunks).toString("latin1");
  }
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
}

async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, dispose } = listenForInterruption();
  try {
    return await work(signal);
  } finally {
    dispose();
  }
}

/** The current folder, which may have been deleted. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    throw new UserError("the current folder does not exist any more; change to another folder and run again", 2);
  }
}

/** Creates the context of a real process. */
export function createContext(args: readonly string[], from: string): Context {
  const stdoutIsTerminal = process.stdout.isTTY === true;
  return {
    args,
    cwd: currentFolder(),
    env: process.env,
    platform: process.platform,
    packageRoot: findPackageRoot(from),
    get stdinIsTerminal() {
      return process.stdin.isTTY === true;
    },
    stdoutIsTerminal,
    columns: () => process.stdout.columns ?? 80,
    color: stdoutIsTerminal && !process.env.NO_COLOR && process.env.TERM !== "dumb",
    print: (text) => {
      process.stdout.write(text);
    },
    readText,
    prompter: () => (process.env.TERM === "dumb" ? linePrompter() : inquirerPrompter()),
    run: processRunner(process.env),
    now: () => performance.now(),
    get disk() {
      return disk;
    },
    interruptible,
  };
}

/** Creates the error for an unknown command. */
export function unknownCommand(word: string, known: readonly string[]): UserError {
  return new UserError(
    `unknown command ${quoted(word)}${didYouMean(word, known)}\nantifragile --help lists the commands.`,
    2,
  );
}

/** Prints an error to stderr and returns its exit code. */
export function report(error: unknown): ExitCode {
  if (error instanceof UserError) {
    process.stderr.write(`✖ ${error.message}\n`);
    return error.exitCode;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const lines = detail.split("\n").map(visible).join("\n");
  process.stderr.write(`✖ internal error in antifragile, not caused by your input:\n${lines}\n`);
  return 1;
}
