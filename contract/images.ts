/** First part of the tag by which ECR knows that an image was released: the repository's policy never expires such an image. */
export const RELEASED_TAG_PREFIX = "released-";

/**
 * The tag that a release gives its image before anything is started from it: one for each digest, so that it can be given
 * again, although tags never move.
 *
 * @param digest `sha256:...`
 */
export function releasedTag(digest: string): string {
  return `${RELEASED_TAG_PREFIX}${digest.replace(/^sha256:/, "").slice(0, 32)}`;
}

/** Permissions to pull images. */
export const PULL_IMAGE_ACTIONS: readonly string[] = [
  "ecr:BatchCheckLayerAvailability",
  "ecr:BatchGetImage",
  "ecr:GetDownloadUrlForLayer",
];

/** Permissions of a release on the repository of its image. */
export const KEEP_IMAGE_ACTIONS: readonly string[] = ["ecr:BatchGetImage", "ecr:PutImage"];
