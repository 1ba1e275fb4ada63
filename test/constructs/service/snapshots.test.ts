import { describe, expect, it } from "vitest";
import {
  Capacity,
  CloudNativeService,
  cron,
  Duration,
  existingService,
  Image,
  Ingress,
  LogStream,
  rolling,
  type ServiceAddOn,
  type ServiceStack,
  web,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { ordersStack, PRODUCTION } from "../../support/synth";

/** Resources of a service, in both of its stacks. */
function snapshot(stack: ServiceStack): string {
  const ours = [stack.data, stack].flatMap((each) =>
    Object.entries((synthesize(each).resource ?? {}) as Record<string, Record<string, unknown>>).flatMap(
      ([type, byId]) => Object.entries(byId).map(([id, block]) => [`${type}.${id}`, block]),
    ),
  );
  return `${JSON.stringify(Object.fromEntries(ours), undefined, 2)}\n`;
}

const agent: ServiceAddOn = {
  name: "Agent",
  bind: (host) => {
    const image = `registry.example.com/agent@sha256:${"b".repeat(64)}`;
    host.addSidecar({ name: "agent", image, cpu: 64, memoryMiB: 128, startBeforeApp: true });
    host.addEnvironment("AGENT_URL", "http://127.0.0.1:4318");
  },
};

describe("what a CloudNativeService compiles to", () => {
  it("with defaults only", async () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders");
    await expect(snapshot(stack)).toMatchFileSnapshot("cloud-native-service.defaults.snap.json");
  });

  it("with everything, in production", async () => {
    const stack = ordersStack(PRODUCTION);
    const orders = new CloudNativeService(stack, "Orders", {
      process: web({ port: 3000, livePath: "/live", readyPath: "/ready", command: ["node", "dist/main.js"] }),
      image: Image.digest(`registry.example.com/orders@sha256:${"a".repeat(64)}`),
      size: { cpu: 512, memoryMiB: 1024 },
      architecture: "x86_64",
      capacity: [Capacity.fargate({ base: 3 }), Capacity.fargateSpot({ weight: 2 })],
      scaling: {
        min: 3,
        max: 30,
        cpuPercent: 55,
        memoryPercent: 70,
        requestsPerTask: 600,
        schedules: [{ name: "Morning", schedule: cron("30 7 * * MON-FRI"), min: 6 }],
      },
      deployment: rolling({ errorPercent: 2, minimumRequests: 50 }),
      environment: { GREETING: "hello" },
      secrets: { API_KEY: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-a1b2c3" },
      logs: new LogStream(stack, "Audit", { delivery: "audit" }),
      stopTimeout: Duration.seconds(60),
      user: "10001",
      addOns: [agent],
    });
    orders.add(new Ingress({ hosts: ["orders.example.com"], zoneId: "Z0123456789ABCDEFGHIJ", certificate: true }));
    orders.call(existingService("payments"), { timeout: Duration.seconds(1) });
    await expect(snapshot(stack)).toMatchFileSnapshot("cloud-native-service.full.snap.json");
  });
});
