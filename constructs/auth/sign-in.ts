import type { Problems } from "../core/errors";
import { Duration } from "../core/units";

export const UNAUTHENTICATED = ["sign-in", "refuse"] as const;
/** Response to a user who is not signed in: the issuer's page (`sign-in`), or 401 (`refuse`), as scripts of a page need it. */
export type Unauthenticated = (typeof UNAUTHENTICATED)[number];

/** Options of every way for users to sign in at the load balancer. */
export interface SignInOptions {
  /**
   * Path patterns within the Ingress's own that everybody may ask for, at most 3: `/status`.
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

/** Notes SIGN_IN_SESSION, SIGN_IN_UNAUTHENTICATED. */
export function checkSignIn(problems: Problems, { session, unauthenticated }: SignInOptions): void {
  const seconds = session?.toSeconds() ?? 1;
  problems.check(Number.isInteger(seconds) && seconds >= 1 && seconds <= 604_800, {
    code: "SIGN_IN_SESSION",
    prop: "auth.session",
    problem: `${session} is not a valid session duration`,
    remedy: "Use whole seconds, 1 second to 7 days.",
  });
  problems.check(unauthenticated === undefined || UNAUTHENTICATED.includes(unauthenticated), {
    code: "SIGN_IN_UNAUTHENTICATED",
    prop: "auth.unauthenticated",
    problem: `${JSON.stringify(unauthenticated)} is not known`,
    remedy: `Use one of: ${UNAUTHENTICATED.join(", ")}.`,
  });
}

/** Settings that all sign-in actions of the load balancer share. */
export function signInAction(serviceName: string, options: SignInOptions) {
  return {
    // A cookie of its own, so that who may use one service has not signed in to another.
    sessionCookieName: `AWSELBAuthSessionCookie-${serviceName}`,
    sessionTimeout: (options.session ?? Duration.hours(12)).toSeconds(),
    onUnauthenticatedRequest: options.unauthenticated === "refuse" ? "deny" : "authenticate",
  };
}

/** Callback URL that the issuer must know: the load balancer itself answers there. */
export function callbackUrls(hosts: readonly string[]): string[] {
  return hosts.map((host) => `https://${host}/oauth2/idpresponse`);
}
