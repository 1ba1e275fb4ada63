import { EcrLifecyclePolicy } from "@cdktf/provider-aws/lib/ecr-lifecycle-policy";
import { EcrRepository } from "@cdktf/provider-aws/lib/ecr-repository";
import { Construct } from "constructs";
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
   * How many images are kept, the newest; 10 to 10000. Each release is one.
   *
   * @default 500
   */
  readonly keep?: number;
}

/**
 * Where a service's images are kept for all its environments: an ECR repository whose tags never move and whose images are
 * scanned when they come in.
 *
 * Costs 0.10 USD a GB and month.
 *
 * @example
 * ```ts
 * new ImageRepository(new DeliveryStack(app, "orders", { region: "eu-central-1" }), "Images");
 * ```
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
 */
export class ImageRepository extends Construct {
  readonly repositoryArn: string;
  readonly repositoryName: string;
  readonly repositoryUrl: string;

  /** @throws InvalidPropsError REPOSITORY_NAME, REPOSITORY_KEEP */
  constructor(scope: Construct, id: string, props: ImageRepositoryProps = {}) {
    super(scope, id);
    const name = props.name ?? AwsStack.of(this).stackName;
    const keep = props.keep ?? 500;
    if (!/^(?=.{2,256}$)[a-z0-9]+([._/-][a-z0-9]+)*$/.test(name)) {
      throw invalid(
        this,
        "REPOSITORY_NAME",
        "name",
        `${JSON.stringify(name)} is no name for an ECR repository`,
        "Use 2 to 256 small letters and digits, joined by single . _ / or -.",
      );
    }
    if (!Number.isInteger(keep) || keep < 10 || keep > 10_000) {
      throw invalid(this, "REPOSITORY_KEEP", "keep", `${keep} is not possible`, "Use 10 to 10000.");
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
          {
            rulePriority: 1,
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
