import { readFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  ChaosExperiment,
  type ChaosExperimentProps,
  CloudNativeService,
  cron,
  Duration,
  existingQueue,
  Fault,
  insecureHttp,
  job,
  Platform,
  type ServiceStack,
  worker,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { DEV, ordersStack, PRODUCTION, refusals, shop } from "../../support/synth";
import { AGENT, alarm, experiment, instances, orders } from "./experiments";

describe("an experiment is refused", () => {
  const stop = Fault.stopTasks({ percent: 50 });
  const refused = (props: Partial<ChaosExperimentProps>, target = orders()) =>
    refusals(() => experiment(target, props));

  it("where it is not allowed, and in production without explicit consent", () => {
    expect(refused({ environments: ["staging"] })).toEqual(["CHAOS_ENVIRONMENT environments"]);
    expect(refused({ environments: ["production"] }, orders(ordersStack(PRODUCTION)))).toEqual([
      "CHAOS_PRODUCTION production",
    ]);
    // Built like production, but serves no users.
    const staging = orders(ordersStack({ ...PRODUCTION, name: "staging" }));
    experiment(staging, { environments: ["staging"] });
  });

  it.each<[string, Partial<ChaosExperimentProps>]>([
    ["CHAOS_MEMORY_OF_TASKS fault memory", { fault: Fault.memory({ count: 1 }) }],
    ["CHAOS_SPOT_OF_TASKS fault spotInterruption", { fault: Fault.spotInterruption({ count: 1 }) }],
    ["CHAOS_FAULT_TARGET fault stopInstances", { fault: Fault.stopInstances({ count: 1 }) }],
    ["CHAOS_AGENT_IMAGE agentImage", { fault: Fault.cpu({ count: 1 }) }],
    ["CHAOS_AGENT_IMAGE agentImage", { fault: Fault.cpu({ count: 1 }), agentImage: "amazon-ssm-agent:latest" }],
    ["CHAOS_AGENT_UNUSED agentImage", { agentImage: AGENT }],
    ["CHAOS_RADIUS fault stopTasks", { fault: Fault.stopTasks({ percent: 0 }) }],
    ["CHAOS_RADIUS fault stopTasks", { fault: Fault.stopTasks({ percent: 33.3 }) }],
    ["CHAOS_RADIUS fault stopTasks", { fault: Fault.stopTasks({ count: 0 }) }],
    ["CHAOS_RADIUS fault stopTasks", { fault: Fault.stopTasks({ percent: 50, count: 1 }) }],
    ["CHAOS_RADIUS fault stopTasks", { fault: Fault.stopTasks({} as never) }],
    ["CHAOS_NOTHING_LEFT fault stopTasks.percent", { fault: Fault.stopTasks({ percent: 100 }) }],
    ["CHAOS_NO_HYPOTHESIS stopOn", { stopOn: [] }],
    ["CHAOS_NOTHING_LEFT fault stopTasks.count", { fault: Fault.stopTasks({ count: 4 }) }],
    ["CHAOS_NOBODY_HIT fault stopTasks.percent", { fault: Fault.stopTasks({ percent: 49 }) }],
    ["CHAOS_DURATION watch", { watch: Duration.seconds(30) }],
    ["CHAOS_REPORT_BUCKET report.bucketName", { report: { bucketName: "s3://game-days" } }],
    [
      "CHAOS_REPORT_DASHBOARD report.dashboards",
      { report: { bucketName: "game-days", dashboards: ["arn:aws:cloudwatch::1:dashboard/x"] } },
    ],
  ])("%s", (code, props) => {
    expect(refused({ fault: stop, ...props })).toEqual([code]);
  });

  it.each<[string, Fault]>([
    ["CHAOS_DURATION fault cpu.duration", Fault.cpu({ count: 1, duration: Duration.seconds(90) })],
    ["CHAOS_DURATION fault cpu.duration", Fault.cpu({ count: 1, duration: Duration.hours(13) })],
    ["CHAOS_PERCENT fault cpu.loadPercent", Fault.cpu({ count: 1, loadPercent: 101 })],
    ["CHAOS_PERCENT fault networkLoss.lossPercent", Fault.networkLoss({ count: 1, lossPercent: 0 })],
    [
      "CHAOS_DELAY fault networkLatency.delay",
      Fault.networkLatency({ count: 1, delay: Duration.millis(0), jitter: Duration.millis(0) }),
    ],
    ["CHAOS_DELAY fault networkLatency.delay", Fault.networkLatency({ count: 1, delay: Duration.millis(5) })],
    ["CHAOS_HOST fault networkLoss.hosts", Fault.blackhole({ count: 1, host: '${file("/etc/passwd")}' })],
    ["CHAOS_HOST fault networkLatency.hosts", Fault.networkLatency({ count: 1, hosts: [] })],
    ["CHAOS_PORT fault blackhole.port", Fault.blackhole({ count: 1, port: 70_000 })],
  ])("%s, inside of tasks", (code, fault) => {
    expect(refused({ fault, agentImage: AGENT })).toEqual([code]);
  });

  it("prints the command that finds the digest of the agent's image, like the docs", () => {
    const act = () => experiment(orders(), { fault: Fault.cpu({ count: 1 }) });
    const command = /docker buildx [^\n]*--format '[^\n]*'/;
    const page = readFileSync(join(__dirname, "../../../docs/chaos.md"), "utf8");
    const [line] = command.exec(page) ?? [];
    expect(line).toMatch(/amazon-ssm-agent:latest --format/);
    expect(act).toThrow(line);
  });

  it("on a job", () => {
    const nightly = new CloudNativeService(ordersStack(), "Nightly", {
      process: job({ schedule: cron("0 3 * * *"), command: ["node", "job.js"] }),
    });
    const stopOn = [alarm(nightly.node.scope as ServiceStack)];
    expect(refused({ stopOn }, nightly)).toEqual(["CHAOS_JOB target"]);
  });

  it("on instances without a hypothesis, with faults of others, and without Spot", () => {
    const group = instances();
    const stopOn = [alarm(group.node.scope as Platform)];
    expect(refusals(() => experiment(group, { fault: Fault.stopInstances({ count: 1 }) }, "A"))).toEqual([
      "CHAOS_NO_HYPOTHESIS stopOn",
    ]);
    expect(refusals(() => experiment(group, { stopOn }, "B"))).toEqual(["CHAOS_FAULT_TARGET fault stopTasks"]);
    expect(refusals(() => experiment(group, { stopOn, fault: Fault.spotInterruption({ count: 1 }) }, "C"))).toEqual([
      "CHAOS_NO_SPOT fault spotInterruption",
    ]);
    expect(
      refusals(() =>
        experiment(
          instances({ spot: {} }),
          { stopOn, fault: Fault.spotInterruption({ count: 1, after: Duration.minutes(1) }) },
          "D",
        ),
      ),
    ).toEqual(["CHAOS_DURATION fault spotInterruption.after"]);
  });

  it("on a platform, without explicit consent or with faults of other targets", () => {
    const platform = shop();
    const stack = platform.stack("game-days");
    const common = { target: platform, environments: ["dev"], stopOn: [alarm(stack)] };
    const zoneLoss = Fault.zoneLoss({ zone: 0, hits: "some" as never });
    expect(refusals(() => new ChaosExperiment(stack, "A", { ...common, fault: zoneLoss }))).toEqual([
      "CHAOS_ZONE_WORD fault zoneLoss.hits",
    ]);
    expect(refusals(() => new ChaosExperiment(stack, "B", { ...common, fault: stop }))).toEqual([
      "CHAOS_FAULT_TARGET fault stopTasks",
    ]);
  });

  it("in another stack than its target's", () => {
    const platform = shop();
    const target = orders(platform.stack("orders"));
    const other = platform.stack("payments");
    expect(refusals(() => new ChaosExperiment(other, "A", { target, fault: stop, environments: ["dev"] }))).toEqual([
      "CHAOS_OTHER_STACK target",
    ]);
    const elsewhere = new Platform(new App(), "bank", { environment: DEV, listener: insecureHttp() });
    const props = {
      target: elsewhere,
      fault: Fault.zoneLoss({ zone: 0, hits: "every service of the platform" }),
      environments: ["dev"],
      stopOn: [alarm(other)],
    };
    expect(refusals(() => new ChaosExperiment(other, "B", props))).toEqual(["CHAOS_OTHER_STACK target"]);
  });

  it("with exec, which uses the same agent, or without internet access to install it", () => {
    const open = orders(ordersStack(DEV, { cluster: { exec: {} } }), { exec: true });
    const inside = { fault: Fault.cpu({ count: 1 }), agentImage: AGENT };
    expect(refused(inside, open)).toEqual(["CHAOS_EXEC exec"]);
    // What is outside of tasks needs no agent.
    experiment(orders(ordersStack(DEV, { cluster: { exec: {} } }), { exec: true }), {});
    const dark = { ...DEV, registryMirror: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror" };
    expect(refused(inside, orders(ordersStack(dark, { vpc: { egress: "endpoints" } })))).toEqual([
      "INTERNET_OUT_OF_REACH agentImage",
    ]);
  });

  it("with two images of the agent", () => {
    const target = orders();
    experiment(target, { fault: Fault.cpu({ count: 1 }), agentImage: AGENT }, "A");
    const agentImage = AGENT.replaceAll("a".repeat(64), "b".repeat(64));
    expect(refusals(() => experiment(target, { fault: Fault.cpu({ count: 1 }), agentImage }, "B"))).toEqual([
      "CHAOS_AGENT_TWICE agentImage",
    ]);
  });

  it("where its percentage of the minimum number of tasks is zero; not where the minimum is zero", () => {
    const half = { fault: Fault.stopTasks({ percent: 50 }) };
    expect(refused(half, orders(ordersStack(), { scaling: { min: 1 } }))).toEqual([
      "CHAOS_NOBODY_HIT fault stopTasks.percent",
    ]);
    const group = instances({ scaling: { min: 1, max: 2 } });
    const stopOn = [alarm(group.node.scope as Platform)];
    expect(refusals(() => experiment(group, { stopOn, fault: Fault.cpu({ percent: 50 }) }))).toEqual([
      "CHAOS_NOBODY_HIT fault cpu.percent",
    ]);
    const queue = existingQueue(ordersStack(), "Mails", "arn:aws:sqs:eu-central-1:123456789012:mails");
    const mailer = new CloudNativeService(queue.node.scope!, "Mailer", { process: worker({ queue }) });
    expect(mailer.scaling?.min).toBe(0);
    experiment(mailer, { ...half, stopOn: [alarm(mailer.node.scope as ServiceStack)] });
  });

  it("at synth, if the service has no alarms", () => {
    const target = new CloudNativeService(ordersStack(), "Mailer", { process: worker(), scaling: { min: 2 } });
    experiment(target, {});
    expect(() => synthesize(target.node.scope as ServiceStack)).toThrow(/CHAOS_NO_HYPOTHESIS/);
  });

  it("at synth, if the service has too many alarms", () => {
    const target = orders();
    const stack = target.node.scope as ServiceStack;
    experiment(target, {});
    target.add({
      name: "Watched",
      bind: (host) => Array.from({ length: 5 }, () => host.addAlarm(alarm(stack), { rollsBack: true })),
    });
    expect(() => synthesize(stack)).toThrow(/CHAOS_STOP_CONDITIONS/);
    expect(refusals(() => experiment(target, { stopOn: Array.from({ length: 6 }, () => alarm(stack)) }, "B"))).toEqual([
      "CHAOS_STOP_CONDITIONS stopOn",
    ]);
  });
});
