/**
 * Builds what the package ships: two CommonJS library entries (cdktf, the provider and constructs stay outside),
 * the executable as one file with its dependencies inside, and the declarations.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";
import {
  copyPlainTemplates,
  precompiledTemplates,
  withoutColorConversion,
  withoutTextEditor,
} from "./precompile-templates";
import { keepPublicDeclarations } from "./public-declarations";
import { copyStripped } from "./strip-python";

const root = join(__dirname, "..");
rmSync(join(root, "dist"), { recursive: true, force: true });

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  charset: "utf8",
  logLevel: "warning",
} as const;

async function main(): Promise<void> {
  await build({
    ...common,
    entryPoints: { constructs: "constructs/index.ts", testing: "constructs/testing/index.ts" },
    external: ["cdktf", "constructs", "@cdktf/provider-aws/*"],
    minify: true,
    // For stack traces, of which Node.js prints the line.
    keepNames: true,
    lineLimit: 1000,
    outdir: "dist",
  });
  // Read at synth, from beside the code that deploys it.
  copyFileSync(join(root, "constructs/logging/to-opensearch.mjs"), join(root, "dist/to-opensearch.mjs"));
  if (existsSync(join(root, "bin/antifragile.ts"))) {
    // One file with inquirer and handlebars inside, so that npx fetches one package.
    await build({
      ...common,
      entryPoints: { antifragile: "bin/antifragile.ts" },
      minify: true,
      // Templates hold lines that begin with import: in a template literal, what reads the file takes them for its own.
      supported: { "template-literal": false },
      legalComments: "linked",
      outdir: "dist/bin",
      external: ["@aws-sdk/*"],
      // inquirer needs a few functions of rxjs: its ES modules can be shaken, its CommonJS comes whole, a third of the file.
      alias: { rxjs: join(root, "node_modules/rxjs/dist/esm/index.js") },
      plugins: [precompiledTemplates, withoutTextEditor, withoutColorConversion],
    });
    chmodSync(join(root, "dist/bin/antifragile.js"), 0o755);
    copyPlainTemplates();
    copyStripped(join(root, "emulator/python"), join(root, "dist/emulator/python"));
  }
  const tsc = createRequire(__filename).resolve("typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
  keepPublicDeclarations(join(root, "dist/types"), ["constructs/index.d.ts", "constructs/testing/index.d.ts"]);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
