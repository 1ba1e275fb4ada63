import { describe, expect, it } from "vitest";
import {
  type App,
  CloudNativeService,
  DeliveryStack,
  Duration,
  every,
  Image,
  job,
  Platform,
  releaseStatements,
  web,
  worker,
} from "../../../../constructs";
import { ignoredChanges, WRITTEN_BY_OTHERS } from "../../../../constructs/service/deployment/ignored-changes";
import { synthesize } from "../../../../constructs/testing";
import { DEV, only, ordersStack, refusals, resources } from "../../../support/synth";

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

describe("the release parameters of a service", () => {
  it("exist for each process, with the data that a release needs, within the limit of a standard parameter", () => {
    const stack = ordersStack();
    const orders = new CloudNativeService(stack, "Orders");
    orders.addAdminProcess("migrate", ["node", "dist/admin/migrate.js"]);
    new CloudNativeService(stack, "Mailer", { process: worker({ command: ["node", "worker.js"] }) });
    new CloudNativeService(stack, "Report", { process: job({ schedule: every(Duration.hours(1)) }), image: DIGEST });
    const contract = templates(stack);
    expect(Object.keys(contract).sort()).toEqual(
      ["mailer", "orders", "report"].map((name) => `/antifragile/dev/shop/releases/orders/processes/${name}`),
    );
    const [mailer, web, report] = Object.values(contract).sort((a, b) => (String(a.kind) < String(b.kind) ? 1 : -1));
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

  it("include one record for each stack, which Terraform then ignores", () => {
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

  it("are compared in every plan, which reports a config that is applied but not released", () => {
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

  it("include no record if Terraform releases", () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders", { image: DIGEST });
    expect(synthesize(stack)).not.toHaveProperty("check");
    expect(Object.keys(templates(stack))).toHaveLength(1);
    expect(JSON.stringify(resources(stack, "aws_ssm_parameter"))).not.toContain("/record");
  });
});

describe("the permissions for releases", () => {
  const environment = {
    ...DEV,
    account: "123456789012",
    guardrails: { rolePath: "/teams/", namePrefix: "acme" },
  };
  const stack = ordersStack(environment);
  const orders = new CloudNativeService(stack, "Orders", { name: "order-lines-with-a-long-name" });
  new CloudNativeService(stack, "Report", { process: job({ schedule: every(Duration.hours(1)) }) });
  new CloudNativeService(stack, "Fixed", { image: DIGEST });
  const delivery = new DeliveryStack(stack.node.root as App, "orders", { region: "eu-central-1" });
  const statements = releaseStatements(stack, delivery);
  const granted = (action: string) =>
    statements.filter(({ actions }) => actions.includes(action)).flatMap(({ resources: arns }) => arns);

  it("name resources as they are created", () => {
    const names = (type: string) =>
      Object.values(resources(stack, type)).map(({ name, family }) => String(name ?? family));
    const platform = stack.dependencies.find((each) => each instanceof Platform) as Platform;
    const cluster = only(platform, "aws_ecs_cluster").name;
    for (const name of names("aws_iam_role").filter((each) => !each.includes("fixed"))) {
      const [arn] = granted("iam:PassRole").filter((each) => each.endsWith(`:role/teams/${name}`));
      expect(arn).toMatch(/^arn:\$\{.*\}:iam::123456789012:role\/teams\//);
    }
    expect(granted("iam:PassRole").some((arn) => arn.includes("fixed"))).toBe(false);
    for (const name of names("aws_ecs_service")) {
      const arn = expect.stringMatching(new RegExp(`:ecs:eu-central-1:123456789012:service/${cluster}/${name}$`));
      expect(granted("ecs:DescribeServices")).toContainEqual(arn);
      if (name !== "fixed") expect(granted("ecs:UpdateService")).toEqual([arn]);
    }
    expect(granted("scheduler:UpdateSchedule").map((arn) => arn.split(":schedule/")[1])).toEqual([
      `default/${names("aws_scheduler_schedule")[0]}`,
    ]);
    const groups = names("aws_cloudwatch_log_group");
    expect(granted("logs:GetLogEvents")).toHaveLength(1);
    expect(groups.some((name) => granted("logs:GetLogEvents")[0]?.endsWith(`:log-group:${name}:log-stream:*`))).toBe(
      true,
    );
    expect(granted("ssm:PutParameter").map((arn) => arn.replace(/^.*:parameter/, ""))).toEqual(
      ["record", "lock"].map((last) => `/antifragile/dev/shop/releases/orders/${last}`),
    );
  });

  it("allow running tasks only with admin processes", () => {
    expect(granted("ecs:RunTask")).toEqual([]);
    orders.addAdminProcess("migrate", ["node", "migrate.js"]);
    const more = releaseStatements(stack, delivery).filter(({ actions }) => actions.includes("ecs:RunTask"));
    expect(more).toMatchObject([
      {
        resources: [expect.stringMatching(/:task-definition\/shop-dev-order-lines-with-a-long-name:\*$/)],
        conditions: { ArnEquals: { "ecs:cluster": expect.stringMatching(/:cluster\/acme-shop-dev$/) } },
      },
    ]);
  });

  it("include nothing of CodeDeploy without a CodeDeploy service", () => {
    expect(statements.flatMap(({ actions }) => actions).filter((action) => action.startsWith("codedeploy:"))).toEqual(
      [],
    );
  });
});

describe("an admin process", () => {
  it("keeps text as text", () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders").addAdminProcess("seed", ["node", '${file("/etc/passwd")}', "%{ if true }"]);
    expect(Object.values(templates(stack))[0]?.admin).toEqual({
      seed: ["node", '$${file("/etc/passwd")}', "%%{ if true }"],
    });
  });

  it("refuses invalid names, commands and sizes", () => {
    const orders = new CloudNativeService(ordersStack(), "Orders");
    expect(refusals(() => orders.addAdminProcess("Seed!", []))).toEqual([
      'ADMIN_NAME addAdminProcess("Seed!")',
      'ADMIN_COMMAND addAdminProcess("Seed!")',
    ]);
    expect(refusals(() => orders.addAdminProcess("seed", ["node", ""]))).toEqual([
      'ADMIN_COMMAND addAdminProcess("seed")',
    ]);
    expect(refusals(() => orders.addAdminProcess("seed", ["x".repeat(2000)]))).toEqual([
      'ADMIN_SIZE addAdminProcess("seed")',
    ]);
    orders.addAdminProcess("seed", ["node", "seed.js"]);
    expect(refusals(() => orders.addAdminProcess("seed", ["node", "seed.js"]))).toEqual([
      'ADMIN_TWICE addAdminProcess("seed")',
    ]);
  });
});

describe("attributes that others change", () => {
  const rolling = { strategy: "rolling", schedules: false } as const;

  it("are ignored exactly where they are changed", () => {
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

  it("are listed with their writer and a source", () => {
    for (const { attribute, writer, source } of WRITTEN_BY_OTHERS) {
      expect(`${attribute} ${writer} ${source}`).toMatch(/^\S+ .+ https:\/\/\S+$/);
    }
  });

  it("are applied to the resources", () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders", { process: web({ command: ["node", "a.js"] }) });
    expect(only(stack, "aws_ecs_service").lifecycle).toMatchObject({
      ignore_changes: ["desired_count", "task_definition"],
    });
  });
});
