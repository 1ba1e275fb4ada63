import type { TerraformStack } from "cdktf";
import { describe, expect, it } from "vitest";
import { AutoScalingGroup, CloudNativeService, cron } from "../../../constructs";
import { ordersStack, resources, shop } from "../../support/synth";

const METRIC = { namespace: "Shop", metricName: "Sessions" };

/** Address that each resource of the types comes after, by its own address, limited to resources of these types. */
function order(stack: TerraformStack, types: readonly string[]): [string, string[]][] {
  return types.flatMap((type) =>
    Object.entries(resources(stack, type)).map(([id, { depends_on = [] }]): [string, string[]] => [
      `${type}.${id}`,
      (depends_on as string[]).filter((address) => types.includes(address.split(".")[0] ?? "")),
    ]),
  );
}

/** Expects each resource to come after exactly one other, but for the first. */
function expectSequence(resources: readonly [string, string[]][]) {
  const before = resources.flatMap(([, others]) => others);
  expect(resources.filter(([, others]) => others.length === 0)).toHaveLength(1);
  expect(new Set(before).size).toBe(resources.length - 1);
  expect(before).toHaveLength(resources.length - 1);
}

const times = [
  ["Morning", "0 7 * * *"],
  ["Evening", "0 19 * * *"],
] as const;

describe("AWS is asked for one change of a target at a time", () => {
  it("for the policies and schedules of a service", () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders", {
      scaling: {
        min: 1,
        max: 4,
        cpuPercent: 60,
        memoryPercent: 70,
        metrics: [{ name: "Sessions", metric: METRIC, target: 5 }],
        steps: [{ name: "Backlog", metric: METRIC, out: [{ from: 9, add: 1 }] }],
        schedules: times.map(([name, time], index) => ({ name, schedule: cron(time), min: 2 - index })),
      },
    });
    const changes = order(stack, ["aws_appautoscaling_policy", "aws_appautoscaling_scheduled_action"]);
    expect(changes).toHaveLength(6);
    expectSequence(changes);
  });

  it("for the policies and schedules of a group of instances", () => {
    const platform = shop();
    new AutoScalingGroup(platform, "Workers", {
      cluster: "none",
      scaling: {
        max: 4,
        cpuPercent: 60,
        networkInMiB: 100,
        steps: [{ name: "Backlog", metric: METRIC, out: [{ from: 9, add: 1 }], in: [{ upTo: 1, remove: 1 }] }],
        schedules: times.map(([name, time], index) => ({ name, schedule: cron(time), instances: 4 - index })),
      },
    });
    const changes = order(platform, ["aws_autoscaling_policy", "aws_autoscaling_schedule"]);
    expect(changes).toHaveLength(6);
    expectSequence(changes);
  });
});
