import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ROOT } from "./examples";
import { synthPrograms } from "./program";
import { requiring } from "./required-tools";

/** An engine with bindings of the AWS provider, and the folders of their packages. */
export interface Combination {
  readonly engine: "cdktf" | "cdktn";
  /** Version of the engine. */
  readonly version: string;
  /** Version of the AWS provider that the bindings are made from. */
  readonly provider: string;
  readonly line: 5 | 6;
  readonly packages: { readonly cdktf: string; readonly "@cdktf/provider-aws": string };
}

const CDKTF = join(ROOT, "node_modules/cdktf");
const CDKTN = join(ROOT, "test/engines/node_modules/cdktn");

/** Combinations that are tested. The first is the one that the repository installs and applies. */
export const COMBINATIONS = {
  "cdktf with provider 5": {
    engine: "cdktf",
    version: "0.21.0",
    provider: "5.100.0",
    line: 5,
    packages: { cdktf: CDKTF, "@cdktf/provider-aws": join(ROOT, "node_modules/@cdktf/provider-aws") },
  },
  "cdktf with provider 6": {
    engine: "cdktf",
    version: "0.21.0",
    provider: "6.25.0",
    line: 6,
    packages: { cdktf: CDKTF, "@cdktf/provider-aws": join(ROOT, "node_modules/provider-aws-6") },
  },
  "cdktn with provider 6": {
    engine: "cdktn",
    version: "0.24.0",
    provider: "6.66.0",
    line: 6,
    packages: { cdktf: CDKTN, "@cdktf/provider-aws": join(ROOT, "test/engines/node_modules/@cdktn/provider-aws") },
  },
  // As with `"cdktf": "npm:cdktn@0.24.0"` in package.json.
  "cdktn as cdktf, with provider 5": {
    engine: "cdktn",
    version: "0.24.0",
    provider: "5.100.0",
    line: 5,
    packages: { cdktf: CDKTN, "@cdktf/provider-aws": join(ROOT, "node_modules/@cdktf/provider-aws") },
  },
} as const satisfies Readonly<Record<string, Combination>>;

/** True if CDK Terrain and its bindings are installed. They have a `package.json` of their own, because they take half a gigabyte. */
export const hasCdktn = existsSync(CDKTN);

const missing = hasCdktn ? [] : ["npm ci --prefix test/engines"];

/** Tests that need CDK Terrain. */
export const { describe: describeWithCdktn, it: itWithCdktn } = requiring(missing);

/** Newer versions of Node.js, which are packages for Linux beside CDK Terrain. */
const NEWER_NODES = ["node-22", "node-24"].map((name) => join(ROOT, "test/engines/node_modules", name, "bin/node"));
const missingNodes = NEWER_NODES.filter((program) => !existsSync(program));

/** Tests that need CDK Terrain and the newer versions of Node.js. */
export const { describe: describeWithNodes } = requiring([...missing, ...missingNodes]);

/** Programs of Node.js: the one that runs the tests, and newer versions if they are installed. */
export const NODES: readonly string[] = [process.execPath, ...NEWER_NODES.filter((program) => existsSync(program))];

/** Those that CDK Terrain runs on. */
export const NODES_OF_CDKTN = NODES.slice(1);

/** Environment and arguments of Node.js for programs that load the packages of a combination. */
export function onCombination({ packages }: Combination): { env: NodeJS.ProcessEnv; args: string[] } {
  const env = { ...process.env, PACKAGES: JSON.stringify({ ...packages, ...NAMES_OF_CDKTN }) };
  return { env, args: ["--require", join(__dirname, "other-packages.cjs")] };
}

/** The bindings of CDK Terrain require it by its own name. */
const NAMES_OF_CDKTN = { cdktn: CDKTN };

/** Synthesizes programs with the packages of a combination, as {@link synthPrograms} does. */
export function synthesized(programs: readonly string[], combination: Combination, variables: NodeJS.ProcessEnv = {}) {
  const { env, args } = onCombination(combination);
  const mains = programs.map((program) => resolve(ROOT, program));
  return synthPrograms(mains, { args, env: { ...env, ...variables } });
}
