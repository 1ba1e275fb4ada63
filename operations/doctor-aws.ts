import { boundaryArn } from "../contract/boundary";
import { UserError } from "../contract/user-error";
import { AwsClients, awsErrorForUser, callerOf, loadSdk } from "./aws-sdk";
import { boundariesOf } from "./bootstrap";
import type { Check } from "./doctor";
import { boundaryChanges } from "./permissions-boundary";
import { bucketChanges, type Change, found } from "./state-bucket";
import { synthesize } from "./synth";
import { backendsOf, DELIVERY, environmentsIn, isDelivery, readManifest, stacksOf } from "./synthesized";

/**
 * Checks the account that the credentials are for: whether it has what bootstrap makes for each environment there, and the stacks of
 * delivery. Names the accounts that it could not check. Changes nothing.
 *
 * @param environment only this one, or `delivery`. Default: all
 */
export async function examineAccount(repository: string, environment?: string): Promise<Check[]> {
  try {
    return await examineEach(await synthesize(repository), environment);
  } catch (error) {
    return [{ level: "problem", about: "AWS", what: messageOf(error) }];
  }
}

async function examineEach(outdir: string, environment: string | undefined): Promise<Check[]> {
  const manifest = readManifest(outdir);
  const environments = environmentsIn(outdir);
  const names = [DELIVERY, ...environments.map((name) => `${DELIVERY}-${name}`), ...environments];
  const checks: Check[] = [];
  for (const name of names) {
    const stacks = stacksOf(name, manifest);
    const [backends, boundaries] = [backendsOf(outdir, stacks), boundariesOf(outdir, stacks)];
    const [{ account, region } = {}] = [...backends, ...boundaries];
    const isAsked = environment === undefined || name === environment || name === `${DELIVERY}-${environment}`;
    if (!isAsked || region === undefined) continue;
    const check = (level: Check["level"], what: string, remedy?: string) =>
      checks.push({ level, about: name, what, ...(remedy === undefined ? {} : { remedy }) });
    await AwsClients.use({ region }, async (clients) => {
      const { account: own } = await callerOf(clients);
      if (account !== own) {
        return check(
          "note",
          `account ${account} was not checked: the credentials are for ${own}`,
          "run antifragile doctor --aws with its credentials",
        );
      }
      const { HeadObjectCommand, S3Client } = await loadSdk("@aws-sdk/client-s3", () => import("@aws-sdk/client-s3"));
      const s3 = clients.get(S3Client);
      const prepared = async (what: string, changes: Promise<readonly Change[]>) => {
        const missing = (await changes).map(({ result }) => result).join(", ");
        if (missing === "") check("ok", `${what} in account ${own}`);
        else check("problem", `${what} in account ${own} must be ${missing}`, `run antifragile bootstrap ${name}`);
      };
      try {
        for (const backend of new Map(backends.map((each) => [each.bucket, each])).values()) {
          await prepared(backend.bucket, bucketChanges(s3, backend, own));
        }
        for (const boundary of boundaries) await prepared(boundaryArn(boundary), boundaryChanges(clients, boundary));
        for (const { stack, bucket, key } of isDelivery(name) ? backends : []) {
          const state = await found(s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key })));
          if (state !== undefined) check("ok", `${stack} is deployed`);
          else check("problem", `${stack} is not deployed`, `run antifragile deploy ${name}`);
        }
      } catch (error) {
        check("problem", messageOf(error));
      }
    });
  }
  return checks;
}

/** Message for the user. @throws the error if it has none */
function messageOf(error: unknown): string {
  const said = awsErrorForUser(error);
  if (!(said instanceof UserError)) throw error;
  return said.message;
}
