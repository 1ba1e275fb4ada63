import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { inOrder } from "../../contract/stacks";
import { deployLocally, independentGroups } from "../../emulator/deploy-local";
import { describeOnEmulator } from "../support/deployment";

const FIXTURE = {
  terraform: { required_providers: { aws: { source: "hashicorp/aws", version: "5.100.0" } } },
  provider: { aws: [{ region: "eu-central-1" }] },
};

/** Writes an app of three stacks, of which the first by name depends on the second, and the third on none. */
function write(folder: string, service: object): void {
  const stacks = {
    "a-service": { resource: { aws_cloudwatch_log_group: { Logs: { name: "/a", retention_in_days: 7 } }, ...service } },
    "b-platform": {
      resource: { aws_ssm_parameter: { Contract: { name: "/b", type: "String", insecure_value: "x" } } },
    },
    "c-delivery": { resource: { aws_ecr_repository: { Images: { name: "images" } } } },
  };
  for (const [name, stack] of Object.entries(stacks)) {
    mkdirSync(join(folder, "stacks", name), { recursive: true });
    writeFileSync(join(folder, "stacks", name, "cdk.tf.json"), JSON.stringify({ ...FIXTURE, ...stack }));
  }
  const manifest = {
    stacks: {
      "a-service": { dependencies: ["b-platform"], workingDirectory: "stacks/a-service" },
      "b-platform": { dependencies: [], workingDirectory: "stacks/b-platform" },
      "c-delivery": { dependencies: [], workingDirectory: "stacks/c-delivery" },
    },
  };
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
}

describeOnEmulator("a local deployment", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-deploy-local-"));
    // Other tests deploy locally at the same time.
    vi.stubEnv("TMPDIR", folder);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  const left = () => readdirSync(folder).filter((name) => name.startsWith("antifragile-local-"));

  async function run(onBegin: (title: string) => void = () => undefined, signal = new AbortController().signal) {
    const reported: string[] = [];
    const report = {
      begin: (title: string) => {
        reported.push(title);
        onBegin(title);
      },
      progress: () => undefined,
      done: (result: string) => reported.push(`  ${result}`),
    };
    return { reported, ended: deployLocally({ synthesize: async () => folder, report, signal }) };
  }

  it("plans and applies each stack after its dependencies, reads back, plans again, destroys everything", async () => {
    write(folder, {});
    const { reported, ended } = await run();
    await ended;
    const beside = (line: string, index: number) =>
      `${line.startsWith("  ") ? reported[index - 1] : line}`.includes("c-delivery");
    expect(reported.filter(beside)).toEqual([
      "plan c-delivery",
      "  1 to add, 0 to change, 0 to destroy",
      "apply c-delivery",
      "  applied",
      "plan c-delivery again",
      "  no changes",
      "destroy c-delivery",
      "  destroyed",
    ]);
    expect(reported.filter((line, index) => !/127\.0\.0\.1|deploy-local/.test(line) && !beside(line, index))).toEqual([
      "synthesize",
      "start the emulator",
      "plan b-platform",
      "  1 to add, 0 to change, 0 to destroy",
      "apply b-platform",
      "  applied",
      "plan a-service",
      "  1 to add, 0 to change, 0 to destroy",
      "apply a-service",
      "  applied",
      "read back from AWS's API, eu-central-1",
      "  log group /a keeps 7 days",
      "plan b-platform again",
      "  no changes",
      "plan a-service again",
      "  no changes",
      "destroy a-service",
      "  destroyed",
      "destroy b-platform",
      "  destroyed",
      "look for what is left",
      "  nothing",
    ]);
  });

  it("fails with Terraform's errors and keeps the log if a stack cannot be applied", async () => {
    write(folder, { aws_iam_role: { Role: { name: "r".repeat(65), assume_role_policy: "{}" } } });
    const { ended } = await run();
    const error = await ended.then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).toMatch(/a-service/);
    const kept = /logs are kept in (\S+)/.exec(error?.message ?? "")?.[1] ?? "";
    expect(existsSync(join(kept, "emulator.log"))).toBe(true);
    rmSync(kept, { recursive: true });
  });

  it("stops the emulator if the app cannot be synthesized", async () => {
    const begun: string[] = [];
    const report = { begin: (title: string) => begun.push(title), progress: () => undefined, done: () => undefined };
    const ended = deployLocally({
      synthesize: async () => {
        // What the program prints has lines of its own.
        expect(begun).toEqual([]);
        throw new Error("no app");
      },
      report,
      signal: new AbortController().signal,
    });
    await expect(ended).rejects.toThrow(/^no app$/);
    expect(begun).toEqual(["synthesize"]);
    expect(left()).toEqual([]);
  });

  it("stops when it is interrupted, and leaves nothing", async () => {
    write(folder, {});
    const controller = new AbortController();
    const { reported, ended } = await run((title) => {
      if (title === "apply b-platform") controller.abort();
    }, controller.signal);
    const error = await ended.then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).toMatch(/interrupted/);
    expect(reported.at(-1)).toBe("apply b-platform");
    expect(left()).toEqual([]);
  });
});

it("deploys independent stacks concurrently", () => {
  const stack = (...dependencies: string[]) => ({ dependencies, workingDirectory: "" });
  const groups = (stacks: Record<string, ReturnType<typeof stack>>) => independentGroups({ stacks });
  expect(
    groups({ delivery: stack(), service: stack("data", "platform"), data: stack("platform"), platform: stack() }),
  ).toEqual([["platform", "data", "service"], ["delivery"]]);
  expect(groups({ a: stack(), b: stack(), c: stack("b", "a"), d: stack(), e: stack("d") })).toEqual([
    ["a", "b", "c"],
    ["d", "e"],
  ]);
  expect(groups({})).toEqual([]);
});

it("orders stacks by their dependencies, then by name", () => {
  const stack = (...dependencies: string[]) => ({ dependencies, workingDirectory: "" });
  expect(inOrder({ stacks: { c: stack(), b: stack("c"), a: stack("b") } })).toEqual(["c", "b", "a"]);
  expect(inOrder({ stacks: { z: stack(), y: stack(), x: stack("z", "y") } })).toEqual(["y", "z", "x"]);
});
