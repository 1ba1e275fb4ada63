import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveAnswers } from "../../generator/answers";
import { parseAnswersFile } from "../../generator/answers-file";
import { manifest } from "../../generator/manifest";
import type { OptionTable } from "../../generator/option-table";
import { type Answers, options } from "../../generator/options";
import { loadTemplates } from "../../generator/package-files";
import { render } from "../../generator/render";

const templates = { ...loadTemplates(join(__dirname, "../..")), version: "0.0.0" };

/** The longest way through the table, for a service: every choice its last value, every flag on, every text its example. */
function everything(table: OptionTable): object {
  return Object.fromEntries(
    Object.entries(table).map(([key, row]) => {
      if (row.kind === "flag") return [key, key !== "platform"];
      if (row.kind === "text") return [key, row.example];
      return [key, Object.keys(row.values).find((value) => value !== "none") ?? Object.keys(row.values)[0]];
    }),
  );
}

/** The shortest: every choice "none" where there is one, every flag off. */
function nothing(table: OptionTable): object {
  const rows = Object.entries(table).flatMap(([key, row]) => {
    if (row.kind === "flag") return [[key, false]];
    return row.kind === "choice" && Object.hasOwn(row.values, "none") ? [[key, "none"]] : [];
  });
  return { name: "orders", ...Object.fromEntries(rows) };
}

const cases: Record<string, object> = {
  defaults: { name: "orders" },
  nothing: nothing(options),
  everything: everything(options),
  platform: { name: "shop", platform: true },
  joins: { name: "orders", joins: "shop" },
  cdktn: { name: "orders", engine: "cdktn", deployment: "canary" },
};

/**
 * The files of a case that are worth a reviewer's time: those that the answers change. The others are copies of their
 * templates, which `files.txt` names. The suffix keeps compilers, linters and test runners away from them.
 */
function goldenTree(answers: Answers): Map<string, string> {
  const files = render(answers, templates);
  const copied = new Set(manifest.filter(({ template }) => !template.endsWith(".hbs")).map(({ path }) => path));
  const list = [...files].map(
    ([path, { mode }]) => `${mode.toString(8)} ${copied.has(path) ? "copy  " : "render"} ${path}\n`,
  );
  const rendered = [...files].filter(([path]) => !copied.has(path));
  return new Map([
    ["files.txt", list.join("")],
    // Files at the root of the git repository, above the folder of the service, have a tree of their own.
    ...rendered.map(
      ([path, { content }]) =>
        [`${path.replace(/^(?:(\.\.\/)+)?/, (up) => (up ? "root/" : "tree/"))}.golden`, content] as const,
    ),
  ]);
}

function readTree(folder: string): Map<string, string> {
  if (!existsSync(folder)) return new Map();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [relative(folder, path).replaceAll("\\", "/"), readFileSync(path, "utf8")]));
}

describe.each(Object.entries(cases))("the golden tree of %s", (name, values) => {
  const folder = join(__dirname, name);
  const answersFile = join(folder, "answers.json");
  const source = `${JSON.stringify(values, null, 2)}\n`;

  it("has answers that cover the table (UPDATE=1 writes them)", () => {
    if (process.env.UPDATE === "1") {
      mkdirSync(folder, { recursive: true });
      writeFileSync(answersFile, source);
    }
    expect(readFileSync(answersFile, "utf8")).toBe(source);
  });

  it("matches the rendered templates (UPDATE=1 writes it)", () => {
    const given = {
      flag: new Map(),
      file: parseAnswersFile(source, "answers.json").values,
      prompt: new Map(),
      fileName: "answers.json",
    };
    const { answers, problems, missing } = resolveAnswers(options, given, { folder: undefined });
    expect([problems, missing]).toEqual([[], []]);
    const actual = goldenTree(answers as unknown as Answers);
    const expectedFolder = join(folder, "expected");
    if (process.env.UPDATE === "1") {
      rmSync(expectedFolder, { recursive: true, force: true });
      for (const [path, content] of actual) {
        mkdirSync(dirname(join(expectedFolder, path)), { recursive: true });
        writeFileSync(join(expectedFolder, path), content);
      }
    }
    const expected = readTree(expectedFolder);
    const added = [...actual.keys()].filter((path) => !expected.has(path));
    const removed = [...expected.keys()].filter((path) => !actual.has(path));
    const changed = [...actual].filter(([path, content]) => expected.has(path) && expected.get(path) !== content);
    for (const [path, content] of changed) expect(content, path).toBe(expected.get(path));
    expect({ added, removed }).toEqual({ added: [], removed: [] });
  });
});
