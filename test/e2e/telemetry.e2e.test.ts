import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetDashboardCommand,
  ListDashboardsCommand,
} from "@aws-sdk/client-cloudwatch";
import {
  CreateLogStreamCommand,
  DescribeQueryDefinitionsCommand,
  GetDataProtectionPolicyCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { DescribeServicesCommand, DescribeTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { itWithIam } from "../iam/packages";
import { judgeDeployment } from "../iam/recorded/judge";
import { AwsCaller } from "../support/aws-call";
import { type Deployment, deploy, describeOnEmulator } from "../support/deployment";
import { EXAMPLES, ROOT, stackJson, stackNames, synthExample } from "../support/examples";
import { EXTERNAL_ROLE } from "../support/external-log-destinations";
import { FakeOpenSearch } from "../support/fake-opensearch";
import { linesOf } from "../support/stream";

const APP = join(ROOT, "test/e2e/apps/telemetry.ts");
const STACKS = ["shop-dev-platform", "shop-dev-data", "shop-dev-service"] as const;
const OWN_EXAMPLES = ["log-stream", "telemetry"];
/** Types that the service's own test deploys: they need a load balancer, which takes a minute. */
const ELSEWHERE = /^aws_(lb|eip|nat_gateway)/;
/** As whom the emulator's functions sign. */
const FUNCTION = { accessKeyId: "role-account-id", secretAccessKey: "role-secret-key", sessionToken: "session-token" };

/** Alarms that notify no one: parts of composite alarms, and scaling alarms. */
const PARTS = /budget-\w+-(long|short)$|^TargetTracking-|-scale-from-zero$/;

interface Batch {
  readonly logGroup: string;
  readonly logStream: string;
  readonly logEvents: readonly { readonly message: string }[];
}

describeOnEmulator("observability of services", () => {
  let shop: Deployment;
  let s3: S3Client;
  let cloudWatch: CloudWatchClient;
  const domain = new FakeOpenSearch("eu-central-1", FUNCTION);

  beforeAll(async () => {
    const prepare = async ({ url }: { readonly url: string }) => {
      const trust = { Effect: "Allow", Principal: { Service: "logs.amazonaws.com" }, Action: "sts:AssumeRole" };
      const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [trust] });
      await new AwsCaller(url).call("iam", "CreateRole", { RoleName: EXTERNAL_ROLE, AssumeRolePolicyDocument });
      return { OPENSEARCH: await domain.start() };
    };
    shop = await deploy(APP, { name: "telemetry", stacks: STACKS, prepare });
    const account = { accessKeyId: "test", secretAccessKey: "test" };
    const options = { endpoint: shop.emulator.url, region: shop.region, credentials: account, maxAttempts: 1 };
    s3 = new S3Client({ ...options, forcePathStyle: true });
    cloudWatch = new CloudWatchClient(options);
    await shop.apply();
  });
  afterAll(async () => {
    s3?.destroy();
    cloudWatch?.destroy();
    await shop?.end();
    await domain.stop();
  });

  const write = async (logGroupName: string, messages: readonly string[], task = "0123456789abcdef") => {
    const logStreamName = `${logGroupName.split("/").at(-1)}/app/${task}`;
    await shop.clients.logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    const logEvents = messages.map((message, index) => ({ message, timestamp: Date.now() + index }));
    await shop.clients.logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
  };
  const kept = async (prefix: string) => {
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    const Bucket = Buckets.find(({ Name }) => Name?.startsWith("shop-dev-logs-"))?.Name;
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
    return Promise.all(
      Contents.map(async ({ Key = "" }) => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        return { key: Key, bytes: Buffer.from(await Body!.transformToByteArray()) };
      }),
    );
  };
  const archived = async (prefix: string) =>
    (await kept(prefix)).map(({ key, bytes }) => {
      const lines = gunzipSync(bytes).toString("utf8");
      expect(lines.endsWith("\n")).toBe(true);
      const batches = lines.trimEnd().split("\n");
      return { key, batches: batches.map((line) => JSON.parse(line) as Batch) };
    });

  it("covers every resource type of the examples, except those that need a load balancer", () => {
    const typesOf = (outdir: string) =>
      stackNames(outdir).flatMap((stack) => Object.keys(stackJson(outdir, stack).resource ?? {}));
    const mine = new Set(typesOf(join(shop.results, "cdktf.out")));
    const missing = OWN_EXAMPLES.flatMap((name) => typesOf(synthExample(name))).filter(
      (type) => !mine.has(type) && !ELSEWHERE.test(type),
    );
    expect(EXAMPLES).toEqual(expect.arrayContaining(OWN_EXAMPLES));
    expect(missing).toEqual([]);
  });

  it("is deployed, and a new plan of the same code is empty", async () => {
    await expect(shop.expectNoDrift()).resolves.toBeUndefined();
  });

  it("archives complete log lines by date, under a prefix for each service", async () => {
    const line = JSON.stringify({
      level: "error",
      msg: 'ordered "Käse" 🧀\n\ttwice',
      order: { lines: [1, 2.5, null] },
    });
    await write("/shop/dev/orders", [line, "plain words", "x".repeat(200_000)]);
    await write("/shop/dev/mailer", ["of the mailer"]);
    const today = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
    const orders = await archived("shop/dev/orders/");
    expect(orders).toHaveLength(1);
    expect(orders[0]?.key).toMatch(new RegExp(`^shop/dev/orders/${today}/shop-dev-orders-archive-.*\\.gz$`));
    expect(orders[0]?.batches).toMatchObject([
      { logGroup: "/shop/dev/orders", logStream: "orders/app/0123456789abcdef" },
    ]);
    expect(orders[0]?.batches[0]?.logEvents.map(({ message }) => message)).toEqual([
      line,
      "plain words",
      "x".repeat(200_000),
    ]);
    const mailer = await archived("shop/dev/mailer/");
    expect(
      mailer.flatMap(({ batches }) => batches.flatMap((batch) => batch.logEvents.map((event) => event.message))),
    ).toEqual(["of the mailer"]);
    expect(await archived("failed/")).toEqual([]);
  });

  it("stores lines in OpenSearch by their fields, and keeps rejected ones", async () => {
    expect(domain.documents.map(({ index, text }) => [index, JSON.parse(text)])).toEqual([
      [
        `shop-dev-mailer-${new Date().toISOString().slice(0, 10).replaceAll("-", ".")}`,
        expect.objectContaining({ "@log_group": "/shop/dev/mailer", "@message": "of the mailer" }),
      ],
    ]);
    domain.troubles.push({ status: 503 }, { status: 503 });
    await write("/shop/dev/access", ['{"status":200}'], "late");
    // Tried again, and stored once.
    expect(domain.documents.map(({ text }) => JSON.parse(text).status)).toEqual([undefined, 200]);
    domain.troubles.push({ status: 503 }, { status: 503 }, { status: 503 });
    await write("/shop/dev/mailer", ["not taken"], "never");
    expect(domain.documents).toHaveLength(2);
    const [letter, ...others] = await kept("aws/lambda/async/shop-dev-mailer-opensearch-logs/");
    expect(others).toEqual([]);
    const { requestPayload } = JSON.parse(`${letter?.bytes}`) as { requestPayload: { awslogs: { data: string } } };
    const batch = JSON.parse(gunzipSync(Buffer.from(requestPayload.awslogs.data, "base64")).toString("utf8")) as Batch;
    expect(batch.logEvents).toMatchObject([{ message: "not taken" }]);
  });

  it("delivers complete lines to a Kinesis stream, directly and through a cross-account destination", async () => {
    const line = JSON.stringify({ msg: 'reported "Käse" 🧀\n\ttwice', lines: [1, 2.5, null] });
    await write("/shop/dev/report", [line, "plain words"]);
    const batches = await linesOf(new AwsCaller(shop.emulator.url), "shop-dev-lines");
    const batch = { logGroup: "/shop/dev/report", logEvents: [{ message: line }, { message: "plain words" }] };
    expect(batches).toMatchObject([batch, batch]);
    expect(batches.flatMap(({ subscriptionFilters }) => subscriptionFilters).sort()).toEqual([
      "account-central",
      "kinesis-1",
    ]);
  });

  it("blocks for CloudWatch with delivery audit, and drops lines of a full buffer with availability", async () => {
    const optionsOf = async (service: string) => {
      const found = await shop.clients.ecs.send(
        new DescribeServicesCommand({ cluster: "shop-dev", services: [service] }),
      );
      const { taskDefinition } = await shop.clients.ecs.send(
        new DescribeTaskDefinitionCommand({ taskDefinition: found.services?.[0]?.taskDefinition }),
      );
      return taskDefinition?.containerDefinitions?.map(({ logConfiguration }) => logConfiguration?.options);
    };
    for (const options of (await optionsOf("mailer")) ?? []) {
      expect(options).toMatchObject({ mode: "blocking", "awslogs-group": "/shop/dev/mailer" });
      expect(options).not.toHaveProperty("max-buffer-size");
    }
    for (const options of (await optionsOf("orders")) ?? []) {
      expect(options).toMatchObject({ mode: "non-blocking", "max-buffer-size": "25m" });
    }
  });

  it("masks and counts as configured", async () => {
    const { policyDocument } = await shop.clients.logs.send(
      new GetDataProtectionPolicyCommand({ logGroupIdentifier: "/shop/dev/orders" }),
    );
    expect(policyDocument).toContain("data-identifier/EmailAddress");
    const { queryDefinitions } = await shop.clients.logs.send(new DescribeQueryDefinitionsCommand({}));
    // Text stays text: Terraform has read no file.
    expect(queryDefinitions).toMatchObject([{ queryString: 'filter @message like "${file(1)}"' }]);
  });

  it("has alarms that notify the platform's topic, and dashboards of existing resources", async () => {
    const { MetricAlarms = [], CompositeAlarms = [] } = await cloudWatch.send(
      new DescribeAlarmsCommand({ AlarmTypes: ["MetricAlarm", "CompositeAlarm"] }),
    );
    const loud = [...MetricAlarms, ...CompositeAlarms].filter(({ AlarmName }) => !PARTS.test(`${AlarmName}`));
    expect(loud.map(({ AlarmName }) => AlarmName).sort()).toEqual(
      [
        ...["archive-failed", "endpoint-in-example-com-failed", "lines-errors", "cpu", "memory", "restarts"].map(
          (part) => `orders-${part}`,
        ),
        ...["budget-fast", "budget-slow"].map((part) => `orders-${part}`),
        ...["archive-failed", "opensearch-logs-failed", "cpu", "memory", "queue-age", "restarts"].map(
          (part) => `mailer-${part}`,
        ),
        ...["opensearch-logs-failed", "archive-failed"].map((part) => `access-${part}`),
        ...["account-central-failed", "failed", "kinesis-1-failed"].map((part) => `report-${part}`),
      ]
        .map((name) => `shop-dev-${name}`)
        .sort(),
    );
    for (const { AlarmActions } of loud) expect(AlarmActions?.join()).toMatch(/:shop-dev-alarms$/);

    const { DashboardEntries = [] } = await cloudWatch.send(new ListDashboardsCommand({}));
    expect(DashboardEntries.map(({ DashboardName }) => DashboardName).sort()).toEqual([
      "shop-dev",
      "shop-dev-orders",
      "shop-dev-report",
    ]);
    const { DashboardBody = "" } = await cloudWatch.send(new GetDashboardCommand({ DashboardName: "shop-dev-orders" }));
    const { widgets } = JSON.parse(DashboardBody) as { widgets: { properties: { alarms?: string[] } }[] };
    const shown = widgets.flatMap(({ properties }) => properties.alarms ?? []);
    const known = [...MetricAlarms, ...CompositeAlarms].map(({ AlarmArn }) => AlarmArn);
    expect(shown).toHaveLength(5);
    expect(known).toEqual(expect.arrayContaining(shown));
    expect(DashboardBody).toContain('"ClusterName","shop-dev","ServiceName","orders"');
  });

  it("is destroyed without billable leftovers", async () => {
    await shop.destroy();
    await new AwsCaller(shop.emulator.url).call("iam", "DeleteRole", { RoleName: EXTERNAL_ROLE });
    await expect(shop.expectNothingLeft()).resolves.toBeUndefined();
  });

  itWithIam("was created and destroyed by calls that the roles may make which deploy it on AWS", async () => {
    const { problems, simulated } = await judgeDeployment(shop);
    expect(problems).toEqual([]);
    expect(simulated["deployed-delivery-gh-dev-apply"]).toBeGreaterThan(500);
    expect(simulated["deployed-delivery-gh-dev-plan"]).toBeGreaterThan(100);
  });
});
