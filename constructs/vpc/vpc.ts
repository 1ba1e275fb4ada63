import { DataAwsAvailabilityZones } from "@cdktf/provider-aws/lib/data-aws-availability-zones";
import { DefaultSecurityGroup } from "@cdktf/provider-aws/lib/default-security-group";
import { EgressOnlyInternetGateway } from "@cdktf/provider-aws/lib/egress-only-internet-gateway";
import { Eip } from "@cdktf/provider-aws/lib/eip";
import { FlowLog } from "@cdktf/provider-aws/lib/flow-log";
import { InternetGateway } from "@cdktf/provider-aws/lib/internet-gateway";
import { NatGateway } from "@cdktf/provider-aws/lib/nat-gateway";
import { Route } from "@cdktf/provider-aws/lib/route";
import { RouteTable } from "@cdktf/provider-aws/lib/route-table";
import { RouteTableAssociation } from "@cdktf/provider-aws/lib/route-table-association";
import { Subnet } from "@cdktf/provider-aws/lib/subnet";
import { Vpc as AwsVpc } from "@cdktf/provider-aws/lib/vpc";
import { VpcEndpoint } from "@cdktf/provider-aws/lib/vpc-endpoint";
import { VpcSecurityGroupIngressRule } from "@cdktf/provider-aws/lib/vpc-security-group-ingress-rule";
import { Fn, Token } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { checkArguments } from "../core/check-types";
import { Problems } from "../core/errors";
import { Role } from "../core/iam";
import { literal } from "../core/literal";
import { pascal } from "../core/names";
import { SecurityGroup } from "../core/security-group";
import { AwsStack, addressOf } from "../core/stack";
import { StackDefault } from "../core/stack-default";
import { Duration } from "../core/units";
import { LogStream } from "../logging/log-stream";
import { planSubnets, usableAddresses } from "./cidr";
import { EGRESSES, type Egress, resolveVpc, type VpcProps, type VpcSettings } from "./vpc-props";

/** A VPC, created by this app or managed outside it. */
export interface IVpc extends IConstruct {
  readonly vpcId: string;
  /** Subnets with routes to and from the internet, one in each zone: for load balancers. */
  readonly publicSubnetIds: readonly string[];
  /** Subnets that the internet cannot connect to, one in each zone: for everything else. */
  readonly privateSubnetIds: readonly string[];
  /** Path of outbound connections. */
  readonly egress: Egress;
  /** True if the VPC has IPv6 addresses, too. */
  readonly ipv6: boolean;
  /** Addresses of the outbound routes, for the `depends_on` of instances that need the network at startup. */
  readonly routeAddresses: readonly string[];
  /** Names of the interface endpoints; undefined for a VPC that is managed outside this app. */
  readonly endpoints: readonly string[] | undefined;
  /** Subnets for tasks and instances: the private ones, or the public ones with egress "public-ip". */
  readonly workloadSubnetIds: readonly string[];
}

/** Attributes of a VPC that is managed outside this app. */
export interface VpcAttributes {
  readonly vpcId: string;
  /** Public subnets, one in each zone. */
  readonly publicSubnetIds: readonly string[];
  /** Private subnets, one in each zone, in the same order. */
  readonly privateSubnetIds: readonly string[];
  /**
   * Path of outbound connections.
   *
   * @default "nat"
   */
  readonly egress?: Egress;
  /** @default false */
  readonly ipv6?: boolean;
}

/** A VPC that is managed outside this app: see {@link existingVpc}. */
export interface ExistingVpc extends VpcAttributes {
  readonly kind: "existing-vpc";
}

/**
 * References a VPC that is managed outside this app, for a platform to use.
 *
 * @example
 * ```ts
 * new Platform(app, "shop", {
 *   environment,
 *   vpc: existingVpc({
 *     vpcId: "vpc-0a1b2c3d4e5f60718",
 *     publicSubnetIds: ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712"],
 *     privateSubnetIds: ["subnet-0a1b2c3d4e5f60713", "subnet-0a1b2c3d4e5f60714"],
 *   }),
 * });
 * ```
 */
export function existingVpc(attributes: VpcAttributes): ExistingVpc {
  checkArguments("existingVpc", { attributes });
  return { kind: "existing-vpc", ...attributes };
}

/**
 * A VPC over two or more availability zones, with a public and a private subnet in each.
 *
 * Load balancers use the public subnets, everything else the private ones. The default security group has no rules, rejected
 * connections are logged, and S3 is reached through a gateway endpoint. Costs depend on the egress: see {@link Egress}.
 *
 * @example
 * ```ts
 * new Vpc(stack, "Vpc", { cidr: "10.20.0.0/16", zones: 3 });
 * ```
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/vpc-example-private-subnets-nat.html
 */
export class Vpc extends Construct implements IVpc {
  /** References a VPC that is managed outside this app. */
  static fromAttributes(scope: Construct, id: string, attributes: VpcAttributes): IVpc {
    checkArguments("Vpc.fromAttributes", { attributes });
    return new ImportedVpc(scope, id, attributes);
  }

  readonly vpcId: string;
  readonly publicSubnetIds: readonly string[];
  readonly privateSubnetIds: readonly string[];
  readonly egress: Egress;
  readonly ipv6: boolean;
  readonly endpoints: readonly string[];
  readonly routeAddresses: readonly string[];
  readonly workloadSubnetIds: readonly string[];
  /** Names of its availability zones. */
  readonly zoneNames: readonly string[];
  /** Number of addresses for tasks and instances in each zone. */
  readonly workloadAddressesPerZone: number;

  constructor(scope: Construct, id: string, props: VpcProps = {}) {
    super(scope, id);
    checkArguments("new Vpc", { props }, this);
    const settings = resolveVpc(this, props);
    AwsStack.of(this).claim(this, "vpcs", 1);
    const vpc = new AwsVpc(this, "Resource", {
      cidrBlock: settings.cidr,
      assignGeneratedIpv6CidrBlock: settings.ipv6 ? true : undefined,
      enableDnsHostnames: true,
      enableDnsSupport: true,
      tags: named(this, ""),
    });
    // Every VPC has a default group, used by resources that set no other; without rules it allows nothing.
    new DefaultSecurityGroup(this, "DefaultSecurityGroup", { vpcId: vpc.id, tags: named(this, "-default-closed") });
    this.zoneNames = settings.zoneNames ?? zonesOfAccount(this, settings.zones);
    const { publicSubnets, privateSubnets, privateTables, routes } = subnets(this, settings, vpc);
    endpoints(this, settings, vpc, privateSubnets, privateTables);
    if (settings.flowLogs !== "off") flowLog(this, vpc, settings.flowLogs === "all" ? "ALL" : "REJECT");

    this.vpcId = vpc.id;
    const plan = planSubnets(settings.cidr, settings.zones);
    this.workloadAddressesPerZone = usableAddresses(
      plan[settings.egress === "public-ip" ? "public" : "private"][0] ?? "",
    );
    this.egress = settings.egress;
    this.ipv6 = settings.ipv6;
    this.endpoints = settings.endpoints;
    this.routeAddresses = routes.map(addressOf);
    this.publicSubnetIds = publicSubnets.map((subnet) => subnet.id);
    this.privateSubnetIds = privateSubnets.map((subnet) => subnet.id);
    this.workloadSubnetIds = workloadSubnetIds(this);
  }
}

/** Names of the first zones that the account can use, without local zones. The plan fails if it has fewer. */
function zonesOfAccount(scope: Construct, count: number): string[] {
  const { region } = AwsStack.of(scope).environment;
  const zones = new DataAwsAvailabilityZones(scope, "Zones", {
    state: "available",
    filter: [{ name: "zone-type", values: ["availability-zone"] }],
    lifecycle: {
      postcondition: [
        {
          condition: `\${length(self.names) >= ${count}}`,
          errorMessage: `The account can use fewer than ${count} availability zones in ${region}. Set vpc.zones to a lower number.`,
        },
      ],
    },
  });
  return Array.from({ length: count }, (_, index) => Token.asString(Fn.element(zones.names, index)));
}

/** VPC of the platform that a stack is or runs on. */
export const STACK_VPC = new StackDefault<IVpc>();

class ImportedVpc extends Construct implements IVpc {
  readonly vpcId: string;
  readonly publicSubnetIds: readonly string[];
  readonly privateSubnetIds: readonly string[];
  readonly egress: Egress;
  readonly ipv6: boolean;
  readonly endpoints = undefined;
  readonly routeAddresses = [];
  readonly workloadSubnetIds: readonly string[];

  /** @throws InvalidPropsError VPC_EGRESS, VPC_ID */
  constructor(scope: Construct, id: string, attributes: VpcAttributes) {
    super(scope, id);
    this.egress = attributes.egress ?? "nat";
    const problems = new Problems(this);
    problems.checkOneOf(this.egress, EGRESSES, { code: "VPC_EGRESS", prop: "egress" });
    for (const [prop, ids] of [
      ["vpcId", [attributes.vpcId]],
      ["publicSubnetIds", attributes.publicSubnetIds],
      ["privateSubnetIds", attributes.privateSubnetIds],
    ] as const) {
      problems.check(ids.length > 0 && ids.every((each) => each !== ""), {
        code: "VPC_ID",
        prop,
        problem: "is empty",
        remedy: "Specify an AWS resource ID, such as vpc-... or subnet-....",
      });
    }
    problems.throwIfAny();
    this.vpcId = literal(attributes.vpcId);
    this.publicSubnetIds = attributes.publicSubnetIds.map(literal);
    this.privateSubnetIds = attributes.privateSubnetIds.map(literal);
    this.ipv6 = attributes.ipv6 ?? false;
    this.workloadSubnetIds = workloadSubnetIds(this);
  }
}

function workloadSubnetIds(vpc: Omit<IVpc, "workloadSubnetIds">): readonly string[] {
  return vpc.egress === "public-ip" ? vpc.publicSubnetIds : vpc.privateSubnetIds;
}

function named(scope: IConstruct, part: string): { Name: string } {
  const stack = AwsStack.of(scope);
  return { Name: stack.prefixed(stack.stackName, stack.environment.name) + part };
}

/** Index of the /64 that each subnet gets from the VPC's /56. Fixed, so that adding a zone moves no subnet. */
const IPV6_SUBNET = { private: 0, public: 16 } as const;

function subnets(scope: Vpc, settings: VpcSettings, vpc: AwsVpc) {
  const { egress, ipv6 } = settings;
  const { zoneNames } = scope;
  const gateway = new InternetGateway(scope, "InternetGateway", { vpcId: vpc.id, tags: named(scope, "") });
  const publicRoutes = new RouteTable(scope, "PublicRoutes", { vpcId: vpc.id, tags: named(scope, "-public") });
  const publicRoute = new Route(scope, "PublicDefaultRoute", {
    routeTableId: publicRoutes.id,
    destinationCidrBlock: "0.0.0.0/0",
    gatewayId: gateway.id,
  });
  const natRoutes: Route[] = [];
  if (ipv6) {
    new Route(scope, "PublicDefaultRouteV6", {
      routeTableId: publicRoutes.id,
      destinationIpv6CidrBlock: "::/0",
      gatewayId: gateway.id,
    });
  }
  const plan = planSubnets(settings.cidr, settings.zones);
  const subnet = (kind: "public" | "private", index: number) =>
    new Subnet(scope, `${kind === "public" ? "Public" : "Private"}${index + 1}`, {
      vpcId: vpc.id,
      availabilityZone: zoneNames[index],
      cidrBlock: plan[kind][index],
      ...(ipv6
        ? {
            ipv6CidrBlock: Fn.cidrsubnet(vpc.ipv6CidrBlock, 8, IPV6_SUBNET[kind] + index),
            assignIpv6AddressOnCreation: true,
          }
        : {}),
      tags: named(scope, `-${kind}-${index + 1}`),
      // A zone that opens or closes may come before others in the account's list, and would move every subnet after it.
      lifecycle: settings.zoneNames === undefined ? { ignoreChanges: ["availability_zone"] } : undefined,
    });

  const nats: NatGateway[] = [];
  const publicSubnets: Subnet[] = [];
  const privateSubnets: Subnet[] = [];
  const privateTables: RouteTable[] = [];
  zoneNames.forEach((_, index) => {
    const n = index + 1;
    const publicSubnet = subnet("public", index);
    publicSubnets.push(publicSubnet);
    new RouteTableAssociation(scope, `Public${n}Association`, {
      subnetId: publicSubnet.id,
      routeTableId: publicRoutes.id,
    });
    if (egress === "nat" || (egress === "single-nat" && index === 0)) {
      AwsStack.of(scope).claim(scope, "elasticIps", 1);
      const address = new Eip(scope, `Nat${n}Address`, {
        domain: "vpc",
        tags: named(scope, `-nat-${n}`),
        dependsOn: [gateway],
      });
      nats.push(
        new NatGateway(scope, `Nat${n}`, {
          subnetId: publicSubnet.id,
          allocationId: address.id,
          tags: named(scope, `-${n}`),
          dependsOn: [gateway],
        }),
      );
    }
    const privateSubnet = subnet("private", index);
    privateSubnets.push(privateSubnet);
    // One route table for each zone even with a single NAT gateway, so that changing the egress replaces no association.
    const routes = new RouteTable(scope, `Private${n}Routes`, { vpcId: vpc.id, tags: named(scope, `-private-${n}`) });
    new RouteTableAssociation(scope, `Private${n}Association`, {
      subnetId: privateSubnet.id,
      routeTableId: routes.id,
    });
    privateTables.push(routes);
  });

  if (nats.length > 0) {
    const egressOnly = ipv6
      ? new EgressOnlyInternetGateway(scope, "EgressOnlyGateway", { vpcId: vpc.id, tags: named(scope, "") })
      : undefined;
    privateTables.forEach((table, index) => {
      const nat = nats[index] ?? nats[0];
      natRoutes.push(
        new Route(scope, `Private${index + 1}DefaultRoute`, {
          routeTableId: table.id,
          destinationCidrBlock: "0.0.0.0/0",
          natGatewayId: nat?.id,
        }),
      );
      if (egressOnly !== undefined) {
        new Route(scope, `Private${index + 1}DefaultRouteV6`, {
          routeTableId: table.id,
          destinationIpv6CidrBlock: "::/0",
          egressOnlyGatewayId: egressOnly.id,
        });
      }
    });
  }
  const routes = egress === "public-ip" ? [publicRoute] : natRoutes;
  return { publicSubnets, privateSubnets, privateTables, routes };
}

function endpoints(
  scope: Vpc,
  settings: VpcSettings,
  vpc: AwsVpc,
  privateSubnets: readonly Subnet[],
  privateTables: readonly RouteTable[],
): void {
  const { environment, stackName } = AwsStack.of(scope);
  new VpcEndpoint(scope, "S3", {
    vpcId: vpc.id,
    serviceName: `com.amazonaws.${environment.region}.s3`,
    vpcEndpointType: "Gateway",
    routeTableIds: privateTables.map((routes) => routes.id),
    tags: named(scope, "-s3"),
  });
  if (settings.endpoints.length === 0) return;
  const { connections } = new SecurityGroup(scope, "EndpointsSecurityGroup", {
    vpcId: vpc.id,
    name: `${stackName}-${environment.name}-endpoints`,
    port: 443,
  });
  new VpcSecurityGroupIngressRule(scope, "EndpointsFromNetwork", {
    securityGroupId: connections.securityGroupId,
    description: "interface endpoints, from the VPC",
    cidrIpv4: settings.cidr,
    ipProtocol: "tcp",
    fromPort: 443,
    toPort: 443,
  });
  for (const service of settings.endpoints) {
    new VpcEndpoint(scope, `Endpoint${pascal(service)}`, {
      vpcId: vpc.id,
      serviceName: `com.amazonaws.${environment.region}.${service}`,
      vpcEndpointType: "Interface",
      privateDnsEnabled: true,
      subnetIds: privateSubnets.map((subnet) => subnet.id),
      securityGroupIds: [connections.securityGroupId],
      tags: named(scope, `-${service}`),
    });
  }
}

function flowLog(scope: Vpc, vpc: AwsVpc, trafficType: "ALL" | "REJECT"): void {
  const { environment, stackName, production } = AwsStack.of(scope);
  const logs = new LogStream(scope, "FlowLogs", {
    name: `/${stackName}/${environment.name}/flow-logs`,
    retention: Duration.days(production ? 365 : 30),
  });
  const role = new Role(scope, "FlowLogsRole", {
    name: `${stackName}-${environment.name}-flow-logs`,
    service: "vpc-flow-logs.amazonaws.com",
  });
  logs.grants.write(role);
  role.grant({ actions: ["logs:DescribeLogStreams"], resources: [`${logs.logGroupArn}:*`] });
  // AWS requires this one, too. @see https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
  role.grant({ actions: ["logs:DescribeLogGroups"], resources: ["*"] });
  const flow = new FlowLog(scope, "FlowLog", {
    vpcId: vpc.id,
    trafficType,
    logDestinationType: "cloud-watch-logs",
    logDestination: logs.logGroupArn,
    iamRoleArn: role.roleArn,
    maxAggregationInterval: 600,
    tags: named(scope, ""),
  });
  // Without the permission, the first log events are lost.
  role.whenPolicy((address) => {
    flow.dependsOn = [address];
  });
}
