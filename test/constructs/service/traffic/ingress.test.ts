import { describe, expect, it } from "vitest";
import { CloudNativeService, Ingress, type IngressProps } from "../../../../constructs";
import { DEV, only, ordersStack, refusals } from "../../../support/synth";
import { orders } from "../orders";

describe("Ingress", () => {
  const withIngress = (props: IngressProps = {}) => {
    const { stack, service } = orders();
    service.add(new Ingress(props));
    return stack;
  };

  it("allows only the load balancer, waits for its rule, and has the timeouts of the shutdown budget", () => {
    const stack = withIngress();
    expect(only(stack, "aws_vpc_security_group_ingress_rule")).toMatchObject({
      from_port: 8080,
      referenced_security_group_id: expect.stringContaining("loadBalancer.securityGroupId"),
    });
    expect(only(stack, "aws_ecs_service").depends_on).toContain("aws_lb_listener_rule.Orders_Ingress_Rule_4050A54D");
    expect(only(stack, "aws_lb_target_group")).toMatchObject({
      deregistration_delay: "18",
      health_check: { path: "/readyz", matcher: "200" },
      port: 80,
      target_type: "ip",
    });
  });

  it("puts narrower rules before wider ones", () => {
    const priorities = (
      [{ hosts: ["a.example.com"], paths: ["/v1/*"] }, { paths: ["/v1/*"] }, { hosts: ["a.example.com"] }, {}] as const
    ).map((match) => only(withIngress(match), "aws_lb_listener_rule").priority as number);
    expect([...priorities].sort((a, b) => a - b)).toEqual(priorities);
  });

  it.each<[string, IngressProps, string]>([
    [
      "too many values",
      { hosts: ["a.de", "b.de", "c.de"], paths: ["/1", "/2"] },
      "LISTENER_RULE_CONDITIONS hosts and paths",
    ],
    ["a path without a slash", { paths: ["v1"] }, "LISTENER_RULE_PATH paths"],
    ["a path that Terraform would evaluate", { paths: ['/${file("x")}'] }, "LISTENER_RULE_PATH paths"],
    ["a priority out of range", { priority: 0 }, "LISTENER_RULE_PRIORITY priority"],
  ])("refuses %s", (_, props, expected) => {
    expect(refusals(() => withIngress(props))).toEqual([expected]);
  });

  it("refuses a platform of the same app that has no load balancer", () => {
    const stack = ordersStack(DEV, { listener: undefined });
    const service = new CloudNativeService(stack, "Orders");
    expect(refusals(() => service.add(new Ingress()))).toEqual(["PLATFORM_NO_LOAD_BALANCER listener"]);
  });
});
