import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Leaves out comments on lines of their own, docstrings, empty lines and the types of functions in a Python module, and indents by tabs:
 * what only its readers need.
 */
export function stripped(source: string): string {
  const kept: string[] = [];
  const lines = source.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] as string;
    const text = line.trim();
    if (text === "" || text.startsWith("#")) continue;
    const quotes = line.split('"""').length - 1;
    const isDocstring = /^[rf]?"""/.test(text);
    const end = quotes === 1 ? lines.findIndex((each, at) => at > index && each.includes('"""')) : index;
    if (!isDocstring) {
      // The further lines are text between triple quotes.
      kept.push(withoutTypes(line.replace(/^ +/, withTabs)), ...lines.slice(index + 1, end + 1));
    } else if (isAlone(line, lines.slice(end + 1))) {
      kept.push(`${line.replace(/\S.*/, "").replace(/^ +/, withTabs)}pass`);
    }
    index = end;
  }
  return `${kept.join("\n")}\n`;
}

/** The head of a function, on one line, without the types of its parameters and its result. */
function withoutTypes(line: string): string {
  const [, start, parameters, rest] = /^(\t*def \w+\()(.*)\)(?: -> [^:]+)?(:.*)$/.exec(line) ?? [];
  if (start === undefined || parameters === undefined) return line;
  const names: string[] = [];
  let depth = 0;
  for (const part of parameters.split(", ")) {
    if (depth === 0) names.push(part);
    else names[names.length - 1] += `, ${part}`;
    depth += part.split(/[[({]/).length - part.split(/[\])}]/).length;
  }
  const bare = names.map((each) =>
    each.replace(/^(\**\w+): .*?(?: = (.*))?$/, (_, name, value) => (value === undefined ? name : `${name}=${value}`)),
  );
  return `${start}${bare.join(", ")})${rest}`;
}

const withTabs = (indent: string) => "\t".repeat(indent.length / 4);

/** Returns whether a docstring is the only statement of its block. */
function isAlone(docstring: string, after: readonly string[]): boolean {
  const depth = (line: string) => line.length - line.trimStart().length;
  const next = after.find((line) => line.trim() !== "" && !line.trim().startsWith("#"));
  return depth(docstring) > 0 && (next === undefined || depth(next) < depth(docstring));
}

/** Copies the modules of a folder without what only their readers need. */
export function copyStripped(from: string, to: string): void {
  for (const name of readdirSync(from, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".py")) continue;
    mkdirSync(dirname(join(to, name)), { recursive: true });
    writeFileSync(join(to, name), stripped(readFileSync(join(from, name), "utf8")));
  }
}
