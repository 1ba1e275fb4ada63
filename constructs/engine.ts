import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { compileFunction } from "node:vm";

/** Reports whether a package is installed. */
function isInstalled(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Reports whether CDK Terrain is the engine: it is installed, and CDK for Terraform is not. */
export function onCdktn(): boolean {
  return !isInstalled("cdktf") && isInstalled("cdktn");
}

/**
 * Loads a file of the package on CDK Terrain. Its packages have the content of those of CDK for Terraform, so the same code
 * requires them by their names.
 */
export function loadOnCdktn(name: string): unknown {
  const path = join(__dirname, name);
  const loaded = { exports: {} };
  const load = (request: string): unknown => require(request.replace(/^(@?)cdktf(?=\/|$)/, "$1cdktn"));
  const parameters = ["exports", "require", "module", "__filename", "__dirname"];
  const run = compileFunction(readFileSync(path, "utf8"), parameters, { filename: path });
  run(loaded.exports, load, loaded, path, dirname(path));
  return loaded.exports;
}
