import type { IConstruct } from "constructs";
import { placeholdersIn } from "../../contract/placeholders";
import { Problems } from "./errors";
import { NAME_PATTERN, NAME_RULE } from "./names";
import { PROFILE_DEFAULTS, PROFILES, type Profile } from "./profiles";
import { QUOTAS, type Quota } from "./quotas";

/** What the owner of an account demands of everything that is made in it, and of every role first of all. */
export interface Guardrails {
  /**
   * ARN of the IAM policy that bounds every role: `arn:aws:iam::123456789012:policy/boundary`.
   *
   * @default - roles have no boundary
   * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
   */
  readonly permissionsBoundaryArn?: string;
  /**
   * Path of every role; begins and ends with `/`.
   *
   * @default "/"
   */
  readonly rolePath?: string;
  /**
   * First part of the names of roles, clusters, load balancers, security groups and Auto Scaling groups: `acme`.
   *
   * @default - none
   */
  readonly namePrefix?: string;
  /**
   * Keys of tags that every stack must set by its `tags`.
   *
   * @default - none
   */
  readonly requiredTags?: readonly string[];
}

/** A bucket for Terraform's state that is not called as stateBucketName has it, or is encrypted with a key of yours. */
export interface StateBucket {
  /** @default - `antifragile-state-<account>-<region>` */
  readonly bucket?: string;
  /**
   * Region of the bucket.
   *
   * @default - the environment's
   */
  readonly region?: string;
  /**
   * ARN of the key in KMS that state is encrypted with.
   *
   * @default - S3's own key
   */
  readonly kmsKeyArn?: string;
}

/** One deploy of the same code base: where it runs and what it is for. Plain data, one row an environment. */
export interface Environment {
  /** Part of every name in AWS: `dev`, `staging`, `production`. 2 to 31 characters. */
  readonly name: string;
  /** AWS region: `eu-central-1`. */
  readonly region: string;
  /** Decides every default that costs money or protects data. */
  readonly profile: Profile;
  /**
   * AWS account, 12 digits. Terraform refuses to touch any other.
   *
   * @default - whatever account the credentials are for
   */
  readonly account?: string;
  /**
   * Where Terraform keeps its state: `local`, a file beside the app, for a first try; `s3`, the bucket of the account and
   * region that `antifragile bootstrap` makes; or a bucket of yours.
   *
   * @default "local"
   */
  readonly state?: "local" | "s3" | StateBucket;
  /**
   * What the owner of the account demands: permissions boundary, role path, name prefix, required tags.
   *
   * @default - nothing
   */
  readonly guardrails?: Guardrails;
  /**
   * Where public images are kept for those that cannot, or may not, pull them from the internet: a registry and a first
   * part of repository names, as in `123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror`. An image
   * `public.ecr.aws/nginx/nginx@sha256:...` is then pulled from there as `.../mirror/public.ecr.aws/nginx/nginx@sha256:...`.
   *
   * @default - images are pulled from where they are published
   */
  readonly registryMirror?: string;
  /**
   * Quotas of the account that AWS has raised, by name.
   *
   * @default - what AWS gives every account
   */
  readonly quotas?: Readonly<Partial<Record<Quota, number>>>;
}

/**
 * @throws InvalidPropsError ENVIRONMENT_UNKNOWN, ENVIRONMENT_NAME, ENVIRONMENT_REGION, ENVIRONMENT_PROFILE,
 *   ENVIRONMENT_ACCOUNT, ENVIRONMENT_STATE, ENVIRONMENT_STRICT, ENVIRONMENT_BOUNDARY, ENVIRONMENT_ROLE_PATH, ENVIRONMENT_NAME_PREFIX, ENVIRONMENT_MIRROR, ENVIRONMENT_QUOTA
 */
export function checkEnvironment(scope: IConstruct, environment: Environment): void {
  const problems = new Problems(scope);
  for (const { path, what } of placeholdersIn(environment, "environment")) {
    problems.add({
      code: "ENVIRONMENT_UNKNOWN",
      prop: path,
      problem: "is not filled in",
      remedy: `Say what only you know: ${what}.`,
    });
  }
  // What is not filled in would be refused once more below, for what it looks like.
  problems.throwIfAny();
  problems.check(NAME_PATTERN.test(environment.name), {
    code: "ENVIRONMENT_NAME",
    prop: "environment.name",
    problem: `${JSON.stringify(environment.name)} is no name for an environment`,
    remedy: `Use ${NAME_RULE}.`,
  });
  problems.check(/^[a-z]{2}(-[a-z]+)+-\d$/.test(environment.region), {
    code: "ENVIRONMENT_REGION",
    prop: "environment.region",
    problem: `${JSON.stringify(environment.region)} is no AWS region`,
    remedy: "Use a region's code, such as eu-central-1.",
  });
  problems.check(PROFILES.includes(environment.profile), {
    code: "ENVIRONMENT_PROFILE",
    prop: "environment.profile",
    problem: `${JSON.stringify(environment.profile)} is not known`,
    remedy: `Use one of: ${PROFILES.join(", ")}.`,
  });
  problems.check(environment.account === undefined || /^\d{12}$/.test(environment.account), {
    code: "ENVIRONMENT_ACCOUNT",
    prop: "environment.account",
    problem: `${JSON.stringify(environment.account)} is no AWS account`,
    remedy: 'Use the 12 digits as a string: "123456789012".',
  });
  checkState(problems, environment);
  const { permissionsBoundaryArn, rolePath, namePrefix } = environment.guardrails ?? {};
  problems.check(
    permissionsBoundaryArn === undefined ||
      /^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/.test(permissionsBoundaryArn),
    {
      code: "ENVIRONMENT_BOUNDARY",
      prop: "environment.guardrails.permissionsBoundaryArn",
      problem: `${JSON.stringify(permissionsBoundaryArn)} is no ARN of an IAM policy`,
      remedy: "Use for example arn:aws:iam::123456789012:policy/boundary.",
    },
  );
  problems.check(rolePath === undefined || (/^\/([\w+=,.@-]+\/)*$/.test(rolePath) && rolePath.length <= 512), {
    code: "ENVIRONMENT_ROLE_PATH",
    prop: "environment.guardrails.rolePath",
    problem: `${JSON.stringify(rolePath)} is no path of a role`,
    remedy: "Begin and end with /, as in /services/.",
  });
  problems.check(namePrefix === undefined || /^(?=.{1,12}$)[a-z](?:-?[a-z0-9])*$/.test(namePrefix), {
    code: "ENVIRONMENT_NAME_PREFIX",
    prop: "environment.guardrails.namePrefix",
    problem: `${JSON.stringify(namePrefix)} is no prefix of names`,
    remedy: "Use 1 to 12 small letters, digits and single hyphens, first a letter, last no hyphen.",
  });
  problems.check(
    environment.registryMirror === undefined ||
      /^[a-z0-9][a-z0-9.:-]*(\/[a-z0-9._-]+)*$/.test(environment.registryMirror),
    {
      code: "ENVIRONMENT_MIRROR",
      prop: "environment.registryMirror",
      problem: `${JSON.stringify(environment.registryMirror)} is no registry`,
      remedy:
        "Use a host and a path, as in 123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror, without a slash at the end.",
    },
  );
  for (const [quota, limit] of Object.entries(environment.quotas ?? {})) {
    problems.check(quota in QUOTAS && Number.isInteger(limit) && limit > 0, {
      code: "ENVIRONMENT_QUOTA",
      prop: `environment.quotas.${quota}`,
      problem: `${limit} is no quota that is known`,
      remedy: `Use whole numbers above 0 for: ${Object.keys(QUOTAS).join(", ")}.`,
    });
  }
  problems.throwIfAny();
}

function checkState(problems: Problems, { account, profile, state = "local" }: Environment): void {
  const own = typeof state === "object" ? state : {};
  problems.check(state === "local" || state === "s3" || typeof state === "object", {
    code: "ENVIRONMENT_STATE",
    prop: "environment.state",
    problem: `${JSON.stringify(state)} is not known`,
    remedy: 'Use "local", "s3" or a bucket: { bucket: "acme-state" }.',
  });
  problems.check((state !== "s3" && typeof state !== "object") || own.bucket !== undefined || account !== undefined, {
    code: "ENVIRONMENT_STATE",
    prop: "environment.state",
    problem: "is in S3, in a bucket that is named after the account, which is not told",
    remedy: "Set environment.account, or name the bucket.",
  });
  const patterns: [keyof StateBucket, RegExp, string][] = [
    [
      "bucket",
      /^(?!xn--|sthree-)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/,
      "Use 3 to 63 small letters, digits, - and .",
    ],
    ["region", /^[a-z]{2}(-[a-z]+)+-\d$/, "Use a region's code, such as eu-central-1."],
    ["kmsKeyArn", /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)\/[\w/-]+$/, "Use the ARN of a key in KMS."],
  ];
  for (const [prop, pattern, remedy] of patterns) {
    const value = own[prop];
    problems.check(value === undefined || pattern.test(value), {
      code: "ENVIRONMENT_STATE",
      prop: `environment.state.${prop}`,
      problem: `${JSON.stringify(value)} cannot be`,
      remedy,
    });
  }
  if (PROFILE_DEFAULTS[profile]?.anywhere !== false) return;
  problems.check(account !== undefined && state !== "local", {
    code: "ENVIRONMENT_STRICT",
    prop: account === undefined ? "environment.account" : "environment.state",
    problem: `is not told, and the profile is ${profile}: nothing may go to another account, nor state to a file`,
    remedy: 'Set environment.account and environment.state: "s3".',
  });
}
