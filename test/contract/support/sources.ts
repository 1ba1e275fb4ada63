import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";

export const ROOT = join(__dirname, "../../..");

/** Source files by their path from the root of the repo, with `/` on every system. */
export type Sources = ReadonlyMap<string, ts.SourceFile>;

const LEFT_OUT = new Set(["node_modules", "cdktf.out", "dist", "expected", "__pycache__"]);

/** Paths of all files in folders of the repo, sorted. */
export function filesIn(...folders: readonly string[]): string[] {
  const walk = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
      if (LEFT_OUT.has(entry.name)) return [];
      const path = posix.join(folder, entry.name);
      return entry.isDirectory() ? walk(path) : [path];
    });
  return folders.flatMap(walk).sort();
}

export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Parses TypeScript, and templates of it: what a template puts in is replaced by a word, its blocks are left out. */
export function parse(path: string, text: string): ts.SourceFile {
  const program = path.endsWith(".hbs")
    ? text.replace(/^\s*\{\{[#/~]?[^}]*\}\}\s*$/gm, "").replace(/\{\{[^}]*\}\}/g, "value")
    : text;
  return ts.createSourceFile(path, program, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS);
}

/** All TypeScript in folders of the repo, templates of it included. */
export function readSources(...folders: readonly string[]): Sources {
  const paths = filesIn(...folders).filter((path) => /\.m?ts(\.hbs)?$/.test(path));
  return new Map(paths.map((path) => [path, parse(path, textOf(path))]));
}

/** Sources that a test makes up. */
export function madeUp(files: Readonly<Record<string, string>>): Sources {
  return new Map(Object.entries(files).map(([path, text]) => [path, parse(path, text)]));
}

/** Calls `visit` with every node below. */
export function eachNode(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => eachNode(child, visit));
}
