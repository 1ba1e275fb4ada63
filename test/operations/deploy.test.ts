import { describe, expect, it } from "vitest";
import { deploy, stacksOf } from "../../operations/deploy";

describe("the stacks of an environment", () => {
  const stacks = {
    "orders-delivery": { dependencies: [] },
    "orders-dev-data": { dependencies: ["shop-dev-platform"] },
    "orders-dev-service": { dependencies: ["orders-dev-data", "shop-dev-platform", "payments-dev-data"] },
    "orders-production-service": { dependencies: [] },
    "payments-dev-data": { dependencies: ["shop-dev-platform"] },
    "shop-dev-platform": { dependencies: [] },
  };

  it("come after those that they stand on, without delivery and other environments", () => {
    expect(stacksOf("dev", { stacks })).toEqual([
      "shop-dev-platform",
      "orders-dev-data",
      "payments-dev-data",
      "orders-dev-service",
    ]);
  });

  it("are of no environment where delivery is meant", () => {
    expect(stacksOf("delivery", { stacks })).toEqual(["orders-delivery"]);
  });

  it("are none where there is no such environment", () => {
    expect(stacksOf("test", { stacks })).toEqual([]);
  });
});

describe("antifragile deploy", () => {
  const run = (...flags: string[]) =>
    deploy({ repository: "/nowhere", environment: "dev", flags, print: () => undefined, npm: ["npm"] });

  it("refuses flags that it does not know, and a second environment", async () => {
    await expect(run("--auto-approve", "--parallelism=3")).rejects.toThrow(/--parallelism/);
    await expect(run("--auto-approve", "test")).rejects.toThrow(/one environment/);
  });

  it("does not apply what nobody can be asked about", async () => {
    await expect(run()).rejects.toThrow(/--auto-approve/);
  });
});
