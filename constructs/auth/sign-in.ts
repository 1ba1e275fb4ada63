import type { Problems } from "../core/errors";
import { Duration } from "../core/units";

export const UNAUTHENTICATED = ["sign-in", "refuse"] as const;
/**
 * Response to a user who is not signed in: redirect to the issuer (`sign-in`), or 401 (`refuse`), for requests of scripts.
 */
export type Unauthenticated = (typeof UNAUTHENTICATED)[number];

/** Options that all sign-in methods share. */
export interface SignInOptions {
  /**
   * Path patterns of the Ingress that need no authentication, at most 3: `/status`.
   *
   * @default - none
   */
  readonly publicPaths?: readonly string[];
  /**
   * Duration of a session, 1 second to 7 days.
   *
   * @default Duration.hours(12)
   */
  readonly session?: Duration;
  /**
   * Response to a user who is not signed in.
   *
   * @default "sign-in"
   */
  readonly unauthenticated?: Unauthenticated;
}

/** Records SIGN_IN_SESSION, SIGN_IN_UNAUTHENTICATED. */
export function checkSignIn(problems: Problems, { session, unauthenticated }: SignInOptions): void {
  const seconds = session?.toSeconds() ?? 1;
  problems.check(Number.isInteger(seconds) && seconds >= 1 && seconds <= 604_800, {
    code: "SIGN_IN_SESSION",
    prop: "auth.session",
    problem: `must be whole seconds, from 1 second to 7 days, got ${session}`,
    remedy: "Use a duration such as Duration.hours(12).",
  });
  if (unauthenticated !== undefined)
    problems.checkOneOf(unauthenticated, UNAUTHENTICATED, {
      code: "SIGN_IN_UNAUTHENTICATED",
      prop: "auth.unauthenticated",
    });
}

/** Builds the settings that all authentication actions of the load balancer share. */
export function signInAction(serviceName: string, options: SignInOptions) {
  return {
    // A separate cookie for each service, so that signing in to one does not grant access to another.
    sessionCookieName: `AWSELBAuthSessionCookie-${serviceName}`,
    sessionTimeout: (options.session ?? Duration.hours(12)).toSeconds(),
    onUnauthenticatedRequest: options.unauthenticated === "refuse" ? "deny" : "authenticate",
  };
}

/** Returns the callback URLs to register with the issuer. The load balancer itself handles them. */
export function callbackUrls(hosts: readonly string[]): string[] {
  return hosts.map((host) => `https://${host}/oauth2/idpresponse`);
}
