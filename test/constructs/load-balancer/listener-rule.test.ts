import { App } from "cdktf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CloudNativeService,
  type Environment,
  https,
  Ingress,
  type IngressProps,
  insecureHttp,
  Platform,
} from "../../../constructs";
import {
  EXPLICIT_PRIORITY,
  overlaps,
  type RuleMatch,
  ruleBand,
  rulePriority,
} from "../../../constructs/load-balancer/priority";
import { DEV, only, ordersStack, refusals, resources, shop } from "../../support/synth";

const ZONE = "Z0123456789ABCDEFGHIJ";

/** Services of several stacks behind one load balancer, each with a rule. */
function registered(rules: Readonly<Record<string, IngressProps>>, environment: Environment = DEV) {
  const platform = new Platform(new App(), "shop", { environment, listener: insecureHttp() });
  return Object.entries(rules).map(([id, props]) => {
    const stack = platform.stack(id.toLowerCase());
    new CloudNativeService(stack, id).add(new Ingress(props));
    return stack;
  });
}

function message(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

describe("priorities", () => {
  const host = fc.constantFrom("a.example.com", "b.example.com", "*.example.com");
  const path = fc.constantFrom("/*", "/v1/*", "/v1/orders", "/v1/orders/*", "/v1/orders/*/lines/7", "/static/*.css");
  const match: fc.Arbitrary<RuleMatch> = fc.record({
    hosts: fc.uniqueArray(host, { maxLength: 2 }),
    paths: fc.uniqueArray(path, { maxLength: 2 }),
  });

  it("are independent of the order of hosts and paths, come after explicit ones, and stay within AWS's range", () => {
    fc.assert(
      fc.property(match, ({ hosts, paths }) => {
        const priority = rulePriority({ hosts, paths }, "orders");
        return (
          priority === rulePriority({ hosts: [...hosts].reverse(), paths: [...paths].reverse() }, "orders") &&
          priority > EXPLICIT_PRIORITY.max &&
          priority <= 50_000
        );
      }),
    );
    expect(rulePriority({ hosts: [], paths: [] }, "orders")).toBe(50_000);
  });

  it("put every narrower kind before every wider one", () => {
    fc.assert(
      fc.property(match, match, (a, b) => {
        const [first, second] = [ruleBand(a), ruleBand(b)];
        return first === second || first < second === rulePriority(a, "orders") < rulePriority(b, "orders");
      }),
    );
    const rising = [
      { hosts: ["a.de"], paths: ["/v1/orders/lines"] },
      { hosts: ["a.de"], paths: ["/v1/orders"] },
      { hosts: ["a.de"], paths: ["/v1"] },
      { hosts: [], paths: ["/v1/orders/lines"] },
      { hosts: [], paths: ["/v1/*"] },
      { hosts: ["a.de"], paths: [] },
      { hosts: ["*.de"], paths: ["/*"] },
      { hosts: [], paths: [] },
    ].map((match) => rulePriority(match, "orders"));
    expect(rising).toEqual([...rising].sort((a, b) => a - b));
  });

  it.each<[RuleMatch, RuleMatch, boolean]>([
    [{ hosts: [], paths: ["/v1/*"] }, { hosts: [], paths: ["/v1/orders"] }, true],
    [{ hosts: [], paths: ["/v1/*"] }, { hosts: [], paths: ["/v2/*"] }, false],
    [{ hosts: [], paths: ["/*/lines"] }, { hosts: [], paths: ["/v1/*"] }, true],
    [{ hosts: [], paths: ["/v?/a"] }, { hosts: [], paths: ["/v1/a", "/x"] }, true],
    [{ hosts: [], paths: ["/v?/a"] }, { hosts: [], paths: ["/v10/a"] }, false],
    [{ hosts: ["a.de"], paths: ["/v1/*"] }, { hosts: ["b.de"], paths: ["/v1/*"] }, false],
    [{ hosts: ["*.de"], paths: [] }, { hosts: ["a.de"], paths: ["/x"] }, true],
    [{ hosts: ["a.de"], paths: ["/*"] }, { hosts: [], paths: ["/x"] }, true],
    [{ hosts: [], paths: [] }, { hosts: [], paths: [] }, true],
  ])("know whether %j and %j want one request", (a, b, expected) => {
    expect([overlaps(a, b), overlaps(b, a)]).toEqual([expected, expected]);
  });
});

describe("services behind one load balancer", () => {
  it("of two repositories have rules with priorities that depend on the service and its paths only", () => {
    const inApp = registered({ Orders: { paths: ["/orders/*"] }, Payments: { paths: ["/payments/*"] } });
    const priorities = inApp.map((stack) => only(stack, "aws_lb_listener_rule").priority);
    expect(new Set(priorities).size).toBe(2);

    const alone = Platform.existing(new App(), "shop", { environment: DEV }).stack("payments");
    new CloudNativeService(alone, "Payments").add(new Ingress({ paths: ["/payments/*"] }));
    expect(only(alone, "aws_lb_listener_rule").priority).toBe(priorities[1]);
  });

  it("have another priority for a path that another service had, whose rule still has its own while Terraform moves it", () => {
    const before = registered({ Orders: { paths: ["/report/*"] }, Payments: { paths: ["/payments/*"] } });
    const after = registered({ Orders: { paths: ["/orders/*"] }, Payments: { paths: ["/report/*"] } });
    const priorities = (stacks: typeof before) => stacks.map((stack) => only(stack, "aws_lb_listener_rule").priority);
    expect(priorities(before)).not.toContain(priorities(after)[1]);
  });

  it("that want the same requests are refused, both owners named", () => {
    const both = () => registered({ Orders: { paths: ["/v1/*"] }, Payments: { paths: ["/v1", "/*/x"] } });
    expect(refusals(both)).toEqual(["LISTENER_RULE_OVERLAP hosts and paths"]);
    expect(message(both)).toContain("orders-dev-service/Orders (/v1/*)");
    expect(message(both)).toContain("payments-dev-service/Payments (/v1, /*/x)");
    expect(refusals(() => registered({ Orders: {}, Payments: {} }))).toEqual(["LISTENER_RULE_OVERLAP hosts and paths"]);
  });

  it("may overlap when one is narrower, or when the user says who comes first", () => {
    registered({ Orders: { paths: ["/v1/orders/*"] }, Rest: {} });
    const stacks = registered({ Orders: { paths: ["/v1/*"] }, Payments: { paths: ["/v1/*"], priority: 7 } });
    expect(only(stacks[1] as never, "aws_lb_listener_rule").priority).toBe(7);
  });

  it("cannot have one priority", () => {
    const both = () =>
      registered({ Orders: { paths: ["/a/*"], priority: 7 }, Payments: { paths: ["/b/*"], priority: 7 } });
    expect(refusals(both)).toEqual(["LISTENER_RULE_PRIORITY_TAKEN priority"]);
    expect(message(both)).toMatch(/orders-dev-service\/Orders.*|payments-dev-service\/Payments/);
  });

  it("are as many as the load balancer has rules", () => {
    const rules = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, n) => [`Service${n}`, { paths: [`/s${n}`], priority: n + 1 }]),
      );
    const environment = { ...DEV, quotas: { rulesPerLoadBalancer: 3 } };
    expect(registered(rules(3), environment)).toHaveLength(3);
    expect(refusals(() => registered(rules(4), environment))).toEqual(["LOAD_BALANCER_QUOTA hosts and paths"]);
  });

  it("of different environments do not meet", () => {
    const app = new App();
    for (const name of ["dev", "test"]) {
      const platform = new Platform(app, "shop", { environment: { ...DEV, name }, listener: insecureHttp() });
      new CloudNativeService(platform.stack("orders"), "Orders").add(new Ingress());
    }
    expect(app.node.children).toHaveLength(6);
  });
});

describe("a service's own host", () => {
  const withIngress = (props: IngressProps) => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders").add(new Ingress(props));
    return stack;
  };

  it("gets a record, and a certificate when asked", () => {
    const plain = withIngress({ hosts: ["orders.example.com"], zoneId: ZONE });
    expect(only(plain, "aws_route53_record")).toMatchObject({
      alias: { zone_id: expect.stringContaining("dnsZoneId") },
      name: "orders.example.com",
      type: "A",
      zone_id: ZONE,
    });
    expect(resources(plain, "aws_acm_certificate")).toEqual({});

    const own = withIngress({ hosts: ["a.example.com", "b.example.com"], zoneId: ZONE, certificate: true });
    expect(only(own, "aws_acm_certificate")).toMatchObject({
      domain_name: "a.example.com",
      lifecycle: { create_before_destroy: true },
      subject_alternative_names: ["b.example.com"],
      validation_method: "DNS",
    });
    expect(Object.keys(resources(own, "aws_route53_record"))).toHaveLength(4);
    expect(only(own, "aws_lb_listener_certificate").certificate_arn).toContain("aws_acm_certificate_validation.");
  });

  it.each<[string, IngressProps, string[]]>([
    ["a host that is none", { hosts: ["Orders"] }, ["LISTENER_RULE_HOST hosts"]],
    ["a host that Terraform would evaluate", { hosts: ['${file("x")}.de'] }, ["LISTENER_RULE_HOST hosts"]],
    ["a zone without hosts", { zoneId: ZONE }, ["INGRESS_ZONE zoneId"]],
    ["a zone that is none", { hosts: ["a.de"], zoneId: "${x}" }, ["INGRESS_ZONE zoneId"]],
    ["a certificate without a zone", { hosts: ["a.de"], certificate: true }, ["INGRESS_CERTIFICATE certificate"]],
    ["a priority for nobody", { priority: 1000 }, ["LISTENER_RULE_PRIORITY priority"]],
  ])("refuses %s", (_, props, expected) => {
    expect(refusals(() => withIngress(props))).toEqual(expected);
  });
});

describe("the platform's listener", () => {
  const certificateArn = "arn:aws:acm:eu-central-1:123456789012:certificate/1";

  it("makes a certificate for its domain and all below, and lets both lead to the load balancer", () => {
    const platform = shop(DEV, { listener: https({ domain: "shop.example.com", zoneId: ZONE }) });
    expect(only(platform, "aws_acm_certificate")).toMatchObject({
      domain_name: "shop.example.com",
      subject_alternative_names: ["*.shop.example.com"],
    });
    const records = Object.values(resources(platform, "aws_route53_record"));
    expect(records.filter(({ type }) => type === "A").map(({ name }) => name)).toEqual([
      "*.shop.example.com",
      "shop.example.com",
    ]);
    expect(records).toHaveLength(3);
    const listeners = Object.values(resources(platform, "aws_lb_listener"));
    expect(listeners.find(({ port }) => port === 443)?.certificate_arn).toContain("aws_acm_certificate_validation.");
  });

  it("with a certificate of one's own makes none, and no record without a zone", () => {
    const platform = shop(DEV, { listener: https({ certificateArn, domain: "shop.example.com" }) });
    expect(resources(platform, "aws_acm_certificate")).toEqual({});
    expect(resources(platform, "aws_route53_record")).toEqual({});
  });

  it.each([
    [{ certificateArn: "" }, ["LISTENER_CERTIFICATE listener.certificateArn"]],
    [{ certificateArn: '${file("x")}' }, ["LISTENER_CERTIFICATE listener.certificateArn"]],
    [{ domain: "shop.example.com" } as never, ["LISTENER_CERTIFICATE listener.certificateArn"]],
    [{ certificateArn, domain: "*.example.com" }, ["LISTENER_DOMAIN listener.domain"]],
    [{ domain: "shop.example.com", zoneId: "zone" }, ["LISTENER_ZONE listener.zoneId"]],
    [{ certificateArn, zoneId: ZONE }, ["LISTENER_ZONE listener.zoneId"]],
  ])("refuses %j", (options, expected) => {
    expect(refusals(() => shop(DEV, { listener: https(options) }))).toEqual(expected);
  });
});
