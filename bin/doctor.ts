import { defineCommand } from "../contract/command-line";
import type { ExitCode } from "../contract/user-error";
import { resolveAnswers } from "../generator/answers";
import { parseAnswersFile } from "../generator/answers-file";
import type { Context } from "../generator/context";
import { options } from "../generator/options";
import { packageVersion } from "../generator/package-files";
import { describeChecks, examine } from "../operations/doctor";
import { examineAccount } from "../operations/doctor-aws";

/** The command `antifragile doctor`, in a generated repository. */
export const runDoctor = defineCommand(
  {
    name: "doctor",
    operands: ["[environment]"],
    description:
      "Shows what is missing before a repository can be deployed: tools, installed packages, and the values in infra/environments.ts that only you know; of one environment or of all. Then lists what a person sets up once at the CI system. Sends nothing over the network without --aws, changes nothing. Exit code 1: there is a problem.",
    flags: {
      aws: {
        help: "also check the account that the AWS credentials are for: state bucket, permissions boundary, delivery",
      },
      json: { help: "print the checks as JSON" },
    },
  },
  async (line, { print, cwd, env, packageRoot }: Context): Promise<ExitCode> => {
    const [environment] = line.operands;
    const checks = examine({
      repository: cwd,
      environment,
      env,
      nodeVersion: process.versions.node,
      version: packageVersion(packageRoot),
      checkAnswers,
    });
    if (line.has("aws")) checks.push(...(await examineAccount(cwd, environment)));
    const ok = checks.every(({ level }) => level !== "problem");
    print(line.has("json") ? `${JSON.stringify({ ok, checks }, undefined, 2)}\n` : describeChecks(checks));
    return ok ? 0 : 1;
  },
);

/** Problems of a recorded answers file. */
function checkAnswers(text: string): readonly string[] {
  const fileName = ".antifragile.json";
  const { values, problems } = parseAnswersFile(text, fileName);
  if (problems.length > 0) return problems;
  const given = { flag: new Map(), file: values, prompt: new Map(), fileName };
  const resolution = resolveAnswers(options, given, { folder: undefined });
  return [...resolution.problems, ...resolution.missing.map((key) => `${fileName}: ${key} is missing`)];
}
