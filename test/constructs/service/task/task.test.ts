import { describe, expect, it } from "vitest";
import { LogStream } from "../../../../constructs/logging/log-stream";
import { Task } from "../../../../constructs/service/task/task";
import { partsOf } from "../../../support/service-parts";
import { only, refusals, resources } from "../../../support/synth";

function task({ environment = {}, hasProxy = false } = {}) {
  const { stack, scope, context } = partsOf();
  const logs = new LogStream(scope, "Logs", { name: "/shop/dev/orders" });
  return { stack, task: new Task(scope, context, { logs, environment, secrets: {}, hasProxy: () => hasProxy }) };
}

const agent = {
  name: "agent",
  image: `registry.example.com/agent@sha256:${"b".repeat(64)}`,
  cpu: 256,
  memoryMiB: 512,
};

type Container = { name: string; environment: object[]; ulimits?: object[] };
const containers = (stack: ReturnType<typeof task>["stack"]) =>
  only(stack, "aws_ecs_task_definition").container_definitions as Container[];

describe("Task", () => {
  it("is the smallest Fargate size for the app, its sidecars and the proxy together", () => {
    const size = (stack: ReturnType<typeof task>["stack"]) => {
      const { cpu, memory } = only(stack, "aws_ecs_task_definition");
      return [cpu, memory];
    };
    expect(size(task().stack)).toEqual(["256", "512"]);
    expect(size(task({ hasProxy: true }).stack)).toEqual(["512", "1024"]);
    const both = task({ hasProxy: true });
    both.task.addSidecar(agent);
    expect(both.task.containerCount).toBe(2);
    expect(size(both.stack)).toEqual(["1024", "2048"]);
  });

  it("passes the app the variables of the props, of the service, and those set later", () => {
    const { stack, task: orders } = task({ environment: { LOG_LEVEL: "debug" } });
    orders.setVariable("BUCKET_NAME", "invoices");
    expect(containers(stack)[0]?.environment).toEqual(
      expect.arrayContaining([
        { name: "LOG_LEVEL", value: "debug" },
        { name: "SERVICE_NAME", value: "orders" },
        { name: "BUCKET_NAME", value: "invoices" },
      ]),
    );
  });

  it("refuses a variable that is already set, as a value or as a secret", () => {
    const { task: orders } = task({ environment: { URL: "x" } });
    orders.setSecret("TOKEN", "arn:aws:ssm:eu-central-1:123456789012:parameter/token");
    expect(refusals(() => orders.setSecret("URL", "arn:aws:ssm:eu-central-1:123456789012:parameter/url"))).toEqual([
      "ENVIRONMENT_VARIABLE_TWICE environment.URL",
    ]);
    expect(refusals(() => orders.setVariable("TOKEN", "x"))).toEqual(["ENVIRONMENT_VARIABLE_TWICE environment.TOKEN"]);
  });

  it("lets ECS read a secret without its key, and the app do only what is granted", () => {
    const { stack, task: orders } = task();
    const secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf";
    orders.setSecret("DB_PASSWORD", `${secret}:password::`);
    orders.grant({ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::invoices/*"] });
    const policies = resources(stack, "aws_iam_role_policy");
    const granted = (role: string) => JSON.stringify(Object.entries(policies).filter(([id]) => id.includes(role)));
    expect(granted("ExecutionRole")).toContain(`"${secret}"`);
    expect(granted("ExecutionRole")).not.toContain("s3:GetObject");
    expect(granted("TaskRole")).toContain("s3:GetObject");
    expect(granted("TaskRole")).not.toContain("secretsmanager");
  });

  it("applies overrides to the named container, and refuses an unknown one at synth", () => {
    const { stack, task: orders } = task();
    const ulimits = [{ name: "nofile", softLimit: 65536, hardLimit: 65536 }];
    orders.addSidecar(agent);
    orders.overrideContainer("agent", { ulimits });
    expect(Object.fromEntries(containers(stack).map(({ name, ulimits }) => [name, ulimits]))).toEqual({
      orders: undefined,
      agent: ulimits,
    });
    orders.overrideContainer("router", { ulimits });
    expect(() => containers(stack)).toThrow("CONTAINER_UNKNOWN");
  });
});
