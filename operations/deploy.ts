import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { inOrder, type StackManifest } from "../contract/stacks";
import { UserError } from "../contract/user-error";
import { applyStacks } from "./apply";
import type { Allowances } from "./plan-gate";
import { findTerraform } from "./terraform";

/**
 * The command line of CDK for Terraform. Fetched when it is first used: it is 576 packages, which no `npm install` of a
 * service should wait for.
 */
const CDKTF_CLI = "cdktf-cli@0.21.0";

/** It was synthesized and asked for, and what it stands on is applied. */
const CDKTF_FLAGS = ["--skip-synth", "--auto-approve", "--ignore-missing-stack-dependencies"];

/** What `deploy`, `plan` and `apply` take for the stack that is one for all environments. */
export const DELIVERY = "delivery";

/**
 * Stacks of one environment, each after those that it stands on; or `delivery`, which is of no environment: it may be in an
 * account of its own, and what releases must not change what releases.
 */
export function stacksOf(environment: string, manifest: StackManifest): string[] {
  const endings =
    environment === DELIVERY
      ? [`-${DELIVERY}`]
      : ["platform", "data", "service"].map((lifetime) => `-${environment}-${lifetime}`);
  const isOwn = (name: string) => endings.some((ending) => name.endsWith(ending));
  return inOrder(manifest, Object.keys(manifest.stacks).filter(isOwn));
}

/** What was synthesized into a folder. */
export function readManifest(outdir: string): StackManifest {
  return JSON.parse(readFileSync(join(outdir, "manifest.json"), "utf8")) as StackManifest;
}

/**
 * Compiles `infra/main.ts` of a generated repository, as `npm run synth` does, and returns the folder it went to.
 *
 * @param environment the one that is needed: what it lacks is an error. Default: all that are filled in
 */
export async function synthesize(repository: string, environment?: string): Promise<string> {
  const main = join(repository, "infra", "main.ts");
  if (!existsSync(main)) {
    throw new UserError(`no infra/main.ts in ${repository}: run this in a repository that antifragile new wrote`, 2);
  }
  let tsx: string;
  try {
    tsx = createRequire(main).resolve("tsx/cli");
  } catch {
    throw new UserError("tsx is not installed here: run npm install first", 2);
  }
  const words = environment === undefined || environment === DELIVERY ? [] : [environment];
  const code = await inForeground([process.execPath, tsx, main, ...words], repository, process.env);
  if (code !== 0) throw new UserError("infra/main.ts does not synthesize: see above", 1);
  return join(repository, "infra", "cdktf.out");
}

export interface DeployOptions {
  /** Folder of the generated repository. */
  readonly repository: string;
  /** Name of the environment, `dev`; or `delivery`. */
  readonly environment: string;
  /** Applies each plan that passes the gate without asking. */
  readonly autoApprove: boolean;
  readonly allowances: Allowances;
  readonly print: (text: string) => void;
  /** How npm is started without a shell. */
  readonly npm: readonly [string, ...string[]];
}

/**
 * Deploys the stacks of an environment to the account that the AWS credentials are for. Each plan is shown, passes the gate
 * (see {@link applyStacks}) and is asked for; then `cdktf deploy` applies the stack.
 *
 * @throws UserError when Terraform, the environment or somebody to ask is missing
 */
export async function deploy(options: DeployOptions): Promise<0 | 1 | 3> {
  const { repository, environment, autoApprove, allowances, print, npm } = options;
  if (!autoApprove && !process.stdin.isTTY) {
    throw new UserError("nobody can be asked here whether a plan is wanted: pass --auto-approve", 2);
  }
  const terraform = findTerraform(process.env);
  const outdir = await synthesize(repository, environment);
  const manifest = readManifest(outdir);
  const stacks = stacksOf(environment, manifest);
  if (stacks.length === 0) {
    throw new UserError(
      `infra/environments.ts has no environment ${JSON.stringify(environment)}; its stacks are: ${Object.keys(manifest.stacks).join(", ")}`,
      2,
    );
  }
  return applyStacks({
    folders: stacks.map((stack) => join(outdir, "stacks", stack)),
    terraform,
    allowances,
    confirm: autoApprove ? async () => true : ask,
    print,
    // Neither cdktf nor Terraform calls home.
    env: { ...process.env, DISABLE_VERSION_CHECK: "1" },
    applyBy: (stack) => ({
      command: [...npm, "exec", "--yes", `--package=${CDKTF_CLI}`, "--", "cdktf", "deploy", stack, ...CDKTF_FLAGS],
      cwd: join(repository, "infra"),
    }),
  });
}

async function ask(stack: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question(`Apply this plan to ${stack}? Only "yes" is taken for it: `)).trim() === "yes";
  } finally {
    terminal.close();
  }
}

function inForeground([program, ...args]: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program as string, args, { cwd, env, stdio: "inherit" });
    // The terminal sends it to the child as well, which ends in good order; so does this then.
    const wait = () => undefined;
    process.on("SIGINT", wait);
    child.once("error", reject);
    child.once("close", (code) => {
      process.off("SIGINT", wait);
      resolve(code ?? 130);
    });
  });
}
