import { resolveAnswers } from "../generator/answers";
import { parseAnswersFile } from "../generator/answers-file";
import type { Context } from "../generator/context";
import { type ExitCode, UserError } from "../generator/errors";
import { options } from "../generator/options";
import { packageVersion } from "../generator/package-files";
import { OperationError, readFlags } from "../operations/command";
import { describeChecks, examine } from "../operations/doctor";

const HELP = `Usage: antifragile doctor [environment] [--json]

Tells what is missing before a repository can be deployed: tools, what is installed, and in infra/environments.ts what only
you know. Of one environment, or of all. Asks nothing of the network, changes nothing. Exit code 0: nothing is wrong; 1: a
problem.

  --json  the same as data
`;

/** `antifragile doctor`, in a generated repository. */
export async function runDoctor(context: Context): Promise<ExitCode> {
  const { args, print, cwd, env, packageRoot } = context;
  if (args.includes("--help") || args.includes("-h")) {
    print(HELP);
    return 0;
  }
  try {
    const { operands } = readFlags(
      args.filter((arg) => arg !== "--json"),
      {},
      HELP,
    );
    if (operands.length > 1) throw new OperationError(`name one environment, not ${operands.join(", ")}\n${HELP}`, 2);
    const checks = examine({
      repository: cwd,
      environment: operands[0],
      env,
      nodeVersion: process.versions.node,
      version: packageVersion(packageRoot),
      checkAnswers,
    });
    const ok = checks.every(({ level }) => level !== "problem");
    print(args.includes("--json") ? `${JSON.stringify({ ok, checks }, undefined, 2)}\n` : describeChecks(checks));
    return ok ? 0 : 1;
  } catch (error) {
    if (error instanceof OperationError) throw new UserError(error.message, error.outcome);
    throw error;
  }
}

/** What is wrong with a recorded answers file. */
function checkAnswers(text: string): readonly string[] {
  const fileName = ".antifragile.json";
  const { values, problems } = parseAnswersFile(text, fileName);
  if (problems.length > 0) return problems;
  const given = { flag: new Map(), file: values, prompt: new Map(), fileName };
  const resolution = resolveAnswers(options, given, { folder: undefined });
  return [...resolution.problems, ...resolution.missing.map((key) => `${fileName}: ${key} is missing`)];
}
