import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { EXECUTABLE } from "./bundle";

const root = join(__dirname, "..");

/** File with the code of the commands, beside the executable. */
export const COMMANDS_FILE = "commands";
const BESIDE = `./${COMMANDS_FILE}.js`;
/** File of what both use. */
const SHARED_FILE = "shared";

/** Files with the command line of a command, which its help needs. */
const definesCommands = (path: string) =>
  path.endsWith(".ts") &&
  !path.endsWith("command-line.ts") &&
  /\bdefineCommand\(|\brunNew = /.test(readFileSync(path, "utf8"));

/** Besides texts and errors: flags and operands that are derived from tables. */
const NEEDED_BY_HELP =
  /^(?:contract\/|operations\/(?:allowances|applied-commit|gameday\/report)|generator\/(?:options|flags|reference|upgrade\/versions)\.)/;

/** Loads files that the command lines import when a command runs. */
const loadedLate = (files: (file: string) => boolean, nameOf: (file: string) => string): Plugin => ({
  name: "loaded-late",
  setup({ onLoad, onResolve, resolve }) {
    onResolve({ filter: /^\.\.?\// }, async ({ path, importer, kind, resolveDir, pluginData }) => {
      if (pluginData === loadedLate || kind !== "import-statement" || !definesCommands(importer)) return;
      const found = await resolve(path, { importer, kind, resolveDir, pluginData: loadedLate });
      const file = relative(root, found.path).replaceAll("\\", "/");
      if (!files(file) || definesCommands(found.path)) return;
      return { path: nameOf(file), external: true, sideEffects: false };
    });
    // A file that is imported dynamically would become one of its own, or be wrapped.
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const imports: string[] = [];
      const text = readFileSync(path, "utf8").replaceAll(/(?<!typeof )\bimport\(("\.[^"]+")\)/g, (_, name) => {
        imports.push(`import * as __${imports.length} from ${name};`);
        return `__${imports.length - 1}`;
      });
      const contents = text
        .replace(/^(#!.*\n)?/, `$1${imports.join(" ")}`)
        .replace('import("inquirer")', 'require("inquirer")');
      return { contents, loader: "ts" };
    });
  },
});

/** Files that only a command needs, with the names that the command lines import from them; undefined for all names. */
async function lateFiles(): Promise<ReadonlyMap<string, readonly string[] | undefined>> {
  const files = new Set<string>();
  const late = loadedLate(
    (file) => !NEEDED_BY_HELP.test(file),
    (file) => {
      files.add(file);
      return `${BESIDE}?${file}`;
    },
  );
  const { outputFiles, metafile } = await build({ ...options(late), metafile: true });
  // esbuild resolves them in any order, and every build must be the same.
  const named = [...files].sort().map((file) => {
    const statements = new RegExp(`^import \\{([^}]*)\\} from "${BESIDE}\\?${file}";$`, "gm");
    const names = [...outputFiles[0]!.text.matchAll(statements)].flatMap(([, list]) =>
      list!.split(",").map((name) => name.trim().split(" as ")[0]!),
    );
    return [file, names.length === 0 ? undefined : [...new Set(names)]] as const;
  });
  // The rest is there already, for others.
  return new Map(named.filter(([file]) => metafile.inputs[file] === undefined));
}

const options = (...plugins: readonly Plugin[]) =>
  ({
    ...EXECUTABLE,
    entryPoints: { antifragile: "bin/antifragile.ts" } as Record<string, string>,
    // The only format in which esbuild splits a bundle; it becomes CommonJS afterwards, which loads faster.
    format: "esm",
    outdir: "dist/bin",
    write: false,
    minify: false,
    supported: {},
    plugins: [...EXECUTABLE.plugins, ...plugins],
  }) satisfies BuildOptions;

/**
 * Writes the executable in two files: Node.js parses all of a file before it runs, and the help of a command needs a third of the
 * code. What the code of commands shares with it, the executable exports.
 */
export async function buildExecutable(): Promise<void> {
  const late = await lateFiles();
  const exported = [...late].map(([file, names]) =>
    names === undefined ? `export * from "./${file}";` : `export { ${names.join(", ")} } from "./${file}";`,
  );
  const split = options(
    asFile(COMMANDS_FILE, exported.join("\n")),
    loadedLate(
      (file) => late.has(file),
      () => BESIDE,
    ),
  );
  const { outputFiles } = await build({
    ...split,
    entryPoints: { ...split.entryPoints, [COMMANDS_FILE]: COMMANDS_FILE },
    splitting: true,
    chunkNames: SHARED_FILE,
  });
  const short = new Map<string, string>();
  for (const name of [...late.values()].flatMap((names) => names ?? [])) short.set(name, `_${short.size}`);
  const shortened = new RegExp(
    `^(import|export) \\{([^}]*)\\}( from "./(?:${COMMANDS_FILE}|${SHARED_FILE}).js")?;$`,
    "gm",
  );
  /** Text of a file with short names in what the files import from each other. */
  const textOf = (file: string): string =>
    withOneImport(outputFiles.find(({ path }) => path.endsWith(`${file}.js`))!.text).replaceAll(
      shortened,
      (_, verb, list: string, from = "") => {
        const names = list.split(",").map((each) => {
          const [name = "", as = name] = each.trim().split(" as ");
          const outside = verb === "import" ? name : as;
          const isShared = from.includes(SHARED_FILE) || file === SHARED_FILE;
          if (isShared && !short.has(outside)) short.set(outside, `_${short.size}`);
          const given = short.get(outside) ?? outside;
          return verb === "import" ? `${given} as ${as}` : `${name} as ${given}`;
        });
        return `${verb} { ${names.join(", ")} }${from};`;
      },
    );
  const commands = textOf(COMMANDS_FILE);
  const fromShared = new RegExp(`import (\\{[^}]*\\}) from "./${SHARED_FILE}.js";`);
  const used = fromShared.exec(commands)![1]!.replaceAll(/ as [^,}]+/g, "");
  const last = { ...EXECUTABLE, outdir: "dist/bin", external: [...EXECUTABLE.external, "./*.js"], supported: {} };
  await build({
    ...last,
    entryPoints: { antifragile: "all" },
    banner: { js: `#!/usr/bin/env node\n"use strict";` },
    plugins: [
      asFile("all", `import "./antifragile.js"; export ${used} from "./${SHARED_FILE}.js";`),
      asFile("./antifragile.js", textOf("antifragile")),
      asFile(`./${SHARED_FILE}.js`, textOf(SHARED_FILE)),
    ],
  });
  await build({
    ...last,
    entryPoints: { [COMMANDS_FILE]: COMMANDS_FILE },
    banner: { js: `"use strict";` },
    plugins: [asFile(COMMANDS_FILE, commands.replace(fromShared, 'import $1 from "./antifragile.js";'))],
  });
}

/** A file that exists for a bundle only. */
const asFile = (name: string, contents: string): Plugin => ({
  name,
  setup({ onLoad, onResolve }) {
    const namespace = `file ${name}`;
    onResolve({ filter: new RegExp(`^${name.replaceAll(".", "\\.")}$`) }, ({ path }) => ({ path, namespace }));
    onLoad({ filter: /^/, namespace }, () => ({ contents, resolveDir: root }));
  },
});

/** Joins the statements that import the code of commands, and requires files as CommonJS does. */
function withOneImport(text: string): string {
  const lists: string[] = [];
  const rest = text.replaceAll(new RegExp(`^import \\{([^}]*)\\} from "${BESIDE}";$`, "gm"), (_, list) => {
    lists.push(list);
    return "";
  });
  const joined = lists.length === 0 ? "" : `import {${lists.join()}} from "${BESIDE}";\n`;
  return joined + rest.replace(/^#!.*/, "").replaceAll("__require(", "require(");
}
