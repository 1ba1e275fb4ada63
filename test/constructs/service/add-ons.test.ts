import { describe, expect, it } from "vitest";
import type { ServiceAddOn } from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { only, refusals } from "../../support/synth";
import { containers, DIGEST, environmentOf, orders } from "./orders";

describe("an add-on", () => {
  it("may have a writable root and a memory limit, without a change to the app", () => {
    const { stack, service } = orders();
    service.add({
      name: "Agent",
      bind: (host) => host.addSidecar({ name: "agent", image: DIGEST, cpu: 64, memoryMiB: 128, writableRoot: true }),
    });
    expect(containers(stack)).toMatchObject([
      { name: "orders", readonlyRootFilesystem: true },
      { name: "agent", readonlyRootFilesystem: false, memory: 128, essential: false },
    ]);
  });

  const sidecar = (name: string, cpu: number): ServiceAddOn => ({
    name,
    bind: (host) => {
      host.addSidecar({ name: name.toLowerCase(), image: DIGEST, cpu, memoryMiB: 256, startBeforeApp: true });
      host.addEnvironment(`${name.toUpperCase()}_URL`, "http://127.0.0.1:4318");
      host.addSecret(`${name.toUpperCase()}_KEY`, "arn:aws:secretsmanager:eu-central-1:123456789012:secret:k");
    },
  });

  it("adds containers, variables and secrets independently, and the task grows with them", () => {
    const { stack, service } = orders({ addOns: [sidecar("Beta", 128)] });
    service.add(sidecar("Alpha", 64));
    expect(containers(stack).map((container) => container.name)).toEqual(["orders", "alpha", "beta"]);
    expect(containers(stack)[0]).toMatchObject({
      dependsOn: [
        { condition: "START", containerName: "alpha" },
        { condition: "START", containerName: "beta" },
      ],
      secrets: [{ name: "ALPHA_KEY" }, { name: "BETA_KEY" }],
    });
    expect(environmentOf(containers(stack)[0])).toMatchObject({
      ALPHA_URL: expect.anything(),
      BETA_URL: expect.anything(),
    });
    expect(only(stack, "aws_ecs_task_definition")).toMatchObject({ cpu: "512", memory: "1024" });
  });

  it("is refused twice, and if it sets an existing variable", () => {
    const { service } = orders({ environment: { GAMMA_URL: "mine" } });
    service.add(sidecar("Alpha", 1));
    expect(refusals(() => service.add(sidecar("Alpha", 1)))).toEqual(["ADD_ON_TWICE Alpha"]);
    expect(refusals(() => service.add(sidecar("Gamma", 1)))).toEqual([
      "ENVIRONMENT_VARIABLE_TWICE environment.GAMMA_URL",
    ]);
  });

  it.each([
    ["orders", 1, 64, "SIDECAR_NAME"],
    ["a b", 1, 64, "SIDECAR_NAME"],
    ["agent", 1, 5, "SIDECAR_SIZE"],
    ["agent", 0.5, 64, "SIDECAR_SIZE"],
  ])("is refused a container %s of %d CPU units and %d MiB", (name, cpu, memoryMiB, code) => {
    const addOn: ServiceAddOn = {
      name: "Agent",
      bind: (host) => host.addSidecar({ name, image: DIGEST, cpu, memoryMiB }),
    };
    expect(refusals(() => orders().service.add(addOn))).toEqual([`${code} sidecar ${JSON.stringify(name)}`]);
  });

  it("that makes the task larger than Fargate fails synth", () => {
    const { stack, service } = orders();
    service.add(sidecar("Alpha", 99_999));
    expect(() => synthesize(stack)).toThrow(/SERVICE_SIZE/);
  });
});
