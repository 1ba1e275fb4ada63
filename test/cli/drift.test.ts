import { closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { beforeEach, expect, it } from "vitest";
import { usePackage } from "./packed";
import { until, useChildren } from "./support/child";
import { type FakeTerraform, useFakeTerraform } from "./support/fake-terraform";

const packed = usePackage();
const fake = useFakeTerraform();
let terraform: FakeTerraform;
beforeEach(() => {
  terraform = fake();
});
const start = useChildren(() => ({ cwd: terraform.repository, env: terraform.environment() }));

const begin = (args: readonly string[], stdout: "pipe" | number = "pipe") =>
  start([process.execPath, packed.bin, ...args], stdout);
const antifragile = (...args: Parameters<typeof begin>) => begin(...args).ended;

const LOGS = { address: "aws_cloudwatch_log_group.Logs", type: "aws_cloudwatch_log_group" };
const STACKS = ["orders-dev-platform", "orders-dev-service"];

it("ends with 0 where every stack is as the code defines it, and takes no lock", async () => {
  expect(await antifragile(["deploy", "dev", "--auto-approve"])).toMatchObject({ code: 0 });
  for (const stack of STACKS) writeFileSync(terraform.file(stack, "lock"), "");
  const { code, text } = await antifragile(["drift", "dev"]);
  expect(code, text).toBe(0);
  expect(text).toContain("dev: 2 of 2 stacks are as the code defines them");
  for (const stack of STACKS) expect(existsSync(terraform.file(stack, "lock"))).toBe(true);
});

it("ends with 3 where something differs, as a table and as JSON, and applies nothing", async () => {
  const change = { actions: ["update"], before: { retention_in_days: 1 }, after: { retention_in_days: 7 } };
  terraform.plans({
    format_version: "1.2",
    planned_values: {},
    resource_drift: [{ ...LOGS, change: { ...change, before: change.after, after: change.before } }],
    resource_changes: [{ ...LOGS, change }],
  });
  const table = await antifragile(["drift", "dev"]);
  expect(table).toMatchObject({ code: 3 });
  expect(table.text).toMatch(
    /orders-dev-platform +aws_cloudwatch_log_group.Logs +update +changed outside Terraform +retention_in_days/,
  );
  expect(table.text).toContain("To apply the code: antifragile deploy dev");
  const { code, text } = await antifragile(["drift", "dev", "--json"]);
  expect(code).toBe(3);
  expect(JSON.parse(text)).toMatchObject({
    environment: "dev",
    differs: true,
    stacks: STACKS.map((stack) => ({
      stack,
      state: "differs",
      differences: [{ action: "update", attributes: ["retention_in_days"], outside: true }],
    })),
  });
  expect(terraform.applies).toEqual([]);
});

it("ends with 1 where a stack cannot be planned, shows why, and still plans the others", async () => {
  terraform.fault("plan", "Error: api error ExpiredToken: The security token included in the request is expired");
  const { code, text } = await antifragile(["drift", "dev"]);
  expect(code).toBe(1);
  for (const stack of STACKS) expect(text).toContain(`✖ ${stack} could not be planned`);
  expect(text).toContain("The AWS credentials have expired: renew them");
});

it("ends with 1 where its output cannot be written", async () => {
  expect(await antifragile(["deploy", "dev", "--auto-approve"])).toMatchObject({ code: 0 });
  const full = openSync("/dev/full", "w");
  const { code, text } = await antifragile(["drift", "dev"], full);
  closeSync(full);
  expect({ code, text }).toEqual({ code: 1, text: "✖ the output could not be written: ENOSPC\n" });
});

it("plans nothing once it is interrupted", async () => {
  terraform.hold(true, "init");
  const { child, ended, text } = begin(["drift", "dev"]);
  await until(() => terraform.log.length > 0, text);
  child.kill("SIGTERM");
  await until(() => text().includes("interrupted by SIGTERM"), text);
  terraform.hold(false, "init");
  expect(await ended).toMatchObject({ code: 130 });
  expect(terraform.log).toEqual([expect.stringMatching(/^orders-dev-platform init /)]);
});

it("ends with 1 where synth fails, since the environment does not exist", async () => {
  const { code, text } = await antifragile(["drift", "moon"]);
  expect(code, text).toBe(1);
  expect(text).toContain('has no environment "moon"');
  expect(text).toContain("infra/main.ts cannot be synthesized");
  expect(terraform.log).toEqual([]);
});
