import { styleText } from "node:util";
import { count, visible, wrap } from "../contract/text";
import { cancelled, type ExitCode, UserError } from "../contract/user-error";
import type { Context } from "./context";
import { gitStep } from "./git";
import { installStep, snapshotStep } from "./install";
import { isOutside } from "./manifest";
import { nextSteps } from "./next-steps";
import { commandOf } from "./package-managers";
import { vendoredPath } from "./render";
import { serializers } from "./serializers";
import { managerOf, type Step, type StepContext, type StepResult, vendorStep, type WrittenRepository } from "./steps";

const seconds = (milliseconds: number): string =>
  milliseconds < 9_950 ? `${(milliseconds / 1000).toFixed(1)} s` : `${Math.round(milliseconds / 1000)} s`;

/** Seconds between progress lines if stdout is not a terminal. */
const QUIET_MS = 15_000;

/** Prints the running step: in place on a terminal, and now and then elsewhere. */
function stepReporter(context: Context) {
  let title = "";
  let detail = "";
  let begun = 0;
  let printed = 0;
  const clear = context.stdoutIsTerminal ? "\r\u001b[K" : "";
  const show = (): void => {
    const time = context.now() - begun;
    const text = `  … ${title}${time < 1_000 ? "" : `  ${seconds(time)}`}${detail === "" ? "" : `  ${detail}`}`;
    if (context.stdoutIsTerminal) context.print(`${clear}${text.slice(0, context.columns() - 1)}`);
    else if (context.now() - printed > QUIET_MS) {
      printed = context.now();
      context.print(`${text}\n`);
    }
  };
  return {
    progress: (text: string): void => {
      detail = text;
      show();
    },
    /** Runs a step with its progress visible. */
    during: async <T>(step: string, work: () => Promise<T>): Promise<T> => {
      title = step;
      detail = "";
      begun = printed = context.now();
      show();
      const timer = setInterval(show, 1_000);
      try {
        return await work();
      } finally {
        clearInterval(timer);
        context.print(clear);
      }
    },
  };
}

/** Result of a step, for `--json`. */
export interface StepReport {
  readonly step: string;
  readonly state: StepResult["state"];
  readonly text: string;
}

/**
 * Runs the steps after the files: the package, its dependencies, the infrastructure snapshot, the first commit. A failed step
 * leaves the repository and prints how to continue.
 */
export async function finishRepository(
  repository: WrittenRepository,
  world: Context & { readonly signal: AbortSignal },
  written: { readonly written: number; readonly milliseconds: number },
): Promise<{ readonly exitCode: ExitCode; readonly steps: readonly StepReport[] }> {
  const reporter = stepReporter(world);
  const context: StepContext = { ...world, progress: reporter.progress };
  const paint = (color: "green" | "yellow" | "red", text: string): string =>
    context.color ? styleText(color, text) : text;
  const marks = { done: paint("green", "✔"), partly: paint("yellow", "!"), failed: paint("red", "✖") } as const;
  const done = (text: string, milliseconds: number): void =>
    context.print(`  ${marks.done} ${text.padEnd(32)} ${seconds(milliseconds)}\n`);
  const remark = (text: string): void => {
    const [first = "", ...lines] = text.split("\n");
    const wrapped = wrap(first, context.columns(), "    ").slice(4);
    context.print(`  ${marks.partly} ${wrapped}${lines.map((line) => `${line}\n`).join("")}`);
  };

  context.print("\n");
  done(`${count(written.written, "file")} in ${repository.shownPath}`, written.milliseconds);
  for (const path of repository.target.merged.keys()) remark(`${path} keeps its lines and has new ones`);
  for (const path of repository.target.kept) {
    const needs = isOutside(path)
      ? `; it needs these lines:\n      ${repository.files.get(path)?.content.trim().replaceAll("\n", "\n      ")}`
      : "";
    remark(`${path} stays as it is${needs}`);
  }

  const manager = managerOf(repository);
  const steps: readonly Step[] = [
    vendorStep(repository, vendoredPath(repository.version)),
    ...(repository.install ? [installStep(repository, context), snapshotStep(repository, context)] : []),
    ...(repository.git ? [gitStep(repository, context)] : []),
  ];
  const todo: string[] = repository.install ? [] : [commandOf(manager, "install"), commandOf(manager, "snapshot")];
  const reports: StepReport[] = [];
  let failed = false;
  for (const [index, step] of steps.entries()) {
    const start = context.now();
    const result = await reporter.during(step.title, () =>
      step.run().catch((error: unknown): StepResult => {
        const text = error instanceof UserError ? error.message : visible((error as Error).message);
        return { state: "failed", text: `${step.title}: ${text}` };
      }),
    );
    if (context.signal.aborted) {
      const left = steps.slice(index).map(({ title }) => title);
      throw cancelled(`${repository.shownPath} is written; not done: ${left.join(", ")}`);
    }
    reports.push({ step: step.title, state: result.state, text: result.text });
    if (result.state === "done") done(result.text, context.now() - start);
    else if (result.state === "partly") remark(result.text);
    else context.print(`  ${marks.failed} ${result.text}\n`);
    for (const note of result.notes ?? []) remark(note);
    todo.push(...(result.commands ?? []));
    if (result.state === "failed") {
      failed = true;
      todo.push(...steps.slice(index + 1).flatMap(({ commands }) => commands));
      break;
    }
  }
  const folder = repository.shownPath.replace(/^\.\//, "");
  const enter = folder === "." ? [] : [`cd ${/^[\w./\\:-]+$/.test(folder) ? folder : serializers.sh(folder)}`];
  const layout = { columns: context.columns(), complete: todo.length === 0 };
  context.print(`\n${nextSteps(repository.answers, [...enter, ...todo], layout)}`);
  return { exitCode: failed ? 1 : 0, steps: reports };
}
