import { describe, expect, it } from "vitest";
import { CloudNativeService, Duration, every, Image, job, web, worker } from "../../../constructs";
import { ignoredChanges, WRITTEN_BY_OTHERS } from "../../../constructs/service/lifecycle";
import { synthesize } from "../../../constructs/testing";
import { only, ordersStack, refusals, resources } from "../../support/synth";

const DIGEST = Image.digest(`registry.example.com/orders@sha256:${"a".repeat(64)}`);

/** JSON whose Terraform expressions have no quotes of their own. */
function withoutExpressions(json: string): string {
  return json.replace(/(?<!\$)\$\{[^{}]*\}/g, (expression) => expression.replaceAll('"', "'"));
}

function templates(stack: Parameters<typeof resources>[0]): Record<string, Record<string, unknown>> {
  const parameters = Object.values(resources(stack, "aws_ssm_parameter"));
  return Object.fromEntries(
    parameters
      .filter(({ name }) => String(name).includes("/processes/"))
      .map(({ name, insecure_value: value }) => [
        String(name),
        (typeof value === "string" ? JSON.parse(withoutExpressions(value)) : value) as Record<string, unknown>,
      ]),
  );
}

describe("what a service tells of its releases", () => {
  it("is one parameter a process, with all that a release needs and no more than a standard parameter holds", () => {
    const stack = ordersStack();
    const orders = new CloudNativeService(stack, "Orders");
    orders.admin("migrate", ["node", "dist/admin/migrate.js"]);
    new CloudNativeService(stack, "Mailer", { process: worker({ command: ["node", "worker.js"] }) });
    new CloudNativeService(stack, "Report", { process: job({ schedule: every(Duration.hours(1)) }), image: DIGEST });
    const told = templates(stack);
    expect(Object.keys(told).sort()).toEqual(
      ["mailer", "orders", "report"].map((name) => `/antifragile/dev/shop/releases/orders/processes/${name}`),
    );
    const [mailer, web, report] = Object.values(told).sort((a, b) => (String(a.kind) < String(b.kind) ? 1 : -1));
    expect(mailer).toMatchObject({ kind: "worker", owner: "pipeline", admin: {}, source: "orders" });
    expect(web).toMatchObject({
      kind: "web",
      owner: "pipeline",
      container: "orders",
      source: "orders",
      strategy: "rolling",
      admin: { migrate: ["node", "dist/admin/migrate.js"] },
      service: expect.stringMatching(/aws_ecs_service/),
      task: expect.stringMatching(/aws_ecs_task_definition.*arn/),
    });
    expect(report).toMatchObject({
      kind: "job",
      owner: "terraform",
      source: "registry.example.com/orders",
      schedule: expect.stringMatching(/aws_scheduler_schedule/),
    });
    expect(report).not.toHaveProperty("service");
  });

  it("is recorded once a stack, and Terraform looks no more at the record", () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders");
    new CloudNativeService(stack, "Mailer", { process: worker() });
    const records = Object.values(resources(stack, "aws_ssm_parameter")).filter(({ name }) =>
      String(name).endsWith("/record"),
    );
    expect(records).toMatchObject([
      {
        name: "/antifragile/dev/shop/releases/orders/record",
        insecure_value: {},
        lifecycle: { ignore_changes: ["insecure_value"] },
      },
    ]);
  });

  it("is compared in every plan: config that is applied and not released is said", () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders");
    new CloudNativeService(stack, "Report", { process: job({ schedule: every(Duration.hours(1)) }), image: DIGEST });
    const { check } = synthesize(stack) as { check?: Record<string, { assert: Record<string, string>[] }> };
    expect(Object.keys(check ?? {})).toEqual(["orders_config_is_live"]);
    expect(check?.orders_config_is_live?.assert).toEqual([
      {
        condition: expect.stringMatching(
          /^\$\{try\(jsondecode\(aws_ssm_parameter\.Releases_\w+\.insecure_value\)\.live\.processes\["orders"\]\.template == aws_ecs_task_definition\.Orders_Task_\w+\.revision, true\)\}$/,
        ),
        error_message: expect.stringContaining("antifragile release dev"),
      },
    ]);
  });

  it("has no record where Terraform releases", () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders", { image: DIGEST });
    expect(synthesize(stack)).not.toHaveProperty("check");
    expect(Object.keys(templates(stack))).toHaveLength(1);
    expect(JSON.stringify(resources(stack, "aws_ssm_parameter"))).not.toContain("/record");
  });
});

describe("an admin process", () => {
  it("keeps text as text", () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders").admin("seed", ["node", '${file("/etc/passwd")}', "%{ if true }"]);
    expect(Object.values(templates(stack))[0]?.admin).toEqual({
      seed: ["node", '$${file("/etc/passwd")}', "%%{ if true }"],
    });
  });

  it("refuses names, commands and amounts that cannot be told", () => {
    const orders = new CloudNativeService(ordersStack(), "Orders");
    expect(refusals(() => orders.admin("Seed!", []))).toEqual([
      'ADMIN_NAME admin("Seed!")',
      'ADMIN_COMMAND admin("Seed!")',
    ]);
    expect(refusals(() => orders.admin("seed", ["node", ""]))).toEqual(['ADMIN_COMMAND admin("seed")']);
    expect(refusals(() => orders.admin("seed", ["x".repeat(2000)]))).toEqual(['ADMIN_SIZE admin("seed")']);
    orders.admin("seed", ["node", "seed.js"]);
    expect(refusals(() => orders.admin("seed", ["node", "seed.js"]))).toEqual(['ADMIN_TWICE admin("seed")']);
  });
});

describe("what others write", () => {
  const rolling = { strategy: "rolling", schedules: false } as const;

  it("is left alone exactly where it is written", () => {
    expect(ignoredChanges("service", { ...rolling, owner: "pipeline" })).toEqual(["desired_count", "task_definition"]);
    expect(ignoredChanges("service", { ...rolling, owner: "terraform" })).toEqual(["desired_count"]);
    expect(ignoredChanges("schedule", { ...rolling, owner: "terraform" })).toEqual([]);
    expect(ignoredChanges("schedule", { ...rolling, owner: "pipeline" })).toEqual([
      "target[0].ecs_parameters[0].task_definition_arn",
    ]);
    expect(ignoredChanges("scalableTarget", { ...rolling, owner: "pipeline" })).toEqual([]);
    expect(ignoredChanges("scalableTarget", { ...rolling, owner: "pipeline", schedules: true })).toEqual([
      "max_capacity",
      "min_capacity",
    ]);
  });

  it("is told with its writer and a source", () => {
    for (const { attribute, writer, source } of WRITTEN_BY_OTHERS) {
      expect(`${attribute} ${writer} ${source}`).toMatch(/^\S+ .+ https:\/\/\S+$/);
    }
  });

  it("goes into the resources", () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders", { process: web({ command: ["node", "a.js"] }) });
    expect(only(stack, "aws_ecs_service").lifecycle).toMatchObject({
      ignore_changes: ["desired_count", "task_definition"],
    });
  });
});
