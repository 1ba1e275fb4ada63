import { KEEP_IMAGE_ACTIONS } from "../../contract/images";
import type { Environment } from "../core/environment";
import type { Role } from "../core/iam";
import type { AwsStack } from "../core/stack";
import { releaseStatements } from "../service/deployment/release-template";
import type { EnvironmentStacks } from "./environment-stacks";

export interface ReleaseAccess {
  /** Stack that contains the role. */
  readonly stack: AwsStack;
  readonly environment: Environment;
  readonly stacks: EnvironmentStacks;
  /** Repository of the image to release. */
  readonly repositoryArn: string;
}

/** Allows a role to release the services of an environment, to tag their image as released, and to read their alarms. */
export function allowRelease(role: Role, { stack, environment, stacks, repositoryArn }: ReleaseAccess): void {
  role.addPolicy("Release", "release", () => [
    ...stacks.services().flatMap((service) => releaseStatements(service, stack)),
    { actions: KEEP_IMAGE_ACTIONS, resources: [repositoryArn] },
    // With a narrower scope CloudWatch leaves composite alarms out.
    {
      actions: ["cloudwatch:DescribeAlarms"],
      resources: ["*"],
      conditions: { StringEquals: { "aws:RequestedRegion": environment.region } },
    },
  ]);
}
