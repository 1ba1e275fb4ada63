import { describe, expect, it } from "vitest";
import {
  CloudNativeService,
  cron,
  existingQueue,
  Ingress,
  type Scaling,
  type ServiceAddOn,
  web,
  worker,
} from "../../../../constructs";
import { keptWithoutAZone } from "../../../../constructs/service/scaling/scaling-props";
import { synthesize } from "../../../../constructs/testing";
import { DEV, only, ordersStack, PRODUCTION, refusals, resources, warnings } from "../../../support/synth";

function orders(scaling: Scaling, environment = DEV) {
  const stack = ordersStack(environment);
  const service = new CloudNativeService(stack, "Orders", { process: web(), scaling });
  return { stack, service };
}

const METRIC = { namespace: "Shop", metricName: "Sessions", dimensions: { Kind: "${x}" } };
const policies = (stack: ReturnType<typeof ordersStack>) =>
  Object.fromEntries(Object.values(resources(stack, "aws_appautoscaling_policy")).map((each) => [each.name, each]));

describe("scaling", () => {
  it("by requests uses the busiest target group, also with two", () => {
    const { stack, service } = orders({ requestsPerTask: 600 });
    service.add(new Ingress());
    const expression = () => {
      const configuration = policies(stack)["scale-on-requests"]?.target_tracking_scaling_policy_configuration as {
        target_value: number;
        customized_metric_specification: { metrics: { id: string; expression?: string; return_data: boolean }[] };
      };
      expect(configuration.target_value).toBe(600);
      const { metrics } = configuration.customized_metric_specification;
      expect(metrics.filter(({ return_data }) => return_data).map(({ id }) => id)).toEqual(["result"]);
      return [metrics.find(({ id }) => id === "result")?.expression, metrics.length];
    };
    expect(expression()).toEqual(["MAX([FILL(requests0, REPEAT) / tasks0])", 3]);

    const second: ServiceAddOn = {
      name: "Second",
      bind: (host) =>
        host.addTarget({
          targetGroupArn: "arn:tg",
          targetGroupArnSuffix: "targetgroup/second",
          loadBalancerArnSuffix: "app/lb",
          dependsOn: [],
        }),
    };
    service.add(second);
    expect(expression()).toEqual(["MAX([FILL(requests0, REPEAT) / tasks0, FILL(requests1, REPEAT) / tasks1])", 5]);
    expect(only(stack, "aws_ecs_service").load_balancer).toHaveLength(2);
  });

  it("by requests needs an Ingress", () => {
    expect(() => synthesize(orders({ requestsPerTask: 600 }).stack)).toThrow(/SCALING_REQUESTS_WITHOUT_INGRESS/);
  });

  it("by a custom metric keeps it at a target value, and passes its name as text", () => {
    const { stack } = orders({ metrics: [{ name: "Sessions", metric: METRIC, target: 200 }] });
    expect(policies(stack)["scale-on-sessions"]).toMatchObject({
      target_tracking_scaling_policy_configuration: {
        target_value: 200,
        customized_metric_specification: {
          metrics: [{ metric_stat: { metric: { dimensions: [{ name: "Kind", value: "$${x}" }] }, stat: "Average" } }],
        },
      },
    });
  });

  it("by steps adds the tasks of each step, on an alarm at the first", () => {
    const out = [
      { from: 500, add: 4 },
      { from: 100, add: 1 },
    ];
    const { stack } = orders({ steps: [{ name: "Backlog", metric: METRIC, out }] });
    expect(policies(stack)["scale-on-backlog"]).toMatchObject({
      policy_type: "StepScaling",
      step_scaling_policy_configuration: {
        adjustment_type: "ChangeInCapacity",
        step_adjustment: [
          { metric_interval_lower_bound: "0", metric_interval_upper_bound: "400", scaling_adjustment: 1 },
          { metric_interval_lower_bound: "400", scaling_adjustment: 4 },
        ],
      },
    });
    expect(only(stack, "aws_cloudwatch_metric_alarm")).toMatchObject({
      alarm_actions: [expect.stringContaining("aws_appautoscaling_policy.")],
      threshold: 100,
    });
  });

  it("by a schedule changes the bounds, which Terraform then ignores", () => {
    const { stack } = orders({
      schedules: [{ name: "Morning", schedule: cron("30 7 * * 1-5", { timezone: "Europe/Berlin" }), min: 3, max: 9 }],
    });
    expect(only(stack, "aws_appautoscaling_scheduled_action")).toMatchObject({
      scalable_target_action: { max_capacity: "9", min_capacity: "3" },
      schedule: "cron(30 7 ? * MON-FRI *)",
      timezone: "Europe/Berlin",
    });
    expect(only(stack, "aws_appautoscaling_target").lifecycle).toMatchObject({
      ignore_changes: ["max_capacity", "min_capacity"],
      // New bounds in the code are written all the same.
      replace_triggered_by: [expect.anything(), expect.stringMatching(/^terraform_data\.Orders_ScalingBounds_\w+$/)],
    });
    expect(only(orders({}).stack, "aws_appautoscaling_target").lifecycle).not.toHaveProperty("ignore_changes");
  });

  it("is ignored by Terraform in the number of tasks, and follows a replaced service", () => {
    const { stack, service } = orders({
      memoryPercent: 70,
      requestsPerTask: 5,
      metrics: [{ name: "Sessions", metric: METRIC, target: 200 }],
      schedules: [{ name: "Night", schedule: cron("0 22 * * *"), max: 2 }],
    });
    service.add(new Ingress());
    expect(only(stack, "aws_ecs_service").lifecycle).toMatchObject({
      ignore_changes: expect.arrayContaining(["desired_count"]),
    });
    const all = ["aws_appautoscaling_policy", "aws_appautoscaling_scheduled_action"].flatMap((type) =>
      Object.values(resources(stack, type)),
    );
    expect(all).toHaveLength(5);
    for (const { lifecycle } of all) {
      expect(lifecycle).toMatchObject({
        replace_triggered_by: ["aws_appautoscaling_target.Orders_Scaling_B3D91DE5.id"],
      });
    }
  });

  it.each<[string, Scaling, string]>([
    ["more tasks than ECS allows", { max: 5001 }, "SCALING_MAX_QUOTA scaling.max"],
    ["messages without a queue", { messagesPerTask: 5 }, "SCALING_MESSAGES_WITHOUT_QUEUE scaling.messagesPerTask"],
    ["no requests per task", { requestsPerTask: 0 }, "SCALING_TARGET scaling.requestsPerTask"],
    [
      "a target of nothing",
      { metrics: [{ name: "A", metric: METRIC, target: -1 }] },
      "SCALING_TARGET scaling.metrics.A",
    ],
    ["steps that are none", { steps: [{ name: "A", metric: METRIC, out: [] }] }, "SCALING_STEPS scaling.steps.A"],
    [
      "steps that fall",
      {
        steps: [
          {
            name: "A",
            metric: METRIC,
            out: [
              { from: 5, add: 2 },
              { from: 9, add: 1 },
            ],
          },
        ],
      },
      "SCALING_STEPS scaling.steps.A",
    ],
    [
      "more steps than a policy has",
      { steps: [{ name: "A", metric: METRIC, out: Array.from({ length: 21 }, (_, from) => ({ from, add: 1 })) }] },
      "SCALING_STEPS scaling.steps.A",
    ],
    [
      "a dimension that begins with a colon",
      { metrics: [{ name: "Depth", metric: { ...METRIC, dimensions: { ":Queue": "a" } }, target: 5 }] },
      "METRIC scaling.metrics.Depth.metric",
    ],
    [
      "a target for a metric without a name",
      { metrics: [{ name: "Depth", metric: { namespace: "Shop", metricName: "" }, target: 5 }] },
      "METRIC scaling.metrics.Depth.metric",
    ],
    [
      "steps on a metric whose namespace has a colon",
      { steps: [{ name: "Depth", metric: { namespace: "A:B", metricName: "C" }, out: [{ from: 1, add: 1 }] }] },
      "METRIC scaling.steps.Depth.metric",
    ],
    [
      "a schedule that is a plain text",
      { schedules: [{ name: "A", schedule: "0 1 * * *" as never, min: 3 }] },
      "PROP_TYPE scaling.schedules[0].schedule",
    ],
    [
      "a schedule that changes nothing",
      { schedules: [{ name: "A", schedule: cron("0 1 * * *") }] },
      "SCALING_SCHEDULE scaling.schedules.A",
    ],
    [
      "a schedule with min above max",
      { schedules: [{ name: "A", schedule: cron("0 1 * * *"), min: 4, max: 2 }] },
      "SCALING_SCHEDULE scaling.schedules.A",
    ],
    [
      "a name that is none",
      { metrics: [{ name: "${x}", metric: METRIC, target: 1 }] },
      'SCALING_NAME scaling name "${x}"',
    ],
  ])("refuses %s", (_, scaling, expected) => {
    expect(refusals(() => orders(scaling))).toEqual([expected]);
  });

  it("refuses a schedule with conflicting bounds", () => {
    const schedules = [{ name: "Morning", schedule: cron("0 7 * * *"), min: 9 }];
    expect(refusals(() => orders({ max: 8, schedules }))).toEqual(["SCALING_SCHEDULE scaling.schedules.Morning"]);
  });

  it("refuses the names of its own policies, as far as they exist", () => {
    const named = (name: string) => [{ name, metric: METRIC, target: 1 }];
    expect(refusals(() => orders({ metrics: named("Cpu") }))).toEqual(['SCALING_NAME scaling name "Cpu"']);
    const schedules = [{ name: "OnCpu", schedule: cron("0 7 * * *"), min: 2 }];
    expect(refusals(() => orders({ schedules }))).toEqual(['SCALING_NAME scaling name "OnCpu"']);
    expect(() => orders({ metrics: named("Requests") })).not.toThrow();
    expect(refusals(() => orders({ metrics: named("Requests"), requestsPerTask: 5 }))).toEqual([
      'SCALING_NAME scaling name "Requests"',
    ]);
  });

  it("refuses duplicate names, and scaling on requests for a worker", () => {
    const metric = { name: "A", metric: METRIC, target: 1 };
    expect(refusals(() => orders({ metrics: [metric, metric] }))).toEqual(['SCALING_NAME scaling name "A"']);
    const stack = ordersStack();
    const queue = existingQueue(stack, "Mails", "arn:aws:sqs:eu-central-1:123456789012:mails");
    const process = worker({ queue });
    expect(
      refusals(() => new CloudNativeService(stack, "Mailer", { process, scaling: { requestsPerTask: 5 } })),
    ).toEqual(["SCALING_REQUESTS_OF_WORKER scaling.requestsPerTask"]);
  });
});

describe("the loss of a zone", () => {
  it.each([
    [2, 2, 1 / 2],
    [2, 3, 1 / 2],
    [3, 3, 2 / 3],
    [3, 2, 1 / 3],
    [4, 3, 1 / 2],
    [9, 3, 2 / 3],
  ])("leaves this percentage of %d tasks over %d zones", (tasks, zones, kept) => {
    expect(keptWithoutAZone(tasks, zones)).toBeCloseTo(kept);
  });

  const cpu = (scaling: Scaling, environment = PRODUCTION) => {
    const configuration = policies(orders(scaling, environment).stack)["scale-on-cpu"]
      ?.target_tracking_scaling_policy_configuration as { target_value: number } | undefined;
    return configuration?.target_value;
  };

  it("sets the target utilization in production by default", () => {
    expect(cpu({})).toBe(50);
    expect(cpu({ min: 3 })).toBe(60);
    expect(cpu({ cpuPercent: 80 })).toBe(80);
    expect(cpu({}, DEV)).toBe(60);
  });

  it("warns if the remaining tasks would be overloaded, and if max leaves no headroom", () => {
    const codes = (scaling: Scaling, environment = PRODUCTION) => warnings(orders(scaling, environment).service);
    expect(codes({ min: 2, cpuPercent: 80 })).toEqual([
      expect.stringMatching(/160 %.*<= 50\..*\[ZONE_LOSS_OVERLOAD\]/s),
    ]);
    expect(codes({ min: 3, max: 3 })).toEqual([expect.stringContaining("[SCALING_NO_ROOM]")]);
    expect(codes({ min: 2 })).toEqual([]);
    expect(codes({ min: 1, cpuPercent: 80 }, DEV)).toEqual([]);
  });

  it("is checked for scheduled bounds too, in production", () => {
    const schedules = [{ name: "Night", schedule: cron("0 22 * * *"), min: 1 }];
    expect(refusals(() => orders({ schedules }, PRODUCTION))).toEqual([
      "SCALING_MIN_ONE_ZONE scaling.schedules.Night.min",
    ]);
  });
});

describe("the network", () => {
  const inVpc = (cidr: string, max: number, environment = DEV) => {
    const stack = ordersStack(environment, { vpc: { cidr } });
    new CloudNativeService(stack, "Orders", { scaling: { min: 2, max: 10 } });
    return () => new CloudNativeService(stack, "Payments", { scaling: { min: 2, max } });
  };

  it("has room for all tasks at max, old and new together, also after the loss of a zone in production", () => {
    // A /22 has two zones of 123 addresses in dev, three in production.
    expect(inVpc("10.0.0.0/22", 113)()).toBeDefined();
    expect(refusals(inVpc("10.0.0.0/22", 114))).toEqual(["SUBNETS_FULL_AT_MAX scaling.max"]);
    expect(inVpc("10.0.0.0/22", 113, PRODUCTION)()).toBeDefined();
    expect(refusals(inVpc("10.0.0.0/22", 114, PRODUCTION))).toEqual(["SUBNETS_FULL_AT_MAX scaling.max"]);
    expect(inVpc("10.0.0.0/16", 114)()).toBeDefined();
  });
});
