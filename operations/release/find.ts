import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ReleasePlace } from "../../contract/release";
import { didYouMean } from "../../contract/text";
import { UserError } from "../../contract/user-error";
import { AwsClients, callerOf, checkAccount, forUser } from "../aws-sdk";
import { synthesize } from "../synth";
import { environmentsIn, readManifest, readProgram } from "../synthesized";

/** Stack of services and where it is. */
export interface FoundStack extends ReleasePlace {
  readonly region: string;
  /** @default - that of the credentials */
  readonly account?: string | undefined;
}

const PROCESS = /^\/antifragile\/([^/]+)\/([^/]+)\/releases\/([^/]+)\/processes\//;

/**
 * The stacks of an environment that have services, as `infra/cdktf.out` of a repository has them: names and region, nothing
 * of what they hold. Synthesized where it is not there, or does not know the environment.
 *
 * @throws UserError where the environment is unknown, and before anything is read with credentials of another account
 */
export async function findStacks(repository: string, environment: string): Promise<FoundStack[]> {
  const stacks = await stacksOf(repository, environment);
  const [{ region, account } = { region: "" }] = stacks;
  if (account === undefined) return stacks;
  const { account: own } = await forUser(() => AwsClients.use({ region }, callerOf));
  checkAccount(own, environment, account, "nothing was read or changed");
  return stacks;
}

async function stacksOf(repository: string, environment: string): Promise<FoundStack[]> {
  const found = stacksIn(join(repository, "infra", "cdktf.out"), environment);
  if (found.length > 0) return found;
  const outdir = await synthesize(repository);
  const made = stacksIn(outdir, environment);
  if (made.length === 0) {
    throw new UserError(
      `infra/environments.ts has no environment ${JSON.stringify(environment)} with a service in it${didYouMean(environment, environmentsIn(outdir))}`,
      2,
    );
  }
  return made;
}

function stacksIn(outdir: string, environment: string): FoundStack[] {
  if (!existsSync(join(outdir, "manifest.json"))) return [];
  return Object.keys(readManifest(outdir).stacks)
    .filter((name) => name.endsWith(`-${environment}-service`))
    .sort()
    .flatMap((name) => {
      const program = readProgram(join(outdir, "stacks", name));
      const { region, allowed_account_ids: accounts } = program.provider?.aws?.[0] ?? {};
      const names = Object.values(program.resource?.aws_ssm_parameter ?? {}).map((each) => String(each.name));
      const [, own, platform, stack] = names.map((each) => PROCESS.exec(each)).find((each) => each !== null) ?? [];
      if (region === undefined || own !== environment || platform === undefined || stack === undefined) return [];
      return [{ environment, platform, stack, region, account: accounts?.[0] }];
    });
}
