/** Checks the package as npm would publish it: its manifest (publint) and how its types resolve (arethetypeswrong). */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = join(import.meta.dirname, "..");
/** Module resolution of Node.js before `exports`, which no supported version uses, so subpaths need not resolve. */
const UNSUPPORTED_RESOLUTION = "node10";
/** Maximum download size of `npx antifragile`. */
const MAX_BYTES = 500_000;

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "antifragile-pack-"));
  try {
    const npm = process.platform === "win32" ? "npm.cmd" : "npm";
    const output = execFileSync(npm, ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [packed] = JSON.parse(output.slice(output.indexOf("["))) as {
      filename: string;
      size: number;
      files: { path: string }[];
    }[];
    if (packed === undefined) throw new Error("npm pack made no tarball");
    const problems: string[] = [];
    if (packed.size > MAX_BYTES) problems.push(`the tarball has ${packed.size} bytes, more than ${MAX_BYTES}`);

    const { messages, pkg } = await publint({ pkgDir: root, strict: true });
    problems.push(...messages.map((message) => `publint: ${formatMessage(message, pkg)}`));

    const data = readFileSync(join(folder, packed.filename));
    const analysis = await checkPackage(createPackageFromTarballData(data));
    if (analysis.types === false) problems.push("the tarball has no types");
    else {
      for (const problem of analysis.problems) {
        if (!("resolutionKind" in problem) || problem.resolutionKind !== UNSUPPORTED_RESOLUTION) {
          problems.push(`types: ${JSON.stringify(problem)}`);
        }
      }
    }
    for (const problem of problems) console.error(`✖ ${problem}`);
    console.log(`${packed.filename}: ${packed.files.length} files, ${packed.size} bytes, ${problems.length} problems`);
    if (problems.length > 0) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
