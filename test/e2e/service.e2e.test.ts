import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  DescribeScheduledActionsCommand,
} from "@aws-sdk/client-application-auto-scaling";
import { CloudWatchClient, DescribeAlarmsCommand, GetDashboardCommand } from "@aws-sdk/client-cloudwatch";
import { DescribeSecurityGroupRulesCommand } from "@aws-sdk/client-ec2";
import { DescribeServicesCommand, DescribeTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import { DescribeListenersCommand, DescribeRulesCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Change, TerraformStack } from "../../emulator";
import { judgePlan } from "../../operations/plan-gate";
import type { ServiceStatus } from "../../operations/status";
import { runStatus } from "../../operations/status-command";
import { runStopReasons } from "../../operations/stop-reasons-command";
import { readPlan } from "../../operations/terraform-plan";
import { operator } from "../iam/operators";
import { itWithIam } from "../iam/packages";
import { judgeDeployment } from "../iam/recorded/judge";
import { AwsCaller, field } from "../support/aws-call";
import { type Deployment, deploy, describeOnEmulator } from "../support/deployment";
import { EXAMPLES, ROOT, stackJson, stackNames, synthExample } from "../support/examples";

const APP = join(ROOT, "test/e2e/apps/service.ts");
const STACKS = ["shop-dev-platform", "shop-dev-data", "shop-dev-service"] as const;
const OWN_EXAMPLES = ["web-service", "microservices", "shared-load-balancer", "auth"];
const DOMAIN = "shop.example.com";
/** A client secret, to be looked for where it must not be. */
const CANARY = "canary-f2c1d7";

describeOnEmulator("services on a platform", () => {
  let shop: Deployment;
  let aws: AwsCaller;
  let cloudWatch: CloudWatchClient;
  /** Resources that existed before the app, as variables of its program. */
  let there: Readonly<Record<string, string>>;

  /** The app in another state of its code base, on the same account and states. */
  const inVersion = async (version: number): Promise<[data: TerraformStack, service: TerraformStack]> => {
    const stack = await shop.inVersion(`${version}`, { VERSION: `${version}` });
    return [stack(STACKS[1]), stack(STACKS[2])];
  };

  const describeService = async (service: string) => {
    const { services = [] } = await shop.clients.ecs.send(
      new DescribeServicesCommand({ cluster: "shop-dev", services: [service] }),
    );
    return services[0] ?? {};
  };
  const environmentOf = async (taskDefinition: string | undefined) => {
    const described = await shop.clients.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
    const [container] = described.taskDefinition?.containerDefinitions ?? [];
    return Object.fromEntries((container?.environment ?? []).map(({ name, value }) => [name, value]));
  };
  const identityOf = async (service: string) => {
    const { Parameter } = await shop.clients.ssm.send(
      new GetParameterCommand({ Name: `/antifragile/dev/shop/services/${service}` }),
    );
    return JSON.parse(Parameter?.Value ?? "{}") as { securityGroupId: string; url: string; registryArn: string };
  };
  const actionsOn = (changes: readonly Change[], type: string) =>
    changes.filter(({ address }) => address.startsWith(`${type}.`)).flatMap(({ actions }) => actions);

  beforeAll(async () => {
    shop = await deploy(APP, {
      name: "service",
      stacks: STACKS,
      prepare: async ({ url }) => {
        aws = new AwsCaller(url);
        const zone = await aws.rest(
          "route53",
          "POST",
          "/2013-04-01/hostedzone",
          `<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>${DOMAIN}</Name><CallerReference>1</CallerReference></CreateHostedZoneRequest>`,
        );
        const { ARN } = await aws.call("secretsmanager", "CreateSecret", {
          Name: "office",
          SecretString: JSON.stringify({ client_secret: CANARY }),
        });
        there = { ZONE_ID: /\/hostedzone\/(Z[A-Z0-9]+)/.exec(zone)?.[1] ?? "", CLIENT_SECRET_ARN: ARN };
        return there;
      },
    });
    cloudWatch = new CloudWatchClient({
      endpoint: shop.emulator.url,
      region: shop.region,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      maxAttempts: 1,
    });
    await shop.apply();
  });
  afterAll(async () => {
    cloudWatch?.destroy();
    await shop?.end();
  });

  it("cover every resource type of the service examples", () => {
    const typesOf = (outdir: string) =>
      stackNames(outdir)
        .filter((stack) => !stack.endsWith("-delivery"))
        .flatMap((stack) => Object.keys(stackJson(outdir, stack).resource ?? {}));
    const mine = new Set(typesOf(join(shop.results, "cdktf.out")));
    const missing = OWN_EXAMPLES.flatMap((name) => typesOf(synthExample(name))).filter((type) => !mine.has(type));
    expect(EXAMPLES).toEqual(expect.arrayContaining(OWN_EXAMPLES));
    expect(missing).toEqual([]);
  });

  it("are deployed, and a new plan of the same code is empty, even after ACM renewed the certificate", async () => {
    const { CertificateSummaryList } = await aws.call("acm", "ListCertificates");
    await shop.simulate("renew-certificate", { arn: CertificateSummaryList[0].CertificateArn });
    await shop.expectNoDrift();
    const storefront = await describeService("storefront");
    expect(storefront).toMatchObject({
      desiredCount: 1,
      runningCount: 1,
      deploymentConfiguration: {
        alarms: { alarmNames: ["shop-dev-storefront-errors"], enable: true, rollback: true },
        deploymentCircuitBreaker: { enable: true, rollback: true },
      },
      networkConfiguration: { awsvpcConfiguration: { assignPublicIp: "DISABLED" } },
    });
    expect(storefront.networkConfiguration?.awsvpcConfiguration?.subnets).toHaveLength(2);
    // People are let into the tasks of one alone.
    expect([storefront, await describeService("orders")].map((each) => each.enableExecuteCommand)).toEqual([
      false,
      true,
    ]);
    // Text stays text: Terraform has read no file.
    expect((await environmentOf(storefront.taskDefinition)).GREETING).toBe('${file("/etc/passwd")} %{ if true }');
  });

  const loadBalancerArn = async () =>
    field(await aws.call("elasticloadbalancing", "DescribeLoadBalancers"), "LoadBalancerArn") ?? "";

  const records = async () => {
    const zone = await aws.rest("route53", "GET", `/2013-04-01/hostedzone/${there.ZONE_ID}/rrset`);
    return [...zone.matchAll(/<Name>([^<]*)<\/Name><Type>(A|CNAME)</g)]
      .map(([, name, type]) => `${type} ${name}`)
      .sort();
  };

  it("are reached by HTTPS, with a DNS-validated certificate and alias records for the load balancer", async () => {
    const { Listeners = [] } = await shop.clients.elb.send(
      new DescribeListenersCommand({ LoadBalancerArn: await loadBalancerArn() }),
    );
    const ports = Listeners.map(({ Port, DefaultActions: [action] = [] }) => `${Port} ${action?.Type}`);
    expect(ports.sort()).toEqual(["443 fixed-response", "80 fixed-response"]);
    const { ListenerArn } = Listeners.find(({ Port }) => Port === 80) ?? {};
    const { Rules = [] } = await shop.clients.elb.send(new DescribeRulesCommand({ ListenerArn }));
    expect(Rules.find(({ Priority }) => Priority === "49999")).toMatchObject({
      Conditions: [{ Field: "path-pattern" }],
      Actions: [{ Type: "redirect", RedirectConfig: { Port: "443", Protocol: "HTTPS", StatusCode: "HTTP_301" } }],
    });
    const { CertificateSummaryList } = await aws.call("acm", "ListCertificates");
    expect(CertificateSummaryList).toEqual(
      expect.arrayContaining([expect.objectContaining({ DomainName: DOMAIN, Status: "ISSUED" })]),
    );
    expect(await records()).toEqual([
      `A \\052.${DOMAIN}.`,
      `A office.${DOMAIN}.`,
      `A ${DOMAIN}.`,
      expect.stringMatching(/^CNAME _\w+\.office\.shop\.example\.com\.$/),
      expect.stringMatching(/^CNAME _\w+\.shop\.example\.com\.$/),
    ]);
  });

  it("require authentication, except on public paths", async () => {
    const { Listeners = [] } = await shop.clients.elb.send(
      new DescribeListenersCommand({ LoadBalancerArn: await loadBalancerArn() }),
    );
    const ListenerArn = Listeners.find(({ Port }) => Port === 443)?.ListenerArn;
    const { Rules = [] } = await shop.clients.elb.send(new DescribeRulesCommand({ ListenerArn }));
    const before = (host: string) =>
      Rules.filter(({ Conditions = [] }) =>
        Conditions.some(({ HostHeaderConfig }) => HostHeaderConfig?.Values?.includes(host)),
      )
        .sort((a, b) => Number(a.Priority) - Number(b.Priority))
        .map(({ Actions = [] }) => Actions.map(({ Type }) => Type));
    expect(before(`www.${DOMAIN}`)).toEqual([["forward"], ["authenticate-cognito", "forward"]]);
    expect(before(`office.${DOMAIN}`)).toEqual([["authenticate-oidc", "forward"]]);

    const { UserPools } = await aws.call("cognito-idp", "ListUserPools", { MaxResults: 10 });
    const UserPoolId = UserPools[0]?.Id;
    const { UserPool } = await aws.call("cognito-idp", "DescribeUserPool", { UserPoolId });
    expect(UserPool).toMatchObject({ Name: "shop-dev-customers", Policies: { PasswordPolicy: { MinimumLength: 12 } } });
    const { UserPoolClients } = await aws.call("cognito-idp", "ListUserPoolClients", { UserPoolId, MaxResults: 10 });
    const ClientId = UserPoolClients[0]?.ClientId;
    const { UserPoolClient } = await aws.call("cognito-idp", "DescribeUserPoolClient", { UserPoolId, ClientId });
    expect(UserPoolClient).toMatchObject({
      AllowedOAuthFlows: ["code"],
      CallbackURLs: [`https://www.${DOMAIN}/oauth2/idpresponse`],
    });
  });

  it("have alarms on load balancer metrics, which notify, roll back, or belong to an SLO, and a dashboard", async () => {
    const { MetricAlarms = [], CompositeAlarms = [] } = await cloudWatch.send(
      new DescribeAlarmsCommand({ AlarmNamePrefix: "shop-dev-office-", AlarmTypes: ["MetricAlarm", "CompositeAlarm"] }),
    );
    const all = [...MetricAlarms, ...CompositeAlarms];
    const partOf = ({ AlarmName }: { AlarmName?: string }) => `${AlarmName}`.replace("shop-dev-office-", "");
    const budgets = ["budget-fast", "budget-slow", "latency-budget-fast", "latency-budget-slow"];
    const golden = ["cpu", "errors", "latency", "memory", "restarts", "unhealthy"];
    const parts = budgets.flatMap((name) => [`${name}-long`, `${name}-short`]);
    expect(all.map(partOf).sort()).toEqual([...golden, ...budgets, ...parts].sort());
    for (const alarm of all) {
      const told = [alarm.AlarmActions, alarm.OKActions].map((arns) => arns?.join() ?? "");
      const topic = expect.stringMatching(/:shop-dev-alarms$/);
      expect(told).toEqual(parts.includes(partOf(alarm)) ? ["", ""] : [topic, topic]);
    }
    expect(CompositeAlarms.map(({ AlarmRule }) => AlarmRule)).toContain(
      'ALARM("shop-dev-office-latency-budget-fast-long") AND ALARM("shop-dev-office-latency-budget-fast-short")',
    );
    // What is measured is there: this load balancer, and the target group that the service's tasks join.
    const { loadBalancers = [], deploymentConfiguration } = await describeService("office");
    const group = loadBalancers[0]?.targetGroupArn?.split(":").at(-1);
    const rows = MetricAlarms.find((alarm) => partOf(alarm) === "latency-budget-slow-short")?.Metrics;
    const measured = (rows ?? []).flatMap(({ MetricStat }) => MetricStat ?? []);
    expect(measured.map(({ Stat, Period }) => `${Stat} ${Period}`).sort()).toEqual([
      "SampleCount 1800",
      "TC(:0.5) 1800",
    ]);
    for (const { Metric } of measured) {
      expect(Object.fromEntries(Metric?.Dimensions?.map(({ Name, Value }) => [Name, Value]) ?? [])).toEqual({
        LoadBalancer: (await loadBalancerArn()).split("loadbalancer/")[1],
        TargetGroup: group,
      });
    }
    expect([...(deploymentConfiguration?.alarms?.alarmNames ?? [])].sort()).toEqual(
      ["errors", "latency", "restarts", "unhealthy"].map((part) => `shop-dev-office-${part}`),
    );
    const { DashboardBody = "" } = await cloudWatch.send(new GetDashboardCommand({ DashboardName: "shop-dev-office" }));
    const { widgets } = JSON.parse(DashboardBody) as {
      widgets: { properties: { title: string; alarms?: string[] } }[];
    };
    const loud = all.filter((alarm) => !parts.includes(partOf(alarm))).map(({ AlarmArn }) => `${AlarmArn}`);
    expect(widgets.flatMap(({ properties }) => properties.alarms ?? []).sort()).toEqual(loud.sort());
    expect(widgets.map(({ properties }) => properties.title)).toContain("Responses within 500 ms (%)");
  });

  it("have a web ACL with logging", async () => {
    const { WebACL } = await aws.call("wafv2", "GetWebACLForResource", { ResourceArn: await loadBalancerArn() });
    expect(WebACL.Name).toBe("shop-dev-web-acl");
    const { LoggingConfiguration } = await aws.call("wafv2", "GetLoggingConfiguration", { ResourceArn: WebACL.ARN });
    expect(LoggingConfiguration.LogDestinationConfigs).toEqual([
      expect.stringMatching(/log-group:aws-waf-logs-shop-dev-web-acl$/),
    ]);
  });

  it("use a client secret that is in one state, which a warning names, and nowhere else", () => {
    const holding = readdirSync(shop.results, { recursive: true, encoding: "utf8" })
      .filter((path) => !path.includes(".terraform"))
      .map((path) => ({ path, file: join(shop.results, path) }))
      .filter(({ file }) => statSync(file).isFile() && readFileSync(file).includes(CANARY))
      .map(({ path }) => path);
    expect(holding.length).toBeGreaterThan(0);
    expect(holding.filter((path) => !/^shop-dev-service[\\/]terraform\.tfstate/.test(path))).toEqual([]);
    const manifest = readFileSync(join(shop.results, "cdktf.out", "manifest.json"), "utf8");
    expect(manifest.match(/SECRET_IN_STATE/g)).toHaveLength(2);
  });

  it("call each other in both directions, by one name, with the limits of each caller", async () => {
    const [orders, payments] = await Promise.all(["orders", "payments"].map(describeService));
    const [ordersIs, paymentsIs] = await Promise.all(["orders", "payments"].map(identityOf));
    expect(ordersIs?.url).toBe("http://orders.shop-dev.internal:8080");
    expect(await environmentOf(orders?.taskDefinition)).toMatchObject({
      PAYMENTS_URL: paymentsIs?.url,
      PAYMENTS_TIMEOUT_MS: "2000",
      PAYMENTS_RETRY_BUDGET_PERCENT: "0",
      PAYMENTS_BREAKER_FAILURE_PERCENT: "50",
    });
    expect(await environmentOf(payments?.taskDefinition)).toMatchObject({
      ORDERS_URL: ordersIs?.url,
      ORDERS_TIMEOUT_MS: "2000",
      ORDERS_RETRY_BUDGET_PERCENT: "10",
      ORDERS_BREAKER_FAILURE_PERCENT: "25",
    });
    expect(orders?.serviceRegistries).toMatchObject([{ registryArn: ordersIs?.registryArn }]);
    expect(orders?.deployments?.[0]?.serviceConnectConfiguration).toMatchObject({
      enabled: true,
      services: [{ clientAliases: [{ dnsName: "orders.shop-dev.internal", port: 8080 }], portName: "orders" }],
    });

    const { SecurityGroupRules = [] } = await shop.clients.ec2.send(new DescribeSecurityGroupRulesCommand({}));
    const pair = (from: string | undefined, to: string | undefined) =>
      SecurityGroupRules.filter(({ GroupId, IsEgress, ReferencedGroupInfo, FromPort, ToPort }) => {
        const [a, b] = IsEgress ? [GroupId, ReferencedGroupInfo?.GroupId] : [ReferencedGroupInfo?.GroupId, GroupId];
        return a === from && b === to && FromPort === 8080 && ToPort === 8080;
      });
    expect(pair(ordersIs?.securityGroupId, paymentsIs?.securityGroupId)).toHaveLength(2);
    expect(pair(paymentsIs?.securityGroupId, ordersIs?.securityGroupId)).toHaveLength(2);
    expect(pair((await identityOf("mailer")).securityGroupId, paymentsIs?.securityGroupId)).toHaveLength(0);
  });

  it("scale by their metrics, the worker from zero", async () => {
    const inEcs = { ServiceNamespace: "ecs" } as const;
    const client = shop.clients.applicationAutoScaling;
    const { ScalableTargets = [] } = await client.send(new DescribeScalableTargetsCommand(inEcs));
    const bounds = Object.fromEntries(
      ScalableTargets.map(({ ResourceId, MinCapacity, MaxCapacity }) => [ResourceId, [MinCapacity, MaxCapacity]]),
    );
    expect(bounds).toMatchObject({
      "service/shop-dev/storefront": [1, 10],
      "service/shop-dev/orders": [1, 4],
      "service/shop-dev/mailer": [0, 4],
    });
    expect((await describeService("mailer")).desiredCount).toBe(0);
    const { ScalingPolicies = [] } = await client.send(new DescribeScalingPoliciesCommand(inEcs));
    const policies = ScalingPolicies.map(
      ({ ResourceId, PolicyName }) => `${ResourceId?.split("/").at(-1)} ${PolicyName}`,
    );
    expect(policies.sort()).toEqual([
      "mailer scale-from-zero",
      "mailer scale-on-messages",
      "office scale-on-cpu",
      "orders scale-on-cpu",
      "payments scale-on-cpu",
      "storefront scale-on-backlog",
      "storefront scale-on-cpu",
      "storefront scale-on-memory",
      "storefront scale-on-requests",
      "storefront scale-on-sessions",
    ]);
    const { ScheduledActions = [] } = await client.send(new DescribeScheduledActionsCommand(inEcs));
    expect(ScheduledActions).toMatchObject([{ Schedule: "cron(30 7 ? * MON-FRI *)", Timezone: "Europe/Berlin" }]);
  });

  it("are listed by antifragile status, as a table and as JSON", async () => {
    const asked = (...args: string[]) =>
      shop.signedIn(
        async () => {
          const printed: string[] = [];
          expect(await runStatus({ args, print: (text) => printed.push(text), cwd: shop.results })).toBe(0);
          return printed.join("");
          // The policy of operators is for one environment.
        },
        args[0] === "dev" ? "status" : "test",
      );
    const table = await asked("dev");
    writeFileSync(join(shop.results, "status.txt"), table);
    const lines = table.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^service +env +release +tasks +deployment +alarms +last scaling +url$/);
    expect(lines.map((line) => line.split(" ")[0])).toEqual([
      "service",
      "mailer",
      "office",
      "orders",
      "payments",
      "report",
      "storefront",
    ]);
    expect(lines[1]).toMatch(/^mailer +dev +terraform +0 of 0 +steady.* -$/);
    expect(lines[5]).toMatch(/^report +dev +none +- +scheduled/);
    expect(lines[6]).toMatch(/^storefront +dev +terraform +1 of 1 +steady/);
    const services = JSON.parse(await asked("--json", "--platform", "shop")) as ServiceStatus[];
    const storefront = services.find(({ service }) => service === "storefront");
    expect(storefront).toMatchObject({
      environment: "dev",
      platform: "shop",
      region: "eu-central-1",
      kind: "web",
      url: expect.stringMatching(/^https:\/\/[\w.-]+$/),
      tasks: { running: 1, wanted: 1, pending: 0 },
      deployment: { state: "steady", strategy: "rolling" },
    });
    const { ok = [], alarm = [], unknown = [] } = storefront?.alarms ?? {};
    expect([...ok, ...alarm, ...unknown]).toContain("shop-dev-storefront-errors");
    // The alarm was found: what is gone counts as unknown, and CloudWatch knows a new one as OK or without data.
    expect(alarm).toEqual([]);
  });

  it("are updated in place to a new version", async () => {
    const before = (await describeService("storefront")).taskDefinition;
    const [data, service] = await inVersion(2);
    expect((await data.plan()).empty).toBe(true);
    const { changes } = await service.plan();
    expect(new Set(actionsOn(changes, "aws_ecs_service"))).toEqual(new Set(["update"]));
    expect(actionsOn(changes, "aws_lb_target_group")).toEqual([]);
    // A host more: its certificate is attached before the old one is detached, and other hosts keep their records.
    expect(actionsOn(changes, "aws_lb_listener_certificate")).toEqual(["create", "delete"]);
    expect(actionsOn(changes, "aws_route53_record")).toEqual(["create", "create"]);
    await service.apply();
    expect((await records()).filter((record) => /(desk|office)\.shop/.test(record))).toHaveLength(4);
    expect((await describeService("storefront")).taskDefinition).not.toBe(before);
    // Though schedules may write the bounds, a new minimum is one.
    const { ScalableTargets = [] } = await shop.clients.applicationAutoScaling.send(
      new DescribeScalableTargetsCommand({ ServiceNamespace: "ecs", ResourceIds: ["service/shop-dev/storefront"] }),
    );
    expect(ScalableTargets).toMatchObject([{ MinCapacity: 2, MaxCapacity: 10 }]);
    expect((await service.plan()).changes).toEqual([]);
  });

  it("fail the apply when ECS rolls one back, and the reasons are reported", async () => {
    const before = (await describeService("storefront")).taskDefinition;
    const [, service] = await inVersion(3);
    await shop.emulator.rollBackNext({
      cluster: "shop-dev",
      service: "storefront",
      stoppedReason: "Essential container in task exited: no such table",
    });
    const failure = await service.apply().then(
      () => "",
      (error: Error) => error.message,
    );
    expect(failure).toContain("ECS rolled back storefront");
    expect((await describeService("storefront")).taskDefinition).toBe(before);

    const command = /antifragile stop-reasons (.*)/.exec(failure)?.[1]?.trim().split(" ") ?? [];
    expect(command).toEqual(["--region", "eu-central-1", "--cluster", "shop-dev", "--service", "storefront"]);
    const printed: string[] = [];
    await shop.signedIn(async () => {
      expect(await runStopReasons({ args: command, print: (text) => printed.push(text), cwd: "." })).toBe(0);
    }, "stop-reasons");
    expect(printed.join("")).toMatch(/1 task of shop-dev-storefront:\d+ stopped: .*no such table/);
    expect(printed.join("")).toMatch(/storefront ended with code 1/);

    // Nothing stands in the way of the next attempt.
    await service.apply();
    expect((await describeService("storefront")).taskDefinition).not.toBe(before);
  });

  it("are not replaced by accident: the gate refuses a rename without renamedFrom", async () => {
    const [, service] = await inVersion(5);
    await service.plan();
    const { refused } = judgePlan(readPlan(shop.shownPlan(STACKS[2])));
    expect(refused.map(({ action, what }) => `${action} ${what}`).sort()).toEqual([
      "delete log group",
      "delete rule of a security group",
      "delete rule of a security group",
      "delete rule of a security group",
      "delete service",
    ]);
    expect(refused.every(({ address }) => address.includes(".Payments_"))).toBe(true);
  });

  it("are renamed in the code without replacements", async () => {
    const { taskDefinition } = await describeService("payments");
    for (const stack of await inVersion(4)) {
      const { changes } = await stack.plan();
      expect(changes.filter(({ actions }) => actions.includes("delete") || actions.includes("create"))).toEqual([]);
      await stack.apply();
      expect((await stack.plan()).changes).toEqual([]);
      expect((await stack.resources()).filter((address) => address.includes(".Payments_"))).toEqual([]);
    }
    expect(await describeService("payments")).toMatchObject({ status: "ACTIVE", taskDefinition });
  });

  it("leave nothing behind", async () => {
    const [data, service] = await inVersion(4);
    await service.destroy();
    await data.destroy();
    await shop.stack(STACKS[0]).destroy();
    await aws.rest("route53", "DELETE", `/2013-04-01/hostedzone/${there.ZONE_ID}`);
    await aws.call("secretsmanager", "DeleteSecret", { SecretId: "office", ForceDeleteWithoutRecovery: true });
    await shop.expectNothingLeft();
    expect((await shop.emulator.leftovers()).billable).toEqual([]);
  });

  itWithIam("are created, changed and destroyed by calls that the roles may make which do so on AWS", async () => {
    const people = ["status", "stop-reasons"].map((name) => operator(name, [name]));
    const { problems, simulated } = await judgeDeployment(shop, (key) => people.find(({ name }) => name === key));
    expect(problems).toEqual([]);
    for (const { name } of people) expect([name, simulated[name]]).toEqual([name, expect.any(Number)]);
    expect(simulated["deployed-delivery-gh-dev-apply"]).toBeGreaterThan(100);
  });
});
