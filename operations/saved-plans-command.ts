import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Call, OperationError, type Outcome, readFlags, run } from "./command";
import { synthesize } from "./deploy";
import { applySavedPlans, savePlans } from "./saved-plans";

const PLAN_USAGE = `Usage: antifragile plan <environment> [--allow-delete ADDRESS]... [--allow-replace ADDRESS]...

Plans the stacks of an environment and keeps the plans that pass the gate in infra/cdktf.out, for antifragile apply: nothing
is changed. A stack that stands on one which changes is planned by apply. Exit code 0: may be applied; 3: the gate refused.
`;

const APPLY_USAGE = `Usage: antifragile apply <environment> [--only-saved]

Applies the plans that antifragile plan kept in infra/cdktf.out, each as it is. Nothing is synthesized.

  --only-saved  a stack that was left for later, and changes, is not applied: nobody has seen its plan
`;

/** A command that works in the folder of a repository. */
export interface FolderCall extends Call {
  readonly cwd: string;
}

/** The command `antifragile plan`. */
export function runPlan({ args, print, cwd }: FolderCall): Promise<Outcome> {
  return run(async () => {
    if (args.includes("--help") || args.includes("-h")) {
      print(PLAN_USAGE);
      return 0;
    }
    const { flags, operands } = readFlags(
      args,
      { "allow-delete": { multiple: true }, "allow-replace": { multiple: true } },
      PLAN_USAGE,
    );
    const environment = oneOperand(operands, PLAN_USAGE);
    const terraform = findTerraform();
    return savePlans({
      outdir: await synthesize(cwd, environment),
      environment,
      allowances: { delete: flags["allow-delete"] ?? [], replace: flags["allow-replace"] ?? [] },
      terraform,
      print,
      env: process.env,
    });
  });
}

/** The command `antifragile apply`. */
export function runApply({ args, print, cwd }: FolderCall): Promise<Outcome> {
  return run(async () => {
    if (args.includes("--help") || args.includes("-h")) {
      print(APPLY_USAGE);
      return 0;
    }
    const onlySaved = args.includes("--only-saved");
    const { operands } = readFlags(
      args.filter((arg) => arg !== "--only-saved"),
      {},
      APPLY_USAGE,
    );
    const environment = oneOperand(operands, APPLY_USAGE);
    const outdir = join(cwd, "infra", "cdktf.out");
    if (!existsSync(outdir)) {
      throw new OperationError(`no infra/cdktf.out in ${cwd}: run antifragile plan ${environment} first`, 2);
    }
    return applySavedPlans({ outdir, environment, onlySaved, terraform: findTerraform(), print, env: process.env });
  });
}

export function oneOperand(operands: readonly string[], usage: string): string {
  const [environment, ...more] = operands;
  if (environment === undefined || more.length > 0) {
    throw new OperationError(`name one environment, got ${operands.join(" ") || "none"}\n${usage}`, 2);
  }
  return environment;
}

function findTerraform(): readonly [string] {
  const terraform = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
  if (spawnSync(terraform, ["version"], { stdio: "ignore" }).error !== undefined) {
    throw new OperationError(
      `${terraform} is not installed: see https://developer.hashicorp.com/terraform/install (1.11 or newer)`,
      1,
    );
  }
  return [terraform];
}
