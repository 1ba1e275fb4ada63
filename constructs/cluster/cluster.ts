import type { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { EcsCluster } from "@cdktf/provider-aws/lib/ecs-cluster";
import { EcsClusterCapacityProviders } from "@cdktf/provider-aws/lib/ecs-cluster-capacity-providers";
import { Construct, type IConstruct } from "constructs";
import { literal } from "../core/literal";
import { physicalName } from "../core/names";
import { AwsStack, addressOf } from "../core/stack";
import { Duration } from "../core/units";
import { LogStream } from "../logging/log-stream";

export interface ClusterProps {
  /**
   * Whether CloudWatch measures each task and container. Costs about 0.30 USD a metric and month.
   *
   * @default - only in production
   */
  readonly containerInsights?: boolean;
}

/** A cluster, owned by this app or read from a platform. */
export interface ICluster extends IConstruct {
  readonly clusterArn: string;
  readonly clusterName: string;
}

/** What is needed to use a cluster that somebody else owns. */
export interface ClusterAttributes {
  readonly clusterArn: string;
  readonly clusterName: string;
}

/**
 * Where containers run: an ECS cluster with Fargate and Fargate Spot. Free without tasks.
 *
 * @example
 * ```ts
 * new Cluster(stack, "Cluster", { containerInsights: true });
 * ```
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/clusters.html
 */
export class Cluster extends Construct implements ICluster {
  /** Refers to a cluster that somebody else owns. */
  static fromAttributes(scope: Construct, id: string, attributes: ClusterAttributes): ICluster {
    return new ImportedCluster(scope, id, attributes);
  }

  readonly clusterArn: string;
  readonly clusterName: string;

  constructor(scope: Construct, id: string, props: ClusterProps = {}) {
    super(scope, id);
    const { stackName, environment, production } = AwsStack.of(this);
    const insights = props.containerInsights ?? production;
    const name = physicalName("cluster", stackName, environment.name);
    const cluster = new EcsCluster(this, "Resource", {
      name,
      setting: [{ name: "containerInsights", value: insights ? "enabled" : "disabled" }],
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
      capacityProviders: ["FARGATE", "FARGATE_SPOT"],
      defaultCapacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }],
    });
    this.clusterArn = cluster.arn;
    this.clusterName = cluster.name;
  }
}

class ImportedCluster extends Construct implements ICluster {
  readonly clusterArn: string;
  readonly clusterName: string;

  constructor(scope: Construct, id: string, attributes: ClusterAttributes) {
    super(scope, id);
    this.clusterArn = literal(attributes.clusterArn);
    this.clusterName = literal(attributes.clusterName);
  }
}
