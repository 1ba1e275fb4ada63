import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TerraformStack } from "cdktf";
import { afterAll, describe, expect, it, vi } from "vitest";
import * as library from "../../constructs";
import { synthesize } from "../../constructs/testing";
import { exampleContext } from "./support/example-context";
import { compileErrors, examplesIn, run, snippetsIn } from "./support/examples";
import { exportsOf } from "./support/public-api";
import { filesIn, madeUp, ROOT, readSources, textOf } from "./support/sources";

const sources = readSources("constructs");
const names = [...exportsOf(sources, "constructs/index.ts")].map(([name, { typeOnly }]) =>
  typeOnly ? `type ${name}` : name,
);
const context = Object.keys(exampleContext());
const pages = ["README.md", "CONTRIBUTING.md"].filter((path) => existsSync(join(ROOT, path)));

const others = filesIn("docs").filter((path) => /^docs\/[a-z-]+\.md$/.test(path));

const examples = examplesIn(sources);
const snippets = [...examples, ...[...pages, ...others].flatMap((path) => snippetsIn(path, textOf(path)))];

const broken = [
  { place: "broken a", code: 'const x: number = "a";\n' },
  { place: "broken b", code: 'import { Nothing } from "antifragile";\nconst a = Nothing;\n' },
];
// One program for all of them: to read the types takes longer than to check.
const errors = compileErrors([...snippets, ...broken], names, context);

const modules = { antifragile: library, "antifragile/testing": { synthesize } };

// Where an example that is a whole program writes to.
const outdir = mkdtempSync(join(tmpdir(), "antifragile-examples-"));
vi.stubEnv("CDKTF_OUTDIR", outdir);
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(outdir, { recursive: true, force: true });
});

describe("every @example, and all TypeScript in the docs", () => {
  it("compiles", () => {
    expect(examples.length).toBeGreaterThan(15);
    expect(snippets.filter(({ code }) => code.trim() === "").map(({ place }) => place)).toEqual([]);
    expect(errors.filter((error) => !error.startsWith("broken"))).toEqual([]);
  });

  it.each(snippets.map((snippet) => [snippet.place, snippet] as const))(
    "creates stacks that compile to Terraform: %s",
    (_, snippet) => {
      const known = exampleContext();
      run(snippet, { ...library, synthesize, ...known }, modules);
      const stacks = known.app.node.children.filter((child) => child instanceof TerraformStack);
      expect(stacks.map((stack) => Object.keys(synthesize(stack)).length > 0)).not.toContain(false);
    },
  );

  it("is found in comments and in Markdown", () => {
    const files = madeUp({
      "a.ts": [
        "/**",
        " * A.",
        " *",
        " * @example",
        " * ```ts",
        ' * const x: number = "a";',
        " * ```",
        " * @see x",
        " */",
        "const a = 1;",
        "  /**",
        "   * @example no fence",
        "   */",
      ].join("\n"),
    });
    expect(examplesIn(files)).toEqual([
      { place: "a.ts:4", code: 'const x: number = "a";\n' },
      { place: "a.ts:12", code: "" },
    ]);
    expect(snippetsIn("b.md", "x\n\n```ts\nconst a = 1;\n```\n```sh\nls\n```\n")).toEqual([
      { place: "b.md:3", code: "const a = 1;\n" },
    ]);
  });

  it("is reported if it does not compile, or throws", () => {
    expect(errors.filter((error) => error.startsWith("broken"))).toEqual([
      expect.stringMatching(/^broken a: .*number/),
      expect.stringMatching(/^broken b: .*Nothing/),
    ]);
    expect(() => run({ place: "a", code: "platform.nothing()" }, exampleContext(), modules)).toThrow("nothing");
    const program = 'import { App } from "antifragile";\nexport const app = new App();\nthrow new Error(app.outdir);\n';
    expect(() => run({ place: "b", code: program }, {}, modules)).toThrow(outdir);
  });
});
