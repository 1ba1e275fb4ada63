import type { Problems } from "../core/errors";
import { Duration } from "../core/units";

export const UNAUTHENTICATED = ["sign-in", "refuse"] as const;
/** What somebody meets who has not signed in: the issuer's page (`sign-in`), or 401 (`refuse`), as scripts of a page want it. */
export type Unauthenticated = (typeof UNAUTHENTICATED)[number];

/** What all ways for people to sign in at the load balancer have in common. */
export interface SignInOptions {
  /**
   * Path patterns within the Ingress's own that everybody may ask for, at most 3: `/status`.
   *
   * @default - none
   */
  readonly publicPaths?: readonly string[];
  /**
   * How long a session lasts, 1 second to 7 days.
   *
   * @default Duration.hours(12)
   */
  readonly session?: Duration;
  /**
   * What somebody meets who has not signed in.
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
    problem: `${session} is no length of a session`,
    remedy: "Use whole seconds, 1 second to 7 days.",
  });
  problems.check(unauthenticated === undefined || UNAUTHENTICATED.includes(unauthenticated), {
    code: "SIGN_IN_UNAUTHENTICATED",
    prop: "auth.unauthenticated",
    problem: `${JSON.stringify(unauthenticated)} is not known`,
    remedy: `Use one of: ${UNAUTHENTICATED.join(", ")}.`,
  });
}

/** What the load balancer's actions for people have in common. */
export function signInAction(serviceName: string, options: SignInOptions) {
  return {
    // A cookie of its own, so that who may use one service has not signed in to another.
    sessionCookieName: `AWSELBAuthSessionCookie-${serviceName}`,
    sessionTimeout: (options.session ?? Duration.hours(12)).toSeconds(),
    onUnauthenticatedRequest: options.unauthenticated === "refuse" ? "deny" : "authenticate",
  };
}

/** Where people come back to, which the issuer must know: the load balancer answers there itself. */
export function callbackUrls(hosts: readonly string[]): string[] {
  return hosts.map((host) => `https://${host}/oauth2/idpresponse`);
}
