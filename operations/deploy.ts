import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { inOrder, type StackManifest } from "../contract/stacks";
import { cancelled, UserError } from "../contract/user-error";
import type { Allowances } from "./allowances";
import { applyStacks } from "./apply";
import { listenForInterruption } from "./interruption";
import { findTerraform } from "./terraform";

/** Argument of `deploy`, `plan` and `apply` for the stack that all environments share. */
export const DELIVERY = "delivery";

/**
 * Stacks of one environment, each after its dependencies; or `delivery`, which belongs to no environment: it may be in an
 * account of its own, and a release must not change the pipeline that runs it.
 */
export function stacksOf(environment: string, manifest: StackManifest): string[] {
  const endings =
    environment === DELIVERY
      ? [`-${DELIVERY}`]
      : ["platform", "data", "service"].map((lifetime) => `-${environment}-${lifetime}`);
  const isOwn = (name: string) => endings.some((ending) => name.endsWith(ending));
  return inOrder(manifest, Object.keys(manifest.stacks).filter(isOwn));
}

/** The same. @throws UserError if the environment does not exist */
export function stacksOfEnvironment(environment: string, manifest: StackManifest): string[] {
  const stacks = stacksOf(environment, manifest);
  if (stacks.length > 0) return stacks;
  throw new UserError(
    `infra/environments.ts has no environment ${JSON.stringify(environment)}; its stacks are: ${Object.keys(manifest.stacks).join(", ")}`,
    2,
  );
}

/** Reads the manifest of a synthesized app. */
export function readManifest(outdir: string): StackManifest {
  return JSON.parse(readFileSync(join(outdir, "manifest.json"), "utf8")) as StackManifest;
}

/**
 * Synthesizes `infra/main.ts` of a generated repository, as `npm run synth` does, and returns the output folder.
 *
 * @param environment required environment; a placeholder in it is an error. Default: all complete environments
 */
export async function synthesize(repository: string, environment?: string): Promise<string> {
  const main = join(repository, "infra", "main.ts");
  if (!existsSync(main)) {
    throw new UserError(
      `no infra/main.ts in ${repository}: run this command in a repository that antifragile new generated`,
      2,
    );
  }
  let tsx: string;
  try {
    tsx = createRequire(main).resolve("tsx/cli");
  } catch {
    throw new UserError("tsx is not installed here: run npm install first", 2);
  }
  const words = environment === undefined || environment === DELIVERY ? [] : [environment];
  const code = await inForeground([process.execPath, tsx, main, ...words], repository);
  if (code === 130) throw cancelled("nothing was changed");
  if (code !== 0) throw new UserError("infra/main.ts cannot be synthesized: fix the errors above", 1);
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
}

/**
 * Deploys the stacks of an environment to the account that the AWS credentials are for, in order of their dependencies. Each
 * is planned, judged by the gate and confirmed, and that very plan is applied: see {@link applyStacks}.
 *
 * @throws UserError when Terraform, the environment or a terminal to ask on is missing, or the command is interrupted
 */
export async function deploy(options: DeployOptions): Promise<0 | 1 | 3> {
  const { repository, environment, autoApprove, allowances, print } = options;
  if (!autoApprove && !process.stdin.isTTY) {
    throw new UserError("there is no terminal to ask on whether a plan is to be applied: pass --auto-approve", 2);
  }
  const terraform = findTerraform(process.env);
  const outdir = await synthesize(repository, environment);
  const manifest = readManifest(outdir);
  const stacks = stacksOfEnvironment(environment, manifest);
  const consent = autoApprove ? "" : ", once you confirm";
  print(
    `deploy ${environment}: ${stacks.join(", ")}\n  Each is planned when those before it are applied; its plan passes the gate and is applied${consent}.\n`,
  );
  const outcome = await applyStacks({
    folders: stacks.map((stack) => join(outdir, "stacks", stack)),
    terraform,
    allowances,
    confirm: autoApprove ? async () => true : ask,
    print,
    env: process.env,
  });
  if (outcome === 0) print(`\n${environment} is deployed\n`);
  return outcome;
}

/** Asks on the terminal. A terminal that ends, Ctrl-C and Ctrl-D cancel. */
async function ask(stack: string, interrupted: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const ended = new Promise<never>((_, reject) => {
    const cancel = () => reject(cancelled(`${stack} is as it was`));
    terminal.once("close", cancel);
    interrupted.addEventListener("abort", cancel, { once: true });
  });
  try {
    const answer = terminal.question(`\nApply this plan to ${stack}? Only "yes" applies it: `);
    return (await Promise.race([answer, ended])).trim() === "yes";
  } finally {
    terminal.close();
  }
}

/** Runs a program and shows its output; 130 where it was interrupted. */
async function inForeground([program, ...args]: readonly string[], cwd: string): Promise<number> {
  const child = spawn(program as string, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  // A reader of this command that goes away must not end the program.
  child.stdout.on("data", (chunk) => void process.stdout.write(chunk));
  child.stderr.on("data", (chunk) => void process.stderr.write(chunk));
  const interruption = listenForInterruption({
    onStop: () => void child.kill("SIGTERM"),
    onForce: () => void child.kill("SIGKILL"),
  });
  try {
    const [code] = await once(child, "close");
    return interruption.signal.aborted ? 130 : (code ?? 1);
  } finally {
    interruption.dispose();
  }
}
