import type { IGrantable } from "../core/iam";
import type { IImageRepository } from "./image-repository";

/** Permissions to push images into a repository, and to list them. */
export function allowPush(grantee: IGrantable, { repositoryArn }: IImageRepository): void {
  // ECR hands out tokens for all of its repositories at once.
  grantee.grant({ actions: ["ecr:GetAuthorizationToken"], resources: ["*"] });
  grantee.grant({
    actions: [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ],
    resources: [repositoryArn],
  });
}
