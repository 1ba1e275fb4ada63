import type { IConstruct } from "constructs";
import { Problems } from "../core/errors";
import { AwsStack } from "../core/stack";
import { MAX_ZONES, parseCidr, VPC_PREFIX } from "./cidr";

export const EGRESSES = ["nat", "single-nat", "endpoints", "public-ip"] as const;
/**
 * Path of outbound connections from the VPC.
 *
 * - `nat`: one NAT gateway in each zone, which tolerates the loss of a zone. About 35 USD a month each, and 0.05 USD a GB.
 * - `single-nat`: one NAT gateway for all zones.
 * - `endpoints`: AWS services only, through interface endpoints. About 8 USD a month for each endpoint and zone; meant for
 *   isolation, not for saving money. Images, add-ons and identity providers on the internet cannot be reached.
 * - `public-ip`: a public address for each task or instance, in the public subnets. Free apart from about 4 USD a month for
 *   each address. Only the load balancer can connect to them. For trying things out: refused in production.
 */
export type Egress = (typeof EGRESSES)[number];

/** Returns true if public images and external addresses can be reached. */
export function reachesInternet(egress: Egress): boolean {
  return egress !== "endpoints";
}

export const FLOW_LOGS = ["all", "rejected", "off"] as const;
/** Connections that VPC flow logs record: all, only those that a security group or network ACL rejected, or none. */
export type FlowLogs = (typeof FLOW_LOGS)[number];

/** Interface endpoints that a task needs to start, to write logs and for ECS Exec. */
export const TASK_ENDPOINTS = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "ssmmessages", "sts"] as const;

export interface VpcProps {
  /**
   * IPv4 CIDR block of the VPC, /16 to /22, starting on its own boundary.
   *
   * @default "10.0.0.0/16"
   */
  readonly cidr?: string;
  /**
   * Number of availability zones, 2 to 4.
   *
   * @default 2 in dev, 3 in production
   */
  readonly zones?: number;
  /**
   * Names of the availability zones. Add another one at the end: a subnet keeps its place in this list.
   *
   * @default - the first zones of the region that the account can use; a subnet stays in its zone if they change
   */
  readonly zoneNames?: readonly string[];
  /**
   * Path of outbound connections.
   *
   * @default "single-nat" in dev, "nat" in production
   */
  readonly egress?: Egress;
  /**
   * AWS services reached through interface endpoints, by the last part of the endpoint's name: `sqs`, `ecs-agent`. A gateway
   * endpoint for S3 is always created, free of charge.
   *
   * @default - none; with egress "endpoints" those that a task needs: ecr.api, ecr.dkr, logs, secretsmanager, ssm,
   * ssmmessages, sts
   * @see https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
   */
  readonly endpoints?: readonly string[];
  /**
   * Gives subnets, instances and the load balancer IPv6 addresses, too. Private subnets can connect to IPv6 addresses;
   * nothing can connect to theirs.
   *
   * @default false
   */
  readonly ipv6?: boolean;
  /**
   * Connections to log. About 0.60 USD a GB.
   *
   * @default "rejected" in dev, "all" in production
   */
  readonly flowLogs?: FlowLogs;
}

export interface VpcSettings {
  readonly cidr: string;
  readonly zones: number;
  /** Undefined if they are those that the account can use. */
  readonly zoneNames: readonly string[] | undefined;
  readonly egress: Egress;
  readonly endpoints: readonly string[];
  readonly ipv6: boolean;
  readonly flowLogs: FlowLogs;
}

/**
 * Number of zones that every account can use in a region, where it is not at least three. Their names differ by account, so
 * they are read from it.
 *
 * @see https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html
 */
const ZONES_OF_REGION: Readonly<Record<string, number>> = { "us-west-1": 2 };

/** Addresses of the own network, of the own host and of groups. */
const RESERVED = /^(0|127|169\.254|22[4-9]|23\d)\./;

/**
 * @throws InvalidPropsError VPC_CIDR, VPC_ZONES, VPC_ZONE_NAMES, VPC_EGRESS, VPC_PUBLIC_IP,
 *   VPC_ENDPOINT, VPC_ENDPOINTS_LACK, VPC_FLOW_LOGS
 */
export function resolveVpc(scope: IConstruct, props: VpcProps): VpcSettings {
  const { environment, production } = AwsStack.of(scope);
  const cidr = props.cidr ?? "10.0.0.0/16";
  const most = ZONES_OF_REGION[environment.region] ?? 3;
  const { zoneNames } = props;
  const zones = props.zones ?? zoneNames?.length ?? Math.min(production ? 3 : 2, most);
  const egress = props.egress ?? (production ? "nat" : "single-nat");
  const endpoints = props.endpoints ?? (egress === "endpoints" ? TASK_ENDPOINTS : []);
  const flowLogs = props.flowLogs ?? (production ? "all" : "rejected");

  const problems = new Problems(scope);
  const range = parseCidr(cidr);
  problems.check(
    range !== undefined && range.prefix >= VPC_PREFIX.min && range.prefix <= VPC_PREFIX.max && !RESERVED.test(cidr),
    {
      code: "VPC_CIDR",
      prop: "cidr",
      problem: `${JSON.stringify(cidr)} is not an IPv4 CIDR block from /${VPC_PREFIX.min} to /${VPC_PREFIX.max} that starts on its own boundary and that AWS accepts`,
      remedy: 'Use a block such as "10.0.0.0/16".',
    },
  );
  problems.check(Number.isInteger(zones) && zones >= 2 && zones <= MAX_ZONES, {
    code: "VPC_ZONES",
    prop: "zones",
    problem: `must be from 2, which a load balancer needs, to ${MAX_ZONES}, the most that the subnet plan has room for; got ${zones}`,
    remedy: `Set zones from 2 to ${MAX_ZONES}.`,
  });
  problems.check(
    zoneNames === undefined ||
      (zoneNames.length === zones &&
        new Set(zoneNames).size === zones &&
        zoneNames.every((zone) => /^[a-z0-9-]+$/.test(zone) && zone.startsWith(environment.region))),
    {
      code: "VPC_ZONE_NAMES",
      prop: "zoneNames",
      problem: `must name as many different zones of ${environment.region} as zones (${zones}), got ${new Set(zoneNames).size} (${zoneNames?.join(", ")})`,
      remedy: "List each zone once, such as eu-central-1a, and leave zones out.",
    },
  );
  problems.checkOneOf(egress, EGRESSES, { code: "VPC_EGRESS", prop: "egress" });
  problems.check(egress !== "public-ip" || !production, {
    code: "VPC_PUBLIC_IP",
    prop: "egress",
    problem: '"public-ip" gives each task a public address, which is not allowed in production',
    remedy: 'Use "nat", "single-nat" or "endpoints", or profile "dev".',
  });
  for (const endpoint of endpoints) {
    problems.check(/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(endpoint) && !["s3", "dynamodb"].includes(endpoint), {
      code: "VPC_ENDPOINT",
      prop: "endpoints",
      problem: `${JSON.stringify(endpoint)} is not the name of an interface endpoint`,
      remedy: "Use the last part of the endpoint's name, such as sqs or ecr.api. S3 needs no entry.",
    });
  }
  const lacking = TASK_ENDPOINTS.filter((endpoint) => !endpoints.includes(endpoint));
  problems.check(egress !== "endpoints" || lacking.length === 0, {
    code: "VPC_ENDPOINTS_LACK",
    prop: "endpoints",
    problem: `must include ${lacking.join(", ")}, which tasks need to start, to write logs and for ECS Exec`,
    remedy: `Add them: ${TASK_ENDPOINTS.join(", ")}.`,
  });
  problems.checkOneOf(flowLogs, FLOW_LOGS, { code: "VPC_FLOW_LOGS", prop: "flowLogs" });
  problems.throwIfAny();
  return { cidr, zones, zoneNames, egress, endpoints, ipv6: props.ipv6 ?? false, flowLogs };
}
