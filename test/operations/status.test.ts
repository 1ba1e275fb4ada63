import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { ProcessTemplate } from "../../contract/release";
import { describeStatus, type Observed, type ServiceStatus, statusOf } from "../../operations/status";
import { knownServices } from "../../operations/status-cloud";
import { runStatus } from "../../operations/status-command";
import { placesIn } from "../../operations/synthesized";
import { exitCodeOf } from "../support/exit-code";

const NOW = new Date("2026-11-22T12:00:00Z");

const TEMPLATE: ProcessTemplate = {
  kind: "web",
  owner: "pipeline",
  cluster: "shop-production",
  service: "orders",
  container: "orders",
  task: "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-production-orders:7",
  source: "orders",
  bootstrap: false,
  strategy: "rolling",
  network: { subnets: "subnet-1", securityGroup: "sg-1", assignPublicIp: false },
  capacity: [],
  alarms: ["shop-production-orders-errors"],
  admin: {},
};

const RELEASE = {
  number: 42,
  at: "2026-11-22T10:00:00Z",
  by: "ci",
  images: {},
  processes: { orders: { task: "shop-production-orders:8", template: 7, config: "abc" } },
};

const OBSERVED: Observed = {
  service: "orders",
  environment: "production",
  platform: "shop",
  region: "eu-central-1",
  template: TEMPLATE,
  record: { live: RELEASE },
  lock: undefined,
  ecs: {
    task: "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-production-orders:8",
    desired: 4,
    running: 4,
    pending: 0,
    deployments: [{ primary: true, state: "COMPLETED", reason: "" }],
  },
  alarms: new Map([["shop-production-orders-errors", "OK"]]),
  activities: [
    {
      description: "Setting desired count to 4.",
      cause: "monitor alarm TargetTracking-x in state ALARM triggered policy scale-on-requests",
      at: "2026-11-22T11:49:00Z",
      outcome: "Successful",
    },
    { description: "Setting desired count to 2.", cause: "", at: "2026-11-22T09:00:00Z", outcome: "Successful" },
  ],
};

const lineOf = (changes: Partial<Observed>) =>
  describeStatus([statusOf({ ...OBSERVED, ...changes })], NOW)
    .split("\n")[1]
    ?.split(/ {2,}/)
    .slice(2);

const ecs = (deployments: NonNullable<Observed["ecs"]>["deployments"], rest: object = {}) => ({
  task: "shop-production-orders:8",
  desired: 4,
  running: 4,
  pending: 0,
  deployments,
  ...rest,
});

describe("a status", () => {
  const running = (task: string, changes: Partial<Observed> = {}) =>
    statusOf({ ...OBSERVED, ecs: { ...OBSERVED.ecs!, task }, ...changes }).deployment;

  it("is not steady where another task definition runs than the live release recorded", () => {
    const task = "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-production-orders:7";
    expect(running(task)).toMatchObject({
      state: "not released",
      reason:
        "runs shop-production-orders:7, and release 42 recorded shop-production-orders:8: antifragile release production",
    });
    expect(running("shop-production-orders:8")).toMatchObject({ state: "steady" });
    // A release in progress records its task definitions at its end.
    expect(running(task, { lock: { number: 43, silent: false } })).toMatchObject({ state: "steady" });
    expect(running(task, { lock: { number: 43, silent: true } })).toMatchObject({ state: "not released" });
    expect(running(task, { template: { ...TEMPLATE, owner: "terraform" } })).toMatchObject({ state: "steady" });
  });

  it("is not steady where the bootstrap image runs", () => {
    const template = { ...TEMPLATE, bootstrap: true };
    expect(running("shop-production-orders:1", { template, record: {} })).toMatchObject({ state: "bootstrap" });
    expect(running("shop-production-orders:1", { template, record: undefined })).toMatchObject({ state: "steady" });
    expect(running("shop-production-orders:1", { record: {} })).toMatchObject({ state: "steady" });
  });

  it("has a line for each service, aligned with its headings", () => {
    const services: ServiceStatus[] = [
      statusOf(OBSERVED),
      statusOf({
        ...OBSERVED,
        service: "payments",
        record: { live: { ...RELEASE, number: 17 } },
        lock: { number: 18, silent: false },
        ecs: ecs(
          [
            { primary: true, state: "IN_PROGRESS", reason: "" },
            { primary: false, state: "COMPLETED", reason: "" },
          ],
          { desired: 2, running: 2 },
        ),
        activities: [],
      }),
      statusOf({
        ...OBSERVED,
        service: "mailer",
        record: { live: { ...RELEASE, number: 9 } },
        ecs: ecs([{ primary: true, state: "COMPLETED", reason: "" }], { desired: 0, running: 0 }),
        activities: [
          {
            description: "Setting desired count to 0.",
            cause: "monitor alarm x in state ALARM triggered policy scale-on-messages",
            at: "2026-11-22T10:00:00Z",
            outcome: "Successful",
          },
        ],
      }),
    ];
    expect(
      describeStatus(services, NOW),
    ).toBe(`service   env         release       tasks   deployment  alarms  last scaling
mailer    production  9             0 of 0  steady      ok      -> 0, 2 h ago (messages)
orders    production  42            4 of 4  steady      ok      2 -> 4, 11 min ago (requests)
payments  production  17 (18 next)  2 of 2  rolling     ok      -
`);
  });

  it("shows the platforms if there are several", () => {
    const lines = describeStatus([statusOf(OBSERVED), statusOf({ ...OBSERVED, platform: "mall" })], NOW).split("\n");
    expect(lines[0]).toMatch(/^platform +service/);
    expect(lines.slice(1, 3).map((line) => line.split(" ")[0])).toEqual(["mall", "shop"]);
  });

  it("shows URLs in the last column if there are any", () => {
    const reachable = statusOf({ ...OBSERVED, template: { ...TEMPLATE, url: "https://orders.example.com" } });
    const lines = describeStatus([reachable, statusOf({ ...OBSERVED, service: "mailer" })], NOW).split("\n");
    expect(lines.map((line) => line.split(/ {2,}/).at(-1))).toEqual(["url", "-", "https://orders.example.com", ""]);
  });

  it.each<[string, Partial<Observed>, string]>([
    ["before the first release", { record: {} }, "none"],
    ["of what Terraform moves", { template: { ...TEMPLATE, owner: "terraform" }, record: undefined }, "terraform"],
    [
      "after one that died",
      { record: { live: RELEASE, started: { number: 43, at: "", by: "ci", images: {} } } },
      "42 (43 died)",
    ],
    ["after one whose lock is silent", { lock: { number: 43, silent: true } }, "42 (43 died)"],
    ["whose lock cannot be read", { lockProblem: "it is not JSON" }, "42 (lock unreadable)"],
    ["whose record cannot be read", { record: undefined, recordProblem: "it is not JSON" }, "unreadable"],
    ["while another is on its way", { lock: { number: 43, silent: false } }, "42 (43 next)"],
    [
      "after one that failed",
      { record: { live: RELEASE, failed: { number: 43, at: "", by: "ci", images: {}, reason: "alarm" } } },
      "42 (43 failed)",
    ],
    [
      "with config that waits",
      { template: { ...TEMPLATE, task: TEMPLATE.task.replace(":7", ":9") } },
      "42 (config not live)",
    ],
  ])("shows the release %s", (_, changes, expected) => {
    expect(lineOf(changes)?.[0]).toBe(expected);
  });

  it.each<[string, Partial<Observed>, string]>([
    ["steady", {}, "steady"],
    ["short of tasks", { ecs: ecs([{ primary: true, state: "COMPLETED", reason: "" }], { running: 3 }) }, "starting"],
    ["deploying", { ecs: ecs([{ primary: true, state: "IN_PROGRESS", reason: "" }]) }, "rolling"],
    [
      "rolled back",
      {
        ecs: ecs([
          { primary: true, state: "IN_PROGRESS", reason: "" },
          { primary: false, state: "FAILED", reason: "tasks failed to start" },
        ]),
      },
      "rolled back",
    ],
    ["failed", { ecs: ecs([{ primary: true, state: "FAILED", reason: "no room" }]) }, "failed"],
    ["gone from the cluster", { ecs: undefined }, "missing"],
  ])("shows that a deployment is %s", (_, changes, expected) => {
    expect(lineOf(changes)?.[2]).toBe(expected);
  });

  it("shows the schedule of a job instead of its tasks", () => {
    const job = { template: { ...TEMPLATE, kind: "job" as const, service: undefined, alarms: [] }, ecs: undefined };
    expect(lineOf({ ...job, alarms: new Map(), activities: [] })).toEqual(["42", "-", "scheduled", "-", "-"]);
  });

  it.each<[string, Observed["alarms"], string]>([
    ["ok", new Map([["shop-production-orders-errors", "OK"]]), "ok"],
    ["in alarm, by name", new Map([["shop-production-orders-errors", "ALARM"]]), "shop-production-orders-errors"],
    ["without data", new Map([["shop-production-orders-errors", "INSUFFICIENT_DATA"]]), "no data"],
    ["gone", new Map(), "no data"],
  ])("shows that alarms are %s", (_, alarms, expected) => {
    expect(lineOf({ alarms })?.[3]).toBe(expected);
  });

  it.each<[string, string, string]>([
    ["a policy", "monitor alarm x in state ALARM triggered policy scale-from-zero", "from zero"],
    ["a schedule", "scheduled action name Morning was triggered", "Morning"],
    ["its bounds", "minimum capacity was set to 4", "bounds"],
  ])("shows that %s scaled it", (_, cause, expected) => {
    const [activity] = OBSERVED.activities;
    expect(lineOf({ activities: [{ ...activity!, cause }] })?.at(-1)).toBe(`-> 4, 11 min ago (${expected})`);
  });

  it("shows a failed scaling, and old ones in days", () => {
    const [activity] = OBSERVED.activities;
    const old = { ...activity!, at: "2026-11-19T12:00:00Z", outcome: "Failed" };
    expect(lineOf({ activities: [old] })?.at(-1)).toBe("failed: -> 4, 3 d ago (requests)");
  });

  it("removes control characters from external text", () => {
    expect(describeStatus([statusOf({ ...OBSERVED, service: "or\u001b[2Jders\nx" })], NOW)).toContain(
      "or\\u001b[2Jders\\u000ax",
    );
  });
});

describe("services", () => {
  const written = new Date("2026-11-22T11:59:00Z");
  const lock = { id: "a", number: 43, by: "ci", at: "2026-11-22T11:58:00Z" };
  const texts: Record<string, string> = {
    "/antifragile/dev/shop/platform": '{"cluster":{"clusterName":"shop-dev"}}',
    "/antifragile/dev/shop/services/orders": "{}",
    "/antifragile/dev/shop/services/legacy": "{}",
    "/antifragile/dev/shop/releases/orders/record": JSON.stringify({ live: RELEASE }),
    "/antifragile/dev/shop/releases/orders/lock": JSON.stringify(lock),
    "/antifragile/dev/shop/releases/orders/processes/orders": JSON.stringify(TEMPLATE),
    "/antifragile/dev/shop/releases/orders/processes/report": JSON.stringify({ ...TEMPLATE, kind: "job" }),
    "/antifragile/dev/mall/services/till": "no json",
    "/antifragile/dev/mall/user-pools/people": "{}",
  };
  const parameters = (more: Record<string, string> = {}) =>
    new Map(Object.entries({ ...texts, ...more }).map(([name, value]) => [name, { value, at: written }]));
  const services = (platform?: string, more?: Record<string, string>, now = written.getTime()) =>
    knownServices(parameters(more), { platform }, now);
  const orders = (more?: Record<string, string>, now?: number) =>
    services(undefined, more, now).find(({ service }) => service === "orders");

  it("are those that have published themselves, with the state of their releases", () => {
    expect(
      services()
        .map(({ platform, service, cluster }) => `${platform} ${service} ${cluster}`)
        .sort(),
    ).toEqual(["mall till ", "shop legacy shop-dev", "shop orders shop-production", "shop report shop-production"]);
    expect(orders()).toMatchObject({
      template: { kind: "web" },
      record: { live: { number: 42 } },
      lock: { number: 43, silent: false },
    });
    expect(services().find(({ service }) => service === "legacy")?.template).toBeUndefined();
  });

  it("are those of one platform on request", () => {
    expect(services("mall").map(({ service }) => service)).toEqual(["till"]);
  });

  it("have a died release if its lock is silent", () => {
    expect(orders({}, written.getTime() + 121_000)?.lock).toEqual({ number: 43, silent: true });
  });

  it("have an unreadable lock, and not none", () => {
    expect(orders({ "/antifragile/dev/shop/releases/orders/lock": "{}" })).toMatchObject({
      lock: undefined,
      lockProblem: expect.stringContaining("must be"),
    });
  });

  it.each([
    ["not json", "it is not JSON"],
    ["null", "must be an object, not null"],
    ['{"live":{"number":5}}', "live.at must be a string, not undefined"],
    ['{"live":7}', "live must be an object, not number"],
  ])("have an unreadable record: %s", (text, problem) => {
    expect(orders({ "/antifragile/dev/shop/releases/orders/record": text })).toMatchObject({
      record: undefined,
      recordProblem: problem,
    });
  });
});

describe("places", () => {
  it("are found in the environments and regions of a synthesized app", () => {
    const outdir = mkdtempSync(join(tmpdir(), "antifragile-status-"));
    const write = (name: string, region: string, tags: object) => {
      mkdirSync(join(outdir, "stacks", name), { recursive: true });
      writeFileSync(
        join(outdir, "stacks", name, "cdk.tf.json"),
        JSON.stringify({ provider: { aws: [{ region, default_tags: [{ tags }] }] } }),
      );
    };
    write("shop-dev-platform", "eu-central-1", { Environment: "dev" });
    write("shop-dev-service", "eu-central-1", { Environment: "dev" });
    write("shop-production-service", "us-east-1", { Environment: "production" });
    write("shop-delivery", "eu-west-1", {});
    expect(placesIn(outdir)).toEqual([
      { environment: "dev", region: "eu-central-1" },
      { environment: "production", region: "us-east-1" },
    ]);
    expect(placesIn(outdir, "production")).toEqual([{ environment: "production", region: "us-east-1" }]);
  });
});

/** AWS, as far as status asks: every list comes in pages. */
async function fakeAws(services: number) {
  const calls: string[] = [];
  const read = async (request: IncomingMessage) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };
  const names = Array.from({ length: services }, (_, index) => `s${index}`);
  const answers: Record<string, (input: Record<string, unknown>) => object> = {
    GetParametersByPath: ({ NextToken }) => {
      const at = Number(NextToken ?? 0);
      const Parameters = names.slice(at, at + 10).map((name) => ({
        Name: `/antifragile/dev/shop/releases/shop/processes/${name}`,
        Value: JSON.stringify({ ...TEMPLATE, service: name, alarms: [] }),
      }));
      return { Parameters, ...(at + 10 < services ? { NextToken: String(at + 10) } : {}) };
    },
    DescribeServices: ({ services: asked }) => ({
      services: (asked as string[]).map((serviceName) => ({
        serviceName,
        status: "ACTIVE",
        desiredCount: 1,
        runningCount: 1,
        deployments: [{ status: "PRIMARY", rolloutState: "COMPLETED" }],
      })),
    }),
    DescribeScalingActivities: () => ({ ScalingActivities: [] }),
  };
  const server: Server = createServer(async (request, response) => {
    const body = await read(request);
    const target = String(request.headers["x-amz-target"] ?? "");
    const operation = target.split(".").at(-1) ?? "";
    calls.push(operation);
    const answer = answers[operation];
    if (answer !== undefined) {
      response.setHeader("content-type", "application/x-amz-json-1.1").end(JSON.stringify(answer(JSON.parse(body))));
      return;
    }
    response.writeHead(400).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { calls, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe("antifragile status", () => {
  const kept = { ...process.env };
  afterEach(() => {
    process.env = { ...kept };
  });
  const empty = mkdtempSync(join(tmpdir(), "antifragile-status-"));

  it("reports invalid arguments", async () => {
    const print = () => undefined;
    expect(await exitCodeOf(() => runStatus({ args: ["dev", "production"], print, cwd: empty }))).toBe(2);
    expect(await exitCodeOf(() => runStatus({ args: ["--table"], print, cwd: empty }))).toBe(2);
  });

  it("prints its usage", async () => {
    const printed: string[] = [];
    expect(await runStatus({ args: ["--help"], print: (text) => printed.push(text), cwd: empty })).toBe(0);
    expect(printed.join("")).toContain("--json");
  });

  it("fails if there are no services, and reports it", async () => {
    const aws = await fakeAws(0);
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: aws.url,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    });
    const printed: string[] = [];
    const print = (text: string) => printed.push(text);
    expect(await runStatus({ args: ["dev", "--region", "eu-central-1"], print, cwd: empty })).toBe(1);
    expect(printed.join("")).toBe("no services are deployed to dev in eu-central-1 in this account\n");
    printed.length = 0;
    expect(await runStatus({ args: ["--json", "--region", "eu-central-1"], print, cwd: empty })).toBe(1);
    expect(JSON.parse(printed.join(""))).toEqual([]);
    aws.server.close();
  });

  it("uses the regions of the repository's synthesized app, without a flag", async () => {
    const repository = mkdtempSync(join(tmpdir(), "antifragile-status-"));
    const stack = join(repository, "infra", "cdktf.out", "stacks", "shop-dev-service");
    mkdirSync(stack, { recursive: true });
    writeFileSync(join(repository, "infra", "main.ts"), "throw new Error('synthesized for nothing');");
    const aws = [{ region: "eu-west-3", default_tags: [{ tags: { Environment: "dev" } }] }];
    writeFileSync(join(stack, "cdk.tf.json"), JSON.stringify({ provider: { aws } }));
    const account = await fakeAws(0);
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: account.url,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    });
    const printed: string[] = [];
    expect(await runStatus({ args: ["dev"], print: (text) => printed.push(text), cwd: repository })).toBe(1);
    expect(printed.join("")).toContain("dev in eu-west-3");
    account.server.close();
  });

  it("prints null in JSON instead of omitting members", async () => {
    const aws = await fakeAws(1);
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: aws.url,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    });
    const printed: string[] = [];
    const args = ["--json", "--region", "eu-central-1"];
    expect(await runStatus({ args, print: (text) => printed.push(text), cwd: empty })).toBe(0);
    expect(JSON.parse(printed.join(""))).toMatchObject([
      { service: "s0", release: { live: null, next: null, failed: null }, lastScaling: null },
    ]);
    aws.server.close();
  });

  it("reads lists to their end", async () => {
    const aws = await fakeAws(23);
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: aws.url,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_MAX_ATTEMPTS: "1",
    });
    const { observe } = await import("../../operations/status-cloud");
    const seen = await observe({ region: "eu-central-1", environment: "dev", platform: "shop" });
    expect(seen.map(({ ecs }) => ecs?.running)).toEqual(Array(23).fill(1));
    const counts = (name: string) => aws.calls.filter((call) => call === name).length;
    expect(counts("GetParametersByPath")).toBe(3);
    expect(counts("DescribeServices")).toBe(3);
    aws.server.close();
  });
});
