import { count } from "../../contract/text";
import { isOutside, isOwn } from "../manifest";
import { hasLines } from "../write";
import { mergeJson } from "./merge-json";

/** Files by path. Each byte of a file is one character, so that no byte is lost. */
export type Tree = ReadonlyMap<string, string>;

/** Result of a three-way merge of texts: with conflicts, both sides are in the text, between marks. */
export interface TextMerge {
  readonly text: string;
  readonly conflicts: number;
}

export type MergeText = (base: string, ours: string, theirs: string) => Promise<TextMerge>;

/** Facts about a merge of trees. */
export interface MergeInput {
  /** Files that the old version generates. */
  readonly base: Tree;
  /** Files that the new version generates from the same answers. */
  readonly ours: Tree;
  /** Files of the user at the paths of base, ours and the renames. */
  readonly theirs: Tree;
  /** Paths at which the user has something else than a file, or that lead through a symbolic link or a file. */
  readonly blocked: ReadonlySet<string>;
  /** Templates that the new version renamed: old path, new path. */
  readonly renames: readonly (readonly [from: string, to: string])[];
  /** Files that a script of the repository writes: path, script. */
  readonly generated: Readonly<Record<string, string>>;
  readonly mergeText: MergeText;
}

/** Decision about one file. */
export interface Row {
  readonly kind: "add" | "update" | "merge" | "rename" | "delete" | "keep" | "conflict";
  readonly path: string;
  /** Reason, for a file that differs from what the new version generates. */
  readonly note?: string;
}

/** Result of a merge of trees. */
export interface MergePlan {
  readonly rows: readonly Row[];
  /** New content by path; undefined deletes the file. */
  readonly writes: Map<string, string | undefined>;
}

const isBinary = (text: string): boolean => text.includes("\0");

const lf = (text: string): string => (isBinary(text) ? text : text.replaceAll("\r\n", "\n"));

const same = (left: string, right: string): boolean => lf(left) === lf(right);

/** True if most lines of a text end in CRLF. */
const hasCrlf = (text: string): boolean =>
  !isBinary(text) && text.split("\r\n").length * 2 > text.split("\n").length + 1;

/** True if a file has so little of the generated one that the user wrote another in its place. */
function isReplaced(base: string, theirs: string): boolean {
  const lines = new Set(theirs.split("\n").map((line) => line.trim()));
  const own = base.split("\n").filter((line) => line.trim() !== "");
  return own.filter((line) => lines.has(line.trim())).length * 10 < own.length;
}

/** Files that are merged by meaning. */
const BY_MEANING = ["package.json", ".antifragile.json"];

/** Merges a new version into the tree of the user, file by file. Pure, apart from the merge of texts. */
export async function mergeTrees(input: MergeInput): Promise<MergePlan> {
  const { base, ours, theirs, blocked, generated, mergeText } = input;
  const rows: Row[] = [];
  const writes = new Map<string, string | undefined>();

  async function mergeFile(path: string, from: string): Promise<void> {
    const [before, after, current] = [base.get(from), ours.get(path), theirs.get(from)];
    const renamed = path !== from;
    const add = (kind: Row["kind"], note?: string): void => void rows.push({ kind, path, ...(note && { note }) });
    /** Plans the content, and returns false if the user's file has it already. */
    const write = (text: string): boolean => {
      const out =
        current !== undefined && hasCrlf(current) && !isBinary(text) ? lf(text).replaceAll("\n", "\r\n") : text;
      if (renamed || out !== current) writes.set(path, out);
      if (renamed) writes.set(from, undefined);
      return writes.has(path);
    };

    if (before === after && !renamed) return;
    if (blocked.has(path) || blocked.has(from)) {
      if (after !== undefined) add("conflict", "yours is not a plain file here; the new version has one");
      return;
    }
    if (current === undefined) {
      if (after === undefined) return;
      if (before !== undefined) return add("keep", "you deleted it, so it stays deleted; the new version changed it");
      writes.set(path, after);
      return add("add");
    }
    if (after === undefined) {
      if (before === undefined || !same(current, before)) {
        return add("keep", "the new version does not have it, but you changed it; delete it when you do not need it");
      }
      writes.set(path, undefined);
      return add("delete");
    }
    if (before === undefined && isOutside(path)) {
      const lines = after.trim().replaceAll("\n", " ");
      if (!hasLines(current, after))
        add("conflict", !isOwn(path) ? `yours stays; it needs ${lines}` : "yours stays; move it, and run again");
      return;
    }
    if (before !== undefined && same(current, before)) {
      write(after);
      return add(renamed ? "rename" : "update", renamed ? `was ${from}` : undefined);
    }
    if (same(current, after)) {
      write(current);
      if (renamed) add("rename", `was ${from}`);
      return;
    }
    const script = generated[path];
    if (script !== undefined) {
      write(current);
      return add("keep", `the script ${script} writes it`);
    }
    if ([before ?? "", after, current].some(isBinary)) {
      write(current);
      return add("conflict", "both sides changed a binary file: yours stays");
    }
    if (before !== undefined && !renamed && isReplaced(before, current)) {
      return add("keep", "you replaced it by another text; the new version changed it");
    }
    const [b, o, t] = [before ?? "", after, current].map(lf) as [string, string, string];
    const merged = BY_MEANING.includes(path) ? mergeJson(b, o, t) : undefined;
    if (merged !== undefined) {
      const changes = write(merged.text);
      if (merged.conflicts.length > 0) add("conflict", merged.conflicts.join("; "));
      else if (changes) add("merge", "your entries stay");
      return;
    }
    const { text, conflicts } = await mergeText(b, o, t);
    const changes = write(text);
    if (conflicts > 0) add("conflict", `${count(conflicts, "place")} marked in the file`);
    else if (renamed) add("rename", `was ${from}; your edits moved with it`);
    else if (changes) add("merge", "your edits stay");
  }

  const active = input.renames.filter(
    ([from, to]) => base.has(from) && !base.has(to) && ours.has(to) && !ours.has(from) && !theirs.has(to),
  );
  const oldPath = new Map(active.map(([from, to]) => [to, from]));
  const gone = new Set(active.map(([from]) => from));
  const paths = [...new Set([...base.keys(), ...ours.keys()])].filter((path) => !gone.has(path)).sort();
  for (const path of paths) await mergeFile(path, oldPath.get(path) ?? path);
  return { rows, writes };
}
