import { EcrLifecyclePolicy } from "@cdktf/provider-aws/lib/ecr-lifecycle-policy";
import { EcrRepository } from "@cdktf/provider-aws/lib/ecr-repository";
import { Construct, type IConstruct } from "constructs";
import { RELEASED_TAG_PREFIX } from "../../contract/images";
import { checkArguments } from "../core/check-types";
import { invalid } from "../core/errors";
import { jsonText } from "../core/literal";
import { AwsStack } from "../core/stack";

export interface ImageRepositoryProps {
  /**
   * Name of the repository.
   *
   * @default - the stack's name
   */
  readonly name?: string;
  /**
   * Number of images to keep, newest first; 10 to 10000. Images that were ever released are kept in addition.
   *
   * @default 500
   */
  readonly keep?: number;
}

/** An ECR repository, created by this app or imported. */
export interface IImageRepository extends IConstruct {
  readonly repositoryArn: string;
  readonly repositoryName: string;
  /** URI of the images, without tag or digest. */
  readonly repositoryUrl: string;
}

/**
 * Maximum number of images in an ECR repository; a rule that keeps this many never expires one.
 *
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
 */
const ALL = 100_000;

/**
 * An ECR repository for the images of a service in all its environments, with immutable tags and scan on push. Released
 * images never expire, since tasks may be started from them at any time; a release marks its image with a tag.
 *
 * Costs 0.10 USD per GB and month.
 *
 * @example
 * ```ts
 * new ImageRepository(new DeliveryStack(app, "orders", { region: "eu-central-1" }), "Images");
 * ```
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
 */
export class ImageRepository extends Construct implements IImageRepository {
  /** References a repository of another stack, in this account and region. */
  static fromRepositoryName(scope: Construct, id: string, name: string): IImageRepository {
    checkArguments("ImageRepository.fromRepositoryName", { name });
    return new ImportedImageRepository(scope, id, name);
  }

  readonly repositoryArn: string;
  readonly repositoryName: string;
  readonly repositoryUrl: string;

  /** @throws InvalidPropsError REPOSITORY_NAME, REPOSITORY_KEEP */
  constructor(scope: Construct, id: string, props: ImageRepositoryProps = {}) {
    super(scope, id);
    checkArguments("new ImageRepository", { props }, this);
    const name = props.name ?? AwsStack.of(this).stackName;
    const keep = props.keep ?? 500;
    checkName(this, name);
    if (!Number.isInteger(keep) || keep < 10 || keep > 10_000) {
      throw invalid(this, {
        code: "REPOSITORY_KEEP",
        prop: "keep",
        problem: `must be a whole number from 10 to 10000, got ${keep}`,
        remedy: "Change keep, or leave it out.",
      });
    }
    const repository = new EcrRepository(this, "Resource", {
      name,
      imageTagMutability: "IMMUTABLE",
      imageScanningConfiguration: { scanOnPush: true },
    });
    new EcrLifecyclePolicy(this, "Lifecycle", {
      repository: repository.name,
      policy: jsonText({
        rules: [
          // An image that matches the tags of a rule is not considered by later rules, even if it does not expire.
          {
            rulePriority: 1,
            description: "keep all released images",
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
            description: `keep the newest ${keep} images`,
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
    problem: `${JSON.stringify(name)} is not a valid ECR repository name`,
    remedy: "Use 2 to 256 lowercase letters and digits, joined by single . _ / or -.",
  });
}
