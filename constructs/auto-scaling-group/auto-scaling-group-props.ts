import type { IConstruct } from "constructs";
import { type ICluster, STACK_CLUSTER } from "../cluster/cluster";
import { ARCHITECTURES, type Architecture } from "../core/architecture";
import { invalid, Problems } from "../core/errors";
import { isReference } from "../core/reference";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import { type IVpc, STACK_VPC } from "../vpc/vpc";
import { type InstanceScaling, resolveInstanceScaling } from "./instance-scaling";
import { INSTANCE_TYPE, InstanceTypes, MachineImage } from "./instance-types";
import { type RegistrationSettings, resolveRegistration, type TargetRegistration } from "./target-registration";
import { USER_DATA_BYTES, type UserData } from "./user-data";

/** Share of Spot Instances, which AWS can interrupt with two minutes' notice. They cost about a third of On-Demand. */
export interface Spot {
  /**
   * Number of instances that are always On-Demand, before any Spot Instance.
   *
   * @default 0
   */
  readonly onDemandBase?: number;
  /**
   * Percentage of Spot Instances above the On-Demand base.
   *
   * @default 100
   */
  readonly percent?: number;
}

export const WARM_STATES = ["stopped", "hibernated", "running"] as const;
/** State of the instances in a warm pool. A stopped instance costs only its disk. */
export type WarmState = (typeof WARM_STATES)[number];

/** Instances that are initialized before they are needed. */
export interface WarmPool {
  /**
   * Minimum number of instances in the pool.
   *
   * @default 0
   */
  readonly min?: number;
  /**
   * Maximum number of instances in the pool and in service together.
   *
   * @default - scaling.max
   */
  readonly maxPrepared?: number;
  /** @default "stopped" */
  readonly state?: WarmState;
}

/** Rolling replacement of instances after a change, which rolls back if the new ones are not healthy. */
export interface InstanceRefresh {
  /**
   * Percentage of the desired capacity that must stay healthy.
   *
   * @default 100
   */
  readonly minHealthyPercent?: number;
  /**
   * Upper limit of old and new instances together, as a percentage of the desired capacity; at most minHealthyPercent + 100.
   *
   * @default 150
   */
  readonly maxHealthyPercent?: number;
}

export interface AutoScalingGroupProps {
  /**
   * VPC that the instances run in.
   *
   * @default - the VPC of the platform that the group is in
   */
  readonly vpc?: IVpc;
  /**
   * Instance types, by name or by requirements.
   *
   * @default InstanceTypes.ofType("t4g.small")
   */
  readonly instanceTypes?: InstanceTypes;
  /**
   * Machine image (AMI) of the instances.
   *
   * @default MachineImage.amazonLinux(), with a cluster MachineImage.ecs()
   */
  readonly image?: MachineImage;
  /** @default - see InstanceScaling */
  readonly scaling?: InstanceScaling;
  /**
   * Runs some or all of the instances as Spot Instances.
   *
   * @default - only On-Demand
   */
  readonly spot?: Spot;
  /**
   * ECS cluster that the instances join to run tasks: those of services with `capacity: [Capacity.instances(group)]`.
   * "none" for instances that run no tasks.
   *
   * @default - the cluster of the {@link Platform} that the group is in, unless that is an existing one; elsewhere "none"
   */
  readonly cluster?: ICluster | "none";
  /**
   * Registers the instances with a load balancer.
   *
   * @default - the instances are not registered with a load balancer
   */
  readonly registerWith?: TargetRegistration;
  /**
   * User data, which runs at the first boot of an instance.
   *
   * @default - none
   */
  readonly userData?: UserData;
  /**
   * Size of the encrypted disk in GiB, 8 to 16384; with a cluster at least 30.
   *
   * @default 30
   */
  readonly diskGiB?: number;
  /**
   * Time until a new instance takes load and its metrics and health count.
   *
   * @default Duration.minutes(2)
   */
  readonly warmup?: Duration;
  /**
   * Warm pool of initialized instances.
   *
   * @default - none
   */
  readonly warmPool?: WarmPool;
  /** @default - see InstanceRefresh */
  readonly instanceRefresh?: InstanceRefresh;
}

export interface AutoScalingGroupSettings {
  readonly cluster: ICluster | undefined;
  readonly vpc: IVpc;
  readonly instanceTypes: InstanceTypes;
  readonly architecture: Architecture;
  readonly image: MachineImage;
  readonly min: number;
  readonly max: number;
  readonly cpuPercent: number | undefined;
  readonly spot: Required<Spot> | undefined;
  readonly diskGiB: number;
  readonly warmup: Duration;
  readonly warmPool: { readonly min: number; readonly maxPrepared?: number; readonly state: WarmState } | undefined;
  readonly instanceRefresh: Required<InstanceRefresh>;
  readonly registration: RegistrationSettings | undefined;
}

/** Interface endpoints that instances of a cluster need, besides those of tasks, in a VPC without internet access. */
const CLUSTER_ENDPOINTS = ["ecs", "ecs-agent", "ecs-telemetry"] as const;

/**
 * Applies defaults and checks the props.
 *
 * @throws InvalidPropsError METRIC, SCALING_MIN, SCALING_MIN_GT_MAX, SCALING_MIN_ONE_ZONE, SCALING_NAME, SCALING_PERCENT,
 * SCALING_TARGET, SCALING_STEPS, SCALING_STEPS_OVERLAP, SCHEDULE_INTERVAL, SCHEDULE_CAPACITY, SCALING_REQUESTS,
 * SCALING_PREDICTION, SCALING_CLUSTER, INSTANCE_TYPES, INSTANCE_REQUIREMENTS, INSTANCE_ARCHITECTURE, INSTANCE_CLUSTER,
 * INSTANCE_ENDPOINTS, INSTANCE_PUBLIC_IP, SPOT_PERCENT, SPOT_BASE, DISK_SIZE, WARMUP, WARM_POOL_MIXED, WARM_POOL_SIZE,
 * WARM_POOL_STATE, INSTANCE_REFRESH_PERCENT, REGISTRATION_LOAD_BALANCER, REGISTRATION_PORT, REGISTRATION_HEALTH_PATH,
 * LISTENER_RULE_CONDITIONS, LISTENER_RULE_HOST, LISTENER_RULE_PATH, LISTENER_RULE_PRIORITY, USER_DATA_SIZE,
 * USER_DATA_VARIABLE
 */
export function resolveAutoScalingGroup(scope: IConstruct, props: AutoScalingGroupProps): AutoScalingGroupSettings {
  const problems = new Problems(scope);
  const cluster = props.cluster === "none" ? undefined : (props.cluster ?? STACK_CLUSTER.of(scope));
  problems.check(props.cluster !== undefined || cluster === undefined || props.registerWith === undefined, {
    code: "INSTANCE_CLUSTER",
    prop: "cluster",
    problem: "must be set for instances in a platform that are registered with a load balancer",
    remedy: 'Set cluster: "none", or cluster: platform.cluster for instances that also run tasks.',
  });
  const sizes = resolveInstanceScaling(problems, props.scaling ?? {}, {
    production: AwsStack.of(scope).production,
    inCluster: cluster !== undefined,
    isRegistered: props.registerWith !== undefined,
  });
  const instanceTypes = props.instanceTypes ?? InstanceTypes.ofType("t4g.small");
  checkInstances(instanceTypes, problems);
  const vpc = props.vpc ?? STACK_VPC.of(scope);
  if (vpc === undefined) {
    throw invalid(scope, {
      code: "INSTANCE_VPC",
      prop: "vpc",
      problem: "must be set for a group outside a platform",
      remedy: "Set vpc, or create the group in a Platform.",
    });
  }
  checkVpc(vpc, cluster, problems);
  const spot = props.spot && { onDemandBase: props.spot.onDemandBase ?? 0, percent: props.spot.percent ?? 100 };
  if (spot !== undefined) {
    problems.check(spot.percent >= 1 && spot.percent <= 100 && Number.isInteger(spot.percent), {
      code: "SPOT_PERCENT",
      prop: "spot.percent",
      problem: `must be a whole number from 1 to 100, got ${spot.percent}`,
      remedy: "Change it; to use no Spot Instances, leave spot out.",
    });
    problems.check(Number.isInteger(spot.onDemandBase) && spot.onDemandBase >= 0 && spot.onDemandBase <= sizes.max, {
      code: "SPOT_BASE",
      prop: "spot.onDemandBase",
      problem: `must be between 0 and scaling.max (${sizes.max}), got ${spot.onDemandBase}`,
      remedy: "Change onDemandBase, or increase scaling.max.",
    });
  }
  const diskGiB = props.diskGiB ?? 30;
  const smallest = cluster === undefined ? 8 : 30;
  problems.check(Number.isInteger(diskGiB) && diskGiB >= smallest && diskGiB <= 16_384, {
    code: "DISK_SIZE",
    prop: "diskGiB",
    problem: `must be from ${smallest}, which the image needs, to 16384, got ${diskGiB}`,
    remedy: `Set diskGiB to a whole number from ${smallest} to 16384.`,
  });
  const warmup = props.warmup ?? Duration.minutes(2);
  problems.check(Number.isInteger(warmup.toSeconds()) && warmup.toSeconds() <= 3600, {
    code: "WARMUP",
    prop: "warmup",
    problem: `must be whole seconds, at most an hour, got ${warmup}`,
    remedy: "Use a duration such as Duration.minutes(2).",
  });
  const warmPool = resolveWarmPool(props, instanceTypes, sizes, problems);
  const { minHealthyPercent = 100, maxHealthyPercent = 150 } = props.instanceRefresh ?? {};
  problems.check(
    minHealthyPercent >= 0 &&
      minHealthyPercent <= 100 &&
      maxHealthyPercent >= 100 &&
      maxHealthyPercent <= minHealthyPercent + 100 &&
      maxHealthyPercent > minHealthyPercent,
    {
      code: "INSTANCE_REFRESH_PERCENT",
      prop: "instanceRefresh",
      problem: `must leave at least one instance to replace and stay within AWS's limits, got ${minHealthyPercent} to ${maxHealthyPercent} %`,
      remedy:
        "Set minHealthyPercent from 0 to 100, and maxHealthyPercent above it, from 100 to minHealthyPercent + 100.",
    },
  );
  const registration = props.registerWith && resolveRegistration(scope, props.registerWith, problems);
  if (props.userData !== undefined) checkUserData(props.userData, problems);
  problems.throwIfAny();
  return {
    ...sizes,
    cluster,
    vpc,
    instanceTypes,
    architecture: instanceTypes.architectures[0] ?? "arm64",
    image: props.image ?? (cluster === undefined ? MachineImage.amazonLinux() : MachineImage.ecs()),
    spot,
    diskGiB,
    warmup,
    warmPool,
    instanceRefresh: { minHealthyPercent, maxHealthyPercent },
    registration,
  };
}

function checkInstances(instanceTypes: InstanceTypes, problems: Problems): void {
  const { choice } = instanceTypes;
  if (choice.kind === "need") {
    const { vcpus, memoryMiB, architecture } = choice.need;
    problems.check(Number.isInteger(vcpus) && vcpus >= 1 && Number.isInteger(memoryMiB) && memoryMiB >= 512, {
      code: "INSTANCE_REQUIREMENTS",
      prop: "instanceTypes",
      problem: `must require at least 1 vCPU and 512 MiB in whole numbers, got ${vcpus} vCPUs and ${memoryMiB} MiB`,
      remedy: "Change vcpus and memoryMiB.",
    });
    problems.checkOneOf(architecture, ARCHITECTURES, { code: "INSTANCE_ARCHITECTURE", prop: "instanceTypes" });
    return;
  }
  problems.check(
    choice.types.length > 0 &&
      choice.types.every((type) => INSTANCE_TYPE.test(type)) &&
      new Set(choice.types).size === choice.types.length,
    {
      code: "INSTANCE_TYPES",
      prop: "instanceTypes",
      problem: `must be valid names of instance types, each listed once, got (${choice.types.join(", ")})`,
      remedy: "Use names such as t4g.small.",
    },
  );
  problems.check(instanceTypes.architectures.length <= 1, {
    code: "INSTANCE_ARCHITECTURE",
    prop: "instanceTypes",
    problem: `must share one architecture, because a machine image supports only one, got (${choice.types.join(", ")})`,
    remedy: "Use either Graviton types (t4g, m7g, c8g) or types without Graviton.",
  });
}

function checkVpc(vpc: IVpc, cluster: ICluster | undefined, problems: Problems): void {
  const { egress, endpoints } = vpc;
  problems.check(cluster === undefined || egress !== "public-ip", {
    code: "INSTANCE_PUBLIC_IP",
    prop: "vpc.egress",
    problem: '"public-ip" does not work for tasks on instances: AWS assigns public addresses only to tasks on Fargate',
    remedy:
      'Use egress "single-nat", run the tasks on Fargate, or set cluster: "none" for instances that run no tasks.',
  });
  if (cluster === undefined || egress !== "endpoints" || endpoints === undefined) return;
  const lacking = CLUSTER_ENDPOINTS.filter((endpoint) => !endpoints.includes(endpoint));
  problems.check(lacking.length === 0, {
    code: "INSTANCE_ENDPOINTS",
    prop: "vpc.endpoints",
    problem: `must include ${lacking.join(", ")}, which instances need to join the cluster`,
    remedy: `Add them: endpoints: [..., ${CLUSTER_ENDPOINTS.map((name) => JSON.stringify(name)).join(", ")}].`,
  });
}

function resolveWarmPool(
  props: AutoScalingGroupProps,
  instanceTypes: InstanceTypes,
  sizes: { readonly min: number; readonly max: number },
  problems: Problems,
) {
  if (props.warmPool === undefined) return undefined;
  const { min = 0, maxPrepared, state = "stopped" } = props.warmPool;
  problems.check(
    props.spot === undefined && instanceTypes.choice.kind === "types" && instanceTypes.choice.types.length === 1,
    {
      code: "WARM_POOL_MIXED",
      prop: "warmPool",
      problem:
        "cannot be combined with Spot or several instance types, because AWS supports no warm pools for mixed instances",
      remedy: 'Use InstanceTypes.ofType("...") with one type and no spot, or leave warmPool out.',
    },
  );
  problems.check(
    Number.isInteger(min) &&
      min >= 0 &&
      (maxPrepared === undefined || (Number.isInteger(maxPrepared) && maxPrepared >= Math.max(min, sizes.min))),
    {
      code: "WARM_POOL_SIZE",
      prop: "warmPool",
      problem: `must have maxPrepared greater than or equal to both min and scaling.min (${sizes.min}), got min ${min} and maxPrepared ${maxPrepared}`,
      remedy: "Use whole numbers; increase maxPrepared, or decrease min or scaling.min.",
    },
  );
  problems.checkOneOf(state, WARM_STATES, { code: "WARM_POOL_STATE", prop: "warmPool.state" });
  return { min, maxPrepared, state };
}

function checkUserData(userData: UserData, problems: Problems): void {
  const bytes = Buffer.byteLength(userData.script) + Buffer.byteLength(JSON.stringify(userData.variables));
  // The settings of the ECS agent need some of the space.
  const most = USER_DATA_BYTES - 1024;
  problems.check(bytes <= most, {
    code: "USER_DATA_SIZE",
    prop: "userData",
    problem: `must be at most ${most} bytes, got ${bytes}`,
    remedy: "Download the rest from S3, or bake it into a machine image.",
  });
  for (const [name, value] of Object.entries(userData.variables)) {
    problems.check(/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && (isReference(value) || !value.includes("\0")), {
      code: "USER_DATA_VARIABLE",
      prop: `userData.variables.${name}`,
      problem: "is not a valid shell variable name",
      remedy: "Use letters, digits and _, and do not start with a digit.",
    });
  }
}
