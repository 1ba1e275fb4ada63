import { existsSync } from "node:fs";
import { join } from "node:path";
import { type CommandContext, defineCommand } from "../contract/command-line";
import type { Place } from "../contract/stacks";
import { didYouMean } from "../contract/text";
import { type ExitCode, UserError } from "../contract/user-error";
import { forUser } from "./aws-sdk";
import { describeStatus, statusOf } from "./status";
import { observe, type StatusPlace } from "./status-cloud";
import { synthesize } from "./synth";
import { environmentsIn, placesIn } from "./synthesized";

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
      "Shows the services that run in an account: running and desired tasks, the release that is live and the next one, deployment, alarms, and the last scaling. Uses the AWS credentials of the shell; only reads. Exit code 1: no services were found.",
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
    const services = (await forUser(() => Promise.all(places.map(observe)))).flat().map(statusOf);
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

/**
 * Places of an environment of a repository, or of all. Uses the last synthesized stacks if they include the environment,
 * because regions hardly ever change.
 *
 * @throws UserError for an environment that does not exist
 */
export async function placesOf(cwd: string, environment: string | undefined): Promise<Place[]> {
  const last = join(cwd, "infra", "cdktf.out");
  const places = placesIn(last, environment);
  if (places.length > 0) return places;
  const outdir = await synthesize(cwd, environment);
  const made = placesIn(outdir, environment);
  if (made.length > 0) return made;
  throw new UserError(
    `infra/environments.ts has no environment ${JSON.stringify(environment)}${didYouMean(environment ?? "", environmentsIn(outdir))}`,
    2,
  );
}
