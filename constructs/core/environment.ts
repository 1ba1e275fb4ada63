import type { IConstruct } from "constructs";
import { BOOTSTRAP_BOUNDARY } from "../../contract/boundary";
import { placeholdersIn } from "../../contract/placeholders";
import { Problems } from "./errors";
import { NAME_PATTERN, NAME_RULE } from "./names";
import { ENCRYPTIONS, type Encryption, PROFILE_DEFAULTS, PROFILES, type Profile } from "./profiles";
import { QUOTAS, type Quota } from "./quotas";
import { Registry } from "./registry";

/** Requirements that the owner of an AWS account sets for every resource, in particular for IAM roles. */
export interface Guardrails {
  /**
   * Permissions boundary of every role: `bootstrap` for the policy that `antifragile bootstrap` creates for the environment, or the ARN of
   * your own: `arn:aws:iam::123456789012:policy/boundary`. Without one, who can create a role can become administrator of the account.
   *
   * @default - roles have no boundary
   * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
   */
  readonly permissionsBoundary?: string;
  /**
   * Path of every role, beginning and ending with `/`.
   *
   * @default "/"
   */
  readonly rolePath?: string;
  /**
   * Prefix of the names of roles, clusters, load balancers, security groups and Auto Scaling groups: `acme`.
   *
   * @default - none
   */
  readonly namePrefix?: string;
  /**
   * Keys of the tags that every stack must set through its `tags`.
   *
   * @default - none
   */
  readonly requiredTags?: readonly string[];
}

/** An S3 bucket for Terraform state whose name differs from `stateBucketName`, or that uses your own KMS key. */
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
   * ARN of the KMS key that encrypts the state.
   *
   * @default - S3's own key
   */
  readonly kmsKeyArn?: string;
}

/**
 * One deploy of the same code base: its account, its region and its purpose. Plain data, one object for each environment.
 */
export interface Environment {
  /** Part of every name in AWS: `dev`, `staging`, `production`. 2 to 31 characters. */
  readonly name: string;
  /** AWS region: `eu-central-1`. */
  readonly region: string;
  /** Decides every default that affects cost or data protection. */
  readonly profile: Profile;
  /**
   * AWS account id, 12 digits. Terraform refuses to change any other account.
   *
   * @default - the account of the credentials
   */
  readonly account?: string;
  /**
   * AWS account with the image repositories of services, if a pipeline or CI of another account delivers this environment: the account of
   * the delivery stack.
   *
   * @default - account
   */
  readonly imageAccount?: string;
  /**
   * Backend for Terraform state: `local`, a file next to the app, to try things out; `s3`, the bucket of the account and
   * region that `antifragile bootstrap` creates; or a bucket of your own.
   *
   * @default "local"
   */
  readonly state?: "local" | "s3" | StateBucket;
  /**
   * Requirements of the account's owner: permissions boundary, role path, name prefix, required tags.
   *
   * @default - none
   */
  readonly guardrails?: Guardrails;
  /**
   * KMS keys of databases, caches, tables, log groups and Performance Insights. Choose before the first deployment: a later change forces
   * the replacement of databases and caches, which `deploy` and `plan-gate` refuse.
   *
   * @default "customer-managed" with profile `strict`, otherwise "aws-managed"
   */
  readonly encryption?: Encryption;
  /**
   * Registry that mirrors public images, for networks that cannot or must not pull from the internet: a registry host and a
   * path, such as `123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror`. The image
   * `public.ecr.aws/nginx/nginx@sha256:...` is then pulled as `.../mirror/public.ecr.aws/nginx/nginx@sha256:...`.
   *
   * @default - images are pulled from their original registries
   */
  readonly registryMirror?: string;
  /**
   * Quotas that AWS has raised for the account, by name.
   *
   * @default - AWS's default quotas
   */
  readonly quotas?: Readonly<Partial<Record<Quota, number>>>;
}

/** Values that most environments of an app share, such as the account and the state backend. */
export type EnvironmentDefaults = Omit<Environment, "name" | "region" | "profile">;

const DEFAULTS = (): { defaults?: EnvironmentDefaults } => ({});

/** Sets the values that the environments of an app have unless they set their own. */
export function provideEnvironmentDefaults(app: IConstruct, defaults: EnvironmentDefaults): void {
  Registry.of(app).get(DEFAULTS).defaults = defaults;
}

/** Returns an environment with the defaults of the app that a construct is in. */
export function withDefaults(construct: IConstruct, environment: Environment): Environment {
  const { defaults } = Registry.of(construct.node.root).get(DEFAULTS);
  if (defaults === undefined) return environment;
  const own = Object.entries(environment).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(own) } as Environment;
}

/**
 * @throws InvalidPropsError ENVIRONMENT_UNKNOWN, ENVIRONMENT_NAME, ENVIRONMENT_REGION, ENVIRONMENT_PROFILE,
 *   ENVIRONMENT_ACCOUNT, ENVIRONMENT_STATE, ENVIRONMENT_STRICT, ENVIRONMENT_BOUNDARY, ENVIRONMENT_ROLE_PATH, ENVIRONMENT_NAME_PREFIX, ENVIRONMENT_ENCRYPTION, ENVIRONMENT_MIRROR, ENVIRONMENT_QUOTA
 */
export function checkEnvironment(scope: IConstruct, environment: Environment): void {
  const problems = new Problems(scope);
  for (const { path, what } of placeholdersIn(environment, "environment")) {
    problems.add({
      code: "ENVIRONMENT_UNKNOWN",
      prop: path,
      problem: "is not filled in",
      remedy: `Fill in ${what}.`,
    });
  }
  // A placeholder would otherwise be reported a second time below, for its format.
  problems.throwIfAny();
  problems.check(NAME_PATTERN.test(environment.name), {
    code: "ENVIRONMENT_NAME",
    prop: "environment.name",
    problem: `${JSON.stringify(environment.name)} is not a valid environment name`,
    remedy: `Use ${NAME_RULE}.`,
  });
  problems.check(/^[a-z]{2}(-[a-z]+)+-\d$/.test(environment.region), {
    code: "ENVIRONMENT_REGION",
    prop: "environment.region",
    problem: `${JSON.stringify(environment.region)} is not an AWS region`,
    remedy: "Use a region code such as eu-central-1.",
  });
  problems.checkOneOf(environment.profile, PROFILES, { code: "ENVIRONMENT_PROFILE", prop: "environment.profile" });
  for (const prop of ["account", "imageAccount"] as const) {
    const id = environment[prop];
    problems.check(id === undefined || /^\d{12}$/.test(id), {
      code: "ENVIRONMENT_ACCOUNT",
      prop: `environment.${prop}`,
      problem: `${JSON.stringify(id)} is not an AWS account id`,
      remedy: 'Use 12 digits in a string: "123456789012".',
    });
  }
  checkState(problems, environment);
  const { permissionsBoundary, rolePath, namePrefix } = environment.guardrails ?? {};
  problems.check(
    permissionsBoundary === undefined ||
      permissionsBoundary === BOOTSTRAP_BOUNDARY ||
      /^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/.test(permissionsBoundary),
    {
      code: "ENVIRONMENT_BOUNDARY",
      prop: "environment.guardrails.permissionsBoundary",
      problem: `${JSON.stringify(permissionsBoundary)} is not the ARN of an IAM policy`,
      remedy: 'Use "bootstrap", or an ARN such as arn:aws:iam::123456789012:policy/boundary.',
    },
  );
  problems.check(permissionsBoundary !== BOOTSTRAP_BOUNDARY || environment.account !== undefined, {
    code: "ENVIRONMENT_BOUNDARY",
    prop: "environment.guardrails.permissionsBoundary",
    problem: "needs environment.account, because the boundary belongs to one account",
    remedy: "Set environment.account, or remove the boundary.",
  });
  problems.check(rolePath === undefined || (/^\/([\w+=,.@-]+\/)*$/.test(rolePath) && rolePath.length <= 512), {
    code: "ENVIRONMENT_ROLE_PATH",
    prop: "environment.guardrails.rolePath",
    problem: `${JSON.stringify(rolePath)} is not a valid IAM path`,
    remedy: "Begin and end the path with /, as in /services/.",
  });
  problems.check(namePrefix === undefined || /^(?=.{1,12}$)[a-z](?:-?[a-z0-9])*$/.test(namePrefix), {
    code: "ENVIRONMENT_NAME_PREFIX",
    prop: "environment.guardrails.namePrefix",
    problem: `${JSON.stringify(namePrefix)} is not a valid name prefix`,
    remedy:
      "Use 1 to 12 lowercase letters, digits and single hyphens; start with a letter and do not end with a hyphen.",
  });
  problems.checkOneOf(environment.encryption ?? "aws-managed", ENCRYPTIONS, {
    code: "ENVIRONMENT_ENCRYPTION",
    prop: "environment.encryption",
  });
  problems.check(
    environment.registryMirror === undefined ||
      /^[a-z0-9][a-z0-9.:-]*(\/[a-z0-9._-]+)*$/.test(environment.registryMirror),
    {
      code: "ENVIRONMENT_MIRROR",
      prop: "environment.registryMirror",
      problem: `${JSON.stringify(environment.registryMirror)} is not a registry with a path`,
      remedy:
        "Use a host and a path without a trailing slash, as in 123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror.",
    },
  );
  for (const [quota, limit] of Object.entries(environment.quotas ?? {})) {
    problems.check(quota in QUOTAS && Number.isInteger(limit) && limit > 0, {
      code: "ENVIRONMENT_QUOTA",
      prop: `environment.quotas.${quota}`,
      problem: `must be the name of a quota below and a whole number greater than 0, got ${limit}`,
      remedy: `Set a whole number for one of: ${Object.keys(QUOTAS).join(", ")}.`,
    });
  }
  problems.throwIfAny();
}

function checkState(problems: Problems, { account, profile, state = "local" }: Environment): void {
  const own = typeof state === "object" ? state : {};
  problems.check(state === "local" || state === "s3" || typeof state === "object", {
    code: "ENVIRONMENT_STATE",
    prop: "environment.state",
    problem: `${JSON.stringify(state)} is not a supported value`,
    remedy: 'Use "local", "s3" or a bucket: { bucket: "acme-state" }.',
  });
  problems.check((state !== "s3" && typeof state !== "object") || own.bucket !== undefined || account !== undefined, {
    code: "ENVIRONMENT_STATE",
    prop: "environment.state",
    problem: "needs environment.account, because the name of the default bucket contains the account id",
    remedy: "Set environment.account, or set the name of the bucket.",
  });
  const patterns: [keyof StateBucket, RegExp, string][] = [
    [
      "bucket",
      /^(?!xn--|sthree-)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/,
      "Use 3 to 63 lowercase letters, digits, - and .",
    ],
    ["region", /^[a-z]{2}(-[a-z]+)+-\d$/, "Use a region code such as eu-central-1."],
    ["kmsKeyArn", /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)\/[\w/-]+$/, "Use the ARN of a KMS key."],
  ];
  for (const [prop, pattern, remedy] of patterns) {
    const value = own[prop];
    problems.check(value === undefined || pattern.test(value), {
      code: "ENVIRONMENT_STATE",
      prop: `environment.state.${prop}`,
      problem: `${JSON.stringify(value)} is not valid`,
      remedy,
    });
  }
  if (PROFILE_DEFAULTS[profile]?.anywhere !== false) return;
  problems.check(account !== undefined && state !== "local", {
    code: "ENVIRONMENT_STRICT",
    prop: account === undefined ? "environment.account" : "environment.state",
    problem: `must be set with profile ${profile}, which fixes the account and keeps state out of local files`,
    remedy: 'Set environment.account and environment.state: "s3".',
  });
}
