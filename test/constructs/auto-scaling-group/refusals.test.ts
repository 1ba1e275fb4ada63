import { App } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  AutoScalingGroup,
  AwsStack,
  CloudNativeService,
  cron,
  Duration,
  every,
  Ingress,
  InstanceTypes,
  type Schedule,
  UserData,
} from "../../../constructs";
import { DEV, PRODUCTION, refusals, shop } from "../../support/synth";
import { inCluster, instances, registerWith, withInstances } from "./instances";

describe("AutoScalingGroup refuses", () => {
  const METRIC = { namespace: "A", metricName: "B" };
  const scheduled = (schedule: Schedule, count = 1) =>
    instances({ scaling: { schedules: [{ name: "X", schedule, instances: count }] } });

  it("an invalid schedule", () => {
    expect(() => scheduled(cron("61 99 * * FOO"))).toThrow(/minute must be 0 to 59/);
    expect(() => scheduled(cron("0 7 * * *", { timezone: "Nowhere/Atlantis" }))).toThrow(/IANA name/);
  });

  const endpoints = () => shop(DEV, { vpc: { egress: "endpoints" } });
  it.each<[string, () => unknown, string]>([
    ["a negative count", () => instances({ scaling: { min: -1 } }), "SCALING_MIN scaling"],
    ["half an instance", () => instances({ scaling: { max: 1.5 } }), "SCALING_MIN scaling"],
    ["min above max", () => instances({ scaling: { min: 5, max: 4 } }), "SCALING_MIN_GT_MAX scaling.min"],
    [
      "one instance in production",
      () => instances({ scaling: { min: 1 } }, PRODUCTION),
      "SCALING_MIN_ONE_ZONE scaling.min",
    ],
    [
      "a full instance as target",
      () => instances({ scaling: { cpuPercent: 95 } }),
      "SCALING_PERCENT scaling.cpuPercent",
    ],
    ["a target of nothing", () => instances({ scaling: { networkInMiB: 0 } }), "SCALING_TARGET scaling.networkInMiB"],
    [
      "requests without a load balancer",
      () => instances({ scaling: { requestsPerInstance: 100 } }),
      "SCALING_REQUESTS scaling.requestsPerInstance",
    ],
    [
      "an unknown prediction",
      () => instances({ scaling: { prediction: "guess" as never } }),
      "SCALING_PREDICTION scaling.prediction",
    ],
    ["a target beside ECS's", () => inCluster({ scaling: { cpuPercent: 50 } }), "SCALING_CLUSTER scaling"],
    [
      "a group in no VPC",
      () => new AutoScalingGroup(new AwsStack(new App(), "lone", { environment: DEV, lifetime: "platform" }), "Group"),
      "INSTANCE_VPC vpc",
    ],
    ["no type", () => instances({ instanceTypes: InstanceTypes.ofType() }), "INSTANCE_TYPES instanceTypes"],
    [
      "a hostile type",
      () => instances({ instanceTypes: InstanceTypes.ofType('${file("/x")}') }),
      "INSTANCE_TYPES instanceTypes",
    ],
    [
      "two architectures",
      () => instances({ instanceTypes: InstanceTypes.ofType("t4g.small", "t3.small") }),
      "INSTANCE_ARCHITECTURE instanceTypes",
    ],
    [
      "an unknown architecture",
      () =>
        instances({
          instanceTypes: InstanceTypes.atLeast({ vcpus: 1, memoryMiB: 512, architecture: "mips" as never }),
        }),
      "INSTANCE_ARCHITECTURE instanceTypes",
    ],
    [
      "no need",
      () => instances({ instanceTypes: InstanceTypes.atLeast({ vcpus: 0, memoryMiB: 512 }) }),
      "INSTANCE_REQUIREMENTS instanceTypes",
    ],
    [
      "a cluster that instances cannot reach",
      () => {
        const platform = endpoints();
        return withInstances({ cluster: platform.cluster }, DEV, platform);
      },
      "INSTANCE_ENDPOINTS vpc.endpoints",
    ],
    [
      "tasks without a way out",
      () => {
        const platform = shop(DEV, { vpc: { egress: "public-ip" } });
        return withInstances({ cluster: platform.cluster }, DEV, platform);
      },
      "INSTANCE_PUBLIC_IP vpc.egress",
    ],
    ["no Spot as Spot", () => instances({ spot: { percent: 0 } }), "SPOT_PERCENT spot.percent"],
    ["a base above max", () => instances({ spot: { onDemandBase: 9 } }), "SPOT_BASE spot.onDemandBase"],
    ["a disk too small for ECS", () => inCluster({ diskGiB: 20 }), "DISK_SIZE diskGiB"],
    ["an endless start", () => instances({ warmup: Duration.hours(2) }), "WARMUP warmup"],
    ["warm Spot", () => instances({ spot: {}, warmPool: {} }), "WARM_POOL_MIXED warmPool"],
    [
      "a warm pool smaller than the group",
      () => instances({ scaling: { min: 3 }, warmPool: { maxPrepared: 2 } }),
      "WARM_POOL_SIZE warmPool",
    ],
    ["an unknown state", () => instances({ warmPool: { state: "cold" as never } }), "WARM_POOL_STATE warmPool.state"],
    [
      "a refresh that replaces nothing",
      () => instances({ instanceRefresh: { minHealthyPercent: 100, maxHealthyPercent: 100 } }),
      "INSTANCE_REFRESH_PERCENT instanceRefresh",
    ],
    [
      "a refresh wider than AWS allows",
      () => instances({ instanceRefresh: { minHealthyPercent: 50, maxHealthyPercent: 200 } }),
      "INSTANCE_REFRESH_PERCENT instanceRefresh",
    ],
    [
      "SSH from the load balancer",
      () => {
        const { platform, props } = registerWith({ port: 22 });
        return withInstances(props, DEV, platform);
      },
      "REGISTRATION_PORT registerWith.port",
    ],
    [
      "a hostile health path",
      () => {
        const { platform, props } = registerWith({ healthPath: '/${file("/x")}' });
        return withInstances(props, DEV, platform);
      },
      "REGISTRATION_HEALTH_PATH registerWith.healthPath",
    ],
    [
      "a path that is none",
      () => {
        const { platform, props } = registerWith({ paths: ["catalog"] });
        return withInstances(props, DEV, platform);
      },
      "LISTENER_RULE_PATH registerWith.paths",
    ],
    [
      "a host that is none",
      () => {
        const { platform, props } = registerWith({ hosts: ["not a host!!"] });
        return withInstances(props, DEV, platform);
      },
      "LISTENER_RULE_HOST registerWith.hosts",
    ],
    [
      "more conditions than a rule has",
      () => {
        const { platform, props } = registerWith({
          paths: ["/a", "/b", "/c"],
          hosts: ["a.example.com", "b.example.com"],
        });
        return withInstances(props, DEV, platform);
      },
      "LISTENER_RULE_CONDITIONS registerWith.hosts and registerWith.paths",
    ],
    [
      "a priority that is not free",
      () => {
        const { platform, props } = registerWith({ priority: 1000 });
        return withInstances(props, DEV, platform);
      },
      "LISTENER_RULE_PRIORITY registerWith.priority",
    ],
    [
      "requests that a service of the platform takes",
      () => {
        const { platform, props } = registerWith({ paths: ["/v1/*"] });
        withInstances(props, DEV, platform);
        const orders = new CloudNativeService(platform.stack("orders"), "Orders");
        return orders.add(new Ingress({ paths: ["/v1/*"] }));
      },
      "LISTENER_RULE_OVERLAP hosts and paths",
    ],
    [
      "a script too long",
      () => instances({ userData: UserData.script("x".repeat(16_384)) }),
      "USER_DATA_SIZE userData",
    ],
    [
      "a variable that is none",
      () => instances({ userData: UserData.script("x", { variables: { "A B": "1" } }) }),
      "USER_DATA_VARIABLE userData.variables.A B",
    ],
    [
      "an id that gives no name",
      () => {
        const platform = shop();
        return new AutoScalingGroup(platform, "9");
      },
      "INSTANCE_NAME id",
    ],
    [
      "two of a name in one cluster",
      () => {
        const { platform } = inCluster();
        return platform.cluster.addInstances({
          name: "Instances",
          autoScalingGroupArn: "arn",
          autoScalingGroupName: "name",
          architecture: "arm64",
          warmup: Duration.minutes(1),
        });
      },
      "CLUSTER_INSTANCES_TWICE cluster",
    ],
    [
      "a metric without a name",
      () => instances({ scaling: { metrics: [{ name: "X", metric: { namespace: "A", metricName: "" }, target: 1 }] } }),
      "METRIC scaling.metrics.X.metric",
    ],
    [
      "a target of zero",
      () => instances({ scaling: { metrics: [{ name: "X", metric: METRIC, target: 0 }] } }),
      "SCALING_TARGET scaling.metrics.X",
    ],
    [
      "no steps",
      () => instances({ scaling: { steps: [{ name: "X", metric: METRIC, out: [] }] } }),
      "SCALING_STEPS scaling.steps.X",
    ],
    [
      "steps in and out that meet",
      () =>
        instances({
          scaling: {
            steps: [{ name: "X", metric: METRIC, out: [{ from: 10, add: 1 }], in: [{ upTo: 10, remove: 1 }] }],
          },
        }),
      "SCALING_STEPS_OVERLAP scaling.steps.X.in",
    ],
    [
      "one name for two policies",
      () =>
        instances({
          scaling: {
            metrics: [{ name: "X", metric: METRIC, target: 1 }],
            steps: [{ name: "X", metric: METRIC, out: [{ from: 10, add: 1 }] }],
          },
        }),
      'SCALING_NAME scaling name "X"',
    ],
    [
      "the name of a policy that another prop creates",
      () => instances({ scaling: { networkInMiB: 5, metrics: [{ name: "NetworkIn", metric: METRIC, target: 1 }] } }),
      'SCALING_NAME scaling name "NetworkIn"',
    ],
    [
      "a schedule that is a plain text",
      () => scheduled("0 7 * * *" as never),
      "PROP_TYPE scaling.schedules[0].schedule",
    ],
    [
      "a schedule by an interval",
      () => scheduled(every(Duration.hours(1))),
      "SCHEDULE_INTERVAL scaling.schedules.X.schedule",
    ],
    ["a schedule beyond max", () => scheduled(cron("0 7 * * *"), 5), "SCHEDULE_CAPACITY scaling.schedules.X.instances"],
    [
      "a schedule where ECS decides",
      () => inCluster({ scaling: { schedules: [{ name: "X", schedule: cron("0 7 * * *"), instances: 1 }] } }),
      "SCALING_CLUSTER scaling",
    ],
    [
      "an unknown transition",
      () => withInstances().group.addLifecycleHook("X", { on: "pause" as never }),
      "LIFECYCLE_HOOK_TRANSITION X.on",
    ],
    [
      "a hook without time",
      () => withInstances().group.addLifecycleHook("X", { on: "launch", timeout: Duration.seconds(1) }),
      "LIFECYCLE_HOOK_TIMEOUT X.timeout",
    ],
  ])("%s", (_, act, expected) => {
    expect(refusals(act)).toEqual([expected]);
  });
});
