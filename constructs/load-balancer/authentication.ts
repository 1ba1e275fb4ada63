import type { LbListenerRule, LbListenerRuleAction } from "@cdktf/provider-aws/lib/lb-listener-rule";
import type { Construct } from "constructs";
import type { Problems } from "../core/errors";
import type { ProviderLine } from "../core/provider-line";

/** What a token must be for the load balancer to let a request pass. Provider 6 alone knows it. */
export interface JwtValidation {
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly claims: readonly {
    readonly name: string;
    readonly format: "single-string" | "string-array" | "space-separated-values";
    readonly values: readonly string[];
  }[];
}

/** What the load balancer does before a request gets to a task. */
export type AuthenticationAction =
  | Pick<LbListenerRuleAction, "type" | "authenticateOidc" | "authenticateCognito">
  | { readonly jwtValidation: JwtValidation };

/** A service's rule, as far as who checks its callers must know it. */
export interface AuthenticatedRule {
  readonly serviceName: string;
  readonly hosts: readonly string[];
  readonly providerLine: ProviderLine;
}

/** Who may pass an Ingress: `oidcSignIn(...)`, `userPool.signIn(...)` or `bearerToken(...)`. */
export interface Authentication {
  /** Paths that everybody may ask for; all others are closed. */
  readonly publicPaths: readonly string[];
  /** Whether people are sent somewhere to sign in, and come back to a host that must be known there. */
  readonly redirects: boolean;
  /** Notes what is wrong with it, before anything is made. */
  check(problems: Problems, rule: AuthenticatedRule): void;
  /** Makes what it needs, in its own scope, and tells what the load balancer is to do. */
  bind(scope: Construct, rule: AuthenticatedRule): AuthenticationAction;
}

/** Puts a check before what a rule does with a request. */
export function authenticateFirst(rule: LbListenerRule, action: AuthenticationAction, targetGroupArn: string): void {
  const forward = { type: "forward", order: 2, targetGroupArn };
  if (!("jwtValidation" in action)) {
    rule.putAction([{ ...action, order: 1 }, forward]);
    return;
  }
  const { issuer, jwksUrl, claims } = action.jwtValidation;
  // The bindings of provider 5 have no such action; and an override is put behind what is there.
  rule.putAction([]);
  rule.addOverride("action", [
    {
      type: "jwt-validation",
      order: 1,
      jwt_validation: { issuer, jwks_endpoint: jwksUrl, additional_claim: claims },
    },
    { type: forward.type, order: forward.order, target_group_arn: forward.targetGroupArn },
  ]);
}
