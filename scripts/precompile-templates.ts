import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "esbuild";
import { compileTemplate } from "../generator/compile-template";
import { manifest } from "../generator/manifest";

const root = join(__dirname, "..");

/** Folder in which the executable finds templates that are copied unchanged. */
const FOLDER = "dist/templates";
const isCompiled = (path: string) => path.endsWith(".hbs");
const paths = [...new Set(manifest.map(({ template }) => template))];

/**
 * Puts the compiled templates in the place of the compiler: a run of `new` takes half the time, and the package does not hold
 * their text besides.
 */
export const precompiledTemplates: Plugin = {
  name: "precompiled-templates",
  setup(build) {
    build.onLoad({ filter: /[\\/]generator[\\/]compile-template\.ts$/ }, () => {
      const compiled = paths
        .filter(isCompiled)
        .map((path) => [path, compileTemplate(path, readFileSync(join(root, "templates", path), "utf8"))]);
      const contents = [
        `const compiled = ${JSON.stringify(Object.fromEntries(compiled))};`,
        `export const TEMPLATES = ${JSON.stringify({ folder: FOLDER, compiled: true })};`,
        "export const compileTemplate = (path) => compiled[path];",
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
