import { basename, dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { visible } from "../contract/text";
import type { Context } from "./context";
import { isOutside } from "./manifest";
import { PACKAGE_MANAGERS } from "./package-managers";
import type { Outcome } from "./processes";
import { vendoredPath } from "./render";
import {
  exists,
  failure,
  managerOf,
  type Step,
  type StepContext,
  type StepResult,
  type WrittenRepository,
} from "./steps";
import { filesFor } from "./write";

/** State of git at a folder that exists or will exist. */
export type GitState =
  | { readonly kind: "none" }
  | { readonly kind: "not installed" }
  /** A repository that contains the folder. */
  | {
      readonly kind: "repository";
      readonly root: string;
      readonly branch: string | undefined;
      /** Path of the folder from the root: empty for the root. */
      readonly directory: string;
    }
  /** A repository that git refuses to read, with its message. */
  | { readonly kind: "refused"; readonly root: string; readonly message: string };

type RunGit = (...args: string[]) => Promise<Outcome>;

async function folderWithGit(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    if (await exists(join(at, ".git"))) return at;
    if (at === dirname(at)) return undefined;
  }
}

/** Branch that the repository deploys from: the default branch of origin, else main, else the current branch. */
async function deployedBranch(git: RunGit): Promise<string | undefined> {
  const origin = await git("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD");
  if (origin.code === 0) return origin.output.trim().replace(/^origin\//, "");
  const main = await git("rev-parse", "--verify", "--quiet", "refs/heads/main");
  if (main.code === 0) return "main";
  const current = await git("symbolic-ref", "--quiet", "--short", "HEAD");
  return current.code === 0 ? current.output.trim() : undefined;
}

/** Inspects git at the folder, or at its parent if the folder does not exist. */
export async function inspectGit(
  folder: string,
  { run }: Pick<Context, "run">,
  signal: AbortSignal,
): Promise<GitState> {
  const isThere = await exists(folder);
  const cwd = isThere ? folder : dirname(folder);
  if (!(await exists(cwd))) return { kind: "none" };
  const git: RunGit = (...args) => run(["git", ...args], cwd, signal);
  const around = await git("rev-parse", "--show-toplevel", "--show-prefix");
  if (around.notFound) return { kind: "not installed" };
  if (around.code === 0) {
    const [root = "", prefix = ""] = around.output.split(/\r?\n/);
    const directory = isThere ? prefix.replace(/\/$/, "") : `${prefix}${basename(folder)}`;
    return { kind: "repository", root: root.trim(), branch: await deployedBranch(git), directory };
  }
  // git fails outside of a repository, but also at one that it does not trust or cannot read.
  const root = await folderWithGit(cwd);
  return root === undefined ? { kind: "none" } : { kind: "refused", root, message: around.output };
}

const quote = (path: string): string => (/^[\w./\\:~-]+$/.test(path) ? path : `"${path.replace(/["$`\\]/g, "\\$&")}"`);

/** Message of git in one line. */
const firstLine = (output: string): string =>
  visible(stripVTControlCharacters(output).trim().split(/\r?\n/)[0] ?? "").replace(/^(fatal|error): /, "");

/** Commands of a user, run in the new folder, that commit the generated files and nothing else. */
export function commitCommands(repository: WrittenRepository): readonly string[] {
  const outside = [...filesFor(repository.target, repository.files).keys()].filter(isOutside);
  const others = [...repository.target.foreign.map((name) => `":^${name}"`), ...outside]
    .map((name) => ` ${name}`)
    .join("");
  return [`git add .${others}`, `git commit -m "feat: first version" -- .${others}`];
}

/** CI files that a CI system reads only at the root of a git repository. */
const AT_ROOT = [".github/workflows/delivery.yml", ".gitlab-ci.yml", ".travis.yml", ".teamcity/settings.kts"];

function ciNote(repository: WrittenRepository, directory: string): string[] {
  if (directory === "" || repository.answers.directory !== "none") return [];
  const file = AT_ROOT.find((path) => repository.files.has(path));
  if (file === undefined) return [];
  return [
    `CI systems read ${file} only at the root of a git repository; after the commit: antifragile add directory=${visible(directory)}`,
  ];
}

/** Creates the git repository and its first commit. Done when the commit contains the generated files. */
export function gitStep(repository: WrittenRepository, context: StepContext): Step {
  const git: RunGit = (...args) => context.run(["git", ...args], repository.path, context.signal);
  const commit = commitCommands(repository);
  const branch = String(repository.answers.branch);
  const all = [`git init -b ${quote(branch)}`, ...commit];
  const partly = (text: string, commands: readonly string[], notes: readonly string[] = []): StepResult => ({
    state: "partly",
    text,
    commands,
    notes,
  });

  const refusedCommit = async (outcome: Outcome): Promise<StepResult> => {
    const text = failure("git init is done; git commit", outcome, "git");
    if (/user\.(name|email)|tell me who you are/i.test(outcome.output)) {
      const identity = ['git config --global user.name "Your Name"', "git config --global user.email you@example.com"];
      return partly(text, [...identity, ...commit]);
    }
    const hooks = (await git("config", "core.hooksPath")).output.trim();
    if (hooks === "") return partly(text, commit);
    const skip = commit.map((line) => line.replace("git commit", "git commit --no-verify"));
    return partly(`${text}\n    A hook in ${visible(hooks)} may have refused it; --no-verify skips hooks.`, skip);
  };

  /** Generated files that the commit lacks because the user ignores them. */
  const notCommitted = async (): Promise<string[]> => {
    const lock = PACKAGE_MANAGERS[managerOf(repository)].lockFile;
    const wanted = ["package.json", vendoredPath(repository.version), ...(repository.install ? [lock] : [])];
    const listed = (await git("ls-tree", "-r", "--name-only", "HEAD")).output.split("\n");
    return wanted.filter((path) => !listed.includes(path));
  };

  return {
    title: "git init, first commit",
    commands: all,
    run: async () => {
      const state = await inspectGit(repository.path, context, context.signal);
      if (state.kind === "not installed") return partly("git init: git is not on the PATH", all);
      if (state.kind === "refused") {
        const trust = /dubious ownership/.test(state.message)
          ? [`git config --global --add safe.directory ${quote(visible(state.root))}`]
          : [];
        return partly(
          `no first commit: git cannot read the repository in ${visible(state.root)} (${firstLine(state.message)})`,
          [...trust, ...commit],
        );
      }
      if (state.kind === "repository") {
        const notes = ciNote(repository, state.directory);
        return partly(`no first commit: ${visible(state.root)} is already a git repository`, commit, notes);
      }
      const init = await git("-c", `init.defaultBranch=${branch}`, "init");
      if (init.code !== 0) return partly(failure("git init", init, "git"), all);
      const add = await git("add", "--", ".", ...repository.target.foreign.map((name) => `:^${name}`));
      if (add.code !== 0) return partly(failure("git add", add, "git"), commit);
      const message = `feat: first version, by antifragile ${repository.version}`;
      const committed = await git("commit", "--quiet", "-m", message);
      if (committed.code !== 0) return refusedCommit(committed);
      const missing = await notCommitted();
      if (missing.length > 0) {
        const force = `git add --force ${missing.join(" ")}`;
        return partly(`the first commit lacks ${missing.join(", ")}: your git settings ignore it`, [force, commit[1]!]);
      }
      return { state: "done", text: `git init, first commit on ${branch}` };
    },
  };
}
