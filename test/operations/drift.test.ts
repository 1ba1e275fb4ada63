import { describe, expect, it } from "vitest";
import { describeDrift, differencesOf } from "../../operations/drift";
import { runDrift } from "../../operations/drift-command";
import { exitCodeOf } from "../support/exit-code";

const change = (actions: readonly string[], before: unknown = {}, after: unknown = {}) => ({ actions, before, after });
const resource = (address: string, actions: readonly string[], before?: unknown, after?: unknown) => ({
  address,
  type: address.split(".")[0] as string,
  change: change(actions, before, after),
});

describe("differences of a plan", () => {
  it("are what it would create, update, replace and delete, and never data sources", () => {
    const found = differencesOf({
      resource_changes: [
        resource("aws_sqs_queue.A", ["create"], null, { name: "a" }),
        resource(
          "aws_sqs_queue.B",
          ["update"],
          { name: "b", delay: 1, tags: { a: "1" } },
          { name: "b", delay: 2, tags: {} },
        ),
        resource("aws_sqs_queue.C", ["create", "delete"], { name: "c" }, { name: "d" }),
        resource("aws_sqs_queue.D", ["delete"], { name: "d" }, null),
        resource("aws_sqs_queue.E", ["no-op"]),
        { ...resource("data.aws_ami.F", ["read"]), mode: "data" },
      ],
      resource_drift: [{ address: "aws_sqs_queue.B" }],
      output_changes: { url: change(["update"], "a", "b"), same: change(["no-op"]) },
    });
    expect(found).toEqual([
      { address: "aws_sqs_queue.A", action: "create", attributes: [], outside: false },
      { address: "aws_sqs_queue.B", action: "update", attributes: ["delay", "tags"], outside: true },
      { address: "aws_sqs_queue.C", action: "replace", attributes: ["name"], outside: false },
      { address: "aws_sqs_queue.D", action: "delete", attributes: [], outside: false },
      { address: "output.url", action: "update", attributes: [], outside: false },
    ]);
  });

  it("never show values, which may be secret", () => {
    const plan = { resource_changes: [resource("aws_x.A", ["update"], { key: "hunter2" }, { key: "hunter3" })] };
    const stacks = [{ stack: "orders-dev-data", state: "differs", differences: differencesOf(plan) } as const];
    expect(describeDrift("dev", stacks) + JSON.stringify(stacks)).not.toContain("hunter");
  });
});

describe("antifragile drift", () => {
  it("takes one environment", async () => {
    const call = (...args: string[]) => exitCodeOf(() => runDrift({ args, cwd: "/nowhere", print: () => undefined }));
    expect(await call()).toBe(2);
    expect(await call("dev", "staging")).toBe(2);
    expect(await call("--help")).toBe(0);
  });
});
