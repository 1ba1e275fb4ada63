import { Duration } from "./units";

export const PROFILES = ["dev", "production", "strict"] as const;
/**
 * Purpose of an environment. `dev` is cheap when idle and easy to destroy; `production` tolerates the loss of a zone,
 * protects stored data and keeps logs for a year; `strict` is production with the optional safety measures made mandatory:
 * see {@link PROFILE_DEFAULTS}.
 */
export type Profile = (typeof PROFILES)[number];

export const ENCRYPTIONS = ["aws-managed", "customer-managed"] as const;
/**
 * Owner of the KMS keys that encrypt data at rest. `customer-managed` creates one key for all data of a stack, and one for each log group,
 * for 1 USD a month each.
 */
export type Encryption = (typeof ENCRYPTIONS)[number];

/** Defaults that a profile sets. */
export interface ProfileDefaults {
  /** Protects stored data and requires capacity in more than one zone. */
  readonly production: boolean;
  /** Default retention of logs. */
  readonly logRetention: Duration;
  /** Default of the keys that encrypt data at rest. */
  readonly encryption: Encryption;
  /** Default of threat protection for sign-ins to user pools, at 0.02 USD per user and month. */
  readonly judgedSignIns: boolean;
  /** Allows load balancers to serve plain HTTP. */
  readonly plainHttp: boolean;
  /** Allows environments without a fixed account, and Terraform state in local files. */
  readonly anywhere: boolean;
}

/** Defaults of each profile, unless a prop overrides them. The last two are rules that no prop overrides. */
export const PROFILE_DEFAULTS: Readonly<Record<Profile, ProfileDefaults>> = {
  dev: {
    production: false,
    logRetention: Duration.days(30),
    encryption: "aws-managed",
    judgedSignIns: false,
    plainHttp: true,
    anywhere: true,
  },
  production: {
    production: true,
    logRetention: Duration.days(365),
    encryption: "aws-managed",
    judgedSignIns: false,
    plainHttp: true,
    anywhere: true,
  },
  strict: {
    production: true,
    logRetention: Duration.days(365),
    encryption: "customer-managed",
    judgedSignIns: true,
    plainHttp: false,
    anywhere: false,
  },
};
