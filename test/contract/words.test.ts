import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesIn, ROOT, textOf } from "./support/sources";
import { type Exception, findingsIn, type Kind, passagesOf, RULES, withoutExceptions } from "./support/words";

/** Text that may use a word of the list, each with its reason. One that nothing needs any more fails. */
const EXCEPTIONS: readonly Exception[] = [];

const FOLDERS = [
  "bin",
  "constructs",
  "contract",
  "docs",
  "docs-site",
  "emulator",
  "examples",
  "generator",
  "operations",
  "scripts",
  "templates",
  "test",
];

/** The list itself, and its examples below. */
const LISTS = ["test/contract/support/words.ts", "test/contract/words.test.ts"];

const READ = /\.(ts|mts|mjs|py|md|sql|conf|yml|yaml|hbs|golden)$|answers\.schema\.json$/;

/** Golden trees and API pages are generated from sources, which are read as well: both must be clean. */
const files = [
  "README.md",
  "AGENTS.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...filesIn(...FOLDERS),
  ...readdirSync(join(ROOT, "test/golden"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => filesIn(`test/golden/${name}/expected`)),
].filter((path) => READ.test(path) && !/package-lock|\.snap\.json/.test(path) && !LISTS.includes(path));

const lineOf = (file: string, line: number) => textOf(file).split("\n")[line - 1] ?? "";

describe("the words of the word list", () => {
  const findings = files.flatMap((file) => findingsIn(passagesOf(file, textOf(file))));
  const { findings: left, unused } = withoutExceptions(findings, EXCEPTIONS, lineOf);

  it("are in no comment, message, template, page or generated file", () => {
    expect(left.map(({ file, line, words, instead }) => `${file}:${line} "${words}": write ${instead}`)).toEqual([]);
  });

  it("need every exception", () => {
    expect(unused).toEqual([]);
    expect(EXCEPTIONS.filter(({ why }) => why.trim() === "")).toEqual([]);
  });

  it("are looked for in every kind of file", () => {
    const kinds = new Set(files.map((file) => file.replace(/^.*\//, "").replace(/^[^.]*/, "")));
    expect([...kinds]).toEqual(expect.arrayContaining([".ts", ".test.ts", ".ts.hbs", ".md", ".md.golden", ".py"]));
  });
});

describe("the check", () => {
  const found = (file: string, text: string) =>
    findingsIn(passagesOf(file, text)).map(({ line, words }) => `${line} ${words.toLowerCase()}`);

  it.each<[string, Kind | string, string, string[]]>([
    ["a.ts", "doc comment", "/** Whether it runs. */\nconst a = 1;", ["1 whether"]],
    ["a.ts", "doc comment on later lines", "/**\n * Runs.\n *\n * It is told\n */\nconst a = 1;", ["4 told"]],
    ["a.ts", "phrase across a line break", "// It goes\n\n/* It goes\n * back. */\nconst a = 1;", ["3 goes back"]],
    ["a.ts", "comment before a closing brace", "function a() {\n  b();\n  // mend it\n}", ["3 mend"]],
    ["a.ts", "comment in an empty block", "function a() {\n  // mend it\n}", ["2 mend"]],
    ["a.ts", "comment behind code", "const a = 1; // whoever asks", ["1 whoever"]],
    ["a.ts", "message", 'throw new Error("web is no name");', ["1 is no n"]],
    ["a.ts", "template literal", "const a = `${b} stands on ${c} machines`;", ["1 stands on", "1 machines"]],
    ["test/a.test.ts", "test name", 'it("tells the user", () => {});', ["1 tells"]],
    ["test/a.test.ts", "table of tests", 'describe.each([1])("bears %s", () => {});', ["1 bears"]],
    ["a.md", "page", "It stands on\na picture.\n", ["1 stands on", "2 picture"]],
    ["a.md", "comment in code of a page", "```sh\nnpm test # goes back\n```\n", ["2 goes back"]],
    ["a.yaml.hbs", "template", "{{#if a}}\n# its behaviour\n{{/if}}\n", ["2 behaviour"]],
    ["a.ts.hbs", "template of code", "{{#if a}}\n/** What it is, in {{b}} */\n{{/if}}\nconst a = 1;\n", ["2 what"]],
    ["a.md.golden", "generated page", "The balancer was initialised.\n", ["1 balancer", "1 initialised"]],
    ["a.kts.hbs", "doc comment of another language", "/** What it is. */\nfun a() {}\n", ["1 what"]],
    ["a.ts.golden", "generated code", 'const a = "the colour of it";', ["1 colour"]],
    ["a.py", "docstring", 'def a():\n    """Where it is."""\n', ["2 where"]],
    ["a.py", "comment and message", '# told\nraise Error("is no name")\n', ["1 told", "2 is no n"]],
  ])("finds words in %s (%s)", (file, _, text, expected) => {
    expect(found(file, text)).toEqual(expected);
  });

  it.each([
    ["a.ts", "const told = bear; // `told` and {@link bear}"],
    ["a.ts", 'import { a } from "./told";\nconst key = "told";'],
    [
      "a.ts",
      "/** There is no other. It is no longer there. What follows is no question. */".replace("is no q", "is not a q"),
    ],
    ["a.ts", "/** Runs what it is given. */"],
    ["a.md", "`told` and [here](told.md), https://example.com/told\n\n```ts\nconst told = 1;\n```\n"],
    ["a.py", 'told = bear["told"]\n'],
    ["test/a.test.ts", 'expect(text).toBe("was told so");'],
    ["a.md", "A state machines list, a load balancer, a load-balancer, a catalog."],
  ])("finds nothing in %s: %s", (file, text) => {
    expect(found(file, text)).toEqual([]);
  });

  it("has a word and a replacement for each row, and finds its own patterns", () => {
    const samples = [
      "Which",
      "told",
      "mended",
      "went back",
      "lives on",
      "there is no terminal",
      "is no name",
      "somebody",
      "bear",
      "pictures",
      "a measure",
      "machines",
      "balancers",
      "behind the load balancer",
      "is said",
      "the way out",
      "who may call",
      "taken away",
      "anew",
      "quarter of an hour",
      "for ever",
      "behaviour",
      "organisation",
    ];
    const text = (sample: string, kind: Kind) => ({ kind, file: "a.ts", line: 1, text: sample });
    const unseen = RULES.filter(
      (rule) => !samples.some((sample) => findingsIn([text(sample, rule.kinds?.[0] ?? "prose")], [rule]).length > 0),
    );
    expect(unseen).toEqual([]);
    expect(RULES.filter(({ instead }) => instead.trim() === "")).toEqual([]);
  });

  it("allows an exception, and reports one that nothing needs", () => {
    const findings = findingsIn(passagesOf("a.ts", "// told\n// told twice\nconst a = 1;"));
    const exception = { file: "a.ts", text: "told twice", why: "a quote" };
    const other = { ...exception, file: "b.ts" };
    const lines = (_: string, line: number) => ["// told", "// told twice"][line - 1]!;
    expect(withoutExceptions(findings, [exception, other], lines)).toEqual({
      findings: [expect.objectContaining({ line: 1, words: "told" })],
      unused: [other],
    });
  });
});
