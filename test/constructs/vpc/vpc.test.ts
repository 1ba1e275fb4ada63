import { App } from "cdktf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AwsStack,
  CloudNativeService,
  type Environment,
  existingVpc,
  insecureHttp,
  Platform,
  Vpc,
  type VpcProps,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { MAX_ZONES, parseCidr, planSubnets } from "../../../constructs/vpc/cidr";
import { reachableImage, requireInternet } from "../../../constructs/vpc/images";
import { DEV, only, PRODUCTION, refusals, resources, shop } from "../../support/synth";

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
      expect(() => planSubnets(cidr, 2)).toThrow(/must be an IPv4 CIDR block/);
    },
  );
});

describe("Vpc", () => {
  const stack = (environment = DEV) => new AwsStack(new App(), "shop", { environment, lifetime: "platform" });
  const vpc = (props: VpcProps, environment = DEV) => {
    const scope = stack(environment);
    new Vpc(scope, "Vpc", props);
    return scope;
  };
  const counts = (scope: AwsStack) =>
    ["aws_subnet", "aws_nat_gateway", "aws_eip"].map((type) => Object.keys(resources(scope, type)).length);
  const defaultRoutes = (scope: AwsStack) =>
    Object.entries(resources(scope, "aws_route")).map(([id, route]) => [
      id.replace(/^Vpc_|_[0-9A-F]+$/g, ""),
      Object.keys(route).find((key) => /_(gateway|nat_gateway)?_?id$/.test(key) && key !== "route_table_id"),
    ]);

  it("has two zones and one NAT gateway in dev, three of each in production", () => {
    expect(counts(vpc({}))).toEqual([4, 1, 1]);
    expect(counts(vpc({}, PRODUCTION))).toEqual([6, 3, 3]);
    expect(counts(vpc({ zones: 4, egress: "single-nat" }, PRODUCTION))).toEqual([8, 1, 1]);
  });

  it("gives no public address to instances, closes the default group, reaches S3 without the NAT gateway", () => {
    const scope = vpc({});
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

  it("logs refused connections in dev and all in production, into a group that ends, by a role of its own", () => {
    const dev = vpc({});
    expect(only(dev, "aws_flow_log")).toMatchObject({ traffic_type: "REJECT" });
    expect(only(dev, "aws_cloudwatch_log_group")).toMatchObject({
      name: "/shop/dev/flow-logs",
      retention_in_days: 30,
    });
    expect(only(dev, "aws_iam_role_policy").policy).toMatchObject({
      Statement: [
        { Action: ["logs:CreateLogStream", "logs:PutLogEvents"] },
        { Action: ["logs:DescribeLogGroups"] },
        { Action: ["logs:DescribeLogStreams"] },
      ],
    });
    expect(only(vpc({}, PRODUCTION), "aws_flow_log")).toMatchObject({ traffic_type: "ALL" });
    expect(resources(vpc({ flowLogs: "off" }), "aws_flow_log")).toEqual({});
  });

  it("reaches AWS alone with egress endpoints: no way to the internet from private subnets", () => {
    const scope = vpc({ egress: "endpoints" });
    expect(counts(scope)).toEqual([4, 0, 0]);
    expect(defaultRoutes(scope)).toEqual([["PublicDefaultRoute", "gateway_id"]]);
    const endpoints = Object.values(resources(scope, "aws_vpc_endpoint"));
    expect(endpoints.map((endpoint) => String(endpoint.service_name).split("eu-central-1.")[1]).sort()).toEqual([
      "ecr.api",
      "ecr.dkr",
      "logs",
      "s3",
      "secretsmanager",
      "ssm",
      "ssmmessages",
      "sts",
    ]);
    for (const endpoint of endpoints.filter((each) => each.vpc_endpoint_type === "Interface")) {
      expect(endpoint).toMatchObject({ private_dns_enabled: true });
      expect(endpoint.subnet_ids).toHaveLength(2);
    }
    expect(only(scope, "aws_vpc_security_group_ingress_rule")).toMatchObject({
      cidr_ipv4: "10.0.0.0/16",
      from_port: 443,
    });
  });

  it("has endpoints beside NAT gateways where they are asked for", () => {
    expect(Object.keys(resources(vpc({ endpoints: ["sqs"] }), "aws_vpc_endpoint"))).toHaveLength(2);
  });

  it("costs nothing with egress public-ip: workloads are in the public subnets, and private ones have no way out", () => {
    const scope = stack();
    const made = new Vpc(scope, "Vpc", { egress: "public-ip" });
    expect(counts(scope)).toEqual([4, 0, 0]);
    expect(made.workloadSubnetIds).toEqual(made.publicSubnetIds);
    expect(new Vpc(stack(), "Vpc").workloadSubnetIds).not.toEqual(made.publicSubnetIds);
    expect(defaultRoutes(scope)).toEqual([["PublicDefaultRoute", "gateway_id"]]);
  });

  it("has IPv6 on request: out of private subnets, never in", () => {
    const scope = vpc({ ipv6: true });
    expect(only(scope, "aws_vpc")).toMatchObject({ assign_generated_ipv6_cidr_block: true });
    const ranges = Object.values(resources(scope, "aws_subnet")).map((subnet) => subnet.ipv6_cidr_block);
    expect(new Set(ranges).size).toBe(4);
    expect(defaultRoutes(scope).sort()).toEqual([
      ["Private1DefaultRoute", "nat_gateway_id"],
      ["Private1DefaultRouteV6", "egress_only_gateway_id"],
      ["Private2DefaultRoute", "nat_gateway_id"],
      ["Private2DefaultRouteV6", "egress_only_gateway_id"],
      ["PublicDefaultRoute", "gateway_id"],
      ["PublicDefaultRouteV6", "gateway_id"],
    ]);
    const balanced = shop(DEV, { vpc: { ipv6: true } });
    expect(only(balanced, "aws_lb")).toMatchObject({ ip_address_type: "dualstack" });
    const open = Object.values(resources(balanced, "aws_vpc_security_group_ingress_rule"));
    expect(open.map((rule) => rule.cidr_ipv6 ?? rule.cidr_ipv4).sort()).toEqual(["0.0.0.0/0", "::/0"]);
  });

  it("keeps its subnets and tables when egress changes", () => {
    const kept = (props: VpcProps) =>
      ["aws_subnet", "aws_route_table", "aws_route_table_association"].map((type) => resources(vpc(props), type));
    expect(kept({ egress: "endpoints" })).toEqual(kept({ egress: "nat" }));
  });

  it("can be an existing one", () => {
    const attributes = { vpcId: "vpc-1", publicSubnetIds: ["subnet-1"], privateSubnetIds: ["subnet-2"] };
    const platform = shop(DEV, { vpc: existingVpc(attributes) });
    expect(resources(platform, "aws_vpc")).toEqual({});
    expect(only(platform, "aws_lb")).toMatchObject({ subnets: ["subnet-1"] });
    expect(platform.vpc.workloadSubnetIds).toEqual(["subnet-2"]);
    const open = shop(DEV, { vpc: existingVpc({ ...attributes, egress: "public-ip" }) });
    expect(open.vpc.workloadSubnetIds).toEqual(["subnet-1"]);
    const hostile = shop(DEV, { vpc: existingVpc({ ...attributes, publicSubnetIds: ['${file("/x")}'] }) });
    expect(only(hostile, "aws_lb")).toMatchObject({ subnets: ['$${file("/x")}'] });
  });

  it("counts what AWS gives an account, over all environments in it", () => {
    const account = "123456789012";
    const act = (quotas?: { elasticIps: number }) => {
      const app = new App();
      for (const name of ["dev", "staging", "production"]) {
        const profile = name === "dev" ? "dev" : "production";
        new Platform(app, "shop", { environment: { name, region: "eu-central-1", profile, account, quotas } });
      }
    };
    expect(refusals(act)).toEqual(["QUOTA environment.quotas.elasticIps"]);
    expect(() => act({ elasticIps: 7 })).not.toThrow();
    const vpcs = () => {
      const app = new App();
      for (let n = 0; n < 6; n++)
        new Platform(app, `shop${n}`, { environment: { ...DEV, account }, vpc: { egress: "public-ip" } });
    };
    expect(refusals(vpcs)).toEqual(["QUOTA environment.quotas.vpcs"]);
  });

  it("routes only public subnets to the internet gateway, and each private one to its zone's NAT gateway", () => {
    const scope = vpc({ egress: "nat" });
    const routes = Object.values(resources(scope, "aws_route"));
    expect(routes.filter((route) => route.gateway_id !== undefined)).toHaveLength(1);
    const nats = routes.map((route) => route.nat_gateway_id).filter((id) => id !== undefined);
    expect(new Set(nats).size).toBe(2);
  });

  it("uses the zones that the account has, and keeps a subnet in its zone if the account gets another one", () => {
    const scope = vpc({}, { ...DEV, region: "us-west-1" });
    const subnets = Object.values(resources(scope, "aws_subnet"));
    expect(new Set(subnets.map((subnet) => subnet.availability_zone)).size).toBe(2);
    for (const { availability_zone, lifecycle } of subnets) {
      expect(availability_zone).toMatch(/^\$\{element\(data\.aws_availability_zones\.\w+\.names, [01]\)\}$/);
      expect(lifecycle).toEqual({ ignore_changes: ["availability_zone"] });
    }
    const { data } = synthesize(scope) as { data: Record<string, Record<string, object>> };
    expect(Object.values(data.aws_availability_zones ?? {})).toMatchObject([
      { state: "available", lifecycle: { postcondition: [{ condition: "${length(self.names) >= 2}" }] } },
    ]);
  });

  it("has as many zones in production as every account can use", () => {
    expect(counts(vpc({}, { ...PRODUCTION, region: "us-west-1" }))[0]).toBe(4);
  });

  it("uses the zones that are named, and moves a subnet if another is named", () => {
    const scope = vpc({ zoneNames: ["us-west-1b", "us-west-1c"] }, { ...DEV, region: "us-west-1" });
    const subnets = Object.values(resources(scope, "aws_subnet"));
    expect(subnets.map((subnet) => subnet.availability_zone).sort()).toEqual(
      ["b", "b", "c", "c"].map((letter) => `us-west-1${letter}`),
    );
    expect(subnets.map(({ lifecycle }) => lifecycle)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it.each<[string, VpcProps, string]>([
    ["a range off its boundary", { cidr: "10.0.0.1/16" }, "VPC_CIDR cidr"],
    ["a range that is too small", { cidr: "10.0.0.0/24" }, "VPC_CIDR cidr"],
    ["one zone", { zones: 1 }, "VPC_ZONES zones"],
    [
      "five zones",
      { zones: 5, zoneNames: ["a", "b", "c", "d", "e"].map((letter) => `eu-central-1${letter}`) },
      "VPC_ZONES zones",
    ],
    ["more zones than names", { zones: 3, zoneNames: ["eu-central-1a", "eu-central-1b"] }, "VPC_ZONE_NAMES zoneNames"],
    ["addresses of the own host", { cidr: "127.0.0.0/16" }, "VPC_CIDR cidr"],
    ["addresses of groups", { cidr: "239.1.0.0/16" }, "VPC_CIDR cidr"],
    ["zones of another region", { zoneNames: ["us-east-1a", "us-east-1b"] }, "VPC_ZONE_NAMES zoneNames"],
    ["a zone named twice", { zoneNames: ["eu-central-1a", "eu-central-1a"] }, "VPC_ZONE_NAMES zoneNames"],
    ["a hostile zone", { zoneNames: ["eu-central-1a", '${file("/x")}'] }, "VPC_ZONE_NAMES zoneNames"],
    ["an unknown egress", { egress: "tunnel" as never }, "VPC_EGRESS egress"],
    ["a hostile endpoint", { endpoints: ["${x}"] }, "VPC_ENDPOINT endpoints"],
    ["a gateway endpoint as an interface", { endpoints: ["s3"] }, "VPC_ENDPOINT endpoints"],
    ["too few endpoints to start a task", { egress: "endpoints", endpoints: ["sqs"] }, "VPC_ENDPOINTS_LACK endpoints"],
    ["unknown flow logs", { flowLogs: "some" as never }, "VPC_FLOW_LOGS flowLogs"],
  ])("refuses %s", (_, props, expected) => {
    expect(refusals(() => vpc(props))).toEqual([expected]);
  });
});

describe("Vpc refuses", () => {
  it("public addresses in production", () => {
    expect(refusals(() => shop(PRODUCTION, { vpc: { egress: "public-ip" } }))).toEqual(["VPC_PUBLIC_IP egress"]);
  });

  it("an existing network without ids, or of an unknown egress", () => {
    const vpc = existingVpc({ vpcId: "", publicSubnetIds: [], privateSubnetIds: ["x"], egress: "x" as never });
    expect(refusals(() => shop(DEV, { vpc }))).toEqual(["VPC_EGRESS egress", "VPC_ID vpcId", "VPC_ID publicSubnetIds"]);
  });
});

describe("an image", () => {
  const image = `public.ecr.aws/nginx/nginx@sha256:${"a".repeat(64)}`;
  const own = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/orders@sha256:${"b".repeat(64)}`;
  const closed = (registryMirror?: string) => {
    const platform = new Platform(new App(), "shop", {
      environment: { ...DEV, registryMirror },
      vpc: { egress: "endpoints" },
      listener: insecureHttp(),
    });
    return (uri: string) => reachableImage(platform, platform.vpc, uri);
  };

  it("is pulled from where it is published, where the internet is reached", () => {
    const platform = shop();
    expect(reachableImage(platform, platform.vpc, image)).toBe(image);
    expect(() => requireInternet(platform, platform.vpc, "issuer")).not.toThrow();
  });

  it("is refused where it is not, with the commands that copy it by digest", () => {
    expect(refusals(() => closed()(image))).toEqual(["IMAGE_OUT_OF_REACH image"]);
    expect(() => closed()(image)).toThrow(
      `skopeo copy --all --preserve-digests docker://${image} docker://<account>.dkr.ecr.eu-central-1.amazonaws.com/mirror/public.ecr.aws/nginx/nginx:aaaaaaaaaaaa`,
    );
    const platform = shop(DEV, { vpc: { egress: "endpoints" } });
    expect(refusals(() => requireInternet(platform, platform.vpc, "issuer"))).toEqual(["INTERNET_OUT_OF_REACH issuer"]);
  });

  it("comes from the region's own ECR, or from the mirror, without the internet", () => {
    expect(closed()(own)).toBe(own);
    expect(refusals(() => closed()(own.replace("eu-central-1", "us-east-1")))).toEqual(["IMAGE_OUT_OF_REACH image"]);
    const mirror = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror";
    expect(closed(mirror)(image)).toBe(`${mirror}/${image}`);
    expect(closed(mirror)(own)).toBe(own);
  });
});

describe("what a Vpc compiles to", () => {
  const snapshot = (environment: Environment, props: VpcProps) => {
    const stack = new AwsStack(new App(), "shop", { environment, lifetime: "platform" });
    new Vpc(stack, "Vpc", props);
    return `${JSON.stringify(synthesize(stack).resource, undefined, 2)}\n`;
  };

  it("with defaults", async () => {
    await expect(snapshot(DEV, {})).toMatchFileSnapshot("vpc.defaults.snap.json");
  });

  it("with everything, in production", async () => {
    const everything = { cidr: "10.32.0.0/18", zones: 2, egress: "nat", endpoints: ["sqs"], ipv6: true } as const;
    await expect(snapshot(PRODUCTION, everything)).toMatchFileSnapshot("vpc.full.snap.json");
  });
});

describe("a service", () => {
  const service = (egress: VpcProps["egress"], registryMirror?: string) => {
    const stack = shop({ ...DEV, registryMirror }, { vpc: { egress } }).stack("orders");
    new CloudNativeService(stack, "Orders");
    return stack;
  };

  it("runs where the platform's network has its way out, with a public address only where that is the way", () => {
    expect(only(service("public-ip"), "aws_ecs_service")).toMatchObject({
      network_configuration: { assign_public_ip: true, subnets: expect.stringContaining("publicSubnetIds") },
    });
    expect(only(service("nat"), "aws_ecs_service")).toMatchObject({
      network_configuration: { assign_public_ip: false, subnets: expect.stringContaining("privateSubnetIds") },
    });
  });

  it("is refused an image that its network cannot reach, and gets it from the mirror, with the permission to", () => {
    expect(refusals(() => service("endpoints"))).toEqual(["IMAGE_OUT_OF_REACH image"]);
    const mirror = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror";
    const text = JSON.stringify(synthesize(service("endpoints", mirror)));
    expect(text).toContain(`"image":"${mirror}/public.ecr.aws/docker/library/node@sha256:`);
    expect(text).toContain(":ecr:eu-central-1:123456789012:repository/mirror/public.ecr.aws/docker/library/node");
  });
});
