import { existsSync } from "node:fs";
import { join } from "node:path";
import { type CommandContext, defineCommand } from "../contract/command-line";
import { type ExitCode, UserError } from "../contract/user-error";
import { ALLOWANCE_FLAGS, allowancesOf } from "./allowances";
import {
  COMMIT_FLAG,
  checkCommit,
  type DeployedCommit,
  recordAppliedCommit,
  refuseOlderCommit,
} from "./applied-commit";
import { forUser } from "./aws-sdk";
import { checkTransferId, downloadPlans, uploadPlans } from "./plan-transfer";
import { applySavedPlans, savePlans } from "./saved-plans";
import { synthesize } from "./synth";
import { findTerraform } from "./terraform";

/** The command `antifragile plan`. */
export const runPlan = defineCommand(
  {
    name: "plan",
    operands: ["<environment>"],
    description:
      "Plans the stacks of an environment and saves the plans that pass the gate in infra/cdktf.out, for antifragile apply. Changes nothing. A stack that depends on one that changes is planned by apply. Exit code 0: may be applied; 3: the gate refused.",
    flags: {
      ...ALLOWANCE_FLAGS,
      commit: COMMIT_FLAG,
      upload: {
        value: "ID",
        help: "store the plans in the bucket of the state, for antifragile apply --download ID on another machine",
      },
    },
  },
  async (line, { cwd, print }: CommandContext): Promise<ExitCode> => {
    const environment = line.operands[0] as string;
    const id = line.value("upload");
    if (id !== undefined) checkTransferId("upload", id);
    const commit = commitOf("plan", line.value("commit"), { repository: cwd, environment, print });
    const terraform = findTerraform(process.env);
    const outdir = await synthesize(cwd, environment);
    return forUser(async () => {
      if (commit !== undefined) await refuseOlderCommit(commit);
      const options = { outdir, environment, terraform, print, env: process.env };
      const outcome = await savePlans({ ...options, allowances: allowancesOf(line) });
      if (outcome === 0 && id !== undefined) await uploadPlans({ outdir, environment, id, print });
      return outcome;
    });
  },
);

/** The command `antifragile apply`. */
export const runApply = defineCommand(
  {
    name: "apply",
    operands: ["<environment>"],
    description:
      "Applies the plans that antifragile plan saved in infra/cdktf.out, each as it is. Exit code 3: the gate refused a stack that could not be planned earlier.",
    flags: {
      "only-saved": {
        help: "refuse changes of a stack that was not planned before, because its plan was not approved",
      },
      commit: COMMIT_FLAG,
      download: { value: "ID", help: "apply the plans that antifragile plan --upload ID stored" },
    },
  },
  async (line, { cwd, print }: CommandContext): Promise<ExitCode> => {
    const environment = line.operands[0] as string;
    const id = line.value("download");
    if (id !== undefined) checkTransferId("download", id);
    const commit = commitOf("apply", line.value("commit"), { repository: cwd, environment, print });
    const outdir = join(cwd, "infra", "cdktf.out");
    if (id === undefined && !existsSync(outdir)) {
      throw new UserError(`no infra/cdktf.out in ${cwd}: run antifragile plan ${environment} first`, 2);
    }
    const onlySaved = line.has("only-saved");
    const terraform = findTerraform(process.env);
    return forUser(async () => {
      // The synthesized stacks say where the plans are, which replace them.
      if (id !== undefined) await synthesize(cwd, environment);
      const discard = id === undefined ? undefined : await downloadPlans({ outdir, environment, id, print });
      if (commit !== undefined) await refuseOlderCommit(commit);
      const outcome = await applySavedPlans({ outdir, environment, onlySaved, terraform, print, env: process.env });
      if (outcome !== 0) return outcome;
      if (commit !== undefined) await recordAppliedCommit(commit);
      await discard?.();
      return outcome;
    });
  },
);

function commitOf(
  command: string,
  commit: string | undefined,
  place: Omit<DeployedCommit, "commit">,
): DeployedCommit | undefined {
  if (commit === undefined) return undefined;
  checkCommit(command, commit);
  return { ...place, commit };
}
