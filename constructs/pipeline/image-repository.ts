import { EcrLifecyclePolicy } from "@cdktf/provider-aws/lib/ecr-lifecycle-policy";
import { EcrRepository } from "@cdktf/provider-aws/lib/ecr-repository";
import { EcrRepositoryPolicy } from "@cdktf/provider-aws/lib/ecr-repository-policy";
import { Lazy } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { KEEP_IMAGE_ACTIONS, PULL_IMAGE_ACTIONS, RELEASED_TAG_PREFIX } from "../../contract/images";
import { checkArguments } from "../core/check-types";
import { invalid } from "../core/errors";
import { onlyRole } from "../core/iam";
import { jsonText, markValues } from "../core/literal";
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
  readonly #resource: EcrRepository;
  readonly #releaseRoleArns: string[] = [];

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
    this.#resource = repository;
    this.repositoryArn = repository.arn;
    this.repositoryName = name;
    this.repositoryUrl = repository.repositoryUrl;
  }

  /**
   * Allows tasks of another account to pull images, and a role of that account to release them. A `Pipeline` and `CiRoles` do this for
   * their environments.
   *
   * @param releaseRoleArn ARN of the role that runs `antifragile release`
   * @throws InvalidPropsError REPOSITORY_ROLE
   */
  shareWith(releaseRoleArn: string): void {
    checkArguments("ImageRepository.shareWith", { releaseRoleArn }, this);
    if (!/^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(releaseRoleArn)) {
      throw invalid(this, {
        code: "REPOSITORY_ROLE",
        prop: "releaseRoleArn",
        problem: `${JSON.stringify(releaseRoleArn)} is not the ARN of an IAM role`,
        remedy: "Use an ARN such as arn:aws:iam::123456789012:role/orders-delivery-production-release.",
      });
    }
    if (this.#releaseRoleArns.push(releaseRoleArn) > 1) return;
    new EcrRepositoryPolicy(this, "Policy", {
      repository: this.#resource.name,
      policy: Lazy.stringValue({ produce: () => this.#policy() }),
    });
  }

  /** A repository policy has no resources. */
  #policy(): string {
    const statements = [...this.#releaseRoleArns].sort().flatMap((arn) => {
      const { Principal, Condition } = onlyRole(arn);
      return [
        { Effect: "Allow", Principal, Action: PULL_IMAGE_ACTIONS },
        { Effect: "Allow", Principal, Action: KEEP_IMAGE_ACTIONS, Condition },
      ];
    });
    const texts = [...new Set(statements.map((statement) => jsonText(statement, markValues)))];
    return `{"Version":"2012-10-17","Statement":[${texts.join(",")}]}`;
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
