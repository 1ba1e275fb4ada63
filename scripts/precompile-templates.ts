import { join } from "node:path";
import type { Plugin } from "esbuild";
import { compileTemplate } from "../generator/compile-template";
import { manifest } from "../generator/manifest";
import { readTemplate } from "../generator/read-template";

const root = join(__dirname, "..");

const paths = [...new Set(manifest.map(({ template }) => template))];

/** File of the templates beside the executable, without its ending. */
export const TEMPLATES_FILE = "templates";

/**
 * Puts the compiled templates in the place of the compiler: a run of `new` takes half the time, and the package does not hold
 * their text besides. All templates are one file, which Node.js reads when it renders: each file costs a package 70 bytes.
 */
export const precompiledTemplates: Plugin = {
  name: "precompiled-templates",
  setup(build) {
    const namespace = "templates";
    build.onResolve({ filter: new RegExp(`^${TEMPLATES_FILE}$`) }, ({ path }) => ({ path, namespace }));
    build.onLoad({ filter: /^/, namespace }, () => {
      const templates = paths.map((path) => {
        const text = readTemplate(root, path);
        return [path, path.endsWith(".hbs") ? compileTemplate(path, text) : text];
      });
      return { contents: `module.exports = ${JSON.stringify(Object.fromEntries(templates))};` };
    });
    const beside = `./${TEMPLATES_FILE}.js`;
    build.onResolve({ filter: new RegExp(`^${beside.replaceAll(".", "\\.")}$`) }, ({ path }) => ({
      path,
      external: true,
    }));
    const resolveDir = join(root, "generator");
    build.onLoad({ filter: /[\\/]generator[\\/]compile-template\.ts$/ }, () => ({
      contents: `export const compileTemplate = (path) => require("${beside}")[path];`,
      resolveDir,
    }));
    build.onLoad({ filter: /[\\/]generator[\\/]read-template\.ts$/ }, () => ({
      contents: [
        `import { compileTemplate } from "./compile-template";`,
        `export const readTemplate = (_root, path) => (path.endsWith(".hbs") ? "" : compileTemplate(path));`,
      ].join("\n"),
      resolveDir,
    }));
  },
};
