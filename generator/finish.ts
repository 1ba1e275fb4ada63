import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stripVTControlCharacters, styleText } from "node:util";
import { count, visible } from "../contract/text";
import type { Context } from "./context";
import { cancelled, type ExitCode } from "./errors";
import { npmCommand, type Outcome } from "./processes";
import { type OutputFile, vendoredPath } from "./render";
import { serializers } from "./serializers";
import type { Target } from "./write";

/** A repository whose files are written. */
interface WrittenRepository {
  readonly path: string;
  readonly shownPath: string;
  readonly version: string;
  /** The package that made it. */
  readonly packed: Uint8Array;
  readonly files: ReadonlyMap<string, OutputFile>;
  readonly target: Target;
  readonly install: boolean;
  readonly git: boolean;
}

type StepContext = Context & { readonly signal: AbortSignal };

/** How a step ended: done, done in part (the user has something to do), or failed (what follows it makes no sense). */
interface StepResult {
  readonly state: "done" | "partly" | "failed";
  /** What was done, or why it was not. */
  readonly text: string;
  /** What the user runs to do it themselves. */
  readonly commands?: readonly string[];
}

interface Step {
  readonly title: string;
  readonly run: () => Promise<StepResult>;
  /** What the user runs when the step was not reached. */
  readonly commands: readonly string[];
}

const COMMIT = 'git add -A && git commit -m "feat: first version"';

function lastLines(output: string): string {
  const lines = stripVTControlCharacters(output).trimEnd().split(/\r?\n/).slice(-15);
  return lines.map((line) => `      ${visible(line)}`).join("\n");
}

function failure(title: string, outcome: Outcome, program: string): string {
  if (outcome.notFound) return `${title}: there is no ${program} on the PATH`;
  return `${title} failed (exit code ${outcome.code})\n${lastLines(outcome.output)}`;
}

function vendorStep(repository: WrittenRepository): Step {
  const path = vendoredPath(repository.version);
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

function npmStep(args: readonly string[], repository: WrittenRepository, context: StepContext): Step {
  const title = `npm ${args.filter((arg) => !arg.startsWith("-")).join(" ")}`;
  return {
    title,
    commands: [title],
    run: async () => {
      const npm = npmCommand({ env: context.env, platform: context.platform, execPath: process.execPath });
      const outcome = await context.run([...npm, ...args], repository.path, context.signal);
      return outcome.code === 0
        ? { state: "done", text: title }
        : { state: "failed", text: failure(title, outcome, "npm"), commands: [title] };
    },
  };
}

function gitStep(repository: WrittenRepository, context: StepContext): Step {
  const git = (...args: string[]) => context.run(["git", ...args], repository.path, context.signal);
  const partly = (text: string, ...commands: string[]): StepResult => ({ state: "partly", text, commands });
  const all = `git init -b main && ${COMMIT}`;
  return {
    title: "git init, first commit",
    commands: [all],
    run: async () => {
      const around = await git("rev-parse", "--show-toplevel");
      if (around.notFound) return partly("git init: there is no git on the PATH", all);
      if (around.code === 0) {
        return partly(`no first commit: ${visible(around.output.trim())} is a git repository already`, COMMIT);
      }
      const init = await git("-c", "init.defaultBranch=main", "init");
      if (init.code !== 0) return partly(failure("git init", init, "git"), all);
      const add = await git("add", "-A");
      if (add.code !== 0) return partly(failure("git add", add, "git"), COMMIT);
      const commit = await git("commit", "--quiet", "-m", `feat: first version, by antifragile ${repository.version}`);
      if (commit.code === 0) return { state: "done", text: "git init, first commit" };
      const identity = /user\.(name|email)|tell me who you are/i.test(commit.output)
        ? ['git config --global user.name "Your Name"', "git config --global user.email you@example.com"]
        : [];
      return partly(failure("git init is done; git commit", commit, "git"), ...identity, COMMIT);
    },
  };
}

/** What can be run in the new repository, told only when its package.json has the script. */
const SCRIPTS: readonly (readonly [script: string, command: string, sentence: string])[] = [
  ["dev", "npm run dev", "start it"],
  ["test", "npm test", "its tests, and a snapshot of the infrastructure"],
  ["deploy:local", "npm run deploy:local", "the AWS part, on an emulator, no account needed"],
  ["deploy", "npm run deploy -- dev", "the AWS part, in your account"],
  ["doctor", "npm run doctor", "what only you know and have to fill in"],
];

function nextSteps(repository: WrittenRepository, todo: readonly string[]): string {
  const source = repository.files.get("package.json")?.content ?? "{}";
  const scripts = (JSON.parse(source) as { readonly scripts?: object }).scripts ?? {};
  const rows = SCRIPTS.filter(([script]) => Object.hasOwn(scripts, script));
  const width = Math.max(0, ...rows.map(([, command]) => command.length));
  const folder = repository.shownPath.replace(/^\.\//, "");
  const lines = [
    ...(folder === "." ? [] : [`cd ${/^[\w./\\:-]+$/.test(folder) ? folder : serializers.sh(folder)}`]),
    ...todo,
    ...rows.map(([, command, sentence]) => `${command.padEnd(width)}  ${sentence}`),
  ];
  return lines.map((line) => `  ${line}\n`).join("");
}

const seconds = (milliseconds: number): string =>
  milliseconds < 9_950 ? `${(milliseconds / 1000).toFixed(1)} s` : `${Math.round(milliseconds / 1000)} s`;

/**
 * What comes after the files, each a step of its own: the package, its dependencies, the first infrastructure snapshot,
 * the first commit. A step that fails leaves the repository and says how to go on.
 */
export async function finishRepository(
  repository: WrittenRepository,
  context: StepContext,
  written: { readonly written: number; readonly milliseconds: number },
): Promise<ExitCode> {
  const paint = (colour: "green" | "yellow" | "red", text: string): string =>
    context.colour ? styleText(colour, text) : text;
  const marks = { done: paint("green", "✔"), partly: paint("yellow", "!"), failed: paint("red", "✖") } as const;
  const done = (text: string, milliseconds: number): void =>
    context.print(`  ${marks.done} ${text.padEnd(32)} ${seconds(milliseconds)}\n`);

  context.print("\n");
  done(`${count(written.written, "file")} in ${repository.shownPath}`, written.milliseconds);
  for (const path of repository.target.kept) context.print(`  ${marks.partly} ${path} was there and stays as it is\n`);

  const steps = [
    vendorStep(repository),
    ...(repository.install
      ? [
          npmStep(["install", "--include=dev", "--no-audit", "--no-fund"], repository, context),
          npmStep(["run", "snapshot"], repository, context),
        ]
      : []),
    ...(repository.git ? [gitStep(repository, context)] : []),
  ];
  const todo: string[] = repository.install ? [] : ["npm install", "npm run snapshot"];
  let failed = false;
  for (const [index, step] of steps.entries()) {
    const start = context.now();
    if (context.stdoutIsTerminal) context.print(`  … ${step.title}`);
    const result = await step.run().catch(
      (error: unknown): StepResult => ({
        state: "failed",
        text: `${step.title}: ${visible((error as Error).message)}`,
      }),
    );
    if (context.stdoutIsTerminal) context.print("\r\u001b[K");
    if (context.signal.aborted) {
      throw cancelled(
        `${repository.shownPath} is written; not done: ${steps
          .slice(index)
          .map(({ title }) => title)
          .join(", ")}`,
      );
    }
    if (result.state === "done") done(result.text, context.now() - start);
    else context.print(`  ${marks[result.state]} ${result.text}\n`);
    todo.push(...(result.commands ?? []));
    if (result.state === "failed") {
      failed = true;
      todo.push(...steps.slice(index + 1).flatMap(({ commands }) => commands));
      break;
    }
  }
  context.print(failed ? `\n  ${repository.shownPath} is written. To go on:\n` : "\n");
  context.print(nextSteps(repository, todo));
  return failed ? 1 : 0;
}
