import type { LbListenerRule, LbListenerRuleAction } from "@cdktf/provider-aws/lib/lb-listener-rule";
import type { Construct } from "constructs";
import type { Problems } from "../core/errors";
import type { ProviderLine } from "../core/provider-line";

/** Conditions under which the load balancer accepts a token. Only AWS provider 6 supports them. */
export interface JwtValidation {
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly claims: readonly {
    readonly name: string;
    readonly format: "single-string" | "string-array" | "space-separated-values";
    readonly values: readonly string[];
  }[];
}

/** Action of the load balancer before it forwards a request. */
export type AuthenticationAction =
  | Pick<LbListenerRuleAction, "type" | "authenticateOidc" | "authenticateCognito">
  | { readonly jwtValidation: JwtValidation };

/** A service's listener rule, with what an authentication method needs to know of it. */
export interface AuthenticatedRule {
  readonly serviceName: string;
  readonly hosts: readonly string[];
  readonly providerLine: ProviderLine;
}

/** Authentication of an Ingress: `oidcSignIn(...)`, `userPool.signIn(...)` or `bearerToken(...)`. */
export interface Authentication {
  /** Paths that need no authentication; all others do. */
  readonly publicPaths: readonly string[];
  /** True if users are redirected to sign in, and return to a host that must be registered there. */
  readonly redirects: boolean;
  /** Records problems before any resource is created. */
  check(problems: Problems, rule: AuthenticatedRule): void;
  /** Creates the resources that the method needs, in its own scope, and returns the load balancer's action. */
  bind(scope: Construct, rule: AuthenticatedRule): AuthenticationAction;
}

/** Inserts an authentication action before the other actions of a rule. */
export function authenticateFirst(rule: LbListenerRule, action: AuthenticationAction, targetGroupArn: string): void {
  const forward = { type: "forward", order: 2, targetGroupArn };
  if (!("jwtValidation" in action)) {
    rule.putAction([{ ...action, order: 1 }, forward]);
    return;
  }
  const { issuer, jwksUrl, claims } = action.jwtValidation;
  // The bindings of provider 5 have no such action, and an override is appended to the existing ones.
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
