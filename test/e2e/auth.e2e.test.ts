import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DescribeRulesCommand, type Rule } from "@aws-sdk/client-elastic-load-balancing-v2";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TerraformStack } from "../../emulator";
import { AwsCaller, field } from "../support/aws-call";
import { Deployment, deploy, describeOnEmulator, tools } from "../support/deployment";
import { ROOT } from "../support/examples";

const APP = join(ROOT, "examples/auth/main.ts");
const STACKS = ["shop-dev-platform", "shop-dev-data", "shop-dev-service"];
/** The client secret, to be looked for where it must not be. */
const CANARY = "canary-f2c1d7";

describeOnEmulator("who may call", () => {
  let shop: Deployment;
  let aws: AwsCaller;
  let zoneId: string;

  /** The app, with a zone and a secret that are there. */
  function withWhatIsThere(before: Deployment, env: Readonly<Record<string, string>>): Deployment {
    const outdir = join(before.results, "there");
    execFileSync(process.execPath, ["--import", "tsx", APP], {
      cwd: ROOT,
      env: { ...process.env, ...env, CDKTF_OUTDIR: outdir },
    });
    const stacks = STACKS.map(
      (name) =>
        new TerraformStack({
          stack: join(outdir, "stacks", name),
          folder: before.results,
          emulatorUrl: before.emulator.url,
          tools,
        }),
    );
    return new Deployment(before.emulator, stacks, before.region, before.results);
  }

  const rules = async (): Promise<Rule[]> => {
    const listeners = await aws.call("elasticloadbalancing", "DescribeListeners", {
      LoadBalancerArn: await balancerArn(),
    });
    const arn = /<ListenerArn>([^<]*)<\/ListenerArn>(?:(?!<ListenerArn>).)*<Port>443</s.exec(listeners)?.[1];
    const { Rules = [] } = await shop.clients.elb.send(new DescribeRulesCommand({ ListenerArn: arn }));
    return Rules.filter(({ IsDefault }) => IsDefault !== true);
  };
  const balancerArn = async () =>
    field(await aws.call("elasticloadbalancing", "DescribeLoadBalancers"), "LoadBalancerArn") ?? "";
  const hostOf = (rule: Rule) =>
    rule.Conditions?.find(({ Field }) => Field === "host-header")?.HostHeaderConfig?.Values?.[0];

  beforeAll(async () => {
    const before = await deploy(APP, { name: "auth", stacks: STACKS });
    shop = before;
    aws = new AwsCaller(before.emulator.url, before.region);
    const zone = await aws.rest(
      "route53",
      "POST",
      "/2013-04-01/hostedzone",
      '<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>shop.example.com</Name><CallerReference>1</CallerReference></CreateHostedZoneRequest>',
    );
    zoneId = /\/hostedzone\/(Z[A-Z0-9]+)/.exec(zone)?.[1] ?? "";
    const { ARN } = await aws.call("secretsmanager", "CreateSecret", {
      Name: "back-office",
      SecretString: JSON.stringify({ client_secret: CANARY }),
    });
    shop = withWhatIsThere(before, { ZONE_ID: zoneId, CLIENT_SECRET_ARN: ARN });
    await shop.apply();
  });
  afterAll(() => shop?.end());

  it("is deployed over HTTPS with a certificate that the zone proves, and a new plan is empty", async () => {
    await shop.expectNoDrift();
    const listeners = await aws.call("elasticloadbalancing", "DescribeListeners", {
      LoadBalancerArn: await balancerArn(),
    });
    expect(listeners).toMatch(/<CertificateArn>arn:aws:acm:/);
    const { CertificateSummaryList } = await aws.call("acm", "ListCertificates");
    expect(CertificateSummaryList).toMatchObject([{ DomainName: "shop.example.com", Status: "ISSUED" }]);
    const records = await aws.rest("route53", "GET", `/2013-04-01/hostedzone/${zoneId}/rrset`);
    const names = [...records.matchAll(/<Name>([^<]*)<\/Name><Type>(A|CNAME)</g)].map(
      ([, name, type]) => `${type} ${name}`,
    );
    expect(names.sort()).toEqual([
      "A \\052.shop.example.com.",
      "A shop.example.com.",
      expect.stringMatching(/^CNAME _.*shop\.example\.com\.$/),
    ]);
  });

  it("is asked of everybody, but on the paths that were named", async () => {
    const found = await rules();
    const types = (host: string) =>
      found
        .filter((rule) => hostOf(rule) === host)
        .sort((a, b) => Number(a.Priority) - Number(b.Priority))
        .map(({ Actions = [] }) => Actions.map(({ Type }) => Type));
    expect(types("orders.shop.example.com")).toEqual([["forward"], ["authenticate-cognito", "forward"]]);
    expect(types("office.shop.example.com")).toEqual([["authenticate-oidc", "forward"]]);
  });

  it("is in a pool that lets in by code alone", async () => {
    const { UserPools } = await aws.call("cognito-idp", "ListUserPools", { MaxResults: 10 });
    const [{ Id: UserPoolId }] = UserPools;
    const { UserPool } = await aws.call("cognito-idp", "DescribeUserPool", { UserPoolId });
    expect(UserPool).toMatchObject({ Name: "shop-dev-customers", Policies: { PasswordPolicy: { MinimumLength: 12 } } });
    const { UserPoolClients } = await aws.call("cognito-idp", "ListUserPoolClients", { UserPoolId, MaxResults: 10 });
    const { UserPoolClient } = await aws.call("cognito-idp", "DescribeUserPoolClient", {
      UserPoolId,
      ClientId: UserPoolClients[0].ClientId,
    });
    expect(UserPoolClient).toMatchObject({
      AllowedOAuthFlows: ["code"],
      CallbackURLs: ["https://orders.shop.example.com/oauth2/idpresponse"],
    });
  });

  it("is guarded by a web ACL that logs", async () => {
    const { WebACLs } = await aws.call("wafv2", "ListWebACLs", { Scope: "REGIONAL" });
    expect(WebACLs).toMatchObject([{ Name: "shop-dev-web-acl" }]);
    const { WebACL } = await aws.call("wafv2", "GetWebACLForResource", { ResourceArn: await balancerArn() });
    expect(WebACL.ARN).toBe(WebACLs[0].ARN);
    const { LoggingConfiguration } = await aws.call("wafv2", "GetLoggingConfiguration", { ResourceArn: WebACL.ARN });
    expect(LoggingConfiguration.LogDestinationConfigs).toEqual([
      expect.stringMatching(/log-group:aws-waf-logs-shop-dev-web-acl$/),
    ]);
  });

  it("is told a secret that is in one state, which a warning names, and nowhere else", () => {
    const holding = readdirSync(shop.results, { recursive: true, encoding: "utf8" }).filter((path) => {
      const file = join(shop.results, path);
      return statSync(file).isFile() && readFileSync(file).includes(CANARY);
    });
    const states = holding.filter((path) => /tfstate/.test(path));
    expect(states.length).toBeGreaterThan(0);
    expect(states.every((path) => path.startsWith("shop-dev-service"))).toBe(true);
    expect(holding.filter((path) => !/tfstate/.test(path))).toEqual([]);
    const manifest = readFileSync(join(shop.results, "there", "manifest.json"), "utf8");
    expect(manifest.match(/SECRET_IN_STATE/g)).toHaveLength(2);
  });

  it("is gone afterwards", async () => {
    await shop.destroy();
    await aws.rest("route53", "DELETE", `/2013-04-01/hostedzone/${zoneId}`);
    await aws.call("secretsmanager", "DeleteSecret", { SecretId: "back-office", ForceDeleteWithoutRecovery: true });
    await shop.expectNothingLeft();
  });
});
