import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { Construct } from "constructs";
import { endpointOf } from "../../contract/partition";
import type { IGrantable } from "../core/iam";
import { EncryptionKey } from "../core/key";
import { makePrivate } from "../core/private-bucket";
import { movedFrom } from "../core/renamed";
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
    const { publicAccess } = makePrivate(this, bucket, {
      bucketArn: bucket.arn,
      encryption: { sseAlgorithm: "aws:kms", kmsMasterKeyId: this.keyArn },
      formerDays: 1,
      rule: { expiration: [{ days: KEPT_DAYS }] },
    });
    movedFrom(publicAccess, "PublicAccessBlock");
  }

  /**
   * Grants a pipeline permission to read and write all artifacts.
   *
   * @see https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
   */
  grantPipeline(pipeline: IGrantable): void {
    this.#grantUse(pipeline);
    pipeline.grant({ actions: ["s3:GetBucketVersioning"], resources: [this.bucketArn] });
    pipeline.grant({
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

  /** Grants permission to upload what a connection reads: AWS sets an ACL on the object. */
  grantUploadByConnection(grantee: IGrantable): void {
    grantee.grant({ actions: ["s3:PutObjectAcl"], resources: [`${this.bucketArn}/*`] });
  }
}
