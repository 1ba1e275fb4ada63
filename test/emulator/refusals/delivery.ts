import { aws, type Case, codeDeployed, create } from "./account";

const template = (count: number, change: object = {}) =>
  aws.rest("fis", "POST", "/experimentTemplates", {
    clientToken: `${Math.random()}`,
    description: "kill",
    roleArn: "arn:aws:iam::123456789012:role/fis",
    stopConditions: Array.from({ length: count }, (_, each) => ({
      source: "aws:cloudwatch:alarm",
      value: `arn:aws:cloudwatch:eu-central-1:123456789012:alarm:${each}`,
    })),
    targets: { tasks: { resourceType: "aws:ecs:task", selectionMode: "ALL", resourceTags: { a: "b" } } },
    actions: { stop: { actionId: "aws:ecs:stop-task", targets: { Tasks: "tasks" } } },
    ...change,
  });
const image = (layer: string) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: { mediaType: "application/vnd.docker.container.image.v1+json", size: 1, digest: `sha256:${layer}` },
    layers: [],
  });
const deploymentGroup = (service: string) =>
  aws.call("codedeploy", "CreateDeploymentGroup", {
    applicationName: "app",
    deploymentGroupName: service,
    serviceRoleArn: "arn:aws:iam::123456789012:role/deploy",
    ecsServices: [{ clusterName: "main", serviceName: service }],
  });

const project = (name: string) =>
  aws.call("codebuild", "CreateProject", {
    name,
    source: { type: "CODEPIPELINE" },
    artifacts: { type: "CODEPIPELINE" },
    environment: { type: "LINUX_CONTAINER", image: "aws/codebuild/standard:7.0", computeType: "BUILD_GENERAL1_SMALL" },
    serviceRole: "arn:aws:iam::123456789012:role/service-role/build",
  });

export const cases: Record<string, Case> = {
  // Registries and buckets
  "ecr-immutable-tag": {
    given: async () => {
      await aws.call("ecr", "CreateRepository", { repositoryName: "app", imageTagMutability: "IMMUTABLE" });
      await aws.call("ecr", "PutImage", { repositoryName: "app", imageTag: "v1", imageManifest: image("one") });
    },
    refused: () => aws.call("ecr", "PutImage", { repositoryName: "app", imageTag: "v1", imageManifest: image("two") }),
    accepted: () => aws.call("ecr", "PutImage", { repositoryName: "app", imageTag: "v2", imageManifest: image("two") }),
  },
  "ecr-not-empty": {
    given: async () => {
      await aws.call("ecr", "CreateRepository", { repositoryName: "app" });
      await aws.call("ecr", "PutImage", { repositoryName: "app", imageTag: "v1", imageManifest: image("one") });
    },
    refused: () => aws.call("ecr", "DeleteRepository", { repositoryName: "app" }),
    accepted: () => aws.call("ecr", "DeleteRepository", { repositoryName: "app", force: true }),
  },
  // Releases and experiments
  "codedeploy-ecs-controller": {
    given: async () => {
      const given = await codeDeployed();
      await create(given.plain, { serviceName: "rolling" });
      await aws.call("codedeploy", "CreateApplication", { applicationName: "app", computePlatform: "ECS" });
    },
    refused: () => deploymentGroup("rolling"),
    accepted: () => deploymentGroup("web"),
  },
  "fis-stop-conditions": { refused: () => template(6), accepted: () => template(5) },
  "fis-unknown-target": {
    refused: () => template(1, { actions: { stop: { actionId: "aws:ecs:stop-task", targets: { Tasks: "task" } } } }),
    accepted: () => template(1),
  },
  "ecr-repository-exists": {
    given: () => aws.call("ecr", "CreateRepository", { repositoryName: "app" }),
    refused: () => aws.call("ecr", "CreateRepository", { repositoryName: "app" }),
    accepted: () => aws.call("ecr", "CreateRepository", { repositoryName: "other" }),
  },
  "codebuild-project-exists": {
    given: () => project("app"),
    refused: () => project("app"),
    accepted: () => project("other"),
  },
};
