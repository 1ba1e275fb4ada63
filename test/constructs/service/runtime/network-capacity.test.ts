import { Construct } from "constructs";
import { describe, expect, it } from "vitest";
import {
  reserveAddresses,
  reserveServiceName,
  warnOfThinScaling,
} from "../../../../constructs/service/runtime/network-capacity";
import { partsOf } from "../../../support/service-parts";
import { DEV, ordersStack, PRODUCTION, refusals, shop, warnings } from "../../../support/synth";

describe("network capacity", () => {
  it("reserves a service name once on a platform, in any of its stacks", () => {
    const platform = shop();
    const [orders, payments] = [platform.stack("orders"), platform.stack("payments")];
    reserveServiceName(new Construct(orders, "Orders"), orders, "orders");
    reserveServiceName(new Construct(payments, "Payments"), payments, "payments");
    const second = new Construct(payments, "Orders");
    expect(refusals(() => reserveServiceName(second, payments, "orders"))).toEqual(["SERVICE_NAME_TAKEN name"]);
  });

  it.each([
    [DEV, 0],
    [PRODUCTION, 1],
  ])("holds twice the maximum of all services together, in production without a zone (%j)", (environment, lost) => {
    const stack = ordersStack(environment);
    const room = (stack.addressesPerZone ?? 0) * (stack.zones - lost);
    expect(room).toBeGreaterThan(10);
    const half = Math.floor(room / 2);
    reserveAddresses(stack, stack, 1);
    reserveAddresses(stack, stack, half - 1);
    expect(refusals(() => reserveAddresses(stack, stack, 1))).toEqual(["SUBNETS_FULL_AT_MAX scaling.max"]);
  });

  it("warns in production of tasks that cannot take over the load of a zone, or grow with it", () => {
    const warned = (min: number, max: number, cpuPercent: number, environment = PRODUCTION) => {
      const { stack, scope, context } = partsOf({ scaling: { min, max, cpuPercent } }, ordersStack(environment));
      if (context.settings.scaling !== undefined) warnOfThinScaling(scope, stack, context.settings.scaling);
      return warnings(scope).map((text) => /\[([A-Z_]+)\]/.exec(text)?.[1]);
    };
    expect(warned(3, 6, 60)).toEqual([]);
    expect(warned(3, 6, 80)).toEqual(["ZONE_LOSS_OVERLOAD"]);
    expect(warned(3, 3, 60)).toEqual(["SCALING_NO_ROOM"]);
    expect(warned(3, 3, 80, DEV)).toEqual([]);
  });
});
