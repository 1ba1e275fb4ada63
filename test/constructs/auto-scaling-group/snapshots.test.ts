import { describe, expect, it } from "vitest";
import { cron, Duration, InstanceTypes, MachineImage, UserData } from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { DEV, type shop } from "../../support/synth";
import { instances, registerWith, withInstances } from "./instances";

describe("what an AutoScalingGroup compiles to", () => {
  const snapshot = (platform: ReturnType<typeof shop>) => {
    const { resource } = synthesize(platform) as { resource: Record<string, Record<string, unknown>> };
    const ours = Object.entries(resource).flatMap(([type, byId]) =>
      Object.entries(byId)
        .filter(([id]) => id.startsWith("Instances_"))
        .map(([id, block]) => [`${type}.${id}`, block]),
    );
    return `${JSON.stringify(Object.fromEntries(ours), undefined, 2)}\n`;
  };

  it("with a network only", async () => {
    await expect(snapshot(instances())).toMatchFileSnapshot("auto-scaling-group.defaults.snap.json");
  });

  it("with everything", async () => {
    const { platform, props } = registerWith({
      healthPath: "/health",
      hosts: ["shop.example.com"],
      paths: ["/x/*"],
      priority: 5,
    });
    const { group } = withInstances(
      {
        ...props,
        instanceTypes: InstanceTypes.ofType("m7g.large", "m6g.large"),
        image: MachineImage.fromParameter("/images/golden"),
        scaling: {
          min: 2,
          max: 9,
          cpuPercent: 50,
          networkInMiB: 10,
          networkOutMiB: 20,
          requestsPerInstance: 100,
          prediction: "scale",
          schedules: [{ name: "Morning", schedule: cron("0 7 * * MON-FRI"), instances: 4 }],
        },
        spot: { onDemandBase: 1, percent: 50 },
        userData: UserData.script("echo hello\n"),
        diskGiB: 50,
        warmup: Duration.minutes(3),
        instanceRefresh: { minHealthyPercent: 90, maxHealthyPercent: 120 },
      },
      DEV,
      platform,
    );
    group.addLifecycleHook("Drain", { on: "terminate" });
    await expect(snapshot(platform)).toMatchFileSnapshot("auto-scaling-group.full.snap.json");
  });
});
