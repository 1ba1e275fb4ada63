import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { prepare } from "../../scripts/publish.mjs";

const ROOT = join(__dirname, "../..");
let root: string;
let printed: string;
const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
const changeManifest = (fields: object) =>
  writeFileSync(join(root, "package.json"), JSON.stringify({ ...JSON.parse(read("package.json")), ...fields }));
const read = (name: string) => readFileSync(join(root, name), "utf8");

beforeEach(() => {
  printed = "";
  vi.spyOn(console, "log").mockImplementation((line: string) => {
    printed += `${line}\n`;
  });
  root = mkdtempSync(join(tmpdir(), "antifragile-publish-"));
  for (const name of [
    "package.json",
    "package-lock.json",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "dist",
    ".gitignore",
  ]) {
    cpSync(join(ROOT, name), join(root, name), { recursive: true });
  }
  changeManifest({ repository: { type: "git", url: "git+https://github.com/example/antifragile.git" } });
  git("init", "--quiet");
  git("config", "user.email", "a@example.com");
  git("config", "user.name", "A");
  git("add", "--all");
  git("commit", "--quiet", "--message", "first");
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

it("commits and tags a version with its dated changelog, and lists what is packed", async () => {
  await prepare(root, "7.0.0", false);
  expect(printed).toMatch(/^antifragile 7\.0\.0: \d+ files, \d+ bytes\n {2}LICENSE\n/);
  expect(git("log", "-1", "--format=%s %D")).toMatch(/^release: 7\.0\.0 .*tag: v7\.0\.0/);
  expect(git("status", "--porcelain")).toBe("");
  for (const name of ["package.json", "package-lock.json"]) expect(JSON.parse(read(name)).version).toBe("7.0.0");
  expect(read("CHANGELOG.md")).toMatch(/^## Unreleased\n\n## 7\.0\.0 \(\d{4}-\d\d-\d\d\)\n/m);
  await expect(prepare(root, "6.9.0", false)).rejects.toThrow("6.9.0 is not newer than 7.0.0");
  await expect(prepare(root, "7.0.1", false)).rejects.toThrow("nothing below");
});

it("changes nothing in a dry run, and says what is missing for a publication", async () => {
  await prepare(root, "7.0.0", true);
  expect(printed).toMatch(/^antifragile 7\.0\.0: [\s\S]*\n {2}package\.json\nDry run: nothing was changed\.\n$/);
  expect([git("status", "--porcelain"), git("tag"), git("log", "-1", "--format=%s")]).toEqual(["", "", "first"]);

  changeManifest({ version: "7.1.9", repository: undefined });
  writeFileSync(join(root, "CHANGELOG.md"), "# Changelog\n\n## Unreleased\n\n## 7.1.9 (2026-01-01)\n\n- First.\n");
  printed = "";
  await prepare(root, undefined, true);
  expect(printed).toMatch(/^antifragile 7\.1\.10: /);
  const reasons = ['CHANGELOG.md has nothing below "## Unreleased"', "package.json has no repository"];
  expect(printed).toContain(reasons.map((reason) => `Missing for a publication: ${reason}\n`).join(""));
  git("commit", "--quiet", "--all", "--message", "second");
  await expect(prepare(root, "7.2.0", false)).rejects.toThrow(reasons.join("\n"));
});

it("refuses a version that is none, an unclean folder, and a file that does not belong", async () => {
  for (const version of [undefined, "v1", "1.0", "1.0.0-rc.1"]) {
    await expect(prepare(root, version, false)).rejects.toThrow("name the version");
  }
  writeFileSync(join(root, "dist/bin/.env"), "SECRET=1");
  await expect(prepare(root, "7.0.0", true)).rejects.toThrow("dist/bin/.env does not belong into the package");
  rmSync(join(root, "dist/bin/.env"));
  writeFileSync(join(root, "README.md"), "changed");
  await expect(prepare(root, "7.0.0", false)).rejects.toThrow("commit or remove the changes");
});
