import type { IConstruct } from "constructs";
import { Problems } from "../core/errors";
import { AwsStack } from "../core/stack";
import { MAX_ZONES, parseCidr, VPC_PREFIX } from "./cidr";

export const EGRESSES = ["nat", "single-nat", "endpoints", "public-ip"] as const;
/**
 * How what runs in the network reaches others.
 *
 * - `nat`: by a NAT gateway in each zone, so that a zone may be lost. About 35 USD a month each, and 0.05 USD a GB.
 * - `single-nat`: by one NAT gateway for all zones.
 * - `endpoints`: AWS alone, by interface endpoints, about 8 USD a month each and zone: for those who must, not for the
 *   thrifty. Images, add-ons and issuers on the internet are out of reach.
 * - `public-ip`: by a public address of its own, in the public subnets. Free but for about 4 USD a month an address. Nothing
 *   comes in but from the balancer. For trying out: refused in production.
 */
export type Egress = (typeof EGRESSES)[number];

/** Whether a public image or an outside address can be reached. */
export function reachesInternet(egress: Egress): boolean {
  return egress !== "endpoints";
}

export const FLOW_LOGS = ["all", "rejected", "off"] as const;
/** Which connections are logged: every one, only those that a security group refused, or none. */
export type FlowLogs = (typeof FLOW_LOGS)[number];

/** AWS services that a task needs to start, log and be looked after, by the names of their interface endpoints. */
export const TASK_ENDPOINTS = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm", "ssmmessages", "sts"] as const;

export interface VpcProps {
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
   * How what runs in the network reaches others.
   *
   * @default "single-nat" in dev, "nat" in production
   */
  readonly egress?: Egress;
  /**
   * AWS services reached without the internet, by the names of their interface endpoints: `sqs`, `ecs-agent`. S3 always is,
   * free of charge.
   *
   * @default - none; with egress "endpoints" what a task needs: ecr.api, ecr.dkr, logs, secretsmanager, ssm, ssmmessages, sts
   * @see https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
   */
  readonly endpoints?: readonly string[];
  /**
   * Whether subnets, instances and the load balancer have IPv6 addresses too. Private subnets reach IPv6 addresses, none reaches
   * them.
   *
   * @default false
   */
  readonly ipv6?: boolean;
  /**
   * Which connections are logged. About 0.60 USD a GB.
   *
   * @default "rejected" in dev, "all" in production
   */
  readonly flowLogs?: FlowLogs;
}

export interface VpcSettings {
  readonly cidr: string;
  readonly zoneNames: readonly string[];
  readonly egress: Egress;
  readonly endpoints: readonly string[];
  readonly ipv6: boolean;
  readonly flowLogs: FlowLogs;
}

/** Regions whose zones are not simply a, b, c, d. */
const ZONE_LETTERS: Readonly<Record<string, string>> = {
  "ap-northeast-1": "acd",
  "ca-central-1": "abd",
  "us-west-1": "ac",
};

/**
 * @throws InvalidPropsError VPC_CIDR, VPC_ZONES, VPC_ZONE_NAMES, VPC_EGRESS, VPC_PUBLIC_IP,
 *   VPC_ENDPOINT, VPC_ENDPOINTS_LACK, VPC_FLOW_LOGS
 */
export function resolveVpc(scope: IConstruct, props: VpcProps): VpcSettings {
  const { environment, production } = AwsStack.of(scope);
  const cidr = props.cidr ?? "10.0.0.0/16";
  const letters = ZONE_LETTERS[environment.region] ?? "abcd";
  const zones = props.zones ?? props.zoneNames?.length ?? Math.min(production ? 3 : 2, letters.length);
  const zoneNames = props.zoneNames ?? [...letters].slice(0, zones).map((letter) => environment.region + letter);
  const egress = props.egress ?? (production ? "nat" : "single-nat");
  const endpoints = props.endpoints ?? (egress === "endpoints" ? TASK_ENDPOINTS : []);
  const flowLogs = props.flowLogs ?? (production ? "all" : "rejected");

  const problems = new Problems(scope);
  const range = parseCidr(cidr);
  problems.check(range !== undefined && range.prefix >= VPC_PREFIX.min && range.prefix <= VPC_PREFIX.max, {
    code: "VPC_CIDR",
    prop: "cidr",
    problem: `${JSON.stringify(cidr)} is no IPv4 range from /${VPC_PREFIX.min} to /${VPC_PREFIX.max} on its own boundary`,
    remedy: 'Use for example "10.0.0.0/16".',
  });
  problems.check(Number.isInteger(zones) && zones >= 2 && zones <= MAX_ZONES, {
    code: "VPC_ZONES",
    prop: "zones",
    problem: `${zones} is not possible: a load balancer needs 2, and the address plan has room for ${MAX_ZONES}`,
    remedy: `Use 2 to ${MAX_ZONES}.`,
  });
  problems.check(
    zoneNames.length === zones &&
      new Set(zoneNames).size === zones &&
      zoneNames.every((zone) => /^[a-z0-9-]+$/.test(zone)),
    {
      code: "VPC_ZONE_NAMES",
      prop: "zoneNames",
      problem: `has ${new Set(zoneNames).size} different zones (${zoneNames.join(", ")}), zones is ${zones}`,
      remedy: "Name as many zones as you want, each once, as in eu-central-1a; leave zones out.",
    },
  );
  problems.check(EGRESSES.includes(egress), {
    code: "VPC_EGRESS",
    prop: "egress",
    problem: `${JSON.stringify(egress)} is not known`,
    remedy: `Use one of: ${EGRESSES.join(", ")}.`,
  });
  problems.check(egress !== "public-ip" || !production, {
    code: "VPC_PUBLIC_IP",
    prop: "egress",
    problem: '"public-ip" gives each task a public address, and this environment is production',
    remedy: 'Use "nat", "single-nat" or "endpoints", or profile "dev".',
  });
  for (const endpoint of endpoints) {
    problems.check(/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(endpoint) && !["s3", "dynamodb"].includes(endpoint), {
      code: "VPC_ENDPOINT",
      prop: "endpoints",
      problem: `${JSON.stringify(endpoint)} is no interface endpoint`,
      remedy: "Use the last part of the endpoint's name, as sqs or ecr.api; S3 is always there.",
    });
  }
  const lacking = TASK_ENDPOINTS.filter((endpoint) => !endpoints.includes(endpoint));
  problems.check(egress !== "endpoints" || lacking.length === 0, {
    code: "VPC_ENDPOINTS_LACK",
    prop: "endpoints",
    problem: `lack ${lacking.join(", ")}: no task would start, or none be looked after`,
    remedy: `Name them too: ${TASK_ENDPOINTS.join(", ")}.`,
  });
  problems.check(FLOW_LOGS.includes(flowLogs), {
    code: "VPC_FLOW_LOGS",
    prop: "flowLogs",
    problem: `${JSON.stringify(flowLogs)} is not known`,
    remedy: `Use one of: ${FLOW_LOGS.join(", ")}.`,
  });
  problems.throwIfAny();
  return { cidr, zoneNames, egress, endpoints, ipv6: props.ipv6 ?? false, flowLogs };
}
