import { access, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { visible } from "../contract/text";
import type { Context } from "./context";
import type { Answers } from "./options";
import type { PackageManager } from "./package-managers";
import type { Outcome } from "./processes";
import type { OutputFile } from "./render";
import type { Target } from "./write";

/** Repository whose files are written. */
export interface WrittenRepository {
  readonly path: string;
  readonly shownPath: string;
  readonly version: string;
  /** Archive of the package that generated the repository. */
  readonly packed: Uint8Array;
  readonly answers: Answers;
  readonly files: ReadonlyMap<string, OutputFile>;
  readonly target: Target;
  readonly install: boolean;
  readonly git: boolean;
}

export type StepContext = Context & {
  readonly signal: AbortSignal;
  /** Shows the progress of the running step. */
  readonly progress: (text: string) => void;
};

/** Result of a step: done, partly (the user has something to do), or failed (later steps make no sense). */
export interface StepResult {
  readonly state: "done" | "partly" | "failed";
  /** Result or reason. */
  readonly text: string;
  /** Commands for the user. */
  readonly commands?: readonly string[];
  /** Remarks about the result. */
  readonly notes?: readonly string[];
}

export interface Step {
  readonly title: string;
  readonly run: () => Promise<StepResult>;
  /** Commands for the user if the step is not reached. */
  readonly commands: readonly string[];
}

/** Last lines of the output of a program, without progress lines. */
export function lastLines(output: string): string {
  const lines = stripVTControlCharacters(output)
    .split(/\r?\n/)
    .filter((line) => !/^npm http /.test(line) && line.trim() !== "")
    .slice(-15);
  return lines.map((line) => `\n      ${visible(line)}`).join("");
}

/** Describes a program that failed. */
export function failure(title: string, outcome: Outcome, program: string): string {
  if (outcome.notFound) return `${title}: ${program} is not on the PATH`;
  return `${title} failed (exit code ${outcome.code})${lastLines(outcome.output)}`;
}

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** The package manager of a repository. */
export const managerOf = ({ answers }: Pick<WrittenRepository, "answers">): PackageManager =>
  answers.packageManager as PackageManager;

/** Puts the package itself into `vendor/`. */
export function vendorStep(repository: WrittenRepository, path: string): Step {
  return {
    title: path,
    commands: [],
    run: async () => {
      await mkdir(dirname(join(repository.path, path)), { recursive: true });
      await writeFile(join(repository.path, path), repository.packed, { flag: "wx" });
      return { state: "done", text: path };
    },
  };
}
