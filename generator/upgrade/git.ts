import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { visible } from "../../contract/text";
import { UserError } from "../../contract/user-error";
import { ANSWERS_FILE } from "../answers-file";
import type { Context } from "../context";
import { lastLines } from "../steps";
import type { MergeText, Tree } from "./merge";

/** Git in the folder of a repository. */
export interface Git {
  readonly root: string;
  /** Path of the folder from the root: empty for the root. */
  readonly directory: string;
  /** File that records an upgrade in progress: beside git's own files, one for each folder of a working tree. */
  readonly journal: string;
  /** Changed and new files in the folder, and of those outside of it, that are not committed. */
  readonly uncommitted: (outside: readonly string[]) => Promise<readonly string[]>;
  /** Last commit that changed a file: its hash and subject. */
  readonly lastCommit: (path: string) => Promise<string>;
}

/** @throws UserError if the folder is not in a git repository that could undo an upgrade */
export async function openGit(folder: string, { run }: Pick<Context, "run">, signal: AbortSignal): Promise<Git> {
  const git = (...args: string[]) => run(["git", ...args], folder, signal);
  const found = await git("rev-parse", "--absolute-git-dir");
  const tracked = found.code === 0 && (await git("ls-files", "--error-unmatch", ANSWERS_FILE)).code === 0;
  if (!tracked) {
    const reason = found.notFound
      ? "git is not on the PATH"
      : found.code === 0
        ? `${ANSWERS_FILE} is not committed`
        : `git finds no repository here${lastLines(found.output)}`;
    throw new UserError(`an upgrade needs git, which can undo it, but ${reason}; commit the folder first`, 2);
  }
  const [root = "", prefix = ""] = (await git("rev-parse", "--show-toplevel", "--show-prefix")).output.split(/\r?\n/);
  const id = prefix === "" ? "" : `-${createHash("sha256").update(prefix).digest("hex").slice(0, 12)}`;
  return {
    root,
    directory: prefix.replace(/\/$/, ""),
    journal: join(found.output.trim(), `antifragile-upgrade${id}.json`),
    uncommitted: async (outside) => {
      const { code, output } = await git("status", "--porcelain", "--untracked-files=all", "--", ".", ...outside);
      if (code !== 0) throw new UserError(`git status failed${lastLines(output)}`, 1);
      return output.split("\n").filter((line) => /^[ MTADRCU?!]{2} /.test(line));
    },
    lastCommit: async (path) => visible((await git("log", "-1", "--format=%h %s", "--", path)).output.trim()),
  };
}

/** Merges texts as git does, in a temporary folder. */
export function gitMerge(
  temporary: string,
  { run }: Pick<Context, "run">,
  signal: AbortSignal,
  labels: readonly [ours: string, base: string, theirs: string],
): MergeText {
  return async (base, ours, theirs) => {
    const files = { "merge-yours": theirs, "merge-base": base, "merge-new": ours };
    for (const [name, text] of Object.entries(files)) await writeFile(join(temporary, name), text, "latin1");
    const args = labels.flatMap((label) => ["-L", label]);
    // The first file is the one that receives the result.
    const outcome = await run(["git", "merge-file", "--diff3", ...args, ...Object.keys(files)], temporary, signal);
    // More than 127 conflicts are reported as 127, faults as 255.
    if (outcome.code === null || outcome.code > 127) {
      throw new UserError(`git merge-file failed${lastLines(outcome.output)}`, 1);
    }
    return { text: await readFile(join(temporary, "merge-yours"), "latin1"), conflicts: outcome.code };
  };
}

/** Differences between two trees, as `git diff` shows them. */
export async function gitDiff(
  temporary: string,
  { run }: Pick<Context, "run">,
  signal: AbortSignal,
  before: Tree,
  after: Tree,
): Promise<string> {
  for (const [name, tree] of [
    ["a", before],
    ["b", after],
  ] as const) {
    await mkdir(join(temporary, name), { recursive: true });
    for (const [place, text] of tree) {
      const path = place.replace(/^(\.\.\/)+/, "(root)/");
      await mkdir(dirname(join(temporary, name, path)), { recursive: true });
      await writeFile(join(temporary, name, path), text, "latin1");
    }
  }
  const command = [
    "git",
    "-c",
    "core.autocrlf=false",
    "diff",
    "--no-index",
    "--no-prefix",
    "--no-color",
    "a",
    "b",
  ] as const;
  return (await run(command, temporary, signal)).output;
}
