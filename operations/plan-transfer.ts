import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { plansFolder } from "../contract/plans";
import { quoted } from "../contract/text";
import { badUsage, UserError } from "../contract/user-error";
import { AwsClients, loadSdk } from "./aws-sdk";
import type { StateBackend } from "./state-bucket";
import { backendsOf, stacksOfEnvironment } from "./synthesized";

/** Plans of one run of a CI system, on their way from the machine that planned to the one that applies. */
export interface PlanTransfer {
  /** Output folder of synth: `infra/cdktf.out`. */
  readonly outdir: string;
  readonly environment: string;
  /** Id of the run, unique for each attempt to plan. */
  readonly id: string;
  readonly print: (text: string) => void;
}

/** @throws UserError for an id that is not a plain word */
export function checkTransferId(flag: string, id: string): void {
  if (/^[a-zA-Z0-9][\w.-]{0,99}$/.test(id)) return;
  throw badUsage(
    [`--${flag} ${quoted(id)}: must have 1 to 100 letters, digits, _, . and -, and begin with a letter or digit`],
    `antifragile ${flag === "upload" ? "plan" : "apply"} --help explains it.`,
  );
}

/** State bucket of the environment and the key of the plans in it. */
function placeOf({ outdir, environment, id }: PlanTransfer): StateBackend {
  const [backend] = backendsOf(outdir, [...stacksOfEnvironment(environment, outdir)].sort());
  if (backend === undefined) {
    throw new UserError(
      `${environment} keeps its state in files, and plans are stored in the bucket of the state: set state: "s3" in infra/environments.ts first`,
      2,
    );
  }
  return { ...backend, key: `${plansFolder(backend.stack)}${id}.tgz` };
}

async function withS3<T>(
  { region }: StateBackend,
  print: (text: string) => void,
  work: (s3: S3Client, sdk: typeof import("@aws-sdk/client-s3")) => Promise<T>,
): Promise<T> {
  const sdk = await loadSdk("@aws-sdk/client-s3", () => import("@aws-sdk/client-s3"));
  return AwsClients.use({ region, print }, (clients) => work(clients.get(sdk.S3Client), sdk));
}

function tar(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync("tar", args, { encoding: "utf8" });
  if (status !== 0) throw new UserError(`tar failed: ${error?.message ?? stderr.trim()}`, 1);
}

/** Runs with a private folder next to the output folder, so that a rename moves what is in it. */
async function withFolder<T>(outdir: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(dirname(outdir), "cdktf.out-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Uploads the synthesized stacks with their saved plans to the bucket of the state. Plans contain values of the state, and artifacts of
 * a CI system may be readable by everyone who reads its repository. Plans are uploaded once: nothing replaces those that were approved.
 *
 * @throws UserError where plans with this id exist
 */
export async function uploadPlans(transfer: PlanTransfer): Promise<void> {
  const { outdir, environment, id, print } = transfer;
  const place = placeOf(transfer);
  const body = await withFolder(outdir, async (folder) => {
    const file = join(folder, "plans.tgz");
    tar("-czf", file, "--exclude=.terraform", "-C", outdir, ".");
    return readFileSync(file);
  });
  await withS3(place, print, async (s3, { PutObjectCommand, S3ServiceException }) => {
    try {
      await s3.send(
        new PutObjectCommand({
          Bucket: place.bucket,
          Key: place.key,
          ExpectedBucketOwner: place.account,
          Body: body,
          IfNoneMatch: "*",
          ...(place.kmsKeyArn === undefined
            ? {}
            : { ServerSideEncryption: "aws:kms" as const, SSEKMSKeyId: place.kmsKeyArn }),
        }),
      );
    } catch (error) {
      if (!(error instanceof S3ServiceException) || error.$metadata.httpStatusCode !== 412) throw error;
      throw new UserError(`plans of ${environment} with the id ${id} exist already: use an id for each attempt`, 1);
    }
  });
  print(`\nThe plans of ${environment} are stored as ${id}. To apply exactly these:\n`);
  print(`  antifragile apply ${environment} --download ${id} --only-saved\n`);
}

/**
 * Replaces the output folder by the one that was uploaded.
 *
 * @returns deletes the plans in the bucket, once they are applied
 * @throws UserError where there are no plans with this id
 */
export async function downloadPlans(transfer: PlanTransfer): Promise<() => Promise<void>> {
  const { outdir, environment, id, print } = transfer;
  const place = placeOf(transfer);
  const of = { Bucket: place.bucket, Key: place.key, ExpectedBucketOwner: place.account };
  const body = await withS3(place, print, async (s3, { GetObjectCommand, S3ServiceException }) => {
    try {
      const { Body } = await s3.send(new GetObjectCommand(of));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    } catch (error) {
      // Without the permission to list the bucket, S3 answers 403 for an object that does not exist.
      const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
      if (status !== 404 && status !== 403) throw error;
      throw new UserError(
        `no plans of ${environment} with the id ${id} in ${place.bucket}, or no access to them. They are deleted once they are applied: plan again`,
        1,
      );
    }
  });
  await withFolder(outdir, async (folder) => {
    const file = join(folder, "plans.tgz");
    const unpacked = join(folder, "unpacked");
    writeFileSync(file, body, { mode: 0o600 });
    mkdirSync(unpacked, { mode: 0o700 });
    tar("-xzf", file, "-C", unpacked);
    rmSync(outdir, { recursive: true, force: true });
    renameSync(unpacked, outdir);
  });
  return () =>
    withS3(place, print, async (s3, { DeleteObjectCommand }) => {
      await s3.send(new DeleteObjectCommand(of));
    });
}
