import { existsSync, readFileSync } from "node:fs";
import { lstat, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { UserError } from "../contract/user-error";
import { manifest } from "./manifest";
import { readTemplate } from "./read-template";
import type { Templates } from "./render";

/** Finds the root folder of this package, from a bundle in `dist/` or from the sources. */
export function findPackageRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file) && JSON.parse(readFileSync(file, "utf8")).name === "antifragile") return folder;
    if (dirname(folder) === folder) throw new Error(`no package.json of antifragile above ${from}`);
  }
}

/** Version of this package. */
export function packageVersion(root: string): string {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
}

/** Reads the templates of the manifest. */
export function loadTemplates(root: string): Templates {
  const files = new Map(manifest.map(({ template }) => [template, readTemplate(root, template)]));
  return { version: packageVersion(root), files };
}

async function filesBelow(root: string, path: string): Promise<string[]> {
  const found = await lstat(join(root, path)).catch(() => undefined);
  if (found?.isFile()) return [path];
  if (!found?.isDirectory()) return [];
  const names = (await readdir(join(root, path))).filter((name) => name !== "__pycache__" && name !== "node_modules");
  return (await Promise.all(names.map((name) => filesBelow(root, `${path}/${name}`)))).flat();
}

const BLOCK = 512;

/** Writes the header of a file in a POSIX (ustar) archive. */
function header(path: string, size: number, mode: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const cut = path.length <= 100 ? -1 : path.lastIndexOf("/", 155);
  if (path.length - cut - 1 > 100) throw new Error(`${path} is too long for an archive`);
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, "0")}\0`;
  block.write(path.slice(cut + 1), 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  // npm sets this time for every file of a package: 1985-10-26, 8:15 UTC.
  block.write(octal(499_162_500, 12), 136);
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\0" + "00", 257);
  if (cut >= 0) block.write(path.slice(0, cut), 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/**
 * Packs this package as `npm pack` does, from wherever it is installed: the same files, without owners and times, so that equal
 * packages give equal bytes.
 *
 * @throws UserError if the package is not built
 */
export async function packPackage(root: string): Promise<Buffer> {
  const { files, bin } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const paths = (await Promise.all(["package.json", ...files].map((path) => filesBelow(root, path)))).flat().sort();
  const executables = Object.values<string>(bin);
  for (const executable of executables) {
    if (!paths.includes(executable))
      throw new UserError(`${join(root, executable)} is missing; run npm run build there`, 1);
  }
  const blocks: Buffer[] = [];
  for (const path of paths) {
    const content = await readFile(join(root, path));
    const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
    blocks.push(
      header(`package/${path}`, content.length, executables.includes(path) ? 0o755 : 0o644),
      content,
      padding,
    );
  }
  // Level 4 takes half the time of the default and makes the archive 3 % larger.
  return promisify(gzip)(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level: 4 });
}
