import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildOptions, Plugin } from "esbuild";
import { precompiledTemplates, TEMPLATES_FILE } from "./precompile-templates";

const root = join(__dirname, "..");

/** Options of every bundle of the package. */
export const BUNDLE = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  charset: "utf8",
  logLevel: "warning",
} as const;

/** Puts other code in the place of a package, or of a file of it, that takes much of the executable. */
const without = (path: string, contents: string | ((source: string) => string)): Plugin => ({
  name: `without ${path}`,
  setup(build) {
    const filter = new RegExp(`[\\\\/]node_modules[\\\\/]${path.replaceAll("/", "[\\\\/]")}(?:[\\\\/]|$)`);
    build.onLoad({ filter }, ({ path: file }) => ({
      contents: typeof contents === "string" ? contents : contents(readFileSync(file, "utf8")),
      loader: "js",
    }));
  },
});

/** Symbols that the questions show, of 200 that inquirer has. */
const SYMBOLS = ["circle", "circleFilled", "line", "pointer", "tick"];

const withoutUnusedCode: readonly Plugin[] = [
  // Kinds of questions that nothing asks: the one that opens a text editor is two thirds of the executable.
  ...["editor", "expand", "number", "password", "rawlist", "search"].map((kind) =>
    without(`@inquirer/${kind}`, "export default undefined;"),
  ),
  without("@inquirer/figures", (source) =>
    source.replace(/^ {4}(\w+): '[^']*',\n/gm, (line, name) => (SYMBOLS.includes(name) ? line : "")),
  ),
  // Conversions between color models, which inquirer never asks for: ansi-styles reads them at first use.
  without("color-convert", "module.exports = {};"),
  // The engine has the pattern of an emoji: the list that inquirer's width of a text brings has 10 kB.
  without("emoji-regex", "module.exports = () => /\\p{RGI_Emoji}/gv;"),
];

/** Package whose bundle is a file beside the executable: Node.js reads it when a question is asked. */
const QUESTIONS = "inquirer";

const questionsBeside: Plugin = {
  name: "questions-beside",
  setup(build) {
    const namespace = "beside";
    build.onResolve({ filter: new RegExp(`^${QUESTIONS}$`) }, ({ kind, path }) =>
      kind === "entry-point" ? undefined : { path, namespace },
    );
    build.onLoad({ filter: /^/, namespace }, () => ({ contents: `module.exports = require("./${QUESTIONS}.js");` }));
    build.onResolve({ filter: /^\./, namespace }, ({ path }) => ({ path, external: true }));
  },
};

/**
 * Options of the executable, with inquirer inside the package, so that npx fetches one. Node.js parses all of a file before it
 * runs: what few commands need, questions and templates, are files beside it.
 */
export const EXECUTABLE = {
  ...BUNDLE,
  entryPoints: {
    antifragile: "bin/antifragile.ts",
    [TEMPLATES_FILE]: TEMPLATES_FILE,
    [QUESTIONS]: QUESTIONS,
  } as Record<string, string>,
  minify: true,
  // Templates hold lines that begin with import: in a template literal, what reads the file takes them for its own.
  supported: { "template-literal": false },
  external: ["@aws-sdk/*"],
  // inquirer needs a few functions of rxjs: its ES modules can be shaken, its CommonJS comes whole, a third of the file.
  alias: { rxjs: join(root, "node_modules/rxjs/dist/esm/index.js") },
  plugins: [precompiledTemplates, questionsBeside, ...withoutUnusedCode],
} satisfies BuildOptions;
