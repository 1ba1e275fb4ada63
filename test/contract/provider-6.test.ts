import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { stackJson, stackNames } from "../support/examples";
import { runningProgram } from "../support/program";
import { ROOT } from "./support/sources";
import { asArguments, typeErrors } from "./support/typed-by";

/**
 * Features of provider 6 cannot be applied here. So they are synthesized with the bindings of provider 6, and the output
 * is compared with their types.
 */
const LINE_5 = "@cdktf/provider-aws";
const LINE_6 = "provider-aws-6";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Stacks of a program, by name, on the bindings of a line. */
function synthesized(program: string, line: 5 | 6): Record<string, Record<string, unknown>> {
  const outdir = mkdtempSync(join(tmpdir(), "antifragile-line-"));
  folders.push(outdir);
  const bindings = line === 6 ? ["--require", join(ROOT, "test/support/on-provider-6.cjs")] : [];
  execFileSync(process.execPath, [...bindings, ...runningProgram(join(ROOT, program))], {
    cwd: ROOT,
    env: { ...process.env, CDKTF_OUTDIR: outdir, ...(line === 5 ? { LINE: "6" } : {}) },
    encoding: "utf8",
  });
  return Object.fromEntries(stackNames(outdir).map((name) => [name, stackJson(outdir, name)]));
}

type Resources = Parameters<typeof asArguments>[0];

const resourcesOf = (stacks: Record<string, Record<string, unknown>>) =>
  Object.entries(stacks).map(([name, { resource }]) => [name, { ...(resource as Resources) }] as const);

/** Without what says which provider it is. */
const comparable = (stacks: Record<string, Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(stacks).map(([name, { terraform: _, "//": __, ...rest }]) => [name, rest]));

describe.each([
  ["test/contract/support/every-strategy.ts", 5],
  ["examples/canary-native/main.ts", 1],
  ["examples/auth/main.ts", 1],
  ["examples/chaos/main.ts", 1],
  ["examples/telemetry/main.ts", 1],
  ["examples/log-stream/main.ts", 1],
])("%s on provider 6", (program, strategies) => {
  const stacks = synthesized(program, 6);

  it("requires provider 6, and gives the same program as with the bindings of provider 5", () => {
    expect(JSON.stringify(stacks)).toContain('"version":"6.25.0"');
    expect(comparable(stacks)).toEqual(comparable(synthesized(program, 5)));
  });

  it("has only arguments of the bindings of provider 6, with the right types", () => {
    const written = Object.fromEntries(
      resourcesOf(stacks).map(([name, resources]) => {
        // Terraform's own resource, which no provider has.
        const { terraform_data: _, ...ofAws } = resources as Resources & { terraform_data?: unknown };
        return [`${name}.ts`, asArguments(ofAws)];
      }),
    );
    expect(Object.keys(written).filter((name) => name.endsWith("-service.ts"))).toHaveLength(strategies);
    expect(typeErrors(LINE_6, { written })).toEqual([]);
  });
});

describe("the check of synthesized arguments", () => {
  const service = {
    name: "orders",
    deployment_configuration: { strategy: "CANARY" },
    load_balancer: [
      {
        container_name: "orders",
        container_port: 8080,
        advanced_configuration: { alternate_target_group_arn: "a", production_listener_rule: "b", role_arn: "c" },
      },
    ],
  };
  const errors = (bindings: string, planted: Resources[string][string]) =>
    typeErrors(bindings, { written: { "planted.ts": asArguments({ aws_ecs_service: { planted } }) } }).join("\n");

  it("finds nothing in a valid program, and features of provider 6 on provider 5", () => {
    expect(errors(LINE_6, service)).toBe("");
    // One that is unknown inside hides one that is unknown outside.
    const { load_balancer: _, ...withoutLoadBalancer } = service;
    expect(errors(LINE_5, withoutLoadBalancer)).toMatch(/deploymentConfiguration.* does not exist/);
    expect(errors(LINE_5, service)).toMatch(/advancedConfiguration.* does not exist/);
  });

  it.each([
    ["a name at the top", { ...service, deployment_config: {} }, "deploymentConfig"],
    ["a name inside", { ...service, deployment_configuration: { canary: {} } }, "canary"],
    ["a type", { ...service, deployment_configuration: { bake_time_in_minutes: 5 } }, "number"],
    ["what is missing", { deployment_configuration: { strategy: "CANARY" } }, "name"],
  ])("finds %s", (_, block, part) => {
    expect(errors(LINE_6, block)).toContain(part);
  });
});

describe("the library", () => {
  it("compiles with the bindings of provider 6, as it does with those of provider 5", () => {
    const files = ["constructs/index.ts", "constructs/testing/index.ts", "examples/canary-native/main.ts"];
    expect(typeErrors(LINE_6, { files })).toEqual([]);
  });
});
