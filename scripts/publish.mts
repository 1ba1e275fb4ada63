/**
 * Prepares a version of the package for publication, in one commit that is reviewed: `npm run publish:prepare -- 0.2.0`.
 * Sets the version, dates its section of the changelog, commits and tags. `--dry-run` checks the package, lists its files and what is
 * missing for a publication, and changes nothing; CI runs it. Publishing itself is `npm publish` on the tag, in a CI that npm accepts
 * a provenance from: `publishConfig` of package.json asks for it.
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

interface Manifest {
  readonly version: string;
  readonly repository?: unknown;
}

/** Reasons why nothing can be published yet. */
function missing(manifest: Manifest, changelog: string): string[] {
  const section = changelog.split(`${HEADING}\n`)[1]?.split(/^## /m)[0]?.trim() ?? "";
  return [
    ...(section === "" ? [`CHANGELOG.md has nothing below "${HEADING}"`] : []),
    // npm compares it with the repository that the provenance names, and resolves the links of README.md by it.
    ...(manifest.repository === undefined ? ["package.json has no repository"] : []),
  ];
}

const nextPatch = (version: string) => version.replace(/\d+$/, (patch) => String(Number(patch) + 1));

/**
 * Prepares a version in the repository at `root`.
 * @param version of a dry run without one: the next patch
 * @throws Refusal when it cannot be published
 */
export async function prepare(root: string, named: string | undefined, dryRun: boolean): Promise<void> {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const path = (name: string) => join(root, name);
  const manifest = JSON.parse(readFileSync(path("package.json"), "utf8")) as Manifest;
  const version = named ?? (dryRun ? nextPatch(manifest.version) : undefined);
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
  const changelog = readFileSync(path("CHANGELOG.md"), "utf8");
  const reasons = missing(manifest, changelog);
  if (!dryRun && reasons.length > 0) throw new Refusal(reasons.join("\n"));
  const { files, size } = await checkPacked(root);
  console.log(`antifragile ${version}: ${files.length} files, ${size} bytes`);
  for (const file of files) console.log(`  ${file}`);
  if (dryRun) {
    for (const reason of reasons) console.log(`Missing for a publication: ${reason}`);
    return console.log("Dry run: nothing was changed.");
  }
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(path("CHANGELOG.md"), changelog.replace(HEADING, `${HEADING}\n\n## ${version} (${date})`));
  if (version !== manifest.version) {
    execFileSync("npm", ["version", version, "--no-git-tag-version"], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  git("commit", "--quiet", "--all", "--message", `release: ${version}`);
  git("tag", "--annotate", `v${version}`, "--message", `antifragile ${version}`);
  console.log(
    `\nCommitted, and tagged v${version}. Once reviewed: git push --follow-tags, and CI publishes the tag with npm publish`,
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
