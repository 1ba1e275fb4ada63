import { Duration } from "./units";

export const PROFILES = ["dev", "production", "strict"] as const;
/**
 * What an environment is for. `dev` is cheap when idle and easy to destroy; `production` can lose a zone, keeps what
 * holds data, and keeps logs for a year; `strict` is production where what is optional for safety is not: see
 * {@link PROFILE_DEFAULTS}.
 */
export type Profile = (typeof PROFILES)[number];

/** What a profile decides. */
export interface ProfileDefaults {
  /** Whether what holds data is protected, and a zone may be lost. */
  readonly production: boolean;
  /** How long log lines are kept where nobody says otherwise. */
  readonly logRetention: Duration;
  /** Whether log groups have a key of their own, for 1 USD a month each. */
  readonly encryptedLogs: boolean;
  /** Whether sign-ins at user pools are judged, for 0.02 USD a person and month, where nobody says otherwise. */
  readonly judgedSignIns: boolean;
  /** Whether a load balancer may speak plain HTTP. */
  readonly plainHttp: boolean;
  /** Whether any account will do, and state may be a file on somebody's machine. */
  readonly anywhere: boolean;
}

/** What each profile decides, where no prop says otherwise; the last two are refused, whatever the props say. */
export const PROFILE_DEFAULTS: Readonly<Record<Profile, ProfileDefaults>> = {
  dev: {
    production: false,
    logRetention: Duration.days(30),
    encryptedLogs: false,
    judgedSignIns: false,
    plainHttp: true,
    anywhere: true,
  },
  production: {
    production: true,
    logRetention: Duration.days(365),
    encryptedLogs: false,
    judgedSignIns: false,
    plainHttp: true,
    anywhere: true,
  },
  strict: {
    production: true,
    logRetention: Duration.days(365),
    encryptedLogs: true,
    judgedSignIns: true,
    plainHttp: false,
    anywhere: false,
  },
};
