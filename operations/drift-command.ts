import { join } from "node:path";
import { type CommandContext, defineCommand } from "../contract/command-line";
import type { ExitCode } from "../contract/user-error";
import { describeDrift, findDrift } from "./drift";
import { synthesize } from "./synth";
import { stacksOfEnvironment } from "./synthesized";
import { findTerraform } from "./terraform";

/** The command `antifragile drift`. */
export const runDrift = defineCommand(
  {
    name: "drift",
    operands: ["<environment>"],
    description:
      "Plans every stack of an environment, or delivery, and lists the resources that differ from the code: changed outside Terraform, or not applied yet. Only reads: takes no lock, writes no state. Exit code 3: something differs; 1: a stack could not be planned.",
    flags: { json: { help: "print the result as JSON" } },
  },
  async (line, { cwd, print }: CommandContext): Promise<ExitCode> => {
    const environment = line.operands[0] as string;
    const terraform = findTerraform(process.env);
    const outdir = await synthesize(cwd, environment);
    const names = stacksOfEnvironment(environment, outdir);
    const stacks = await findDrift({
      folders: names.map((name) => join(outdir, "stacks", name)),
      terraform,
      env: process.env,
      print: (text) => void process.stderr.write(text),
    });
    const differs = stacks.some(({ state }) => state === "differs");
    const failed = stacks.some(({ state }) => state === "failed");
    const result = { environment, differs, stacks };
    print(line.has("json") ? `${JSON.stringify(result, undefined, 2)}\n` : describeDrift(environment, stacks));
    if (failed) return 1;
    return differs ? 3 : 0;
  },
);
