import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { Construct, type IConstruct } from "constructs";
import { checkArguments } from "../core/check-types";
import { invalid, Problems } from "../core/errors";
import { EncryptionKey } from "../core/key";
import { NAME_PATTERN, NAME_RULE, namePrefix } from "../core/names";
import { archiveParameter, ImportedContract, PublishedContract } from "../core/parameter-contract";
import { makePrivate } from "../core/private-bucket";
import { movedFrom } from "../core/renamed";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";

/** Minimum storage duration that cold storage charges for, in days. @see https://aws.amazon.com/s3/pricing/ */
const COLD_DAYS = 90;

/** Long-term archive of log lines for one or more streams, created here or by another stack. */
export interface ILogArchive extends IConstruct {
  readonly bucketArn: string;
  /** ARN of the KMS key that encrypts the archive. */
  readonly keyArn: string;
}

export interface LogArchiveProps {
  /**
   * Retention of archived lines, in whole days.
   *
   * @default Duration.days(30) in dev, Duration.days(365) in production
   */
  readonly keep?: Duration;
  /**
   * Time after which lines move to cold storage, at a sixth of the price, where reading them takes hours. They must stay
   * there for 90 days.
   *
   * @default Duration.days(90) if lines are kept for at least 180 days, otherwise never
   */
  readonly coldAfter?: Duration;
}

/** @throws InvalidPropsError ARCHIVE_KEEP, ARCHIVE_COLD */
export function resolveArchive(scope: IConstruct, props: LogArchiveProps): { keep: number; coldAfter?: number } {
  const keep = (props.keep ?? Duration.days(AwsStack.of(scope).production ? 365 : 30)).toDays();
  const coldAfter = props.coldAfter?.toDays() ?? (keep >= 2 * COLD_DAYS ? COLD_DAYS : undefined);
  const problems = new Problems(scope);
  problems.check(Number.isInteger(keep) && keep >= 1, {
    code: "ARCHIVE_KEEP",
    prop: "keep",
    problem: `must be whole days, at least one, got ${props.keep}`,
    remedy: "Use a duration such as Duration.days(365).",
  });
  problems.check(
    props.coldAfter === undefined ||
      (Number.isInteger(coldAfter) && (coldAfter ?? 0) >= 1 && (coldAfter ?? 0) + COLD_DAYS <= keep),
    {
      code: "ARCHIVE_COLD",
      prop: "coldAfter",
      problem: `must leave ${COLD_DAYS} days in cold storage, which AWS charges in any case, got ${props.coldAfter}`,
      remedy: `Use whole days, at most ${keep - COLD_DAYS}; or raise keep; or leave coldAfter out.`,
    },
  );
  problems.throwIfAny();
  return { keep, coldAfter };
}

/**
 * An S3 bucket for the long-term storage of log lines, shared by several streams, each with its own prefix and by date.
 * Encrypted with its own KMS key, with access by TLS only and no public access. Create it in a stack that outlives the
 * services: the platform or `stack.data`.
 *
 * Costs 1 USD a month for the key, and about 0.023 USD per GB and month, 0.004 in cold storage.
 *
 * @example
 * ```ts
 * const kept = new LogArchive(platform, "Archive", { keep: Duration.days(731) });
 * new LogStream(stack, "Logs", { destinations: [sharedArchive(kept)] });
 * ```
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
 */
export class LogArchive extends Construct implements ILogArchive {
  /** References the archive of another stack of this environment by the name of that stack: a platform or a service. */
  static fromStackName(scope: Construct, id: string, stackName: string): ILogArchive {
    checkArguments("LogArchive.fromStackName", { stackName });
    return new SharedArchive(scope, id, stackName);
  }

  readonly bucketArn: string;
  readonly bucketName: string;
  readonly keyArn: string;

  /** @throws InvalidPropsError ARCHIVE_KEEP, ARCHIVE_COLD, ARCHIVE_TWICE */
  constructor(scope: Construct, id: string, props: LogArchiveProps = {}) {
    super(scope, id);
    checkArguments("new LogArchive", { props }, this);
    const { keep, coldAfter } = resolveArchive(this, props);
    const stack = AwsStack.of(this);
    const { stackName, environment } = stack;
    const { keyArn } = new EncryptionKey(this, "Key", {
      description: `Log archive of ${stackName} ${environment.name}`,
    });
    const bucket = new S3Bucket(this, "Resource", {
      bucketPrefix: namePrefix("bucket", stack.prefixed(stackName, environment.name, "logs")),
      forceDestroy: !stack.production,
    });
    this.bucketArn = bucket.arn;
    this.bucketName = bucket.bucket;
    this.keyArn = keyArn;
    const { versioning } = makePrivate(this, bucket, {
      bucketArn: bucket.arn,
      encryption: { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn },
      formerDays: 7,
      rule: {
        transition: coldAfter === undefined ? undefined : [{ days: coldAfter, storageClass: "GLACIER" }],
        expiration: [{ days: keep }],
      },
    });
    movedFrom(versioning, "Versions");
  }

  /** Publishes the archive to other stacks and repositories, under the name of its stack. One for each stack. */
  publish(): void {
    const stack = AwsStack.of(this);
    if (this.node.tryFindChild("Contract") !== undefined) return;
    const others = stack.node.findAll().filter((each) => each instanceof LogArchive && each !== this);
    if (others.some((other) => other.node.tryFindChild("Contract") !== undefined)) {
      throw invalid(this, {
        code: "ARCHIVE_TWICE",
        prop: "scope",
        problem: `must be the only shared archive of ${stack.node.path}, because others find it by the name of that stack`,
        remedy: "Share one archive, or create the second in another stack.",
      });
    }
    new PublishedContract(this, "Contract", {
      name: archiveParameter(stack.environment.name, stack.stackName),
      value: { bucketArn: this.bucketArn, keyArn: this.keyArn },
    });
  }
}

class SharedArchive extends Construct implements ILogArchive {
  readonly bucketArn: string;
  readonly keyArn: string;

  constructor(scope: Construct, id: string, stackName: string) {
    super(scope, id);
    if (!NAME_PATTERN.test(stackName)) {
      const problem = `${JSON.stringify(stackName)} is not a valid platform or service name`;
      throw invalid(this, { code: "ARCHIVE_STACK", prop: "stackName", problem, remedy: `Use ${NAME_RULE}.` });
    }
    const contract = new ImportedContract(this, "Contract", {
      name: archiveParameter(AwsStack.of(this).environment.name, stackName),
    });
    this.bucketArn = contract.text("bucketArn");
    this.keyArn = contract.text("keyArn");
  }
}

/** Resolves an archive for a construct: directly within one stack, otherwise through its stack's parameter contract. */
export function archiveSeenFrom(scope: Construct, id: string, archive: ILogArchive): ILogArchive {
  const [mine, its] = [AwsStack.of(scope), AwsStack.of(archive)];
  if (mine === its || !(archive instanceof LogArchive)) return archive;
  archive.publish();
  mine.addDependency(its);
  return new SharedArchive(scope, id, its.stackName);
}
