import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { S3BucketMetric } from "@cdktf/provider-aws/lib/s3-bucket-metric";
import { Construct, type IConstruct } from "constructs";
import type { IAlarm } from "../core/alarm";
import { checkArguments } from "../core/check-types";
import { invalid } from "../core/errors";
import type { IGrantable } from "../core/iam";
import { literal } from "../core/literal";
import { accountFor, perStack } from "../core/per-stack";
import { makePrivate } from "../core/private-bucket";
import { isReference } from "../core/reference";
import type { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import type { BackingHost, BackingService } from "./host";
import { backingName, comesFirst, dataStackOf, healthAlarm } from "./place";

/**
 * An S3 bucket, created by this app or managed outside it. `service.use(bucket)` sets `BUCKET_NAME` and grants read and
 * write access.
 */
export interface IBucket extends IConstruct, BackingService {
  readonly bucketArn: string;
  readonly bucketName: string;
  readonly grants: BucketGrants;
}

/** Permissions on a bucket: `bucket.grants.read(report)`. */
export class BucketGrants {
  constructor(private readonly bucketArn: string) {}

  /** Grants permission to list and read objects. */
  read(grantee: IGrantable): void {
    checkArguments("BucketGrants.read", { grantee });
    grantee.grant({ actions: ["s3:ListBucket"], resources: [this.bucketArn] });
    grantee.grant({ actions: ["s3:GetObject"], resources: [`${this.bucketArn}/*`] });
  }

  /** Grants permission to write and delete objects. A deleted object stays as a noncurrent version for a while. */
  write(grantee: IGrantable): void {
    checkArguments("BucketGrants.write", { grantee });
    grantee.grant({
      actions: ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"],
      resources: [`${this.bucketArn}/*`],
    });
  }
}

export interface BucketProps {
  /**
   * Name of the bucket, for one that exists and that `adopt` takes over. It can be destroyed only when it is empty.
   *
   * @default - `<stack>-<environment>-<id>-<account>`
   */
  readonly bucketName?: string;
  /**
   * Number of days that an overwritten or deleted object can still be restored.
   *
   * @default Duration.days(30)
   */
  readonly keepFormer?: Duration;
}

/**
 * A private S3 bucket with encryption, versioning and access by TLS only. Belongs in the data stack. In production it can be
 * destroyed only when it is empty, and an alarm reports errors of S3.
 *
 * Costs about 0.025 USD per GB and month, and in production about 5 USD a month for the metrics of the alarm.
 *
 * @example
 * ```ts
 * const invoices = new Bucket(stack.data, "Invoices");
 * new CloudNativeService(stack, "Orders").use(invoices);
 * ```
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
 */
export class Bucket extends Construct implements IBucket {
  readonly bucketArn: string;
  readonly bucketName: string;
  readonly grants: BucketGrants;
  readonly #alarm: IAlarm | undefined;

  /** @throws InvalidPropsError BUCKET_FORMER, BUCKET_NAME, BACKING_LIFETIME */
  constructor(scope: Construct, id: string, props: BucketProps = {}) {
    super(scope, id);
    checkArguments("new Bucket", { props }, this);
    const stack = dataStackOf(this);
    const keepFormer = props.keepFormer ?? Duration.days(30);
    if (!Number.isInteger(keepFormer.toDays()) || keepFormer.toDays() < 1) {
      throw invalid(this, {
        code: "BUCKET_FORMER",
        prop: "keepFormer",
        problem: `must be whole days, at least 1, got ${keepFormer}`,
        remedy: "Use a duration such as Duration.days(30).",
      });
    }
    if (props.bucketName !== undefined) checkName(this, props.bucketName);
    // Bucket names are globally unique, so the name includes the account id.
    const name = (other: AwsStack) => props.bucketName ?? `${backingName(this, "bucket")}-${accountFor(other, stack)}`;
    this.bucketName = props.bucketName ?? perStack(name);
    this.bucketArn = perStack((other) => `arn:${other.partition}:s3:::${name(other)}`);
    this.grants = new BucketGrants(this.bucketArn);
    const forceDestroy = !stack.production && props.bucketName === undefined;
    const resource = new S3Bucket(this, "Resource", { bucket: this.bucketName, forceDestroy });
    makePrivate(this, resource, {
      bucketArn: this.bucketArn,
      // The key that AWS manages: free, and without a key policy that could lock users out.
      encryption: { sseAlgorithm: "aws:kms" },
      formerDays: keepFormer.toDays(),
    });
    this.#alarm = stack.production ? this.#watch(stack, resource.id) : undefined;
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    comesFirst(this, host);
    attachBucket(this, host);
    if (this.#alarm !== undefined) host.addAlarm(this.#alarm);
  }

  #watch(stack: AwsStack, bucket: string): IAlarm {
    const metric = new S3BucketMetric(this, "Metrics", { bucket, name: "EntireBucket" });
    return healthAlarm(this, {
      description: `S3 returns errors (5xx) for more than 1 % of the requests to ${this.node.path} in ${stack.environment.region}.`,
      threshold: 1,
      queries: () => [
        {
          id: "errors",
          metric: {
            namespace: "AWS/S3",
            metricName: "5xxErrors",
            dimensions: { BucketName: this.bucketName, FilterId: metric.name },
            statistic: "Average",
          },
        },
        { id: "percent", expression: "100 * errors", returned: true },
      ],
    });
  }
}

/** @throws InvalidPropsError BUCKET_NAME */
function checkName(scope: IConstruct, bucketName: string): void {
  if (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucketName)) return;
  throw invalid(scope, {
    code: "BUCKET_NAME",
    prop: "bucketName",
    problem: `${JSON.stringify(bucketName)} is not a valid bucket name`,
    remedy: "Use 3 to 63 lowercase letters, digits, dots and hyphens.",
  });
}

function attachBucket(bucket: IBucket, host: BackingHost): void {
  host.addEnvironment("BUCKET_NAME", bucket.bucketName);
  bucket.grants.read(host);
  bucket.grants.write(host);
}

/**
 * References a bucket that is managed outside this app, by its name. If the bucket uses your own KMS key, allow the service
 * in the key's policy.
 *
 * @example
 * ```ts
 * const invoices = existingBucket(stack, "Invoices", "acme-invoices");
 * ```
 * @throws InvalidPropsError BUCKET_NAME
 */
export function existingBucket(scope: Construct, id: string, bucketName: string): IBucket {
  checkArguments("existingBucket", { bucketName });
  return new ExistingBucket(scope, id, bucketName);
}

class ExistingBucket extends Construct implements IBucket {
  readonly bucketArn: string;
  readonly bucketName: string;
  readonly grants: BucketGrants;

  constructor(scope: Construct, id: string, bucketName: string) {
    super(scope, id);
    if (!isReference(bucketName)) checkName(this, bucketName);
    this.bucketName = literal(bucketName);
    this.bucketArn = perStack(({ partition }) => `arn:${partition}:s3:::${this.bucketName}`);
    this.grants = new BucketGrants(this.bucketArn);
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    attachBucket(this, host);
  }
}
