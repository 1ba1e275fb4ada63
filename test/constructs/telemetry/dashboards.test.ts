import { describe, expect, it } from "vitest";
import {
  CloudNativeService,
  canary,
  Duration,
  every,
  existingQueue,
  Ingress,
  job,
  PlatformDashboard,
  ServiceDashboard,
  ServiceLevel,
  type ServiceLevelProps,
  type ServiceStack,
  worker,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { decoded } from "../../support/encoded";
import { DEV, only, ordersStack, PRODUCTION, refusals, resources, shop } from "../../support/synth";

interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: { readonly title: string; readonly alarms?: string[]; readonly metrics?: unknown[][] };
}
const widgetsOf = (dashboard: Readonly<Record<string, unknown>>) =>
  (dashboard.dashboard_body as { widgets: Widget[] }).widgets;

/** Measures that are drawn, as `namespace metric name=value ...`. */
const drawn = (widgets: readonly Widget[]) =>
  widgets.flatMap(({ properties }) =>
    (properties.metrics ?? []).flatMap((row) => {
      const words = row.filter((word) => typeof word === "string");
      const [namespace, metric, ...dimensions] = words;
      return namespace === undefined
        ? []
        : [
            {
              namespace,
              metric,
              dimensions: Object.fromEntries(
                dimensions.flatMap((name, i) => (i % 2 ? [] : [[name, dimensions[i + 1]]])),
              ),
            },
          ];
    }),
  );

/** An expression of CloudWatch over single numbers, as far as ours go: sums, quotients, IF, MAX, FILL. */
function computed(expression = ""): (values: Readonly<Record<string, number>>) => number {
  return (values) => {
    const names = Object.keys(values);
    const { IF, FILL, MAX } = {
      IF: (condition: boolean, yes: number, no: number) => (condition ? yes : no),
      FILL: (value: number) => value,
      MAX: (all: number[]) => Math.max(...all),
    };
    const compute = new Function("IF", "FILL", "MAX", ...names, `return ${expression};`);
    return compute(IF, FILL, MAX, ...names.map((name) => values[name]));
  };
}

/** Resource of a program that the value of a dimension refers to; undefined if there is none. */
function missing(
  stack: ServiceStack,
  platform: ReturnType<typeof shop>,
  queues: readonly string[],
  widgets: readonly Widget[],
) {
  const services = Object.values(resources(stack, "aws_ecs_service")).map(({ name }) => name);
  const cluster = `${Object.values(resources(stack, "aws_ecs_service"))[0]?.cluster}`.replace(
    "clusterArn",
    "clusterName",
  );
  const groups = Object.keys(resources(stack, "aws_lb_target_group")).map(
    (id) => `\${aws_lb_target_group.${id}.arn_suffix}`,
  );
  const counted = [platform, stack]
    .flatMap((each) => Object.values(resources(each, "aws_cloudwatch_log_metric_filter")))
    .map(({ metric_transformation: to }) => to as { namespace: string; name: string });
  const jobs = Object.values(resources(stack, "aws_scheduler_schedule")).map(
    ({ target }) => (target as { ecs_parameters: { group: string } }).ecs_parameters.group,
  );
  const made = Object.values(resources(stack, "aws_sqs_queue")).map(({ name }) => name);
  const known: Readonly<Record<string, (value: string) => boolean>> = {
    ServiceName: (value) => services.includes(value),
    ClusterName: (value) => value === cluster,
    TargetGroup: (value) => groups.includes(value),
    LoadBalancer: (value) =>
      /loadBalancer\.loadBalancerArnSuffix/.test(value) && Object.keys(resources(platform, "aws_lb")).length === 1,
    QueueName: (value) => queues.includes(value) || made.includes(value),
    Group: (value) => services.includes(value.replace(/^service:/, "")) || jobs.includes(value),
  };
  return drawn(widgets).filter(({ namespace, metric, dimensions }) => {
    const custom = namespace.startsWith("Antifragile/");
    const exists = !custom || counted.some((each) => each.namespace === namespace && each.name === metric);
    return !exists || Object.entries(dimensions).some(([name, value]) => known[name]?.(decoded(value ?? "")) !== true);
  });
}

const QUEUE = "arn:aws:sqs:eu-central-1:123456789012:mails";

function app() {
  const platform = shop(PRODUCTION);
  new PlatformDashboard(platform, "Dashboard");
  const stack = platform.stack("orders");
  const orders = new CloudNativeService(stack, "Orders");
  const mailer = new CloudNativeService(stack, "Mailer", {
    process: worker({ queue: existingQueue(stack, "Mails", QUEUE) }),
  });
  const report = new CloudNativeService(stack, "Report", { process: job({ schedule: every(Duration.hours(1)) }) });
  for (const service of [orders, mailer, report]) service.add(new ServiceDashboard());
  orders.add(new Ingress());
  const of = (name: string) =>
    widgetsOf(
      Object.values(resources(stack, "aws_cloudwatch_dashboard")).find(
        ({ dashboard_name }) => dashboard_name === `shop-production-${name}`,
      )!,
    );
  return { platform, stack, orders, mailer, report, of };
}

describe("the dashboard of a service", () => {
  it("shows exactly its features", () => {
    const { of } = app();
    const titles = (name: string) => of(name).map(({ properties }) => properties.title);
    expect(titles("orders")).toEqual([
      "Alarms",
      "Requests (a minute)",
      "Failed requests (%)",
      "Latency p99 (s)",
      "Unhealthy tasks",
      "CPU utilization (%)",
      "Memory utilization (%)",
      "Crashed tasks",
    ]);
    expect(titles("mailer")).toEqual([
      "Alarms",
      "Age of the oldest message (s)",
      "Messages in the queue",
      "CPU utilization (%)",
      "Memory utilization (%)",
      "Crashed tasks",
    ]);
    expect(titles("report")).toEqual(["Alarms", "Failed runs"]);
  });

  it("shows only existing metrics", () => {
    const { platform, stack, of } = app();
    const widgets = [...of("orders"), ...of("mailer"), ...of("report")];
    expect(drawn(widgets)).toHaveLength(17);
    expect(missing(stack, platform, ["mails"], widgets)).toEqual([]);
    // What is made up is seen.
    expect(missing(stack, platform, ["letters"], widgets)).not.toEqual([]);
    const gone = {
      ...widgets[1]!,
      properties: { title: "x", metrics: [["AWS/ECS", "CPUUtilization", "ServiceName", "gone"]] },
    };
    expect(missing(stack, platform, ["mails"], [gone])).toHaveLength(1);
  });

  it("lays out its widgets without overlaps", () => {
    const widgets = app().of("orders");
    const covered = widgets.flatMap(({ x, y, width, height }) =>
      Array.from({ length: width * height }, (_, i) => `${x + (i % width)} ${y + Math.floor(i / width)}`),
    );
    expect(new Set(covered).size).toBe(covered.length);
    for (const { x, width } of widgets) expect(x + width).toBeLessThanOrEqual(24);
  });
});

describe("the dashboard of a platform", () => {
  it("shows all of its services by search expressions, and the alarms of this app", () => {
    const { platform, orders, mailer, report } = app();
    const [alarms, ...pictures] = widgetsOf(only(platform, "aws_cloudwatch_dashboard"));
    expect(alarms?.properties.alarms).toHaveLength(orders.alarms.length + mailer.alarms.length + report.alarms.length);
    expect(alarms?.properties.alarms?.[0]).toMatch(/:alarm:shop-production-orders-cpu$/);
    const terms = pictures.map(({ properties }) => JSON.stringify(properties.metrics));
    expect(terms).toHaveLength(7);
    const [cluster] = Object.keys(resources(platform, "aws_ecs_cluster"));
    const [loadBalancer] = Object.keys(resources(platform, "aws_lb"));
    for (const term of terms) {
      expect(term).toMatch(/SEARCH\('\{/);
      const names = [
        `aws_ecs_cluster.${cluster}.name`,
        `aws_lb.${loadBalancer}.arn_suffix`,
        "Antifragile/shop-production",
      ];
      expect(names.some((name) => term.includes(name))).toBe(true);
    }
  });

  it("shows no requests without a load balancer", () => {
    const platform = shop(DEV, { listener: undefined });
    new PlatformDashboard(platform, "Dashboard");
    expect(widgetsOf(only(platform, "aws_cloudwatch_dashboard")).map(({ properties }) => properties.title)).toEqual([
      "CPU utilization, by service (%)",
      "Memory utilization, by service (%)",
      "Crashed tasks, by service",
      "Failed runs, by job",
    ]);
  });
});

describe("a service level", () => {
  it("goes off only if too many requests fail in both a long and a short window", () => {
    const stack = ordersStack();
    const orders = new CloudNativeService(stack, "Orders", { addOns: [new Ingress(), new ServiceLevel()] });
    const alarms = Object.values(resources(stack, "aws_cloudwatch_metric_alarm"));
    const windows = alarms
      .filter(({ alarm_name }) => `${alarm_name}`.includes("budget"))
      .map(({ alarm_name, threshold, metric_query, alarm_actions }) => [
        `${alarm_name}`.replace("shop-dev-orders-budget-", ""),
        threshold,
        (metric_query as { metric?: { period: number } }[])[0]?.metric?.period,
        alarm_actions,
      ]);
    expect(windows).toEqual([
      ["fast-long", 1.44, 3600, undefined],
      ["fast-short", 1.44, 300, undefined],
      ["slow-long", 0.6, 21600, undefined],
      ["slow-short", 0.6, 1800, undefined],
    ]);
    expect(Object.values(resources(stack, "aws_cloudwatch_composite_alarm"))).toMatchObject([
      {
        alarm_rule: 'ALARM("shop-dev-orders-budget-fast-long") AND ALARM("shop-dev-orders-budget-fast-short")',
        alarm_actions: [expect.any(String)],
        depends_on: [expect.stringContaining("FastLong"), expect.stringContaining("FastShort")],
      },
      { alarm_rule: expect.stringContaining("slow-long") },
    ]);
    expect(orders.alarms.map(({ alarmName }) => alarmName)).toEqual(
      expect.arrayContaining(["shop-dev-orders-budget-fast", "shop-dev-orders-budget-slow"]),
    );
  });

  it("promises answers in time too, counted one by one over both target groups, and drawn", () => {
    const stack = ordersStack(PRODUCTION, { providerLine: 6 });
    const deployment = canary();
    const fast = { percent: 99, within: Duration.millis(500) };
    const addOns = [new Ingress(), new ServiceLevel({ fast }), new ServiceDashboard()];
    const orders = new CloudNativeService(stack, "Orders", { deployment, addOns });
    const alarms = Object.values(resources(stack, "aws_cloudwatch_metric_alarm"));
    const rowsOf = (part: string) =>
      alarms.find(({ alarm_name }) => `${alarm_name}`.endsWith(part))?.metric_query as {
        id: string;
        expression?: string;
        metric?: { metric_name: string; stat: string; period: number };
      }[];
    expect(
      alarms
        .filter(({ alarm_name }) => `${alarm_name}`.includes("latency-budget"))
        .map(({ alarm_name, threshold }) => [`${alarm_name}`.replace("shop-production-orders-", ""), threshold]),
    ).toEqual([
      ["latency-budget-fast-long", 14.4],
      ["latency-budget-fast-short", 14.4],
      ["latency-budget-slow-long", 6],
      ["latency-budget-slow-short", 6],
    ]);
    const rows = rowsOf("latency-budget-fast-long");
    expect(rows.map(({ id, metric }) => [id, metric?.metric_name, metric?.stat, metric?.period])).toEqual([
      ["fast0", "TargetResponseTime", "TC(:0.5)", 3600],
      ["answers0", "TargetResponseTime", "SampleCount", 3600],
      ["fast1", "TargetResponseTime", "TC(:0.5)", 3600],
      ["answers1", "TargetResponseTime", "SampleCount", 3600],
      ["result", undefined, undefined, undefined],
    ]);
    const late = computed(rows.at(-1)?.expression);
    expect(late({ fast0: 985, answers0: 990, fast1: 0, answers1: 10 })).toBe(1.5);
    expect(late({ fast0: 0, answers0: 7, fast1: 0, answers1: 0 })).toBe(100);
    expect(late({ fast0: 0, answers0: 0, fast1: 0, answers1: 0 })).toBe(0);
    // No target group alone determines an SLO: one request of the new version is less than a hundredth of all.
    const failed = computed(rowsOf("orders-budget-slow-short").at(-1)?.expression);
    const nothing = { failed0: 0, refused0: 0, refused1: 0 };
    expect(failed({ ...nothing, requests0: 999, failed1: 1, requests1: 1 })).toBe(0.1);

    expect(orders.alarms.map(({ alarmName }) => alarmName)).toEqual(
      expect.arrayContaining(["fast", "slow"].map((part) => `shop-production-orders-latency-budget-${part}`)),
    );
    expect(orders.health.map(({ alarmName }) => alarmName).join()).not.toContain("budget");
    const widgets = widgetsOf(only(stack, "aws_cloudwatch_dashboard"));
    const drawnFast = widgets.find(({ properties }) => properties.title === "Responses within 500 ms (%)");
    const shown = computed(JSON.stringify(drawnFast?.properties.metrics).match(/"expression":"([^"]*)"/)?.[1]);
    expect(shown({ fast0: 985, answers0: 990, fast1: 0, answers1: 10 })).toBe(98.5);
    expect(shown({ fast0: 0, answers0: 0, fast1: 0, answers1: 0 })).toBe(100);
  });

  it("promises nothing of how long answers take unless asked", () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders", { addOns: [new Ingress(), new ServiceLevel()] });
    const names = Object.values(resources(stack, "aws_cloudwatch_metric_alarm")).map(({ alarm_name }) => alarm_name);
    expect(names.join()).not.toContain("latency");
  });

  it.each<[ServiceLevelProps, readonly string[]]>([
    [{ fast: { percent: 99.5, within: Duration.seconds(2) } }, []],
    [{ fast: { percent: 94, within: Duration.seconds(1) } }, ["SERVICE_LEVEL_PERCENT fast.percent"]],
    [{ fast: { percent: 100, within: Duration.seconds(1) } }, ["SERVICE_LEVEL_PERCENT fast.percent"]],
    [{ fast: { percent: 99, within: Duration.seconds(0) } }, ["SERVICE_LEVEL_WITHIN fast.within"]],
    [{ fast: { percent: 99, within: Duration.millis(0.5) } }, ["SERVICE_LEVEL_WITHIN fast.within"]],
    [
      { availablePercent: 100, fast: { percent: 9, within: Duration.millis(0) } },
      [
        "SERVICE_LEVEL_PERCENT availablePercent",
        "SERVICE_LEVEL_PERCENT fast.percent",
        "SERVICE_LEVEL_WITHIN fast.within",
      ],
    ],
  ])("by %j is refused if no alarm could detect a violation", (props, expected) => {
    const make = () => new CloudNativeService(ordersStack(), "Orders").add(new ServiceLevel(props));
    if (expected.length === 0) expect(make).not.toThrow();
    else expect(refusals(make)).toEqual(expected);
  });

  it.each([99.99999, 94, 100])("of %d %% is refused, or leaves something that may fail", (availablePercent) => {
    const make = () => new CloudNativeService(ordersStack(), "Orders").add(new ServiceLevel({ availablePercent }));
    if (availablePercent > 94 && availablePercent < 100) expect(make).not.toThrow();
    else expect(refusals(make)).toEqual(["SERVICE_LEVEL_PERCENT availablePercent"]);
  });

  it("needs requests", () => {
    const process = worker();
    expect(
      refusals(() => new CloudNativeService(ordersStack(), "Mailer", { process }).add(new ServiceLevel())),
    ).toEqual(["SERVICE_LEVEL_NO_REQUESTS process"]);
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders").add(new ServiceLevel());
    expect(() => synthesize(stack)).toThrow(/SERVICE_LEVEL_WITHOUT_INGRESS/);
  });
});
