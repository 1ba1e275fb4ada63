import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe } from "vitest";
import { ROOT } from "./examples";
import { synthPrograms } from "./program";

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

/**
 * CDK Terrain and its bindings, which have a `package.json` of their own: they take half a gigabyte, and a contributor may do
 * without them. Missing in a CI run is a failure.
 */
export const hasCdktn = existsSync(CDKTN) || process.env.CI !== undefined;

/** Tests that need CDK Terrain; skipped with a message if it is not installed. */
export const describeWithCdktn: (name: string, tests: () => void) => void = (name, tests) =>
  hasCdktn ? describe(name, tests) : describe.skip(`${name} (not installed: npm ci --prefix test/engines)`, tests);

/**
 * Programs of Node.js: the one that runs the tests, and newer versions, which are packages for Linux beside CDK Terrain. Missing in a CI
 * run is a failure.
 */
export const NODES: readonly string[] = [
  process.execPath,
  ...["node-22", "node-24"]
    .map((name) => join(ROOT, "test/engines/node_modules", name, "bin/node"))
    .filter((program) => existsSync(program) || process.env.CI !== undefined),
];

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
