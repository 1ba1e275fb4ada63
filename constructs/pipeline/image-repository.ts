import { EcrLifecyclePolicy } from "@cdktf/provider-aws/lib/ecr-lifecycle-policy";
import { EcrRepository } from "@cdktf/provider-aws/lib/ecr-repository";
import { Construct, type IConstruct } from "constructs";
import { RELEASED_TAG_PREFIX } from "../../contract/images";
import { invalid } from "../core/errors";
import { AwsStack } from "../core/stack";

export interface ImageRepositoryProps {
  /**
   * Name of the repository.
   *
   * @default - the stack's name
   */
  readonly name?: string;
  /**
   * How many images are kept, the newest; 10 to 10000. Those that were ever released are kept besides.
   *
   * @default 500
   */
  readonly keep?: number;
}

/** A repository of images, owned by this app or imported. */
export interface IImageRepository extends IConstruct {
  readonly repositoryArn: string;
  readonly repositoryName: string;
  /** What its images are called without tag or digest. */
  readonly repositoryUrl: string;
}

/**
 * As many images as ECR lets a repository have: a rule that keeps so many never expires one.
 *
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
 */
const ALL = 100_000;

/**
 * Where a service's images are kept for all its environments: an ECR repository whose tags never move and whose images are
 * scanned when they come in. An image that was released is never expired, since tasks may be started from it at any time;
 * a release marks it by a tag.
 *
 * Costs 0.10 USD a GB and month.
 *
 * @example
 * ```ts
 * new ImageRepository(new DeliveryStack(app, "orders", { region: "eu-central-1" }), "Images");
 * ```
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
 */
export class ImageRepository extends Construct implements IImageRepository {
  /** Refers to a repository that somebody else owns, in this account and region. */
  static fromRepositoryName(scope: Construct, id: string, name: string): IImageRepository {
    return new ImportedImageRepository(scope, id, name);
  }

  readonly repositoryArn: string;
  readonly repositoryName: string;
  readonly repositoryUrl: string;

  /** @throws InvalidPropsError REPOSITORY_NAME, REPOSITORY_KEEP */
  constructor(scope: Construct, id: string, props: ImageRepositoryProps = {}) {
    super(scope, id);
    const name = props.name ?? AwsStack.of(this).stackName;
    const keep = props.keep ?? 500;
    checkName(this, name);
    if (!Number.isInteger(keep) || keep < 10 || keep > 10_000) {
      throw invalid(this, {
        code: "REPOSITORY_KEEP",
        prop: "keep",
        problem: `${keep} is not possible`,
        remedy: "Use 10 to 10000.",
      });
    }
    const repository = new EcrRepository(this, "Resource", {
      name,
      imageTagMutability: "IMMUTABLE",
      imageScanningConfiguration: { scanOnPush: true },
    });
    new EcrLifecyclePolicy(this, "Lifecycle", {
      repository: repository.name,
      policy: JSON.stringify({
        rules: [
          // What matches the tags of a rule is out of reach for the rules after it, whether it expires or not.
          {
            rulePriority: 1,
            description: "keep all that were released",
            selection: {
              tagStatus: "tagged",
              tagPrefixList: [RELEASED_TAG_PREFIX],
              countType: "imageCountMoreThan",
              countNumber: ALL,
            },
            action: { type: "expire" },
          },
          {
            rulePriority: 2,
            description: `keep the newest ${keep}`,
            selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: keep },
            action: { type: "expire" },
          },
        ],
      }),
    });
    this.repositoryArn = repository.arn;
    this.repositoryName = repository.name;
    this.repositoryUrl = repository.repositoryUrl;
  }
}

class ImportedImageRepository extends Construct implements IImageRepository {
  readonly repositoryArn: string;
  readonly repositoryName: string;
  readonly repositoryUrl: string;

  constructor(scope: Construct, id: string, name: string) {
    super(scope, id);
    checkName(this, name);
    const stack = AwsStack.of(this);
    this.repositoryName = name;
    this.repositoryArn = stack.arn("ecr", `repository/${name}`);
    this.repositoryUrl = `${stack.accountId}.dkr.ecr.${stack.environment.region}.amazonaws.com/${name}`;
  }
}

function checkName(scope: IConstruct, name: string): void {
  if (/^(?=.{2,256}$)[a-z0-9]+([._/-][a-z0-9]+)*$/.test(name)) return;
  throw invalid(scope, {
    code: "REPOSITORY_NAME",
    prop: "name",
    problem: `${JSON.stringify(name)} is no name for an ECR repository`,
    remedy: "Use 2 to 256 small letters and digits, joined by single . _ / or -.",
  });
}
