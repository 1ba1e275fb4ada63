import { checkArguments } from "../core/check-types";
import type { Problems } from "../core/errors";
import { literal } from "../core/literal";
import { isReference } from "../core/reference";
import type { Authentication } from "../load-balancer/authentication";

/** Requirements of a token for the load balancer to let a request pass. */
export interface BearerTokenOptions {
  /** Issuer: `iss` of its tokens. */
  readonly issuer: string;
  /** URL of the issuer's public keys: `jwks_uri` of its discovery document. The load balancer must reach it over the internet. */
  readonly jwksUrl: string;
  /** Audience: the name of this service at the issuer, which `aud` must be or contain. */
  readonly audience: string;
  /**
   * Form of `aud`: `text`, or `list` if the issuer can include several audiences.
   *
   * @default "text"
   */
  readonly audienceIs?: "text" | "list";
  /**
   * Scopes that a token needs for every path of the Ingress. The service's own contract decides which route needs which
   * scope.
   *
   * @default - scopes are not checked
   */
  readonly scopes?: readonly string[];
  /**
   * Path patterns of the Ingress that need no authentication, at most 3: `/status`.
   *
   * @default - none
   */
  readonly publicPaths?: readonly string[];
}

/**
 * Authenticates machine clients by an access token of an OIDC issuer: the load balancer verifies signature, issuer and
 * expiry, and itself responds with 401. The service must still verify the token, because callers inside the VPC bypass the
 * load balancer.
 *
 * Needs AWS provider 6. The load balancer supports RS256 signatures only. Free.
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
  checkArguments("bearerToken", { options });
  const { issuer, jwksUrl, audience, audienceIs = "text", scopes = [], publicPaths = [] } = options;
  return {
    publicPaths,
    redirects: false,
    check: (problems, { providerLine }) => {
      problems.check(providerLine === 6, {
        code: "BEARER_TOKEN_NEEDS_PROVIDER_6",
        prop: "auth",
        problem: `needs AWS provider 6 for the load balancer to verify tokens; this app has ${providerLine}`,
        remedy: "Install @cdktf/provider-aws@21, or remove auth and verify tokens only in the service.",
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
      isReference(url) || (/^https:\/\/[^\s"<>\\^`{|}/]+(\/[^\s"<>\\^`{|}]*)?$/.test(url) && url.length <= 256),
      {
        code: "BEARER_TOKEN_ISSUER",
        prop: `auth.${prop}`,
        problem: `${JSON.stringify(url)} is not an https URL of at most 256 characters`,
        remedy: "Copy it from <issuer>/.well-known/openid-configuration.",
      },
    );
  }
  problems.check(
    audience !== "" &&
      audience.length <= 256 &&
      scopes.length <= 10 &&
      scopes.every((scope) => isReference(scope) || /^\S{1,256}$/.test(scope)),
    {
      code: "BEARER_TOKEN_CLAIM",
      prop: "auth.audience and auth.scopes",
      problem: `must have an audience and up to 10 scopes that AWS supports, got ${JSON.stringify([audience, ...scopes])}`,
      remedy: "Use values of 1 to 256 characters, and scopes without spaces.",
    },
  );
}
