import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kebab } from "../../contract/names";
import type { OptionTable } from "../../generator/option-table";
import { options } from "../../generator/options";
import { loadTemplates } from "../../generator/package-files";
import { render } from "../../generator/render";
import { recordNew } from "../../scripts/record";
import { runsOf } from "../../scripts/terminal-svg";
import { requiring } from "../support/required-tools";
import { Terminal } from "../support/terminal";
import { run, usePackage } from "./packed";

const packed = usePackage();
let work: string;
beforeEach(() => {
  work = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-cli-")));
});
afterEach(() => rmSync(work, { recursive: true, force: true }));

const cli = (args: string[], options: Parameters<typeof run>[2] & { cwd?: string } = {}) =>
  run([process.execPath, packed.bin, ...args], options.cwd ?? work, options);

const quick = ["--yes", "--no-install", "--no-git"];

/** Everything below a folder with its content. */
function tree(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), entry.isFile() ? readFileSync(path, "base64") : "folder"];
    }),
  );
}

describe("the packed executable", () => {
  it("prints its help and its version", async () => {
    for (const args of [["--help"], ["-h"], ["help"]]) {
      const { code, stdout, stderr } = await cli(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^Usage: antifragile <command>\n[\s\S]* {2}new {2}/);
    }
    const version = await cli(["--version"]);
    expect(version).toMatchObject({
      code: 0,
      stdout: `${JSON.parse(readFileSync(join(packed.folder, "package.json"), "utf8")).version}\n`,
    });
    expect(await cli([])).toMatchObject({ code: 2 });
  });

  it("prints every option of new", async () => {
    const { code, stdout } = await cli(["new", "--help"]);
    expect(code).toBe(0);
    for (const flag of ["--name", "--region", "--license", "--dry-run", "--answers FILE", "-y, --yes"])
      expect(stdout).toContain(flag);
    for (const line of stdout.split("\n")) expect(line.trimEnd()).toBe(line);
  });

  it("suggests the closest command and flag", async () => {
    expect(await cli(["nwe"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unknown command "nwe"; did you mean new?'),
    });
    expect(await cli(["constructor"])).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown command") });
    expect(await cli(["new", "orders", "--regoin", "x", "--yes"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--regoin: unknown flag; did you mean --region?"),
    });
    expect(readdirSync(work)).toEqual([]);
  });

  it("needs no installed package and is small enough for npx", () => {
    const { dependencies, scripts } = JSON.parse(readFileSync(join(packed.folder, "package.json"), "utf8"));
    expect(dependencies ?? {}).toEqual({});
    for (const hook of ["preinstall", "install", "postinstall", "prepare"])
      expect(scripts ?? {}).not.toHaveProperty(hook);
    expect(statSync(packed.tarball).size).toBeLessThanOrEqual(500_000);
  });

  it("loads the prompts only when it must ask a question", () => {
    // Inquirer starts with reading what the terminal can; the profile of loaded built-in modules shows it.
    const loads = (args: string[]): boolean => {
      const hook =
        "const M=require('node:module'),l=M._load;M._load=function(r,...a){if(/readline/.test(r))process.stderr.write('LOADED');return l.call(this,r,...a)};";
      const file = join(work, "hook.cjs");
      writeFileSync(file, hook);
      const { CI, ...env } = process.env;
      return spawnSync(process.execPath, ["-r", file, packed.bin, ...args], { cwd: work, input: "", env })
        .stderr.toString()
        .includes("LOADED");
    };
    expect(loads(["--help"])).toBe(false);
    expect(loads(["new", "--help"])).toBe(false);
    expect(loads(["new", "orders", ...quick])).toBe(false);
    expect(loads(["new", "payments", "--interactive"])).toBe(true);
  });

  it("reads little to print a help: one file, and no module of Node.js that takes milliseconds to load", async () => {
    const { stdout } = await cli(["--help"]);
    const names = [...stdout.matchAll(/^ {2}([a-z-]+) {2,}/gm)].map(([, name]) => name as string);
    expect(names).toContain("gameday");
    const loadedBy = async (args: string[]) => {
      const script = `process.argv = ${JSON.stringify([process.execPath, packed.bin, ...args])};
        process.on("exit", () => console.error(JSON.stringify([...Object.keys(require.cache), ...process.moduleLoadList])));
        require(${JSON.stringify(packed.bin)});`;
      const { stderr } = await run([process.execPath, "-e", script], work);
      const loaded: string[] = JSON.parse(stderr);
      return loaded.filter((each) => /^\/|^NativeModule (child_process|crypto|fs\/promises|http|os|zlib)$/.test(each));
    };
    const ofHelp = await Promise.all(names.map((name) => loadedBy([name, "--help"])));
    expect(ofHelp).toEqual(names.map(() => [packed.bin]));
    const ofNew = await loadedBy(["new", "orders", ...quick]);
    for (const name of ["commands.js", "templates.js"]) expect(ofNew).toContain(join(packed.folder, "dist/bin", name));
    // Node.js parses all of a file: the code that commands run is in the others.
    expect(statSync(packed.bin).size).toBeLessThan(120_000);
  });

  it.each(["18.20.0", "20.18.9", "16.0.0"])("reports the required version to a user of Node.js %s", (version) => {
    const script = `Object.defineProperty(process.versions, "node", { value: "${version}" }); process.argv = [process.argv[0], "antifragile", "--help"]; require(${JSON.stringify(packed.bin)});`;
    const { status, stderr } = spawnSync(process.execPath, ["-e", script]);
    expect(stderr.toString()).toBe(
      `antifragile needs Node.js 20.19 or newer; this is ${version}. Install the current release from https://nodejs.org\n`,
    );
    expect(status).toBe(2);
  });

  it("reports an internal error as such", async () => {
    const broken = join(work, "package");
    cpSync(packed.folder, broken, { recursive: true });
    rmSync(join(broken, "dist/bin/templates.js"));
    const { code, stderr } = await run(
      [process.execPath, join(broken, "dist/bin/antifragile.js"), "new", "orders", ...quick],
      work,
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/^✖ internal error in antifragile, not caused by your input:\n.*templates\.js/);
    expect(readdirSync(work)).toEqual(["package"]);
  });

  it("tolerates a closed pipe", () => {
    const { status, stderr } = spawnSync("/bin/sh", [
      "-c",
      `"$0" "$1" new --help | head -n 1`,
      process.execPath,
      packed.bin,
    ]);
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: "" });
  });
});

describe("new", () => {
  it("writes the same bytes for the same answers, and from the recorded answers", async () => {
    for (const folder of ["a", "b"]) mkdirSync(join(work, folder));
    const description = 'Says "hello" {{name}} \\ & more';
    const first = await cli(["new", "a/orders", ...quick, "--description", description, "--license=mit-0"]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const again = await cli(["new", "b/other", ...quick, "--answers", "a/orders/.antifragile.json"]);
    expect(again).toMatchObject({ code: 0, stderr: "" });
    expect(tree(join(work, "b/other"))).toEqual(tree(join(work, "a/orders")));
    expect(readdirSync(work).sort()).toEqual(["a", "b"]);
  });

  /** Every option of a service. */
  const everything = Object.entries(options as OptionTable).flatMap(([key, row]) => {
    // Allowed in a folder of a git repository alone.
    if (key === "directory") return [];
    if (row.kind === "flag") return key === "platform" ? [] : [`--${kebab(key)}`];
    const value = row.kind === "text" ? row.example : Object.keys(row.values).find((word) => word !== "none");
    return [`--${kebab(key)}=${value}`];
  });

  it.each([
    ["a service", everything],
    ["a platform", ["--platform", "--license=mit-0"]],
  ])(
    "writes the files that the sources render, for %s: templates are compiled when the package is built",
    async (_of, flags) => {
      // In a git repository, where some files are at the root.
      mkdirSync(join(work, "services"));
      execFileSync("git", ["init", "-q"], { cwd: work });
      const { code, stderr } = await cli(["new", "services/orders", ...quick, ...flags]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const recorded = JSON.parse(readFileSync(join(work, "services/orders/.antifragile.json"), "utf8"));
      const files = render(recorded, loadTemplates(join(__dirname, "../..")));
      const written = tree(work);
      for (const [path, { content }] of files) {
        if (path === ".antifragile.json") continue;
        expect(written[join("services/orders", path)], path).toBe(Buffer.from(content).toString("base64"));
      }
    },
  );

  it("writes a platform without a service, and lists the next steps", async () => {
    const { code, stdout, stderr } = await cli(["new", "shop", "--platform", ...quick]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { scripts, dependencies } = JSON.parse(readFileSync(join(work, "shop/package.json"), "utf8"));
    expect(dependencies).toBeUndefined();
    const told = [...stdout.matchAll(/^ {4}npm (?:run )?([a-z:]+)/gm)].map(([, script]) => script!);
    expect(told).toEqual(["install", "snapshot", "test", "deploy:local", "doctor", "deploy"]);
    for (const script of told.slice(1)) expect(Object.keys(scripts)).toContain(script);
    expect(readdirSync(join(work, "shop")).sort()).toEqual(
      [
        ".antifragile.json",
        ".gitattributes",
        ".gitignore",
        ".npmrc",
        "README.md",
        "biome.json",
        "infra",
        "package.json",
        "tsconfig.json",
        "vendor",
        "vitest.config.mts",
      ].sort(),
    );
  });

  it("refuses options of a service for a platform, each by its name, and writes nothing", async () => {
    const { code, stderr } = await cli(["new", "shop", "--platform", "--joins=mall", "--job", "--auth=none", ...quick]);
    expect(code).toBe(2);
    expect(stderr.split("\n").slice(0, 3)).toEqual(
      ["joins", "job", "auth"].map((key) => expect.stringContaining(`--${key}: does not apply with --platform`)),
    );
    expect(readdirSync(work)).toEqual([]);
  });

  it("takes answers from stdin", async () => {
    const input = JSON.stringify({ name: "payments", region: "eu-west-1" });
    expect(await cli(["new", "--answers", "-", "--no-install", "--no-git"], { input })).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(join(work, "payments/.antifragile.json"), "utf8"))).toMatchObject({
      name: "payments",
      region: "eu-west-1",
    });
  });

  it("lists what is missing, without a terminal", async () => {
    const { code, stderr, stdout } = await cli(["new"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^✖ missing: --name TEXT {2}/);
  });

  it("writes nothing on a dry run", async () => {
    const { code, stdout } = await cli(["new", "orders", "--dry-run"]);
    expect(code).toBe(0);
    expect(stdout).toContain("package.json");
    expect(stdout).toContain("Dry run: nothing was written.");
    expect(readdirSync(work)).toEqual([]);
  });

  it("twice leaves the first repository as it is", async () => {
    await cli(["new", "orders", ...quick]);
    const before = tree(work);
    const { code, stderr } = await cli(["new", "orders", ...quick]);
    expect(code).toBe(3);
    expect(stderr).toContain("is not empty");
    expect(tree(work)).toEqual(before);
  });

  it("keeps unexpected files of a folder, and lists them", async () => {
    mkdirSync(join(work, "orders/src"), { recursive: true });
    writeFileSync(join(work, "orders/src/mine.ts"), "mine");
    symlinkSync("/etc", join(work, "orders/link"));
    expect(await cli(["new", "orders", ...quick])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/ {2}link\n {2}src\/\n/),
    });
    expect(readdirSync(join(work, "orders"))).toEqual(["link", "src"]);
  });

  it.each([
    ["a file as parent", "file/orders", 2],
    ["an absent parent", "absent/orders", 2],
    ["a file in its place", "file", 3],
    ["a link in its place", "link", 3],
    ["a file system that takes no files", "/proc/orders", 1],
    ["a folder of git", ".git/orders", 2],
    ["a control character", "or\u001b[2Jders", 2],
    ["a parent that leads away and is not there", "../../../../../../nowhere/orders", 2],
  ])("explains why a folder cannot be written: %s", async (_title, folder, exitCode) => {
    writeFileSync(join(work, "file"), "mine");
    symlinkSync("/etc", join(work, "link"));
    const before = tree(work);
    const { code, stderr, stdout } = await cli(["new", folder, ...quick, "--name", "orders"]);
    expect(code).toBe(exitCode);
    expect(stderr).toMatch(/^✖ [\s\S]*\n$/);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(stdout + stderr).not.toContain("\u001b");
    expect(tree(work)).toEqual(before);
  });

  const hostile = [
    "../x",
    "/etc/x",
    "C:\\x",
    "a\nb",
    "$(id)",
    "a;b",
    "`id`",
    ".git",
    "node_modules",
    "con",
    "nul",
    "а-b",
    "x".repeat(300),
    "{{constructor}}",
    '${file("/etc/passwd")}',
    "%{ if true }",
    "\u001b[2J",
    "__proto__",
  ];
  it.each(hostile)("refuses the name %j from a flag and from a file, and writes nothing anywhere", async (name) => {
    const byFlag = await cli(["new", "orders", ...quick, `--name=${name}`]);
    const byFile = await cli(["new", "orders", ...quick, "--answers", "-"], { input: JSON.stringify({ name }) });
    for (const { code, stderr } of [byFlag, byFile]) {
      expect(code).toBe(2);
      expect(stderr).toMatch(/^✖ (--name|stdin: name): "/);
      expect(stderr).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    }
    expect(readdirSync(work)).toEqual([]);
  });

  it.each([
    '{"__proto__":{"x":1},"name":"orders"}',
    '{"constructor":{"prototype":{"x":1}},"name":"orders"}',
    '{"name":"orders","name":"b"}',
    "[".repeat(60_000),
    `{"name":"${"x".repeat(2_000_000)}"}`,
    "",
    "\u001b[2J",
  ])("refuses invalid answers: %.30s", async (input) => {
    const { code, stderr } = await cli(["new", "orders", ...quick, "--answers", "-"], { input });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^✖ stdin: /);
    expect(stderr).not.toContain("\u001b");
    expect(readdirSync(work)).toEqual([]);
  });

  it("passes no user value to a shell: programs receive each as one argument", async () => {
    const bin = join(work, "bin");
    mkdirSync(bin);
    // Each leaves what a step looks for.
    const record = `require("node:fs").appendFileSync(${JSON.stringify(join(work, "argv"))}, process.argv.slice(1).join("\\n") + "\\n");`;
    const install = `const fs = require("node:fs"); const { dependencies, devDependencies } = JSON.parse(fs.readFileSync("package.json", "utf8"));
      for (const name of Object.keys({ ...dependencies, ...devDependencies })) { fs.mkdirSync("node_modules/" + name, { recursive: true }); fs.writeFileSync("node_modules/" + name + "/package.json", "{}"); }
      fs.writeFileSync("package-lock.json", "{}"); fs.mkdirSync("infra/test/__snapshots__", { recursive: true }); fs.writeFileSync("infra/test/__snapshots__/a", "");`;
    const listed = `if (process.argv[2] === "ls-tree") console.log(require("node:fs").readdirSync(".", { recursive: true }).join("\\n"));
      if (process.argv[2] === "rev-parse") process.exitCode = 128;`;
    for (const [program, script] of Object.entries({ npm: install, git: listed })) {
      writeFileSync(join(bin, program), `#!${process.execPath}\n${record}\n${script}\n`);
      chmodSync(join(bin, program), 0o755);
    }
    const description = "$(touch pwned) `touch pwned`; touch pwned && x";
    const folder = "or ders; $(touch pwned)";
    const { code } = await cli(["new", folder, "--yes", "--name=orders", `--description=${description}`], {
      env: { PATH: `${bin}:/usr/bin:/bin` },
    });
    expect(code).toBe(0);
    const words = readFileSync(join(work, "argv"), "utf8").split("\n");
    expect(words).toContain("install");
    expect(words).toContain("commit");
    expect(words.filter((word) => word.includes("touch"))).toEqual([]);
    expect(Object.keys(tree(work)).filter((path) => path.endsWith("pwned"))).toEqual([]);
  });

  it("leaves a complete repository when it is interrupted after the files, and lists the remaining steps", async () => {
    const bin = join(work, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "npm"), `#!/bin/sh\ntouch "${work}/started"\nexec sleep 60\n`);
    chmodSync(join(bin, "npm"), 0o755);
    const running = cli(["new", "orders", "--yes"], {
      env: { PATH: `${bin}:${process.env.PATH}` },
      onOutput: (text, kill) => {
        if (!text.includes("vendor/")) return;
        const timer = setInterval(() => {
          if (!readdirSync(work).includes("started")) return;
          clearInterval(timer);
          kill("SIGINT");
        }, 20);
      },
    });
    const { code, stderr } = await running;
    expect(code).toBe(130);
    expect(stderr).toBe(
      "✖ canceled: ./orders is written; not done: npm install, npm run snapshot, git init, first commit\n",
    );
    expect(readdirSync(join(work, "orders"))).toContain("package.json");
  });

  /** Sends itself a signal before the n-th file is written. */
  const signalled = (signal: string, n: number, folder: string) => {
    const hook = join(work, "hook.cjs");
    writeFileSync(
      hook,
      `const disk = require("node:fs/promises"); const write = disk.writeFile; let n = 0;
      disk.writeFile = async (...args) => { if (n++ === ${n}) { process.kill(process.pid, "${signal}"); await new Promise(setImmediate); } return write(...args); };`,
    );
    return run([process.execPath, "-r", hook, packed.bin, "new", folder, ...quick], work);
  };

  it.each([0, 1, 5, 30])("leaves nothing when it is interrupted at file %i", async (n) => {
    mkdirSync(join(work, "empty"));
    for (const folder of ["absent", "empty"]) {
      const { code, stderr } = await signalled("SIGINT", n, folder);
      expect({ code, stderr }).toEqual({ code: 130, stderr: "✖ canceled: nothing was written\n" });
    }
    expect(Object.keys(tree(work)).sort()).toEqual(["empty", "hook.cjs"]);
  });

  it.each([0, 1, 5, 30])("repairs the state after a kill at file %i, and reports it", async (n) => {
    mkdirSync(join(work, "existing"));
    mkdirSync(join(work, "clean"));
    await cli(["new", "clean/orders", ...quick]);
    for (const folder of ["absent", "existing"]) {
      expect(await signalled("SIGKILL", n, folder)).toMatchObject({ code: null, signal: "SIGKILL" });
      const { code, stdout } = await cli(["new", folder, ...quick, "--name=orders"]);
      expect(code).toBe(0);
      if (n > 0) expect(stdout).toContain("an earlier run was killed while it wrote to");
      expect(tree(join(work, folder))).toEqual(tree(join(work, "clean/orders")));
    }
    expect(readdirSync(work).sort()).toEqual(["absent", "clean", "existing", "hook.cjs"]);
  });

  it("generates a repository that contains the package that generated it", async () => {
    await cli(["new", "orders", ...quick]);
    const vendor = join(work, "orders/vendor");
    const [name] = readdirSync(vendor);
    const list = (file: string): string[] => execFileSync("tar", ["-tzf", file]).toString().trim().split("\n").sort();
    expect(list(join(vendor, name!))).toEqual(list(packed.tarball));
    const unpacked = join(work, "unpacked");
    mkdirSync(unpacked);
    execFileSync("tar", ["-xzf", join(vendor, name!), "-C", unpacked]);
    expect(tree(join(unpacked, "package"))).toEqual(tree(packed.folder));

    // Its copy makes the same repository again, packed package included.
    mkdirSync(join(work, "second"));
    const copy = join(unpacked, "package/dist/bin/antifragile.js");
    const second = await run([process.execPath, copy, "new", "second/orders", ...quick], work);
    expect(second.code).toBe(0);
    expect(tree(join(work, "second/orders"))).toEqual(tree(join(work, "orders")));
  });
});

const unescapeXml = (text: string): string =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** Words on the screens of a terminal or in a drawing of them, whatever the numbers in them are. */
const wordsOf = (texts: readonly string[]): Set<string> =>
  new Set(texts.map((text) => text.replace(/\d+(\.\d+)?/g, "0")));

requiring(Terminal.missing).describe("new on a terminal", () => {
  let terminal: Terminal;
  beforeEach(() => {
    terminal = new Terminal();
  });
  afterEach(() => terminal.close());
  const open = (
    args: readonly string[],
    { term = "xterm-256color", ...size }: { columns?: number; rows?: number; term?: string } = {},
  ): void => {
    const words = [process.execPath, packed.bin, ...args].map((word) => `'${word}'`).join(" ");
    terminal.open(`env -u CI TERM=${term} ${words}; echo "exit code $?"; sleep 60`, work, size);
  };

  it("asks, shows the plan, and writes after a yes, as the recording in README shows", async () => {
    open(["new", "orders", "--no-install", "--no-git"], { columns: 80, rows: 36 });
    const frames = await recordNew(terminal, /exit code/);
    expect(terminal.screen()).toContain("exit code 0");
    const answers = JSON.parse(readFileSync(join(work, "orders/.antifragile.json"), "utf8"));
    expect(answers).toMatchObject({ name: "orders", description: "Takes orders" });

    const svg = readFileSync(join(__dirname, "../../docs/first-minute.svg"), "utf8");
    const shown = wordsOf([...svg.matchAll(/<tspan[^>]*>([^<]*)</g)].map(([, text = ""]) => unescapeXml(text)));
    const now = wordsOf(frames.flatMap(({ screen }) => runsOf(screen).flat()).map(({ text }) => text));
    // The recorded session installs, and commits.
    const without = ["exit code 0", "To finish:"];
    const withInstall = [
      ...["Next:", "$", "git init, first commit on main", "$ npx ./antifragile-0.0.tgz new orders"],
      ...["0 package", "0 packages"],
    ];
    // A running step, which a quick one never shows.
    const running = (text: string) => text.startsWith("…");
    const stale = "docs/first-minute.svg shows other words than the command: npm run docs:record";
    expect(
      [...now].filter((text) => !shown.has(text) && !running(text) && !without.includes(text)),
      stale,
    ).toEqual([]);
    expect(
      [...shown].filter((text) => !now.has(text) && !running(text) && !withInstall.includes(text)),
      stale,
    ).toEqual([]);
  });

  it("ends with 130 on Ctrl-C at a question, and has written nothing", async () => {
    open(["new", "orders"]);
    await terminal.until("What does it do");
    terminal.type("C-c");
    expect(await terminal.until("exit code")).toContain("exit code 130");
    expect(terminal.screen()).toContain("canceled: nothing was written");
    expect(readdirSync(work)).toEqual([]);
  });

  it("asks for numbers on a terminal that cannot move its cursor, and again after a wrong one", async () => {
    open(["new", "orders", "--no-install", "--no-git"], { columns: 60, rows: 60, term: "dumb" });
    const answer = async (question: string, ...keys: string[]) => {
      await terminal.until(question);
      for (const key of [...keys, "Enter"]) terminal.type(key);
    };
    await answer("[The orders service]");
    await answer("separated by spaces [none]:", "9");
    await answer("Type numbers from 1 to 4", "1 3");
    await answer("Who can call it?", "1");
    await answer("Which CI system deploys it?", "github-actions");
    await answer("Which engine", "0");
    await answer("Type a number from 1 to 2");
    await answer("How does a new version go live?");
    await answer("files to ./orders?");
    await terminal.until("exit code 0");
    expect(terminal.screen()).not.toContain("\u001b");
    const answers = JSON.parse(readFileSync(join(work, "orders/.antifragile.json"), "utf8"));
    expect(answers).toMatchObject({ database: "postgres", queue: "sqs", cache: "none", ci: "github-actions" });
  });

  it("ends with 130 on Ctrl-C there, too", async () => {
    open(["new", "orders"], { term: "dumb" });
    await terminal.until("[The orders service]");
    terminal.type("C-c");
    expect(await terminal.until("exit code")).toContain("exit code 130");
    expect(readdirSync(work)).toEqual([]);
  });
});
