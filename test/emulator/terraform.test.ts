import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Progress, TerraformStack, type Tools } from "../../emulator";

/** A stack that a shell script runs in place of Terraform; `init` always succeeds. */
function stackRunBy(script: string, options: { signal?: AbortSignal; onProgress?: (progress: Progress) => void } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "antifragile-terraform-"));
  const terraform = join(folder, "terraform");
  writeFileSync(terraform, `#!/bin/sh\n[ "$1" = init ] && exit 0\n${script}\n`);
  chmodSync(terraform, 0o755);
  const stack = join(folder, "stacks/orders");
  mkdirSync(stack, { recursive: true });
  writeFileSync(join(stack, "cdk.tf.json"), JSON.stringify({ provider: { aws: [{ region: "eu-central-1" }] } }));
  const missing = { found: false, install: "" } as const;
  const tools: Tools = {
    terraform: { found: true, path: terraform, version: "0" },
    pluginMirror: missing,
    python: missing,
  };
  return new TerraformStack({
    stack,
    folder: join(folder, "work"),
    emulatorUrl: "http://127.0.0.1:9",
    tools,
    ...options,
  });
}

const event = (fields: object) => `echo '${JSON.stringify(fields)}'`;
const resource = { addr: "aws_lb.Public" };

describe("a Terraform run of a stack", () => {
  test("fails with each diagnostic, and where the log is", async () => {
    const stack = stackRunBy(`
      ${event({ type: "diagnostic", diagnostic: { severity: "warning", summary: "Deprecated" } })}
      ${event({ type: "diagnostic", diagnostic: { severity: "error", address: "aws_lb.Public", summary: "creating", detail: "no subnets" } })}
      exit 1`);
    const error = await stack.apply().catch((caught: Error) => caught.message);
    expect(error).toBe(
      `terraform apply of orders failed:\n  aws_lb.Public: creating\n    no subnets\n  log: ${stack.log}`,
    );
    expect(readFileSync(stack.log, "utf8")).toContain("Deprecated");
  });

  test("installs plugins once for programs that need the same ones, and again for a program that needs others", async () => {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-terraform-"));
    const calls = join(folder, "calls");
    const terraform = join(folder, "terraform");
    writeFileSync(
      terraform,
      `#!/bin/sh\necho "$1" >> ${calls}\n[ "$1" = init ] && touch .terraform.lock.hcl\nexit 0\n`,
    );
    chmodSync(terraform, 0o755);
    const missing = { found: false, install: "" } as const;
    const tools: Tools = {
      terraform: { found: true, path: terraform, version: "0" },
      pluginMirror: missing,
      python: missing,
    };
    const applied = async (version: string, retention: number) => {
      const stack = join(folder, "stacks/orders");
      mkdirSync(stack, { recursive: true });
      const program = {
        terraform: { required_providers: { aws: { version } } },
        provider: { aws: [{ region: "eu-central-1" }] },
        resource: { aws_cloudwatch_log_group: { Logs: { retention_in_days: retention } } },
      };
      writeFileSync(join(stack, "cdk.tf.json"), JSON.stringify(program));
      const work = join(folder, "work");
      await new TerraformStack({ stack, folder: work, emulatorUrl: "http://127.0.0.1:9", tools }).apply();
      return readFileSync(calls, "utf8").trim().split("\n");
    };
    expect(await applied("5.100.0", 7)).toEqual(["init", "apply"]);
    expect(await applied("5.100.0", 30)).toEqual(["init", "apply", "apply"]);
    expect(await applied("6.25.0", 30)).toEqual(["init", "apply", "apply", "init", "apply"]);
  });

  test("fails with what it wrote to standard error when it wrote no diagnostic", async () => {
    await expect(stackRunBy("echo no space left >&2; exit 1").apply()).rejects.toThrow(/orders failed:\nno space left/);
  });

  test("reports its progress", async () => {
    const told: Progress[] = [];
    const stack = stackRunBy(
      `${event({ type: "apply_start", hook: { resource, action: "create" } })}
       ${event({ type: "apply_progress", hook: { resource, action: "create", elapsed_seconds: 40 } })}
       ${event({ type: "apply_complete", hook: { resource, action: "create", elapsed_seconds: 60 } })}`,
      { onProgress: (progress) => told.push(progress) },
    );
    await stack.apply();
    expect(told).toEqual([
      { stack: "orders", address: "aws_lb.Public", action: "create", state: "started", seconds: 0 },
      { stack: "orders", address: "aws_lb.Public", action: "create", state: "running", seconds: 40 },
      { stack: "orders", address: "aws_lb.Public", action: "create", state: "done", seconds: 60 },
    ]);
  });

  test("shuts down when it is interrupted", async () => {
    const interruption = new AbortController();
    const stack = stackRunBy(
      `trap 'echo unlocked; exit 1' INT
       ${event({ type: "apply_start", hook: { resource, action: "create" } })}
       while :; do sleep 0.1; done`,
      { signal: interruption.signal, onProgress: () => interruption.abort() },
    );
    await expect(stack.apply()).rejects.toThrow(/apply of orders.*interrupted/);
    expect(readFileSync(stack.log, "utf8")).toContain("unlocked");
  });

  test("receives the variables of the stack, but neither the account nor the Terraform settings of the user", async () => {
    const given = { AWS_PROFILE: "work", TF_LOG: "TRACE", TF_VAR_domain: "shop.example" };
    Object.assign(process.env, given);
    try {
      const stack = stackRunBy("env | grep -E '^(AWS|TF)_' | sort");
      await stack.apply();
      const environment = readFileSync(stack.log, "utf8");
      expect(environment).toContain("AWS_ENDPOINT_URL=http://127.0.0.1:9");
      expect(environment).toContain("TF_VAR_domain=shop.example");
      expect(environment).not.toContain("AWS_PROFILE");
      expect(environment).not.toContain("TF_LOG");
    } finally {
      for (const name of Object.keys(given)) delete process.env[name];
    }
  });

  test("returns the changes of a plan, attribute by attribute", async () => {
    const plan = {
      resource_changes: [
        { address: "aws_a.Same", change: { actions: ["no-op"], before: {}, after: {} } },
        { address: "data.aws_b.Read", change: { actions: ["read"], before: null, after: {} } },
        {
          address: "aws_c.Changed",
          change: {
            actions: ["update"],
            before: { size: 1, name: "c", arn: "x" },
            after: { size: 2, name: "c" },
            after_unknown: { arn: true },
          },
        },
      ],
      output_changes: { url: { actions: ["create"], after: "http://c" } },
    };
    const stack = stackRunBy(`[ "$1" = plan ] && exit 2\n${event(plan)}`);
    expect(await stack.plan()).toEqual({
      empty: false,
      changes: [
        {
          address: "aws_c.Changed",
          actions: ["update"],
          attributes: { size: { before: 1, after: 2 }, arn: { before: "x", after: "(known after apply)" } },
        },
        { address: "output.url", actions: ["create"], attributes: { value: { before: undefined, after: "http://c" } } },
      ],
    });
  });
});
