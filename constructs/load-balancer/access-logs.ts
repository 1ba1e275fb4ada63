import { S3Bucket, type S3BucketConfig } from "@cdktf/provider-aws/lib/s3-bucket";
import { S3BucketLoggingA } from "@cdktf/provider-aws/lib/s3-bucket-logging";
import type { S3BucketPolicy } from "@cdktf/provider-aws/lib/s3-bucket-policy";
import type { ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { ResourceStatement } from "../core/iam";
import { namePrefix, readsBucket } from "../core/names";
import { makePrivate } from "../core/private-bucket";
import { AwsStack } from "../core/stack";

/** Days that an overwritten or deleted log file can still be restored. */
const FORMER_DAYS = 7;

/**
 * Buckets for the access logs of a load balancer, and for those of that bucket. Files expire with the logs of the environment. Encrypted
 * with the key of S3, the only one that both services write with.
 *
 * Costs about 0.025 USD per GB and month.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
 */
export class AccessLogs extends Construct {
  readonly bucketName: string;
  /** Permission to write, which must exist before the load balancer uses the bucket. */
  readonly permission: ITerraformDependable;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const stack = AwsStack.of(this);
    const prefix = stack.prefixed(stack.stackName, stack.environment.name);
    const requests = new LogBucket(this, "Requests", {
      named: { bucketPrefix: namePrefix("bucket", `${prefix}-access`), forceDestroy: !stack.production },
      writer: {
        service: "logdelivery.elasticloadbalancing.amazonaws.com",
        // Load balancers of another account write to the folder of that account. AWS's page has no condition, and one on `aws:SourceArn` is
        // reported to deny the test file that is written when logs are turned on.
        folder: `AWSLogs/${stack.accountId}/*`,
      },
    });
    const reads = new LogBucket(this, "Reads", {
      // Each read of the other bucket fills it again, also that of a plan to delete both.
      named: { bucket: readsBucket(prefix, stack.accountId), forceDestroy: true },
      writer: {
        service: "logging.s3.amazonaws.com",
        folder: "*",
        conditions: {
          ArnLike: { "aws:SourceArn": requests.bucketArn },
          StringEquals: { "aws:SourceAccount": stack.accountId },
        },
      },
    });
    // A bucket that logged to itself would log each log file.
    new S3BucketLoggingA(this, "Logging", {
      bucket: requests.bucketName,
      targetBucket: reads.bucketName,
      targetPrefix: "",
      dependsOn: [reads.policy],
    });
    this.bucketName = requests.bucketName;
    this.permission = requests.policy;
  }
}

interface LogBucketProps {
  readonly named: Pick<S3BucketConfig, "bucket" | "bucketPrefix" | "forceDestroy">;
  /** Service that writes, and to which objects. */
  readonly writer: Pick<ResourceStatement, "conditions"> & { readonly service: string; readonly folder: string };
}

class LogBucket extends Construct {
  readonly bucketName: string;
  readonly bucketArn: string;
  readonly policy: S3BucketPolicy;

  constructor(scope: Construct, id: string, { named, writer }: LogBucketProps) {
    super(scope, id);
    const stack = AwsStack.of(this);
    const resource = new S3Bucket(this, "Resource", named);
    this.bucketName = resource.bucket;
    this.bucketArn = resource.arn;
    this.policy = makePrivate(this, resource, {
      bucketArn: resource.arn,
      encryption: { sseAlgorithm: "AES256" },
      formerDays: FORMER_DAYS,
      rule: { expiration: [{ days: stack.defaults.logRetention.toDays() }] },
      statements: [
        {
          sid: "Write",
          effect: "Allow",
          principal: { Service: writer.service },
          actions: ["s3:PutObject"],
          resources: [`${resource.arn}/${writer.folder}`],
          conditions: writer.conditions,
        },
      ],
    }).policy;
  }
}
