import { Token } from "cdktf";
import type { Problems } from "../core/errors";
import { literal } from "../core/literal";
import type { Authentication } from "../load-balancer/authentication";

/** Requirements of a token for the load balancer to let a request pass. */
export interface BearerTokenOptions {
  /** Issuer: `iss` of its tokens. */
  readonly issuer: string;
  /** URL of the issuer's public keys: `jwks_uri` of its discovery document. The load balancer must reach it over the internet. */
  readonly jwksUrl: string;
  /** Audience: the value that `aud` must be, or contain; the issuer's name for this service. */
  readonly audience: string;
  /**
   * Form of `aud`: `text`, or `list` when the issuer may name several audiences.
   *
   * @default "text"
   */
  readonly audienceIs?: "text" | "list";
  /**
   * Scopes that a token needs for every path of the Ingress; the contract of the service decides which route needs which.
   *
   * @default - not looked at
   */
  readonly scopes?: readonly string[];
  /**
   * Path patterns within the Ingress's own that everybody may ask for, at most 3: `/status`.
   *
   * @default - none
   */
  readonly publicPaths?: readonly string[];
}

/**
 * Lets requests pass that carry a token of an OIDC issuer, for instances: the load balancer looks at signature, issuer and expiry, and
 * answers 401 itself. The service still checks the token: callers inside the network come to it past the balancer.
 *
 * Needs AWS provider 6. The load balancer takes signatures by RS256 only. Free.
 *
 * @example
 * ```ts
 * const ingress = new Ingress({ paths: ["/v1/*"], auth: bearerToken({
 *   issuer: "https://login.example.com",
 *   jwksUrl: "https://login.example.com/.well-known/jwks.json",
 *   audience: "orders",
 * }) });
 * ```
 * @throws InvalidPropsError when it is added: BEARER_TOKEN_ISSUER, BEARER_TOKEN_CLAIM, BEARER_TOKEN_NEEDS_PROVIDER_6
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-verify-jwt.html
 */
export function bearerToken(options: BearerTokenOptions): Authentication {
  const { issuer, jwksUrl, audience, audienceIs = "text", scopes = [], publicPaths = [] } = options;
  return {
    publicPaths,
    redirects: false,
    check: (problems, { providerLine }) => {
      problems.check(providerLine === 6, {
        code: "BEARER_TOKEN_NEEDS_PROVIDER_6",
        prop: "auth",
        problem: `wants the load balancer to check tokens, which AWS provider ${providerLine} does not know`,
        remedy: "Install @cdktf/provider-aws@21, or leave it out: the service checks tokens itself.",
      });
      checkToken(problems, options);
    },
    bind: () => ({
      jwtValidation: {
        issuer: literal(issuer),
        jwksUrl: literal(jwksUrl),
        claims: [
          {
            name: "aud",
            format: audienceIs === "list" ? "string-array" : "single-string",
            values: [literal(audience)],
          },
          ...(scopes.length === 0
            ? []
            : [
                {
                  name: "scope",
                  format: "space-separated-values" as const,
                  values: scopes.map((scope) => literal(scope)),
                },
              ]),
        ],
      },
    }),
  };
}

function checkToken(problems: Problems, { issuer, jwksUrl, audience, scopes = [] }: BearerTokenOptions): void {
  for (const [prop, url] of Object.entries({ issuer, jwksUrl })) {
    problems.check(
      Token.isUnresolved(url) || (/^https:\/\/[^\s"<>\\^`{|}/]+(\/[^\s"<>\\^`{|}]*)?$/.test(url) && url.length <= 256),
      {
        code: "BEARER_TOKEN_ISSUER",
        prop: `auth.${prop}`,
        problem: `${JSON.stringify(url)} is not an https URL of at most 256 characters`,
        remedy: "Take it from <issuer>/.well-known/openid-configuration.",
      },
    );
  }
  problems.check(
    audience !== "" &&
      audience.length <= 256 &&
      scopes.length <= 10 &&
      scopes.every((scope) => /^\S{1,256}$/.test(scope)),
    {
      code: "BEARER_TOKEN_CLAIM",
      prop: "auth.audience and auth.scopes",
      problem: `${JSON.stringify([audience, ...scopes])} are no values that AWS compares`,
      remedy: "Use up to 10 scopes without spaces, and values of 1 to 256 characters.",
    },
  );
}
