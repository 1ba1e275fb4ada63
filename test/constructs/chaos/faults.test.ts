import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import {
  type AutoScalingGroup,
  ChaosExperiment,
  type ChaosExperimentProps,
  Duration,
  Fault,
  type Platform,
  PlatformDashboard,
  type PlatformProps,
  type ServiceStack,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { DEV, ordersStack, refusals, shop } from "../../support/synth";
import {
  AGENT,
  alarm,
  containersOf,
  experiment,
  instances,
  orders,
  parametersOf,
  statementsOf,
  type Template,
  taskOf,
  templateOf,
} from "./experiments";

describe("faults inside of tasks", () => {
  it("add an agent sidecar, the only container with root and a writable root file system", () => {
    const target = orders();
    experiment(target, {
      fault: Fault.cpu({ count: 1, loadPercent: 90, duration: Duration.minutes(10) }),
      agentImage: AGENT,
    });
    const [agent, app] = containersOf(target).sort((a, b) => (a.name < b.name ? -1 : 1)) as [Template, Template];
    expect(agent).toMatchObject({
      name: "fault-agent",
      image: AGENT,
      essential: false,
      user: "0",
      readonlyRootFilesystem: false,
      memory: 512,
    });
    expect(app).toMatchObject({ name: "orders", user: "1000:1000", readonlyRootFilesystem: true });
    expect(templateOf(target)).toMatchObject({
      action: [{ action_id: "aws:ecs:task-cpu-stress" }, { action_id: "aws:fis:wait" }],
      target: [{ selection_mode: "COUNT(1)" }],
    });
    expect(parametersOf(templateOf(target))).toEqual({ duration: "PT10M", percent: "90" });
    expect(taskOf(target).pid_mode).toBeUndefined();
    expect(taskOf(target).enable_fault_injection).toBeUndefined();
  });

  it("name the agent's role with the required path of the account", () => {
    const target = orders(ordersStack({ ...DEV, guardrails: { rolePath: "/services/" } }));
    experiment(target, { fault: Fault.cpu({ count: 1 }), agentImage: AGENT });
    const agent = containersOf(target).find(({ name }) => name === "fault-agent");
    expect(agent?.environment).toContainEqual({
      name: "MANAGED_INSTANCE_ROLE_NAME",
      value: expect.stringMatching(/^services\/\$\{.*aws_iam_role\..*FaultAgent.*\.name.*\}$/),
    });
  });

  it("allow the app to register under its own name, and the experiment to reach no other", () => {
    const target = orders();
    experiment(target, { fault: Fault.cpu({ count: 1 }), agentImage: AGENT });
    const stack = target.node.scope;
    const registers = statementsOf(stack, "TaskRole").find(({ Action }) => Action.includes("ssm:CreateActivation"));
    expect(registers?.Condition.StringEquals).toEqual({ "aws:RequestTag/ECS_SERVICE": "shop-dev-orders" });
    const sends = statementsOf(stack, "Shaken_Role").filter(({ Action }) => Action.includes("ssm:SendCommand"));
    expect(sends).toEqual([
      expect.objectContaining({
        Resource: [expect.stringMatching(/:managed-instance\/\*$/)],
        Condition: { StringEquals: { "aws:ResourceTag/ECS_SERVICE": "shop-dev-orders" } },
      }),
      expect.objectContaining({ Resource: [expect.stringMatching(/::document\/AWSFIS-Run-CPU-Stress$/)] }),
    ]);
  });

  it.each([
    [
      Fault.networkLatency({ percent: 100, delay: Duration.millis(300), jitter: Duration.millis(50) }),
      "aws:ecs:task-network-latency",
      { delayMilliseconds: "300", jitterMilliseconds: "50", sources: "ALL" },
    ],
    [
      Fault.networkLoss({ percent: 100, lossPercent: 20, hosts: ["api.example.com", "10.0.0.0/16"] }),
      "aws:ecs:task-network-packet-loss",
      { lossPercent: "20", sources: "api.example.com,10.0.0.0/16" },
    ],
    [
      Fault.blackhole({ percent: 100, port: 5432 }),
      "aws:ecs:task-network-blackhole-port",
      { port: "5432", protocol: "tcp", trafficType: "egress" },
    ],
    [
      Fault.blackhole({ percent: 100, host: "api.example.com" }),
      "aws:ecs:task-network-packet-loss",
      { lossPercent: "100", sources: "api.example.com" },
    ],
  ])("of the network configure the task for fault injection: %#", (fault, actionId, parameters) => {
    const target = orders();
    experiment(target, { fault, agentImage: AGENT });
    expect(templateOf(target).action[0].action_id).toBe(actionId);
    expect(parametersOf(templateOf(target))).toEqual({
      ...parameters,
      duration: "PT5M",
      useEcsFaultInjectionEndpoints: "true",
    });
    expect(taskOf(target)).toMatchObject({ pid_mode: "task", enable_fault_injection: true });
  });

  it("share one agent", () => {
    const target = orders();
    experiment(target, { fault: Fault.cpu({ count: 1 }), agentImage: AGENT }, "Busy");
    experiment(target, { fault: Fault.networkLatency({ count: 1 }), agentImage: AGENT }, "Late");
    experiment(target, { fault: Fault.networkLoss({ count: 1 }), agentImage: AGENT }, "Lossy");
    expect(containersOf(target)).toHaveLength(2);
    expect(taskOf(target).pid_mode).toBe("task");
  });

  it("have a valid bash script, without Terraform expressions", () => {
    const target = orders();
    experiment(target, { fault: Fault.cpu({ count: 1 }), agentImage: AGENT });
    const [bash, flag, script] = containersOf(target).find(({ name }) => name === "fault-agent")?.command ?? [];
    expect([bash, flag]).toEqual(["/bin/bash", "-c"]);
    expect(script).not.toMatch(/[$%]\{/);
    expect(spawnSync("bash", ["-n", "-c", script]).status).toBe(0);
  });
});

describe("faults of instances", () => {
  const stopOn = (target: AutoScalingGroup) => [alarm(target.node.scope as Platform)];

  it.each([
    [Fault.stopInstances({ count: 1 }), "aws:ec2:stop-instances", "Instances", {}, "ec2:StopInstances"],
    [
      Fault.spotInterruption({ percent: 50, after: Duration.minutes(4) }),
      "aws:ec2:send-spot-instance-interruptions",
      "SpotInstances",
      { durationBeforeInterruption: "PT4M" },
      "ec2:SendSpotInstanceInterruptions",
    ],
    [
      Fault.memory({ count: 1, loadPercent: 95 }),
      "aws:ssm:send-command",
      "Instances",
      {
        documentArn: expect.stringMatching(/::document\/AWSFIS-Run-Memory-Stress$/),
        documentParameters: expect.objectContaining({ DurationSeconds: "300", Percent: "95" }),
        duration: "PT5M",
      },
      "ssm:SendCommand",
    ],
    [
      Fault.cpu({ count: 1 }),
      "aws:ssm:send-command",
      "Instances",
      {
        documentArn: expect.stringMatching(/::document\/AWSFIS-Run-CPU-Stress$/),
        documentParameters: expect.objectContaining({ DurationSeconds: "300", LoadPercent: "80" }),
        duration: "PT5M",
      },
      "ssm:SendCommand",
    ],
  ])("affect only this group: %#", (fault, actionId, key, parameters, allowed) => {
    const target = instances({ spot: {} });
    experiment(target, { fault, stopOn: stopOn(target) });
    const template = templateOf(target);
    expect(template.action[0]).toMatchObject({ action_id: actionId, target: { key, value: "target" } });
    expect(parametersOf(template)).toEqual(parameters);
    const group = expect.stringMatching(/^\$\{aws_autoscaling_group\..*\.name\}$/);
    expect(template.target[0].resource_tag).toEqual([{ key: "aws:autoscaling:groupName", value: group }]);
    const hits = statementsOf(target.node.scope, "Shaken_Role").filter(
      ({ Action, Resource }) => Action.includes(allowed) && String(Resource).includes("instance/"),
    );
    expect(hits.map(({ Condition }) => Condition)).toEqual([
      { StringEquals: { "aws:ResourceTag/aws:autoscaling:groupName": group } },
    ]);
  });
});

describe("the loss of a zone", () => {
  function lose(
    zone: number,
    props: Partial<PlatformProps> = {},
    more: Partial<ChaosExperimentProps> = {},
  ): ServiceStack {
    const platform = shop(DEV, props);
    new PlatformDashboard(platform, "Dashboard");
    const service = orders(platform.stack("orders"));
    const stack = platform.stack("game-days");
    new ChaosExperiment(stack, "ZoneLoss", {
      target: platform,
      fault: Fault.zoneLoss({ zone, hits: "every service of the platform" }),
      environments: ["dev"],
      stopOn: service.alarms,
      ...more,
    });
    return stack;
  }

  it("disconnects the subnets of one zone, and stops on alarms of other stacks", () => {
    const stack = lose(1);
    const template = templateOf(stack);
    expect(template.action[0].action_id).toBe("aws:network:disrupt-connectivity");
    expect(parametersOf(template)).toEqual({ duration: "PT5M", scope: "all" });
    expect(template.target[0].resource_arns).toEqual([
      expect.stringMatching(/subnet\/\$\{element\(.*publicSubnetIds.*, 1\)\}$/),
      expect.stringMatching(/subnet\/\$\{element\(.*privateSubnetIds.*, 1\)\}$/),
    ]);
    expect(template.stop_condition[0].value).toMatch(/:alarm:shop-dev-orders-errors$/);
    expect(synthesize(stack)).not.toHaveProperty("data.terraform_remote_state");
  });

  it("has a role that may act only on these subnets", () => {
    const moves = statementsOf(lose(0), "ZoneLoss_Role").find(({ Action }) =>
      Action.includes("ec2:ReplaceNetworkAclAssociation"),
    );
    expect(moves?.Resource.filter((arn: string) => arn.includes(":subnet/"))).toHaveLength(2);
  });

  it("shows the platform's dashboard in its report, by name, because it is in another stack", () => {
    const stack = lose(0, {}, { report: { bucketName: "shop-game-days" } });
    expect(templateOf(stack).experiment_report_configuration.data_sources).toEqual({
      cloudwatch_dashboard: [{ dashboard_arn: expect.stringMatching(/:dashboard\/shop-dev$/) }],
    });
    expect(synthesize(stack)).not.toHaveProperty("data.terraform_remote_state");
  });

  it("supports a network without private subnets", () => {
    const arns = templateOf(lose(0, { vpc: { egress: "public-ip" } })).target[0].resource_arns;
    expect(arns).toEqual([expect.stringContaining("publicSubnetIds")]);
  });

  it("is refused for a zone that does not exist", () => {
    expect(refusals(() => lose(2))).toEqual(["CHAOS_ZONE fault zoneLoss.zone"]);
  });
});
