import { readFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "cdktf";
import { beforeAll, describe, expect, it } from "vitest";
import {
  type CallOptions,
  CloudNativeService,
  type CloudNativeServiceProps,
  cron,
  Duration,
  existingService,
  job,
  Platform,
  type ServiceStack,
  web,
  worker,
} from "../../../../constructs";
import { type SynthesizedStack, synthesize } from "../../../../constructs/testing";
import { decoded } from "../../../support/encoded";
import { stackJson, stackNames, synthExample } from "../../../support/examples";
import { dependencies, findCycle } from "../../../support/graph";
import { DEV, only, PRODUCTION, refusals, resources, shop, warnings } from "../../../support/synth";

function pair(props: { orders?: CloudNativeServiceProps; payments?: CloudNativeServiceProps } = {}) {
  const platform = shop();
  const [mine, theirs] = [platform.stack("orders"), platform.stack("payments")];
  return {
    mine,
    theirs,
    orders: new CloudNativeService(mine, "Orders", props.orders),
    payments: new CloudNativeService(theirs, "Payments", props.payments),
  };
}

type Container = { environment: { name: string; value: string }[] };
function variables(stack: ServiceStack, id = "Orders"): Record<string, string> {
  const tasks = Object.entries(resources(stack, "aws_ecs_task_definition"));
  const task = tasks.find(([logicalId]) => logicalId.startsWith(`${id}_`))?.[1];
  const [container] = (task?.container_definitions ?? []) as Container[];
  return Object.fromEntries((container?.environment ?? []).map(({ name, value }) => [name, value]));
}
const callVariables = (stack: ServiceStack, id?: string) =>
  Object.fromEntries(Object.entries(variables(stack, id)).filter(([name]) => name.startsWith("PAYMENTS_")));

describe("a call", () => {
  it("passes the caller the URL and the limits of its client", () => {
    const { mine, orders, payments } = pair();
    orders.call(payments, { timeout: Duration.millis(1500), retryBudgetPercent: 0 });
    const { PAYMENTS_URL, ...others } = callVariables(mine);
    expect(decoded(PAYMENTS_URL ?? "")).toMatch(/data\.aws_ssm_parameter\.Orders_CallsPayments.*\.url}$/);
    expect(others).toEqual({
      PAYMENTS_TIMEOUT_MS: "1500",
      PAYMENTS_RETRY_BUDGET_PERCENT: "0",
      PAYMENTS_BREAKER_FAILURE_PERCENT: "50",
    });
  });

  it("opens the callee's port, in the caller's stack only", () => {
    const { mine, theirs, orders, payments } = pair();
    orders.call(payments);
    const rules = (type: string) => Object.entries(resources(mine, type)).filter(([id]) => id.includes("_ToPayments"));
    expect(rules("aws_vpc_security_group_egress_rule")).toHaveLength(1);
    expect(rules("aws_vpc_security_group_ingress_rule")).toMatchObject([
      [expect.anything(), { from_port: expect.stringMatching(/\.port}$/), ip_protocol: "tcp" }],
    ]);
    expect(JSON.stringify(synthesize(theirs))).not.toMatch(/Orders/);
  });

  it("goes through the proxy by the same name as in DNS, with the callee's request timeout", () => {
    const { mine, theirs, orders, payments } = pair({ payments: { stopTimeout: Duration.seconds(60) } });
    orders.call(payments);
    expect(only(theirs, "aws_ecs_service").service_connect_configuration).toMatchObject({
      enabled: true,
      namespace: expect.stringContaining("namespaceArn"),
      service: [
        {
          client_alias: { dns_name: expect.stringMatching(/\.dnsName}$/), port: 8080 },
          discovery_name: "payments-connect",
          port_name: "payments",
          timeout: { per_request_timeout_seconds: 48 },
        },
      ],
    });
    // The proxy takes a share of the task.
    for (const stack of [mine, theirs]) expect(only(stack, "aws_ecs_task_definition").cpu).toBe("512");
  });

  it("uses DNS if a service has no proxy; the proxy of a worker serves nothing", () => {
    const { mine, theirs, orders, payments } = pair({ payments: { connect: false } });
    orders.call(payments);
    expect(only(theirs, "aws_ecs_service")).not.toHaveProperty("service_connect_configuration");
    expect(only(theirs, "aws_ecs_task_definition").cpu).toBe("256");
    expect(only(mine, "aws_ecs_service")).toHaveProperty("service_connect_configuration");

    const other = pair();
    new CloudNativeService(other.mine, "Mailer", { process: worker() }).call(other.payments);
    const mailer = Object.values(resources(other.mine, "aws_ecs_service")).find(({ name }) => name === "mailer");
    expect(mailer?.service_connect_configuration).not.toHaveProperty("service");
  });

  it("of a job uses DNS, because a job has no proxy", () => {
    const { mine, payments } = pair();
    const report = new CloudNativeService(mine, "Report", { process: job({ schedule: cron("0 3 * * *") }) });
    report.call(payments, { timeout: Duration.seconds(30) });
    expect(callVariables(mine, "Report")).toMatchObject({ PAYMENTS_TIMEOUT_MS: "30000" });
    expect(JSON.stringify(resources(mine, "aws_scheduler_schedule"))).toContain("_ToPaymentsOut");
  });

  it("is required for a proxy", () => {
    expect(only(pair().mine, "aws_ecs_service")).not.toHaveProperty("service_connect_configuration");
  });

  it("by name needs only the data stack of the other repository", () => {
    const platform = Platform.existing(new App(), "shop", { environment: DEV });
    const stack = platform.stack("orders");
    new CloudNativeService(stack, "Orders").call(existingService("payments"));
    expect(Object.values((synthesize(stack).data as Record<string, object>).aws_ssm_parameter ?? {})).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: "/antifragile/dev/shop/services/payments" })]),
    );
    expect(callVariables(stack)).toHaveProperty("PAYMENTS_URL");
  });

  it("applies the callee's stacks first, as long as that creates no cycle", () => {
    const { mine, theirs, orders, payments } = pair();
    orders.call(payments);
    payments.call(orders);
    expect(mine.dependsOn(theirs)).toBe(true);
    expect(theirs.dependsOn(mine)).toBe(false);
    expect(mine.dependsOn(theirs.data) && theirs.dependsOn(mine.data)).toBe(true);
  });

  it("within a stack waits for the callee, except for edges that close a cycle", () => {
    const stack = shop().stack("all");
    const [a, b, c] = ["Alpha", "Beta", "Gamma"].map((id) => new CloudNativeService(stack, id)) as [
      CloudNativeService,
      CloudNativeService,
      CloudNativeService,
    ];
    a.call(b);
    b.call(c);
    c.call(a);
    const waits = Object.fromEntries(
      Object.values(resources(stack, "aws_ecs_service")).map(({ name, depends_on }) => [
        name,
        (depends_on as string[]).filter((address) => address.startsWith("aws_ecs_service.")),
      ]),
    );
    expect(waits).toEqual({
      alpha: [expect.stringContaining("Beta")],
      beta: [expect.stringContaining("Gamma")],
      gamma: [],
    });
    expect(findCycle(dependencies(synthesize(stack)))).toBeUndefined();
  });

  it("warns if the caller's timeout is shorter than the callee's", () => {
    const { mine, orders, payments } = pair();
    const catalog = new CloudNativeService(mine, "Catalog");
    orders.call(payments, { timeout: Duration.seconds(1) });
    payments.call(catalog, { timeout: Duration.seconds(2) });
    expect(warnings(orders)).toEqual([expect.stringContaining("[CALL_CHAIN]")]);
    expect(warnings(payments)).toEqual([]);
  });

  it("may have the same timeout as the callee's calls", () => {
    const { mine, orders, payments } = pair();
    const catalog = new CloudNativeService(mine, "Catalog");
    orders.call(payments, { timeout: Duration.seconds(2) });
    payments.call(catalog, { timeout: Duration.seconds(2) });
    expect(warnings(orders)).toEqual([]);
  });

  it.each<[string, CallOptions, string]>([
    ["no time to wait", { timeout: Duration.millis(0) }, "CALL_TIMEOUT call payments: timeout"],
    ["more time than its own requests have", { timeout: Duration.seconds(19) }, "CALL_TIMEOUT call payments: timeout"],
    ["a negative budget", { retryBudgetPercent: -1 }, "CALL_RETRY_BUDGET call payments: retryBudgetPercent"],
    [
      "a breaker that is always open",
      { breakerFailurePercent: 0 },
      "CALL_BREAKER call payments: breakerFailurePercent",
    ],
  ])("is refused with %s", (_, options, expected) => {
    const { orders, payments } = pair();
    expect(refusals(() => orders.call(payments, options))).toEqual([expected]);
  });

  it("is refused twice, to itself, to a process without requests, to another platform, and without a name", () => {
    const { mine, orders, payments } = pair();
    orders.call(payments);
    expect(refusals(() => orders.call(payments))).toEqual(["ADD_ON_TWICE CallsPayments"]);
    expect(refusals(() => orders.call(orders))).toEqual(["CALL_SELF call orders"]);
    const mailer = new CloudNativeService(mine, "Mailer", { process: worker() });
    expect(refusals(() => orders.call(mailer))).toEqual(["CALL_NO_PORT call mailer"]);
    const far = new CloudNativeService(shop(PRODUCTION).stack("far"), "Far");
    expect(refusals(() => orders.call(far))).toEqual(["CALL_OTHER_PLATFORM call far"]);
    expect(refusals(() => orders.call(existingService("${x}")))).toEqual(["CALL_NAME call"]);
  });

  it("is refused if a security group would have too many rules", () => {
    const stack = shop().stack("all");
    const hub = new CloudNativeService(stack, "Hub");
    const callers = Array.from({ length: 59 }, (_, n) => new CloudNativeService(stack, `Caller${n}`));
    for (const caller of callers.slice(0, 58)) caller.call(hub);
    expect(refusals(() => callers[58]?.call(hub))).toEqual(["CALL_QUOTA call Hub"]);
  });

  it("never overrides a variable", () => {
    const { orders, payments } = pair({ orders: { environment: { PAYMENTS_URL: "http://mine" } } });
    expect(refusals(() => orders.call(payments))).toEqual(["ENVIRONMENT_VARIABLE_TWICE environment.PAYMENTS_URL"]);
  });
});

describe.each(["microservices", "shared-load-balancer"])("the example %s", (name) => {
  let outdir: string;
  beforeAll(() => {
    outdir = synthExample(name);
  });

  it("creates no cycle within or between states", () => {
    for (const stack of stackNames(outdir)) {
      expect([stack, findCycle(dependencies(stackJson(outdir, stack) as SynthesizedStack))]).toEqual([
        stack,
        undefined,
      ]);
    }
    const { stacks } = JSON.parse(readFileSync(join(outdir, "manifest.json"), "utf8")) as {
      stacks: Record<string, { dependencies: string[] }>;
    };
    const graph = new Map(Object.entries(stacks).map(([id, { dependencies: on }]) => [id, new Set(on)]));
    expect(findCycle(graph)).toBeUndefined();
  });
});

describe("the analysis of cycles", () => {
  it("finds an existing cycle", () => {
    const stack = {
      resource: {
        aws_ecs_service: {
          A: { depends_on: ["aws_ecs_service.B"] },
          AB: { name: "${aws_ecs_service.A.name}" },
          B: { name: "${aws_ecs_service.AB.name}" },
        },
      },
    };
    expect(findCycle(dependencies(stack))).toEqual([
      "aws_ecs_service.A",
      "aws_ecs_service.B",
      "aws_ecs_service.AB",
      "aws_ecs_service.A",
    ]);
  });
});

describe("a web process", () => {
  it("has a DNS name on the platform, even without callers", () => {
    const stack = shop().stack("orders");
    new CloudNativeService(stack, "Orders", { process: web({ port: 3000 }) });
    expect(only(stack.data, "aws_service_discovery_service")).toMatchObject({
      name: "orders",
      force_destroy: true,
      dns_config: { dns_records: [{ ttl: 10, type: "A" }], routing_policy: "MULTIVALUE" },
    });
  });
});
