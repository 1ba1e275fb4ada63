import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "esbuild";
import Handlebars from "handlebars";
import { manifest } from "../generator/manifest";
import { COMPILE_OPTIONS } from "../generator/template-rules";

const root = join(__dirname, "..");

/** Folder in which the executable finds templates that are copied unchanged. */
const FOLDER = "dist/templates";
const isCompiled = (path: string) => path.endsWith(".hbs");
const paths = [...new Set(manifest.map(({ template }) => template))];

/** Removes from a compiled template what no helper of ours reads, and a function that the runtime has. */
const withoutUnused = (code: string) =>
  code
    .replace(/,"loc":\{"start":\{"line":\d+,"column":\d+\},"end":\{"line":\d+,"column":\d+\}\}/g, "")
    .replace(/\{"name":"\w+","hash":\{\},"data":data\}/g, "{}")
    .replace(/(container\.lookupProperty) \|\| function\(parent, propertyName\) \{[^}]*\}[^}]*\}/g, "$1");

/**
 * Puts the compiled templates in the place of the compiler: a run of `new` takes half the time, and the package does not hold
 * their text besides.
 */
export const precompiledTemplates: Plugin = {
  name: "precompiled-templates",
  setup(build) {
    build.onLoad({ filter: /[\\/]generator[\\/]compile-template\.ts$/ }, () => {
      const functions = paths.filter(isCompiled).map((path) => {
        const source = readFileSync(join(root, "templates", path), "utf8");
        const options = COMPILE_OPTIONS as Parameters<typeof Handlebars.precompile>[1];
        return `${JSON.stringify(path)}: ${withoutUnused(String(Handlebars.precompile(source, options)))}`;
      });
      const contents = [
        'import runtime from "handlebars/runtime";',
        'import { withOurHelpers } from "./template-rules";',
        "const handlebars = withOurHelpers(runtime.create());",
        `const functions = {${functions.join(",\n")}};`,
        `export const TEMPLATES = ${JSON.stringify({ folder: FOLDER, compiled: true })};`,
        "export const compileTemplate = (path) => handlebars.template(functions[path]);",
      ];
      return { contents: contents.join("\n"), loader: "js", resolveDir: join(root, "generator") };
    });
  },
};

/** Copies the templates that are no functions into a package. */
export function copyPlainTemplates(to: string = root): void {
  for (const path of paths.filter((each) => !isCompiled(each))) {
    mkdirSync(dirname(join(to, FOLDER, path)), { recursive: true });
    copyFileSync(join(root, "templates", path), join(to, FOLDER, path));
  }
}

/** Puts other code in the place of a package of inquirer's, which takes much of the executable. */
const withoutPackage = (name: string, contents: string): Plugin => ({
  name: `without-${name}`,
  setup(build) {
    const filter = new RegExp(`[\\\\/]node_modules[\\\\/]${name.replace("/", "[\\\\/]")}[\\\\/]`);
    build.onLoad({ filter }, () => ({ contents, loader: "js" }));
  },
});

export const withoutUnusedPackages: readonly Plugin[] = [
  // Conversions between color models, which inquirer never asks for: ansi-styles reads them at first use.
  withoutPackage("color-convert", "module.exports = {};"),
  // Kinds of questions that nothing asks: the one that opens a text editor is two thirds of the executable.
  ...["editor", "expand", "number", "password", "rawlist", "search"].map((kind) =>
    withoutPackage(`@inquirer/${kind}`, "export default undefined;"),
  ),
  // The engine has the pattern of an emoji: the list that inquirer's width of a text brings has 10 kB.
  withoutPackage("emoji-regex", "module.exports = () => /\\p{RGI_Emoji}/gv;"),
];
