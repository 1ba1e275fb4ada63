import { basename, relative, resolve, sep } from "node:path";
import { kebab } from "../contract/names";
import { count, didYouMean, quoted, visible, wrap } from "../contract/text";
import { badUsage, cancelled, type ExitCode } from "../contract/user-error";
import { type Given, type Resolution, resolveAnswers } from "./answers";
import { parseAnswersFile } from "./answers-file";
import type { Context } from "./context";
import { finishRepository, type StepReport } from "./finish";
import { type CommandLine, flagOf, flagsOf, parseCommandLine, type SwitchName } from "./flags";
import { inspectGit } from "./git";
import type { Place, Value } from "./option-table";
import { type Answers, options, presets } from "./options";
import { loadTemplates, packageVersion, packPackage } from "./package-files";
import { callingPackageManager, commandOf, type PackageManager, UNSUPPORTED } from "./package-managers";
import { askOpenQuestions, confirmPlan, reopenAnswer } from "./prompts";
import { helpText } from "./reference";
import { type OutputFile, render } from "./render";
import { filesFor, inspectOutside, inspectTarget, type Target, writeTree } from "./write";

const HELP = "antifragile new --help lists every flag; nothing was written.";

/** Asks only on a terminal, unless a flag decides. */
function mayAsk(line: CommandLine, context: Context): boolean {
  if (line.switches.has("interactive")) return true;
  if (["no-interactive", "yes", "json"].some((name) => line.switches.has(name as SwitchName)) || context.env.CI) {
    return false;
  }
  return context.stdinIsTerminal && context.stdoutIsTerminal && line.switches.get("answers") !== "-";
}

/** Problems of switches that exclude each other or have a wrong value. */
function switchProblems(line: CommandLine): string[] {
  const problems: string[] = [];
  const preset = line.switches.get("preset");
  if (preset !== undefined && !Object.hasOwn(presets, preset)) {
    const words = Object.keys(presets);
    problems.push(
      `--preset: ${quoted(preset)} is not allowed; use one of ${words.join(", ")}${didYouMean(preset, words)}`,
    );
  }
  if (!line.switches.has("interactive")) return problems;
  if (line.switches.has("yes")) problems.push("--interactive, --yes: contradict each other; keep one");
  if (line.switches.has("json")) problems.push("--interactive, --json: contradict each other; keep one");
  if (line.switches.get("answers") === "-") {
    problems.push("--interactive, --answers -: stdin cannot bring both a file and answers; name a file");
  }
  return problems;
}

async function readAnswers(
  line: CommandLine,
  context: Context,
): Promise<{ given: Given; problems: readonly string[] }> {
  const file = line.switches.get("answers");
  const preset = presets[line.switches.get("preset") ?? ""] ?? {};
  const given = {
    flag: line.answers,
    file: new Map<string, unknown>(),
    prompt: new Map<string, Value>(),
    preset: new Map(Object.entries(preset)),
  };
  if (file === undefined) return { given: { ...given, fileName: "answers" }, problems: [] };
  const fileName = file === "-" ? "stdin" : visible(file);
  try {
    const text = await context.readText(file === "-" ? file : resolve(context.cwd, file));
    const { values, problems } = parseAnswersFile(text, fileName);
    return { given: { ...given, file: values, fileName }, problems };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const reason = {
      ENOENT: "does not exist",
      EISDIR: "is a folder",
      EACCES: "cannot be read: permission denied",
      ERR_ENCODING_INVALID_ENCODED_DATA: "is not UTF-8",
    }[code];
    const problem = `--answers ${fileName}: ${reason ?? visible((error as Error).message)}; name a JSON file`;
    return { given: { ...given, fileName }, problems: [problem] };
  }
}

/** Facts about the target folder, its git repository and the caller. */
async function placeOf(line: CommandLine, context: Context): Promise<Place> {
  const [folder] = line.operands;
  const target = resolve(context.cwd, folder ?? ".");
  const git = line.switches.has("no-git") ? undefined : await inspectGit(target, context, new AbortController().signal);
  return {
    folder: folder === undefined ? undefined : basename(target),
    ...(git?.kind === "repository" &&
      options.directory.rule.pattern.test(git.directory) && { directory: git.directory }),
    branch: git?.kind === "repository" && options.branch.rule.pattern.test(git.branch ?? "") ? git.branch : undefined,
    packageManager: callingPackageManager(context.env),
  };
}

/** A caller whose package manager is not supported has to choose one. */
function callerProblems({ sources }: Resolution, { packageManager = "" }: Place): string[] {
  if (sources.packageManager !== "default" || !Object.hasOwn(UNSUPPORTED, packageManager)) return [];
  return [
    `${packageManager} started this command, but ${UNSUPPORTED[packageManager]}; pass --package-manager npm or pnpm`,
  ];
}

function missingProblems(resolution: Resolution, place: Place): string[] {
  return resolution.missing.map((key) => {
    const row = options[key as keyof typeof options];
    const folder =
      key === "name" && place.folder !== undefined ? ` (the folder name ${quoted(place.folder)} is not valid)` : "";
    return `missing: ${flagOf(key, row)}  ${row.help}${folder}`;
  });
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw badUsage(problems, HELP);
}

/** Path relative to the current folder, as a user types it. */
function shown(path: string, context: Context): string {
  const short = relative(context.cwd, path);
  if (short === "") return ".";
  return visible(short.startsWith("..") ? path : `./${short.replaceAll("\\", "/")}`);
}

interface Plan {
  readonly answers: Answers;
  readonly files: ReadonlyMap<string, OutputFile>;
  readonly target: Target;
}

/** Inspects the target. A dry run does not repair a killed run. */
async function inspect(folder: string, line: CommandLine, context: Context): Promise<Target> {
  const target = await inspectTarget(resolve(context.cwd, folder), !line.switches.has("dry-run"), context.disk);
  for (const notice of target.notices) context.print(`${notice}\n`);
  return target;
}

/** Files at the root of the git repository have their place only if the answer is the folder. */
function directoryProblems(
  { directory = "none" }: Answers,
  { path }: Target,
  place: Place,
  line: CommandLine,
): string[] {
  const known = line.switches.has("no-git")
    ? path.endsWith(`${sep}${directory.replaceAll("/", sep)}`)
    : place.directory === directory;
  if (directory === "none" || known) return [];
  const where =
    place.directory === undefined ? "not in a folder of a git repository" : `${quoted(place.directory)} in it`;
  return [`--directory: ${quoted(directory)} is not allowed; ${visible(path)} is ${where}`];
}

async function makePlan(line: CommandLine, resolution: Resolution, place: Place, context: Context): Promise<Plan> {
  const answers = resolution.answers as unknown as Answers;
  const target = await inspect(line.operands[0] ?? answers.name, line, context);
  refuse(directoryProblems(answers, target, place, line));
  const files = render(answers, loadTemplates(context.packageRoot));
  return { answers, files, target: await inspectOutside(target, files, context.disk) };
}

/** Summary of the plan, wrapped at word ends. Options that are not selected are left out. */
export function summary(answers: Answers, columns: number): string {
  const { name, description, ...others } = answers;
  const chosen = Object.entries(others).filter(
    ([, value]) => value !== undefined && value !== false && value !== "none",
  );
  const words = chosen.map(([key, value]) => `${kebab(key).replaceAll("-", " ")}${value === true ? "" : ` ${value}`}`);
  return [`${name}: ${description}`, words.join(" · ")].map((text) => wrap(visible(text), columns, "  ")).join("\n");
}

/** Resolves the answers, asks for missing ones and for the consent to write. */
async function plan(line: CommandLine, context: Context): Promise<Plan> {
  const { given: first, problems } = await readAnswers(line, context);
  const place = await placeOf(line, context);
  let given = first;
  let resolution = resolveAnswers(options, given, place);
  const asks = mayAsk(line, context);
  refuse([
    ...line.problems,
    ...switchProblems(line),
    ...problems,
    ...resolution.problems,
    ...callerProblems(resolution, place),
    ...(asks ? [] : missingProblems(resolution, place)),
  ]);
  if (!asks) return makePlan(line, resolution, place, context);

  if (line.operands[0] !== undefined) await inspect(line.operands[0], line, context);
  const prompter = context.prompter();
  context.print("\n  antifragile  a service and its AWS infrastructure\n\n");
  given = await askOpenQuestions(options, given, place, prompter);
  for (;;) {
    resolution = resolveAnswers(options, given, place);
    refuse(resolution.problems);
    const planned = await makePlan(line, resolution, place, context);
    if (line.switches.has("dry-run")) return planned;
    context.print(`\n${summary(planned.answers, context.columns())}\n`);
    const question = `Write ${count(filesFor(planned.target, planned.files).size, "file")} to ${shown(planned.target.path, context)}?`;
    const { write, reopen } = await confirmPlan(options, resolution.answers, question, prompter);
    if (write) return planned;
    if (reopen === undefined) throw cancelled("nothing was written");
    given = await reopenAnswer(options, reopen, given, place, prompter);
  }
}

function printDryRun({ files, target, answers }: Plan, line: CommandLine, context: Context): void {
  const rows = [...filesFor(target, files)];
  const width = Math.max(...rows.map(([path]) => path.length));
  const sizes = rows.map(([path, { content }]) => `  ${path.padEnd(width)}  ${Buffer.byteLength(content)} bytes\n`);
  const manager = answers.packageManager as PackageManager;
  const install = line.switches.has("no-install")
    ? []
    : [commandOf(manager, "install"), commandOf(manager, "snapshot")];
  const git = line.switches.has("no-git") ? [] : ["git init", "first commit"];
  context.print(`${count(rows.length, "file")} would go to ${shown(target.path, context)}:\n${sizes.join("")}`);
  for (const path of target.kept) context.print(`  ${path} stays as it is\n`);
  context.print(`Then: ${["vendor the package", ...install, ...git].join(", ")}.\nDry run: nothing was written.\n`);
}

/** Result of a run, for `--json`. */
function jsonResult({ answers, files, target }: Plan, steps?: readonly StepReport[]): string {
  const paths = [...filesFor(target, files).keys()];
  const ok = steps === undefined || steps.every(({ state }) => state !== "failed");
  const written = steps !== undefined;
  return `${JSON.stringify({ ok, written, folder: target.path, answers, files: paths, kept: target.kept, steps }, null, 2)}\n`;
}

/** Writes the planned repository and runs the steps after it. */
async function write(
  planned: Plan,
  line: CommandLine,
  context: Context,
  output: (text: string) => void,
): Promise<ExitCode> {
  return context.interruptible(async (signal) => {
    const start = context.now();
    // Before the files: with a package that cannot be packed, nothing is written.
    const packed = await packPackage(context.packageRoot);
    await writeTree(planned.target, planned.files, signal, context.disk);
    const repository = {
      ...planned,
      path: planned.target.path,
      shownPath: shown(planned.target.path, context),
      version: packageVersion(context.packageRoot),
      packed,
      install: !line.switches.has("no-install"),
      git: !line.switches.has("no-git"),
    };
    const { exitCode, steps } = await finishRepository(
      repository,
      { ...context, signal },
      {
        written: filesFor(planned.target, planned.files).size,
        milliseconds: context.now() - start,
      },
    );
    if (line.switches.has("json")) output(jsonResult(planned, steps));
    return exitCode;
  });
}

/** `antifragile new [dir]`: generates a repository from answers. */
export const runNew = Object.assign(createRepository, { spec: { operands: ["[folder]"], flags: flagsOf(options) } });

async function createRepository(context: Context): Promise<ExitCode> {
  const line = parseCommandLine(options, context.args);
  if (line.switches.has("help")) {
    context.print(helpText(options, context.columns()));
    return 0;
  }
  const json = line.switches.has("json");
  const quiet = json ? { ...context, stdoutIsTerminal: false, print: () => undefined } : context;
  const planned = await plan(line, quiet);
  if (!line.switches.has("dry-run")) return write(planned, line, quiet, context.print);
  if (json) context.print(jsonResult(planned));
  else printDryRun(planned, line, context);
  return 0;
}
