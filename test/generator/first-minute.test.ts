import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Context } from "../../generator/context";
import { installProgress } from "../../generator/install";
import { runNew, summary } from "../../generator/new";
import { type Answers, options } from "../../generator/options";
import { processRunner } from "../../generator/processes";
import { mergeLines } from "../../generator/write";
import { fakePrompter } from "./support/fake-prompts";
import { scaffoldContext } from "./support/scaffold-context";

// A step is done when its product is there, whatever the exit code of the program says.

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-first-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const package_ = (): string => {
  const folder = join(root, ".package");
  mkdirSync(join(folder, "dist/bin"), { recursive: true });
  const source = join(__dirname, "../..");
  execFileSync("cp", ["-r", join(source, "templates"), join(source, "package.json"), folder]);
  writeFileSync(join(folder, "dist/bin/antifragile.js"), "#!/usr/bin/env node\n");
  return folder;
};
const world = (args: string[], more: Parameters<typeof scaffoldContext>[1] = {}) =>
  scaffoldContext(root, { args, packageRoot: package_(), columns: () => 400, ...more });

const identity = {
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@b.c",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@b.c",
};
const realGit = (more: NodeJS.ProcessEnv = {}): Context["run"] =>
  processRunner({
    ...process.env,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_SYSTEM: "/dev/null",
    ...identity,
    ...more,
  });
const git = (folder: string, ...args: string[]): string =>
  execFileSync("git", args, { cwd: folder, env: { ...process.env, ...identity, GIT_CONFIG_GLOBAL: "/dev/null" } })
    .toString()
    .trim();
const noInstall = ["--yes", "--no-install"];

describe("npm install that ends without an error", () => {
  const idle = { code: 0, output: "", notFound: false };

  it("is incomplete without the dependencies", async () => {
    const { context, output } = world(["orders", "--yes"], { outcomes: { "npm install": idle } });
    await expect(runNew(context)).resolves.toBe(1);
    expect(output()).toMatch(
      /✖ npm install ended without an error, but .* are not in node_modules; check the settings of npm/,
    );
    expect(output()).toContain("To finish:\n\n    cd orders\n    npm install\n    npm run snapshot\n");
  });

  it("is incomplete without the lock file", async () => {
    const { context, output } = world(["orders", "--yes"]);
    const run: Context["run"] = async (command, folder, ...rest) => {
      const outcome = await context.run(command, folder, ...rest);
      rmSync(join(folder, "package-lock.json"), { force: true });
      return outcome;
    };
    await expect(runNew({ ...context, run })).resolves.toBe(1);
    expect(output()).toContain("✖ npm install ended without an error, but wrote no package-lock.json");
  });

  it("overrides user settings that would disable the lock file", async () => {
    const { context, started } = world(["orders", "--yes"]);
    await runNew(context);
    const install = started.find((words) => words[1] === "install");
    expect(install).toEqual(
      expect.arrayContaining(["--package-lock=true", "--dry-run=false", "--workspaces=false", "--global=false"]),
    );
  });

  it("reports npm workspaces in parent folders, which a later npm ci would use", async () => {
    writeFileSync(join(root, "package.json"), JSON.stringify({ workspaces: ["*"] }));
    const { context, output } = world(["orders", "--yes"], { outcomes: { "npm prefix": { output: `${root}\n` } } });
    await expect(runNew(context)).resolves.toBe(0);
    expect(output()).toContain(`! ${root}/package.json lists this folder in its workspaces`);
  });

  it("names the setting that refuses a recent package", async () => {
    const failed = {
      code: 1,
      output: "npm error notarget No matching version found for x@1.0.0 with a date before 1/1/2020",
    };
    const { context, output } = world(["orders", "--yes"], { outcomes: { "npm install": failed } });
    await expect(runNew(context)).resolves.toBe(1);
    expect(output()).toContain("the min-release-age (or before) setting excludes a pinned version");
  });
});

it("npm run snapshot is incomplete without a snapshot", async () => {
  const { context, output } = world(["orders", "--yes"], { outcomes: { "run snapshot": { code: 0 } } });
  await expect(runNew(context)).resolves.toBe(1);
  expect(output()).toContain(
    "✖ npm run snapshot ended without an error, but wrote nothing to infra/test/__snapshots__",
  );
});

describe("the first commit", () => {
  it("is incomplete if the user's ignore file excludes files that the image build needs", async () => {
    writeFileSync(join(root, "ignore"), "*.json\n");
    const env = {
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "core.excludesFile",
      GIT_CONFIG_VALUE_0: join(root, "ignore"),
    };
    const { context, output } = world(["orders", ...noInstall], { run: realGit(env) });
    await expect(runNew(context)).resolves.toBe(0);
    expect(output()).toContain("! the first commit lacks package.json: your git settings ignore it");
    expect(output()).toContain("    git add --force package.json\n");
  });

  it("refused by a global hook names the hook and how to skip it", async () => {
    mkdirSync(join(root, "hooks"));
    writeFileSync(join(root, "hooks/pre-commit"), "#!/bin/sh\nexit 1\n");
    chmodSync(join(root, "hooks/pre-commit"), 0o755);
    const env = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "core.hooksPath", GIT_CONFIG_VALUE_0: join(root, "hooks") };
    const { context, output } = world(["orders", ...noInstall], { run: realGit(env) });
    await expect(runNew(context)).resolves.toBe(0);
    expect(output()).toContain(`A hook in ${root}/hooks may have refused it; --no-verify skips hooks.`);
    expect(output()).toContain('git commit --no-verify -m "feat: first version" -- .');
  });

  it("is left to the user in a repository that git does not trust, without a nested repository", async () => {
    mkdirSync(join(root, ".git"));
    const refused = { code: 128, output: `fatal: detected dubious ownership in repository at '${root}'\n` };
    const { context, output } = world(["orders", ...noInstall], { outcomes: { "rev-parse --show-toplevel": refused } });
    await expect(runNew(context)).resolves.toBe(0);
    expect(output()).toContain(
      `! no first commit: git cannot read the repository in ${root} (detected dubious ownership`,
    );
    expect(output()).toContain(`    git config --global --add safe.directory ${root}\n    git add .\n`);
    expect(existsSync(join(root, "orders/.git"))).toBe(false);
  });

  it("printed for another repository includes only the written files", async () => {
    git(root, "init", "-q", "-b", "main");
    writeFileSync(join(root, "wip.txt"), "mine");
    mkdirSync(join(root, "orders/.idea"), { recursive: true });
    writeFileSync(join(root, "orders/.idea/x.xml"), "mine");
    writeFileSync(join(root, "orders/README.md"), "# theirs\n");
    const { context, output } = world(["orders", ...noInstall], { run: realGit() });
    await expect(runNew(context)).resolves.toBe(0);
    const commands = [...output().matchAll(/^ {4}(git .*)$/gm)].map(([, line]) => line!);
    expect(commands).toHaveLength(2);
    for (const line of commands) {
      execFileSync("/bin/sh", ["-c", line], { cwd: join(root, "orders"), env: { ...process.env, ...identity } });
    }
    const committed = git(root, "ls-tree", "-r", "--name-only", "HEAD").split("\n");
    expect(committed).toContain("orders/package.json");
    expect(committed.filter((path) => /wip|idea|README/.test(path))).toEqual([]);
    expect(git(root, "status", "--porcelain")).toContain("?? wip.txt");
  });
});

describe("the branch", () => {
  it.each([
    ["of an empty repository is the one that is deployed", "trunk", []],
    ["main is deployed when there is one", "main", ["commit -q --allow-empty -m x", "checkout -q -b feature/x"]],
  ])("%s", async (_title, branch, commands) => {
    git(root, "init", "-q", "-b", branch);
    for (const line of commands) git(root, ...line.split(" "));
    const { context } = world(["orders", ...noInstall], { run: realGit() });
    await runNew(context);
    expect(readFileSync(join(root, "orders/infra/environments.ts"), "utf8")).toContain(`branch: "${branch}"`);
  });

  it("can be chosen", async () => {
    const { context } = world(["orders", ...noInstall, "--branch=release", "--ci=github-actions"], { run: realGit() });
    await runNew(context);
    expect(git(join(root, "orders"), "branch", "--show-current")).toBe("release");
    expect(readFileSync(join(root, "orders/.github/workflows/delivery.yml"), "utf8")).toContain("branches: [release]");
  });

  it("of a folder inside a repository: a note says that CI files are read at its root", async () => {
    git(root, "init", "-q", "-b", "main");
    const { context, output } = world(["orders", ...noInstall, "--ci=github-actions"], { run: realGit() });
    await runNew(context);
    expect(output()).toContain(
      "CI systems read .github/workflows/delivery.yml only at the root of a git repository; after the commit: antifragile add directory=orders",
    );
  });
});

describe("a folder of a repository with other services", () => {
  const inFolder = (...args: string[]) => ["services/orders", ...noInstall, "--ci=github-actions", ...args];
  const directory = "--directory=services/orders";
  const workflow = () => join(root, ".github/workflows/orders.yml");
  beforeEach(() => {
    git(root, "init", "-q", "-b", "main");
    mkdirSync(join(root, "services"));
    writeFileSync(join(root, ".gitignore"), ".package\n");
  });

  it("has its CI file at the root, in the commit that is printed, and nothing else", async () => {
    mkdirSync(join(root, ".github/workflows"), { recursive: true });
    for (const path of ["wip.txt", ".github/workflows/payments.yml"]) writeFileSync(join(root, path), "mine");
    const { context, output } = world(inFolder(directory), { run: realGit() });
    await expect(runNew(context)).resolves.toBe(0);
    expect(readFileSync(workflow(), "utf8")).toContain("working-directory: services/orders");
    const commands = [...output().matchAll(/^ {4}(git .*)$/gm)].map(([, line]) => line!);
    for (const line of commands) {
      execFileSync("/bin/sh", ["-c", line], {
        cwd: join(root, "services/orders"),
        env: { ...process.env, ...identity },
      });
    }
    const committed = git(root, "ls-tree", "-r", "--name-only", "HEAD").split("\n");
    expect(committed.filter((path) => !path.startsWith("services/orders/"))).toEqual([".github/workflows/orders.yml"]);
    expect(git(root, "status", "--porcelain").split("\n")).toEqual([
      "?? .github/workflows/payments.yml",
      "?? .gitignore",
      "?? wip.txt",
    ]);
  });

  it.each([
    ["the folder", "services/orders", ["services/orders"]],
    ["none", "services/orders", ["none"]],
    ["nothing, since it is at the root", ".", []],
  ])("is asked for on a terminal, and suggested: %s", async (_title, folder, answers) => {
    rmSync(join(root, "services"), { recursive: true });
    mkdirSync(join(root, folder === "." ? "new" : "services"));
    const at = folder === "." ? join(root, "new") : root;
    if (folder === ".") git(at, "init", "-q", "-b", "main");
    const fake = fakePrompter({ [options.directory.ask]: answers, "What does it need?": [""], Write: ["yes"] });
    const suggestions: unknown[] = [];
    const prompter = {
      ...fake,
      text: (question: Parameters<typeof fake.text>[0]) => {
        suggestions.push(question.default);
        return fake.text(question);
      },
      choice: async () => "yes",
    };
    const flags = ["--no-install", "--name=orders", "--description=Sells", "--auth=none", "--ci=github-actions"];
    const args = [folder, ...flags, "--engine=cdktf", "--deployment=rolling"];
    const terminal = { stdinIsTerminal: true, stdoutIsTerminal: true, prompter: () => prompter };
    const { context } = scaffoldContext(at, { args, packageRoot: package_(), run: realGit(), ...terminal });
    await runNew(context);
    expect(suggestions).toEqual(answers.length === 0 ? [] : ["services/orders"]);
    expect(existsSync(workflow())).toBe(answers[0] === "services/orders");
    const { directory } = JSON.parse(readFileSync(join(at, folder, ".antifragile.json"), "utf8"));
    expect(directory).toBe(answers[0] ?? "none");
  });

  it.each([
    ["a file of the team", () => writeFileSync(workflow(), "mine")],
    ["a beginning of the file", () => writeFileSync(workflow(), "")],
    ["a symbolic link", () => symlinkSync(join(root, "elsewhere.yml"), workflow())],
  ])("is refused where %s has the place of its CI file", async (_title, put) => {
    mkdirSync(join(root, ".github/workflows"), { recursive: true });
    put();
    const { context } = world(inFolder(directory), { run: realGit() });
    await expect(runNew(context)).rejects.toThrow(`${workflow()} is in the way; move it, or pass --directory none`);
    expect(existsSync(join(root, "services/orders"))).toBe(false);
    expect(existsSync(join(root, "elsewhere.yml"))).toBe(false);
  });

  it("is refused where a folder on the way is a symbolic link", async () => {
    mkdirSync(join(root, "elsewhere"));
    symlinkSync(join(root, "elsewhere"), join(root, ".github"));
    const { context } = world(inFolder(directory), { run: realGit() });
    await expect(runNew(context)).rejects.toThrow("is in the way");
    expect(readdirSync(join(root, "elsewhere"))).toEqual([]);
  });

  it("leaves a list of the team at the root, and prints the lines that it needs", async () => {
    writeFileSync(join(root, ".gitlab-ci.yml"), "include: [{ local: theirs.yml }]\n");
    const { context, output } = world(["services/orders", ...noInstall, "--ci=gitlab", directory], { run: realGit() });
    await expect(runNew(context)).resolves.toBe(0);
    expect(output()).toContain(
      "../../.gitlab-ci.yml stays as it is; it needs these lines:\n      include:\n        - local: services/orders/.gitlab-trigger.yml\n",
    );
    expect(output()).not.toMatch(/git add .*gitlab-ci/);
    expect(readFileSync(join(root, ".gitlab-ci.yml"), "utf8")).toBe("include: [{ local: theirs.yml }]\n");
  });

  it.each([
    ["another folder", "--directory=services/payments", "services/orders"],
    ["a folder above", "--directory=orders", "services/orders"],
  ])("must be the one that is named: %s", async (_title, flag, known) => {
    const { context } = world(inFolder(flag), { run: realGit() });
    await expect(runNew(context)).rejects.toThrow(`is "${known}" in it`);
    expect(readdirSync(root).sort()).toEqual([".git", ".gitignore", ".package", "services"]);
  });

  it("leaves nothing where writing fails, and finishes where it was killed", async () => {
    const broken = world(inFolder(directory), { run: realGit() });
    const { disk } = broken.context;
    const rename = (from: string, to: string) =>
      to.endsWith("services/orders")
        ? Promise.reject(Object.assign(new Error(), { code: "EACCES" }))
        : disk.rename(from, to);
    await expect(runNew({ ...broken.context, disk: { ...disk, rename } as typeof disk })).rejects.toThrow(
      "no permission",
    );
    expect(readdirSync(root).sort()).toEqual([".git", ".gitignore", ".package", "services"]);
    // As after a kill, once the file is there.
    const { context, output } = world(inFolder(directory), { run: realGit() });
    await runNew(context);
    rmSync(join(root, "services/orders"), { recursive: true });
    await expect(runNew(context)).resolves.toBe(0);
    expect(output()).toMatch(/git add .* \.\.\/\.\.\/\.github\/workflows\/orders\.yml/);
  });
});

describe("a folder prepared by GitHub, GitLab or an editor", () => {
  it("can be used: its files stay, ignore and attribute files get the missing lines", async () => {
    const folder = join(root, "orders");
    for (const each of [".git", ".idea", ".vscode"]) mkdirSync(join(folder, each), { recursive: true });
    const theirs = {
      ".gitignore": "*.tgz\nnode_modules/",
      ".gitattributes": "*.png binary\n",
      "LICENSE.md": "theirs\n",
      "readme.rst": "theirs\n",
      ".DS_Store": "",
    };
    for (const [name, text] of Object.entries(theirs)) writeFileSync(join(folder, name), text);
    const { context } = world(["orders", "--yes", "--no-install", "--no-git", "--license=mit-0"]);
    await expect(runNew(context)).resolves.toBe(0);
    const ignored = readFileSync(join(folder, ".gitignore"), "utf8");
    expect(ignored).toMatch(/^\*\.tgz\nnode_modules\/\n\n/);
    expect(ignored.match(/node_modules\//g)).toHaveLength(1);
    expect(ignored.indexOf("!vendor/*.tgz")).toBeGreaterThan(ignored.indexOf("*.tgz"));
    expect(readFileSync(join(folder, ".gitattributes"), "utf8")).toMatch(/^\*\.png binary\n[\s\S]*eol=lf/);
    expect([existsSync(join(folder, "README.md")), existsSync(join(folder, "LICENSE"))]).toEqual([false, false]);
    expect(readFileSync(join(folder, "LICENSE.md"), "utf8")).toBe("theirs\n");
  });

  it("gets lines once, and with its own line endings", () => {
    expect(mergeLines("a\n", "# why\na\n\n# b\nb\n")).toBe("a\n\n# b\nb\n");
    expect(mergeLines("a\r\n", "b\n")).toBe("a\r\n\r\nb\r\n");
    expect(mergeLines("b", "b\n")).toBe("b");
    expect(mergeLines("", "b\n")).toBe("b\n");
  });
});

describe("package managers", () => {
  it("follow the caller's: lock file, image and commands", async () => {
    const { context, started, output } = world(["orders", "--yes", "--no-git"], {
      env: { npm_config_user_agent: "pnpm/10.34.9 npm/? node/v24.1.0 linux x64" },
    });
    await expect(runNew(context)).resolves.toBe(0);
    expect(started.map((words) => words.slice(0, 2).join(" "))).toEqual(["pnpm install", "pnpm run"]);
    expect(output()).toContain("    pnpm run dev");
    expect(output()).toContain("    pnpm run deploy dev");
    const dockerfile = readFileSync(join(root, "orders/Dockerfile"), "utf8");
    expect(dockerfile).toContain("pnpm-lock.yaml");
    expect(dockerfile).not.toContain("package-lock");
    expect(JSON.parse(readFileSync(join(root, "orders/package.json"), "utf8")).packageManager).toBe("pnpm@10.34.9");
  });

  it.each(["yarn", "bun"])("refuse %s with the reason, as caller and as answer", async (name) => {
    const called = world(["orders", "--yes"], { env: { npm_config_user_agent: `${name}/4.0.0 npm/? node/v24` } });
    await expect(runNew(called.context)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(
        new RegExp(
          `^${name} started this command, but ${name} is not supported: .*; pass --package-manager npm or pnpm`,
        ),
      ),
    });
    const chosen = world(["orders", "--yes", `--package-manager=${name}`]);
    await expect(runNew(chosen.context)).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`${name} is not supported: .*; use one of npm, pnpm`)),
    });
  });
});

describe("presets and --json", () => {
  it.each([
    ["api", { database: "postgres", platform: false }],
    ["worker", { queue: "sqs" }],
    ["minimal", { auth: "none", ci: "none" }],
    ["platform", { platform: true }],
  ])("%s sets its answers, and a flag overrides them", async (preset, answers) => {
    const { context, output } = world(["orders", "--dry-run", "--json", "--preset", preset, "--region=eu-west-1"]);
    await expect(runNew(context)).resolves.toBe(0);
    const result = JSON.parse(output());
    expect(result.answers).toMatchObject({ ...answers, region: "eu-west-1" });
    expect(result).toMatchObject({ ok: true, written: false, folder: join(root, "orders") });
    expect(result.files).toContain("package.json");
  });

  it("refuses an unknown preset, and one that conflicts with a flag", async () => {
    await expect(runNew(world(["orders", "--yes", "--preset=apo"]).context)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(
        '--preset: "apo" is not allowed; use one of api, worker, minimal, platform; did you mean api?',
      ),
    });
    await expect(runNew(world(["orders", "--yes", "--preset=api", "--platform"]).context)).rejects.toMatchObject({
      message: expect.stringContaining("--preset: database: does not apply with --platform"),
    });
  });

  it("reports the steps as JSON, and nothing else", async () => {
    const { context, output } = world(["orders", "--json", "--no-git"]);
    await expect(runNew(context)).resolves.toBe(0);
    const { ok, written, steps } = JSON.parse(output());
    expect({ ok, written }).toEqual({ ok: true, written: true });
    expect(steps.map(({ state }: { state: string }) => state)).toEqual(["done", "done", "done"]);
  });
});

it.each([60, 80, 120])("the summary wraps at words at %i columns", (columns) => {
  const answers = {
    name: "orders",
    description: "Takes orders and notifies payments and stock, and keeps both consistent for years",
    region: "eu-central-1",
    database: "postgres",
    cache: "none",
    deployment: "blue-green",
    job: true,
    branch: "main",
    packageManager: "npm",
  } as unknown as Answers;
  const lines = summary(answers, columns).split("\n");
  expect(lines.filter((line) => line.length > columns)).toEqual([]);
  const words = lines.join(" ").split(/\s+/);
  expect(words).toEqual(expect.arrayContaining(["eu-central-1", "consistent", "blue-green", "job"]));
  expect(words).not.toContain("cache");
});

it("shows the progress of an installation, from the output of npm and pnpm", () => {
  const shown: string[] = [];
  const read = installProgress((text) => shown.push(text));
  read("npm http fetch GET 200 https://r/a/-/a-1.0.0.tgz 12ms (cache miss)\nnpm http fet");
  read("ch GET 200 https://r/b/-/b-1.0.0.tgz 12ms\nnpm http fetch GET 200 https://r/b 1ms\n");
  read("Progress: resolved 100, reused 90, downloaded 10, added 50\n");
  expect(shown).toEqual(["1 package", "2 packages", "resolved 100, reused 90, downloaded 10, added 50"]);
});
