import { spawn } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import realDisk from "node:fs/promises";
import { tmpdir } from "node:os";
import nodePath, { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OutputFile } from "../../generator/render";
import { type Disk, folderRefusal, inspectTarget, writeTree } from "../../generator/write";

const file = (content: string, mode = 0o644): OutputFile => ({ content, mode });
const files: ReadonlyMap<string, OutputFile> = new Map([
  ["README.md", file("# ours\n")],
  ["bin/run.sh", file("#!/bin/sh\n", 0o755)],
  ["package.json", file("{}\n")],
  ["src/deep/a.ts", file("export const a = 1;\n")],
  ["src/deep/b.ts", file("")],
]);
const never = new AbortController().signal;

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-write-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Everything below a folder: path -> content, mode and kind. */
function tree(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const stat = lstatSync(path);
    const content = stat.isFile() ? readFileSync(path, "base64") : stat.isSymbolicLink() ? "link" : "folder";
    found[nodePath.relative(folder, path)] = `${(stat.mode & 0o777).toString(8)} ${content}`;
  }
  return found;
}

const CHANGES = ["mkdir", "rename", "rmdir", "unlink", "writeFile"] as const;

/** The real disk, with something that happens before the n-th change (from 0). Counts the changes. */
function spiedDisk(before: (index: number) => void): { disk: Disk; changes: () => number } {
  let index = 0;
  const disk = { ...realDisk } as Record<string, unknown>;
  for (const name of CHANGES) {
    const real = realDisk[name] as (...args: unknown[]) => Promise<unknown>;
    disk[name] = async (...args: unknown[]) => {
      before(index++);
      return real(...args);
    };
  }
  return { disk: disk as unknown as Disk, changes: () => index };
}

const fault = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });

/** Number of disk operations of one complete write. */
async function changesOf(folder: string): Promise<number> {
  const { disk, changes } = spiedDisk(() => undefined);
  await writeTree(await inspectTarget(folder, true), files, never, disk);
  return changes();
}

const welcome = (folder: string): void => {
  mkdirSync(join(folder, ".git"), { recursive: true });
  writeFileSync(join(folder, ".git/HEAD"), "ref: refs/heads/main\n");
  writeFileSync(join(folder, "LICENSE"), "theirs\n");
  writeFileSync(join(folder, "README.md"), "# theirs\n");
};

describe.each([
  ["an absent folder", () => undefined],
  ["an empty folder", () => mkdirSync(join(root, "orders"))],
  ["a folder with .git, LICENSE and README.md", () => welcome(join(root, "orders"))],
])("writing to %s", (_title, prepare) => {
  const target = () => join(root, "orders");

  it("writes all missing files, with their modes, and nothing else", async () => {
    prepare();
    const before = tree(root);
    await writeTree(await inspectTarget(target(), true), files, never);
    const after = tree(root);
    expect(after).toMatchObject({
      ...before,
      "orders/bin/run.sh": `755 ${Buffer.from("#!/bin/sh\n").toString("base64")}`,
    });
    const theirs = Object.keys(before).filter((path) => path.includes("/"));
    const ours = [...files.keys(), "bin", "src", "src/deep"].map((path) => `orders/${path}`);
    expect(Object.keys(after).sort()).toEqual([...new Set(["orders", ...theirs, ...ours])].sort());
  });

  it("undoes everything if the n-th change fails, for each n", async () => {
    prepare();
    const before = tree(root);
    const probe = mkdtempSync(join(tmpdir(), "antifragile-probe-"));
    const total = await changesOf(before.orders === undefined ? join(probe, "orders") : probe);
    rmSync(probe, { recursive: true });
    expect(total).toBeGreaterThan(8);
    for (let n = 0; n < total - (before["orders/README.md"] === undefined ? 0 : 1); n++) {
      const { disk } = spiedDisk((index) => {
        if (index === n) throw fault("ENOSPC");
      });
      const writing = inspectTarget(target(), true).then((found) => writeTree(found, files, never, disk));
      await expect(writing, `change ${n}`).rejects.toMatchObject({
        exitCode: 1,
        message: expect.stringMatching(/cannot write .*: the disk is full/),
      });
      expect(tree(root), `change ${n}`).toEqual(before);
    }
  });

  it("undoes everything if it is interrupted before the n-th change, for each n until all files are written", async () => {
    prepare();
    const before = tree(root);
    for (let n = 0; ; n++) {
      const controller = new AbortController();
      const { disk, changes } = spiedDisk((index) => {
        if (index === n) controller.abort();
      });
      const result = await writeTree(await inspectTarget(target(), true), files, controller.signal, disk).then(
        () => "written",
        (error) => error.exitCode,
      );
      if (result === "written") {
        // Only after the last file does an interruption come too late.
        expect(n).toBeGreaterThanOrEqual(changes() - 2);
        break;
      }
      expect(result).toBe(130);
      expect(tree(root), `change ${n}`).toEqual(before);
    }
  });

  it("repairs the state after a kill before the n-th change and reports it, for each n", async () => {
    prepare();
    const before = tree(root);
    for (let n = 0; ; n++) {
      // As after SIGKILL: from the n-th change on nothing reaches the disk, the undoing included.
      const { disk, changes } = spiedDisk((index) => {
        if (index >= n) throw fault("EIO");
      });
      const killed = await writeTree(await inspectTarget(target(), true), files, never, disk).then(
        () => false,
        () => true,
      );
      if (!killed) {
        expect(n).toBe(changes());
        break;
      }
      const left = tree(root);
      const again = inspectTarget(target(), true);
      const complete =
        left["orders/.antifragile-journal.json"] !== undefined && left["orders/src/deep/b.ts"] !== undefined;
      if (complete) {
        await expect(again).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining("finished it") });
        expect(tree(root)["orders/.antifragile-journal.json"]).toBeUndefined();
        rmSync(target(), { recursive: true });
        prepare();
        continue;
      }
      const { notices } = await again;
      expect(tree(root), `change ${n}`).toEqual(before);
      if (Object.keys(left).some((path) => path.endsWith("package.json"))) expect(notices.join()).toContain("undid it");
    }
  });
});

describe("a folder that is not empty", () => {
  it("is refused with a list of its files, and not changed", async () => {
    const target = join(root, "orders");
    welcome(target);
    for (let i = 10; i < 24; i++) writeFileSync(join(target, `file-${i}`), "");
    mkdirSync(join(target, "src"));
    writeFileSync(join(target, "a\u001b[2J\n"), "");
    const before = tree(root);
    const refused = await inspectTarget(target, true).catch((error) => error);
    expect(refused.exitCode).toBe(3);
    expect(refused.message).toContain("a\\u001b[2J\\u000a");
    expect(refused.message).toContain("  file-10\n");
    expect(refused.message).toContain("  and 6 more\n");
    expect(refused.message).not.toMatch(/README\.md\n {2}/);
    expect(tree(root)).toEqual(before);
  });

  it.each(["README.md", "LICENSE"])("is refused when %s is a folder or a link", async (name) => {
    mkdirSync(join(root, "orders", name), { recursive: true });
    await expect(inspectTarget(join(root, "orders"), true)).rejects.toMatchObject({ exitCode: 3 });
    rmSync(join(root, "orders", name), { recursive: true });
    symlinkSync("/etc/hostname", join(root, "orders", name));
    await expect(inspectTarget(join(root, "orders"), true)).rejects.toMatchObject({ exitCode: 3 });
  });
});

describe("a folder that cannot be written", () => {
  it.each([
    ["a file", () => writeFileSync(join(root, "orders"), ""), "orders", 3, /is a file/],
    // To an empty folder: from Node.js 22 on, the comparison of the tree follows links.
    [
      "a link to a folder",
      () => {
        mkdirSync(join(root, "empty"));
        symlinkSync("empty", join(root, "orders"));
      },
      "orders",
      3,
      /is a symbolic link/,
    ],
    ["a dangling link", () => symlinkSync("/nowhere", join(root, "orders")), "orders", 3, /is a symbolic link/],
    ["below a file", () => writeFileSync(join(root, "a"), ""), "a/orders", 2, /is not a folder; make the folder first/],
    ["below an absent folder", () => undefined, "a/orders", 2, /does not exist; make the folder first/],
    [
      "a name that is too long",
      () => undefined,
      "x".repeat(201),
      2,
      /201 characters in its last part; 200 are allowed/,
    ],
  ])("is refused: %s", async (_title, prepare, folder, exitCode, message) => {
    prepare();
    const before = tree(root);
    await expect(inspectTarget(join(root, folder), true)).rejects.toMatchObject({
      exitCode,
      message: expect.stringMatching(message),
    });
    expect(tree(root)).toEqual(before);
  });

  it("is explained if permission is denied", async () => {
    for (const code of ["EACCES", "EPERM", "EROFS", "EDQUOT", "ENAMETOOLONG"]) {
      const { disk } = spiedDisk(() => {
        throw fault(code);
      });
      const target = await inspectTarget(join(root, "orders"), true);
      const refused = await writeTree(target, files, never, disk).catch((error) => error);
      expect(refused).toMatchObject({ exitCode: 1 });
      expect(refused.message).toMatch(/cannot write .*(no permission|read-only|quota|too long).*; /);
    }
    // The kernel's own file system refuses even root.
    const target = await inspectTarget("/proc/orders", true);
    await expect(writeTree(target, files, never)).rejects.toMatchObject({ exitCode: 1 });
  });

  it.each([
    ["/repos/.git/orders", "posix"],
    ["/repos/node_modules/orders", "posix"],
    ["C:\\work\\.GIT\\orders", "win32"],
    ["C:\\work\\con", "win32"],
    ["C:\\work\\nul.txt", "win32"],
    ["/repos/aux", "posix"],
    ["/repos/a\u0000b", "posix"],
    ["/repos/a\nb", "posix"],
    ["/repos/a<b", "posix"],
    ["/repos/a\\b", "posix"],
    ["C:\\work\\orders.", "win32"],
    ["/", "posix"],
    ["C:\\", "win32"],
  ] as const)("is refused by its name: %j", (folder, system) => {
    expect(folderRefusal(folder, nodePath[system])).toBeTypeOf("string");
  });

  it.each([
    ["/repos/orders", "posix"],
    ["/", "posix", "orders"],
    ["C:\\work\\orders", "win32"],
    ["/repos/.github", "posix"],
    ["/repos/Größe 2", "posix"],
  ] as const)("is not %j", (folder, system, name?: string) => {
    expect(folderRefusal(nodePath[system].join(folder, name ?? ""), nodePath[system])).toBeUndefined();
  });
});

describe("writing", () => {
  it("never follows a link that appears meanwhile, and keeps files of others", async () => {
    const target = join(root, "orders");
    mkdirSync(target);
    const outside = join(root, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "victim"), "safe");
    const found = await inspectTarget(target, true);
    for (const [name, to] of [
      ["src", outside],
      ["package.json", join(outside, "victim")],
    ] as const) {
      symlinkSync(to, join(target, name));
      const before = tree(root);
      await expect(writeTree(found, files, never)).rejects.toMatchObject({
        message: expect.stringContaining("meanwhile"),
      });
      expect(tree(root)).toEqual(before);
      rmSync(join(target, name));
    }
    writeFileSync(join(target, "package.json"), "");
    mkdirSync(join(target, "bin"));
    const before = tree(root);
    await expect(writeTree(found, files, never)).rejects.toMatchObject({ exitCode: 1 });
    expect(tree(root)).toEqual(before);
  });

  it("does not touch the folder of another run in progress, and names it", async () => {
    const target = join(root, "orders");
    const other = spawn("sleep", ["60"]);
    try {
      const staging = join(root, ".orders.antifragile");
      mkdirSync(staging);
      writeFileSync(
        join(staging, ".antifragile-journal.json"),
        JSON.stringify({ pid: other.pid, folders: [], files: { a: "x" } }),
      );
      writeFileSync(join(staging, "a"), "x");
      const before = tree(root);
      await expect(inspectTarget(target, true)).rejects.toMatchObject({
        exitCode: 3,
        message: expect.stringContaining(`process ${other.pid}`),
      });
      expect(tree(root)).toEqual(before);
    } finally {
      other.kill();
    }
  });

  it("keeps files that were changed after a kill, and reports it", async () => {
    const target = join(root, "orders");
    mkdirSync(target);
    const journal = { pid: 0, folders: ["src"], files: { "package.json": "{}\n", "src/a": "aaa", "src/b": "bbb" } };
    writeFileSync(join(target, ".antifragile-journal.json"), JSON.stringify(journal));
    mkdirSync(join(target, "src"));
    writeFileSync(join(target, "src/a"), "aa");
    writeFileSync(join(target, "src/b"), "mine");
    await expect(inspectTarget(target, true)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining("left src/b, changed since"),
    });
    expect(Object.keys(tree(target))).toEqual(["src", "src/b"]);
  });

  it("ignores a journal with paths outside of its folder", async () => {
    const target = join(root, "orders");
    mkdirSync(target);
    writeFileSync(join(root, "victim"), "");
    mkdirSync(join(root, "outside"));
    writeFileSync(join(root, "outside/victim"), "");
    symlinkSync(join(root, "outside"), join(target, "link"));
    for (const journal of [
      { pid: 0, folders: [], files: { "../victim": "x" } },
      { pid: 0, folders: [], files: { [join(root, "victim")]: "x", "/victim": "x" } },
      { pid: 0, folders: ["../outside"], files: {} },
      { pid: 0, folders: [], files: { "link/victim": "x" } },
      { pid: "0", folders: [], files: {} },
      { folders: {}, files: [] },
      null,
    ]) {
      writeFileSync(join(target, ".antifragile-journal.json"), JSON.stringify(journal));
      await expect(inspectTarget(target, true)).rejects.toMatchObject({ exitCode: 3 });
      expect(readFileSync(join(root, "victim"), "utf8") + readFileSync(join(root, "outside/victim"), "utf8")).toBe("");
    }
  });

  it("does not touch a folder with the staging name that it did not create", async () => {
    mkdirSync(join(root, ".orders.antifragile"));
    writeFileSync(join(root, ".orders.antifragile/mine"), "mine");
    const before = tree(root);
    await expect(inspectTarget(join(root, "orders"), true)).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining("is in the way"),
    });
    expect(tree(root)).toEqual(before);
  });

  it("repairs nothing in read-only mode", async () => {
    mkdirSync(join(root, ".orders.antifragile"));
    writeFileSync(
      join(root, ".orders.antifragile/.antifragile-journal.json"),
      JSON.stringify({ pid: 0, folders: [], files: {} }),
    );
    const before = tree(root);
    await inspectTarget(join(root, "orders"), false);
    expect(tree(root)).toEqual(before);
  });
});
