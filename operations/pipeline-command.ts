import { existsSync } from "node:fs";
import { join } from "node:path";
import { type CommandContext, defineCommand } from "../contract/command-line";
import { didYouMean, quoted } from "../contract/text";
import { badUsage, type ExitCode, UserError } from "../contract/user-error";
import { AwsClients, forUser } from "./aws-sdk";
import { describePipeline, pipelineStatus } from "./pipeline-status";
import { synthesize } from "./synth";
import { pipelinesIn } from "./synthesized";

/** The command `antifragile pipeline`. */
export const runPipeline = defineCommand(
  {
    name: "pipeline",
    operands: ["status", "[name]"],
    description:
      "Shows each stage of a pipeline in CodePipeline: its last execution, commit and status, approvals that it waits for, and why an action failed. Without a name, shows the pipelines of this repository. Uses the AWS credentials of the shell; only reads.",
    flags: {
      region: {
        value: "REGION",
        help: "region (default: that of the pipeline here, else of the AWS configuration)",
      },
      json: { help: "print the pipelines as one JSON array" },
    },
  },
  async (line, { cwd, print }: CommandContext): Promise<ExitCode> => {
    const [verb = "", name] = line.operands;
    if (verb !== "status") {
      throw badUsage([`${quoted(verb)}: must be status${didYouMean(verb, ["status"])}`], HINT);
    }
    const places = await placesOf(cwd, name, line.value("region"));
    const found = await forUser(() => Promise.all(places.map(readPlace)));
    print(line.has("json") ? `${JSON.stringify(found, undefined, 2)}\n` : found.map(describePipeline).join("\n"));
    return 0;
  },
);

const HINT = "antifragile pipeline --help explains it.";

interface Place {
  readonly name: string;
  readonly region: string | undefined;
}

/** Pipelines of the repository in this folder, or the named one; elsewhere, and with a region, the name is taken as it is. */
async function placesOf(cwd: string, name: string | undefined, region: string | undefined): Promise<Place[]> {
  if (existsSync(join(cwd, "infra", "main.ts")) && (name === undefined || region === undefined)) {
    const last = join(cwd, "infra", "cdktf.out");
    const isWanted = (each: Place) => name === undefined || each.name === name;
    let known = pipelinesIn(last);
    if (!known.some(isWanted)) known = pipelinesIn(await synthesize(cwd));
    const wanted = known.filter(isWanted);
    if (wanted.length > 0) return wanted.map((each) => ({ ...each, region: region ?? each.region }));
    if (known.length === 0) throw new UserError("this repository has no Pipeline: docs/pipeline.md adds one", 2);
    const names = known.map((each) => each.name);
    throw new UserError(
      `this repository has no pipeline ${quoted(name)}${didYouMean(name ?? "", names)}\nIts pipelines are: ${names.join(", ")}`,
      2,
    );
  }
  if (name === undefined) throw badUsage(["name a pipeline, or run the command in its repository"], HINT);
  return [{ name, region }];
}

const readPlace = ({ name, region }: Place) => AwsClients.use({ region }, (clients) => pipelineStatus(clients, name));
