import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { families, writeApi } from "../../scripts/docs-api";
import { changesPage } from "../../scripts/docs-changes";
import { strategiesPage } from "../../scripts/docs-strategies";
import { filesIn, ROOT, textOf } from "./support/sources";

const fresh = mkdtempSync(join(tmpdir(), "antifragile-docs-"));
afterAll(() => rmSync(fresh, { recursive: true, force: true }));

/** Differences between two folders of pages: each file, with its first different line. */
function differences(folder: string, wanted: string): string[] {
  const [there, needed] = [readdirSync(folder).sort(), readdirSync(wanted).sort()];
  const missing = needed.filter((name) => !there.includes(name)).map((name) => `${name} is missing`);
  const extra = there.filter((name) => !needed.includes(name)).map((name) => `${name} is too much`);
  const changed = needed
    .filter((name) => there.includes(name))
    .flatMap((name) => {
      const [is, should] = [folder, wanted].map((each) => readFileSync(join(each, name), "utf8").split("\n")) as [
        string[],
        string[],
      ];
      const line = should.findIndex((text, index) => text !== is[index]);
      if (line < 0 && is.length === should.length) return [];
      const at = line < 0 ? should.length : line;
      return [`${name}:${at + 1} is ${JSON.stringify(is[at])}, should be ${JSON.stringify(should[at])}`];
    });
  return [...missing, ...extra, ...changed];
}

describe("docs/api", () => {
  it("matches the sources (npm run docs writes it)", async () => {
    await writeApi(fresh);
    expect(readdirSync(fresh).sort()).toEqual(["README.md", ...families().map((family) => `${family}.md`)].sort());
    expect(differences(join(ROOT, "docs/api"), fresh)).toEqual([]);
  });

  it("is reported when it does not match", () => {
    const other = mkdtempSync(join(tmpdir(), "antifragile-docs-"));
    const wanted = mkdtempSync(join(tmpdir(), "antifragile-docs-"));
    writeFileSync(join(wanted, "a.md"), "a\nb\n");
    writeFileSync(join(wanted, "b.md"), "");
    writeFileSync(join(other, "a.md"), "a\nc\n");
    writeFileSync(join(other, "c.md"), "");
    expect(differences(other, wanted)).toEqual(["b.md is missing", "c.md is too much", 'a.md:2 is "c", should be "b"']);
    writeFileSync(join(other, "a.md"), "a\nb\nmore\n");
    expect(differences(other, wanted)).toContain('a.md:3 is "more", should be ""');
    for (const folder of [other, wanted]) rmSync(folder, { recursive: true });
  });
});

describe("docs/strategies.md", () => {
  it("matches the table of strategies (UPDATE=1 writes it)", () => {
    const file = join(ROOT, "docs/strategies.md");
    if (process.env.UPDATE === "1") writeFileSync(file, strategiesPage());
    expect(readFileSync(file, "utf8")).toBe(strategiesPage());
  });
});

describe("docs/changes.md", () => {
  it("matches the table of protected resources (UPDATE=1 writes it)", () => {
    const file = join(ROOT, "docs/changes.md");
    if (process.env.UPDATE === "1") writeFileSync(file, changesPage());
    expect(readFileSync(file, "utf8")).toBe(changesPage());
  });
});

describe("links between pages", () => {
  const pages = filesIn("docs").filter((path) => path.endsWith(".md") && !path.startsWith("docs/api/"));
  const above = readdirSync(ROOT).filter((name) => name.endsWith(".md"));

  it.each([...above, ...pages])("of %s point to existing files", (path) => {
    const targets = [...textOf(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => match[1]!);
    const folder = join(ROOT, path, "..");
    const gone = targets.filter((target) => {
      const [parent, name] = [join(folder, target, ".."), join(folder, target).split(/[\\/]/).filter(Boolean).at(-1)!];
      try {
        return !readdirSync(parent).includes(name);
      } catch {
        return true;
      }
    });
    expect(gone).toEqual([]);
  });
});

describe("docs/design-rules.md", () => {
  const rows = [...textOf("docs/design-rules.md").matchAll(/^\| ([A-Z]\d+) \| .+ \| (.+) \|$/gm)].map(
    (row) => [row[1]!, row[2]!] as const,
  );

  it("has every rule once, in order", () => {
    const ids = Object.entries({ R: 7, C: 21, G: 12, T: 11 }).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
    );
    expect(rows.map(([id]) => id)).toEqual(ids);
  });

  it("names the test of each rule, or a review", () => {
    expect(rows.filter(([, checkedBy]) => !/\]\(.+\.test\.ts\)|by review/.test(checkedBy))).toEqual([]);
  });
});
