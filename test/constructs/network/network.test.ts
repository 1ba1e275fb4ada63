import { App } from "cdktf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AwsStack, Network, type NetworkProps } from "../../../constructs";
import { MAX_ZONES, parseCidr, planSubnets } from "../../../constructs/network/cidr";
import { DEV, only, PRODUCTION, refusals, resources } from "../../support/synth";

describe("the address plan", () => {
  const prefixes = fc.integer({ min: 16, max: 22 });
  const ranges = prefixes.chain((prefix) =>
    fc.integer({ min: 0, max: 2 ** prefix - 1 }).map((index) => {
      const address = index * 2 ** (32 - prefix);
      return `${[24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".")}/${prefix}`;
    }),
  );
  const bounds = (cidr: string) => {
    const { address, prefix } = parseCidr(cidr)!;
    return { from: address, to: address + 2 ** (32 - prefix) };
  };

  it("has subnets within the range that do not overlap and that AWS takes, for every range and number of zones", () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 1, max: MAX_ZONES }), (cidr, zones) => {
        const whole = bounds(cidr);
        const plan = planSubnets(cidr, zones);
        const subnets = [...plan.private, ...plan.public];
        expect(subnets).toHaveLength(2 * zones);
        const sorted = subnets.map(bounds).sort((a, b) => a.from - b.from);
        sorted.forEach((subnet, index) => {
          expect(subnet.from).toBeGreaterThanOrEqual(sorted[index - 1]?.to ?? whole.from);
          expect(subnet.to).toBeLessThanOrEqual(whole.to);
          expect(subnet.to - subnet.from).toBeGreaterThanOrEqual(16);
        });
      }),
    );
  });

  it("moves no subnet when a zone is added", () => {
    fc.assert(
      fc.property(ranges, (cidr) => {
        const two = planSubnets(cidr, 2);
        const four = planSubnets(cidr, 4);
        expect(four.private.slice(0, 2)).toEqual(two.private);
        expect(four.public.slice(0, 2)).toEqual(two.public);
      }),
    );
  });

  it("is this for the default range", () => {
    expect(planSubnets("10.0.0.0/16", 2)).toEqual({
      private: ["10.0.0.0/19", "10.0.32.0/19"],
      public: ["10.0.128.0/22", "10.0.132.0/22"],
    });
  });

  it.each(["10.0.0.1/16", "10.0.0.0/15", "10.0.0.0/23", "10.0.0/16", "300.0.0.0/16", "10.0.0.0", "", "::/16"])(
    "refuses %j",
    (cidr) => {
      expect(() => planSubnets(cidr, 2)).toThrow(/is no IPv4 range/);
    },
  );
});

describe("Network", () => {
  const stack = (environment = DEV) => new AwsStack(new App(), "shop", { environment, lifetime: "platform" });
  const network = (props: NetworkProps, environment = DEV) => {
    const scope = stack(environment);
    new Network(scope, "Network", props);
    return scope;
  };
  const counts = (scope: AwsStack) =>
    ["aws_subnet", "aws_nat_gateway", "aws_eip"].map((type) => Object.keys(resources(scope, type)).length);

  it("has two zones and one NAT gateway in dev, three of each in production", () => {
    expect(counts(network({}))).toEqual([4, 1, 1]);
    expect(counts(network({}, PRODUCTION))).toEqual([6, 3, 3]);
    expect(counts(network({ zones: 4, egress: "single-nat" }, PRODUCTION))).toEqual([8, 1, 1]);
  });

  it("gives no public address to machines, closes the default group, reaches S3 without the NAT gateway", () => {
    const scope = network({});
    for (const subnet of Object.values(resources(scope, "aws_subnet"))) {
      expect(subnet).not.toHaveProperty("map_public_ip_on_launch");
    }
    const group = only(scope, "aws_default_security_group");
    expect(group).not.toHaveProperty("ingress");
    expect(group).not.toHaveProperty("egress");
    expect(only(scope, "aws_vpc_endpoint")).toMatchObject({
      service_name: "com.amazonaws.eu-central-1.s3",
      vpc_endpoint_type: "Gateway",
    });
  });

  it("routes only public subnets to the internet gateway, and each private one to its zone's NAT gateway", () => {
    const scope = network({ egress: "nat" });
    const routes = Object.values(resources(scope, "aws_route"));
    expect(routes.filter((route) => route.gateway_id !== undefined)).toHaveLength(1);
    const nats = routes.map((route) => route.nat_gateway_id).filter((id) => id !== undefined);
    expect(new Set(nats).size).toBe(2);
  });

  it("uses the zones that a region has", () => {
    const scope = network({}, { ...DEV, region: "us-west-1" });
    const zones = Object.values(resources(scope, "aws_subnet")).map((subnet) => subnet.availability_zone);
    expect([...new Set(zones)].sort()).toEqual(["us-west-1a", "us-west-1c"]);
  });

  it.each<[string, NetworkProps, string]>([
    ["a range off its boundary", { cidr: "10.0.0.1/16" }, "NETWORK_CIDR cidr"],
    ["a range that is too small", { cidr: "10.0.0.0/24" }, "NETWORK_CIDR cidr"],
    ["one zone", { zones: 1 }, "NETWORK_ZONES zones"],
    ["five zones", { zones: 5, zoneNames: ["a", "b", "c", "d", "e"] }, "NETWORK_ZONES zones"],
    [
      "more zones than names",
      { zones: 3, zoneNames: ["eu-central-1a", "eu-central-1b"] },
      "NETWORK_ZONE_NAMES zoneNames",
    ],
    ["a zone named twice", { zoneNames: ["eu-central-1a", "eu-central-1a"] }, "NETWORK_ZONE_NAMES zoneNames"],
    ["an unknown egress", { egress: "tunnel" as never }, "NETWORK_EGRESS egress"],
  ])("refuses %s", (_, props, expected) => {
    expect(refusals(() => network(props))).toEqual([expected]);
  });
});
