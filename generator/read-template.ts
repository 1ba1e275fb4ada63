import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Reads a template of the package at `root`. The built executable has the texts in one file beside it, and "" for those that it has compiled. */
export const readTemplate = (root: string, path: string): string => readFileSync(join(root, "templates", path), "utf8");
