import { readFile } from "node:fs/promises";
import { text as readStream } from "node:stream/consumers";
import { type CommandContext, defineCommand } from "../contract/command-line";
import { type ExitCode, UserError } from "../contract/user-error";
import { ALLOWANCE_FLAGS, allowancesOf } from "./allowances";
import { describeObstacles, protectedFromDeletion, REFUSED_BY_AWS } from "./obstacles";
import { describeVerdict, judgePlan } from "./plan-gate";
import { readPlan } from "./terraform-plan";

/** The command `antifragile plan-gate`. */
export const runPlanGate = defineCommand(
  {
    name: "plan-gate",
    operands: ["<plan.json>"],
    description:
      "Reads the output of `terraform show -json <plan file>` (- for stdin) and refuses to delete, replace or weaken services, target groups, databases, namespaces, keys and other protected resources, unless each is named. Exit code 0: may be applied; 3: refused.",
    flags: ALLOWANCE_FLAGS,
  },
  async (line, { print }: CommandContext): Promise<ExitCode> => {
    const plan = await read(line.operands[0] as string);
    const verdict = judgePlan(plan, allowancesOf(line));
    print(describeVerdict(verdict));
    if (verdict.refused.length > 0) return 3;
    const obstacles = protectedFromDeletion(plan);
    if (obstacles.length > 0) {
      print(describeObstacles(REFUSED_BY_AWS, obstacles));
      return 3;
    }
    return verdict.unused.length > 0 ? 2 : 0;
  },
);

async function read(file: string) {
  try {
    return readPlan(file === "-" ? await readStream(process.stdin) : await readFile(file, "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = { ENOENT: "does not exist", EISDIR: "is a folder", EACCES: "cannot be read: permission denied" }[
      code ?? ""
    ];
    throw new UserError(`${file} ${reason ?? message}`, 2);
  }
}
