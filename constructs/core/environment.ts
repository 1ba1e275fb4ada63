import type { IConstruct } from "constructs";
import { Problems } from "./errors";
import { NAME_PATTERN, NAME_RULE } from "./names";

export const PROFILES = ["dev", "production"] as const;
/**
 * What an environment is for. `dev` is cheap when idle and easy to destroy; `production` can lose a zone, keeps what
 * holds data, and keeps logs for a year.
 */
export type Profile = (typeof PROFILES)[number];

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
}

/** @throws InvalidPropsError ENVIRONMENT_NAME, ENVIRONMENT_REGION, ENVIRONMENT_PROFILE, ENVIRONMENT_ACCOUNT */
export function checkEnvironment(scope: IConstruct, environment: Environment): void {
  const problems = new Problems(scope);
  problems.check(
    NAME_PATTERN.test(environment.name),
    "ENVIRONMENT_NAME",
    "environment.name",
    `${JSON.stringify(environment.name)} is no name for an environment`,
    `Use ${NAME_RULE}.`,
  );
  problems.check(
    /^[a-z]{2}(-[a-z]+)+-\d$/.test(environment.region),
    "ENVIRONMENT_REGION",
    "environment.region",
    `${JSON.stringify(environment.region)} is no AWS region`,
    "Use a region's code, such as eu-central-1.",
  );
  problems.check(
    PROFILES.includes(environment.profile),
    "ENVIRONMENT_PROFILE",
    "environment.profile",
    `${JSON.stringify(environment.profile)} is not known`,
    `Use one of: ${PROFILES.join(", ")}.`,
  );
  problems.check(
    environment.account === undefined || /^\d{12}$/.test(environment.account),
    "ENVIRONMENT_ACCOUNT",
    "environment.account",
    `${JSON.stringify(environment.account)} is no AWS account`,
    'Use the 12 digits as a string: "123456789012".',
  );
  problems.throwIfAny();
}
