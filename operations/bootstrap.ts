import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { boundariesIn, boundaryArn } from "../contract/boundary";
import { UserError } from "../contract/user-error";
import { AwsClients, callerOf, checkAccount, loadSdk } from "./aws-sdk";
import { type Boundary, boundaryChanges } from "./permissions-boundary";
import { bucketChanges, type Change, found, type StateBackend } from "./state-bucket";
import { readProgram } from "./synthesized";

/** Permissions boundaries that the roles of the stacks have, or must give to the roles that they create. */
export function boundariesOf(outdir: string, stacks: readonly string[]): Boundary[] {
  const found = stacks.flatMap((stack) => {
    const program = readProgram(join(outdir, "stacks", stack));
    const [{ region = "" } = {}] = program.provider?.aws ?? [];
    return boundariesIn(JSON.stringify(program)).map((place) => [boundaryArn(place), { ...place, region }] as const);
  });
  return [...new Map(found).values()];
}

export interface BootstrapOptions {
  /** Output folder of synth, `infra/cdktf.out`; local state files are in its parent folder. */
  readonly outdir: string;
  readonly backends: readonly StateBackend[];
  /** @default - none */
  readonly boundaries?: readonly Boundary[];
  /**
   * Prints the changes, and makes none.
   *
   * @default false
   */
  readonly dryRun?: boolean;
  readonly print: (text: string) => void;
}

/**
 * Creates the buckets for Terraform state (versioned, encrypted, not public, accessible over TLS only) and the permissions boundaries of
 * roles. Corrects existing ones. Moves a local state file into the bucket, unless the bucket already contains the state.
 *
 * Needs `sts:GetCallerIdentity`; of S3 on these buckets `CreateBucket`, `ListBucket`, `GetObject`, `PutObject`, and `Get` and `Put` of
 * versioning, encryption, public access block, policy and lifecycle; of IAM on the boundaries `CreatePolicy`, `TagPolicy`, `GetPolicy`,
 * `GetPolicyVersion`, `ListPolicyVersions`, `CreatePolicyVersion` and `DeletePolicyVersion`.
 *
 * @throws UserError for credentials of another account, and for a bucket of another account
 */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  const { outdir, backends, boundaries = [], dryRun = false, print } = options;
  const report = async (what: string, changes: readonly Change[]) => {
    if (!dryRun) for (const { make } of changes) await make();
    const results = changes.map(({ result }) => result).join(", ");
    print(`${what}: ${results === "" ? "no changes" : `${dryRun ? "would be " : ""}${results}`}\n`);
  };
  const [first] = [...backends, ...boundaries];
  if (first === undefined) return;
  const { account: own } = await AwsClients.use({ region: first.region }, callerOf);
  for (const { stack, account } of backends) checkAccount(own, stack, account, UNDONE);
  for (const { environment, account } of boundaries) {
    checkAccount(own, `the permissions boundary of ${environment}`, account, UNDONE);
  }
  const { S3Client } = await loadSdk("@aws-sdk/client-s3", () => import("@aws-sdk/client-s3"));
  const buckets = [...new Map(backends.map((backend) => [backend.bucket, backend])).values()];
  for (const backend of buckets) {
    const { bucket, region } = backend;
    await AwsClients.use({ region }, async (clients) => {
      const s3 = clients.get(S3Client);
      await report(`${bucket} in ${region}, account ${own}`, await bucketChanges(s3, backend, own));
      for (const each of backends.filter((other) => other.bucket === bucket)) {
        await moveState(s3, each, { account: own, outdir, dryRun, print });
      }
    });
  }
  for (const boundary of boundaries) {
    await AwsClients.use({ region: boundary.region }, async (clients) =>
      report(boundaryArn(boundary), await boundaryChanges(clients, boundary)),
    );
  }
}

const UNDONE = "nothing was created";

interface MoveOptions extends Pick<BootstrapOptions, "outdir" | "print"> {
  readonly account: string;
  readonly dryRun: boolean;
}

/** Uploads a stack's local state to the bucket, and renames the file. */
async function moveState(
  s3: S3Client,
  { stack, bucket, key, kmsKeyArn }: StateBackend,
  { account, outdir, dryRun, print }: MoveOptions,
): Promise<void> {
  const file = join(outdir, "..", `terraform.${stack}.tfstate`);
  if (!existsSync(file)) return;
  const { HeadObjectCommand, PutObjectCommand } = await import("@aws-sdk/client-s3");
  const of = { Bucket: bucket, Key: key, ExpectedBucketOwner: account };
  if ((await found(s3.send(new HeadObjectCommand(of)))) !== undefined) {
    throw new UserError(
      `${stack} has state in ${bucket} and in ${file}: decide which one is current, and delete the file if it is the one in the bucket`,
      1,
    );
  }
  if (dryRun) {
    print(`  ${stack}: state would be moved to the bucket\n`);
    return;
  }
  await s3.send(
    new PutObjectCommand({
      ...of,
      Body: readFileSync(file),
      ContentType: "application/json",
      // Fails if another command has written it in the meantime.
      IfNoneMatch: "*",
      ...(kmsKeyArn === undefined ? {} : { ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKeyArn }),
    }),
  );
  renameSync(file, `${file}.moved`);
  // Terraform's record of the old backend.
  rmSync(join(outdir, "stacks", stack, ".terraform", "terraform.tfstate"), { force: true });
  print(`  ${stack}: state moved to the bucket; the file is kept as ${file}.moved\n`);
}
