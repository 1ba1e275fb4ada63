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
