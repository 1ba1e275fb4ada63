import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { visible } from "../../contract/text";
import { UserError } from "../../contract/user-error";
import { type Disk, hasLinkAbove, inside, isAlive, isCode, removeIfThere, writeFault } from "../write";

const DRAFT = ".antifragile-draft";

/** Content of a file, one character per byte; undefined without the file. */
export type Content = string | undefined;

/** File to change: its content before and after, and the mode that it gets if it is new. */
export interface Change {
  readonly before: Content;
  readonly after: Content;
  readonly mode?: number;
}

export type Changes = ReadonlyMap<string, Change>;

/** Record of an upgrade, stored in git's folder before the first file is changed, so that the next run can finish it. */
interface Journal {
  readonly pid: number;
  /** By path: hash of the old content, and the new one in base64; null without the file. */
  readonly files: Readonly<Record<string, readonly [before: string | null, after: string | null, mode?: number]>>;
}

const bytes = (content: string): Buffer => Buffer.from(content, "latin1");
const hash = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

/** Content of a plain file, undefined without it, or null for anything else. */
export async function readContent(folder: string, path: string, disk: Disk): Promise<Content | null> {
  if (await hasLinkAbove(folder, path, disk)) return null;
  const found = await disk.lstat(join(folder, path)).catch((error) => {
    if (isCode(error, "ENOENT")) return undefined;
    if (isCode(error, "ENOTDIR")) return null;
    throw error;
  });
  if (found === undefined) return undefined;
  return found?.isFile() ? disk.readFile(join(folder, path), "latin1") : null;
}

/** Replaces a file by a rename, so that it has the old or the new content at any moment. */
async function replace(path: string, content: Buffer, newMode: number, disk: Disk): Promise<void> {
  const found = await disk.lstat(path).catch(() => undefined);
  const mode = (found?.mode ?? newMode) & 0o777;
  await disk.mkdir(dirname(path), { recursive: true });
  await disk.writeFile(`${path}${DRAFT}`, content, { flag: "w", mode, flush: true });
  await disk.rename(`${path}${DRAFT}`, path);
}

async function removeEmptyFolders(folder: string, path: string, disk: Disk): Promise<void> {
  for (let at = dirname(path); at !== "."; at = dirname(at)) {
    const left = await disk.rmdir(join(folder, at)).catch((error) => error);
    if (left !== undefined) return;
  }
}

/**
 * Brings the files of a journal to their new content and removes it. Returns files that have changed since, which it leaves.
 *
 * @throws UserError if a file cannot be written: the journal stays
 */
async function finish(folder: string, file: string, journal: Journal, disk: Disk, root: string): Promise<string[]> {
  try {
    return await writeAll(folder, file, journal, disk, root);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const fault = writeFault(error, folder) as Error;
    throw new UserError(`${fault.message}. Run the same command again: it finishes the upgrade.`, 1);
  }
}

async function writeAll(folder: string, file: string, journal: Journal, disk: Disk, root: string): Promise<string[]> {
  const left: string[] = [];
  for (const [path, [before, after, mode = 0o644]] of Object.entries(journal.files)) {
    const target = inside(folder, path, root);
    await removeIfThere(`${target}${DRAFT}`, disk);
    const current = await readContent(folder, path, disk);
    const wanted = after === null ? undefined : Buffer.from(after, "base64");
    if (current === wanted?.toString("latin1")) continue;
    const state = typeof current === "string" ? hash(bytes(current)) : current === undefined ? null : "other";
    if (state !== before) left.push(path);
    else if (wanted !== undefined) await replace(target, wanted, mode, disk);
    else {
      await disk.unlink(target);
      await removeEmptyFolders(folder, path, disk);
    }
  }
  await disk.unlink(file);
  return left;
}

/**
 * Changes files in a folder, and above it up to the root, or leaves a journal from which {@link recoverUpgrade} finishes the rest.
 *
 * @throws UserError if a file cannot be written
 */
export async function applyChanges(
  folder: string,
  file: string,
  changes: Changes,
  disk: Disk,
  root = folder,
): Promise<void> {
  const journal: Journal = {
    pid: process.pid,
    files: Object.fromEntries(
      [...changes].map(([path, { before, after, mode = 0o644 }]) => [
        path,
        [
          before === undefined ? null : hash(bytes(before)),
          after === undefined ? null : bytes(after).toString("base64"),
          mode,
        ],
      ]),
    ),
  };
  try {
    await disk.writeFile(`${file}${DRAFT}`, JSON.stringify(journal), { flag: "w", flush: true });
    await disk.rename(`${file}${DRAFT}`, file);
  } catch (error) {
    await removeIfThere(`${file}${DRAFT}`, disk).catch(() => undefined);
    throw writeFault(error, file);
  }
  const left = await finish(folder, file, journal, disk, root);
  if (left.length > 0) throw new UserError(`left ${left.map(visible).join(", ")}, which changed meanwhile`, 1);
}

/** State of an earlier run: none, or one that was killed. */
export async function hasJournal(file: string, disk: Disk): Promise<boolean> {
  return (await disk.lstat(file).catch(() => undefined)) !== undefined;
}

const isContent = (value: unknown) => value === null || typeof value === "string";
const isRow = (row: unknown) => Array.isArray(row) && row.length >= 2 && row.slice(0, 2).every(isContent);

/** Finishes an upgrade that was killed, and describes what it did; undefined if there was none. */
export async function recoverUpgrade(
  folder: string,
  file: string,
  disk: Disk,
  root = folder,
): Promise<string | undefined> {
  await removeIfThere(`${file}${DRAFT}`, disk);
  if (!(await hasJournal(file, disk))) return undefined;
  let journal: Journal;
  try {
    journal = JSON.parse(await disk.readFile(file, "utf8"));
    if (!Object.values(journal.files).every(isRow)) throw new TypeError();
  } catch {
    throw new UserError(`${visible(file)}: is not a valid journal of antifragile; delete it and run again`, 3);
  }
  if (isAlive(journal.pid)) {
    throw new UserError(
      `another upgrade (process ${journal.pid}) is running here; wait for it, or delete ${visible(file)} if there is none`,
      3,
    );
  }
  const left = await finish(folder, file, journal, disk, root);
  const changed = left.length === 0 ? "" : `; left ${left.map(visible).join(", ")}, changed since`;
  return `an earlier upgrade was interrupted while it wrote: finished it${changed}`;
}
