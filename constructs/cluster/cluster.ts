import type { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { EcsCapacityProvider } from "@cdktf/provider-aws/lib/ecs-capacity-provider";
import { EcsCluster } from "@cdktf/provider-aws/lib/ecs-cluster";
import { EcsClusterCapacityProviders } from "@cdktf/provider-aws/lib/ecs-cluster-capacity-providers";
import { Lazy } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { invalid, Problems } from "../core/errors";
import { LogKey } from "../core/key";
import { literal } from "../core/literal";
import { AwsStack, addressOf } from "../core/stack";
import { Duration } from "../core/units";
import { LogStream } from "../logging/log-stream";
import { Capacity, resolveCapacity } from "./capacity";

/**
 * A shell in a running task, for those whom IAM lets in: with `ecs:ExecuteCommand` on the task and `kms:GenerateDataKey` on
 * the key. What is typed and shown is logged.
 */
export interface Exec {
  /**
   * ARN of the KMS key that sessions and their log are encrypted with. Its policy must let CloudWatch Logs use it.
   *
   * @default - a key of its own, 1 USD a month
   */
  readonly keyArn?: string;
}

export interface ClusterProps {
  /**
   * What tasks run on that do not say it themselves.
   *
   * @default [Capacity.fargate()]
   */
  readonly capacity?: readonly Capacity[];
  /**
   * Whether CloudWatch measures each task and container. Costs about 0.30 USD a metric and month.
   *
   * @default - only in production
   */
  readonly containerInsights?: boolean;
  /**
   * Lets people open a shell in tasks of services that allow it by their own `exec`.
   *
   * @default - nobody gets in
   */
  readonly exec?: Exec;
}

/** A cluster, owned by this app or by somebody else. */
export interface ICluster extends IConstruct {
  readonly clusterArn: string;
  readonly clusterName: string;
  /** What an ECS service writes to run on a list of capacities. */
  strategy(capacity: readonly Capacity[]): CapacityProviderStrategyItem[];
  /**
   * What a task needs so that people can open a shell in it.
   *
   * @throws InvalidPropsError CLUSTER_EXEC_OFF
   */
  sessions(): Sessions;
}

/** How shells in tasks are encrypted and where they are logged. */
export interface Sessions {
  readonly keyArn: string;
  readonly logGroupArn: string;
}

/** One line of a capacity provider strategy, as ECS has it. */
export interface CapacityProviderStrategyItem {
  readonly capacityProvider: string;
  readonly weight: number;
  readonly base: number;
}

/** What is needed to use a cluster that somebody else owns. */
export interface ClusterAttributes {
  readonly clusterArn: string;
  readonly clusterName: string;
  /**
   * Names of the capacity providers of its groups of instances, by the groups' names.
   *
   * @default - none: Fargate alone
   */
  readonly capacityProviderName?: (group: string) => string;
  /**
   * How shells in its tasks are encrypted and logged; asked for only when a service lets people in.
   *
   * @default - nobody gets in
   */
  readonly sessions?: () => Sessions;
}

/** A group of instances that tasks run on. An AutoScalingGroup is one. */
export interface InstanceGroup {
  /** What capacities call it. */
  readonly name: string;
  readonly autoScalingGroupArn: string;
  readonly autoScalingGroupName: string;
  /** How long an instance takes until it carries tasks. */
  readonly warmup: Duration;
}

/**
 * Where containers run: an ECS cluster with Fargate and Fargate Spot, and with groups of instances that are given to it by
 * `new AutoScalingGroup(..., { cluster })`. Free without tasks.
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
  /** Refers to a cluster that somebody else owns. */
  static fromAttributes(scope: Construct, id: string, attributes: ClusterAttributes): ICluster {
    return new ImportedCluster(scope, id, attributes);
  }

  readonly clusterArn: string;
  readonly clusterName: string;
  /** Names of the capacity providers of its instances, by the groups' names. Grows as groups are added. */
  readonly capacityProviderNames: Readonly<Record<string, string>> = {};
  #sessions: Sessions | undefined;

  /** @throws InvalidPropsError CLUSTER_EXEC_KEY, and what {@link resolveCapacity} finds */
  constructor(scope: Construct, id: string, props: ClusterProps = {}) {
    super(scope, id);
    const stack = AwsStack.of(this);
    const insights = props.containerInsights ?? stack.production;
    const capacity = props.capacity ?? [Capacity.fargate()];
    resolveCapacity(this, capacity);
    const name = stack.physicalName("cluster", stack.stackName, stack.environment.name);
    const cluster = new EcsCluster(this, "Resource", {
      name,
      setting: [{ name: "containerInsights", value: insights ? "enabled" : "disabled" }],
      configuration: props.exec && { executeCommandConfiguration: this.#exec(props.exec) },
    });
    if (insights) {
      // ECS would make this group itself, without an end to its lines, and leave it behind.
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
    // Which instances there are is known only when the whole app is.
    const groups = capacity.flatMap(({ group }) => group ?? []);
    this.node.addValidation({ validate: () => this.unknownGroup(groups) });
    this.clusterArn = cluster.arn;
    this.clusterName = cluster.name;
  }

  /**
   * Lets tasks run on a group of instances, which ECS makes larger and smaller as tasks need. Called by the group itself.
   *
   * @throws InvalidPropsError CLUSTER_INSTANCES_TWICE
   */
  addInstances(instances: InstanceGroup): void {
    if (instances.name in this.capacityProviderNames) {
      throw invalid(this, {
        code: "CLUSTER_INSTANCES_TWICE",
        prop: "cluster",
        problem: `has instances called ${instances.name} already`,
        remedy: "Give the second AutoScalingGroup another id.",
      });
    }
    const provider = new EcsCapacityProvider(this, `${instances.name}CapacityProvider`, {
      // A provider belongs to one group for ever, so both are replaced together. Names may not begin with aws, ecs, fargate.
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
  }

  strategy(capacity: readonly Capacity[]): CapacityProviderStrategyItem[] {
    return capacity.map(({ kind, group, weight, base }) => ({
      capacityProvider: group === undefined ? kind : (this.capacityProviderNames[group] ?? group),
      weight,
      base,
    }));
  }

  sessions(): Sessions {
    return this.#sessions ?? noSessions(this);
  }

  /** What is wrong with groups that this cluster does not have. */
  unknownGroup(groups: readonly string[]): string[] {
    const known = Object.keys(this.capacityProviderNames);
    return groups
      .filter((group) => !known.includes(group))
      .map(
        (group) =>
          `${this.node.path}: capacity ${JSON.stringify(group)} is no group of instances of this cluster (${known.join(", ") || "it has none"})\n` +
          `  Make one: new AutoScalingGroup(platform, ${JSON.stringify(group)}, { cluster, ... }).  [CLUSTER_INSTANCES_UNKNOWN]`,
      );
  }

  #exec(exec: Exec) {
    const { stackName, environment } = AwsStack.of(this);
    const problems = new Problems(this);
    problems.check(
      exec.keyArn === undefined || /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/.test(exec.keyArn),
      {
        code: "CLUSTER_EXEC_KEY",
        prop: "exec.keyArn",
        problem: `${JSON.stringify(exec.keyArn)} is no ARN of a KMS key`,
        remedy: "Use the key's own ARN, arn:aws:kms:<region>:<account>:key/..., not an alias.",
      },
    );
    problems.throwIfAny();
    const logGroupName = `/${stackName}/${environment.name}/exec`;
    const keyArn =
      exec.keyArn ??
      new LogKey(this, "ExecKey", {
        description: `sessions in tasks of ${stackName}-${environment.name}`,
        logGroupName,
      }).keyArn;
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

function noSessions(cluster: IConstruct): never {
  throw invalid(cluster, {
    code: "CLUSTER_EXEC_OFF",
    prop: "exec",
    problem: "is not set, and a service wants to let people into its tasks",
    remedy: "Set cluster: { exec: {} } on the platform, or take exec from the service.",
  });
}

class ImportedCluster extends Construct implements ICluster {
  readonly clusterArn: string;
  readonly clusterName: string;
  readonly #capacityProviderName: (group: string) => string;
  readonly #sessions: (() => Sessions) | undefined;

  constructor(scope: Construct, id: string, attributes: ClusterAttributes) {
    super(scope, id);
    this.clusterArn = literal(attributes.clusterArn);
    this.clusterName = literal(attributes.clusterName);
    this.#sessions = attributes.sessions;
    this.#capacityProviderName =
      attributes.capacityProviderName ??
      ((group) => {
        throw invalid(this, {
          code: "CLUSTER_INSTANCES_UNKNOWN",
          prop: "capacity",
          problem: `${JSON.stringify(group)} is no group of instances of this cluster`,
          remedy: "Pass capacityProviderName with the cluster's attributes, or use Capacity.fargate().",
        });
      });
  }

  strategy(capacity: readonly Capacity[]): CapacityProviderStrategyItem[] {
    return capacity.map(({ kind, group, weight, base }) => ({
      capacityProvider: group === undefined ? kind : this.#capacityProviderName(group),
      weight,
      base,
    }));
  }

  sessions(): Sessions {
    return this.#sessions?.() ?? noSessions(this);
  }
}
