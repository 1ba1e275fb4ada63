import nodeDisk from "node:fs/promises";
import nodePath from "node:path";
import { quoted, visible } from "../contract/text";
import { cancelled, UserError } from "../contract/user-error";
import { isOutside, isOwn } from "./manifest";
import type { OutputFile } from "./render";

/** The part of the file system that writing needs. */
export type Disk = Pick<
  typeof nodeDisk,
  "lstat" | "mkdir" | "readdir" | "readFile" | "realpath" | "rename" | "rmdir" | "unlink" | "writeFile"
>;

/** Target folder of a repository. */
export interface Target {
  /** Absolute path without symbolic links. */
  readonly path: string;
  readonly exists: boolean;
  /** Existing files that stay unchanged, although a new repository would have them. */
  readonly kept: readonly string[];
  /** Existing files that get the missing lines of a new repository, with their text. */
  readonly merged: ReadonlyMap<string, string>;
  /** Existing entries that do not belong to the new repository. */
  readonly foreign: readonly string[];
  /** Messages about repairs after a killed run. */
  readonly notices: readonly string[];
}

/**
 * Entries that GitHub, GitLab and editors put into a new folder. The user's `keep` files replace the generated file, `merge` files
 * get the missing lines; `other` entries stay out of the first commit. Everything else is a conflict.
 */
const WELCOME: readonly {
  readonly pattern: RegExp;
  readonly kind: "keep" | "merge" | "other";
  readonly path?: string;
}[] = [
  { pattern: /^README([._-].*)?$/i, kind: "keep", path: "README.md" },
  { pattern: /^(LICEN[CS]E|COPYING)([._-].*)?$/i, kind: "keep", path: "LICENSE" },
  { pattern: /^\.gitignore$/, kind: "merge" },
  { pattern: /^\.gitattributes$/, kind: "merge" },
  { pattern: /^(\.git|\.idea|\.vscode|\.vs|\.fleet|\.DS_Store|Thumbs\.db|desktop\.ini)$/, kind: "other" },
];

const MAX_MERGED_BYTES = 1_048_576;

/** Appends the lines of a new file that an existing file lacks. */
export function mergeLines(existing: string, added: string): string {
  const known = new Set(existing.split(/\r?\n/).map((line) => line.trim()));
  const blocks = added
    .trimEnd()
    .split("\n\n")
    .map((block) => block.split("\n").filter((line) => line.startsWith("#") || !known.has(line.trim())))
    .filter((lines) => lines.some((line) => !line.startsWith("#")));
  if (blocks.length === 0) return existing;
  const eol = existing.includes("\r\n") ? "\r\n" : "\n";
  const gap = existing === "" ? "" : existing.endsWith("\n") ? eol : eol + eol;
  return `${existing}${gap}${blocks.map((lines) => lines.join(eol)).join(eol + eol)}${eol}`;
}

const JOURNAL = ".antifragile-journal.json";
const DRAFT = ".draft";
const JOURNAL_DRAFT = `${JOURNAL}${DRAFT}`;

/** Record of the files to write, stored in the folder first so that a later run can undo them after a kill. */
interface Journal {
  readonly pid: number;
  readonly folders: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  /** Texts of the files that existed before and are replaced. */
  readonly before?: Readonly<Record<string, string>>;
}

export const isCode = (error: unknown, ...codes: string[]): boolean =>
  codes.includes((error as NodeJS.ErrnoException | null)?.code ?? "");

/** Reason why a path cannot hold a repository, or undefined. Pure, so that the rules of Windows are tested everywhere. */
export function folderRefusal(folder: string, path: nodePath.PlatformPath = nodePath): string | undefined {
  const parts = path
    .resolve(folder)
    .slice(path.parse(path.resolve(folder)).root.length)
    .split(path.sep);
  const last = parts.at(-1) ?? "";
  if (visible(folder) !== folder) return "contains a control character";
  if (last === "") return "is the root of the file system";
  if (last.length > 200) return `has ${last.length} characters in its last part; 200 are allowed`;
  const reserved = parts.find((part) => [".git", "node_modules"].includes(part.toLowerCase()));
  if (reserved !== undefined) return `is inside ${reserved}, which belongs to another tool`;
  if (/^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i.test(last)) return "is a device name of Windows";
  if (/[<>:"|?*\\]|[. ]$/.test(last))
    return 'has a character that Windows does not allow (< > : " | ? * \\, or a dot or space last)';
  return undefined;
}

/** Path of a journal entry. Throws if it leads out of the folder, or out of the root above it: the journal may come from elsewhere. */
export function inside(folder: string, entry: string, root = folder): string {
  const path = nodePath.join(folder, entry);
  const relative = nodePath.relative(root, path);
  if (relative === "" || relative.startsWith("..") || nodePath.isAbsolute(relative)) {
    throw new UserError(
      `${nodePath.join(folder, JOURNAL)}: ${quoted(entry)} leads out of the folder; delete the file`,
      3,
    );
  }
  return path;
}

export async function hasLinkAbove(folder: string, entry: string, disk: Disk): Promise<boolean> {
  const parts = entry.split("/").slice(0, -1);
  for (let depth = 1; depth <= parts.length; depth++) {
    const above = await disk.lstat(nodePath.join(folder, ...parts.slice(0, depth))).catch(() => undefined);
    if (above?.isSymbolicLink()) return true;
  }
  return false;
}

/** State of a journaled file: absent, begun (a first part of the content), all (the content), or other. */
async function stateOf(
  folder: string,
  entry: string,
  content: string,
  disk: Disk,
  root = folder,
): Promise<"absent" | "begun" | "all" | "other"> {
  const path = inside(folder, entry, root);
  const found = await disk.lstat(path).catch(() => undefined);
  if (found === undefined) return "absent";
  if (!found.isFile() || (await hasLinkAbove(folder, entry, disk))) return "other";
  const [is, wanted] = [await disk.readFile(path), Buffer.from(content)];
  if (is.equals(wanted)) return "all";
  return is.equals(wanted.subarray(0, is.length)) ? "begun" : "other";
}

/** Replaces a file by a rename, so that it has the old or the new text at any moment. */
async function replaceFile(path: string, content: string, disk: Disk): Promise<void> {
  await disk.writeFile(`${path}${DRAFT}`, content, { flag: "w", mode: 0o644 });
  await disk.rename(`${path}${DRAFT}`, path);
}

export async function removeIfThere(path: string, disk: Disk): Promise<void> {
  await disk.unlink(path).catch((error) => {
    if (!isCode(error, "ENOENT", "ENOTDIR")) throw error;
  });
}

/** Removes the files of the journal and restores the replaced ones, except those that changed since. */
async function undo(folder: string, journal: Journal, disk: Disk): Promise<string[]> {
  const left: string[] = [];
  for (const [entry, content] of Object.entries(journal.files).reverse()) {
    const before = journal.before?.[entry];
    const path = inside(folder, entry);
    if (before !== undefined) {
      await removeIfThere(`${path}${DRAFT}`, disk);
      if ((await stateOf(folder, entry, before, disk)) === "all") continue;
    }
    const state = await stateOf(folder, entry, content, disk);
    if (state === "other") left.push(entry);
    else if (before !== undefined && state === "all") await replaceFile(path, before, disk);
    else if (before !== undefined) left.push(entry);
    else if (state !== "absent") await disk.unlink(path);
  }
  for (const entry of [...journal.folders].reverse()) {
    if (await hasLinkAbove(folder, entry, disk)) continue;
    await disk.rmdir(inside(folder, entry)).catch((error) => {
      if (!isCode(error, "ENOENT", "ENOTEMPTY", "ENOTDIR", "EEXIST")) throw error;
    });
  }
  for (const file of [JOURNAL, JOURNAL_DRAFT]) await removeIfThere(nodePath.join(folder, file), disk);
  return left;
}

async function readJournal(folder: string, disk: Disk): Promise<Journal | undefined> {
  const path = nodePath.join(folder, JOURNAL);
  const found = await disk.lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  try {
    const { pid, folders, files, before = {} } = JSON.parse(await disk.readFile(path, "utf8"));
    const texts = (values: unknown[]): boolean => values.every((value) => typeof value === "string");
    const valid = texts(folders) && texts(Object.values(files)) && texts(Object.values(before));
    if (found.isFile() && Number.isInteger(pid) && valid) return { pid, folders, files, before };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw new UserError(`${visible(path)}: is not a valid journal of antifragile; delete it and run again`, 3);
}

export function isAlive(pid: number): boolean {
  if (pid === process.pid || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, "EPERM");
  }
}

/** Finishes or undoes a killed run in the folder and describes what it did. */
async function recoverFolder(folder: string, mayFinish: boolean, disk: Disk): Promise<string[]> {
  await removeIfThere(nodePath.join(folder, JOURNAL_DRAFT), disk);
  const journal = await readJournal(folder, disk);
  if (journal === undefined) return [];
  const file = visible(nodePath.join(folder, JOURNAL));
  if (isAlive(journal.pid)) {
    throw new UserError(
      `another run of antifragile (process ${journal.pid}) is writing to ${visible(folder)}; wait for it, or delete ${file} if there is none`,
      3,
    );
  }
  const states = await Promise.all(
    Object.entries(journal.files).map(([entry, content]) => stateOf(folder, entry, content, disk)),
  );
  if (mayFinish && states.every((state) => state === "all")) {
    await disk.unlink(nodePath.join(folder, JOURNAL));
    return [`an earlier run was killed after it had written all files to ${visible(folder)}: finished it`];
  }
  const left = await undo(folder, journal, disk);
  const changed = left.length === 0 ? "" : `; left ${left.map(visible).join(", ")}, changed since`;
  return [`an earlier run was killed while it wrote to ${visible(folder)}: undid it${changed}`];
}

/** Staging folder beside an absent target. One rename makes it the target. */
const stagingOf = (target: string): string =>
  nodePath.join(nodePath.dirname(target), `.${nodePath.basename(target)}.antifragile`);

async function recover(target: string, exists: boolean, disk: Disk): Promise<string[]> {
  const staging = stagingOf(target);
  const notices: string[] = [];
  const found = await disk.lstat(staging).catch(() => undefined);
  if (found !== undefined) {
    if (!found.isDirectory()) throw new UserError(`${visible(staging)} is in the way; move it`, 3);
    notices.push(...(await recoverFolder(staging, false, disk)));
    await disk.rmdir(staging).catch((error) => {
      if (isCode(error, "ENOTEMPTY", "EEXIST")) throw new UserError(`${visible(staging)} is in the way; move it`, 3);
      throw error;
    });
  }
  if (exists) notices.push(...(await recoverFolder(target, true, disk)));
  return notices;
}

/**
 * Inspects the target folder. With `repair`, first finishes or undoes a killed run there; writes nothing else.
 */
export async function inspectTarget(folder: string, repair: boolean, disk: Disk = nodeDisk): Promise<Target> {
  const refusal = folderRefusal(folder);
  if (refusal !== undefined) throw new UserError(`${quoted(folder)} ${refusal}; name another folder`, 2);
  const above = nodePath.dirname(folder);
  let parent: string;
  try {
    parent = await disk.realpath(above);
    if (!(await disk.lstat(parent)).isDirectory()) throw Object.assign(new Error(), { code: "ENOTDIR" });
  } catch (error) {
    const problem = isCode(error, "ENOENT")
      ? "does not exist"
      : isCode(error, "ENOTDIR")
        ? "is not a folder"
        : undefined;
    if (problem !== undefined) throw new UserError(`${visible(above)} ${problem}; make the folder first`, 2);
    throw writeFault(error, above);
  }
  const path = nodePath.join(parent, nodePath.basename(folder));
  const found = await disk.lstat(path).catch((error) => {
    if (isCode(error, "ENOENT")) return undefined;
    throw writeFault(error, path);
  });
  if (found?.isSymbolicLink()) {
    throw new UserError(`${visible(path)} is a symbolic link; name the folder that it points to`, 3);
  }
  if (found !== undefined && !found.isDirectory()) {
    throw new UserError(`${visible(path)} is a file; name another folder`, 3);
  }
  const notices = repair ? await recover(path, found !== undefined, disk) : [];
  const entries = found === undefined ? [] : await disk.readdir(path, { withFileTypes: true });
  const conflicts: string[] = [];
  const kept: string[] = [];
  const foreign: string[] = [];
  const merged = new Map<string, string>();
  for (const entry of entries) {
    const { name } = entry;
    const welcome = WELCOME.find(({ pattern }) => pattern.test(name));
    if (welcome === undefined || (welcome.kind !== "other" && !entry.isFile())) {
      conflicts.push(visible(name) + (entry.isDirectory() ? "/" : ""));
    } else if (welcome.kind === "merge") {
      const text = await disk.readFile(nodePath.join(path, name), "utf8");
      if (text.length > MAX_MERGED_BYTES) conflicts.push(name);
      else merged.set(name, text);
    } else {
      if (welcome.kind === "keep") kept.push(name);
      if (name !== ".git") foreign.push(name);
    }
  }
  if (conflicts.length > 0) {
    const shown = conflicts
      .sort()
      .slice(0, 10)
      .map((name) => `  ${name}`);
    if (conflicts.length > shown.length) shown.push(`  and ${conflicts.length - shown.length} more`);
    throw new UserError(
      [
        ...notices,
        `${visible(path)} is not empty: a new repository needs an absent or empty folder. It may contain .git, .gitignore, .gitattributes, a README, a license and settings of an editor.`,
        ...shown,
        "Nothing was written. Name another folder, or move these files.",
      ].join("\n"),
      3,
    );
  }
  return { path, exists: found !== undefined, kept: kept.sort(), merged, foreign: foreign.sort(), notices };
}

/** True if a text has each line of another. */
export const hasLines = (text: string, lines: string): boolean =>
  lines.split("\n").every((line) => text.includes(line.trim()));

/**
 * Adds the files of others at the root of the git repository to what stays. What other services use as well, such as a list of files to
 * include, stays in any case.
 *
 * @throws UserError if another file has the place of one that the service has for itself
 */
export async function inspectOutside(
  target: Target,
  files: ReadonlyMap<string, OutputFile>,
  disk: Disk = nodeDisk,
): Promise<Target> {
  const kept: string[] = [];
  const { root } = nodePath.parse(target.path);
  for (const [path, { content }] of [...files].filter(([each]) => isOutside(each))) {
    const state = await stateOf(target.path, path, content, disk, root);
    const isLinked = await hasLinkAbove(target.path, path, disk);
    if (!isLinked && (state === "all" || state === "absent")) continue;
    if (isLinked || isOwn(path)) {
      throw new UserError(
        `${visible(nodePath.join(target.path, path))} is in the way; move it, or pass --directory none. Nothing was written.`,
        3,
      );
    }
    kept.push(path);
  }
  return { ...target, kept: [...target.kept, ...kept] };
}

/** Files to write to the target: without those that the user keeps, and with the lines of the merged ones. */
export function filesFor(target: Target, files: ReadonlyMap<string, OutputFile>): ReadonlyMap<string, OutputFile> {
  const replaced = WELCOME.filter(({ pattern }) => target.kept.some((name) => pattern.test(name)));
  const wanted = [...files].filter(
    ([path]) => !target.kept.includes(path) && !replaced.some((welcome) => welcome.path === path),
  );
  return new Map(
    wanted.flatMap(([path, file]) => {
      const existing = target.merged.get(path);
      if (existing === undefined) return [[path, file] as const];
      const content = mergeLines(existing, file.content);
      return content === existing ? [] : [[path, { ...file, content }] as const];
    }),
  );
}

/** Describes a file system error for the user. */
export function writeFault(error: unknown, path: string): unknown {
  if (error instanceof UserError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  const reasons: Record<string, string> = {
    EACCES: "no permission; choose a folder that you may write to",
    EPERM: "no permission; choose a folder that you may write to",
    EROFS: "the file system is read-only; choose another folder",
    ENOSPC: "the disk is full; free some space and run again",
    EDQUOT: "your disk quota is used up; free some space and run again",
    ENAMETOOLONG: "the path is too long; choose a shorter one",
    EEXIST: "another program created it meanwhile; run again",
    ENOTEMPTY: "another program created it meanwhile; run again",
  };
  if (code === undefined) return error;
  return new UserError(`cannot write ${visible(path)}: ${reasons[code] ?? visible((error as Error).message)}`, 1);
}

/** Folders of the paths, parents first. */
function foldersOf(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const parts = path.split("/").slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) folders.add(parts.slice(0, depth).join("/"));
  }
  return [...folders].sort();
}

/** Writes a file with its folders, unless it is there already, and returns how to undo that. */
async function writeOutside(path: string, content: string, mode: number, disk: Disk): Promise<() => Promise<void>> {
  const first = await disk.mkdir(nodePath.dirname(path), { recursive: true });
  const isNew = await disk.writeFile(path, content, { flag: "wx", mode }).then(
    () => true,
    async (error) => {
      if (isCode(error, "EEXIST") && (await disk.readFile(path, "utf8")) === content) return false;
      throw error;
    },
  );
  return async () => {
    if (isNew) await removeIfThere(path, disk);
    for (let at = nodePath.dirname(path); first !== undefined && at.length >= first.length; at = nodePath.dirname(at)) {
      await disk.rmdir(at).catch(() => undefined);
    }
  };
}

/**
 * Writes all files or none: after an error the folder is unchanged. An absent folder appears by one rename; a journal protects an
 * existing one.
 *
 * @throws UserError if writing fails or `signal` is aborted
 */
export async function writeTree(
  target: Target,
  files: ReadonlyMap<string, OutputFile>,
  signal: AbortSignal,
  disk: Disk = nodeDisk,
): Promise<void> {
  const written = [...filesFor(target, files)];
  const wanted = written.filter(([path]) => !isOutside(path));
  const before = Object.fromEntries([...target.merged].filter(([path]) => wanted.some(([name]) => name === path)));
  const journal: Journal = {
    pid: process.pid,
    folders: foldersOf(wanted.map(([path]) => path)),
    files: Object.fromEntries(wanted.map(([path, { content }]) => [path, content])),
    before,
  };
  // Only files of this run are undone, never files that another program created meanwhile.
  const made = { pid: process.pid, folders: [] as string[], files: {} as Record<string, string>, before };
  const outside: (() => Promise<void>)[] = [];
  let folder = target.exists ? target.path : stagingOf(target.path);
  let at = folder;
  let ours = false;
  try {
    if (!target.exists) {
      await disk.mkdir(folder);
      ours = true;
    }
    at = nodePath.join(folder, JOURNAL);
    await disk.writeFile(`${at}.draft`, JSON.stringify(journal), { flag: "wx", flush: true }).catch((error) => {
      ours ||= !isCode(error, "EEXIST");
      throw error;
    });
    ours = true;
    await disk.rename(`${at}.draft`, at);
    for (const entry of journal.folders) {
      at = inside(folder, entry);
      await disk.mkdir(at);
      made.folders.push(entry);
    }
    for (const [entry, { content, mode }] of wanted) {
      at = inside(folder, entry);
      if (entry in before) {
        if ((await stateOf(folder, entry, before[entry] ?? "", disk)) !== "all") {
          throw Object.assign(new Error(), { code: "EEXIST" });
        }
        made.files[entry] = content;
        await replaceFile(at, content, disk);
        continue;
      }
      await disk.writeFile(at, content, { flag: "wx", mode }).catch((error) => {
        if (!isCode(error, "EEXIST")) made.files[entry] = content;
        throw error;
      });
      made.files[entry] = content;
    }
    // Not in the journal, which names files of the folder alone: after a kill, the next run finds its own file there.
    for (const [entry, { content, mode }] of written.filter(([path]) => isOutside(path))) {
      at = nodePath.join(target.path, entry);
      outside.push(await writeOutside(at, content, mode, disk));
    }
    if (signal.aborted) throw cancelled("nothing was written");
    if (!target.exists) {
      at = target.path;
      await disk.rename(folder, target.path);
      folder = target.path;
    }
    await disk.unlink(nodePath.join(folder, JOURNAL));
  } catch (error) {
    const fault = writeFault(error, at);
    if (!ours) throw fault;
    try {
      for (const remove of outside) await remove();
      await undo(folder, made, disk);
      if (!target.exists) await disk.rmdir(folder);
    } catch (second) {
      const reasons = [fault, writeFault(second, folder)].map((one) => (one as Error).message).join("; then ");
      throw new UserError(`${reasons}. Run the same command again: it undoes the partial write.`, 1);
    }
    throw fault;
  }
}
