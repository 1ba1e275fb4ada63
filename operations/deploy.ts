import { join } from "node:path";
import type { Allowances } from "./allowances";
import { applyStacks } from "./apply";
import { synthesize } from "./synth";
import { readManifest, stacksOfEnvironment } from "./synthesized";
import { askOnTerminal, requireTerminal } from "./terminal";
import { findTerraform } from "./terraform";

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
 * @throws UserError when Terraform, the environment or a terminal for the question is missing, or the command is interrupted
 */
export async function deploy(options: DeployOptions): Promise<0 | 1 | 3> {
  const { repository, environment, autoApprove, allowances, print } = options;
  if (!autoApprove) requireTerminal("whether to apply a plan");
  const terraform = findTerraform(process.env);
  const outdir = await synthesize(repository, environment);
  const manifest = readManifest(outdir);
  const stacks = stacksOfEnvironment(environment, outdir);
  const consent = autoApprove ? "" : ", once you confirm";
  print(
    `deploy ${environment}: ${stacks.join(", ")}\n  Each is planned when those before it are applied; its plan passes the gate and is applied${consent}.\n`,
  );
  const outcome = await applyStacks({
    folders: stacks.map((stack) => join(outdir, "stacks", stack)),
    manifest,
    terraform,
    allowances,
    confirm: autoApprove ? async () => true : ask,
    print,
    env: process.env,
  });
  if (outcome === 0) print(`\n${environment} is deployed\n`);
  return outcome;
}

async function ask(stack: string, interrupted: AbortSignal): Promise<boolean> {
  const question = `\nApply this plan to ${stack}? Only "yes" applies it: `;
  return (await askOnTerminal(question, { interrupted, left: `${stack} is as it was` })) === "yes";
}
