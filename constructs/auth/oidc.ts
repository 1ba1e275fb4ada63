import { DataAwsSecretsmanagerSecretVersion } from "@cdktf/provider-aws/lib/data-aws-secretsmanager-secret-version";
import { conditional, Fn, Op, Token } from "cdktf";
import type { Construct } from "constructs";
import { checkArguments } from "../core/check-types";
import type { Problems } from "../core/errors";
import { warn } from "../core/errors";
import { asArgument, literal } from "../core/literal";
import { isReference } from "../core/reference";
import { withoutKey } from "../core/secrets";
import type { Authentication } from "../load-balancer/authentication";
import { checkSignIn, type SignInOptions, signInAction } from "./sign-in";

/** OIDC issuer and the registration of this app with it. */
export interface OidcSignInOptions extends SignInOptions {
  /** Issuer: `iss` of its tokens. */
  readonly issuer: string;
  /** URL of the sign-in page: `authorization_endpoint` of the issuer's discovery document. */
  readonly authorizationUrl: string;
  /** `token_endpoint` of the issuer's discovery document. */
  readonly tokenUrl: string;
  /** `userinfo_endpoint` of the issuer's discovery document. */
  readonly userInfoUrl: string;
  readonly clientId: string;
  /** ARN of the secret that holds the client secret; `<arn>:<key>::` for one key of a secret in JSON. */
  readonly clientSecretArn: string;
  /**
   * Scopes to request besides `openid`.
   *
   * @default ["email"]
   */
  readonly scopes?: readonly string[];
}

const HTTPS_URL = /^https:\/\/[a-z0-9.-]+(:\d{1,5})?(\/[^\s"<>\\^`{|}]*)?$/i;
const SECRET_ARN =
  /^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+)(?::([A-Za-z0-9_-]+)::)?$/;

/**
 * Authenticates users by signing them in at an OIDC issuer: the load balancer redirects them to it. Register
 * `https://<host>/oauth2/idpresponse` with the issuer for each host of the Ingress.
 *
 * The load balancer's API accepts the client secret only as plain text, so it is stored in the Terraform state: encrypt the
 * state and limit who reads it. A task receives the user's claims in `x-amzn-oidc-data`, a token that the load balancer
 * signs. Free.
 *
 * @example
 * ```ts
 * orders.add(new Ingress({ hosts: ["orders.example.com"], auth: oidcSignIn({
 *   issuer: "https://login.example.com",
 *   authorizationUrl: "https://login.example.com/authorize",
 *   tokenUrl: "https://login.example.com/token",
 *   userInfoUrl: "https://login.example.com/userinfo",
 *   clientId: "orders",
 *   clientSecretArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-login-AbCdEf",
 * }) }));
 * ```
 * @throws InvalidPropsError when it is added: SIGN_IN_ISSUER, SIGN_IN_CLIENT, SIGN_IN_SECRET, SIGN_IN_SCOPE,
 * SIGN_IN_SESSION, SIGN_IN_UNAUTHENTICATED
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html
 */
export function oidcSignIn(options: OidcSignInOptions): Authentication {
  checkArguments("oidcSignIn", { options });
  return {
    publicPaths: options.publicPaths ?? [],
    redirects: true,
    check: (problems) => checkOidc(problems, options),
    bind: (scope, { serviceName }) => {
      warn(scope, {
        code: "SECRET_IN_STATE",
        prop: "auth",
        problem: "stores the client secret in this stack's Terraform state, because AWS accepts it only as plain text",
        remedy: "Encrypt the state and limit who reads it; or verify tokens only in the service.",
      });
      return {
        type: "authenticate-oidc",
        authenticateOidc: {
          issuer: literal(options.issuer),
          authorizationEndpoint: literal(options.authorizationUrl),
          tokenEndpoint: literal(options.tokenUrl),
          userInfoEndpoint: literal(options.userInfoUrl),
          clientId: literal(options.clientId),
          clientSecret: readSecret(scope, options.clientSecretArn),
          scope: ["openid", ...(options.scopes ?? ["email"]).map(literal)].join(" "),
          ...signInAction(serviceName, options),
        },
      };
    },
  };
}

function checkOidc(problems: Problems, options: OidcSignInOptions): void {
  checkSignIn(problems, options);
  for (const prop of ["issuer", "authorizationUrl", "tokenUrl", "userInfoUrl"] as const) {
    problems.check(isReference(options[prop]) || HTTPS_URL.test(options[prop]), {
      code: "SIGN_IN_ISSUER",
      prop: `auth.${prop}`,
      problem: `${JSON.stringify(options[prop])} is not an https URL`,
      remedy: "Copy it from <issuer>/.well-known/openid-configuration.",
    });
  }
  problems.check(options.clientId !== "", {
    code: "SIGN_IN_CLIENT",
    prop: "auth.clientId",
    problem: "is empty",
    remedy: "Use the client id that the issuer has assigned to this app.",
  });
  problems.check(isReference(options.clientSecretArn) || SECRET_ARN.test(options.clientSecretArn), {
    code: "SIGN_IN_SECRET",
    prop: "auth.clientSecretArn",
    problem: "is not the ARN of a secret",
    remedy: "Store the client secret in Secrets Manager and pass its ARN: arn:aws:secretsmanager:...:secret:...",
  });
  problems.check(
    (options.scopes ?? []).every(
      (scope) => isReference(scope) || (/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope) && !/[$%]\{/.test(scope)),
    ),
    {
      code: "SIGN_IN_SCOPE",
      prop: "auth.scopes",
      problem: `${JSON.stringify(options.scopes)} contains an invalid scope`,
      remedy: 'Use words without spaces: ["email", "profile"].',
    },
  );
}

function readSecret(scope: Construct, arn: string): string {
  const later = isReference(arn);
  const secretId = later ? withoutKey(scope, "ClientSecretArn", literal(arn)) : SECRET_ARN.exec(arn)?.[1];
  const { secretString } = new DataAwsSecretsmanagerSecretVersion(scope, "ClientSecret", { secretId: secretId ?? arn });
  const ofKey = (key: string) => Fn.lookupNested(Fn.jsondecode(secretString), [key]);
  if (later) {
    const parts = Fn.split(":", asArgument(literal(arn)));
    return Token.asString(conditional(Op.gt(Fn.lengthOf(parts), 7), ofKey(Fn.element(parts, 7)), secretString));
  }
  const key = SECRET_ARN.exec(arn)?.[2];
  return key === undefined ? secretString : Token.asString(ofKey(key));
}
