import type { Architecture } from "../core/architecture";

/**
 * Commands of a pipeline's builds, as data: npm scripts of the repository, docker, and the `antifragile` version that the
 * repository has installed. No command contains a user's value; values are passed as environment variables, which a shell
 * does not evaluate.
 */

/** @see https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-available.html */
export const BUILD_IMAGES: Readonly<Record<Architecture, { readonly image: string; readonly type: string }>> = {
  x86_64: { image: "aws/codebuild/amazonlinux-x86_64-standard:5.0", type: "LINUX_CONTAINER" },
  arm64: { image: "aws/codebuild/amazonlinux-aarch64-standard:3.0", type: "ARM_CONTAINER" },
};

const NODE = { nodejs: 22 };

/** Terraform version that plans and applies. Both must use the same version, or a plan cannot be applied. */
export const TERRAFORM = {
  version: "1.11.4",
  /** @see https://releases.hashicorp.com/terraform/1.11.4/terraform_1.11.4_SHA256SUMS */
  sha256: {
    x86_64: ["amd64", "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc"],
    arm64: ["arm64", "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633"],
  },
} as const;

export const INSTALL: readonly string[] = [
  "if [ -f pnpm-lock.yaml ]; then npx --yes pnpm@10.34.9 install --frozen-lockfile; else npm ci; fi",
];

/**
 * Assumes the role `ROLE_ARN` of another account in all later commands. By a profile, which renews its credentials: AWS limits a session to
 * 1 hour.
 */
export const ASSUME_ROLE =
  `printf '[profile deploy]\\nrole_arn = %s\\ncredential_source = EcsContainer\\n' "$ROLE_ARN" > /tmp/aws-config;` +
  " export AWS_CONFIG_FILE=/tmp/aws-config AWS_PROFILE=deploy";

/** Checks that a commit must pass before anything is built from it. */
export const TEST: readonly string[] = ["npm run lint", "npm run typecheck", "npm test"];

const FIND_DIGEST =
  `aws ecr describe-images --repository-name "$REPOSITORY_NAME" --image-ids imageTag="$TAG"` +
  ` --query "imageDetails[0].imageDigest" --output text`;

/**
 * Builds one image for each commit. Tags are immutable, so a second build of a commit reuses the image of the first. Without
 * provenance, the tag refers to an image, which ECR scans, rather than to an index, which it does not.
 */
export const IMAGE: readonly string[] = [
  `TAG="commit-$(printf %s "$CODEBUILD_RESOLVED_SOURCE_VERSION" | tr -c "a-zA-Z0-9" "-" | cut -c1-64)"`,
  `aws ecr get-login-password | docker login --username AWS --password-stdin "\${REPOSITORY_URL%%/*}"`,
  `${FIND_DIGEST} >/dev/null 2>&1 || { docker build --provenance=false --tag "$REPOSITORY_URL:$TAG" . && docker push "$REPOSITORY_URL:$TAG"; }`,
  `DIGEST="$(${FIND_DIGEST})"`,
  `case "$DIGEST" in sha256:*) ;; *) echo "no digest for $TAG: $DIGEST"; exit 1 ;; esac`,
  `export IMAGE="$REPOSITORY_URL@$DIGEST"`,
];

/**
 * Plans an environment and packs the plans that passed the gate into `plans.tgz`. `ALLOW_*` are lists of addresses, or
 * `none`.
 */
export const PLAN: readonly string[] = [
  'npx antifragile plan "$ENVIRONMENT" --allow-delete "$ALLOW_DELETE" --allow-replace "$ALLOW_REPLACE" --allow-update "$ALLOW_UPDATE"',
  "tar -czf plans.tgz --exclude=.terraform -C infra cdktf.out",
];

/** File that contains the plans. */
export const PLANS = "plans.tgz";

/** Applies the saved plans with the files that they were created from. `APPROVED` is `yes` or `no`. */
export const APPLY: readonly string[] = [
  "rm -rf infra/cdktf.out",
  `PLANS_FOLDER="CODEBUILD_SRC_DIR_$PLANS_ARTIFACT"; tar -xzf "\${!PLANS_FOLDER}/plans.tgz" -C infra`,
  `if [ "$APPROVED" = yes ]; then npx antifragile apply "$ENVIRONMENT" --only-saved; else npx antifragile apply "$ENVIRONMENT"; fi`,
];

const WATCH = `npx antifragile alarms "$ENVIRONMENT" --minutes "$WATCH_MINUTES"`;

const UPDATE = `npx antifragile release "$ENVIRONMENT" --image "$IMAGE"`;

/** Releases the image, then watches the alarms for a while. */
export const RELEASE: readonly string[] = [UPDATE, WATCH];

/** The same, and rolls back when an alarm goes off. */
export const RELEASE_OR_ROLL_BACK: readonly string[] = [UPDATE, `${WATCH} --rollback`];

/** Fails where an environment differs from the code. */
export const DRIFT: readonly string[] = ['npx antifragile drift "$ENVIRONMENT"'];

/** Installs Terraform after verifying its checksum. */
export function installTerraform(architecture: Architecture): readonly string[] {
  const [platform, sha256] = TERRAFORM.sha256[architecture];
  const { version } = TERRAFORM;
  return [
    `curl -fsSL --retry 3 -o /tmp/terraform.zip https://releases.hashicorp.com/terraform/${version}/terraform_${version}_linux_${platform}.zip`,
    `echo "${sha256}  /tmp/terraform.zip" | sha256sum -c -`,
    "unzip -q -o /tmp/terraform.zip terraform -d /usr/local/bin",
  ];
}

export interface BuildSpec {
  /** Folder in which all commands run. @default - the root of the repository */
  readonly directory?: string | undefined;
  readonly install: readonly string[];
  readonly commands: readonly string[];
  /** Variables to export to later actions of the pipeline. @default - none */
  readonly exports?: readonly string[];
  /** Files to pass to later actions. @default - none */
  readonly files?: readonly string[];
}

/**
 * Renders a buildspec for CodeBuild, as JSON, which is valid YAML. @see
 * https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
 */
export function buildSpec({ directory, install, commands, exports, files }: BuildSpec): string {
  // All commands of a build run in the same shell. The pattern of the prop leaves nothing for it to evaluate.
  const enter = directory === undefined ? [] : [`cd ${directory}`];
  return JSON.stringify({
    version: "0.2",
    env: { shell: "bash", ...(exports === undefined ? {} : { "exported-variables": exports }) },
    phases: {
      install: { "runtime-versions": NODE, commands: [...enter, ...install] },
      build: { commands },
    },
    ...(files === undefined ? {} : { artifacts: { ...(directory && { "base-directory": directory }), files } }),
  });
}
