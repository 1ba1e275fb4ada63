import type { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import {
  S3BucketLifecycleConfiguration,
  type S3BucketLifecycleConfigurationRule,
} from "@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration";
import { S3BucketOwnershipControls } from "@cdktf/provider-aws/lib/s3-bucket-ownership-controls";
import { S3BucketPolicy } from "@cdktf/provider-aws/lib/s3-bucket-policy";
import { S3BucketPublicAccessBlock } from "@cdktf/provider-aws/lib/s3-bucket-public-access-block";
import {
  S3BucketServerSideEncryptionConfigurationA,
  type S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
} from "@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration";
import { S3BucketVersioningA } from "@cdktf/provider-aws/lib/s3-bucket-versioning";
import type { Construct } from "constructs";
import { onlyByTls, type ResourceStatement, resourcePolicy } from "./iam";

export interface PrivateBucketProps {
  readonly bucketArn: string;
  readonly encryption: S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA;
  /** Days that an overwritten or deleted object can still be restored. */
  readonly formerDays: number;
  /** Expiration and transitions of objects. @default - objects are kept */
  readonly rule?: Pick<S3BucketLifecycleConfigurationRule, "expiration" | "transition">;
  /** Access of AWS services. @default - none */
  readonly statements?: readonly ResourceStatement[];
}

/**
 * Makes a bucket private: no public access, no ACLs, access by TLS only, encryption, versioning, and an end of former versions and of
 * uploads that were not completed.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
 */
export function makePrivate(
  scope: Construct,
  { bucket }: S3Bucket,
  { bucketArn, encryption, formerDays, rule, statements = [] }: PrivateBucketProps,
) {
  const publicAccess = new S3BucketPublicAccessBlock(scope, "PublicAccess", {
    bucket,
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  });
  new S3BucketOwnershipControls(scope, "Ownership", { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } });
  new S3BucketServerSideEncryptionConfigurationA(scope, "Encryption", {
    bucket,
    rule: [
      {
        applyServerSideEncryptionByDefault: encryption,
        bucketKeyEnabled: encryption.sseAlgorithm === "aws:kms" || undefined,
      },
    ],
  });
  const versioning = new S3BucketVersioningA(scope, "Versioning", {
    bucket,
    versioningConfiguration: { status: "Enabled" },
  });
  new S3BucketLifecycleConfiguration(scope, "Lifecycle", {
    bucket,
    rule: [
      {
        ...rule,
        id: "expire",
        status: "Enabled",
        filter: [{ prefix: "" }],
        noncurrentVersionExpiration: [{ noncurrentDays: formerDays }],
        abortIncompleteMultipartUpload: [{ daysAfterInitiation: 7 }],
      },
    ],
    dependsOn: [versioning],
  });
  const policy = new S3BucketPolicy(scope, "Policy", {
    bucket,
    policy: resourcePolicy([...statements, onlyByTls(["s3:*"], [bucketArn, `${bucketArn}/*`])]),
    // Both resources change the same setting, and AWS refuses concurrent changes.
    dependsOn: [publicAccess],
  });
  return { publicAccess, versioning, policy };
}
