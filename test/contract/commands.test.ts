import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXAMPLES } from "../support/examples";
import { filesIn, ROOT, textOf } from "./support/sources";

interface Manifest {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(textOf("package.json")) as Manifest;
const generatedManifest = textOf("templates/repo/package.json.hbs");
/** Scripts of a generated repository: whatever the answers, so long as one of them brings it. */
const generatedScripts = scriptsOf(generatedManifest);
const projects = [...textOf("vitest.config.mts").matchAll(/project\(\s*"([a-z0-9]+)"/g)].map((match) => match[1]!);
const commands = [...textOf("bin/commands.ts").matchAll(/^ {2}"?([a-z-]+)"?: \{$/gm)].map((match) => match[1]!);

/** Flags of each command, from the reference, which is generated from the table of commands. */
const flagsOf = new Map(
  [...textOf("docs/commands.md").matchAll(/^\| `([a-z-]+)[^`]*` \| .* \| (.+) \|$/gm)].map(
    ([, name = "", flags = ""]) => [name, new Set([...flags.matchAll(/`(--[a-z-]+)/g)].map((flag) => flag[1]!))],
  ),
);

/** Returns the reason why a flag of a command line is not known, or undefined. Flags of `new` are options of its own page. */
function unknownFlag(name: string, words: readonly string[]): string | undefined {
  const end = words.indexOf("--");
  const given = (end === -1 ? words : words.slice(0, end)).flatMap((word) => /^--[a-z-]+/.exec(word) ?? []);
  const page = name === "new" ? textOf("docs/options.md") : "";
  const flag = given.find((each) => !flagsOf.get(name)?.has(each) && !page.includes(`\`${each}`) && each !== "--help");
  return flag === undefined ? undefined : `antifragile ${name} has no flag ${flag}`;
}

function scriptsOf(template: string): Record<string, string> {
  const block = /"scripts": \{([\s\S]*?)\n {2}\}/.exec(template)?.[1] ?? "";
  return Object.fromEntries(
    [...block.matchAll(/^ {4}("[^"]+"): ("(?:[^"\\]|\\.)*"),?$/gm)].map((m) => [JSON.parse(m[1]!), JSON.parse(m[2]!)]),
  );
}

/** Command lines of a page, without their comments. */
function linesOf(page: string): string[] {
  return [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
    .flatMap((block) => block[1]!.replaceAll(/\\\n\s*/g, "").split("\n"))
    .map((line) =>
      line
        .replace(/(^|\s+)#.*$/, "")
        .replace(/^\$ /, "")
        .trim(),
    )
    .filter((line) => line !== "");
}

/** Returns the reason why a command line is not known to work, or undefined. */
function unknown(line: string, scripts: Readonly<Record<string, string>>): string | undefined {
  const reasons = line.split(" && ").map((part) => unknownPart(part, scripts));
  return reasons.find((reason) => reason !== undefined);
}

/** Returns whether the AWS SDK has an operation that the AWS CLI writes as `put-metric-data`. */
function hasOperation(service: string, operation: string): boolean {
  const name = operation.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
  return `${name}Command` in (createRequire(__filename)(`@aws-sdk/client-${service}`) as object);
}

function unknownPart(line: string, scripts: Readonly<Record<string, string>>): string | undefined {
  const words = line.replace(/^(UPDATE=1|CI=true) /, "").split(/\s+/);
  const [program, first = "", second = ""] = words;
  const command = (word: string) =>
    commands.includes(word)
      ? unknownFlag(word, words.slice(words.indexOf(word) + 1))
      : `antifragile has no command ${word}`;
  if (/^(cd|git|curl|TOKEN=\$\(curl)$/.test(program!)) return undefined;
  if (program === "docker" && first === "compose") return undefined;
  if (program === "aws") return hasOperation(first, second) ? undefined : `AWS has no ${first} ${second}`;
  if (program === ".ci/run") return existsSync(join(ROOT, ".ci/run")) ? undefined : "is not there";
  if (program === "npm" && /^(ci|install|pack)$/.test(first)) return undefined;
  if (program === "npm" && first === "test") return "test" in scripts ? undefined : "package.json has no script test";
  if (program === "npm" && first === "run") {
    if (!(second in scripts)) return `package.json has no script ${second}`;
    const runs = /^antifragile ([a-z-]+)/.exec(scripts[second]!)?.[1];
    return runs === undefined || words[3] !== "--" ? undefined : unknownFlag(runs, words.slice(4));
  }
  if (program === "npx" && first === "vitest") {
    const project = words[words.indexOf("--project") + 1]!;
    return !words.includes("--project") || projects.includes(project) ? undefined : `there is no project ${project}`;
  }
  if (program === "npx" && /antifragile-[\d.]+\.tgz$/.test(first)) {
    return first.endsWith(`antifragile-${manifest.version}.tgz`)
      ? command(second)
      : `this is version ${manifest.version}`;
  }
  if (program === "npx" && first === "antifragile") return command(second);
  if (program === "npx" && first.startsWith("--package=")) {
    return textOf("test/e2e/generated.e2e.test.ts").includes(`"${first}"`) ? undefined : "no test runs it";
  }
  if (program === "npx" && /^(biome|tsc|knip)$/.test(first)) return undefined;
  return "no test knows it";
}

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "AGENTS.md",
  "SECURITY.md",
  ...filesIn("docs").filter((path) => /^docs\/[a-z-]+\.md$/.test(path)),
]
  .filter((path) => existsSync(join(ROOT, path)))
  .map((path) => [path, manifest.scripts] as const);

describe("every command line", () => {
  const generated = ["everything", "joins", "platform"].map(
    (name) => [`test/golden/${name}/expected/tree/README.md.golden`, {}] as const,
  );
  it.each([...pages, ...generated])("of %s is known", (path, own) => {
    // A page may go on in the repository that it has just generated.
    const scripts = { ...own, ...generatedScripts };
    const lines = linesOf(textOf(path));
    expect(lines.map((line) => [line, unknown(line, scripts)]).filter(([, why]) => why !== undefined)).toEqual([]);
  });

  it("is reported when it is unknown", () => {
    expect(linesOf("```sh\n# why\nnpm test  # what\n\n$ npm run x\n```\n```json\nnpm run y\n```\n")).toEqual([
      "npm test",
      "npm run x",
    ]);
    const scripts = { test: "vitest", demo: "tsx" };
    expect(
      [
        "npm test",
        "npm run demo -- x",
        "npm run nothing",
        "npm ci && npm run nothing",
        "npx vitest run --project nothing",
        "aws cloudwatch put-metrics",
        "npx other",
        "npx ./antifragile-9.9.9.tgz new",
      ].map((line) => unknown(line, scripts)),
    ).toEqual([
      undefined,
      undefined,
      "package.json has no script nothing",
      "package.json has no script nothing",
      "there is no project nothing",
      "AWS has no cloudwatch put-metrics",
      "no test knows it",
      `this is version ${manifest.version}`,
    ]);
    expect(unknown("npm run ship -- dev --unlock --nothing", { ship: "antifragile release" })).toBe(
      "antifragile release has no flag --nothing",
    );
    expect(unknown("npx antifragile run dev -- node --nothing", {})).toBeUndefined();
    expect(unknown(`npx ./antifragile-${manifest.version}.tgz nothing`, scripts)).toBe(
      "antifragile has no command nothing",
    );
    expect([projects, commands]).toEqual([
      expect.arrayContaining(["unit", "e2e"]),
      expect.arrayContaining(["new", "deploy"]),
    ]);
  });
});

/** Test of each command line of README: a file, and text of the line that runs it. */
const RUN_BY: Readonly<Record<string, readonly [file: string, words: string]>> = {
  "npm ci && npm test": [".ci/run", "npm run check"],
  // The demo is not run by the suite; each of its steps is.
  "npm ci && npm run demo": ["package.json", '"demo": "npm run build && tsx scripts/demo.ts"'],
  "npm ci": [".ci/run", "npm ci"],
  "npm run build": ["package.json", '"test": "npm run build && '],
  "npm pack --pack-destination ..": ["test/cli/packed.ts", `"--pack-destination"`],
  [`npx ./antifragile-${manifest.version}.tgz new orders`]: ["test/e2e/generated.e2e.test.ts", '"antifragile", "new"'],
  "npm run dev": ["test/templates/service.test.ts", 'describe("npm run dev"'],
  "npm test": ["test/templates/service.test.ts", "passes its own tests"],
  "npm run gameday -- kill": ["test/templates/service.test.ts", 'describe("npm run gameday"'],
  "npm run deploy:local": ["test/support/local-deployment.ts", '"run", "deploy:local"'],
  "npm run deploy -- dev": ["test/e2e/generated.e2e.test.ts", '"run", "deploy", "--", "dev"'],
};

describe("README", () => {
  const lines = linesOf(textOf("README.md")).filter((line) => !line.startsWith("cd "));

  it.each(lines)("shows `%s`, which a test runs", (line) => {
    expect(Object.keys(RUN_BY)).toContain(line);
    const [file, words] = RUN_BY[line]!;
    expect(textOf(file)).toContain(words);
  });

  it("shows every line of the table", () => {
    expect(lines.length).toBeGreaterThan(5);
    expect(Object.keys(RUN_BY).filter((line) => !lines.includes(line))).toEqual([]);
  });
});

describe("cdktf.json", () => {
  const ours = JSON.parse(textOf("cdktf.json")) as { readonly app: string };

  it("of this repo synthesizes an example", () => {
    const [, name] = /^npx tsx examples\/([a-z0-9-]+)\/main\.ts$/.exec(ours.app) ?? [];
    // Each of them is run by test/examples.
    expect(EXAMPLES).toContain(name);
  });

  it("sends no crash reports, here and in generated repositories", () => {
    const generated = JSON.parse(textOf("templates/infra/cdktf.json.hbs").replace("{{json name}}", '"name"'));
    for (const settings of [ours, generated]) expect(settings).toMatchObject({ sendCrashReports: "false" });
    expect(generated).toMatchObject({ app: "npx tsx main.ts", output: "cdktf.out" });
  });
});

describe("generated scripts run in every shell, untested on Windows", () => {
  /** Syntax that cmd.exe and sh interpret differently. */
  const SHELL = /&&|\|\||[|<>;$`'%*?~]|\bcd |^\w+=/;

  it("have no shell syntax", () => {
    expect(Object.keys(generatedScripts).length).toBeGreaterThan(10);
    expect(Object.entries(generatedScripts).filter(([, script]) => SHELL.test(script))).toEqual([]);
  });

  it.each(["a && b", "a | b", "a > b", "cd a", "A=1 b", "a $B", "a 'b'", "a *.ts"])("would see %s", (script) => {
    expect(SHELL.test(scriptsOf(`"scripts": {\n    "x": ${JSON.stringify(script)}\n  }`).x!)).toBe(true);
  });

  it("have LF line endings, in this repository and in generated ones", () => {
    for (const path of [".gitattributes", "templates/repo/_gitattributes"]) {
      expect(textOf(path).split("\n")[0]).toBe("* text=auto eol=lf");
    }
    const ours = filesIn(
      "bin",
      "constructs",
      "docs",
      "examples",
      "generator",
      "operations",
      "emulator",
      "templates",
      "test",
    );
    expect(ours.filter((path) => !/\.(png|tgz|pyc)$/.test(path) && textOf(path).includes("\r\n"))).toEqual([]);
  });

  /** Returns the commands in a CI file, in one line or in a block. */
  const stepsOf = (file: string) =>
    [...file.matchAll(/^\s*(?:- )?(?:run|script|sh)[: ]\s*(["']?)(.*?)\1$/gm)].map((match) => match[2]!);

  // Jobs run in a POSIX shell, and a test runs their lines: their variables may be empty or have spaces.
  it("have only quoted variables in CI files", () => {
    const unquoted = (line: string) => line.replace(/"(?:[^"\\]|\\.)*"/g, "").includes("$");
    const files = filesIn("templates").filter((path) => path.startsWith("templates/ci/"));
    const steps = files.flatMap((path) => stepsOf(textOf(path)).map((line) => `${path}: ${line}`));
    expect(steps.length).toBeGreaterThan(30);
    expect(steps.filter(unquoted)).toEqual([]);
    expect(['a "$B" c', "a $B", 'a "b"$(c)'].map(unquoted)).toEqual([false, true, true]);
    expect(stepsOf("a:\n  - run: npm ci\n  - run: 'cd a'\n    script: x | y\n")).toEqual(["npm ci", "cd a", "x | y"]);
  });

  it.each(["README.md", "CONTRIBUTING.md"].filter((path) => existsSync(join(ROOT, path))))(
    "is stated in %s",
    (path) => {
      expect(textOf(path).replace(/\s+/g, " ")).toMatch(/untested on Windows/i);
    },
  );
});
