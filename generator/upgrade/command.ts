import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type CommandLine, defineCommand } from "../../contract/command-line";
import { kebab } from "../../contract/names";
import { didYouMean, quoted, visible } from "../../contract/text";
import { badUsage, cancelled, type ExitCode, UserError } from "../../contract/user-error";
import { ANSWERS_FILE } from "../answers-file";
import type { Context } from "../context";
import { outsideOf } from "../manifest";
import { runNew } from "../new";
import type { Value } from "../option-table";
import { type Answers, options } from "../options";
import { packageVersion } from "../package-files";
import { exists } from "../steps";
import { isCode, writeFault } from "../write";
import { afterSteps } from "./after";
import { applyChanges, hasJournal, recoverUpgrade } from "./apply";
import { type Git, gitDiff, openGit } from "./git";
import type { MergePlan } from "./merge";
import { makePlan, type Recorded, type Run, readRecorded, unpack } from "./plan";
import { notesBetween } from "./releases";
import { ADDABLE, AFTER_ADD, AFTER_REMOVE, REMOVABLE, REPLACEMENTS } from "./versions";

const FLAGS = {
  to: { value: "FILE", help: "package to upgrade to, antifragile-X.tgz; without it, the version of this program" },
  "dry-run": { help: "print the plan and the diff without writing anything" },
  check: { help: "print the plan only; exit code 3 if there is something to upgrade" },
  "no-install": { help: "do not install dependencies or run the repository's own scripts" },
} as const;

/** Effects that the flags leave out. */
interface Modes {
  readonly allowsReplacement?: boolean;
  readonly check: boolean;
  readonly dryRun: boolean;
  readonly install: boolean;
}

/** Lets another version upgrade the repository: it has the templates, and knows what changed. */
async function handOver(file: string, line: CommandLine<typeof FLAGS>, run: Run): Promise<ExitCode> {
  const program = await unpack(resolve(run.cwd, file), "to", run);
  const flags = (["dry-run", "check", "no-install"] as const)
    .filter((flag) => line.has(flag))
    .map((flag) => `--${flag}`);
  const outcome = await run.run([process.execPath, program, "upgrade", ...flags], run.cwd, run.signal, run.print);
  return (outcome.code ?? 1) as ExitCode;
}

async function describe(
  { rows, notes, from, to }: MergePlan & { notes: readonly string[]; from: string; to: string },
  git: Git,
) {
  const lines: string[] = [`${from} -> ${to}`, ...notes.map((note) => `  ${note}`)];
  for (const { kind, path, note } of rows) {
    const verb = kind === "conflict" ? "CONFLICT" : kind;
    lines.push(`  ${verb.padEnd(8)}  ${visible(path)}${note === undefined ? "" : `  (${visible(note)})`}`);
    if (kind !== "conflict") continue;
    lines.push(`            yours: ${await git.lastCommit(path)}`);
    lines.push(`            new:   changed in ${to}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Refuses changed answers that replace a protected resource, and states the way that does not. */
function refuseReplacement(before: Answers, after: Answers): void {
  const found = REPLACEMENTS.find(({ of }) => of(before, after));
  if (found === undefined) return;
  throw new UserError(
    `${found.effect}. Instead: ${found.instead}. If nothing is deployed yet, or the outage is accepted: --allow-replace`,
    3,
  );
}

/** Change of the answers, and the work that it leaves to the user. */
interface AnswerChange {
  readonly of: (recorded: Recorded) => Map<string, Value>;
  readonly todo: readonly string[];
}

/** Merges the new version into the repository, with changed answers if there are some. */
async function update(run: Run, modes: Modes, change?: AnswerChange): Promise<ExitCode> {
  const recorded = await readRecorded(run);
  const answers = change?.of(recorded);
  const git = await openGit(run.cwd, run, run.signal);
  const { directory = "none", ...others } = Object.fromEntries([...recorded.values, ...(answers ?? [])]);
  if (directory !== "none" && directory !== git.directory) {
    throw new UserError(
      `the folder is ${quoted(git.directory)} in its git repository, but the option directory is ${quoted(directory)}; fix it in ${ANSWERS_FILE}`,
      2,
    );
  }
  const outside = outsideOf({ ...others, directory } as unknown as Answers);
  const { check, dryRun, install } = modes;
  const reads = check || dryRun;
  if (reads && (await hasJournal(git.journal, run.disk))) {
    throw new UserError("an earlier upgrade was interrupted while it wrote; run it again to finish it", 3);
  }
  if (!reads) {
    const notice = await recoverUpgrade(run.cwd, git.journal, run.disk, git.root);
    if (notice !== undefined) {
      run.print(`${notice}\n`);
      const { values } = await readRecorded(run);
      return afterSteps(
        { conflicts: [], todo: [], answers: Object.fromEntries(values) as unknown as Answers, install },
        run,
      );
    }
    const open = await git.uncommitted(outside);
    if (open.length > 0) {
      const shown = open.slice(0, 10).map((entry) => `  ${visible(entry)}`);
      throw new UserError(
        [
          "there are changes that are not committed, so git could not undo those of this command:",
          ...shown,
          "Commit them first.",
        ].join("\n"),
        3,
      );
    }
  }
  const plan = await makePlan(recorded, run, answers);
  if (run.signal.aborted) throw cancelled("nothing was written");
  const before = Object.fromEntries(recorded.values) as unknown as Answers;
  if (modes.allowsReplacement !== true) refuseReplacement(before, plan.answers);
  if (plan.writes.size === 0) {
    run.print(`antifragile ${packageVersion(run.packageRoot)}: nothing to upgrade\n`);
    return 0;
  }
  const news = notesBetween(recorded.version, packageVersion(run.packageRoot), plan.answers);
  run.print(
    await describe(
      { ...plan, notes: [...plan.notes, ...news.map(({ version, change }) => `${version}: ${change}`)] },
      git,
    ),
  );
  if (check) return 3;
  const changes = new Map(
    [...plan.writes].map(([path, after]) => [
      path,
      { before: plan.theirs.get(path), after, mode: plan.rendered.get(path)?.mode },
    ]),
  );
  if (dryRun) {
    const texts = [...changes].filter(([path]) => path !== plan.lockFile && !path.endsWith(".tgz"));
    const side = (key: "before" | "after") =>
      new Map(texts.flatMap(([path, content]) => (content[key] === undefined ? [] : [[path, content[key]] as const])));
    run.print(`\n${await gitDiff(run.temporary, run, run.signal, side("before"), side("after"))}`);
    run.print("Dry run: nothing was written.\n");
    return 0;
  }
  await applyChanges(run.cwd, git.journal, changes, run.disk, git.root);
  const conflicts = plan.rows.filter(({ kind }) => kind === "conflict").map(({ path }) => path);
  const todo = [...news.flatMap((note) => note.todo ?? []), ...(change?.todo ?? [])];
  return afterSteps({ conflicts, answers: plan.answers, install, todo }, run);
}

/** Runs work with a temporary folder, which is removed afterwards. */
function withRun(context: Context, work: (run: Run) => Promise<ExitCode>): Promise<ExitCode> {
  return context.interruptible(async (signal) => {
    const temporary = await mkdtemp(join(tmpdir(), "antifragile-upgrade-"));
    try {
      return await work({ ...context, signal, temporary });
    } catch (error) {
      throw isCode(error, "ENOSPC", "EDQUOT") ? writeFault(error, temporary) : error;
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
}

/** The command `antifragile upgrade`, in a generated repository. */
export const runUpgrade = defineCommand(
  {
    name: "upgrade",
    operands: [],
    description:
      "Brings the repository in this folder to a newer version and keeps your edits: what the old and the new version generate from the recorded answers is merged with your files, as git merges. Shows the plan, writes, and renews the lock file and the infrastructure snapshot. Conflicts are marked in the files. Needs a git repository without uncommitted changes in the folder, so that git can undo the upgrade. Exit code 1: a conflict, or a step failed; 3: refused, or --check found something; 130: interrupted.",
    flags: FLAGS,
  },
  (line, context: Context): Promise<ExitCode> => {
    const modes = { check: line.has("check"), dryRun: line.has("dry-run"), install: !line.has("no-install") };
    const file = line.value("to");
    return withRun(context, (run) => (file === undefined ? update(run, modes) : handOver(file, line, run)));
  },
);

const ADD_HINT = "antifragile add --help explains it.";

/** Answer that a word of the command line adds: `cache`, or `calls=payments`. */
function addition(word: string, { values }: Recorded): Map<string, Value> {
  const [key = "", ...rest] = word.split("=");
  const row = ADDABLE.includes(key) ? options[key as keyof typeof options] : undefined;
  if (row === undefined) {
    const problem = `${quoted(key)} cannot be added; use one of ${ADDABLE.join(", ")}${didYouMean(key, ADDABLE)}`;
    throw badUsage([problem], ADD_HINT);
  }
  const choices = row.kind === "choice" ? Object.keys(row.values).filter((value) => value !== "none") : [];
  const only = choices.length === 1 ? (choices[0] ?? false) : false;
  const value: Value = row.kind === "flag" ? rest.length === 0 : rest.join("=") || only;
  if (value === false || value === "none") {
    const form = row.kind === "flag" ? key : `${key}=${choices.join("|") || "NAME"}`;
    throw badUsage([`${quoted(word)} is not allowed; use ${form}`], ADD_HINT);
  }
  const old = values.get(key);
  if (old === value) throw new UserError(`the repository has ${key} ${value} already`, 2);
  // The only answer that is a list.
  return new Map([[key, key === "environments" && old !== undefined && old !== "none" ? `${old},${value}` : value]]);
}

/** Answer without a need: `cache`. */
function removal(word: string, { values }: Recorded): Map<string, Value> {
  if (!REMOVABLE.includes(word)) {
    const problem = `${quoted(word)} cannot be removed; use one of ${REMOVABLE.join(", ")}${didYouMean(word, REMOVABLE)}`;
    throw badUsage([problem], "antifragile remove --help explains it.");
  }
  const none = options[word as keyof typeof options].kind === "flag" ? false : "none";
  if ((values.get(word) ?? none) === none) throw new UserError(`the repository has no ${word}`, 2);
  return new Map([[word, none]]);
}

/** Answers that a second service shares with the first. */
const SHARED = ["engine", "provider", "region", "environments", "branch", "packageManager", "license"];

/** Generates another service in a folder of this repository, on the same platform. Nothing of the first changes. */
async function addService(name: string, { dryRun, install }: Modes, context: Context): Promise<ExitCode> {
  const { values } = await readRecorded(context);
  if (name === "" || name === values.get("name")) {
    throw badUsage([`${quoted(`service=${name}`)} is not allowed; use service=NAME with a new name`], ADD_HINT);
  }
  const joins = (values.get("joins") ?? "none") === "none" ? values.get("name") : values.get("joins");
  const shared = SHARED.filter((key) => values.has(key)).map((key) => `--${kebab(key)}=${values.get(key)}`);
  const flags = [...(dryRun ? ["--dry-run"] : []), ...(install ? [] : ["--no-install"])];
  const args = [name, `--name=${name}`, `--joins=${joins}`, "--ci=none", ...shared, "--yes", ...flags];
  const code = await runNew({ ...context, args });
  // Biome refuses a second root below the first.
  const lint = join(context.cwd, name, "biome.json");
  if (!dryRun && (await exists(lint))) {
    const text = await context.disk.readFile(lint, "utf8");
    await context.disk.writeFile(lint, text.replace("{\n", '{\n  "root": false,\n'));
  }
  return code;
}

const ALLOW_REPLACE = { help: "also change what replaces a deployed resource, with an outage" };

/** The command `antifragile add`, in a generated repository. */
export const runAdd = defineCommand(
  {
    name: "add",
    operands: ["<need>"],
    description: `Adds to the repository in this folder: ${ADDABLE.join(", ")}; where there is a choice with its value, ci=gitlab or calls=payments; or service=NAME, another service in the folder NAME. The files that the new answer brings are merged with yours, as by upgrade, and what is left to do by hand is listed. Exit code 1: a conflict, or a step failed; 3: refused; 130: interrupted.`,
    flags: {
      "dry-run": FLAGS["dry-run"],
      "no-install": FLAGS["no-install"],
      "allow-replace": ALLOW_REPLACE,
    },
  },
  (line, context: Context): Promise<ExitCode> => {
    const modes = {
      allowsReplacement: line.has("allow-replace"),
      check: false,
      dryRun: line.has("dry-run"),
      install: !line.has("no-install"),
    };
    const [word = ""] = line.operands;
    if (/^service(=|$)/.test(word)) return addService(word.slice("service=".length), modes, context);
    const of = (recorded: Recorded) => addition(word, recorded);
    return withRun(context, (run) => update(run, modes, { of, todo: AFTER_ADD }));
  },
);

/** The command `antifragile remove`, in a generated repository. */
export const runRemove = defineCommand(
  {
    name: "remove",
    operands: ["<need>"],
    description: `Removes from the repository in this folder: ${REMOVABLE.join(", ")}. The files that the answer brought are deleted unless you changed them, and the others are merged with yours, as by upgrade. What is left to do by hand is listed. Exit code 1: a conflict, or a step failed; 3: refused; 130: interrupted.`,
    flags: { "dry-run": FLAGS["dry-run"], "no-install": FLAGS["no-install"] },
  },
  (line, context: Context): Promise<ExitCode> => {
    const modes = { check: false, dryRun: line.has("dry-run"), install: !line.has("no-install") };
    const of = (recorded: Recorded) => removal(line.operands[0] ?? "", recorded);
    return withRun(context, (run) => update(run, modes, { of, todo: AFTER_REMOVE }));
  },
);
