import { DefaultSecurityGroup } from "@cdktf/provider-aws/lib/default-security-group";
import { Eip } from "@cdktf/provider-aws/lib/eip";
import { InternetGateway } from "@cdktf/provider-aws/lib/internet-gateway";
import { NatGateway } from "@cdktf/provider-aws/lib/nat-gateway";
import { Route } from "@cdktf/provider-aws/lib/route";
import { RouteTable } from "@cdktf/provider-aws/lib/route-table";
import { RouteTableAssociation } from "@cdktf/provider-aws/lib/route-table-association";
import { Subnet } from "@cdktf/provider-aws/lib/subnet";
import { Vpc } from "@cdktf/provider-aws/lib/vpc";
import { VpcEndpoint } from "@cdktf/provider-aws/lib/vpc-endpoint";
import { Construct, type IConstruct } from "constructs";
import { Problems } from "../core/errors";
import { literal } from "../core/literal";
import { AwsStack } from "../core/stack";
import { MAX_ZONES, parseCidr, planSubnets, VPC_PREFIX } from "./cidr";

export const EGRESSES = ["nat", "single-nat"] as const;
/**
 * How private subnets reach the internet: `nat` has a NAT gateway in each zone, so a zone may be lost; `single-nat` has
 * one for all. A NAT gateway costs about 35 USD a month and 0.05 USD a GB.
 */
export type Egress = (typeof EGRESSES)[number];

export interface NetworkProps {
  /**
   * The VPC's IPv4 range, /16 to /22, on its own boundary.
   *
   * @default "10.0.0.0/16"
   */
  readonly cidr?: string;
  /**
   * How many availability zones to spread over, 2 to 4.
   *
   * @default 2 in dev, 3 in production
   */
  readonly zones?: number;
  /**
   * The zones by name, where the region's a, b, c ... are not what the account has.
   *
   * @default - the region's first letters
   */
  readonly zoneNames?: readonly string[];
  /**
   * How private subnets reach the internet.
   *
   * @default "single-nat" in dev, "nat" in production
   */
  readonly egress?: Egress;
}

/** A network, owned by this app or read from a platform. */
export interface INetwork extends IConstruct {
  readonly vpcId: string;
  /** One in each zone, with a route from and to the internet: for balancers. */
  readonly publicSubnetIds: readonly string[];
  /** One in each zone, with a way out but none in: for everything else. */
  readonly privateSubnetIds: readonly string[];
}

/** What is needed to use a network that somebody else owns. */
export interface NetworkAttributes {
  readonly vpcId: string;
  readonly publicSubnetIds: readonly string[];
  readonly privateSubnetIds: readonly string[];
}

/** Regions whose zones are not simply a, b, c, d. */
const ZONE_LETTERS: Readonly<Record<string, string>> = {
  "ap-northeast-1": "acd",
  "ca-central-1": "abd",
  "us-west-1": "ac",
};

interface NetworkSettings {
  readonly cidr: string;
  readonly zoneNames: readonly string[];
  readonly egress: Egress;
}

/** @throws InvalidPropsError NETWORK_CIDR, NETWORK_ZONES, NETWORK_ZONE_NAMES, NETWORK_EGRESS */
export function resolveNetwork(scope: IConstruct, props: NetworkProps): NetworkSettings {
  const { environment, production } = AwsStack.of(scope);
  const cidr = props.cidr ?? "10.0.0.0/16";
  const letters = ZONE_LETTERS[environment.region] ?? "abcd";
  const zones = props.zones ?? props.zoneNames?.length ?? Math.min(production ? 3 : 2, letters.length);
  const zoneNames = props.zoneNames ?? [...letters].slice(0, zones).map((letter) => environment.region + letter);
  const egress = props.egress ?? (production ? "nat" : "single-nat");

  const problems = new Problems(scope);
  const range = parseCidr(cidr);
  problems.check(
    range !== undefined && range.prefix >= VPC_PREFIX.min && range.prefix <= VPC_PREFIX.max,
    "NETWORK_CIDR",
    "cidr",
    `${JSON.stringify(cidr)} is no IPv4 range from /${VPC_PREFIX.min} to /${VPC_PREFIX.max} on its own boundary`,
    'Use for example "10.0.0.0/16".',
  );
  problems.check(
    Number.isInteger(zones) && zones >= 2 && zones <= MAX_ZONES,
    "NETWORK_ZONES",
    "zones",
    `${zones} is not possible: a balancer needs 2, and the address plan has room for ${MAX_ZONES}`,
    `Use 2 to ${MAX_ZONES}.`,
  );
  problems.check(
    zoneNames.length === zones && new Set(zoneNames).size === zones,
    "NETWORK_ZONE_NAMES",
    "zoneNames",
    `has ${new Set(zoneNames).size} different zones (${zoneNames.join(", ")}), zones is ${zones}`,
    "Name as many zones as you want, each once; leave zones out.",
  );
  problems.check(
    EGRESSES.includes(egress),
    "NETWORK_EGRESS",
    "egress",
    `${JSON.stringify(egress)} is not known`,
    `Use one of: ${EGRESSES.join(", ")}.`,
  );
  problems.throwIfAny();
  return { cidr, zoneNames, egress };
}

/**
 * A private network over two or more zones: a VPC with a public and a private subnet in each.
 *
 * Balancers go into the public subnets, everything else into the private ones. The default security group is closed, and
 * S3 is reached without the NAT gateway. Costs what the NAT gateways cost: see {@link Egress}.
 *
 * @example
 * ```ts
 * new Network(stack, "Network", { cidr: "10.20.0.0/16", zones: 3 });
 * ```
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-example-private-subnets-nat.html
 */
export class Network extends Construct implements INetwork {
  /** Refers to a network that somebody else owns. */
  static fromAttributes(scope: Construct, id: string, attributes: NetworkAttributes): INetwork {
    return new ImportedNetwork(scope, id, attributes);
  }

  readonly vpcId: string;
  readonly publicSubnetIds: readonly string[];
  readonly privateSubnetIds: readonly string[];
  /** Names of the zones it spreads over. */
  readonly zoneNames: readonly string[];

  constructor(scope: Construct, id: string, props: NetworkProps = {}) {
    super(scope, id);
    const settings = resolveNetwork(this, props);
    const { stackName, environment } = AwsStack.of(this);
    const named = (part: string) => ({ Name: `${stackName}-${environment.name}${part}` });

    const vpc = new Vpc(this, "Resource", {
      cidrBlock: settings.cidr,
      enableDnsHostnames: true,
      enableDnsSupport: true,
      tags: named(""),
    });
    // Every VPC has this group, and anything that names no other gets it: no rules, so nothing passes.
    new DefaultSecurityGroup(this, "DefaultSecurityGroup", { vpcId: vpc.id, tags: named("-default-closed") });

    const gateway = new InternetGateway(this, "InternetGateway", { vpcId: vpc.id, tags: named("") });
    const publicRoutes = new RouteTable(this, "PublicRoutes", { vpcId: vpc.id, tags: named("-public") });
    new Route(this, "PublicDefaultRoute", {
      routeTableId: publicRoutes.id,
      destinationCidrBlock: "0.0.0.0/0",
      gatewayId: gateway.id,
    });

    const plan = planSubnets(settings.cidr, settings.zoneNames.length);
    const nats: NatGateway[] = [];
    const privateTables: RouteTable[] = [];
    const subnets = settings.zoneNames.map((zone, index) => {
      const n = index + 1;
      const publicSubnet = new Subnet(this, `Public${n}`, {
        vpcId: vpc.id,
        availabilityZone: zone,
        cidrBlock: plan.public[index],
        tags: named(`-public-${n}`),
      });
      new RouteTableAssociation(this, `Public${n}Association`, {
        subnetId: publicSubnet.id,
        routeTableId: publicRoutes.id,
      });
      if (settings.egress === "nat" || index === 0) {
        const address = new Eip(this, `Nat${n}Address`, {
          domain: "vpc",
          tags: named(`-nat-${n}`),
          dependsOn: [gateway],
        });
        nats.push(
          new NatGateway(this, `Nat${n}`, {
            subnetId: publicSubnet.id,
            allocationId: address.id,
            tags: named(`-${n}`),
            dependsOn: [gateway],
          }),
        );
      }
      const privateSubnet = new Subnet(this, `Private${n}`, {
        vpcId: vpc.id,
        availabilityZone: zone,
        cidrBlock: plan.private[index],
        tags: named(`-private-${n}`),
      });
      // A table for each zone even with one NAT gateway, so that a change of egress replaces no association.
      const routes = new RouteTable(this, `Private${n}Routes`, { vpcId: vpc.id, tags: named(`-private-${n}`) });
      new RouteTableAssociation(this, `Private${n}Association`, {
        subnetId: privateSubnet.id,
        routeTableId: routes.id,
      });
      privateTables.push(routes);
      return { publicSubnet, privateSubnet };
    });
    privateTables.forEach((routes, index) => {
      const nat = nats[index] ?? nats[0];
      new Route(this, `Private${index + 1}DefaultRoute`, {
        routeTableId: routes.id,
        destinationCidrBlock: "0.0.0.0/0",
        natGatewayId: nat?.id,
      });
    });
    new VpcEndpoint(this, "S3", {
      vpcId: vpc.id,
      serviceName: `com.amazonaws.${environment.region}.s3`,
      vpcEndpointType: "Gateway",
      routeTableIds: privateTables.map((routes) => routes.id),
      tags: named("-s3"),
    });

    this.vpcId = vpc.id;
    this.zoneNames = settings.zoneNames;
    this.publicSubnetIds = subnets.map(({ publicSubnet }) => publicSubnet.id);
    this.privateSubnetIds = subnets.map(({ privateSubnet }) => privateSubnet.id);
  }
}

class ImportedNetwork extends Construct implements INetwork {
  readonly vpcId: string;
  readonly publicSubnetIds: readonly string[];
  readonly privateSubnetIds: readonly string[];

  constructor(scope: Construct, id: string, attributes: NetworkAttributes) {
    super(scope, id);
    this.vpcId = literal(attributes.vpcId);
    this.publicSubnetIds = attributes.publicSubnetIds.map(literal);
    this.privateSubnetIds = attributes.privateSubnetIds.map(literal);
  }
}
