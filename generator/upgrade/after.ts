import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { visible } from "../../contract/text";
import type { ExitCode } from "../../contract/user-error";
import type { Context } from "../context";
import { installStep, snapshotStep } from "../install";
import { outsideOf } from "../manifest";
import type { Answers } from "../options";
import { commandOf, type PackageManager } from "../package-managers";
import { programOf } from "../processes";
import { exists, failure, type Step } from "../steps";
import { GENERATED_FILES } from "./versions";

/** Facts about an upgrade whose files are written. */
interface Upgraded {
  readonly answers: Answers;
  /** Files with marked conflicts: scripts would fail on them. */
  readonly conflicts: readonly string[];
  readonly install: boolean;
  /** Other work for the user. */
  readonly todo: readonly string[];
}

/** Runs a script of the repository. */
function scriptStep(script: string, manager: PackageManager, context: Context, signal: AbortSignal): Step {
  const title = commandOf(manager, script);
  return {
    title,
    commands: [title],
    run: async () => {
      const program = programOf(manager, { env: context.env, platform: context.platform, execPath: process.execPath });
      const outcome = await context.run([...program, "run", script], context.cwd, signal);
      return outcome.code === 0
        ? { state: "done", text: title }
        : { state: "failed", text: failure(title, outcome, manager), commands: [title] };
    },
  };
}

/** Renews what other files decide: the lock file, generated sources, the snapshot of the infrastructure. Lists what is left to do. */
export async function afterSteps(
  upgraded: Upgraded,
  context: Context & { readonly signal: AbortSignal },
): Promise<ExitCode> {
  const { answers, conflicts, install } = upgraded;
  const manager = answers.packageManager as PackageManager;
  const content = await readFile(join(context.cwd, "package.json"), "utf8").catch(() => "{}");
  const world = { ...context, progress: () => undefined };
  const repository = { path: context.cwd, answers, files: new Map([["package.json", { content, mode: 0o644 }]]) };
  const steps: Step[] = [installStep(repository, world)];
  for (const [path, script] of Object.entries(GENERATED_FILES)) {
    if (await exists(join(context.cwd, path))) steps.push(scriptStep(script, manager, context, context.signal));
  }
  if (await exists(join(context.cwd, "infra/test"))) steps.push(snapshotStep(repository, world));

  const todo: string[] = conflicts.map((path) => `resolve ${visible(path)}`);
  let failed = conflicts.length > 0;
  let skips = !install;
  for (const [index, step] of steps.entries()) {
    if (skips || context.signal.aborted || (index > 0 && conflicts.length > 0)) {
      todo.push(...step.commands);
      continue;
    }
    context.print(`  … ${step.title}\n`);
    const { state, text, commands = [] } = await step.run();
    const result = context.signal.aborted ? `${step.title} was interrupted` : text;
    context.print(`  ${state === "done" ? "✔" : "✖"} ${result}\n`);
    todo.push(...commands);
    failed ||= state !== "done";
    // Scripts need the packages.
    skips = index === 0 && state !== "done";
  }
  todo.push(...upgraded.todo);
  if (todo.length > 0) context.print(`\nTo do:\n${todo.map((line) => `  ${line}\n`).join("")}`);
  const outside = outsideOf(answers);
  const listed =
    outside.length === 0
      ? ""
      : (await context.run(["git", "ls-files", ...outside], context.cwd, context.signal)).output;
  const [known, others] = [true, false].map((is) =>
    [".", ...outside.filter((path) => listed.split(/\r?\n/).includes(path) === is)].join(" "),
  );
  context.print(`\nReview: git diff. Commit, or undo: git restore ${known} && git clean -fd ${others}\n`);
  if (context.signal.aborted) return 130;
  return failed ? 1 : 0;
}
