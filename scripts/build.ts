/**
 * Builds what the package ships: two CommonJS library entries (engine, provider and constructs stay outside),
 * the executable with its dependencies inside, and the declarations.
 */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateDtsBundle } from "dts-bundle-generator";
import { build } from "esbuild";
import { minify } from "terser";
import { BUNDLE, EXECUTABLE } from "./bundle";
import { buildExecutable, COMMANDS_FILE } from "./split-executable";
import { copyStripped } from "./strip-python";

const root = join(__dirname, "..");
rmSync(join(root, "dist"), { recursive: true, force: true });

/** Modules of the provider: an app uses half of them, and one has up to 2.5 MB. */
const PROVIDER = /"@cdktf\/provider-aws\/[^"]+"/;

/** Modules of Node.js that it has not loaded when a program starts, and that take milliseconds: the help of a command needs none. */
const SLOW_BUILTINS =
  /"node:(?:child_process|crypto|fs\/promises|http|net|os|readline(?:\/promises)?|timers\/promises|zlib)"|"\.\/commands\.js"/;

/** Loads modules when they are first used. */
function loadLate(file: string, modules: RegExp): void {
  const loader = "const __late=(load)=>{let module;return new Proxy({},{get:(_,name)=>(module??=load())[name]})};";
  let found = 0;
  const text = readFileSync(file, "utf8").replaceAll(
    new RegExp(`= ?((?:\\w+\\()?require\\((?:${modules.source})\\)\\)?)(?=[,;}])`, "g"),
    (_, load) => {
      found++;
      return `= __late(()=>${load})`;
    },
  );
  if (found === 0) throw new Error(`${file} loads no ${modules}: has the form of esbuild's output changed?`);
  writeFileSync(file, text.replace('"use strict";', `"use strict";${loader}`));
}

/**
 * Shrinks a file by a twentieth more than esbuild does: the package has to stay one small download. Classes keep their names,
 * which stack traces show, as methods do.
 */
async function shrink(file: string, lineLength?: number): Promise<void> {
  const source = exportedOnce(readFileSync(file, "utf8"));
  const classes = [...source.matchAll(/^var (\w+) = class\b/gm)].map(([, name]) => name as string);
  const { code } = await minify(source, {
    ecma: 2020,
    toplevel: true,
    keep_classnames: true,
    mangle: { reserved: classes },
    compress: { passes: 2 },
    // A file without other characters is read as it is: Node.js makes two bytes of each where it has one of these.
    format: { max_line_len: lineLength ?? false, ascii_only: true },
  });
  writeFileSync(file, `${code}\n`);
}

/**
 * The file with one assignment for each export, at its end: Node.js finds in them the names that ES modules can import. esbuild
 * writes each name twice: with a getter at the start, and in an object that is never made at the end.
 */
function exportedOnce(source: string): string {
  const getters =
    /^var (\w+_exports) = \{\};\n__export\(\1, \{\n([^}]*)\}\);\nmodule\.exports = __toCommonJS\(\1\);\n/m;
  const unmade = /^0 && \(module\.exports = \{[^}]*\}\);$/m;
  const names = getters.exec(source)?.[2];
  if (names === undefined || !unmade.test(source)) return source;
  const assignments = names.replace(/^ *(\w+): \(\) => (\w+),?$/gm, "exports.$1 = $2;");
  return source
    .replace(getters, 'Object.defineProperty(exports, "__esModule", { value: true });\n')
    .replace(unmade, () => assignments);
}

async function main(): Promise<void> {
  await build({
    ...BUNDLE,
    entryPoints: {
      constructs: "constructs/index.ts",
      testing: "constructs/testing/index.ts",
      engine: "constructs/engine.ts",
    },
    external: ["cdktf", "constructs", "@cdktf/provider-aws/*"],
    outdir: "dist",
  });
  loadLate(join(root, "dist/constructs.js"), PROVIDER);
  // Lines are short for stack traces, of which Node.js prints the line.
  for (const name of ["constructs", "testing", "engine"]) await shrink(join(root, `dist/${name}.js`), 1000);
  for (const [entry, file] of Object.entries(ENTRIES)) writeFileSync(join(root, "dist", entry), entryOf(file));
  // Read at synth, from beside the code that deploys it: readable, without comments.
  const sender = "to-opensearch.mjs";
  await build({
    entryPoints: [join(root, "constructs/logging", sender)],
    outfile: join(root, "dist", sender),
    logLevel: "warning",
  });
  if (existsSync(join(root, "bin/antifragile.ts"))) {
    const { antifragile, ...beside } = EXECUTABLE.entryPoints;
    await build({
      ...EXECUTABLE,
      entryPoints: { ...beside, "run-program": "operations/run-program.ts" },
      legalComments: "linked",
      outdir: "dist/bin",
    });
    await buildExecutable();
    for (const name of ["antifragile", COMMANDS_FILE]) loadLate(join(root, `dist/bin/${name}.js`), SLOW_BUILTINS);
    for (const name of [...Object.keys(EXECUTABLE.entryPoints), COMMANDS_FILE])
      await shrink(join(root, `dist/bin/${name}.js`));
    chmodSync(join(root, "dist/bin/antifragile.js"), 0o755);
    copyStripped(join(root, "emulator/python"), join(root, "dist/emulator/python"));
  }
  // One file each: a fifth smaller to download than a file for each module, and only what the entry exports is visible.
  const declarations = { constructs: "constructs/index.ts", testing: "constructs/testing/index.ts" };
  const bundles = generateDtsBundle(
    Object.values(declarations).map((entry) => ({
      filePath: join(root, entry),
      output: { exportReferencedTypes: false, noBanner: true },
    })),
    { preferredConfigPath: join(root, "tsconfig.json") },
  );
  for (const [index, name] of Object.keys(declarations).entries()) {
    writeFileSync(join(root, `dist/${name}.d.ts`), bundles[index]!);
  }
  writeFileSync(join(root, "dist/cdktn.d.ts"), CDKTN_TYPES);
  writeFileSync(join(root, "dist/cdktn-modules.d.ts"), cdktnModules(bundles.join("")));
}

/** Files that users import, and the file of each with the code. */
const ENTRIES = { "index.js": "constructs.js", "testing-index.js": "testing.js" };

/** Loads the code on the installed engine. */
function entryOf(file: string): string {
  return [
    `"use strict";const engine=require("./engine.js");`,
    `module.exports=engine.onCdktn()?engine.loadOnCdktn("${file}"):require("./${file}");`,
    // Never runs: Node.js reads in it which names ES modules can import.
    `0&&(module.exports=require("./${file}"));\n`,
  ].join("\n");
}

const CDKTN_TYPES = `/// <reference path="./cdktn-modules.d.ts" />\nexport * from "./constructs.js";\n`;

/** Declares the modules that the declarations import as those of CDK Terrain. */
function cdktnModules(declarations: string): string {
  const imported = new Set([...declarations.matchAll(/ from '(@?cdktf[^']*)';/g)].map(([, name]) => name!));
  return [...imported]
    .sort()
    .map((name) => `declare module "${name}" {\n  export * from "${name.replace("cdktf", "cdktn")}";\n}\n`)
    .join("");
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
