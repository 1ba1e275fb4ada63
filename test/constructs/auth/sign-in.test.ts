import { ref } from "cdktf";
import fc from "fast-check";
import { type LbListenerRuleAction, lbListenerRuleActionToTerraform } from "provider-aws-6/lib/lb-listener-rule";
import { describe, expect, it } from "vitest";
import {
  type Authentication,
  bearerToken,
  CloudNativeService,
  Duration,
  type Environment,
  https,
  Ingress,
  type IngressProps,
  insecureHttp,
  type OidcSignInOptions,
  oidcSignIn,
  Platform,
  type PlatformProps,
  UserPool,
  type UserPoolProps,
} from "../../../constructs";
import { covers } from "../../../constructs/load-balancer/priority";
import { synthesize } from "../../../constructs/testing";
import { describeOnEmulator } from "../../support/deployment";
import { DEV, only, PRODUCTION, refusals, resources, shop, warnings } from "../../support/synth";
import { evaluateLocals } from "../../support/terraform-console";

const CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555";
const SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:login-AbCdEf";
const HOST = "orders.example.com";
const ISSUER: OidcSignInOptions = {
  issuer: "https://login.example.com",
  authorizationUrl: "https://login.example.com/authorize",
  tokenUrl: "https://login.example.com/token",
  userInfoUrl: "https://login.example.com/userinfo",
  clientId: "orders",
  clientSecretArn: SECRET,
};
const TOKEN = {
  issuer: "https://login.example.com",
  jwksUrl: "https://login.example.com/.well-known/jwks.json",
  audience: "orders",
};

const platformOf = (props: Partial<PlatformProps> = {}) =>
  shop(DEV, { listener: https({ certificateArn: CERTIFICATE }), ...props });

/** A service behind an Ingress that asks who it is. */
function guarded(auth: Authentication, ingress: IngressProps = {}, platform: Platform = platformOf()) {
  const stack = platform.stack("orders");
  const orders = new CloudNativeService(stack, "Orders");
  orders.add(new Ingress({ hosts: [HOST], auth, ...ingress }));
  return { stack, orders, platform };
}

const ruleOf = (stack: ReturnType<typeof guarded>["stack"], id: string) =>
  resources(stack, "aws_lb_listener_rule")[
    Object.keys(resources(stack, "aws_lb_listener_rule")).find((key) => key.includes(`_${id}_`)) ?? ""
  ] as { action: Record<string, unknown>[]; priority: number; condition: object[]; depends_on?: string[] };

describeOnEmulator("a client secret whose ARN is known only at apply", () => {
  it.each([
    [SECRET, "", '{"key":"one"}'],
    [`${SECRET}:key::`, "", "one"],
    [SECRET, ":key::", "one"],
  ])("is read by the ARN alone, and is the value of its key if it has one: %s%s", (arn, suffix, secret) => {
    const clientSecretArn = `${ref("local.secret")}${suffix}`;
    const { stack } = guarded(oidcSignIn({ ...ISSUER, clientSecretArn }));
    const { locals, data } = synthesize(stack) as {
      locals: Record<string, string>;
      data: { aws_secretsmanager_secret_version: Record<string, { secret_id: string }> };
    };
    const [{ secret_id } = { secret_id: "" }] = Object.values(data.aws_secretsmanager_secret_version);
    const [{ authenticate_oidc: oidc }] = ruleOf(stack, "Rule").action as [{ authenticate_oidc: object }];
    const { client_secret } = oidc as { client_secret: string };
    const [name = ""] = /[\w]+ClientSecretArn\w+/.exec(secret_id) ?? [];
    const value = client_secret.replaceAll(
      /data\.aws_secretsmanager_secret_version\.\w+\.secret_string/g,
      "local.read",
    );
    const given = { secret: arn, read: '{"key":"one"}', [name]: locals[name], secret_id, value };
    expect(evaluateLocals(given, ["secret_id", "value"])).toEqual({ secret_id: SECRET, value: secret });
  });
});

describe("people at an OIDC issuer", () => {
  it("must sign in before requests are forwarded, in a session of this service", () => {
    const { stack } = guarded(oidcSignIn(ISSUER));
    const { action } = ruleOf(stack, "Rule");
    expect(action).toMatchObject([
      {
        type: "authenticate-oidc",
        order: 1,
        authenticate_oidc: {
          issuer: ISSUER.issuer,
          authorization_endpoint: ISSUER.authorizationUrl,
          token_endpoint: ISSUER.tokenUrl,
          user_info_endpoint: ISSUER.userInfoUrl,
          client_id: "orders",
          scope: "openid email",
          session_cookie_name: "AWSELBAuthSessionCookie-orders",
          session_timeout: 43_200,
          on_unauthenticated_request: "authenticate",
        },
      },
      { type: "forward", order: 2 },
    ]);
  });

  it("require a secret by reference, with a warning that it is in the state", () => {
    const { stack, orders } = guarded(oidcSignIn(ISSUER));
    expect(JSON.stringify(ruleOf(stack, "Rule").action)).toContain(
      "${data.aws_secretsmanager_secret_version.Orders_Ingress_Auth_ClientSecret",
    );
    expect(orders.node.findAll().flatMap(warnings).join()).toContain("SECRET_IN_STATE");
    const keyed = guarded(oidcSignIn({ ...ISSUER, clientSecretArn: `${SECRET}:client_secret::` }));
    expect(JSON.stringify(synthesize(keyed.stack))).toContain(`"secret_id":"${SECRET}"`);
    expect(JSON.stringify(ruleOf(keyed.stack, "Rule").action)).toMatch(
      /jsondecode\(data\.aws_secretsmanager_secret_version\.[^)]*\)(\.client_secret|\["client_secret"\])/,
    );
  });

  it("get a 401 for scripts, and the configured session duration", () => {
    const auth = oidcSignIn({ ...ISSUER, unauthenticated: "refuse", session: Duration.hours(1), scopes: [] });
    expect(ruleOf(guarded(auth).stack, "Rule").action[0]).toMatchObject({
      authenticate_oidc: { on_unauthenticated_request: "deny", session_timeout: 3600, scope: "openid" },
    });
  });

  it("are refused with invalid properties of the issuer", () => {
    const bad: Partial<OidcSignInOptions> = {
      issuer: "http://login.example.com",
      tokenUrl: 'https://login.example.com/${file("/etc/passwd")}',
      clientId: "",
      clientSecretArn: "hunter2",
      scopes: ["a b"],
      session: Duration.days(8),
      unauthenticated: "allow" as never,
    };
    expect(refusals(() => guarded(oidcSignIn({ ...ISSUER, ...bad })))).toEqual([
      "SIGN_IN_SESSION auth.session",
      "SIGN_IN_UNAUTHENTICATED auth.unauthenticated",
      "SIGN_IN_ISSUER auth.issuer",
      "SIGN_IN_ISSUER auth.tokenUrl",
      "SIGN_IN_CLIENT auth.clientId",
      "SIGN_IN_SECRET auth.clientSecretArn",
      "SIGN_IN_SCOPE auth.scopes",
    ]);
  });

  it("never print a secret that was passed instead of its ARN", () => {
    let message = "";
    try {
      guarded(oidcSignIn({ ...ISSUER, clientSecretArn: "hunter2" }));
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain("SIGN_IN_SECRET");
    expect(message).not.toContain("hunter2");
  });

  it("cannot make Terraform read a file through a property", () => {
    const { stack } = guarded(oidcSignIn({ ...ISSUER, clientId: '${file("/etc/passwd")}' }));
    expect(ruleOf(stack, "Rule").action[0]).toMatchObject({
      authenticate_oidc: { client_id: '$${file("/etc/passwd")}' },
    });
  });
});

describe("a public path", () => {
  it("is explicit, and has a rule before the one that authenticates", () => {
    const { stack } = guarded(oidcSignIn({ ...ISSUER, publicPaths: ["/status", "/assets/*"] }));
    const [open, closed] = [ruleOf(stack, "Public"), ruleOf(stack, "Rule")];
    expect(open.action).toHaveLength(1);
    expect(open.action[0]).toMatchObject({ type: "forward" });
    expect(open.condition).toEqual([
      { host_header: { values: [HOST] } },
      { path_pattern: { values: ["/status", "/assets/*"] } },
    ]);
    expect(open.priority).toBeLessThan(closed.priority);
    expect(only(stack, "aws_ecs_service").depends_on).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/lb_listener_rule\.Orders_Ingress_Public_/),
        expect.stringMatching(/lb_listener_rule\.Orders_Ingress_Rule_/),
      ]),
    );
  });

  it("does not exist by default", () => {
    expect(Object.keys(resources(guarded(oidcSignIn(ISSUER)).stack, "aws_lb_listener_rule"))).toHaveLength(1);
  });

  it("has the priority before an explicit one", () => {
    const auth = oidcSignIn({ ...ISSUER, publicPaths: ["/a/b/c/d"] });
    const { stack } = guarded(auth, { paths: ["/a/b/c/*"], priority: 7 });
    expect([ruleOf(stack, "Public").priority, ruleOf(stack, "Rule").priority]).toEqual([6, 7]);
  });

  it("must be covered by the Ingress, with an unambiguous priority", () => {
    const tryPaths = (publicPaths: string[], paths: string[], priority?: number) =>
      refusals(() => guarded(oidcSignIn({ ...ISSUER, publicPaths }), { paths, priority }));
    expect(tryPaths(["/v2/status"], ["/v1/*"])).toEqual(["INGRESS_PUBLIC_PATH auth.publicPaths"]);
    expect(tryPaths(["/*"], [], 7)).toEqual(["INGRESS_PUBLIC_PATH auth.publicPaths"]);
    expect(tryPaths(["/v*"], ["/v1/*"], 7)).toEqual(["INGRESS_PUBLIC_PATH auth.publicPaths"]);
    expect(tryPaths(["/v1/*"], ["/v1/*"], 7)).toEqual(["INGRESS_PUBLIC_PATH auth.publicPaths"]);
    expect(tryPaths(["/a", "/b", "/c", "/d"], [])).toEqual(["INGRESS_PUBLIC_PATH auth.publicPaths"]);
    expect(tryPaths(["status"], [])).toEqual(["INGRESS_PUBLIC_PATH auth.publicPaths"]);
    expect(tryPaths(["/a/b/c/d"], ["/a/b/c/*"])).toEqual(["INGRESS_PUBLIC_ORDER auth.publicPaths"]);
    expect(tryPaths(["/a/b/c/d"], ["/a/b/c/*"], 1)).toEqual(["INGRESS_PUBLIC_ORDER auth.publicPaths"]);
  });

  it("counts as a rule of the load balancer", () => {
    const platform = platformOf({ environment: { ...DEV, quotas: { rulesPerLoadBalancer: 1 } } });
    const auth = oidcSignIn({ ...ISSUER, publicPaths: ["/status"] });
    expect(refusals(() => guarded(auth, {}, platform))).toEqual(["LOAD_BALANCER_QUOTA hosts and paths"]);
  });

  it.each<[string, string, boolean]>([
    ["/*", "/a", true],
    ["/v1/*", "/v1/*", true],
    ["/v1/*", "/v1/a*", true],
    ["/v1/a*", "/v1/*", false],
    ["/v?/*", "/v1/x", true],
    ["/v1/x", "/v?/x", false],
    ["/v?/x", "/v?/x", true],
    ["/v?/x", "/v*/x", false],
    ["/*/x", "/a/b/x", true],
    ["/*/x", "/a/*", false],
    ["/a", "/a/", false],
    ["/a*", "/a", true],
  ])("%s covers %s: %s", (outer, inner, expected) => {
    expect(covers(outer, inner)).toBe(expected);
  });

  it("is covered only by a pattern that matches all of its texts", () => {
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", "/", "*", "?"), maxLength: 6 });
    const text = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 6 });
    const fits = (glob: string, value: string) =>
      new RegExp(`^${glob.replaceAll("*", ".*").replaceAll("?", ".")}$`).test(value);
    const lies = fc.property(pattern, pattern, text, (outer, inner, value) => {
      return !(covers(outer, inner) && fits(inner, value)) || fits(outer, value);
    });
    expect(fc.check(lies, { numRuns: 5000 }).counterexample).toBeNull();
  });
});

describe("authentication", () => {
  it("requires HTTPS, checked at synth, or at plan for a platform in another app", () => {
    const plain = shop(DEV, { listener: insecureHttp() });
    expect(refusals(() => guarded(oidcSignIn(ISSUER), {}, plain))).toEqual(["INGRESS_AUTH_HTTPS auth"]);
    const elsewhere = Platform.existing(platformOf().node.root as never, "other", { environment: DEV });
    const stack = elsewhere.stack("orders");
    new CloudNativeService(stack, "Orders").add(new Ingress({ hosts: [HOST], auth: oidcSignIn(ISSUER) }));
    expect(JSON.stringify(only(stack, "aws_lb_listener_rule").lifecycle)).toMatch(/== \\*"https/);
  });

  it("requires explicit hosts", () => {
    const auth = oidcSignIn(ISSUER);
    expect(refusals(() => guarded(auth, { hosts: [] }))).toEqual(["INGRESS_AUTH_HOST hosts"]);
    expect(refusals(() => guarded(auth, { hosts: ["*.example.com"] }))).toEqual(["INGRESS_AUTH_HOST hosts"]);
  });

  it("opens egress of the load balancer on port 443 only", () => {
    const out = (platform: Platform) =>
      Object.entries(resources(platform, "aws_vpc_security_group_egress_rule"))
        .filter(([id]) => id.startsWith("LoadBalancer_"))
        .map(([, { from_port, to_port, cidr_ipv4 }]) => [from_port, to_port, cidr_ipv4]);
    expect(out(platformOf())).toEqual([[443, 443, "0.0.0.0/0"]]);
    expect(out(shop())).toEqual([]);
  });
});

describe("programs with a token", () => {
  const onProvider6 = () => platformOf({ providerLine: 6 });

  it("are authenticated by the load balancer on provider 6", () => {
    const auth = bearerToken({ ...TOKEN, scopes: ["orders:read"], publicPaths: ["/openapi.yaml"] });
    const { stack } = guarded(auth, { hosts: [] }, onProvider6());
    expect(ruleOf(stack, "Rule").action).toEqual([
      {
        type: "jwt-validation",
        order: 1,
        jwt_validation: {
          issuer: TOKEN.issuer,
          jwks_endpoint: TOKEN.jwksUrl,
          additional_claim: [
            { name: "aud", format: "single-string", values: ["orders"] },
            { name: "scope", format: "space-separated-values", values: ["orders:read"] },
          ],
        },
      },
      { type: "forward", order: 2, target_group_arn: expect.stringContaining("aws_lb_target_group") },
    ]);
    expect(ruleOf(stack, "Public").action).toHaveLength(1);
  });

  it("match the output of the bindings of provider 6", () => {
    const { stack } = guarded(bearerToken({ ...TOKEN, scopes: ["orders:read"] }), {}, onProvider6());
    const [check, forward] = ruleOf(stack, "Rule").action;
    const action: LbListenerRuleAction = {
      type: "jwt-validation",
      order: 1,
      jwtValidation: {
        issuer: TOKEN.issuer,
        jwksEndpoint: TOKEN.jwksUrl,
        additionalClaim: [
          { name: "aud", format: "single-string", values: ["orders"] },
          { name: "scope", format: "space-separated-values", values: ["orders:read"] },
        ],
      },
    };
    const written = (value: unknown) => JSON.parse(JSON.stringify(value));
    expect(check).toEqual(written(lbListenerRuleActionToTerraform(action)));
    const { target_group_arn: targetGroupArn } = forward as { target_group_arn: string };
    expect(forward).toEqual(written(lbListenerRuleActionToTerraform({ type: "forward", order: 2, targetGroupArn })));
  });

  it("may have one of several audiences", () => {
    const { stack } = guarded(bearerToken({ ...TOKEN, audienceIs: "list" }), {}, onProvider6());
    expect(JSON.stringify(ruleOf(stack, "Rule").action)).toContain('"string-array"');
  });

  it("are refused on provider 5, which cannot validate tokens", () => {
    expect(refusals(() => guarded(bearerToken(TOKEN), {}, platformOf({ providerLine: 5 })))).toEqual([
      "BEARER_TOKEN_NEEDS_PROVIDER_6 auth",
    ]);
  });

  it("are refused with an invalid issuer or claims", () => {
    const bad = { issuer: "login", jwksUrl: "http://x", audience: "", scopes: ["a b"] };
    expect(refusals(() => guarded(bearerToken(bad), {}, onProvider6()))).toEqual([
      "BEARER_TOKEN_ISSUER auth.issuer",
      "BEARER_TOKEN_ISSUER auth.jwksUrl",
      "BEARER_TOKEN_CLAIM auth.audience and auth.scopes",
    ]);
  });
});

describe("UserPool", () => {
  const poolOf = (props: UserPoolProps = {}, environment = DEV) => {
    const platform = shop(environment, { listener: https({ certificateArn: CERTIFICATE }) });
    return { platform, pool: new UserPool(platform, "People", props) };
  };

  it("requires long passwords and a second factor, and disables self sign-up", () => {
    expect(only(poolOf().platform, "aws_cognito_user_pool")).toMatchObject({
      name: "shop-dev-people",
      username_attributes: ["email"],
      admin_create_user_config: { allow_admin_create_user_only: true },
      mfa_configuration: "ON",
      software_token_mfa_configuration: { enabled: true },
      password_policy: {
        minimum_length: 12,
        require_lowercase: true,
        require_numbers: true,
        require_symbols: true,
        require_uppercase: true,
      },
      user_pool_tier: "ESSENTIALS",
      deletion_protection: "INACTIVE",
    });
    expect(only(poolOf({}, PRODUCTION).platform, "aws_cognito_user_pool").deletion_protection).toBe("ACTIVE");
  });

  it("has the configured properties", () => {
    const props: UserPoolProps = {
      mfa: "off",
      selfSignUp: true,
      passwordLength: 20,
      threatProtection: true,
      domainPrefix: "shop-people",
    };
    const { platform } = poolOf(props);
    expect(only(platform, "aws_cognito_user_pool")).toMatchObject({
      admin_create_user_config: { allow_admin_create_user_only: false },
      mfa_configuration: "OFF",
      password_policy: { minimum_length: 20 },
      user_pool_tier: "PLUS",
      user_pool_add_ons: { advanced_security_mode: "ENFORCED" },
    });
    expect(only(platform, "aws_cognito_user_pool")).not.toHaveProperty("software_token_mfa_configuration");
    expect(only(platform, "aws_cognito_user_pool_domain").domain).toBe("shop-people");
    expect(only(poolOf({ mfa: "optional" }).platform, "aws_cognito_user_pool").mfa_configuration).toBe("OPTIONAL");
  });

  it("warns in production about sign-in without a second factor", () => {
    const codes = (mfa: UserPoolProps["mfa"], environment: Environment) =>
      warnings(poolOf({ mfa }, environment).pool).join();
    expect(codes("off", PRODUCTION)).toContain("USER_POOL_NO_MFA");
    expect(codes("optional", PRODUCTION)).toBe("");
    expect(codes("off", DEV)).toBe("");
  });

  it("enables threat protection in a strict environment", () => {
    const strict: Environment = { ...PRODUCTION, profile: "strict", account: "123456789012", state: "s3" };
    expect(only(poolOf({}, strict).platform, "aws_cognito_user_pool").user_pool_tier).toBe("PLUS");
    expect(only(poolOf({ threatProtection: false }, strict).platform, "aws_cognito_user_pool").user_pool_tier).toBe(
      "ESSENTIALS",
    );
  });

  it("has a unique domain", () => {
    expect(only(poolOf().platform, "aws_cognito_user_pool_domain").domain).toMatch(
      /^shop-dev-people-\$\{substr\(sha256\(.*\), 0, 8\)\}$/,
    );
  });

  it("is refused with invalid properties or short passwords", () => {
    const bad = { mfa: "sms" as never, passwordLength: 8, domainPrefix: "my-cognito" };
    expect(refusals(() => poolOf(bad))).toEqual([
      "USER_POOL_MFA mfa",
      "USER_POOL_PASSWORD passwordLength",
      "USER_POOL_DOMAIN domainPrefix",
    ]);
  });

  it("authenticates users by authorization code, with callbacks to the service's hosts", () => {
    const { platform, pool } = poolOf();
    const { stack, orders } = guarded(pool.signIn({ publicPaths: ["/status"] }), {}, platform);
    expect(only(stack, "aws_cognito_user_pool_client")).toMatchObject({
      name: "orders",
      generate_secret: true,
      allowed_oauth_flows: ["code"],
      allowed_oauth_flows_user_pool_client: true,
      callback_urls: [`https://${HOST}/oauth2/idpresponse`],
      prevent_user_existence_errors: "ENABLED",
      enable_token_revocation: true,
    });
    expect(ruleOf(stack, "Rule").action).toMatchObject([
      {
        type: "authenticate-cognito",
        order: 1,
        authenticate_cognito: {
          user_pool_client_id: expect.stringContaining("aws_cognito_user_pool_client"),
          session_cookie_name: "AWSELBAuthSessionCookie-orders",
        },
      },
      { type: "forward" },
    ]);
    expect(orders.node.findAll().flatMap(warnings).join()).toContain("SECRET_IN_STATE");
  });

  it("is found by name in other stacks, which are applied after its own", () => {
    const { platform, pool } = poolOf();
    const { stack } = guarded(pool.signIn(), {}, platform);
    const contract = Object.values(resources(platform, "aws_ssm_parameter")).find(
      ({ name }) => name === "/antifragile/dev/shop/user-pools/people",
    );
    expect(contract?.insecure_value).toMatchObject({ userPoolArn: expect.stringContaining("aws_cognito_user_pool") });
    expect(JSON.stringify(synthesize(stack))).toContain("/antifragile/dev/shop/user-pools/people");
    expect(stack.dependsOn(platform)).toBe(true);
  });

  it("can be an existing one", () => {
    const platform = platformOf();
    const pool = UserPool.fromAttributes(platform, "People", {
      userPoolArn: "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_AbCdEfGhI",
      userPoolId: "eu-central-1_AbCdEfGhI",
      userPoolDomain: "people",
    });
    const { stack } = guarded(pool.signIn(), {}, platform);
    expect(only(stack, "aws_cognito_user_pool_client").user_pool_id).toBe("eu-central-1_AbCdEfGhI");
    expect(pool.issuer).toBe("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI");
  });

  it("refuses an invalid session duration", () => {
    const { platform, pool } = poolOf();
    expect(refusals(() => guarded(pool.signIn({ session: Duration.millis(1500) }), {}, platform))).toEqual([
      "SIGN_IN_SESSION auth.session",
    ]);
  });
});
