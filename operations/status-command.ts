import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandContext, defineCommand } from "../contract/command-line";
import { type ExitCode, UserError } from "../contract/user-error";
import { awsErrorForUser } from "./aws-sdk";
import { synthesize } from "./deploy";
import { describeStatus, statusOf } from "./status";
import { observe, type StatusPlace } from "./status-cloud";

/** Context of the command: the folder of a generated repository, or any other. */
export interface StatusContext extends CommandContext {
  /** @default - the clock */
  readonly clock?: () => Date;
}

/** The command `antifragile status`. */
export const runStatus = defineCommand(
  {
    name: "status",
    operands: ["[environment]"],
    description:
      "Shows the services that run in an account: running and desired tasks, the release that is live and the next one, deployment, alarms, and the last scaling. Uses the AWS credentials of the shell; only reads. Exit code 1: there are no services.",
    flags: {
      platform: { value: "NAME", help: "only services on this platform" },
      region: {
        value: "REGION",
        help: "region to look in (default: the regions of infra/environments.ts here, else the region of the AWS configuration)",
      },
      json: { help: "print all services as one JSON array" },
    },
  },
  async (line, { print, cwd, clock = () => new Date() }: StatusContext): Promise<ExitCode> => {
    const [environment] = line.operands;
    const [platform, region] = [line.value("platform"), line.value("region")];
    const json = line.has("json");
    const places: StatusPlace[] =
      region === undefined && existsSync(join(cwd, "infra", "main.ts"))
        ? (await placesOf(cwd, environment)).map((place) => ({ ...place, platform }))
        : [{ region, environment, platform }];
    if (places.length === 0) {
      throw new UserError(`infra/environments.ts has no environment ${JSON.stringify(environment)}`, 2);
    }
    const services = (await Promise.all(places.map(ask))).flat().map(statusOf);
    if (json) print(`${JSON.stringify(services, (_, value: unknown) => value ?? null, 2)}\n`);
    else if (services.length > 0) print(describeStatus(services, clock()));
    if (services.length > 0) return 0;
    if (!json) print(nothing(places));
    return 1;
  },
);

function nothing(places: readonly StatusPlace[]): string {
  const where = places.map(({ environment, region }) =>
    [environment ?? "any environment", ...(region === undefined ? [] : [`in ${region}`])].join(" "),
  );
  return `no services are deployed to ${where.join(", ")} in this account\n`;
}

/** Uses the last synthesized stacks if they include the environment, because regions hardly ever change. */
async function placesOf(cwd: string, environment: string | undefined) {
  const last = join(cwd, "infra", "cdktf.out");
  const places = existsSync(join(last, "stacks")) ? placesIn(last, environment) : [];
  return places.length > 0 ? places : placesIn(await synthesize(cwd, environment), environment);
}

/** Environments and regions of the stacks of a synthesized app. */
export function placesIn(outdir: string, wanted?: string): { environment: string; region: string }[] {
  const stacks = join(outdir, "stacks");
  const places = new Map<string, { environment: string; region: string }>();
  for (const name of readdirSync(stacks)) {
    if (!/-(platform|service)$/.test(name)) continue;
    const program = JSON.parse(readFileSync(join(stacks, name, "cdk.tf.json"), "utf8")) as {
      provider?: {
        aws?: readonly {
          region?: string;
          default_tags?: readonly { tags?: { Environment?: string } }[];
        }[];
      };
    };
    const [provider] = program.provider?.aws ?? [];
    const environment = provider?.default_tags?.[0]?.tags?.Environment;
    const region = provider?.region;
    if (environment === undefined || region === undefined) continue;
    if (wanted === undefined || environment === wanted) places.set(`${environment} ${region}`, { environment, region });
  }
  return [...places.values()];
}

async function ask(place: StatusPlace) {
  try {
    return await observe(place);
  } catch (error) {
    throw awsErrorForUser(error);
  }
}
