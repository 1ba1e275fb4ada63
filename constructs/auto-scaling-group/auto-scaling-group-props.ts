import { Token } from "cdktf";
import type { IConstruct } from "constructs";
import { type ICluster, stackCluster } from "../cluster/cluster";
import { ARCHITECTURES, type Architecture } from "../core/architecture";
import { invalid, Problems } from "../core/errors";
import { checkMetric } from "../core/metric";
import {
  type Bounds,
  checkBounds,
  checkPolicyNames,
  checkSteps,
  checkTarget,
  checkUtilization,
  checkZoneLoss,
  type MetricTarget,
  type ScaleInStep,
  type ScalingSteps,
} from "../core/scaling";
import { checkSchedule, type Schedule } from "../core/schedule";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import { type ListenerRuleSettings, resolveListenerRule } from "../load-balancer/listener-rule";
import { type ILoadBalancer, stackLoadBalancer } from "../load-balancer/load-balancer";
import { type IVpc, stackVpc } from "../vpc/vpc";
import { INSTANCE_TYPE, InstanceTypes, MachineImage } from "./instance-types";
import { USER_DATA_BYTES, type UserData } from "./user-data";

export const PREDICTIONS = ["forecast", "scale"] as const;
/** Whether a forecast from the last two weeks is only shown, or starts instances before they are needed. */
export type Prediction = (typeof PREDICTIONS)[number];

/** How many instances run, and what decides. AWS takes the largest number that any policy asks for. */
export interface InstanceScaling {
  /**
   * Fewest machines.
   *
   * @default 1 in dev, 2 in production
   */
  readonly min?: number;
  /**
   * Most machines.
   *
   * @default - twice min, and at least 4
   */
  readonly max?: number;
  /**
   * Instances are added above this average use of CPU, and taken away below it.
   *
   * @default 60 where nothing else decides; with a cluster ECS decides, by the tasks that wait
   */
  readonly cpuPercent?: number;
  /**
   * The same of what comes in from the network, in MiB a minute and machine. Has each instance measured each minute, about
   * 2 USD a month and machine.
   *
   * @default - does not decide
   */
  readonly networkInMiB?: number;
  /**
   * The same of what goes out to the network, in MiB a minute and machine.
   *
   * @default - does not decide
   */
  readonly networkOutMiB?: number;
  /**
   * The same of requests from the load balancer, a minute and machine.
   *
   * @default - does not decide
   */
  readonly requestsPerInstance?: number;
  /**
   * Forecasts the use of CPU from the last two weeks: `forecast` only shows it, `scale` starts instances before they are
   * needed and never takes one away.
   *
   * @default - no forecast
   */
  readonly prediction?: Prediction;
  /**
   * Metrics of your own that are kept at a target.
   *
   * @default - none
   */
  readonly metrics?: readonly MetricTarget[];
  /**
   * Metrics that add and remove instances in steps.
   *
   * @default - none
   */
  readonly steps?: readonly InstanceScalingSteps[];
  /**
   * Numbers of instances at certain times; policies go on from there.
   *
   * @default - none
   */
  readonly schedules?: readonly ScheduledInstances[];
}

/** Adds and removes instances in steps: the farther a metric is off, the more. */
export interface InstanceScalingSteps extends ScalingSteps {
  /**
   * Steps that remove instances, all below the lowest of `out`.
   *
   * @default - none
   */
  readonly in?: readonly ScaleInStep[];
}

/** Sets the number of instances at a time. Min and max stay as they are, and so does the plan. */
export interface ScheduledInstances {
  /** Name of the scheduled action, unique within the group; part of addresses: `Morning`. */
  readonly name: string;
  /** Made by `cron(...)`; EC2 Auto Scaling has no intervals. */
  readonly schedule: Schedule;
  /** Number of instances, from scaling.min to scaling.max. */
  readonly instances: number;
}

/** Instances that AWS may take back with two minutes' notice, for about a third of the price. */
export interface Spot {
  /**
   * The first instances, as many as this, are not Spot.
   *
   * @default 0
   */
  readonly onDemandBase?: number;
  /**
   * How many of those beyond the base are Spot.
   *
   * @default 100
   */
  readonly percent?: number;
}

/** Which requests of a shared load balancer come to the instances, and how it sees that they are well. */
export interface TargetRegistration {
  /** @default - the load balancer of the {@link Platform} that the group is in */
  readonly loadBalancer?: ILoadBalancer;
  /** TCP port that the instances listen on. */
  readonly port: number;
  /**
   * Path that answers 200 on an instance that is well. One that is not is replaced.
   *
   * @default "/"
   */
  readonly healthPath?: string;
  /**
   * Host names, at most 3.
   *
   * @default - any
   */
  readonly hosts?: readonly string[];
  /**
   * Path patterns, as `/reports/*`; at most 3.
   *
   * @default - any
   */
  readonly paths?: readonly string[];
  /**
   * Order among all rules on the load balancer, 1 to 999; the lowest that matches wins.
   *
   * @default - from hosts and paths, the narrower the earlier, and after all that have one
   */
  readonly priority?: number;
}

export const WARM_STATES = ["stopped", "hibernated", "running"] as const;
/** How an instance waits. A stopped one costs its disk alone. */
export type WarmState = (typeof WARM_STATES)[number];

/** Instances that have started before they are needed, and wait. */
export interface WarmPool {
  /**
   * Fewest that wait.
   *
   * @default 0
   */
  readonly min?: number;
  /**
   * Most that wait and run together.
   *
   * @default - scaling.max
   */
  readonly maxPrepared?: number;
  /** @default "stopped" */
  readonly state?: WarmState;
}

/** How a change is rolled out: instance by instance, and back when new ones are not well. */
export interface InstanceRefresh {
  /**
   * How many of the wanted instances must be well at any time.
   *
   * @default 100
   */
  readonly minHealthyPercent?: number;
  /**
   * How many there may be, old and new; at most minHealthyPercent + 100.
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
   * By name or by need.
   *
   * @default Instances.ofType("t4g.small")
   */
  readonly instanceTypes?: InstanceTypes;
  /**
   * What they start from.
   *
   * @default MachineImage.amazonLinux(), with a cluster MachineImage.ecs()
   */
  readonly image?: MachineImage;
  /** @default - see MachineScaling */
  readonly scaling?: InstanceScaling;
  /**
   * Lets some of them be Spot.
   *
   * @default - none is
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
   * Puts them behind a balancer.
   *
   * @default - no requests come from outside
   */
  readonly registerWith?: TargetRegistration;
  /**
   * What an instance does when it starts for the first time.
   *
   * @default - nothing
   */
  readonly userData?: UserData;
  /**
   * Size of the encrypted disk, 8 to 16384; with a cluster at least 30.
   *
   * @default 30
   */
  readonly diskGiB?: number;
  /**
   * How long a new instance takes until it does its share and its health counts.
   *
   * @default Duration.minutes(2)
   */
  readonly warmup?: Duration;
  /**
   * Instances that wait, started.
   *
   * @default - none
   */
  readonly warmPool?: WarmPool;
  /** @default - see Refresh */
  readonly instanceRefresh?: InstanceRefresh;
}

/** Registration with a load balancer, with defaults applied. */
export interface RegistrationSettings {
  readonly loadBalancer: ILoadBalancer;
  readonly port: number;
  readonly healthPath: string;
  readonly rule: ListenerRuleSettings;
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

/** AWS services that instances of a cluster need besides what a task needs, where there is no way to the internet. */
const CLUSTER_ENDPOINTS = ["ecs", "ecs-agent", "ecs-telemetry"] as const;

/**
 * Applies defaults and checks.
 *
 * @throws InvalidPropsError METRIC, SCALING_MIN, SCALING_MIN_GT_MAX, SCALING_MIN_ONE_ZONE, SCALING_NAME, SCALING_PERCENT,
 *   SCALING_TARGET, SCALING_STEPS, SCALING_STEPS_OVERLAP, SCHEDULE, SCHEDULE_INTERVAL, SCHEDULE_CAPACITY, SCALING_REQUESTS, SCALING_PREDICTION, SCALING_CLUSTER, INSTANCE_TYPES, INSTANCE_REQUIREMENTS, INSTANCE_ARCHITECTURE,
 *   INSTANCE_CLUSTER, INSTANCE_ENDPOINTS, INSTANCE_PUBLIC_IP, SPOT_PERCENT, SPOT_BASE, DISK_SIZE, WARMUP, WARM_POOL_MIXED, WARM_POOL_SIZE, WARM_POOL_STATE,
 *   INSTANCE_REFRESH_PERCENT, REGISTRATION_LOAD_BALANCER, REGISTRATION_PORT, REGISTRATION_HEALTH_PATH,
 *   LISTENER_RULE_CONDITIONS, LISTENER_RULE_HOST, LISTENER_RULE_PATH, LISTENER_RULE_PRIORITY, USER_DATA_SIZE, USER_DATA_VARIABLE
 */
export function resolveAutoScalingGroup(scope: IConstruct, props: AutoScalingGroupProps): AutoScalingGroupSettings {
  const problems = new Problems(scope);
  const cluster = props.cluster === "none" ? undefined : (props.cluster ?? stackCluster(scope));
  problems.check(props.cluster !== undefined || cluster === undefined || props.registerWith === undefined, {
    code: "INSTANCE_CLUSTER",
    prop: "cluster",
    problem: "must be set for instances in a platform that are registered with a load balancer",
    remedy: 'Set cluster: "none", or cluster: platform.cluster for instances that also run tasks.',
  });
  const sizes = resolveSizes(scope, props, cluster, problems);
  const instanceTypes = props.instanceTypes ?? InstanceTypes.ofType("t4g.small");
  checkInstances(instanceTypes, problems);
  const vpc = props.vpc ?? stackVpc(scope);
  if (vpc === undefined) {
    throw invalid(scope, {
      code: "INSTANCE_VPC",
      prop: "vpc",
      problem: "must be set where the group is in no platform",
      remedy: "Set vpc, or create the group in a Platform.",
    });
  }
  checkVpc(vpc, cluster, problems);
  const spot = props.spot && { onDemandBase: props.spot.onDemandBase ?? 0, percent: props.spot.percent ?? 100 };
  if (spot !== undefined) {
    problems.check(spot.percent >= 1 && spot.percent <= 100 && Number.isInteger(spot.percent), {
      code: "SPOT_PERCENT",
      prop: "spot.percent",
      problem: `${spot.percent} is no share`,
      remedy: "Use whole numbers from 1 to 100; for none leave spot out.",
    });
    problems.check(Number.isInteger(spot.onDemandBase) && spot.onDemandBase >= 0 && spot.onDemandBase <= sizes.max, {
      code: "SPOT_BASE",
      prop: "spot.onDemandBase",
      problem: `${spot.onDemandBase} is not within 0 and scaling.max (${sizes.max})`,
      remedy: "Lower it, or raise max.",
    });
  }
  const diskGiB = props.diskGiB ?? 30;
  const smallest = cluster === undefined ? 8 : 30;
  problems.check(Number.isInteger(diskGiB) && diskGiB >= smallest && diskGiB <= 16_384, {
    code: "DISK_SIZE",
    prop: "diskGiB",
    problem: `${diskGiB} is no size of a disk that the image fits on`,
    remedy: `Use ${smallest} to 16384.`,
  });
  const warmup = props.warmup ?? Duration.minutes(2);
  problems.check(Number.isInteger(warmup.toSeconds()) && warmup.toSeconds() <= 3600, {
    code: "WARMUP",
    prop: "warmup",
    problem: `${warmup} is no time that an instance may take to start`,
    remedy: "Use whole seconds, at most an hour.",
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
      problem: `from ${minHealthyPercent} to ${maxHealthyPercent} % leaves no instance to replace, or is more than AWS allows`,
      remedy: "Use minHealthyPercent 0 to 100, and maxHealthyPercent above it and 100 to minHealthyPercent + 100.",
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

function resolveSizes(
  scope: IConstruct,
  props: AutoScalingGroupProps,
  cluster: ICluster | undefined,
  problems: Problems,
) {
  const { production } = AwsStack.of(scope);
  const { registerWith } = props;
  const scaling: InstanceScaling = props.scaling ?? {};
  const min = scaling.min ?? (production ? 2 : 1);
  const max = scaling.max ?? Math.max(4, 2 * min);
  const { networkInMiB, networkOutMiB, requestsPerInstance, prediction, metrics = [], steps = [] } = scaling;
  const { schedules = [] } = scaling;
  const others =
    metrics.length > 0 || [networkInMiB, networkOutMiB, requestsPerInstance].some((target) => target !== undefined);
  const cpuPercent = scaling.cpuPercent ?? (cluster !== undefined || others ? undefined : 60);
  checkBounds(problems, "scaling", { min, max });
  // Without instances of their own, tasks wait until ECS has started some.
  if (production && cluster === undefined) checkZoneLoss(problems, "scaling.min", min, "instance");
  checkUtilization(problems, "scaling.cpuPercent", cpuPercent);
  for (const [prop, target] of Object.entries({ networkInMiB, networkOutMiB, requestsPerInstance })) {
    checkTarget(problems, `scaling.${prop}`, target);
  }
  for (const { name, metric, target } of metrics) {
    checkMetric(problems, `scaling.metrics.${name}.metric`, metric);
    checkTarget(problems, `scaling.metrics.${name}`, target);
  }
  for (const each of steps) checkSteps(problems, `scaling.steps.${each.name}`, each);
  for (const each of schedules) checkScheduledInstances(problems, each, { min, max });
  checkPolicyNames(problems, [...metrics, ...steps, ...schedules]);
  problems.check(requestsPerInstance === undefined || registerWith !== undefined, {
    code: "SCALING_REQUESTS",
    prop: "scaling.requestsPerInstance",
    problem: `${requestsPerInstance} decides nothing: no load balancer sends requests`,
    remedy: "Pass behind: { load balancer, port }, or scale by something else.",
  });
  problems.check(prediction === undefined || PREDICTIONS.includes(prediction), {
    code: "SCALING_PREDICTION",
    prop: "scaling.prediction",
    problem: `${JSON.stringify(prediction)} is not known`,
    remedy: `Use one of: ${PREDICTIONS.join(", ")}.`,
  });
  problems.check(
    cluster === undefined ||
      (scaling.cpuPercent === undefined &&
        !others &&
        steps.length + schedules.length === 0 &&
        prediction === undefined),
    {
      code: "SCALING_CLUSTER",
      prop: "scaling",
      problem: "must have min and max alone: ECS makes a group in a cluster as large as its tasks need",
      remedy: 'Scale the services instead, or set cluster: "none".',
    },
  );
  return { min, max, cpuPercent };
}

function checkScheduledInstances(
  problems: Problems,
  { name, schedule, instances }: ScheduledInstances,
  { min, max }: Bounds,
): void {
  const prop = `scaling.schedules.${name}`;
  checkSchedule(problems, `${prop}.schedule`, schedule);
  problems.check(typeof schedule?.expression !== "string" || schedule.recurrence !== undefined, {
    code: "SCHEDULE_INTERVAL",
    prop: `${prop}.schedule`,
    problem: `must be made by cron(...), got ${schedule?.expression}: EC2 Auto Scaling has no intervals`,
    remedy: 'Use for example cron("0 7 * * MON-FRI").',
  });
  problems.check(Number.isInteger(instances) && instances >= min && instances <= max, {
    code: "SCHEDULE_CAPACITY",
    prop: `${prop}.instances`,
    problem: `must be a whole number from scaling.min (${min}) to scaling.max (${max}), got ${instances}`,
    remedy: "Change it, or widen min and max.",
  });
}

function checkInstances(instanceTypes: InstanceTypes, problems: Problems): void {
  const { choice } = instanceTypes;
  if (choice.kind === "need") {
    const { vcpus, memoryMiB, architecture } = choice.need;
    problems.check(Number.isInteger(vcpus) && vcpus >= 1 && Number.isInteger(memoryMiB) && memoryMiB >= 512, {
      code: "INSTANCE_REQUIREMENTS",
      prop: "instanceTypes",
      problem: `${vcpus} vCPUs and ${memoryMiB} MiB are no need of an instance`,
      remedy: "Use whole numbers, vcpus >= 1 and memoryMiB >= 512.",
    });
    problems.check(ARCHITECTURES.includes(architecture), {
      code: "INSTANCE_ARCHITECTURE",
      prop: "instanceTypes",
      problem: `${JSON.stringify(architecture)} is not known`,
      remedy: `Use one of: ${ARCHITECTURES.join(", ")}.`,
    });
    return;
  }
  problems.check(
    choice.types.length > 0 &&
      choice.types.every((type) => INSTANCE_TYPE.test(type)) &&
      new Set(choice.types).size === choice.types.length,
    {
      code: "INSTANCE_TYPES",
      prop: "instanceTypes",
      problem: `(${choice.types.join(", ")}) are no instance types, or name one twice`,
      remedy: "Use names as t4g.small, each once.",
    },
  );
  problems.check(instanceTypes.architectures.length <= 1, {
    code: "INSTANCE_ARCHITECTURE",
    prop: "instanceTypes",
    problem: `(${choice.types.join(", ")}) are of two architectures, and one image fits one`,
    remedy: "Use either types with Graviton (t4g, m7g, c8g) or those without.",
  });
}

function checkVpc(vpc: IVpc, cluster: ICluster | undefined, problems: Problems): void {
  const { egress, endpoints } = vpc;
  problems.check(cluster === undefined || egress !== "public-ip", {
    code: "INSTANCE_PUBLIC_IP",
    prop: "vpc.egress",
    problem: '"public-ip" is no way out for tasks on instances: AWS gives public addresses to tasks on Fargate alone',
    remedy:
      'Use egress "single-nat", run the tasks on Fargate, or set cluster: "none" for instances that run no tasks.',
  });
  if (cluster === undefined || egress !== "endpoints" || endpoints === undefined) return;
  const lacking = CLUSTER_ENDPOINTS.filter((endpoint) => !endpoints.includes(endpoint));
  problems.check(lacking.length === 0, {
    code: "INSTANCE_ENDPOINTS",
    prop: "vpc.endpoints",
    problem: `lack ${lacking.join(", ")}: no instance could join the cluster`,
    remedy: `Name them too: endpoints: [..., ${CLUSTER_ENDPOINTS.map((name) => JSON.stringify(name)).join(", ")}].`,
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
      problem: "is not possible for Spot or for several instance types: AWS keeps none for mixed groups",
      remedy: 'Use Instances.ofType("...") with one type and no spot, or leave warmPool out.',
    },
  );
  problems.check(
    Number.isInteger(min) &&
      min >= 0 &&
      (maxPrepared === undefined || (Number.isInteger(maxPrepared) && maxPrepared >= Math.max(min, sizes.min))),
    {
      code: "WARM_POOL_SIZE",
      prop: "warmPool",
      problem: `from ${min} to ${maxPrepared} is no size: what waits and runs together is at least scaling.min (${sizes.min})`,
      remedy: "Use whole numbers, min >= 0 and maxPrepared >= min and scaling.min.",
    },
  );
  problems.check(WARM_STATES.includes(state), {
    code: "WARM_POOL_STATE",
    prop: "warmPool.state",
    problem: `${JSON.stringify(state)} is not known`,
    remedy: `Use one of: ${WARM_STATES.join(", ")}.`,
  });
  return { min, maxPrepared, state };
}

function resolveRegistration(
  scope: IConstruct,
  registerWith: TargetRegistration,
  problems: Problems,
): RegistrationSettings | undefined {
  const { port, healthPath = "/", loadBalancer = stackLoadBalancer(scope) } = registerWith;
  problems.check(loadBalancer !== undefined, {
    code: "REGISTRATION_LOAD_BALANCER",
    prop: "registerWith.loadBalancer",
    problem: "must be set where the group is in no platform with a listener",
    remedy: "Set it, or set listener: https({ certificateArn }) on the Platform that the group is in.",
  });
  problems.check(Number.isInteger(port) && port >= 1 && port <= 65_535 && port !== 22, {
    code: "REGISTRATION_PORT",
    prop: "registerWith.port",
    problem: `${port} is no port that a load balancer sends requests to`,
    remedy: "Use 1 to 65535, and not 22.",
  });
  problems.check(/^\/[\x21-\x7e]{0,1023}$/.test(healthPath) && !/[$%]\{/.test(healthPath), {
    code: "REGISTRATION_HEALTH_PATH",
    prop: "registerWith.healthPath",
    problem: `${JSON.stringify(healthPath)} is no path`,
    remedy: "Begin with / and use up to 1024 visible characters.",
  });
  const rule = resolveListenerRule(problems, registerWith, "registerWith.");
  return loadBalancer && { loadBalancer, port, healthPath, rule };
}

function checkUserData(userData: UserData, problems: Problems): void {
  const bytes = Buffer.byteLength(userData.script) + Buffer.byteLength(JSON.stringify(userData.variables));
  // The agent's settings need some of it.
  const most = USER_DATA_BYTES - 1024;
  problems.check(bytes <= most, {
    code: "USER_DATA_SIZE",
    prop: "userData",
    problem: `has ${bytes} bytes, EC2 takes ${most}`,
    remedy: "Fetch the rest from S3, or put it into an image.",
  });
  for (const [name, value] of Object.entries(userData.variables)) {
    problems.check(/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && (Token.isUnresolved(value) || !value.includes("\0")), {
      code: "USER_DATA_VARIABLE",
      prop: `userData.variables.${name}`,
      problem: "is no variable of a shell",
      remedy: "Use letters, digits and _, first no digit.",
    });
  }
}
