import { describe, expect, it } from "vitest";
import { deploy } from "../../operations/deploy";
import { stacksOf } from "../../operations/synthesized";

describe("the stacks of an environment", () => {
  const stacks = {
    "orders-delivery": { dependencies: [] },
    "orders-dev-data": { dependencies: ["shop-dev-platform"] },
    "orders-dev-service": { dependencies: ["orders-dev-data", "shop-dev-platform", "payments-dev-data"] },
    "orders-production-service": { dependencies: [] },
    "payments-dev-data": { dependencies: ["shop-dev-platform"] },
    "shop-dev-platform": { dependencies: [] },
  };

  it("come after their dependencies, without delivery and other environments", () => {
    expect(stacksOf("dev", { stacks })).toEqual([
      "shop-dev-platform",
      "orders-dev-data",
      "payments-dev-data",
      "orders-dev-service",
    ]);
  });

  it("belong to no environment for delivery", () => {
    const withRoles = { ...stacks, "orders-delivery-production": { dependencies: [] } };
    expect(stacksOf("delivery", { stacks: withRoles })).toEqual(["orders-delivery"]);
    expect(stacksOf("delivery-production", { stacks: withRoles })).toEqual(["orders-delivery-production"]);
    expect(stacksOf("production", { stacks: withRoles })).toEqual(["orders-production-service"]);
  });

  it("are empty if the environment does not exist", () => {
    expect(stacksOf("test", { stacks })).toEqual([]);
  });
});

describe("antifragile deploy", () => {
  it("applies nothing without a terminal and without approval", async () => {
    const allowances = { delete: [], replace: [] };
    const options = { repository: "/nowhere", environment: "dev", autoApprove: false, allowances };
    await expect(deploy({ ...options, print: () => undefined })).rejects.toThrow(/--auto-approve/);
  });
});
