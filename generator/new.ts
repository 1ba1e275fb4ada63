import { basename, relative, resolve } from "node:path";
import { count, quoted, visible } from "../contract/text";
import { type Given, type Resolution, resolveAnswers } from "./answers";
import { parseAnswersFile } from "./answers-file";
import type { Context } from "./context";
import { badUsage, cancelled, type ExitCode } from "./errors";
import { finishRepository } from "./finish";
import { type CommandLine, flagOf, parseCommandLine } from "./flags";
import type { Place, Value } from "./option-table";
import { type Answers, options } from "./options";
import { loadTemplates, packageVersion, packPackage } from "./package-files";
import { askOpenQuestions, confirmPlan, reopenAnswer } from "./prompts";
import { helpText } from "./reference";
import { type OutputFile, render } from "./render";
import { inspectTarget, type Target, writeTree } from "./write";

const HELP = "antifragile new --help lists every flag; nothing was written.";

/** Asks only on a terminal, unless told otherwise. */
function mayAsk(line: CommandLine, context: Context): boolean {
  if (line.switches.has("interactive")) return true;
  if (line.switches.has("no-interactive") || line.switches.has("yes") || context.env.CI) return false;
  return context.stdinIsTerminal && context.stdoutIsTerminal && line.switches.get("answers") !== "-";
}

/** Switches that are each understood, but not together. */
function contradictions(line: CommandLine): string[] {
  if (!line.switches.has("interactive")) return [];
  const problems: string[] = [];
  if (line.switches.has("yes")) problems.push("--interactive, --yes: say the opposite; keep one");
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
  const given = { flag: line.answers, file: new Map<string, unknown>(), prompt: new Map<string, Value>() };
  if (file === undefined) return { given: { ...given, fileName: "answers" }, problems: [] };
  const fileName = file === "-" ? "stdin" : visible(file);
  try {
    const text = await context.readText(file === "-" ? file : resolve(context.cwd, file));
    const { values, problems } = parseAnswersFile(text, fileName);
    return { given: { ...given, file: values, fileName }, problems };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const reason = { ENOENT: "does not exist", EISDIR: "is a folder", EACCES: "may not be read" }[code];
    const problem = `--answers ${fileName}: ${reason ?? visible((error as Error).message)}; name a JSON file`;
    return { given: { ...given, fileName }, problems: [problem] };
  }
}

/** The last part of the folder's path tells the name, when a folder is given. */
function placeOf(line: CommandLine, context: Context): Place {
  const [folder] = line.operands;
  return { folder: folder === undefined ? undefined : basename(resolve(context.cwd, folder)) };
}

function missingProblems(resolution: Resolution, place: Place): string[] {
  return resolution.missing.map((key) => {
    const row = options[key as keyof typeof options];
    const folder =
      key === "name" && place.folder !== undefined ? ` (the folder ${quoted(place.folder)} cannot be it)` : "";
    return `missing: ${flagOf(key, row)}  ${row.help}${folder}`;
  });
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw badUsage(problems, HELP);
}

/** A path as a user would type it in the folder where they are. */
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

/** Looks at the target; a dry run does not even put right what a killed run left. */
async function inspect(folder: string, line: CommandLine, context: Context): Promise<Target> {
  const target = await inspectTarget(resolve(context.cwd, folder), !line.switches.has("dry-run"), context.disk);
  for (const notice of target.notices) context.print(`${notice}\n`);
  return target;
}

async function makePlan(line: CommandLine, resolution: Resolution, context: Context): Promise<Plan> {
  const answers = resolution.answers as unknown as Answers;
  const target = await inspect(line.operands[0] ?? answers.name, line, context);
  return { answers, files: render(answers, loadTemplates(context.packageRoot)), target };
}

/** Two lines that say what will be made; what was not chosen is left out. */
function summary(answers: Answers): string {
  const { name, description, ...others } = answers;
  const chosen = Object.entries(others).filter(
    ([, value]) => value !== undefined && value !== false && value !== "none",
  );
  const words = chosen.map(([key, value]) => (value === true ? key : `${key} ${value}`));
  return [`${name}   ${description}`, words.join(" · ")].map((text) => `  ${visible(text)}\n`).join("");
}

/** Answers, plan and consent, by questions. */
async function plan(line: CommandLine, context: Context): Promise<Plan> {
  const { given: said, problems } = await readAnswers(line, context);
  const place = placeOf(line, context);
  let given = said;
  let resolution = resolveAnswers(options, given, place);
  const asks = mayAsk(line, context);
  refuse([
    ...line.problems,
    ...contradictions(line),
    ...problems,
    ...resolution.problems,
    ...(asks ? [] : missingProblems(resolution, place)),
  ]);
  if (!asks) return makePlan(line, resolution, context);

  if (line.operands[0] !== undefined) await inspect(line.operands[0], line, context);
  const prompter = context.prompter();
  context.print("\n  antifragile  a service that gets stronger when things break\n\n");
  given = await askOpenQuestions(options, given, place, prompter);
  for (;;) {
    resolution = resolveAnswers(options, given, place);
    refuse(resolution.problems);
    const planned = await makePlan(line, resolution, context);
    if (line.switches.has("dry-run")) return planned;
    context.print(`\n${summary(planned.answers)}`);
    const question = `Write ${count(planned.files.size - planned.target.kept.length, "file")} to ${shown(planned.target.path, context)}?`;
    const { write, reopen } = await confirmPlan(options, resolution.answers, question, prompter);
    if (write) return planned;
    if (reopen === undefined) throw cancelled("nothing was written");
    given = await reopenAnswer(options, reopen, given, place, prompter);
  }
}

function printDryRun({ files, target }: Plan, line: CommandLine, context: Context): void {
  const rows = [...files].filter(([path]) => !target.kept.includes(path));
  const width = Math.max(...rows.map(([path]) => path.length));
  const sizes = rows.map(([path, { content }]) => `  ${path.padEnd(width)}  ${Buffer.byteLength(content)} bytes\n`);
  const install = line.switches.has("no-install") ? [] : ["npm install", "npm run snapshot"];
  const git = line.switches.has("no-git") ? [] : ["git init", "first commit"];
  context.print(`${count(rows.length, "file")} would go to ${shown(target.path, context)}:\n${sizes.join("")}`);
  for (const path of target.kept) context.print(`  ${path} is there and stays as it is\n`);
  context.print(`Then: ${["vendor the package", ...install, ...git].join(", ")}.\nDry run: nothing was written.\n`);
}

/** `antifragile new [dir]`: a new repository from answers. */
export async function runNew(context: Context): Promise<ExitCode> {
  const line = parseCommandLine(options, context.args);
  if (line.switches.has("help")) {
    context.print(helpText(options));
    return 0;
  }
  const planned = await plan(line, context);
  if (line.switches.has("dry-run")) {
    printDryRun(planned, line, context);
    return 0;
  }
  return context.interruptible(async (signal) => {
    const start = context.now();
    // Before the files: with a package that cannot be packed, nothing shall be written.
    const packed = await packPackage(context.packageRoot);
    await writeTree(planned.target, planned.files, signal, context.disk);
    const written = planned.files.size - planned.target.kept.length;
    const repository = {
      ...planned,
      path: planned.target.path,
      shownPath: shown(planned.target.path, context),
      version: packageVersion(context.packageRoot),
      packed,
      install: !line.switches.has("no-install"),
      git: !line.switches.has("no-git"),
    };
    return finishRepository(repository, { ...context, signal }, { written, milliseconds: context.now() - start });
  });
}
