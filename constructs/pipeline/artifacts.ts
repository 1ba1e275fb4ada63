import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { S3BucketLifecycleConfiguration } from "@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration";
import { S3BucketOwnershipControls } from "@cdktf/provider-aws/lib/s3-bucket-ownership-controls";
import { S3BucketPolicy } from "@cdktf/provider-aws/lib/s3-bucket-policy";
import { S3BucketPublicAccessBlock } from "@cdktf/provider-aws/lib/s3-bucket-public-access-block";
import { S3BucketServerSideEncryptionConfigurationA } from "@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration";
import { S3BucketVersioningA } from "@cdktf/provider-aws/lib/s3-bucket-versioning";
import { Construct } from "constructs";
import { endpointOf } from "../../contract/partition";
import type { IGrantable } from "../core/iam";
import { EncryptionKey } from "../core/key";
import { jsonText } from "../core/literal";
import { AwsStack } from "../core/stack";

/** Retention of artifacts in days; longer than the 7 days after which an approval times out. */
const KEPT_DAYS = 30;

/**
 * Artifact store of a pipeline: sources and plans, in a bucket that only the pipeline reads. Its KMS key also encrypts the
 * pipeline's notifications. A plan contains all values of its state in plain text.
 */
export class Artifacts extends Construct {
  readonly bucketName: string;
  readonly bucketArn: string;
  readonly keyArn: string;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const stack = AwsStack.of(this);
    this.keyArn = new EncryptionKey(this, "Key", {
      description: `Artifacts and notifications of the pipeline of ${stack.stackName}`,
      users: [
        {
          service: "codestar-notifications.amazonaws.com",
          actions: ["kms:Decrypt", "kms:GenerateDataKey"],
          // Only for messages that the topic's own policy allows, which is limited to this account.
          conditions: { StringEquals: { "kms:ViaService": endpointOf("sns", stack.environment.region) } },
        },
      ],
    }).keyArn;
    const bucket = new S3Bucket(this, "Resource", {
      bucketPrefix: `${stack.prefixed(stack.stackName).slice(0, 26).replace(/-+$/, "")}-artifacts-`,
      // Artifacts are not needed once a release has ended.
      forceDestroy: true,
    });
    this.bucketName = bucket.bucket;
    this.bucketArn = bucket.arn;
    const block = new S3BucketPublicAccessBlock(this, "PublicAccessBlock", {
      bucket: bucket.id,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    new S3BucketOwnershipControls(this, "Ownership", {
      bucket: bucket.id,
      rule: { objectOwnership: "BucketOwnerEnforced" },
    });
    new S3BucketServerSideEncryptionConfigurationA(this, "Encryption", {
      bucket: bucket.id,
      rule: [
        {
          bucketKeyEnabled: true,
          applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: this.keyArn },
        },
      ],
    });
    const versioning = new S3BucketVersioningA(this, "Versioning", {
      bucket: bucket.id,
      versioningConfiguration: { status: "Enabled" },
    });
    new S3BucketLifecycleConfiguration(this, "Lifecycle", {
      bucket: bucket.id,
      rule: [
        {
          id: "expire",
          status: "Enabled",
          filter: [{ prefix: "" }],
          expiration: [{ days: KEPT_DAYS }],
          noncurrentVersionExpiration: [{ noncurrentDays: 1 }],
          abortIncompleteMultipartUpload: [{ daysAfterInitiation: 1 }],
        },
      ],
      dependsOn: [versioning],
    });
    new S3BucketPolicy(this, "Policy", {
      bucket: bucket.id,
      // AWS refuses two concurrent changes of the same bucket.
      dependsOn: [block],
      policy: jsonText({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Deny",
            Principal: "*",
            Action: "s3:*",
            Resource: [bucket.arn, `${bucket.arn}/*`],
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ],
      }),
    });
  }

  /** Grants a pipeline permission to read and write all artifacts. */
  grantReadWrite(grantee: IGrantable): void {
    this.#grantUse(grantee);
    grantee.grant({
      actions: ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
      resources: [`${this.bucketArn}/*`],
    });
  }

  /**
   * Grants a build permission to read and write artifacts by their names.
   *
   * @see https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
   */
  grantBuild(
    grantee: IGrantable,
    { reads, writes }: { readonly reads: readonly string[]; readonly writes: readonly string[] },
  ): void {
    // The keys begin with the names of the pipeline and of the artifact; CodePipeline shortens the latter to 10 characters.
    const objects = (names: readonly string[]) =>
      names.map((name) => `${this.bucketArn}/*/${name.length < 10 ? `${name}/` : name.slice(0, 10)}*`);
    this.#grantUse(grantee);
    grantee.grant({ actions: ["s3:GetObject", "s3:GetObjectVersion"], resources: objects(reads) });
    grantee.grant({ actions: ["s3:PutObject"], resources: objects(writes) });
  }

  #grantUse(grantee: IGrantable): void {
    grantee.grant({ actions: ["s3:GetBucketAcl", "s3:GetBucketLocation"], resources: [this.bucketArn] });
    grantee.grant({
      actions: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
      resources: [this.keyArn],
    });
  }

  /**
   * Grants what a pipeline needs in addition to {@link grantReadWrite}.
   *
   * @see https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
   */
  grantStore(pipeline: IGrantable): void {
    pipeline.grant({ actions: ["s3:GetBucketVersioning"], resources: [this.bucketArn] });
  }

  /** Grants permission to upload what a connection reads: AWS sets an ACL on the object. */
  grantUploadByConnection(grantee: IGrantable): void {
    grantee.grant({ actions: ["s3:PutObjectAcl"], resources: [`${this.bucketArn}/*`] });
  }
}
