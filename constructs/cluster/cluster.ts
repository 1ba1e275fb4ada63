import type { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { EcsCapacityProvider } from "@cdktf/provider-aws/lib/ecs-capacity-provider";
import { EcsCluster } from "@cdktf/provider-aws/lib/ecs-cluster";
import { EcsClusterCapacityProviders } from "@cdktf/provider-aws/lib/ecs-cluster-capacity-providers";
import { Lazy } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import type { Architecture } from "../core/architecture";
import { checkArguments } from "../core/check-types";
import { invalid, type Problem, Problems, validateAtSynth } from "../core/errors";
import { LogKey } from "../core/key";
import { literal } from "../core/literal";
import { isReference } from "../core/reference";
import { AwsStack, addressOf } from "../core/stack";
import { StackDefault } from "../core/stack-default";
import { Duration } from "../core/units";
import { LogStream } from "../logging/log-stream";
import { Capacity, resolveCapacity } from "./capacity";

/**
 * ECS Exec: a shell in a running task, for users whose IAM permissions include `ecs:ExecuteCommand` on the task and
 * `kms:GenerateDataKey` on the key. Input and output are logged.
 */
export interface Exec {
  /**
   * ARN of the KMS key that encrypts sessions and their log. Its policy must allow CloudWatch Logs.
   *
   * @default - a new key, 1 USD a month
   */
  readonly keyArn?: string;
}

export interface ClusterProps {
  /**
   * Default capacity of services that set none.
   *
   * @default [Capacity.fargate()]
   */
  readonly capacity?: readonly Capacity[];
  /**
   * Enables Container Insights, which reports metrics of each task and container. Costs about 0.30 USD per metric and month.
   *
   * @default - only in production
   */
  readonly containerInsights?: boolean;
  /**
   * Enables ECS Exec for services that set `exec`.
   *
   * @default - disabled
   */
  readonly exec?: Exec;
}

/** An ECS cluster, created by this app or managed outside it. */
export interface ICluster extends IConstruct {
  readonly clusterArn: string;
  readonly clusterName: string;
  /**
   * Names of the capacity providers of its instances, by the construct ids of their Auto Scaling groups. Undefined if the
   * cluster is managed outside this app and they are read at apply.
   */
  readonly capacityProviderNames: Readonly<Record<string, string>> | undefined;
  /** Processor architectures of the Auto Scaling groups that this app creates, by their construct ids. */
  readonly instanceArchitectures: Readonly<Record<string, Architecture>>;
  /** Returns the capacity provider strategy of an ECS service for a list of capacities. */
  strategy(capacity: readonly Capacity[]): CapacityProviderStrategyItem[];
  /**
   * Returns the settings that a task needs for ECS Exec.
   *
   * @throws InvalidPropsError CLUSTER_EXEC_OFF
   */
  sessions(): Sessions;
  /**
   * Adds a capacity provider for the instances of an Auto Scaling group, which calls this itself.
   *
   * @throws InvalidPropsError CLUSTER_INSTANCES_TWICE, CLUSTER_NOT_OWNED
   */
  addInstances(instances: InstanceGroup): void;
}

/** Encryption and log group of ECS Exec sessions. */
export interface Sessions {
  readonly keyArn: string;
  readonly logGroupArn: string;
}

/** An item of a capacity provider strategy, in ECS's terms. */
export interface CapacityProviderStrategyItem {
  readonly capacityProvider: string;
  readonly weight: number;
  readonly base: number;
}

/** Instances that tasks run on, such as an AutoScalingGroup. */
export interface InstanceGroup {
  /** Name by which capacities refer to it. */
  readonly name: string;
  readonly autoScalingGroupArn: string;
  readonly autoScalingGroupName: string;
  /** Time until a new instance is ready to run tasks. */
  readonly warmup: Duration;
  readonly architecture: Architecture;
}

/**
 * An ECS cluster with the capacity providers Fargate and Fargate Spot, and those of the Auto Scaling groups of its platform.
 * Free without tasks.
 *
 * @example
 * ```ts
 * new Cluster(stack, "Cluster", {
 *   capacity: [Capacity.fargate({ base: 2 }), Capacity.fargateSpot({ weight: 3 })],
 *   containerInsights: true,
 * });
 * ```
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-capacity-providers.html
 */
export class Cluster extends Construct implements ICluster {
  readonly clusterArn: string;
  readonly clusterName: string;
  /**
   * Names of the capacity providers of its instances, by the construct ids of their Auto Scaling groups. Grows as groups are
   * added.
   */
  readonly capacityProviderNames: Readonly<Record<string, string>> = {};
  /** Processor architectures of the Auto Scaling groups in the cluster, by their construct ids. Grows as groups are added. */
  readonly instanceArchitectures: Readonly<Record<string, Architecture>> = {};
  #sessions: Sessions | undefined;

  /** @throws InvalidPropsError CLUSTER_EXEC_KEY, and the errors of {@link resolveCapacity} */
  constructor(scope: Construct, id: string, props: ClusterProps = {}) {
    super(scope, id);
    checkArguments("new Cluster", { props }, this);
    const stack = AwsStack.of(this);
    const insights = props.containerInsights ?? stack.production;
    const capacity = props.capacity ?? [Capacity.fargate()];
    resolveCapacity(this, capacity);
    const name = stack.physicalName("cluster", stack.stackName, stack.environment.name);
    const cluster = new EcsCluster(this, "Resource", {
      name,
      setting: [{ name: "containerInsights", value: insights ? "enabled" : "disabled" }],
      // Never left out: the provider does not turn off what a configuration without this block no longer has.
      configuration: { executeCommandConfiguration: props.exec ? this.#exec(props.exec) : { logging: "DEFAULT" } },
    });
    if (insights) {
      // ECS would create this log group itself, without retention, and leave it behind.
      const group = new LogStream(this, "Insights", {
        name: `/aws/ecs/containerinsights/${name}/performance`,
        retention: Duration.days(14),
      });
      cluster.dependsOn = [addressOf(group.node.defaultChild as CloudwatchLogGroup)];
    }
    new EcsClusterCapacityProviders(this, "CapacityProviders", {
      clusterName: cluster.name,
      capacityProviders: Lazy.listValue({
        produce: () => ["FARGATE", "FARGATE_SPOT", ...Object.values(this.capacityProviderNames)],
      }),
      defaultCapacityProviderStrategy: Lazy.anyValue({
        produce: () =>
          this.strategy(capacity).map((share) => ({
            capacity_provider: share.capacityProvider,
            weight: share.weight,
            base: share.base,
          })),
      }),
    });
    // Auto Scaling groups may join until the app is complete.
    validateAtSynth(this, () => unknownInstances(this, capacity));
    this.clusterArn = cluster.arn;
    this.clusterName = cluster.name;
  }

  addInstances(instances: InstanceGroup): void {
    if (instances.name in this.capacityProviderNames) {
      throw invalid(this, {
        code: "CLUSTER_INSTANCES_TWICE",
        prop: "cluster",
        problem: `already has an Auto Scaling group with the id ${instances.name}`,
        remedy: "Give the second AutoScalingGroup another id.",
      });
    }
    const provider = new EcsCapacityProvider(this, `${instances.name}CapacityProvider`, {
      // A capacity provider belongs to one Auto Scaling group, so both are replaced together. Names must not start with aws,
      // ecs or fargate.
      name: `ec2-${instances.autoScalingGroupName}`,
      autoScalingGroupProvider: {
        autoScalingGroupArn: instances.autoScalingGroupArn,
        managedDraining: "ENABLED",
        managedTerminationProtection: "ENABLED",
        managedScaling: {
          status: "ENABLED",
          targetCapacity: 100,
          minimumScalingStepSize: 1,
          maximumScalingStepSize: 10,
          instanceWarmupPeriod: instances.warmup.toSeconds(),
        },
      },
      lifecycle: { createBeforeDestroy: true },
    });
    (this.capacityProviderNames as Record<string, string>)[instances.name] = provider.name;
    (this.instanceArchitectures as Record<string, Architecture>)[instances.name] = instances.architecture;
  }

  strategy(capacity: readonly Capacity[]): CapacityProviderStrategyItem[] {
    // Unknown groups are refused at synth: see unknownInstances.
    return strategyOf(capacity, (group) => this.capacityProviderNames[group] ?? group);
  }

  sessions(): Sessions {
    return this.#sessions ?? noSessions(this);
  }

  #exec(exec: Exec) {
    const { stackName, environment } = AwsStack.of(this);
    const problems = new Problems(this);
    problems.check(
      exec.keyArn === undefined ||
        isReference(exec.keyArn) ||
        /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/.test(exec.keyArn),
      {
        code: "CLUSTER_EXEC_KEY",
        prop: "exec.keyArn",
        problem: `${JSON.stringify(exec.keyArn)} is not the ARN of a KMS key`,
        remedy: "Use arn:aws:kms:<region>:<account>:key/..., not an alias.",
      },
    );
    problems.throwIfAny();
    const logGroupName = `/${stackName}/${environment.name}/exec`;
    const keyArn =
      exec.keyArn === undefined
        ? new LogKey(this, "ExecKey", {
            description: `ECS Exec sessions of ${stackName}-${environment.name}`,
            logGroupName,
          }).keyArn
        : literal(exec.keyArn);
    const logs = new LogStream(this, "ExecLogs", { name: logGroupName });
    (logs.node.defaultChild as CloudwatchLogGroup).kmsKeyId = keyArn;
    this.#sessions = { keyArn, logGroupArn: logs.logGroupArn };
    return {
      kmsKeyId: keyArn,
      logging: "OVERRIDE",
      logConfiguration: { cloudWatchEncryptionEnabled: true, cloudWatchLogGroupName: logs.logGroupName },
    };
  }
}

/**
 * Returns problems of capacities whose instances are not in the cluster; none if the cluster's instances are not known at
 * synth.
 */
export function unknownInstances(cluster: ICluster, capacity: readonly Capacity[]): readonly Problem[] {
  const { capacityProviderNames } = cluster;
  if (capacityProviderNames === undefined) return [];
  const known = Object.keys(capacityProviderNames);
  return capacity.flatMap(({ group, instances }) => {
    if (group === undefined) return [];
    const code = "CLUSTER_INSTANCES_UNKNOWN";
    const prop = `capacity ${JSON.stringify(group)}`;
    if (instances !== undefined && instances.cluster !== cluster) {
      const other =
        instances.cluster === undefined ? 'in no cluster (cluster: "none")' : `in ${instances.cluster.node.path}`;
      const problem = `must be an Auto Scaling group in cluster ${cluster.node.path}; ${instances.node.path} is ${other}`;
      return [{ code, prop, problem, remedy: "Use a group of the platform that the service runs on." }];
    }
    if (known.includes(group)) return [];
    const problem = `must be an Auto Scaling group in cluster ${cluster.node.path}, which has ${known.join(", ") || "none"}`;
    const remedy =
      cluster instanceof Cluster
        ? `Create it: new AutoScalingGroup(platform, ${JSON.stringify(group)}).`
        : `Name its capacity provider: existingCluster({ ..., capacityProviders: { ${JSON.stringify(group)}: "..." } }).`;
    return [{ code, prop, problem, remedy }];
  });
}

/** Returns problems of capacities whose instances have another processor architecture than the tasks. */
export function otherArchitectures(
  cluster: ICluster,
  capacity: readonly Capacity[],
  architecture: Architecture,
): readonly Problem[] {
  return capacity.flatMap(({ group }) => {
    const ofInstances = group === undefined ? undefined : cluster.instanceArchitectures[group];
    if (ofInstances === undefined || ofInstances === architecture) return [];
    const prop = `capacity ${JSON.stringify(group)}`;
    const problem = `must have instances for ${architecture} tasks; its instance types are ${ofInstances}`;
    const remedy = `Set architecture: ${JSON.stringify(ofInstances)} on the service, or give the Auto Scaling group instance types of ${architecture}.`;
    return [{ code: "CLUSTER_ARCHITECTURE", prop, problem, remedy }];
  });
}

/** Cluster that the stack of a platform creates. */
export const STACK_CLUSTER = new StackDefault<ICluster>();

export function noSessions(cluster: IConstruct): never {
  throw invalid(cluster, {
    code: "CLUSTER_EXEC_OFF",
    prop: "exec",
    problem: "must be set, because a service enables ECS Exec",
    remedy: "Set cluster: { exec: {} } on the platform (exec of an existing cluster), or remove exec from the service.",
  });
}

/** Capacity provider strategy of a list of capacities; `nameOf` returns the name of a group's capacity provider. */
export function strategyOf(
  capacity: readonly Capacity[],
  nameOf: (group: string) => string,
): CapacityProviderStrategyItem[] {
  return capacity.map(({ kind, group, weight, base }) => ({
    capacityProvider: group === undefined ? kind : nameOf(group),
    weight,
    base,
  }));
}
