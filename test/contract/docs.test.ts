import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import * as library from "../../constructs";
import { families, writeApi } from "../../scripts/docs-api";
import { CHILDREN_PAGE, firstSentence, sentenceByName } from "../../scripts/docs-api-index";
import { assumptionsPage } from "../../scripts/docs-assumptions";
import { changesPage } from "../../scripts/docs-changes";
import { errorsPage, refusals } from "../../scripts/docs-errors";
import { securityPage } from "../../scripts/docs-security";
import { strategiesPage } from "../../scripts/docs-strategies";
import { upgradingPage } from "../../scripts/docs-upgrading";
import { headingsOf } from "../../scripts/markdown";
import { ASSUMPTIONS } from "../../scripts/verify-aws/assumptions";
import { childrenOf } from "./support/children";
import { everything } from "./support/everything";
import { exportsOf } from "./support/public-api";
import { filesIn, ROOT, readSources, textOf } from "./support/sources";

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
    expect(readdirSync(fresh).sort()).toEqual(
      [CHILDREN_PAGE, "README.md", ...families().map((family) => `${family}.md`)].sort(),
    );
    expect(differences(join(ROOT, "docs/api"), fresh)).toEqual([]);
  });

  it("has a front page with a sentence for each family and each export", () => {
    const page = textOf("docs/api/README.md");
    const sections = [...page.matchAll(/^## \[(.+?)\]\(\1\.md\)\n\n(.+\.)$/gm)].map(([, family]) => family);
    expect(sections).toEqual(families());
    const rows = [...page.matchAll(/^\| \[`(\w+)(?:\(\))?`\]\([\w-]+\.md#[\w-]+\) \| .*\w.*\. \|$/gm)].map(
      ([, name]) => name!,
    );
    const sources = readSources("constructs");
    const exported = ["index", "testing/index"].flatMap((file) => [
      ...exportsOf(sources, `constructs/${file}.ts`).keys(),
    ]);
    expect(exported.length).toBeGreaterThan(200);
    expect(exported.filter((name) => !rows.includes(name))).toEqual([]);
    expect(page.split("\n").filter((line) => line.startsWith("| [")).length).toBe(rows.length);
  });

  it("takes the first sentence of a comment, or makes one of a name", () => {
    expect(firstSentence("Sets `a.b`: a\nlimit. It is\n\nMore.")).toBe("Sets `a.b`: a limit.");
    expect(firstSentence("A network (10.0.0.0) of AWS")).toBe("A network (10.0.0.0) of AWS");
    const names = new Set(["Queue", "openSearch", "Egress", "KeyType"]);
    const made = ["QueueProps", "OpenSearchOptions", "EGRESSES", "KEY_TYPES", "OtherProps", "OTHERS", "Other"];
    expect(made.map((name) => sentenceByName(name, names))).toEqual([
      "Props of `Queue`.",
      "Options of `openSearch()`.",
      "Values of `Egress`.",
      "Values of `KeyType`.",
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("lists the ids of children of every construct with resources, by which they are found", () => {
    const app = everything();
    const nodes = app.node.findAll();
    const children = childrenOf(nodes);
    const sections = [...textOf(`docs/api/${CHILDREN_PAGE}`).matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual([...children.keys()]);
    // Each has a resource of its own in the list, except those that only group others.
    const grouping = ["App", "AwsStack", "DeliveryStack", "ExternalService"];
    const constructs = Object.entries(library).filter(
      ([name, type]) =>
        typeof type === "function" && nodes.some((node) => node.constructor === type) && !grouping.includes(name),
    );
    expect(constructs.length).toBeGreaterThan(20);
    expect(constructs.map(([name]) => name).filter((name) => !children.has(name))).toEqual([]);
    // The program in docs/overrides.md finds a child by this row.
    expect(children.get("CloudNativeService")?.get("TaskRole / Policy")).toBe("aws_iam_role_policy");
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

describe("docs/security.md", () => {
  it("matches the policies and the defaults of the profiles (npm run docs writes it)", () => {
    expect(textOf("docs/security.md")).toBe(securityPage());
  });

  it("agrees with the profiles in docs/environments.md", () => {
    const cells = (name: string, start: string) => {
      const line = textOf(`docs/${name}.md`)
        .split("\n")
        .find((each) => each.startsWith(`| ${start}`));
      return line
        ?.split(" | ")
        .slice(1)
        .map((cell) => cell.replace(" |", ""));
    };
    const retention = library.PROFILES.map(
      (profile) => `${library.PROFILE_DEFAULTS[profile].logRetention.toDays()} days`,
    );
    expect(cells("environments", "log retention")).toEqual(retention);
    expect(cells("security", "log groups of services")).toEqual(retention);
    const logged = library.PROFILES.map((profile) => library.PROFILE_DEFAULTS[profile].production);
    expect(cells("environments", "access logs")).toEqual(logged.map((is) => (is ? "yes" : "no")));
    expect(cells("security", "access logs")?.map((cell) => cell !== "none")).toEqual(logged);
    const keys = library.PROFILES.map((profile) => library.PROFILE_DEFAULTS[profile].encryption === "customer-managed");
    expect(cells("environments", "customer-managed keys")).toEqual(keys.map((is) => (is ? "yes" : "no")));
    for (const what of ["databases", "Aurora clusters", "caches", "tables", "log groups"]) {
      expect(
        cells("security", what)?.map((cell) => cell === "customer-managed"),
        what,
      ).toEqual(keys);
    }
  });
});

describe("docs/errors.md", () => {
  it("matches the sources (npm run docs writes it)", () => {
    expect(textOf("docs/errors.md")).toBe(errorsPage());
  });

  it("has each code that a construct documents", () => {
    const codes = new Set(refusals().map(({ code }) => code));
    const documented = [...readSources("constructs").values()].flatMap(({ text }) =>
      [...text.matchAll(/(?:@throws InvalidPropsError|Records) ((?:[A-Z][A-Z0-9_]+(?:,| and)?[\s*]+)+)/g)].flatMap(
        ([, list = ""]) => list.match(/[A-Z][A-Z0-9_]{3,}(?![A-Z0-9_]*\*)/g) ?? [],
      ),
    );
    expect(documented.length).toBeGreaterThan(200);
    expect(documented.filter((code) => !codes.has(code))).toEqual([]);
  });
});

describe("a page that is made from a table", () => {
  it.each([
    ["strategies", strategiesPage],
    ["changes", changesPage],
    ["upgrading", upgradingPage],
    ["assumptions", () => assumptionsPage()],
  ])("docs/%s.md matches it (npm run docs writes it)", (name, page) => {
    expect(textOf(`docs/${name}.md`)).toBe(page());
  });
});

describe("docs/assumptions.md", () => {
  it("shows an answer with its date, region and evidence", () => {
    const answer = { answer: "no", date: "2026-01-31", region: "eu-central-1", detail: "refused | once" } as const;
    const row = assumptionsPage({ destroyed: answer })
      .split("\n")
      .find((line) => line.startsWith("| `destroyed` |"));
    expect(row).toMatch(/\| no, 2026-01-31 in eu-central-1: refused \\\| once \|$/);
    expect(assumptionsPage({})).not.toContain("eu-central-1");
  });

  it.each(ASSUMPTIONS)("$id is about a place that exists", ({ dependsOn, source }) => {
    expect(dependsOn).not.toEqual([]);
    expect(dependsOn.filter(({ file, text }) => !textOf(file).includes(text))).toEqual([]);
    expect(source).toMatch(/^https:\/\//);
  });
});

describe("docs/README.md", () => {
  it("leads to every page, by a task", () => {
    const linked = [...textOf("docs/README.md").matchAll(/\]\(([a-z-]+\.md)\)/g)].map((match) => match[1]!);
    const guides = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md") && name !== "README.md");
    expect(guides.length).toBeGreaterThan(40);
    expect(guides.filter((name) => !linked.includes(name))).toEqual([]);
    const tasks = [...textOf("docs/README.md").matchAll(/^\| ([^|]+) \| .*\]\(/gm)].map((match) => match[1]!);
    expect(new Set(tasks).size).toBe(tasks.length);
  });
});

describe("links between pages", () => {
  const pages = filesIn("docs").filter((path) => path.endsWith(".md"));
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

  /** Anchors of a page: those of its headings, and explicit ones. */
  const anchorsOf = (path: string) => {
    const text = textOf(path);
    return new Set([
      ...headingsOf(text).map(({ anchor }) => anchor),
      ...[...text.matchAll(/<a id="([^"]+)"/g)].map((match) => match[1]!),
    ]);
  };

  it("finds the anchors of headings as GitHub forms them", () => {
    const page = "# A\n\n## `b.c()`: D\n\n```sh\n# comment\n```\n\n### A\n\n### E\\_F\n";
    expect(headingsOf(page).map(({ anchor }) => anchor)).toEqual(["a", "bc-d", "a-1", "e_f"]);
  });

  it.each([...above, ...pages])("of %s point to existing headings", (path) => {
    const links = [...textOf(path).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)#([^)\s]+)\)/g)];
    const gone = links.filter(([, page, anchor]) => {
      const target = page === "" ? path : join(path, "..", page!).replaceAll("\\", "/");
      return target.endsWith(".md") && !anchorsOf(target).has(anchor!);
    });
    expect(gone.map(([link]) => link)).toEqual([]);
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
