import type { S3Client } from "@aws-sdk/client-s3";
import { partitionOf } from "../contract/partition";
import { UserError } from "../contract/user-error";

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

/** A difference between AWS and what bootstrap creates. */
export interface Change {
  /** State after the change: `versioned`. */
  readonly result: string;
  readonly make: () => Promise<unknown>;
}

/** Days after which old versions of the state, and uploads that were not completed, expire. */
export const OLD_VERSIONS_DAYS = 90;
export const UPLOAD_DAYS = 7;

const statusOf = (error: unknown) =>
  (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;

/** Returns the response of AWS; undefined if what was asked for does not exist. */
export async function found<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** Finds what must change in a bucket for state, or in its absence, in order. @throws UserError for a bucket of another account */
export async function bucketChanges(
  s3: S3Client,
  { bucket, region, kmsKeyArn }: StateBackend,
  account: string,
): Promise<Change[]> {
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
  const changes: Change[] = [];
  const add = (result: string, make: Change["make"]) => changes.push({ result, make });

  const existing = await found(s3.send(new HeadBucketCommand(of))).catch((error: unknown) => {
    if (statusOf(error) !== 403) throw error;
    throw new UserError(
      `bucket ${bucket} belongs to another account, or these credentials have no access to it: set another name with state: { bucket: "..." }`,
      1,
    );
  });
  /** Current setting; none while the bucket does not exist. */
  const current = async <T>(ask: () => Promise<T>) => (existing === undefined ? undefined : found(ask()));
  if (existing === undefined) {
    const home = Object.values(BucketLocationConstraint).find((each) => each === region);
    add("made", () =>
      s3.send(
        new CreateBucketCommand({
          Bucket: bucket,
          ObjectOwnership: "BucketOwnerEnforced",
          // us-east-1 must not be named here.
          ...(region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: home } }),
        }),
      ),
    );
  }

  const closed = {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true,
  };
  const access = await current(() => s3.send(new GetPublicAccessBlockCommand(of)));
  const blocked = access?.PublicAccessBlockConfiguration ?? {};
  if (Object.keys(closed).some((key) => blocked[key as keyof typeof closed] !== true)) {
    add("public access blocked", () =>
      s3.send(new PutPublicAccessBlockCommand({ ...of, PublicAccessBlockConfiguration: closed })),
    );
  }

  if ((await current(() => s3.send(new GetBucketVersioningCommand(of))))?.Status !== "Enabled") {
    add("versioned", () =>
      s3.send(new PutBucketVersioningCommand({ ...of, VersioningConfiguration: { Status: "Enabled" } })),
    );
  }

  const encryption = await current(() => s3.send(new GetBucketEncryptionCommand(of)));
  const used = encryption?.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
  if (used === undefined || (kmsKeyArn !== undefined && used.KMSMasterKeyID !== kmsKeyArn)) {
    const wanted =
      kmsKeyArn === undefined
        ? ({ SSEAlgorithm: "AES256" } as const)
        : ({ SSEAlgorithm: "aws:kms", KMSMasterKeyID: kmsKeyArn } as const);
    const Rules = [{ ApplyServerSideEncryptionByDefault: wanted, BucketKeyEnabled: kmsKeyArn !== undefined }];
    add("encrypted", () =>
      s3.send(new PutBucketEncryptionCommand({ ...of, ServerSideEncryptionConfiguration: { Rules } })),
    );
  }

  const text = (await current(() => s3.send(new GetBucketPolicyCommand(of))))?.Policy ?? '{"Statement":[]}';
  const { Statement: statements } = JSON.parse(text) as { readonly Statement: readonly { readonly Sid?: string }[] };
  const tls = tlsOnly(bucket, region);
  if (!statements.some(({ Sid }) => Sid === tls.Sid)) {
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [...statements, tls] });
    add("accessible over TLS only", () => s3.send(new PutBucketPolicyCommand({ ...of, Policy })));
  }

  if ((await current(() => s3.send(new GetBucketLifecycleConfigurationCommand(of)))) === undefined) {
    const rule = {
      ID: "old-versions",
      Status: "Enabled",
      Filter: { Prefix: "" },
      NoncurrentVersionExpiration: { NoncurrentDays: OLD_VERSIONS_DAYS },
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: UPLOAD_DAYS },
    } as const;
    add(`old versions expire after ${OLD_VERSIONS_DAYS} days`, () =>
      s3.send(new PutBucketLifecycleConfigurationCommand({ ...of, LifecycleConfiguration: { Rules: [rule] } })),
    );
  }
  return changes;
}

/** Statement of the bucket's policy that denies requests without TLS. */
export function tlsOnly(bucket: string, region: string) {
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
