import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPackageRoot, packageVersion, packPackage } from "../../generator/package-files";

const own = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8"));
const LONG = `dist/types/${"long-folder/".repeat(10)}file.d.ts`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "antifragile-package-"));
  const files: Record<string, string> = {
    "package.json": JSON.stringify({
      name: "antifragile",
      version: "1.2.3",
      bin: { antifragile: "dist/bin/antifragile.js" },
      files: ["dist", "templates", "README.md", "CHANGELOG.md"],
    }),
    "dist/bin/antifragile.js": "#!/usr/bin/env node\n",
    [LONG]: "export {};\n",
    "templates/_gitignore": "node_modules/\n",
    "templates/block": "x".repeat(512),
    "templates/empty": "",
    "README.md": "# antifragile\n",
    "node_modules/other/index.js": "not ours\n",
    "secret.env": "TOKEN=canary\n",
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { mode: path.includes("bin/") ? 0o755 : 0o644 });
  }
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function unpack(packed: Buffer): Promise<string> {
  const folder = mkdtempSync(join(root, "unpacked-"));
  writeFileSync(join(folder, "x.tgz"), packed);
  execFileSync("tar", ["-xzf", "x.tgz"], { cwd: folder });
  return folder;
}

describe("the package packs itself", () => {
  it("with the files that npm packs, with the same bytes and modes", async () => {
    const packed = await packPackage(root);
    const list = (file: string) => execFileSync("tar", ["-tzf", file]).toString().trim().split("\n").sort();
    writeFileSync(join(root, "ours.tgz"), packed);
    execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", root, root], { cwd: root, stdio: "pipe" });
    expect(list(join(root, "ours.tgz"))).toEqual(list(join(root, "antifragile-1.2.3.tgz")));
    expect(list(join(root, "ours.tgz"))).toContain(`package/${LONG}`);

    const ours = await unpack(packed);
    const npms = await unpack(readFileSync(join(root, "antifragile-1.2.3.tgz")));
    for (const path of list(join(root, "ours.tgz"))) {
      expect(readFileSync(join(ours, path)).equals(readFileSync(join(npms, path))), path).toBe(true);
      expect(statSync(join(ours, path)).mode, path).toBe(statSync(join(npms, path)).mode);
    }
  });

  it("to the same bytes from an installed copy, independent of file times and compiled files", async () => {
    const first = await packPackage(root);
    const copy = join(await unpack(first), "package");
    utimesSync(join(copy, "README.md"), 1, 1);
    mkdirSync(join(copy, "templates/__pycache__"));
    writeFileSync(join(copy, "templates/__pycache__/x.pyc"), "compiled");
    expect((await packPackage(copy)).equals(first)).toBe(true);
  });

  it("only after it is built", async () => {
    rmSync(join(root, "dist"), { recursive: true });
    await expect(packPackage(root)).rejects.toThrow(/dist\/bin\/antifragile\.js is missing; run npm run build there/);
  });

  it("by a list of plain paths: package.json has no npm-specific patterns", () => {
    for (const path of own.files) expect(path).toMatch(/^[A-Za-z][A-Za-z0-9._/-]*$/);
    expect(own.bundledDependencies ?? own.dependencies).toBeUndefined();
  });
});

describe("the package root", () => {
  it("is found from any folder inside, even with another package.json on the way", () => {
    mkdirSync(join(root, "a/b"), { recursive: true });
    writeFileSync(join(root, "a/package.json"), '{"name":"other"}');
    expect(findPackageRoot(join(root, "a/b"))).toBe(root);
    expect(packageVersion(root)).toBe("1.2.3");
    expect(() => findPackageRoot(tmpdir())).toThrow("no package.json of antifragile above");
  });
});
