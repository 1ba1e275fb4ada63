import { PULL_IMAGE_ACTIONS } from "../../contract/images";
import type { IGrantable } from "../core/iam";
import type { IImageRepository } from "./image-repository";

/** Grants permissions to push images to a repository, to list them, and to look up its URI. */
export function allowPush(grantee: IGrantable, { repositoryArn }: IImageRepository): void {
  // ECR issues authorization tokens for all repositories at once.
  grantee.grant({ actions: ["ecr:GetAuthorizationToken"], resources: ["*"] });
  grantee.grant({
    actions: [
      ...PULL_IMAGE_ACTIONS,
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:DescribeRepositories",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ],
    resources: [repositoryArn],
  });
}
