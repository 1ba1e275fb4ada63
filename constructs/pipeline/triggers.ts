import type { CodepipelineTrigger } from "@cdktf/provider-aws/lib/codepipeline";
import { literal } from "../core/literal";
import type { AwsStack } from "../core/stack";
import type { ImageSource, SourceDefinition } from "./source";

/** Source action, and the artifact that it makes: the checkout of the repository. */
export const SOURCE = "Source";

/**
 * Triggers of GitHub, GitLab and Bitbucket. Without them, every push to the branch would start the pipeline, whichever files
 * it changes.
 */
export function triggers(
  definition: SourceDefinition,
  directory: string | undefined,
): CodepipelineTrigger[] | undefined {
  if (definition.kind !== "connection") return undefined;
  const { branch = "main", paths = directory === undefined ? {} : { only: [`${directory}/**`] }, tags } = definition;
  const globs = (list: readonly string[]) => list.map(literal);
  return [
    {
      providerType: "CodeStarSourceConnection",
      gitConfiguration: {
        sourceActionName: SOURCE,
        push: [
          tags === undefined
            ? {
                branches: { includes: [literal(branch)] },
                filePaths:
                  paths.only === undefined && paths.except === undefined
                    ? undefined
                    : { includes: paths.only && globs(paths.only), excludes: paths.except && globs(paths.except) },
              }
            : { tags: { includes: globs(tags) } },
        ],
      },
    },
  ];
}

/** Triggers of other sources: EventBridge rules. */
export function events(
  stack: AwsStack,
  definition: SourceDefinition,
  image: ImageSource | undefined,
): { readonly id: string; readonly pattern: object }[] {
  const found = [];
  if (definition.kind === "codeCommit") {
    found.push({
      id: "OnCommit",
      pattern: {
        source: ["aws.codecommit"],
        "detail-type": ["CodeCommit Repository State Change"],
        resources: [stack.arn("codecommit", definition.repository)],
        detail: {
          event: ["referenceCreated", "referenceUpdated"],
          referenceType: ["branch"],
          referenceName: [literal(definition.branch ?? "main")],
        },
      },
    });
  }
  if (definition.kind === "s3") {
    found.push({
      id: "OnUpload",
      pattern: {
        source: ["aws.s3"],
        "detail-type": ["Object Created"],
        detail: { bucket: { name: [definition.bucket] }, object: { key: [literal(definition.key)] } },
      },
    });
  }
  if (image !== undefined) {
    found.push({
      id: "OnImage",
      pattern: {
        source: ["aws.ecr"],
        "detail-type": ["ECR Image Action"],
        detail: {
          "action-type": ["PUSH"],
          result: ["SUCCESS"],
          "repository-name": [literal(image.repository)],
          "image-tag": [literal(image.tag)],
        },
      },
    });
  }
  return found;
}
