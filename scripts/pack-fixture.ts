/**
 * Packs a small version of this package, from which tests upgrade: the commands that generate and upgrade repositories, their
 * templates, and a version of its own. `npm pack` writes it, as it writes the package.
 *
 *     npm run pack:fixture -- 0.0.5
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { EXECUTABLE } from "./bundle";

const root = join(__dirname, "..");

/** Leaves out the other commands, and questions: tests answer by flags. */
const onlyTheGenerator: Plugin = {
  name: "only-the-generator",
  setup(build) {
    build.onLoad({ filter: /[\\/](operations|emulator)[\\/]|[\\/]node_modules[\\/](@?inquirer|rxjs)[\\/]/ }, () => ({
      contents: "module.exports = {};",
      loader: "js",
    }));
  },
};

const FOLDER = join(root, "test/generator/upgrade/versions");

async function main([version, folder = FOLDER]: readonly string[]): Promise<void> {
  if (version === undefined) throw new Error("usage: npm run pack:fixture -- VERSION [FOLDER]");
  const stage = mkdtempSync(join(tmpdir(), "antifragile-fixture-"));
  await build({
    ...EXECUTABLE,
    logLevel: "error",
    outdir: join(stage, "dist/bin"),
    plugins: [onlyTheGenerator, ...EXECUTABLE.plugins],
  });
  chmodSync(join(stage, "dist/bin/antifragile.js"), 0o755);
  const { name, license, engines, type, bin, files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  writeFileSync(join(stage, "package.json"), JSON.stringify({ name, version, license, engines, type, bin, files }));
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", resolve(folder)], { cwd: stage });
  rmSync(stage, { recursive: true });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
