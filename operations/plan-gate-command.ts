import { readFile } from "node:fs/promises";
import { text as readStream } from "node:stream/consumers";
import { type Call, OperationError, type Outcome, readFlags, run } from "./command";
import { describeVerdict, judgePlan, readPlan } from "./plan-gate";

const USAGE = `Usage: antifragile plan-gate <plan.json> [--allow-delete ADDRESS]... [--allow-replace ADDRESS]...

Reads what \`terraform show -json <plan file>\` printed (- for stdin) and refuses to delete or replace services, target
groups, databases, namespaces, keys and what else holds data, unless each is named. Exit code 0: may be applied; 3: refused.
`;

/** The command `antifragile plan-gate`. */
export function runPlanGate({ args, print }: Call): Promise<Outcome> {
  return run(async () => {
    if (args.includes("--help") || args.includes("-h")) {
      print(USAGE);
      return 0;
    }
    const { flags, operands } = readFlags(
      args,
      { "allow-delete": { multiple: true }, "allow-replace": { multiple: true } },
      USAGE,
    );
    const [file] = operands;
    if (file === undefined || operands.length > 1) {
      throw new OperationError(`name one plan, got ${operands.length}\n${USAGE}`, 2);
    }
    const verdict = judgePlan(await read(file), {
      delete: flags["allow-delete"] ?? [],
      replace: flags["allow-replace"] ?? [],
    });
    print(describeVerdict(verdict));
    if (verdict.refused.length > 0) return 3;
    return verdict.unused.length > 0 ? 2 : 0;
  });
}

async function read(file: string) {
  try {
    return readPlan(file === "-" ? await readStream(process.stdin) : await readFile(file, "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = { ENOENT: "does not exist", EISDIR: "is a folder", EACCES: "may not be read" }[code ?? ""];
    throw new OperationError(`${file} ${reason ?? message}`, 2);
  }
}
