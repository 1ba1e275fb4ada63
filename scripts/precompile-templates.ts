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

/** File of the compiled templates beside the executable, without its ending. */
export const TEMPLATES_FILE = "templates";

/**
 * Puts the compiled templates in the place of the compiler: a run of `new` takes half the time, and the package does not hold
 * their text besides. They are a file of their own, which Node.js reads when the first one is rendered.
 */
export const precompiledTemplates: Plugin = {
  name: "precompiled-templates",
  setup(build) {
    const namespace = "templates";
    build.onResolve({ filter: new RegExp(`^${TEMPLATES_FILE}$`) }, ({ path }) => ({ path, namespace }));
    build.onLoad({ filter: /^/, namespace }, () => {
      const compiled = paths
        .filter(isCompiled)
        .map((path) => [path, compileTemplate(path, readFileSync(join(root, "templates", path), "utf8"))]);
      return { contents: `module.exports = ${JSON.stringify(Object.fromEntries(compiled))};` };
    });
    const beside = `./${TEMPLATES_FILE}.js`;
    build.onResolve({ filter: new RegExp(`^${beside.replaceAll(".", "\\.")}$`) }, ({ path }) => ({
      path,
      external: true,
    }));
    build.onLoad({ filter: /[\\/]generator[\\/]compile-template\.ts$/ }, () => ({
      contents: [
        `export const TEMPLATES = ${JSON.stringify({ folder: FOLDER, compiled: true })};`,
        `export const compileTemplate = (path) => require("${beside}")[path];`,
      ].join("\n"),
      resolveDir: join(root, "generator"),
    }));
  },
};

/** Copies the templates that are no functions into a package. */
export function copyPlainTemplates(to: string = root): void {
  for (const path of paths.filter((each) => !isCompiled(each))) {
    mkdirSync(dirname(join(to, FOLDER, path)), { recursive: true });
    copyFileSync(join(root, "templates", path), join(to, FOLDER, path));
  }
}
