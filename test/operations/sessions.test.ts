import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AwsCloud } from "../../operations/release/aws";
import { template } from "./support/fake-cloud";

const TASK = "arn:aws:ecs:eu-west-1:123456789012:task/shop-dev/";

describe("sessions in tasks", () => {
  const calls: [operation: string, input: unknown][] = [];
  let answers: Record<string, object>;
  let server: Server;
  let cloud: AwsCloud;

  beforeEach(async () => {
    calls.length = 0;
    answers = {};
    server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      const operation = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
      calls.push([operation, JSON.parse(body)]);
      const answer = answers[operation] ?? {};
      response.writeHead("__type" in answer ? 400 : 200, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
    cloud = new AwsCloud("eu-west-1");
  });
  afterEach(() => {
    cloud.destroy();
    server.close();
    vi.unstubAllEnvs();
  });

  const orders = template("orders");
  const task = { id: "aa", exec: true, runtimeId: "aa-1" };

  it("are possible in tasks that run, the newest first", async () => {
    const described = (id: string, startedAt: number, more: object = {}) => ({
      taskArn: TASK + id,
      lastStatus: "RUNNING",
      enableExecuteCommand: true,
      startedAt,
      containers: [
        { name: "agent", runtimeId: "other" },
        { name: "orders", runtimeId: `${id}-1` },
      ],
      ...more,
    });
    answers.ListTasks = { taskArns: [`${TASK}old`, `${TASK}aa`, `${TASK}new`] };
    answers.DescribeTasks = {
      tasks: [
        described("old", 1, { enableExecuteCommand: false }),
        described("aa", 2),
        described("new", 3, { lastStatus: "PENDING" }),
      ],
    };
    expect(await cloud.runningTasks(orders)).toEqual([task, { id: "old", exec: false, runtimeId: "old-1" }]);
    expect(calls[0]).toEqual([
      "ListTasks",
      { cluster: "shop-dev", serviceName: "orders", desiredStatus: "RUNNING", maxResults: 100 },
    ]);
  });

  it("are described by nothing where no task runs", async () => {
    answers.ListTasks = { taskArns: [] };
    expect(await cloud.runningTasks(orders)).toEqual([]);
    expect(calls.map(([operation]) => operation)).toEqual(["ListTasks"]);
  });

  it("start a command in the app's container", async () => {
    const session = { sessionId: "s-1", streamUrl: "wss://x", tokenValue: "t" };
    answers.ExecuteCommand = { session };
    const target = "ecs:shop-dev_aa_aa-1";
    expect(await cloud.openSession(orders, task, "/bin/sh")).toEqual({ start: session, target });
    expect(calls).toEqual([
      [
        "ExecuteCommand",
        { cluster: "shop-dev", container: "orders", task: "aa", interactive: true, command: "/bin/sh" },
      ],
    ]);
  });

  it("explain an agent that does not answer", async () => {
    answers.ExecuteCommand = { __type: "TargetNotConnectedException", message: "not connected" };
    await expect(cloud.openSession(orders, task, "/bin/sh")).rejects.toThrow(
      /agent for ECS Exec in task aa does not answer: .*--task/,
    );
  });
});
