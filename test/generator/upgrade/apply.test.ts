import {
  chmodSync,
  existsSync,
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
import realDisk from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyChanges, type Changes, hasJournal, readContent, recoverUpgrade } from "../../../generator/upgrade/apply";
import type { Disk } from "../../../generator/write";

let root: string;
let folder: string;
let journal: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-apply-")));
  folder = join(root, "orders");
  journal = join(root, "git/antifragile-upgrade.json");
  mkdirSync(join(root, "git"));
  for (const [path, { before }] of changes) if (before !== undefined) put(path, before);
  put("mine.txt", "mine");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text, "latin1");
}

const changes: Changes = new Map([
  ["changed.ts", { before: "old\n", after: "new\n" }],
  ["src/deep/added.ts", { before: undefined, after: "added\xff\0", mode: 0o755 }],
  ["gone/deep/deleted.ts", { before: "deleted\n", after: undefined }],
  ["vendor/old.tgz", { before: "\0old", after: undefined }],
  ["vendor/new.tgz", { before: undefined, after: "\0new" }],
]);

/** Files below a folder with their contents. */
function tree(): Record<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(root, path), readFileSync(path, "latin1")];
    }),
  );
}

const NEW = {
  "orders/changed.ts": "new\n",
  "orders/src/deep/added.ts": "added\xff\0",
  "orders/vendor/new.tgz": "\0new",
  "orders/mine.txt": "mine",
};

const WRITES = ["mkdir", "rename", "rmdir", "unlink", "writeFile"] as const;

/** The real disk, with something that happens before the n-th write (from 0). */
function spiedDisk(before: (index: number, name: string) => void): { disk: Disk; writes: () => number } {
  let index = 0;
  const disk = { ...realDisk } as Record<string, unknown>;
  for (const name of WRITES) {
    const real = realDisk[name] as (...args: unknown[]) => Promise<unknown>;
    disk[name] = async (...args: unknown[]) => {
      before(index++, name);
      return real(...args);
    };
  }
  return { disk: disk as unknown as Disk, writes: () => index };
}

const fault = (code: string): Error => Object.assign(new Error(`${code}: no`), { code });

/** The process id of a run that has ended, in a journal that this process wrote. */
function endRun(): void {
  if (!existsSync(journal)) return;
  const content = JSON.parse(readFileSync(journal, "utf8"));
  writeFileSync(journal, JSON.stringify({ ...content, pid: 0 }));
}

describe("applyChanges", () => {
  it("changes, adds and deletes files, and leaves no journal and no empty folder", async () => {
    chmodSync(join(folder, "changed.ts"), 0o755);
    await applyChanges(folder, journal, changes, realDisk);
    expect(tree()).toEqual(NEW);
    expect(existsSync(join(folder, "gone"))).toBe(false);
    expect(statSync(join(folder, "changed.ts")).mode & 0o777).toBe(0o755);
  });

  it("makes a new file executable, also if the next run writes it", async () => {
    const modes = () =>
      ["src/deep/added.ts", "vendor/new.tgz"].map((path) => statSync(join(folder, path)).mode & 0o777);
    const { disk } = spiedDisk((index) => {
      if (index >= 2) throw fault("EIO");
    });
    await applyChanges(folder, journal, changes, disk).catch(() => undefined);
    endRun();
    await recoverUpgrade(folder, journal, realDisk);
    expect(modes()).toEqual([0o755, 0o644]);
  });

  it("leaves the old tree, the new one, or a journal that the next run finishes, if it is killed before the n-th write", async () => {
    const old = tree();
    const outcomes = new Set<string>();
    for (let n = 0; ; n++) {
      rmSync(folder, { recursive: true, force: true });
      rmSync(journal, { force: true });
      for (const [path, text] of Object.entries(old)) put(relative("orders", path), text);
      // As after SIGKILL: from the n-th write on, nothing reaches the disk.
      const { disk, writes } = spiedDisk((index) => {
        if (index >= n) throw fault("EIO");
      });
      const result = await applyChanges(folder, journal, changes, disk).then(
        () => "applied",
        (error) => error.message,
      );
      endRun();
      const found = await hasJournal(journal, realDisk);
      const notice = await recoverUpgrade(folder, journal, realDisk);
      expect(notice !== undefined, `write ${n}`).toBe(found);
      expect(tree(), `write ${n}`).toEqual(found || result === "applied" ? NEW : old);
      outcomes.add(result === "applied" ? result : found ? "journal" : "nothing");
      if (result === "applied") {
        expect(n).toBe(writes());
        break;
      }
      expect(result).toMatch(found ? /finishes the upgrade/ : /cannot write/);
    }
    expect([...outcomes]).toEqual(["nothing", "journal", "applied"]);
  });

  it("finishes after a second kill, too, at each write of the repair", async () => {
    const killAt = (n: number) =>
      spiedDisk((index) => {
        if (index >= n) throw fault("EIO");
      }).disk;
    await applyChanges(folder, journal, changes, killAt(5)).catch(() => undefined);
    for (let n = 0; n < 40 && existsSync(journal); n++) {
      endRun();
      await recoverUpgrade(folder, journal, killAt(n)).catch(() => undefined);
    }
    expect(tree()).toEqual(NEW);
  });

  it("reports a full disk, and finishes when there is space", async () => {
    const full = () =>
      spiedDisk((_, name) => {
        if (name === "writeFile" && existsSync(journal)) throw fault("ENOSPC");
      }).disk;
    await expect(applyChanges(folder, journal, changes, full())).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/the disk is full.*finishes the upgrade/),
    });
    endRun();
    await expect(recoverUpgrade(folder, journal, full())).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/the disk is full.*finishes the upgrade/),
    });
    await recoverUpgrade(folder, journal, realDisk);
    expect(tree()).toEqual(NEW);
  });
});

describe("recoverUpgrade", () => {
  const killed = async () => {
    const { disk } = spiedDisk((index) => {
      if (index >= 2) throw fault("EIO");
    });
    await applyChanges(folder, journal, changes, disk).catch(() => undefined);
    endRun();
  };

  it("leaves a file that the user changed since, and names it", async () => {
    await killed();
    put("changed.ts", "mine\n");
    expect(await recoverUpgrade(folder, journal, realDisk)).toMatch(/finished it; left changed\.ts/);
    expect(tree()).toEqual({ ...NEW, "orders/changed.ts": "mine\n" });
  });

  it("refuses while the other run is alive, and a file that is not a journal", async () => {
    await killed();
    const content = JSON.parse(readFileSync(journal, "utf8"));
    writeFileSync(journal, JSON.stringify({ ...content, pid: 1 }));
    await expect(recoverUpgrade(folder, journal, realDisk)).rejects.toMatchObject({ exitCode: 3 });
    for (const text of [
      "{",
      "{}",
      '{"files":{"a":1}}',
      '{"pid":0,"files":{"a":"xyz"}}',
      '{"pid":0,"files":{"a":[1,2]}}',
    ]) {
      writeFileSync(journal, text);
      await expect(recoverUpgrade(folder, journal, realDisk)).rejects.toMatchObject({
        exitCode: 3,
        message: expect.stringContaining("is not a valid journal"),
      });
    }
  });

  it("writes nothing outside of the folder", async () => {
    for (const path of ["../outside", "/outside"]) {
      writeFileSync(journal, JSON.stringify({ pid: 0, files: { [path]: [null, "eA=="] } }));
      const result = await recoverUpgrade(folder, journal, realDisk).catch((error) => error.exitCode);
      expect(result === 3 || existsSync(join(folder, "outside")), path).toBe(true);
    }
    expect(existsSync(join(root, "outside"))).toBe(false);
  });

  it("does nothing without a journal", async () => {
    expect(await recoverUpgrade(folder, journal, realDisk)).toBeUndefined();
  });
});

it("readContent returns the content of plain files only", async () => {
  mkdirSync(join(folder, "real"));
  put("real/a.ts", "a");
  symlinkSync("real", join(folder, "link"));
  symlinkSync("real/a.ts", join(folder, "a.ts"));
  const contents = ["real/a.ts", "absent/b.ts", "real", "a.ts", "link/a.ts", "mine.txt/x.ts"].map((path) =>
    readContent(folder, path, realDisk),
  );
  expect(await Promise.all(contents)).toEqual(["a", undefined, null, null, null, null]);
});
