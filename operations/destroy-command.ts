import { existsSync } from "node:fs";
import { join } from "node:path";
import { type CommandContext, defineCommand } from "../contract/command-line";
import type { ExitCode } from "../contract/user-error";
import { destroyStacks } from "./destroy";
import { destroyCloud } from "./destroy-cloud";
import type { Kept } from "./kept";
import { synthesize } from "./synth";
import { backendsOf, DELIVERY, isDelivery, stacksOfEnvironment } from "./synthesized";
import { askOnTerminal, requireTerminal } from "./terminal";
import { findTerraform } from "./terraform";

/** The command `antifragile destroy`. */
export const runDestroy = defineCommand(
  {
    name: "destroy",
    operands: ["<environment>"],
    description:
      "Deletes all stacks of an environment, or delivery, from the account of the credentials: services first, then data, then the platform. Plans all of it, lists what would be lost and what remains with its cost, asks for the name of the environment, and applies those very plans. Exit code 3: something cannot be deleted, such as a database with deletion protection; 130: interrupted.",
    flags: { "auto-approve": { help: "destroy without asking for the name of the environment" } },
  },
  async (line, { cwd, print }: CommandContext): Promise<ExitCode> => {
    const environment = line.operands[0] as string;
    const approved = line.has("auto-approve");
    if (!approved) requireTerminal("for the name of the environment");
    const terraform = findTerraform(process.env);
    const outdir = await synthesize(cwd, environment);
    const stacks = stacksOfEnvironment(environment, outdir);
    print(`destroy ${environment}: ${[...stacks].reverse().join(", ")}\n`);
    return destroyStacks({
      environment,
      folders: stacks.map((stack) => join(outdir, "stacks", stack)),
      alsoKept: keptBeside(environment, outdir, { stacks, delivers: existsSync(join(cwd, "infra", "delivery.ts")) }),
      terraform,
      confirm: async (interrupted) =>
        approved ||
        (await askOnTerminal(`\nType the name of the environment to destroy it: `, {
          interrupted,
          left: `${environment} is as it was`,
        })) === environment,
      cloudOf: destroyCloud,
      print,
      env: process.env,
    });
  },
);

/** Remains of an environment that are not in its stacks. */
function keptBeside(
  environment: string,
  outdir: string,
  { stacks, delivers }: { readonly stacks: readonly string[]; readonly delivers: boolean },
): readonly Kept[] {
  const buckets = new Set(backendsOf(outdir, stacks).map(({ bucket }) => bucket));
  const states = [...buckets].map((bucket) => ({
    what: `states of Terraform in bucket ${bucket}`,
    cost: "cents a month",
  }));
  if (isDelivery(environment)) return states;
  const secrets = `secrets that antifragile secret set has stored below /secrets/${environment} of Parameter Store`;
  const images = `${DELIVERY}, which all environments share, with its images: antifragile destroy ${DELIVERY} deletes it`;
  return [
    ...states,
    { what: secrets, cost: "free" },
    ...(delivers ? [{ what: images, cost: "about 0.10 USD per GB and month" }] : []),
  ];
}
