import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeDrift, differencesOf, findDrift } from "../../operations/drift";
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
      resource_drift: [resource("aws_sqs_queue.B", ["update"], { name: "b", delay: 2 }, { name: "b", delay: 1 })],
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

  it("were changed outside Terraform only where the same attribute, or the whole resource, was", () => {
    const service = (before: object, after: object) => resource("aws_ecs_service.A", ["update"], before, after);
    const found = differencesOf({
      resource_changes: [
        // A release has moved the service since the last apply, whose task definition is ignored; the code has another cpu.
        service({ task_definition: "orders:3", cpu: 1 }, { task_definition: "orders:3", cpu: 2 }),
        resource("aws_sqs_queue.B", ["create"], null, { name: "b" }),
        resource("aws_sqs_queue.C", ["create"], null, { name: "c" }),
      ],
      resource_drift: [
        service({ task_definition: "orders:2", cpu: 1 }, { task_definition: "orders:3", cpu: 1 }),
        resource("aws_sqs_queue.B", ["delete"], { name: "b" }, null),
      ],
    });
    expect(found.map(({ address, outside }) => [address, outside])).toEqual([
      ["aws_ecs_service.A", false],
      ["aws_sqs_queue.B", true],
      ["aws_sqs_queue.C", false],
    ]);
  });

  it("never show values, which may be secret", () => {
    const plan = { resource_changes: [resource("aws_x.A", ["update"], { key: "hunter2" }, { key: "hunter3" })] };
    const stacks = [{ stack: "orders-dev-data", state: "differs", differences: differencesOf(plan) } as const];
    expect(describeDrift("dev", stacks) + JSON.stringify(stacks)).not.toContain("hunter");
  });
});

/** Terraform of which each call answers what `fake.json` of the stack holds: exit code, output and errors. */
const SCRIPT = `
const { appendFileSync, readFileSync } = require("node:fs");
const { basename } = require("node:path");
const [command] = process.argv.slice(2);
appendFileSync("../calls", basename(process.cwd()) + " " + command + "\\n");
const { code = command === "plan" ? 2 : 0, out = "", err = "" } = JSON.parse(readFileSync("fake.json", "utf8"))[command] ?? {};
process.stdout.write(out);
process.stderr.write(err);
process.exitCode = code;
`;

type Answers = Readonly<Record<string, { readonly code?: number; readonly out?: string; readonly err?: string }>>;

describe("the drift of stacks", () => {
  const PLAN = JSON.stringify({ format_version: "1.2", planned_values: {}, resource_changes: [] });
  const EXPIRED = "Error: api error ExpiredToken: The security token included in the request is expired";

  async function drift(stacks: Readonly<Record<string, Answers>>, unsaved?: string) {
    const root = mkdtempSync(join(tmpdir(), "antifragile-drift-"));
    writeFileSync(join(root, "terraform.cjs"), SCRIPT);
    const folders = Object.entries(stacks).map(([name, answers]) => {
      mkdirSync(join(root, name));
      writeFileSync(join(root, name, "fake.json"), JSON.stringify(answers));
      if (name === unsaved) writeFileSync(join(root, name, "errored.tfstate"), "{}");
      return join(root, name);
    });
    const terraform = [process.execPath, join(root, "terraform.cjs")] as const;
    return findDrift({ folders, terraform, env: process.env, print: () => undefined });
  }

  it.each<[string, Answers, string | undefined, readonly string[]]>([
    ["init fails", { init: { code: 1, err: EXPIRED } }, undefined, [EXPIRED, "renew them"]],
    ["plan fails", { plan: { code: 1, err: EXPIRED } }, undefined, [EXPIRED, "renew them"]],
    ["show fails", { show: { code: 1, err: EXPIRED } }, undefined, [EXPIRED, "renew them"]],
    ["the plan cannot be read", { show: { out: "?" } }, undefined, ["the plan of bad is not JSON"]],
    ["its state was not saved", {}, "bad", ["could not save its state", "state push errored.tfstate"]],
  ])("includes that of the others where %s, and what to do", async (_, answers, unsaved, words) => {
    const found = await drift({ bad: answers, good: { show: { out: PLAN } } }, unsaved);
    expect(found).toMatchObject([
      { stack: "bad", state: "failed" },
      { stack: "good", state: "differs" },
    ]);
    for (const word of words) expect(found[0]?.error).toContain(word);
    expect(found[0]?.error?.split(EXPIRED).length).toBeLessThan(3);
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
