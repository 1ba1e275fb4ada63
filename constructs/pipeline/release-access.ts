import { KEEP_IMAGE_ACTIONS } from "../../contract/images";
import type { Environment } from "../core/environment";
import { warn } from "../core/errors";
import type { Role } from "../core/iam";
import { AwsStack } from "../core/stack";
import { releaseStatements } from "../service/deployment/release-template";
import type { EnvironmentStacks } from "./environment-stacks";
import { type IImageRepository, ImageRepository } from "./image-repository";
import type { ImageSource } from "./source";

export interface ReleaseAccess {
  /** Delivery stack, which contains the role unless the environment is in another account. */
  readonly delivery: AwsStack;
  readonly environment: Environment;
  readonly stacks: EnvironmentStacks;
  /** Repository of the image to release. */
  readonly images: IImageRepository | ImageSource;
}

/** Allows a role to release the services of an environment, to tag their image as released, and to read their alarms. */
export function allowRelease(role: Role, { delivery, environment, stacks, images }: ReleaseAccess): void {
  const stack = AwsStack.of(role);
  if (stack !== delivery) share(images, role, delivery);
  role.addPolicy("Release", "release", () => [
    ...stacks.services().flatMap((service) => releaseStatements(service, stack)),
    { actions: KEEP_IMAGE_ACTIONS, resources: [repositoryArn(images, delivery, stack)] },
    // With a narrower scope CloudWatch leaves composite alarms out.
    {
      actions: ["cloudwatch:DescribeAlarms"],
      resources: ["*"],
      conditions: { StringEquals: { "aws:RequestedRegion": environment.region } },
    },
  ]);
}

/** ARN for policies of a stack. Another account cannot refer to the resource itself. */
function repositoryArn(images: ReleaseAccess["images"], delivery: AwsStack, reader: AwsStack): string {
  if (!("kind" in images) && reader === delivery) return images.repositoryArn;
  const { accountId, environment } = "kind" in images ? delivery : AwsStack.of(images);
  const name = "kind" in images ? images.repository : images.repositoryName;
  return `arn:${reader.partition}:ecr:${environment.region}:${accountId}:repository/${name}`;
}

/** Lets the role, and tasks of its account, use the images. */
function share(images: ReleaseAccess["images"], role: Role, delivery: AwsStack): void {
  const roleArn = role.arnAsText();
  if (images instanceof ImageRepository) {
    images.shareWith(roleArn);
    return;
  }
  warn(delivery, {
    code: "PIPELINE_IMAGE_POLICY",
    prop: "images",
    problem: `is not created in this stack: whether tasks of another account may pull its images, and ${roleArn} may tag them, is not known`,
    remedy: "Where the repository is created, call images.shareWith with this ARN.",
  });
}
