import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { Emulator } from "../../emulator";
import { AwsCloud } from "../../operations/release/aws";
import { template } from "../operations/support/fake-cloud";
import { AwsCaller } from "../support/aws-call";
import { describeOnEmulator, tools } from "../support/deployment";

describeOnEmulator("logs of a service", () => {
  const now = Date.now();
  const orders = template("orders", { task: "shop-dev-orders:1" });
  let emulator: Emulator;
  let cloud: AwsCloud;

  beforeAll(async () => {
    const log = join(mkdtempSync(join(tmpdir(), "antifragile-emulator-")), "emulator.log");
    emulator = await Emulator.start({ log, tools, catalogue: false });
    vi.stubEnv("AWS_ENDPOINT_URL", emulator.url);
    vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
    cloud = new AwsCloud("eu-central-1");
    const aws = new AwsCaller(emulator.url);
    await aws.call("logs", "CreateLogGroup", { logGroupName: "/shop/orders" });
    for (const [logStreamName, message] of [
      ["orders/orders/aaa", "of a"],
      ["orders/orders/bbb", "ERROR of b"],
      ["orders/sidecar/aaa", "of another container"],
    ]) {
      await aws.call("logs", "CreateLogStream", { logGroupName: "/shop/orders", logStreamName });
      await aws.call("logs", "PutLogEvents", {
        logGroupName: "/shop/orders",
        logStreamName,
        logEvents: [
          { timestamp: now - 3_600_000, message: "an hour ago" },
          { timestamp: now - 1_000, message: `${message}\n` },
        ],
      });
    }
    const options = {
      "awslogs-group": "/shop/orders",
      "awslogs-region": "eu-central-1",
      "awslogs-stream-prefix": "orders",
    };
    await aws.call("ecs", "RegisterTaskDefinition", {
      family: "shop-dev-orders",
      containerDefinitions: [
        { name: "orders", image: "x", memory: 128, logConfiguration: { logDriver: "awslogs", options } },
      ],
    });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    cloud?.destroy();
    await emulator?.stop();
  });

  const found = async (query: Partial<Parameters<AwsCloud["logEvents"]>[1]>) =>
    (await cloud.logEvents(orders, { since: now - 60_000, ...query }))
      .map(({ task, message }) => `${task} ${message}`)
      .sort();

  it("are those of its container since a time, of all tasks or one, filtered", async () => {
    expect(await found({})).toEqual(["aaa of a", "bbb ERROR of b"]);
    expect(await found({ task: "aa" })).toEqual(["aaa of a"]);
    expect(await found({ filter: "ERROR" })).toEqual(["bbb ERROR of b"]);
    expect(await found({ since: now - 7_200_000, task: "bbb" })).toEqual(["bbb ERROR of b", "bbb an hour ago"]);
  });
});
