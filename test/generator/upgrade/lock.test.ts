import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { lockWith } from "../../../generator/upgrade/lock";

const PACKED = Buffer.from("package");
const PATH = "vendor/antifragile-2.0.0.tgz";
const HASH = `sha512-${createHash("sha512").update(PACKED).digest("base64")}`;

describe("lockWith", () => {
  it("removes the package's own entry from the lock file of npm, and no other", () => {
    const lock = (packages: object) => `${JSON.stringify({ name: "orders", lockfileVersion: 3, packages }, null, 2)}\n`;
    const others = { "": { name: "orders" }, "node_modules/a": { version: "1.0.0" } };
    const text = lock({ ...others, "node_modules/antifragile": { integrity: "sha512-old" } });
    expect(lockWith("npm", text, PATH, PACKED)).toBe(lock(others));
    expect(lockWith("npm", lock(others), PATH, PACKED)).toBe(lock(others));
  });

  it.each(["", "{", "{}", "null"])("leaves %j to npm", (text) => {
    expect(lockWith("npm", text, PATH, PACKED)).toBe(text);
  });

  it("sets the hash of the package in the lock file of pnpm, at the same path only", () => {
    const entry = (hash: string, path: string) =>
      `  antifragile@file:${path}:\n    resolution: {integrity: ${hash}, tarball: file:${path}}\n    version: 2.0.0\n`;
    const other = "  a@1.0.0:\n    resolution: {integrity: sha512-a}\n";
    const text = other + entry("sha512-old", PATH);
    expect(lockWith("pnpm", text, PATH, PACKED)).toBe(other + entry(HASH, PATH));
    // Another path is a changed dependency, which pnpm resolves again.
    const older = entry("sha512-old", "vendor/antifragile-1.0.0.tgz");
    expect(lockWith("pnpm", older, PATH, PACKED)).toBe(older);
  });
});
