import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { run, usePackage } from "./packed";
import { commit, generate, git, put, textOf, tree, useVersions } from "./support/versions";

const packed = usePackage();
const versionOf = useVersions();
let versions: string;
/** A version after the present one, with a changed, an added and no other template. */
let next: string;
let work: string;

function setVersion(folder: string, version: string): void {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...manifest, version }));
}

beforeAll(() => {
  versions = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-versions-")));
  const folder = join(versions, "next/package");
  cpSync(packed.folder, folder, { recursive: true });
  setVersion(folder, "9.0.0");
  const templates = join(folder, "dist/bin/templates.js");
  const edit = `Object.assign(module.exports, { [path]: "// New in 9.0.0.\\n" + module.exports[path] });`;
  const text = readFileSync(templates, "utf8").replaceAll("Tests every push and", "New in 9.0.0. Tests every push and");
  writeFileSync(templates, `${text}const path = "service/src/quotes.ts";${edit}`);
  next = join(versions, "antifragile-9.0.0.tgz");
  execFileSync("tar", ["-czf", next, "-C", join(versions, "next"), "package"]);
});
afterAll(() => rmSync(versions, { recursive: true, force: true }));

beforeEach(() => {
  work = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-upgrade-test-")));
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

/** A repository that the first version with the structure of today made, committed. */
async function repository(flags: readonly string[] = [], folder = "orders"): Promise<string> {
  const path = join(work, folder);
  mkdirSync(dirname(path), { recursive: true });
  await generate(versionOf("0.0.2"), path, flags);
  if (!existsSync(join(work, ".git"))) git(path, "init", "--quiet");
  commit(path);
  return path;
}

const upgrade = (folder: string, args: readonly string[] = ["--no-install"], bin = packed.bin) =>
  run([process.execPath, bin, "upgrade", ...args], folder);

const EVERYTHING = ["--database", "postgres", "--cache", "valkey", "--queue", "sqs", "--job", "--calls", "payments"];

describe("antifragile upgrade", () => {
  it("keeps the edits of a team, over two upgrades, and leaves a repository that lints", async () => {
    const folder = await repository(EVERYTHING);
    const manifest = JSON.parse(textOf(folder, "package.json"));
    manifest.scripts.mine = "node mine.js";
    manifest.dependencies["left-pad"] = "1.3.0";
    put(folder, "package.json", `${JSON.stringify(manifest, null, 2)}\n`);
    appendFileSync(join(folder, "src/quotes.ts"), "\nexport const mine = 1;\n");
    put(folder, "Dockerfile", textOf(folder, "Dockerfile").replace("EXPOSE 8080", "EXPOSE 9090"));
    put(folder, "second/index.js", "// Another service.\n");
    rmSync(join(folder, "test/logs.test.ts"));
    commit(folder);
    expect(await upgrade(folder)).toMatchObject({ code: 0 });
    commit(folder);
    // The installed version hands over to the one that is named.
    const { code, stdout } = await upgrade(folder, ["--to", next, "--no-install"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/-> antifragile 9\.0\.0\n/) });
    expect(stdout).toMatch(/merge {5}src\/quotes\.ts/);
    expect(textOf(folder, "src/quotes.ts")).toMatch(/^\/\/ New in 9\.0\.0\.\n[\s\S]*\nexport const mine = 1;\n$/);
    expect(textOf(folder, "Dockerfile")).toContain("EXPOSE 9090");
    expect(textOf(folder, "second/index.js")).toBe("// Another service.\n");
    expect(existsSync(join(folder, "test/logs.test.ts"))).toBe(false);
    expect(JSON.parse(textOf(folder, "package.json"))).toMatchObject({
      scripts: { mine: "node mine.js", upgrade: "antifragile upgrade" },
      dependencies: { "left-pad": "1.3.0" },
      devDependencies: { antifragile: "file:vendor/antifragile-9.0.0.tgz" },
    });
    expect(readdirSync(join(folder, "vendor"))).toEqual(["antifragile-9.0.0.tgz"]);
    expect(JSON.parse(textOf(folder, ".antifragile.json"))).toMatchObject({ antifragile: { version: "9.0.0" } });
    const biome = join(__dirname, "../../node_modules/@biomejs/biome/bin/biome");
    const lint = await run([process.execPath, biome, "check", "src", "test", "infra", "package.json"], folder);
    expect(lint, lint.stdout).toMatchObject({ code: 0 });
  });

  it("marks a conflict, names both sides, and lists it as to do; git undoes it", async () => {
    const folder = await repository();
    put(folder, "src/quotes.ts", `// Mine.\n${textOf(folder, "src/quotes.ts")}`);
    commit(folder);
    const before = tree(folder);
    const { code, stdout } = await upgrade(folder, ["--to", next, "--no-install"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /CONFLICT {2}src\/quotes\.ts {2}\(1 place marked in the file\)\n +yours: \w+ Edit as a team\n +new: /,
    );
    expect(stdout).toContain("  resolve src/quotes.ts\n  npm install\n");
    expect(textOf(folder, "src/quotes.ts")).toMatch(/^<<<<<<< yours\n\/\/ Mine\.\n\|{7} [\s\S]*=======\n\/\/ New in 9/);
    git(folder, "restore", ".");
    git(folder, "clean", "-fd", ".");
    expect(tree(folder)).toEqual(before);
  });

  it("names the changes of the versions between, and lists their work as to do", async () => {
    const folder = await repository(["--ci", "gitlab"]);
    const { stdout } = await upgrade(folder);
    expect(stdout).toMatch(/^ {2}0\.0\.3: [\s\S]*^ {2}0\.0\.4: the CI file deploys/m);
    expect(stdout).not.toContain("0.0.2:");
    expect(stdout).toMatch(/^To do:\n[\s\S]*^ {2}before you deploy staging[\s\S]*^ {2}deploy delivery, /m);
    git(folder, "restore", ".");
    const platform = await repository(["--platform"], "platform");
    expect((await upgrade(platform)).stdout).not.toContain("the CI file");
  });

  it("shows the diff in a dry run, and writes nothing", async () => {
    const folder = await repository();
    const before = tree(folder);
    const { code, stdout } = await upgrade(folder, ["--dry-run", "--to", next]);
    expect(code).toBe(0);
    expect(stdout).toContain("+// New in 9.0.0.\n");
    expect(stdout).toContain('-    "antifragile": "file:vendor/antifragile-0.0.2.tgz",');
    expect(tree(folder)).toEqual(before);
  });

  it("upgrades a folder of a monorepo, whose other folders may have changes, and a worktree", async () => {
    git(work, "init", "--quiet");
    const folder = await repository([], "services/orders");
    put(work, "services/other.txt", "not committed");
    expect(await upgrade(folder)).toMatchObject({ code: 0 });
    expect(git(work, "status", "--porcelain")).toContain("?? services/other.txt");
    git(folder, "restore", ".");
    git(work, "worktree", "add", "--quiet", join(work, "copy"));
    expect(await upgrade(join(work, "copy/services/orders"))).toMatchObject({ code: 0 });
  });

  it("keeps the file at the root of a monorepo current with the edits of a team, and can be undone", async () => {
    git(work, "init", "--quiet", "--initial-branch=main");
    mkdirSync(join(work, "services"));
    const folder = join(work, "services/orders");
    const flags = ["--yes", "--no-install", "--ci", "github-actions"];
    const made = await run([process.execPath, packed.bin, "new", "services/orders", ...flags], work);
    expect(made).toMatchObject({ code: 0 });
    commit(work);
    // From before the question, in a repository of several services.
    const moved = await run([process.execPath, packed.bin, "add", "directory=services/orders", "--no-install"], folder);
    expect(moved).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("  add       ../../.github/workflows/orders.yml\n"),
    });
    expect(existsSync(join(folder, ".github"))).toBe(false);
    commit(work);
    const workflow = ".github/workflows/orders.yml";
    put(work, workflow, `${textOf(work, workflow)}# Ours.\n`);
    const dirty = await upgrade(folder, ["--to", next, "--no-install"]);
    expect(dirty).toMatchObject({ code: 3, stdout: expect.stringContaining(workflow) });
    commit(work);
    const dry = await upgrade(folder, ["--to", next, "--dry-run"]);
    expect(dry.stdout).toContain(`+++ b/(root)/${workflow}`);
    const before = tree(work);
    const upgraded = await upgrade(folder, ["--to", next, "--no-install"]);
    expect(upgraded).toMatchObject({ code: 0, stdout: expect.stringContaining(`merge     ../../${workflow}`) });
    expect(textOf(work, workflow)).toMatch(/^# New in 9\.0\.0\. [\s\S]*\n# Ours\.\n$/);
    const [, undo = ""] = /undo: (.*)\n/.exec(upgraded.stdout) ?? [];
    execFileSync("/bin/sh", ["-c", undo], { cwd: folder, stdio: "pipe" });
    expect(tree(work)).toEqual(before);
    // Another CI system, whose list the team has.
    put(work, ".gitlab-ci.yml", "include: [{ local: theirs.yml }]\n");
    commit(work);
    const changed = await run([process.execPath, packed.bin, "add", "ci=gitlab", "--no-install"], folder);
    expect(changed.stdout).toMatch(
      /CONFLICT {2}\.\.\/\.\.\/\.gitlab-ci\.yml {2}\(yours stays; it needs include: {3}- local: services/,
    );
    expect(textOf(work, ".gitlab-ci.yml")).toBe("include: [{ local: theirs.yml }]\n");
    expect(textOf(work, workflow)).toContain("# Ours.");
  });

  it("refuses a folder that is not where its answers say", async () => {
    git(work, "init", "--quiet");
    const folder = await repository([], "services/orders");
    const { stderr, code } = await run(
      [process.execPath, packed.bin, "add", "directory=orders", "--no-install"],
      folder,
    );
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('the folder is "services/orders" in its git repository'),
    ]);
  });

  it("moves with its folder, and upgrades a tree with CRLF", async () => {
    const folder = await repository();
    for (const path of ["package.json", "src/quotes.ts"])
      put(folder, path, textOf(folder, path).replaceAll("\n", "\r\n"));
    put(folder, ".gitattributes", "* -text\n");
    commit(folder);
    renameSync(folder, join(work, "elsewhere"));
    expect(await upgrade(join(work, "elsewhere"), ["--to", next, "--no-install"])).toMatchObject({ code: 0 });
    expect(textOf(join(work, "elsewhere"), "src/quotes.ts")).toMatch(/^\/\/ New in 9\.0\.0\.\r\n/);
    expect(textOf(join(work, "elsewhere"), "package.json")).toMatch(/\r\n {4}"upgrade": "antifragile upgrade",\r\n/);
  });

  it("takes the default of an option that the answers lack, and names it", async () => {
    const folder = await repository();
    put(folder, ".antifragile.json", textOf(folder, ".antifragile.json").replace('  "chaos": false,\n', ""));
    commit(folder);
    expect(await upgrade(folder)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("  new option chaos: false,"),
    });
  });

  it("finishes an upgrade that was killed, and until then refuses to look past it", async () => {
    const folder = await repository();
    const file = join(folder, ".git/antifragile-upgrade.json");
    writeFileSync(
      file,
      JSON.stringify({ pid: 0, files: { "added.txt": [null, Buffer.from("new").toString("base64")] } }),
    );
    for (const flag of ["--check", "--dry-run"]) expect(await upgrade(folder, [flag])).toMatchObject({ code: 3 });
    const { code, stdout } = await upgrade(folder);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining("was interrupted while it wrote: finished"),
    });
    expect([textOf(folder, "added.txt"), existsSync(file)]).toEqual(["new", false]);
  });
});

/** Code that signals its process before the n-th change of a file of a repository or of its journal, and counts all of them. */
const INTERRUPT_AT = `
const disk = require("node:fs/promises");
const { REPOSITORY, COUNT, AT, SIGNAL } = process.env;
let count = 0;
for (const name of ["rename", "unlink", "writeFile"]) {
  const real = disk[name];
  disk[name] = async (path, ...others) => {
    if (String(path).startsWith(REPOSITORY)) {
      if (count++ === Number(AT)) {
        process.kill(process.pid, SIGNAL);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      require("node:fs").writeFileSync(COUNT, String(count));
    }
    return real(path, ...others);
  };
}
`;

describe("an upgrade that is interrupted for real", () => {
  let before: Record<string, string>;
  let after: Record<string, string>;
  let writes: number;
  let base: string;

  const interrupted = (folder: string, at: number, signal: NodeJS.Signals) => {
    const env = {
      NODE_OPTIONS: `--require ${join(base, "interrupt.js")}`,
      ...{ REPOSITORY: folder, COUNT: join(base, "count"), AT: `${at}`, SIGNAL: signal },
    };
    return run([process.execPath, packed.bin, "upgrade", "--no-install"], folder, { env });
  };

  beforeAll(async () => {
    base = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-interrupted-")));
    await generate(versionOf("0.0.2"), join(base, "orders"), EVERYTHING);
    git(join(base, "orders"), "init", "--quiet");
    commit(join(base, "orders"));
    writeFileSync(join(base, "interrupt.js"), INTERRUPT_AT);
    const folder = join(base, "counted");
    cpSync(join(base, "orders"), folder, { recursive: true });
    before = tree(folder);
    expect(await interrupted(folder, -1, "SIGKILL")).toMatchObject({ code: 0 });
    writes = Number(readFileSync(join(base, "count"), "utf8"));
    after = tree(folder);
  });
  afterAll(() => rmSync(base, { recursive: true, force: true }));

  it.each([0, 2, 3, 5, 0.5, -2, -1])(
    "is finished by the next run, if it is killed before write %d; git undoes it",
    async (at) => {
      const folder = join(work, "orders");
      cpSync(join(base, "orders"), folder, { recursive: true });
      const index = at < 0 ? writes + at : at === 0.5 ? Math.floor(writes / 2) : at;
      expect(await interrupted(folder, index, "SIGKILL")).toMatchObject({ code: null, signal: "SIGKILL" });
      // The third write gives the journal its name.
      const journal = existsSync(join(folder, ".git/antifragile-upgrade.json"));
      expect(journal).toBe(index > 2);
      if (!journal) expect(tree(folder)).toEqual(before);
      expect(await upgrade(folder)).toMatchObject({ code: 0 });
      expect(tree(folder)).toEqual(after);
      git(folder, "restore", ".");
      git(folder, "clean", "-fd", ".");
      expect(tree(folder)).toEqual(before);
    },
  );

  it.each<NodeJS.Signals>(["SIGINT", "SIGTERM", "SIGHUP"])(
    "writes all files at %s, and does not succeed",
    async (signal) => {
      const folder = join(work, "orders");
      cpSync(join(base, "orders"), folder, { recursive: true });
      expect(await interrupted(folder, Math.floor(writes / 2), signal)).toMatchObject({ code: 130 });
      expect(tree(folder)).toEqual(after);
    },
  );
});

describe("antifragile add", () => {
  const add = (folder: string, ...args: string[]) => run([process.execPath, packed.bin, "add", ...args], folder);

  it.each([
    ["cache", [], ["--cache", "valkey"]],
    ["queue", ["--database", "postgres"], ["--database", "postgres", "--queue", "sqs"]],
    ["database", ["--job", "--cache", "valkey"], ["--job", "--cache", "valkey", "--database", "postgres"]],
    ["ci=github-actions", [], ["--ci", "github-actions"]],
    ["calls=payments", ["--auth", "none"], ["--auth", "none", "--calls", "payments"]],
    ["provider=6", ["--deployment", "rolling"], ["--provider", "6"]],
    ["deployment=canary", ["--provider", "6"], ["--provider", "6", "--deployment", "canary"]],
    ["engine=cdktn", ["--provider", "6"], ["--engine", "cdktn"]],
    ["environments=qa", ["--ci", "jenkins"], ["--ci", "jenkins", "--environments", "qa"]],
    ["environments=uat", ["--platform", "--environments", "qa"], ["--platform", "--environments", "qa,uat"]],
  ])("%s to %j makes an untouched repository equal to a fresh one with %j", async (need, before, after) => {
    const folder = join(work, "orders");
    await generate(packed.folder, folder, before);
    git(folder, "init", "--quiet");
    commit(folder);
    expect(await add(folder, need, "--no-install")).toMatchObject({ code: 0, stderr: "" });
    await generate(packed.folder, join(work, "fresh"), after);
    expect(tree(folder)).toEqual(tree(join(work, "fresh")));
  });

  it("adds environments before production, and keeps the values of the others and stages of one's own", async () => {
    const folder = join(work, "orders");
    await generate(packed.folder, folder, ["--ci", "github-actions", "--database", "postgres"]);
    git(folder, "init", "--quiet");
    const path = "infra/environments.ts";
    const filled = textOf(folder, path)
      .replaceAll(/placeholder\("12-digit[^"]*"\)/g, '"123456789012"')
      .replace('placeholder("domain of the load balancer, for example staging.example.com")', '"staging.acme.com"')
      .replace('"db.t4g.medium"', '"db.r7g.large"');
    put(folder, path, filled);
    const ci = ".github/workflows/delivery.yml";
    put(
      folder,
      ci,
      textOf(folder, ci).replace('release staging --image "$IMAGE"', 'release staging --image "$IMAGE" --force'),
    );
    commit(folder);
    for (const name of ["qa", "uat"]) {
      expect(await add(folder, `environments=${name}`, "--no-install")).toMatchObject({ code: 0, stderr: "" });
      commit(folder);
    }
    expect(JSON.parse(textOf(folder, ".antifragile.json")).environments).toBe("qa,uat");
    const block = /^ {2}\{\n {4}name: "(\w+)"[\s\S]*?^ {2}\},\n/gm;
    const [before, after] = [filled, textOf(folder, path)].map((text) => [...text.matchAll(block)]);
    expect(after!.map(([, name]) => name)).toEqual(["dev", "staging", "qa", "uat", "production"]);
    expect(after!.flatMap(([text, name]) => (/^(qa|uat)$/.test(name!) ? [] : [text]))).toEqual(
      before!.map(([text]) => text),
    );
    const workflow = textOf(folder, ci);
    expect([...workflow.matchAll(/^ {2}([\w-]+):\n {4}needs: (.*)$/gm)].map(([, job, needs]) => [job, needs])).toEqual([
      ["image", "test"],
      ["staging", "[image, test]"],
      ["qa", "[image, staging]"],
      ["uat", "[image, qa]"],
      ["production-plan", "uat"],
      ["production", "[image, production-plan]"],
    ]);
    expect([...workflow.matchAll(/release (\w+) .*--force/g)].map(([, name]) => name)).toEqual(["staging"]);
  });

  it("moves to CDK Terrain by the names of two packages, the version of Node.js and a file of types", async () => {
    const folder = join(work, "orders");
    await generate(packed.folder, folder, ["--provider", "6"]);
    git(folder, "init", "--quiet");
    commit(folder);
    const { stdout } = await add(folder, "engine=cdktn", "--dry-run");
    const changed = stdout.split("\n").filter((line) => /^[-+](?![-+])/.test(line));
    expect(changed.map((line) => line.replace(/ +/, " "))).toEqual([
      '- "engine": "cdktf",',
      '+ "engine": "cdktn",',
      "+/** Declares the packages of CDK for Terraform, which the types of antifragile name, as those of CDK Terrain. */",
      '+import type {} from "antifragile/cdktn";',
      '- "node": "^20.19.0 || ^22.13.0 || >=24.0.0"',
      '+ "node": "^22.13.0 || >=24.0.0"',
      '- "@cdktf/provider-aws": "21.22.1",',
      '+ "@cdktn/provider-aws": "25.7.0",',
      '- "cdktf": "0.21.0",',
      '+ "cdktn": "0.24.0",',
    ]);
  });

  it("refuses CDK Terrain while the repository has AWS provider 5", async () => {
    const folder = join(work, "orders");
    await generate(packed.folder, folder);
    git(folder, "init", "--quiet");
    commit(folder);
    expect(await add(folder, "engine=cdktn", "--dry-run")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("CDK Terrain has bindings of AWS provider 6 only; use 6"),
    });
  });

  it("refuses a deployment that replaces the service, and states the way that does not", async () => {
    const folder = join(work, "orders");
    await generate(packed.folder, folder);
    git(folder, "init", "--quiet");
    commit(folder);
    const before = tree(folder);
    expect(await add(folder, "deployment=canary", "--no-install")).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringMatching(
        /is replaced, an outage.*Instead: first `antifragile add provider=6`.*--allow-replace/s,
      ),
    });
    expect(tree(folder)).toEqual(before);
    expect(await add(folder, "deployment=canary", "--no-install", "--allow-replace")).toMatchObject({ code: 0 });
    await generate(packed.folder, join(work, "fresh"), ["--deployment", "canary"]);
    expect(tree(folder)).toEqual(tree(join(work, "fresh")));
  });

  it.each<[string, readonly string[], string]>([
    ["a service", ["--environments", "qa"], "orders"],
    ["a platform", ["--platform", "--environments", "qa"], "orders"],
    ["a service that joins a platform", ["--joins", "shop", "--environments", "qa"], "shop"],
  ])(
    "service=stock puts a repository of its own into a folder of %s, and changes nothing else",
    async (_, flags, joins) => {
      const folder = join(work, "orders");
      await generate(packed.folder, folder, flags);
      git(folder, "init", "--quiet");
      commit(folder);
      const before = tree(folder);
      expect(await add(folder, "service=stock", "--dry-run")).toMatchObject({ code: 0, stderr: "" });
      expect(git(folder, "status", "--porcelain")).toBe("");
      expect(await add(folder, "service=stock", "--no-install")).toMatchObject({ code: 0, stderr: "" });
      const stock = join(folder, "stock");
      const others = Object.entries(tree(folder)).filter(([path]) => !path.startsWith("stock/"));
      expect(Object.fromEntries(others)).toEqual(before);
      const choices = ["--joins", joins, "--ci", "none", "--environments", "qa"];
      const quick = ["--yes", "--no-install", "--no-git"];
      await run(
        [process.execPath, packed.bin, "new", join(work, "fresh"), "--name", "stock", ...choices, ...quick],
        work,
      );
      const { "biome.json": settings, ...files } = tree(join(work, "fresh"));
      expect(tree(stock)).toEqual({ ...files, "biome.json": expect.any(String) });
      expect(JSON.parse(textOf(stock, "biome.json"))).toMatchObject({ root: false });
      expect(existsSync(join(stock, ".git"))).toBe(false);

      commit(folder);
      const biome = join(__dirname, "../../node_modules/@biomejs/biome/bin/biome");
      for (const at of [folder, stock]) {
        const lint = await run([process.execPath, biome, "check", "."], at);
        expect(lint, lint.stdout).toMatchObject({ code: 0 });
        expect(await upgrade(at, ["--check"])).toMatchObject({
          code: 0,
          stdout: expect.stringContaining("nothing to"),
        });
      }
    },
  );

  it("keeps edits, and lists what is left to do", async () => {
    const folder = await repository();
    put(folder, "src/quotes.ts", `// Mine.\n${textOf(folder, "src/quotes.ts")}`);
    rmSync(join(folder, "test/logs.test.ts"));
    commit(folder);
    expect(await add(folder, "job", "--dry-run")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('+  "job": true'),
    });
    expect(git(folder, "status", "--porcelain")).toBe("");
    const { code, stdout } = await add(folder, "job", "--no-install");
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/add {7}src\/job\.ts\n[\s\S]*\nTo do:\n {2}npm install\n[\s\S]*npm run doctor/),
    });
    expect(textOf(folder, "src/quotes.ts")).toMatch(/^\/\/ Mine\.\n/);
    expect([existsSync(join(folder, "src/job.ts")), existsSync(join(folder, "test/logs.test.ts"))]).toEqual([
      true,
      false,
    ]);
  });

  it.each<[string, readonly string[], number, RegExp]>([
    ["nothing", [], 2, /<need>: is missing/],
    ["an unknown need", ["cach"], 2, /"cach" cannot be added; use one of .*did you mean cache/],
    ["a name", ["name=other"], 2, /cannot be added/],
    ["a choice without its value", ["ci"], 2, /use ci=codepipeline\|github-actions/],
    ["a text without its value", ["calls"], 2, /use calls=NAME/],
    ["a value of a flag", ["job=yes"], 2, /use job/],
    ["a removal", ["auth=none"], 2, /use auth=oidc/],
    ["an unknown value", ["cache=redis"], 2, /valkey/],
    ["a service without its name", ["service"], 2, /use service=NAME/],
    ["a service with the name of this one", ["service=orders"], 2, /use service=NAME/],
    ["a service with another name than one", ["service=../stock"], 2, /--name: "..\/stock" is not allowed/],
    ["a service in a folder that is in use", ["service=src"], 3, /src/],
    ["an environment that is there", ["environments=staging"], 2, /environments: "staging" is not allowed; use names/],
    ["what is there", ["auth"], 2, /has auth oidc already/],
  ])("refuses %s", async (_, args, code, message) => {
    const folder = await repository();
    const before = tree(folder);
    expect(await add(folder, ...args)).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(message) });
    expect(tree(folder)).toEqual(before);
  });
});

describe("antifragile remove", () => {
  const remove = (folder: string, ...args: string[]) => run([process.execPath, packed.bin, "remove", ...args], folder);

  it("undoes additions, and keeps edits", async () => {
    const folder = join(work, "orders");
    await generate(packed.folder, folder, [...EVERYTHING, "--chaos"]);
    git(folder, "init", "--quiet");
    put(folder, "src/worker.ts", `// Mine.\n${textOf(folder, "src/worker.ts")}`);
    commit(folder);
    for (const need of ["cache", "job", "calls", "chaos"]) {
      expect(await remove(folder, need, "--no-install")).toMatchObject({ code: 0, stderr: "" });
      commit(folder);
    }
    const { code, stdout } = await remove(folder, "queue", "--no-install");
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /keep {6}src\/worker\.ts {2}\(the new version does not have it[\s\S]*--allow-delete/,
      ),
    });
    rmSync(join(folder, "src/worker.ts"));
    await generate(packed.folder, join(work, "fresh"), ["--database", "postgres"]);
    expect(tree(folder)).toEqual(tree(join(work, "fresh")));
  });

  it.each<[string, string, number, RegExp]>([
    ["a database", "database", 2, /"database" cannot be removed; use one of cache, /],
    ["what is not there", "cache", 2, /has no cache/],
  ])("refuses %s", async (_, need, code, message) => {
    const folder = await repository();
    expect(await remove(folder, need)).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(message) });
  });
});

describe("antifragile upgrade refuses", () => {
  it.each<[string, (folder: string) => void, readonly string[], number, RegExp]>([
    ["a tree with changes", (folder) => put(folder, "src/app.ts", "x"), [], 3, /not committed[\s\S]* M src\/app\.ts/],
    ["a new file", (folder) => put(folder, "new.txt", "x"), [], 3, /\?\? new\.txt/],
    ["a folder without git", (folder) => rmSync(join(folder, ".git"), { recursive: true }), [], 2, /needs git/],
    [
      "a folder without answers",
      (folder) => rmSync(join(folder, ".antifragile.json")),
      [],
      2,
      /\.antifragile\.json was not found here/,
    ],
    ["a file that is not a package", () => undefined, ["--to", "package.json"], 2, /not a package of antifragile/],
    [
      "a package that is cut off",
      (folder) => {
        put(folder, ".git/cut.tgz", "");
        writeFileSync(join(folder, ".git/cut.tgz"), readFileSync(next).subarray(0, 100_000));
      },
      ["--to", ".git/cut.tgz"],
      2,
      /not a package of antifragile.*\n.*(tar|gzip)/s,
    ],
    ["a file that does not exist", () => undefined, ["--to", "nothing.tgz"], 2, /not a package of antifragile/],
    ["an operand", () => undefined, ["now"], 2, /not expected here/],
    [
      "a version that is not one",
      (folder) => put(folder, ".antifragile.json", '{ "antifragile": { "version": "../x", "schema": 1 } }'),
      ["--check"],
      2,
      /is not a version/,
    ],
    [
      "a missing package",
      (folder) => rmSync(join(folder, "vendor"), { recursive: true }),
      ["--check"],
      2,
      /is missing/,
    ],
    [
      "answers that are not valid",
      (folder) => put(folder, ".antifragile.json", textOf(folder, ".antifragile.json").replace('"oidc"', '"x"')),
      ["--check"],
      1,
      /cannot render[\s\S]*auth/,
    ],
  ])("%s", async (_, prepare, flags, code, message) => {
    const folder = await repository();
    prepare(folder);
    const before = tree(folder);
    const result = await upgrade(folder, flags);
    expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(message) });
    expect(tree(folder)).toEqual(before);
  });

  it("an older version", async () => {
    const folder = await repository();
    await upgrade(folder, ["--to", next, "--no-install"]);
    commit(folder);
    expect(await upgrade(folder)).toMatchObject({ code: 2, stderr: expect.stringMatching(/is newer than/) });
  });
});
