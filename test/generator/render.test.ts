import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import nodePath, { join } from "node:path";
import fc from "fast-check";
import Handlebars from "handlebars";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { kebab } from "../../constructs/core/names";
import { resolveAnswers } from "../../generator/answers";
import { manifest, pathOf, rowsFor } from "../../generator/manifest";
import type { OptionTable } from "../../generator/option-table";
import { type Answers, options } from "../../generator/options";
import { loadTemplates } from "../../generator/package-files";
import { render, templateVariables } from "../../generator/render";
import { blocks, comparisons, serializers } from "../../generator/serializers";
import { given } from "./support/given";
import { pairwise } from "./support/pairwise";

const root = join(__dirname, "../..");
const templates = loadTemplates(root);

const answersOf = (flags: object): Answers =>
  resolveAnswers(options, given({ flag: { name: "orders", ...flags } }), { folder: undefined })
    .answers as unknown as Answers;

it("few cases cover every pair of choices", () => {
  const cases = pairwise(options) as unknown as Record<string, unknown>[];
  expect(cases.length).toBeLessThan(45);
  for (const [database, queue] of [
    ["postgres", "sqs"],
    ["postgres", "none"],
    ["none", "sqs"],
    ["none", "none"],
  ]) {
    expect(cases.some((answers) => answers.database === database && answers.queue === queue)).toBe(true);
  }
});

describe("the manifest", () => {
  it("lists exactly the files in templates/", () => {
    const found = readdirSync(join(root, "templates"), { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) =>
        nodePath.relative(join(root, "templates"), join(entry.parentPath, entry.name)).replaceAll("\\", "/"),
      );
    expect(found.sort()).toEqual([...new Set(manifest.map(({ template }) => template))].sort());
  });

  it("is sorted", () => {
    const paths = manifest.map(({ path }) => path);
    expect(paths).toEqual([...paths].sort());
  });

  it("has safe paths that are unique on every system", () => {
    for (const { path } of manifest) {
      for (const system of [nodePath.posix, nodePath.win32]) {
        expect(system.isAbsolute(path)).toBe(false);
        expect(system.normalize(path).replaceAll("\\", "/")).toBe(path);
      }
      expect(path).toMatch(/^[A-Za-z0-9._/-]{1,120}$/);
      expect(
        path
          .split("/")
          .filter((part) => /^(\.git|node_modules|\.\.|(con|prn|aux|nul|com\d|lpt\d)(\..*)?)$/i.test(part)),
      ).toEqual([]);
    }
    for (const answers of pairwise(options)) {
      const paths = rowsFor(answers).map((row) => pathOf(row, answers).toLowerCase());
      expect(paths.filter((path, index) => paths.indexOf(path) !== index)).toEqual([]);
    }
  });

  it("writes every file for at least one set of answers", () => {
    const written = new Set(pairwise(options).flatMap((answers) => [...render(answers, templates).keys()]));
    expect(manifest.map(({ path }) => path).filter((path) => !written.has(path))).toEqual([]);
  });
});

/** Files whose parts cannot be files of their own: here a block may be as long as what it holds. */
const ONE_BY_NATURE: Readonly<Record<string, string>> = {
  "infra/environments.ts.hbs": "one list of what differs between environments, as plain data",
  "service/_env.example.hbs": "one list of settings",
  "service/openapi.yaml.hbs": "one contract",
  "service/src/config-declaration.ts.hbs": "one list of settings, as plain data",
  "service/src/contract-types.ts.hbs": "written by a program from the contract",
};

describe("every row of the option table", () => {
  it.each(Object.entries(options as OptionTable))("%s changes a file", (key, row) => {
    const values = {
      flag: [true, false],
      choice: Object.keys(row.kind === "choice" ? row.values : {}),
      text: ["one", "two"],
    }[row.kind];
    const filesWith = (answers: Answers, value: string | boolean): string => {
      const files = render({ ...answers, [key]: value }, templates);
      files.delete(".antifragile.json");
      return JSON.stringify([...files]);
    };
    const cases = pairwise(options).filter((answers) => key in answers);
    expect(cases.some((answers) => new Set(values.map((value) => filesWith(answers, value))).size > 1)).toBe(true);
  });
});

describe("every template", () => {
  const variables = [...Object.keys(options), ...Object.keys(templateVariables("0.0.0"))];

  /** Returns the forbidden constructs of a template. */
  function faults(source: string, template = ""): string[] {
    const found: string[] = [];
    const longest = template in ONE_BY_NATURE ? 40 : 12;
    const path = (node: hbs.AST.Node, allowed: readonly string[]): string => {
      const name = (node as hbs.AST.PathExpression).original;
      if (node.type === "PathExpression" && !allowed.includes(name) && !variables.includes(name))
        found.push(`${name} is no answer`);
      return name;
    };
    class Rules extends Handlebars.Visitor {
      override MustacheStatement(node: hbs.AST.MustacheStatement): void {
        if (!(path(node.path, Object.keys(serializers)) in serializers))
          found.push(`${(node.path as hbs.AST.PathExpression).original} goes through no serializer`);
        // The template's own words may stand beside it: {{construct name "Worker"}}.
        if (node.params.filter(({ type }) => type !== "StringLiteral").length !== 1)
          found.push("a serializer takes one value");
        this.acceptArray(node.params);
      }
      override BlockStatement(node: hbs.AST.BlockStatement): void {
        const loops = Object.keys(blocks);
        const block = path(node.path, ["if", "unless", ...loops]);
        if (!["if", "unless", ...loops].includes(block)) found.push("only if, unless and stages are blocks here");
        const lines = (node.loc.end.line ?? 0) - (node.loc.start.line ?? 0) - 1;
        // A repeated block cannot be a file of its own.
        if (lines > longest && !loops.includes(block))
          found.push(`a block of ${lines} lines; use a file with a "when" in the manifest`);
        this.acceptArray(node.params);
        this.accept(node.program);
        if (node.inverse !== undefined) this.accept(node.inverse);
      }
      override SubExpression(node: hbs.AST.SubExpression): void {
        if (!(path(node.path, Object.keys(comparisons)) in comparisons))
          found.push("only comparisons may stand in parentheses");
        this.acceptArray(node.params);
      }
      override PathExpression(node: hbs.AST.PathExpression): void {
        path(node, []);
      }
      override PartialStatement(): void {
        found.push("no partials");
      }
    }
    new Rules().accept(Handlebars.parse(source));
    return found;
  }

  it.each([...templates.files].filter(([path]) => path.endsWith(".hbs")))(
    "%s puts only answers in, each through a serializer",
    (path, source) => {
      expect(faults(source, path)).toEqual([]);
      expect(source).toMatch(/\{\{/);
    },
  );

  it.each(Object.keys(ONE_BY_NATURE))("%s still needs its long blocks", (path) => {
    expect(faults(templates.files.get(path)!).join()).toContain("a block of");
  });

  it.each([
    ["{{name}}", "name goes through no serializer"],
    ["{{{name}}}", "name goes through no serializer"],
    ["{{json nmae}}", "nmae is no answer"],
    ["{{json constructor}}", "constructor is no answer"],
    ["{{#if nmae}}x{{/if}}", "nmae is no answer"],
    ['{{#if (eq nmae "x")}}x{{/if}}', "nmae is no answer"],
    ["{{#each name}}x{{/each}}", "only if, unless and stages are blocks here"],
    [`{{#if name}}${"\n".repeat(14)}{{/if}}`, 'a block of 13 lines; use a file with a "when" in the manifest'],
    ["{{> name}}", "no partials"],
    ["{{json name description}}", "a serializer takes one value"],
    ['{{json "text"}}', "a serializer takes one value"],
  ])("would be refused as %j", (source, fault) => {
    expect(faults(source)).toContain(fault);
  });

  it.each([...templates.files])("%s has text with Unix line ends", (_path, source) => {
    expect(source).not.toContain("\r");
    expect(source).not.toContain("\u0000");
    expect(source.length).toBeGreaterThan(0);
  });
});

describe("render", () => {
  it("is pure: equal answers give equal bytes, in any order of calls", () => {
    const first = [...render(answersOf({}), templates)];
    render(answersOf({ license: "mit-0", description: "Other" }), templates);
    expect([...render(answersOf({}), templates)]).toEqual(first);
    expect(first.map(([path]) => path)).toEqual(first.map(([path]) => path).sort());
  });

  it("copies a template without expressions unchanged", () => {
    const files = render(answersOf({}), templates);
    const copied = manifest.filter(({ path, template }) => !template.endsWith(".hbs") && files.has(path));
    expect(copied.length).toBeGreaterThan(2);
    for (const { path, template } of copied) expect(files.get(path)!.content).toBe(templates.files.get(template));
  });

  it("repeats what is between dev and production for further environments, and leaves no mark of it", () => {
    for (const answers of pairwise(options)) {
      for (const [path, { content }] of render({ ...answers, environments: "qa,uat" }, templates)) {
        expect(content, path).not.toMatch(/<\/?(stage|previous)>/i);
      }
    }
    const text = render(answersOf({ environments: "qa,uat" }), templates).get("infra/environments.ts")!.content;
    expect([...text.matchAll(/^ {4}name: "(\w+)",$/gm)].map(([, name]) => name)).toEqual([
      "dev",
      "staging",
      "qa",
      "uat",
      "production",
    ]);
  });

  it("renders files that end in one newline and parse by their file type, for every pair of choices", () => {
    const checked = new Set<string>();
    for (const answers of pairwise(options)) {
      for (const [path, { content, mode }] of render(answers, templates)) {
        // Most files are the same for many answers.
        const text = `${path}\n${content}`;
        if (checked.has(text)) continue;
        checked.add(text);
        const place = `${path} of ${JSON.stringify(answers)}`;
        expect(content.endsWith("\n") && !content.endsWith("\n\n"), `${place} ends in one newline`).toBe(true);
        expect([0o644, 0o755], place).toContain(mode);
        if (path.endsWith(".json")) expect(() => JSON.parse(content), place).not.toThrow();
        if (/\.ya?ml$/.test(path)) expect(() => parseYaml(content), place).not.toThrow();
        if (/\.m?ts$/.test(path)) {
          expect(ts.transpileModule(content, { reportDiagnostics: true }).diagnostics, place).toEqual([]);
        }
      }
    }
  });

  it("renders a README that names existing files and scripts only, for every pair of choices", () => {
    for (const answers of pairwise(options)) {
      const files = render(answers, templates);
      const readme = files.get("README.md")!.content;
      const { scripts, license } = JSON.parse(files.get("package.json")!.content);
      const named = [...readme.matchAll(/npm run ([a-z:]+)/g)].map(([, script]) => script!);
      expect(named.length).toBeGreaterThan(2);
      for (const script of named) expect(Object.keys(scripts), JSON.stringify(answers)).toContain(script);
      for (const [, path] of readme.matchAll(/^\| `([^`]+)` \|/gm)) {
        const found = path === "vendor/" || [...files.keys()].some((file) => file === path || file.startsWith(path!));
        expect(found, path).toBe(true);
      }
      expect(files.has("LICENSE")).toBe(license === "MIT-0");
    }
  });

  it("imports exactly the names that the file uses", () => {
    const rendered = (code: string) => {
      const source = `import {} from "antifragile";\n\n${code}\n// {{json name}}\n`;
      const files = new Map(templates.files).set("infra/main.ts.hbs", source);
      return render(answersOf({}), { version: "0", files }).get("infra/main.ts")!.content.split("\n\n")[0];
    };
    expect(rendered('new App(); // Queue\nconst x = { job: 1 }.job; const s = "Cache" + `Platform`;')).toBe(
      'import { App } from "antifragile";',
    );
    expect(rendered("export function f(app: App, e: Environment): void {}")).toBe(
      'import type { App, Environment } from "antifragile";',
    );
    expect(rendered("f(app as App, cron(1), e instanceof InvalidPropsError, archive());")).toBe(
      'import { type App, archive, cron, InvalidPropsError } from "antifragile";',
    );
    const many =
      "archive(blueGreen(canary(cron(codeDeploy(https(insecureHttp(job(linear(placeholder(placeholdersIn(web(worker(experimentGate(existingService())))))))))))))";
    expect(rendered(many)).toMatch(/^import \{\n {2}archive,\n/);
  });

  it("records the answers, which render the same files again", () => {
    const answers = answersOf({ license: "mit-0", description: 'Says "hello" \\ & more' });
    const files = render(answers, templates);
    const { antifragile, ...recorded } = JSON.parse(files.get(".antifragile.json")!.content);
    expect(antifragile.version).toBe(templates.version);
    const again = resolveAnswers(options, given({ file: recorded }), { folder: "elsewhere" });
    expect(again.problems).toEqual([]);
    expect([...render(again.answers as unknown as Answers, templates)]).toEqual([...files]);
  });

  it("escapes every accepted description: code compiles, JSON and YAML parse back", () => {
    const nasty = fc.constantFrom(
      '"',
      "'",
      "\\",
      "{{constructor}}",
      "{{json name}}",
      "</script>",
      ": ",
      " #",
      "`",
      "*/",
      "//",
      "$",
      "$(id)",
      "|",
      "]]",
      "<!--",
      "!",
      "&",
      "@",
      "%",
      "\u00a0",
      "👩‍💻",
      "---",
      "- ",
    );
    const description = fc
      .array(fc.oneof(nasty, fc.string({ maxLength: 5 })), { minLength: 1, maxLength: 12 })
      .map((parts) => parts.join(""))
      .filter((text) => options.description.rule.pattern.test(text));
    fc.assert(
      fc.property(description, (text) => {
        for (const [path, { content }] of render(answersOf({ description: text, license: "mit-0" }), templates)) {
          const template = manifest.find((row) => row.path === path)?.template ?? "";
          if (!template.includes(".hbs") || !templates.files.get(template)!.includes("description")) continue;
          const values = path.endsWith(".json")
            ? JSON.parse(content)
            : /\.ya?ml$/.test(path)
              ? parseYaml(content)
              : undefined;
          if (values !== undefined) expect(JSON.stringify(values)).toContain(JSON.stringify(text).slice(1, -1));
          if (path.endsWith(".ts")) {
            const { diagnostics } = ts.transpileModule(content, { reportDiagnostics: true });
            expect(diagnostics).toEqual([]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("throws on a template that uses an unknown answer", () => {
    const path = "repo/README.md.hbs";
    const broken = { version: "0", files: new Map(templates.files).set(path, "{{md nothing}}\n") };
    expect(() => render(answersOf({}), broken)).toThrow(
      /templates\/repo\/README\.md\.hbs: a template uses nothing, which these answers do not have/,
    );
    for (const source of [
      "{{name.constructor}}",
      "{{lookup name 0}}",
      "{{log name}}",
      "{{constructor name}}",
      "{{#if nothing}}x{{/if}}",
    ]) {
      const files = new Map(templates.files).set(path, source);
      expect(() => render(answersOf({}), { version: "0", files }), source).toThrow();
    }
  });

  it("throws if a template of the manifest is missing", () => {
    const files = new Map(templates.files);
    files.delete("repo/_gitignore");
    expect(() => render(answersOf({}), { version: "0", files })).toThrow("templates/repo/_gitignore is missing");
  });
});

describe("a serializer", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }));

  it("json and yaml parse back to the same text, without control characters", () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(JSON.parse(serializers.json(value))).toBe(value);
        expect(parseYaml(`key: ${serializers.yaml(value)}`)).toEqual({ key: value });
        expect(serializers.json(value)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  it("sh produces one shell word for any text", () => {
    const values = ["$(id)", "`id`", "a'b", "'; rm -rf /; '", "${HOME}", "a\nb", "*", "-n", ""];
    for (const value of values) {
      expect(execFileSync("/bin/sh", ["-c", `printf %s ${serializers.sh(value)}`]).toString()).toBe(value);
    }
  });

  it("md escapes all markup", () => {
    expect(serializers.md("# <b>*x*</b> [a](b) `c` | d_e & ~f~\nnext")).toBe(
      "\\# \\<b\\>\\*x\\*\\</b\\> \\[a\\](b) \\`c\\` \\| d\\_e \\& \\~f\\~ next",
    );
    expect(serializers.md("1. first")).toBe("1\\. first");
    expect(serializers.md("- item")).toBe("\\- item");
  });

  it("word refuses text that needs quotes", () => {
    expect(serializers.word("orders-2.1/x_y")).toBe("orders-2.1/x_y");
    for (const value of ["a b", "", "-a", "$x", "a:b", "a\n", "é"])
      expect(() => serializers.word(value)).toThrow("bare word");
  });

  it.each(Object.entries(serializers))("%s refuses a missing value", (_name, serializer) => {
    for (const value of [undefined, null, {}, []]) expect(() => serializer(value)).toThrow("a template uses a value");
  });

  it("eq compares", () => {
    expect([comparisons.eq("a", "a"), comparisons.eq("a", "b")]).toEqual([true, false]);
    expect([comparisons.ne("a", "a"), comparisons.ne("a", "b")]).toEqual([false, true]);
    const named = fc.stringMatching(/^[a-z](?:-?[a-z0-9]){1,20}$/);
    fc.assert(
      fc.property(
        named,
        (name) =>
          kebab(JSON.parse(serializers.construct(name))) === name &&
          kebab(JSON.parse(serializers.construct(name, "Worker"))) === `${name}-worker`,
      ),
    );
    const options = { hash: {} };
    expect([comparisons.or(false, true, options), comparisons.or(false, false, options)]).toEqual([true, false]);
  });
});
