import { mkdir, readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { quoted, visible } from "../../contract/text";
import { badUsage, cancelled, UserError } from "../../contract/user-error";
import { resolveAnswers } from "../answers";
import { ANSWERS_FILE, HEADER, parseAnswersFile } from "../answers-file";
import type { Context } from "../context";
import type { Row as OptionRow, Value } from "../option-table";
import { type Answers, options } from "../options";
import { loadTemplates, packageVersion, packPackage } from "../package-files";
import { commandOf, PACKAGE_MANAGERS, type PackageManager } from "../package-managers";
import { render, vendoredPath } from "../render";
import { lastLines } from "../steps";
import { readContent } from "./apply";
import { gitMerge } from "./git";
import { lockWith } from "./lock";
import { mergeTrees, type Row, type Tree } from "./merge";
import { compareVersions } from "./merge-json";
import { ANSWERED_BEFORE, GENERATED_FILES, RENAMED_FILES } from "./versions";

/** Work of one run. */
export interface Run extends Context {
  readonly signal: AbortSignal;
  /** Folder for files of this run, which is removed at its end. */
  readonly temporary: string;
}

/** Recorded answers of a repository, and the version that wrote them. */
export interface Recorded {
  readonly version: string;
  readonly values: ReadonlyMap<string, unknown>;
}

/** Unpacks a package and returns the file to run. */
export async function unpack(file: string, name: string, run: Run): Promise<string> {
  const folder = join(run.temporary, name);
  await mkdir(folder);
  const outcome = await run.run(["tar", "-xzf", file, "-C", folder], run.temporary, run.signal);
  if (outcome.notFound) throw new UserError("tar is not on the PATH, which unpacks packages; install it", 1);
  const text =
    outcome.code === 0 ? await readFile(join(folder, "package/package.json"), "utf8").catch(() => "{}") : "{}";
  const manifest = JSON.parse(text);
  if (manifest.name !== "antifragile") {
    throw new UserError(
      `${visible(file)} is not a package of antifragile; name a file that npm pack wrote${lastLines(outcome.output)}`,
      2,
    );
  }
  return join(folder, "package", manifest.bin.antifragile);
}

/** Reads the answers of a repository, with the version that wrote them. */
export async function readRecorded(run: Context): Promise<Recorded> {
  const text = await run.readText(join(run.cwd, ANSWERS_FILE)).catch(() => {
    throw new UserError(
      `${ANSWERS_FILE} was not found here; run the command in the folder of a generated repository`,
      2,
    );
  });
  const { values, problems } = parseAnswersFile(text, ANSWERS_FILE);
  if (problems.length > 0) throw badUsage(problems, "Nothing was written.");
  const version: unknown = JSON.parse(text.replace(/^\uFEFF/, ""))[HEADER]?.version;
  if (typeof version !== "string" || !/^\d[\w.+-]*$/.test(version)) {
    throw new UserError(`${ANSWERS_FILE}: ${HEADER}.version: ${quoted(version)} is not a version; restore the file`, 2);
  }
  return { version, values };
}

/** Files below a root, with their paths from a folder in it. */
async function readTree(root: string, folder: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.map((file) => readFile(file, "latin1")));
  return new Map(files.map((file, index) => [relative(folder, file).replaceAll("\\", "/"), texts[index]!]));
}

/** Files that the old version generates, rendered by the package in the repository. */
async function renderOld({ version, values }: Recorded, run: Run): Promise<Map<string, string>> {
  const path = vendoredPath(version);
  const packed = await readContent(run.cwd, path, run.disk);
  if (typeof packed !== "string") {
    throw new UserError(`${path} is missing: it shows what the repository was made from; restore it with git`, 2);
  }
  const program = await unpack(join(run.cwd, path), "from", run);
  const flags = ["--yes", "--no-install", "--no-git", "--answers", join(run.cwd, ANSWERS_FILE)];
  const { directory } = Object.fromEntries(values) as Partial<Answers>;
  const at =
    directory !== undefined && options.directory.rule.pattern.test(directory) && directory !== "none"
      ? `base/${directory}`
      : "base";
  await mkdir(dirname(join(run.temporary, at)), { recursive: true });
  const outcome = await run.run([process.execPath, program, "new", at, ...flags], run.temporary, run.signal);
  if (run.signal.aborted) throw cancelled("nothing was written");
  if (outcome.code !== 0) {
    throw new UserError(`antifragile ${version} cannot render ${ANSWERS_FILE}${lastLines(outcome.output)}`, 1);
  }
  // The package itself: another version of Node.js compresses it to other bytes.
  const folder = join(run.temporary, at);
  return (await readTree(join(run.temporary, "base"), folder)).set(path, packed);
}

/** Files that this version generates from the recorded answers, and remarks about the answers. */
async function renderNew({ version, values }: Recorded, base: Tree, run: Run, changed: ReadonlyMap<string, Value>) {
  const file = new Map([...values].filter(([key]) => Object.hasOwn(options, key)));
  const given = { flag: changed, file, prompt: new Map(), fileName: ANSWERS_FILE };
  const rows = Object.entries<OptionRow>(options).map(([key, row]) => {
    const before = ANSWERED_BEFORE[key];
    return [key, before === undefined ? row : ({ ...row, default: before } as OptionRow)];
  });
  const { answers, problems, missing } = resolveAnswers(Object.fromEntries(rows), given, { folder: undefined });
  const open = [...problems, ...missing.map((key) => `${ANSWERS_FILE}: ${key} is missing`)];
  if (open.length > 0) throw badUsage(open, "Nothing was written.");
  const rendered = render(answers as unknown as Answers, loadTemplates(run.packageRoot));
  const tree = new Map([...rendered].map(([path, { content }]) => [path, Buffer.from(content).toString("latin1")]));
  const packed = await packPackage(run.packageRoot);
  const path = vendoredPath(packageVersion(run.packageRoot));
  const old = base.get(vendoredPath(version)) ?? "";
  const unchanged = base.has(path) && gunzipSync(packed).equals(gunzipSync(Buffer.from(old, "latin1")));
  tree.set(path, unchanged ? old : Buffer.from(packed).toString("latin1"));
  const notes = [
    ...Object.keys(answers)
      .filter((key) => !values.has(key) && !changed.has(key))
      .map((key) => `new option ${key}: ${answers[key]}, ${key in ANSWERED_BEFORE ? "as it is now" : "its default"}`),
    ...[...values.keys()].filter((key) => !file.has(key)).map((key) => `the option ${visible(key)} no longer exists`),
  ];
  return { tree, rendered, notes, packed: tree.get(path)!, path, answers: answers as unknown as Answers };
}

/** Plans an upgrade, or with changed answers an addition, with all files that it reads. */
export async function makePlan(recorded: Recorded, run: Run, changed: ReadonlyMap<string, Value> = new Map()) {
  const version = packageVersion(run.packageRoot);
  if ((compareVersions(version, recorded.version) ?? 0) < 0) {
    throw new UserError(`the repository has antifragile ${recorded.version}, which is newer than ${version}`, 2);
  }
  const base = await renderOld(recorded, run);
  const next = await renderNew(recorded, base, run, changed);
  const manager = next.answers.packageManager as PackageManager;
  const theirs = new Map<string, string>();
  const blocked = new Set<string>();
  const { lockFile } = PACKAGE_MANAGERS[manager];
  for (const path of new Set([...base.keys(), ...next.tree.keys(), ...RENAMED_FILES.flat(), lockFile])) {
    const content = await readContent(run.cwd, path, run.disk);
    if (content === null) blocked.add(path);
    else if (content !== undefined) theirs.set(path, content);
  }
  const from = `antifragile ${recorded.version}`;
  const to = `antifragile ${version}${version === recorded.version ? ", another build" : ""}`;
  const merged = await mergeTrees({
    base,
    ours: next.tree,
    theirs,
    blocked,
    renames: RENAMED_FILES,
    generated: GENERATED_FILES,
    mergeText: gitMerge(run.temporary, run, run.signal, ["yours", from, to]),
  });
  const { writes } = merged;
  const rows: Row[] = [...merged.rows];
  const lock = theirs.get(lockFile);
  if (lock !== undefined && writes.has(next.path)) {
    const renewed = lockWith(manager, lock, next.path, Buffer.from(next.packed, "latin1"));
    if (renewed !== lock) {
      writes.set(lockFile, renewed);
      rows.push({ kind: "update", path: lockFile, note: `${commandOf(manager, "install")} renews it` });
    }
  }
  return { ...next, from, to, theirs, lockFile, rows, writes };
}
