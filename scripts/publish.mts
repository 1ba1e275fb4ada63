/**
 * Prepares a version of the package for publication, in one commit that is reviewed: `npm run publish:prepare -- 0.2.0`.
 * Sets the version, dates its section of the changelog, commits and tags. `--dry-run` checks and lists all of it, and changes
 * nothing. Publishing itself is `npm publish --provenance` on the tag, in a CI that npm accepts a provenance from.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compareVersions } from "../generator/upgrade/merge-json";
import { checkPacked } from "./check-package.mjs";

const HEADING = "## Unreleased";

/** Reason why nothing can be published yet. */
class Refusal extends Error {}

/** Changelog with the unreleased section under the version, and an empty one above it. */
export function datedChangelog(text: string, version: string, date: string): string {
  const [before, after] = text.split(`${HEADING}\n`);
  const section = after?.split(/^## /m)[0]?.trim() ?? "";
  if (before === undefined || section === "") throw new Refusal(`CHANGELOG.md has nothing below "${HEADING}"`);
  return `${before}${HEADING}\n\n## ${version} (${date})\n${after}`;
}

/** Prepares a version in the repository at `root`. @throws Refusal when it cannot be published */
export async function prepare(root: string, version: string | undefined, dryRun: boolean): Promise<void> {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const path = (name: string) => join(root, name);
  const manifest = JSON.parse(readFileSync(path("package.json"), "utf8")) as { version: string };
  if (version === undefined || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Refusal(`name the version, such as ${manifest.version}: npm run publish:prepare -- ${manifest.version}`);
  }
  const tags = git("tag", "--list", "v*.*.*").split("\n").filter(Boolean);
  const published = tags.map((tag) => tag.slice(1)).sort((a, b) => compareVersions(b, a) ?? 0)[0];
  if (published !== undefined && (compareVersions(version, published) ?? 0) <= 0) {
    throw new Refusal(`${version} is not newer than ${published}, the last tag`);
  }
  if (!dryRun && git("status", "--porcelain") !== "")
    throw new Refusal("commit or remove the changes of this folder first");
  const date = new Date().toISOString().slice(0, 10);
  const changelog = datedChangelog(readFileSync(path("CHANGELOG.md"), "utf8"), version, date);
  const { files, size } = await checkPacked(root);
  console.log(`antifragile ${version}: ${files.length} files, ${size} bytes`);
  for (const file of files) console.log(`  ${file}`);
  if (dryRun) return console.log("\nDry run: nothing was changed.");
  writeFileSync(path("CHANGELOG.md"), changelog);
  if (version !== manifest.version) {
    execFileSync("npm", ["version", version, "--no-git-tag-version"], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  git("commit", "--quiet", "--all", "--message", `release: ${version}`);
  git("tag", "--annotate", `v${version}`, "--message", `antifragile ${version}`);
  console.log(
    `\nCommitted, and tagged v${version}. Once reviewed: git push --follow-tags, and CI publishes the tag with\n  npm publish --provenance --access public`,
  );
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    options: { "dry-run": { type: "boolean", default: false } },
    allowPositionals: true,
  });
  prepare(join(import.meta.dirname, ".."), positionals[0], values["dry-run"]).catch((error: unknown) => {
    console.error(error instanceof Refusal ? `✖ ${error.message}` : error);
    process.exitCode = 1;
  });
}
