/** Checks the package as npm would publish it: its manifest (publint) and how its types resolve (arethetypeswrong). */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

/** Module resolution of Node.js before `exports`, which no supported version uses, so subpaths need not resolve. */
const UNSUPPORTED_RESOLUTION = "node10";
/** Maximum download size of `npx antifragile`. */
const MAX_BYTES = 500_000;

/** Files and folders that the package may contain; anything else would be published by accident. */
const CONTENTS =
  /^(?:package\.json|README\.md|LICENSE|dist\/(?:[a-z-]+\.(?:js|mjs|d\.ts)|bin\/[a-z-]+\.js|emulator\/python\/[a-z_/]+\.(?:py|json)))$/;

/** Packs the package as npm would, checks it, and returns what it contains. @throws Error that lists what is wrong */
export async function checkPacked(root: string): Promise<{ readonly files: readonly string[]; readonly size: number }> {
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
    const files = packed.files.map(({ path }) => path).sort();
    const problems = files
      .filter((file) => !CONTENTS.test(file))
      .map((file) => `${file} does not belong into the package`);
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
    if (problems.length > 0) throw new Error(problems.join("\n"));
    return { files, size: packed.size };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  checkPacked(join(import.meta.dirname, "..")).then(
    ({ files, size }) => console.log(`${files.length} files, ${size} bytes`),
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
