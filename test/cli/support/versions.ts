import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll } from "vitest";
import { run } from "../packed";

/**
 * Earlier versions, which `scripts/pack-fixture.ts` packed at commits of this repository. Only the numbers are not those of the
 * commits, which all have 0.1.0:
 *
 * - 0.0.1 (e4b03c2): game days, a load balancer and signatures as code of each repository; no choice of branch, deployment and
 *   package manager; records of certificates by number
 * - 0.0.2 (ec1788c): the vocabulary and structure of today; no command `upgrade`. The whole package, since a test deploys with it
 * - 0.0.3 (062df13): `upgrade`, `add` and `synth`; CI files that only test, no permissions boundary
 * - 0.0.4 (302989d): CI files that deploy, roles for them, a boundary, a choice of engine and provider
 */
export const VERSIONS = ["0.0.1", "0.0.2", "0.0.3", "0.0.4"] as const;

export type Version = (typeof VERSIONS)[number];

const FOLDER = join(__dirname, "../../generator/upgrade/versions");

export const binOf = (folder: string) => join(folder, "dist/bin/antifragile.js");

/** Unpacks an earlier version when it is first needed, and removes it after the tests of a file. */
export function useVersions(): (version: Version) => string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-versions-")));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (version) => {
    const at = join(folder, version);
    if (!existsSync(at)) {
      mkdirSync(at);
      execFileSync("tar", ["-xzf", join(FOLDER, `antifragile-${version}.tgz`), "-C", at]);
    }
    return join(at, "package");
  };
}

/** Lets a package generate a repository. */
export async function generate(version: string, folder: string, flags: readonly string[] = []): Promise<void> {
  const args = ["new", folder, "--name", "orders", ...flags, "--yes", "--no-install", "--no-git"];
  const { code, stderr } = await run([process.execPath, binOf(version), ...args], tmpdir());
  if (code !== 0) throw new Error(`${version} ${args.join(" ")}: ${stderr}`);
}

const IDENTITY = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];

export const git = (folder: string, ...args: string[]): string =>
  execFileSync("git", [...IDENTITY, ...args], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

export function commit(folder: string): void {
  git(folder, "add", "--all");
  git(folder, "commit", "--quiet", "--allow-empty", "-m", "Edit as a team");
}

export const textOf = (folder: string, path: string): string => readFileSync(join(folder, path), "utf8");

/** Writes a file, and the folders above it. */
export function put(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Files of a folder without git's: hash of the content, with the mark of an executable. */
export function tree(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  const files = paths.map((path) => {
    const mark = statSync(path).mode & 0o100 ? "x " : "";
    return [relative(folder, path), mark + createHash("sha256").update(readFileSync(path)).digest("hex")] as const;
  });
  return Object.fromEntries(files.filter(([path]) => !path.startsWith(".git/")));
}
