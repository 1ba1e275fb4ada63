import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { count, visible } from "../contract/text";
import { commandOf, PACKAGE_MANAGERS } from "./package-managers";
import { programOf } from "./processes";
import {
  exists,
  failure,
  managerOf,
  type Step,
  type StepContext,
  type StepResult,
  type WrittenRepository,
} from "./steps";

/** The part of a repository that an install needs. */
type InstalledRepository = Pick<WrittenRepository, "path" | "answers" | "files">;

/** Reports the progress of an install from the lines that the package manager prints. */
export function installProgress(report: (text: string) => void): (output: string) => void {
  let packages = 0;
  let rest = "";
  return (output) => {
    const lines = (rest + output).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const pnpm = /^Progress: resolved \d+, reused \d+, downloaded \d+, added \d+/.exec(line);
      if (pnpm) report(pnpm[0].replace("Progress: ", ""));
      else if (/^npm http (fetch|cache) .*\.tgz/.test(line)) report(count(++packages, "package"));
    }
  };
}

/** Folder above whose npm workspaces include this one, or undefined. */
async function workspaceRoot(repository: InstalledRepository, context: StepContext): Promise<string | undefined> {
  for (let folder = dirname(repository.path); ; folder = dirname(folder)) {
    const source = await readFile(join(folder, "package.json"), "utf8").catch(() => "");
    if (source.includes('"workspaces"')) break;
    if (folder === dirname(folder)) return undefined;
  }
  const place = { env: context.env, platform: context.platform, execPath: process.execPath };
  const prefix = await context.run([...programOf("npm", place), "prefix"], repository.path, context.signal);
  const root = prefix.output.trim();
  return prefix.code === 0 && root !== "" && root !== repository.path ? root : undefined;
}

/** Dependencies of package.json that are not in node_modules. */
async function notInstalled(repository: InstalledRepository): Promise<string[]> {
  const source = repository.files.get("package.json")?.content ?? "{}";
  const { dependencies = {}, devDependencies = {} } = JSON.parse(source);
  const names = Object.keys({ ...dependencies, ...devDependencies });
  const found = await Promise.all(
    names.map((name) => exists(join(repository.path, "node_modules", name, "package.json"))),
  );
  return names.filter((_, index) => !found[index]);
}

/** Reason for a failed install that a setting of the user explains. */
function knownCause(output: string): string | undefined {
  if (/min-release-age|minimum-?release-?age|with a date before|ERR_PNPM_NO_MATURE_MATCHING_VERSION/i.test(output)) {
    return "the min-release-age (or before) setting excludes a pinned version; wait, or install with --min-release-age=0";
  }
  return undefined;
}

/** Installs the dependencies. Done when the lock file and every dependency exist. */
export function installStep(repository: InstalledRepository, context: StepContext): Step {
  const manager = managerOf(repository);
  const { lockFile, installArgs } = PACKAGE_MANAGERS[manager];
  const title = commandOf(manager, "install");
  const failed = (text: string): StepResult => ({ state: "failed", text, commands: [title] });
  return {
    title,
    commands: [title],
    run: async () => {
      const place = { env: context.env, platform: context.platform, execPath: process.execPath };
      const outcome = await context.run(
        [...programOf(manager, place), ...installArgs],
        repository.path,
        context.signal,
        installProgress(context.progress),
      );
      if (outcome.code !== 0) {
        const cause = outcome.notFound ? undefined : knownCause(outcome.output);
        return failed(failure(cause === undefined ? title : `${title}: ${cause};\n    it`, outcome, manager));
      }
      const missing = await notInstalled(repository);
      if (missing.length > 0) {
        const names = missing.slice(0, 3).join(", ");
        return failed(
          `${title} ended without an error, but ${names}${missing.length > 3 ? ` and ${missing.length - 3} more` : ""} ${missing.length === 1 ? "is" : "are"} not in node_modules; check the settings of ${manager} (${manager} config list)`,
        );
      }
      if (!(await exists(join(repository.path, lockFile)))) {
        return failed(`${title} ended without an error, but wrote no ${lockFile}; check the settings of ${manager}`);
      }
      const root = manager === "npm" ? await workspaceRoot(repository, context) : undefined;
      const notes =
        root === undefined
          ? []
          : [
              `${visible(join(root, "package.json"))} lists this folder in its workspaces, so npm ci would install there; exclude the folder, or use npm ci --workspaces=false`,
            ];
      return { state: "done", text: title, notes };
    },
  };
}

const SNAPSHOTS = "infra/test/__snapshots__";

/** Records the first snapshot of the infrastructure. Done when a snapshot file exists. */
export function snapshotStep(repository: InstalledRepository, context: StepContext): Step {
  const manager = managerOf(repository);
  const title = commandOf(manager, "snapshot");
  return {
    title,
    commands: [title],
    run: async () => {
      const place = { env: context.env, platform: context.platform, execPath: process.execPath };
      const command = [...programOf(manager, place), "run", "snapshot"] as const;
      const outcome = await context.run(command, repository.path, context.signal);
      if (outcome.code !== 0) {
        return { state: "failed", text: failure(title, outcome, manager), commands: [title] };
      }
      const recorded = await readdir(join(repository.path, SNAPSHOTS)).catch(() => []);
      return recorded.length > 0
        ? { state: "done", text: title }
        : {
            state: "failed",
            text: `${title} ended without an error, but wrote nothing to ${SNAPSHOTS}`,
            commands: [title],
          };
    },
  };
}
