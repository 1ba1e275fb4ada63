import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { partitionOf } from "../contract/partition";
import { UserError } from "../contract/user-error";
import { loadSdk } from "./aws-sdk";

/** S3 backend of a synthesized stack. */
export interface StateBackend {
  readonly stack: string;
  readonly bucket: string;
  readonly region: string;
  readonly key: string;
  /** KMS key; undefined for the S3 managed key. */
  readonly kmsKeyArn?: string;
  /** The only account that the stack may be deployed to, if set. */
  readonly account?: string;
}

interface Program {
  readonly terraform?: {
    readonly backend?: {
      readonly s3?: {
        readonly bucket: string;
        readonly region: string;
        readonly key: string;
        readonly kms_key_id?: string;
        readonly allowed_account_ids?: readonly string[];
      };
    };
  };
}

/** S3 backends of the stacks; stacks with local state have none. */
export function backendsOf(outdir: string, stacks: readonly string[]): StateBackend[] {
  return stacks.flatMap((stack) => {
    const program = JSON.parse(readFileSync(join(outdir, "stacks", stack, "cdk.tf.json"), "utf8")) as Program;
    const s3 = program.terraform?.backend?.s3;
    if (s3 === undefined) return [];
    const { bucket, region, key, kms_key_id: kmsKeyArn, allowed_account_ids: accounts } = s3;
    return [{ stack, bucket, region, key, kmsKeyArn, account: accounts?.[0] }];
  });
}

export interface BootstrapOptions {
  /** Output folder of synth, `infra/cdktf.out`; local state files are in its parent folder. */
  readonly outdir: string;
  readonly backends: readonly StateBackend[];
  readonly print: (text: string) => void;
}

const OLD_VERSIONS_DAYS = 90;

/**
 * Creates the buckets for Terraform state: versioned, encrypted, not public, accessible over TLS only.
 * Corrects existing buckets. Moves a local state file into the bucket, unless the bucket already contains the state.
 *
 * Needs `sts:GetCallerIdentity`; of S3 on these buckets `CreateBucket`, `ListBucket`, `GetObject`, `PutObject`, and `Get` and `Put` of
 * versioning, encryption, public access block, policy and lifecycle.
 *
 * @throws UserError for credentials of another account, and for a bucket of another account
 */
export async function bootstrap({ outdir, backends, print }: BootstrapOptions): Promise<void> {
  const { S3Client } = await loadSdk("@aws-sdk/client-s3", () => import("@aws-sdk/client-s3"));
  const buckets = [...new Map(backends.map((backend) => [backend.bucket, backend])).values()];
  for (const backend of buckets) {
    const account = await accountFor(backend);
    const s3 = new S3Client({ region: backend.region });
    try {
      await ensureBucket(s3, backend, account, print);
      for (const each of backends.filter(({ bucket }) => bucket === backend.bucket)) {
        await moveState(s3, each, account, outdir, print);
      }
    } finally {
      s3.destroy();
    }
  }
}

async function accountFor({ account, region, stack }: StateBackend): Promise<string> {
  const { GetCallerIdentityCommand, STSClient } = await loadSdk(
    "@aws-sdk/client-sts",
    () => import("@aws-sdk/client-sts"),
  );
  const sts = new STSClient({ region });
  try {
    const { Account = "" } = await sts.send(new GetCallerIdentityCommand({}));
    if (account !== undefined && Account !== account) {
      throw new UserError(
        `the credentials are for account ${Account}, but ${stack} belongs to ${account}: nothing was created. Use credentials of ${account}`,
        1,
      );
    }
    return Account;
  } finally {
    sts.destroy();
  }
}

const statusOf = (error: unknown) =>
  (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;

/** Returns the response of S3; undefined if the setting does not exist. */
async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

async function ensureBucket(
  s3: S3Client,
  { bucket, region, kmsKeyArn }: StateBackend,
  account: string,
  print: (text: string) => void,
): Promise<void> {
  const {
    BucketLocationConstraint,
    CreateBucketCommand,
    GetBucketEncryptionCommand,
    GetBucketLifecycleConfigurationCommand,
    GetBucketPolicyCommand,
    GetBucketVersioningCommand,
    GetPublicAccessBlockCommand,
    HeadBucketCommand,
    PutBucketEncryptionCommand,
    PutBucketLifecycleConfigurationCommand,
    PutBucketPolicyCommand,
    PutBucketVersioningCommand,
    PutPublicAccessBlockCommand,
  } = await import("@aws-sdk/client-s3");
  const of = { Bucket: bucket, ExpectedBucketOwner: account };
  const done: string[] = [];

  const existing = await found(s3.send(new HeadBucketCommand(of))).catch((error: unknown) => {
    if (statusOf(error) !== 403) throw error;
    throw new UserError(
      `bucket ${bucket} belongs to another account, or these credentials have no access to it: set another name with state: { bucket: "..." }`,
      1,
    );
  });
  if (existing === undefined) {
    const home = Object.values(BucketLocationConstraint).find((each) => each === region);
    await s3.send(
      new CreateBucketCommand({
        Bucket: bucket,
        ObjectOwnership: "BucketOwnerEnforced",
        // us-east-1 must not be named here.
        ...(region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: home } }),
      }),
    );
    done.push("made");
  }

  const closed = {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  };
  const access = (await found(s3.send(new GetPublicAccessBlockCommand(of))))?.PublicAccessBlockConfiguration ?? {};
  if (Object.keys(closed).some((key) => access[key as keyof typeof closed] !== true)) {
    await s3.send(new PutPublicAccessBlockCommand({ ...of, PublicAccessBlockConfiguration: closed }));
    done.push("public access blocked");
  }

  if ((await s3.send(new GetBucketVersioningCommand(of))).Status !== "Enabled") {
    await s3.send(new PutBucketVersioningCommand({ ...of, VersioningConfiguration: { Status: "Enabled" } }));
    done.push("versioned");
  }

  const wanted =
    kmsKeyArn === undefined
      ? ({ SSEAlgorithm: "AES256" } as const)
      : ({ SSEAlgorithm: "aws:kms", KMSMasterKeyID: kmsKeyArn } as const);
  const rules = (await found(s3.send(new GetBucketEncryptionCommand(of))))?.ServerSideEncryptionConfiguration?.Rules;
  const current = rules?.[0]?.ApplyServerSideEncryptionByDefault;
  if (current === undefined || (kmsKeyArn !== undefined && current.KMSMasterKeyID !== kmsKeyArn)) {
    const Rules = [{ ApplyServerSideEncryptionByDefault: wanted, BucketKeyEnabled: kmsKeyArn !== undefined }];
    await s3.send(new PutBucketEncryptionCommand({ ...of, ServerSideEncryptionConfiguration: { Rules } }));
    done.push("encrypted");
  }

  const policy = JSON.parse((await found(s3.send(new GetBucketPolicyCommand(of))))?.Policy ?? '{"Statement":[]}') as {
    readonly Statement: readonly { readonly Sid?: string }[];
  };
  const tls = tlsOnly(bucket, region);
  if (!policy.Statement.some(({ Sid }) => Sid === tls.Sid)) {
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [...policy.Statement, tls] });
    await s3.send(new PutBucketPolicyCommand({ ...of, Policy }));
    done.push("accessible over TLS only");
  }

  if ((await found(s3.send(new GetBucketLifecycleConfigurationCommand(of)))) === undefined) {
    await s3.send(
      new PutBucketLifecycleConfigurationCommand({
        ...of,
        LifecycleConfiguration: {
          Rules: [
            {
              ID: "old-versions",
              Status: "Enabled",
              Filter: { Prefix: "" },
              NoncurrentVersionExpiration: { NoncurrentDays: OLD_VERSIONS_DAYS },
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
            },
          ],
        },
      }),
    );
    done.push(`old versions expire after ${OLD_VERSIONS_DAYS} days`);
  }
  print(`${bucket} in ${region}, account ${account}: ${done.join(", ") || "no changes"}\n`);
}

function tlsOnly(bucket: string, region: string) {
  const arn = `arn:${partitionOf(region)}:s3:::${bucket}`;
  return {
    Sid: "TlsOnly",
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource: [arn, `${arn}/*`],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}

/** Uploads a stack's local state to the bucket, and renames the file. */
async function moveState(
  s3: S3Client,
  { stack, bucket, key, kmsKeyArn }: StateBackend,
  account: string,
  outdir: string,
  print: (text: string) => void,
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
