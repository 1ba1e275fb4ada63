import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Call, OperationError, type Outcome, readFlags, run } from "./command";
import { synthesize } from "./deploy";
import { describeStatus, statusOf } from "./status";
import { observe, type StatusPlace } from "./status-cloud";

const USAGE = `Usage: antifragile status [environment] [--platform NAME] [--region REGION] [--json]

Tells how the services stand that run in an account: wanted and running tasks, the release that is live and what is next,
deployment, alarms, and when they last scaled. Uses the credentials of the environment, and only reads.

  --platform NAME   only services on this platform
  --region REGION   where to look; default: the regions of infra/environments.ts here, else the region of the AWS configuration
  --json            for programs: all of it, as one JSON array
`;

/** What the command takes from the world. */
export interface StatusCall extends Call {
  /** Folder of a generated repository, or any other. */
  readonly cwd: string;
  /** For tests. @default the clock */
  readonly clock?: () => Date;
}

/** The command `antifragile status`. */
export function runStatus({ args, print, cwd, clock = () => new Date() }: StatusCall): Promise<Outcome> {
  return run(async () => {
    if (args.includes("--help") || args.includes("-h")) {
      print(USAGE);
      return 0;
    }
    const json = args.includes("--json");
    const { flags, operands } = readFlags(
      args.filter((arg) => arg !== "--json"),
      { platform: {}, region: {} },
      USAGE,
    );
    if (operands.length > 1) throw new OperationError(`one environment, not ${operands.join(" and ")}\n${USAGE}`, 2);
    const [environment] = operands;
    const [platform, region] = [flags.platform?.[0], flags.region?.[0]];
    const places: StatusPlace[] =
      region === undefined && existsSync(join(cwd, "infra", "main.ts"))
        ? (await placesOf(cwd, environment)).map((place) => ({ ...place, platform }))
        : [{ region, environment, platform }];
    if (places.length === 0) {
      throw new OperationError(`infra/environments.ts has no environment ${JSON.stringify(environment)}`, 2);
    }
    const services = (await Promise.all(places.map(ask))).flat().map(statusOf);
    if (json) print(`${JSON.stringify(services, (_, value: unknown) => value ?? null, 2)}\n`);
    else if (services.length > 0) print(describeStatus(services, clock()));
    if (services.length > 0) return 0;
    if (!json) print(nothing(places));
    return 1;
  });
}

function nothing(places: readonly StatusPlace[]): string {
  const where = places.map(({ environment, region }) =>
    [environment ?? "any environment", ...(region === undefined ? [] : [`in ${region}`])].join(" "),
  );
  return `no services are deployed to ${where.join(", ")} in this account\n`;
}

/** What was synthesized last will do, where it knows the environment: regions hardly ever change. */
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
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") {
      const clients = ["application-auto-scaling", "cloudwatch", "ecs", "ssm"].map((name) => `@aws-sdk/client-${name}`);
      throw new OperationError(`the AWS SDK is missing: npm install --save-dev ${clients.join(" ")}`, 1);
    }
    if (message === "Region is missing") {
      throw new OperationError("no region is known: pass --region, or set AWS_REGION", 2);
    }
    throw new OperationError(`AWS did not tell: ${message}`, 1);
  }
}
