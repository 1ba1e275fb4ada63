import { existsSync } from "node:fs";
import { join } from "node:path";
import { type CommandContext, defineCommand } from "../contract/command-line";
import { type ExitCode, UserError } from "../contract/user-error";
import { ALLOWANCE_FLAGS, allowancesOf } from "./allowances";
import { synthesize } from "./deploy";
import { applySavedPlans, savePlans } from "./saved-plans";
import { findTerraform } from "./terraform";

/** The command `antifragile plan`. */
export const runPlan = defineCommand(
  {
    name: "plan",
    operands: ["<environment>"],
    description:
      "Plans the stacks of an environment and saves the plans that pass the gate in infra/cdktf.out, for antifragile apply. Changes nothing. A stack that depends on one that changes is planned by apply. Exit code 0: may be applied; 3: the gate refused.",
    flags: ALLOWANCE_FLAGS,
  },
  async (line, { cwd, print }: CommandContext): Promise<ExitCode> => {
    const environment = line.operands[0] as string;
    const terraform = findTerraform(process.env);
    return savePlans({
      outdir: await synthesize(cwd, environment),
      environment,
      allowances: allowancesOf(line),
      terraform,
      print,
      env: process.env,
    });
  },
);

/** The command `antifragile apply`. */
export const runApply = defineCommand(
  {
    name: "apply",
    operands: ["<environment>"],
    description:
      "Applies the plans that antifragile plan saved in infra/cdktf.out, each as it is. Synthesizes nothing. Exit code 3: the gate refused a stack that could not be planned earlier.",
    flags: {
      "only-saved": {
        help: "refuse changes of a stack that was not planned before, because its plan was not approved",
      },
    },
  },
  async (line, { cwd, print }: CommandContext): Promise<ExitCode> => {
    const environment = line.operands[0] as string;
    const outdir = join(cwd, "infra", "cdktf.out");
    if (!existsSync(outdir)) {
      throw new UserError(`no infra/cdktf.out in ${cwd}: run antifragile plan ${environment} first`, 2);
    }
    const onlySaved = line.has("only-saved");
    const terraform = findTerraform(process.env);
    return applySavedPlans({ outdir, environment, onlySaved, terraform, print, env: process.env });
  },
);
