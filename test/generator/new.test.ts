import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Context } from "../../generator/context";
import { runNew } from "../../generator/new";
import { options } from "../../generator/options";
import { packageVersion } from "../../generator/package-files";
import { type Outcome, processRunner } from "../../generator/processes";
import { fakePrompter } from "./support/fake-prompts";
import { scaffoldContext } from "./support/scaffold-context";

const repositoryRoot = join(__dirname, "../..");

let root: string;
let packageRoot: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-new-")));
  // A package that looks built: the real templates, and an executable of one line.
  packageRoot = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-root-")));
  execFileSync("cp", ["-r", join(repositoryRoot, "templates"), join(repositoryRoot, "package.json"), packageRoot]);
  mkdirSync(join(packageRoot, "dist/bin"), { recursive: true });
  writeFileSync(join(packageRoot, "dist/bin/antifragile.js"), "#!/usr/bin/env node\n");
});
afterEach(() => {
  for (const folder of [root, packageRoot]) rmSync(folder, { recursive: true, force: true });
});

const world = (
  args: string[],
  more: Partial<Context> & { outcomes?: Readonly<Record<string, Partial<Outcome>>> } = {},
) => scaffoldContext(root, { args, packageRoot, ...more });

const terminal = { stdinIsTerminal: true, stdoutIsTerminal: true };
const vendored = () => `vendor/antifragile-${packageVersion(packageRoot)}.tgz`;

describe("new, without a terminal", () => {
  it("writes, packs itself, installs, records the snapshot and commits", async () => {
    const { context, started, output } = world(["orders", "--yes"]);
    await expect(runNew(context)).resolves.toBe(0);
    expect(readdirSync(join(root, "orders"))).toEqual(
      expect.arrayContaining([".antifragile.json", "package.json", "vendor"]),
    );
    expect(readdirSync(join(root, "orders/vendor"))).toEqual([vendored().slice("vendor/".length)]);
    expect(started.map((words) => words.join(" "))).toEqual([
      "git rev-parse --show-toplevel --show-prefix",
      expect.stringMatching(/^npm install --include=dev /),
      "npm run snapshot",
      "git rev-parse --show-toplevel --show-prefix",
      "git -c init.defaultBranch=main init",
      "git add -- .",
      expect.stringMatching(/^git commit --quiet -m feat: first version, by antifragile /),
      "git ls-tree -r --name-only HEAD",
    ]);
    expect(output()).toMatch(/✔ \d+ files in \.\/orders/);
    expect(output()).toMatch(/\n {4}cd orders\n/);
  });

  it.each([
    ["a service", [], ["dev", "test", "deploy:local", "doctor", "deploy"]],
    [
      "a service with a database",
      ["--database=postgres"],
      ["migrate", "dev", "test", "deploy:local", "doctor", "deploy"],
    ],
    // An emulator has no platform to join.
    ["a service on a platform of others", ["--joins=shop"], ["dev", "test", "doctor", "deploy"]],
    ["a platform", ["--platform"], ["test", "deploy:local", "doctor", "deploy"]],
  ])("lists exactly the scripts of the new package.json that a user of %s starts with", async (_of, flags, all) => {
    const { context, output } = world(["orders", "--yes", ...flags]);
    await runNew(context);
    const { scripts } = JSON.parse(readFileSync(join(root, "orders/package.json"), "utf8"));
    const told = [...output().matchAll(/^ {4}npm (?:run )?([a-z:]+)/gm)].map(([, script]) => script);
    expect(told).toEqual(all);
    for (const script of told) expect(Object.keys(scripts)).toContain(script);
  });

  it("accepts a name instead of a folder, and a folder whose name is invalid together with a name", async () => {
    await runNew(world(["--name", "payments", "--no-install", "--no-git"]).context);
    await runNew(world(["My Folder", "--name=orders", "--no-install", "--no-git"]).context);
    expect(readdirSync(root).sort()).toEqual(["My Folder", "payments"]);
    expect(JSON.parse(readFileSync(join(root, "My Folder/.antifragile.json"), "utf8")).name).toBe("orders");
  });

  it("lists the missing answers once, with the flags to pass, and writes nothing", async () => {
    for (const args of [[], ["--yes"], ["My Folder"], ["--no-interactive"]]) {
      const refused = await runNew(world(args).context).catch((error) => error);
      expect(refused.exitCode).toBe(2);
      expect(refused.message).toMatch(/^missing: --name TEXT {2}Name of the service/);
    }
    expect(readdirSync(root)).toEqual([]);
  });

  it("reports the problems of flags and file together", async () => {
    const readText = async () => '{"regoin":"x","license":"mit"}';
    const refused = await runNew(world(["orders", "--nope", "--answers", "a.json"], { readText }).context).catch(
      (error) => error,
    );
    expect(refused.exitCode).toBe(2);
    expect(refused.message.split("\n").slice(0, 3)).toEqual([
      "--nope: unknown flag",
      'a.json: unknown key "regoin"; did you mean region?',
      'a.json: license: "mit" is not allowed; use one of none, mit-0; did you mean mit-0?',
    ]);
  });

  it.each([
    ["ENOENT", "does not exist"],
    ["EISDIR", "is a folder"],
    ["EACCES", "cannot be read: permission denied"],
  ])("explains an answers file with %s", async (code, reason) => {
    const readText = async () => {
      throw Object.assign(new Error(code), { code });
    };
    const running = runNew(world(["orders", "--answers", "a\u001b.json"], { readText }).context);
    await expect(running).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(`--answers a\\u001b.json: ${reason}; name a JSON file`),
    });
  });

  it("refuses conflicting flags for questions", async () => {
    for (const args of [
      ["orders", "--interactive", "--yes"],
      ["orders", "--interactive", "--answers", "-"],
    ]) {
      await expect(runNew(world(args, { readText: async () => "{}" }).context)).rejects.toMatchObject({ exitCode: 2 });
    }
  });

  it("shows a plan and writes nothing on a dry run", async () => {
    const { context, started, output } = world(["orders", "--dry-run"]);
    await expect(runNew(context)).resolves.toBe(0);
    expect(output()).toMatch(/\n {2}package\.json +\d+ bytes\n/);
    expect(output()).toMatch(
      /Then: .*, npm install, npm run snapshot, git init, first commit\.\nDry run: nothing was written\.\n$/,
    );
    expect(readdirSync(root)).toEqual([]);
    expect(started.map((words) => words.join(" "))).toEqual(["git rev-parse --show-toplevel --show-prefix"]);
  });

  it("does not repair the state of a killed run on a dry run", async () => {
    mkdirSync(join(root, ".orders.antifragile"));
    await runNew(world(["orders", "--dry-run"]).context);
    expect(readdirSync(root)).toEqual([".orders.antifragile"]);
    await runNew(world(["orders", "--no-install", "--no-git"]).context);
    expect(readdirSync(root)).toEqual(["orders"]);
  });

  it("keeps README.md and LICENSE of a folder with a git repository, and leaves the commit to its owner", async () => {
    execFileSync("git", ["init", "-q", join(root, "orders")]);
    writeFileSync(join(root, "orders/README.md"), "# theirs\n");
    const { context, output } = world([".", "--no-install"], {
      cwd: join(root, "orders"),
      run: processRunner(process.env),
    });
    await expect(runNew(context)).resolves.toBe(0);
    expect(readFileSync(join(root, "orders/README.md"), "utf8")).toBe("# theirs\n");
    expect(output()).toContain("README.md stays as it is");
    expect(output().replaceAll(/\s+/g, " ")).toContain("is already a git repository");
    expect(output()).toContain(
      '    git add . ":^README.md"\n    git commit -m "feat: first version" -- . ":^README.md"\n',
    );
    expect(output()).not.toContain("  cd ");
  });
});

describe("new, on a terminal", () => {
  const question = "What does it do, in one sentence?";
  const open = { [question]: ["Takes orders"] };
  /** Answers every other question of the table with its first choice. */
  const prompter = (script: Record<string, (string | boolean)[]>) => {
    const fake = fakePrompter(script);
    return {
      asked: fake.asked,
      text: fake.text,
      choice: async (question: Parameters<typeof fake.choice>[0]) =>
        question.message in script ? fake.choice(question) : question.choices[0]!.value,
      flag: async () => false,
      many: async () => [],
    };
  };
  const write = /^Write \d+ files to \.\/orders\?$/;

  it("asks for unknown answers, shows the plan and writes after a yes", async () => {
    const fake = prompter(open);
    const confirmed: string[] = [];
    const choice: typeof fake.choice = async (question) => {
      if (write.test(question.message)) confirmed.push(question.message);
      return fake.choice(question);
    };
    const { context, output } = world(["orders", "--no-install", "--no-git"], {
      ...terminal,
      prompter: () => ({ ...fake, choice }),
    });
    await expect(runNew(context)).resolves.toBe(0);
    expect(confirmed).toHaveLength(1);
    expect(output()).toContain("  orders: Takes orders\n");
    expect(output()).toMatch(/\n {2}(?:.* · )?region\s+eu-central-1\s·\sbranch main\s·\s/);
    expect(JSON.parse(readFileSync(join(root, "orders/.antifragile.json"), "utf8"))).toMatchObject({
      name: "orders",
      description: "Takes orders",
    });
  });

  it("asks no service questions for a platform", async () => {
    const engine = options.engine.ask;
    const fake = fakePrompter({ [question]: ["All that sells"], [engine]: ["cdktf"] });
    const choice: typeof fake.choice = async (question) =>
      write.test(question.message) ? "yes" : fake.choice(question);
    const args = ["orders", "--platform", "--no-install", "--no-git"];
    await runNew(world(args, { ...terminal, prompter: () => ({ ...fake, choice }) }).context);
    expect(fake.asked).toEqual([question, engine]);
    expect(readdirSync(join(root, "orders"))).not.toContain("openapi.yaml");
  });

  it("generates a platform if that answer is changed, and drops the answers that only apply to a service", async () => {
    const fake = prompter(open);
    const picks = ["reopen platform", "yes"];
    const choice: typeof fake.choice = async (question) =>
      write.test(question.message) ? picks.shift()! : fake.choice(question);
    const args = ["orders", "--database=postgres", "--no-install", "--no-git"];
    const again = { ...fake, choice, flag: async () => true };
    await runNew(world(args, { ...terminal, prompter: () => again }).context);
    const recorded = JSON.parse(readFileSync(join(root, "orders/.antifragile.json"), "utf8"));
    expect(recorded.platform).toBe(true);
    expect(recorded).not.toHaveProperty("database");
  });

  it("allows changing an answer before it writes", async () => {
    const fake = prompter({ [question]: ["First", "Second"] });
    const picks = ["reopen description", "yes"];
    const choice: typeof fake.choice = async (question) =>
      write.test(question.message) ? picks.shift()! : fake.choice(question);
    await runNew(
      world(["orders", "--no-install", "--no-git"], { ...terminal, prompter: () => ({ ...fake, choice }) }).context,
    );
    expect(JSON.parse(readFileSync(join(root, "orders/.antifragile.json"), "utf8")).description).toBe("Second");
  });

  it("writes nothing after a no", async () => {
    const fake = prompter(open);
    const choice: typeof fake.choice = async (question) =>
      write.test(question.message) ? "no" : fake.choice(question);
    const running = runNew(world(["orders"], { ...terminal, prompter: () => ({ ...fake, choice }) }).context);
    await expect(running).rejects.toMatchObject({ exitCode: 130 });
    expect(readdirSync(root)).toEqual([]);
  });

  it.each([
    ["--yes", ["orders", "--yes"], {}],
    ["--no-interactive", ["orders", "--no-interactive"], {}],
    ["CI", ["orders"], { env: { CI: "true" } }],
    ["answers from stdin", ["orders", "--answers", "-"], { readText: async () => "{}" }],
  ])("never asks with %s", async (_title, args, more) => {
    const { context } = world([...args, "--no-install", "--no-git"], { ...terminal, ...more });
    await expect(runNew(context)).resolves.toBe(0);
  });

  it("asks without a terminal if configured to", async () => {
    const { context } = world(["orders", "--interactive"]);
    await expect(runNew(context)).rejects.toThrow(`unexpected question: ${question}`);
  });

  it("checks the folder before the first question", async () => {
    mkdirSync(join(root, "orders"));
    writeFileSync(join(root, "orders/mine"), "");
    await expect(runNew(world(["orders"], terminal).context)).rejects.toMatchObject({ exitCode: 3 });
  });
});

describe("a step after writing the files", () => {
  it("that fails keeps the repository, stops, and prints how to continue", async () => {
    const outcomes = { "npm install": { code: 1, output: "x\n\u001b[31mnpm error\u001b[39m no network\u0007\n" } };
    const { context, started, output } = world(["orders", "--yes"], { outcomes });
    await expect(runNew(context)).resolves.toBe(1);
    expect(started.map((words) => words[0])).toEqual(["git", "npm"]);
    expect(output()).toContain("✖ npm install failed (exit code 1)\n      x\n      npm error no network\\u0007\n");
    expect(output()).toContain(
      '  To finish:\n\n    cd orders\n    npm install\n    npm run snapshot\n    git init -b main\n    git add .\n    git commit -m "feat: first version" -- .\n',
    );
    expect(readdirSync(join(root, "orders"))).toContain("package.json");
  });

  it("that finds no npm reports it", async () => {
    const { context, output } = world(["orders", "--yes"], { outcomes: { npm: { code: null, notFound: true } } });
    await expect(runNew(context)).resolves.toBe(1);
    expect(output()).toContain("✖ npm install: npm is not on the PATH");
  });

  it("that is interrupted ends as canceled, and lists the remaining steps", async () => {
    const { context, controller } = world(["orders", "--yes"]);
    const run: Context["run"] = async ([program]) => {
      if (program === "npm") controller.abort();
      return { code: program === "git" ? 128 : null, output: "", notFound: false };
    };
    await expect(runNew({ ...context, run })).rejects.toMatchObject({
      exitCode: 130,
      message: "canceled: ./orders is written; not done: npm install, npm run snapshot, git init, first commit",
    });
  });

  it("is not reached, and nothing is written, if the package is not built", async () => {
    rmSync(join(packageRoot, "dist"), { recursive: true });
    await expect(runNew(world(["orders", "--yes"]).context)).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining("is missing; run npm run build there"),
    });
    expect(readdirSync(root)).toEqual([]);
  });
});

describe("git", () => {
  /** A user without an identity, and one with. */
  const identity = (who: object): NodeJS.ProcessEnv => {
    const { GIT_AUTHOR_NAME, GIT_AUTHOR_EMAIL, GIT_COMMITTER_NAME, GIT_COMMITTER_EMAIL, EMAIL, ...env } = process.env;
    return {
      ...env,
      HOME: root,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_SYSTEM: "/dev/null",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "user.useConfigOnly",
      GIT_CONFIG_VALUE_0: "true",
      ...who,
    };
  };
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: join(root, "orders"), env: identity({}) })
      .toString()
      .trim();
  const args = ["orders", "--yes", "--no-install"];

  it("has one commit on main with all files, including the packed package", async () => {
    const env = identity({
      GIT_AUTHOR_NAME: "A",
      GIT_AUTHOR_EMAIL: "a@b.c",
      GIT_COMMITTER_NAME: "A",
      GIT_COMMITTER_EMAIL: "a@b.c",
    });
    const { context } = world(args, { run: processRunner(env) });
    await expect(runNew(context)).resolves.toBe(0);
    expect(git("log", "--format=%s %an", "main")).toBe(
      `feat: first version, by antifragile ${packageVersion(packageRoot)} A`,
    );
    expect(git("status", "--porcelain")).toBe("");
    expect(git("ls-files", "vendor")).toBe(vendored());
  });

  it("ignores files that may contain secrets", async () => {
    await runNew(world(args, { run: processRunner(identity({})) }).context);
    const secrets = [
      ".env",
      ".env.production",
      "infra/cdktf.out/x",
      "terraform.tfstate",
      "infra/x.tfstate.backup",
      "a.tfplan",
      "node_modules/x",
    ];
    expect(git("check-ignore", ...secrets).split("\n")).toEqual(secrets);
    expect(() => git("check-ignore", ".env.example", vendored(), ".terraform.lock.hcl")).toThrow();
  });

  it("without an identity is initialized, and the user gets the two settings and the commit command", async () => {
    const { context, output } = world(args, { run: processRunner(identity({})) });
    await expect(runNew(context)).resolves.toBe(0);
    expect(output()).toContain("! git init is done; git commit failed");
    expect(output()).toContain(
      '    git config --global user.name "Your Name"\n    git config --global user.email you@example.com\n    git add .\n    git commit',
    );
    expect(git("status", "--porcelain")).toContain("A  package.json");
  });

  it("creates no repository inside another one", async () => {
    execFileSync("git", ["init", "-q", root]);
    const { context, output } = world(args, { run: processRunner(identity({})) });
    await expect(runNew(context)).resolves.toBe(0);
    expect(output()).toContain(`! no first commit: ${root} is already a git repository`);
    expect(readdirSync(join(root, "orders"))).not.toContain(".git");
  });

  it("that is not installed is reported, and does not fail the run", async () => {
    const { context, output } = world(args, { outcomes: { git: { code: null, notFound: true } } });
    await expect(runNew(context)).resolves.toBe(0);
    expect(output()).toContain("! git init: git is not on the PATH");
  });
});
