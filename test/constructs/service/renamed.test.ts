import { describe, expect, it } from "vitest";
import { CloudNativeService, type CloudNativeServiceProps, Ingress, type ServiceStack } from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { addresses, only, ordersStack, resources } from "../../support/synth";

function service(id: string, props: CloudNativeServiceProps = {}) {
  const stack = ordersStack();
  const orders = new CloudNativeService(stack, id, { ...props, scaling: { requestsPerTask: 100 } });
  orders.add(new Ingress());
  return stack;
}

const moves = (stack: ServiceStack | ServiceStack["data"]) =>
  ((synthesize(stack).moved ?? []) as { from: string; to: string }[]).sort((a, b) => (a.from < b.from ? -1 : 1));

/** One for all services of a stack. */
const ofTheStack = /^aws_ssm_parameter\.Releases_/;

describe("a service renamed in the code", () => {
  const before = service("Orders");
  const after = service("Sales", { name: "orders", renamedFrom: "Orders" });

  it("moves every resource, including those of add-ons, in both of its states", () => {
    for (const [old, now] of [
      [before, after],
      [before.data, after.data],
    ] as const) {
      const own = addresses(old).filter((address) => address.includes("Orders"));
      expect(own.length).toBeGreaterThan(2);
      expect(moves(now).map(({ from }) => from)).toEqual(own);
      expect(
        moves(now)
          .map(({ to }) => to)
          .sort(),
      ).toEqual(addresses(now).filter((address) => !ofTheStack.test(address)));
    }
  });

  it("keeps every name in AWS", () => {
    for (const type of ["aws_ecs_service", "aws_iam_role", "aws_cloudwatch_log_group", "aws_cloudwatch_metric_alarm"]) {
      const names = (stack: ServiceStack) =>
        Object.values(resources(stack, type)).map(({ name, alarm_name }) => name ?? alarm_name);
      expect(names(after).sort()).toEqual(names(before).sort());
    }
    expect(only(after.data, "aws_ssm_parameter").name).toBe("/antifragile/dev/shop/services/orders");
  });

  it("moves nothing without renamedFrom", () => {
    expect(moves(before)).toEqual([]);
  });
});
