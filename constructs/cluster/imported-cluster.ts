import { DataAwsEcsCluster } from "@cdktf/provider-aws/lib/data-aws-ecs-cluster";
import { Construct } from "constructs";
import { checkArguments } from "../core/check-types";
import { invalid } from "../core/errors";
import { literal } from "../core/literal";
import type { Capacity } from "./capacity";
import { type CapacityProviderStrategyItem, type ICluster, noSessions, type Sessions, strategyOf } from "./cluster";

/** Attributes of an ECS cluster that is managed outside this app. */
export interface ClusterAttributes {
  /** Name of the cluster. Terraform looks up its ARN. */
  readonly clusterName: string;
  /**
   * Names of the cluster's capacity providers for EC2 instances, by the names that `Capacity.instances("...")` uses for them.
   *
   * @default - none: services run on Fargate
   */
  readonly capacityProviders?: Readonly<Record<string, string>>;
  /**
   * Encryption and logs of ECS Exec as the cluster configures them, for services that set `exec`.
   *
   * @default - services cannot set `exec`
   */
  readonly exec?: Sessions;
}

/** An ECS cluster that is managed outside this app: see {@link existingCluster}. */
export interface ExistingCluster extends ClusterAttributes {
  readonly kind: "existing-cluster";
}

/**
 * References an ECS cluster that is managed outside this app, for a platform to use. Services on Fargate need its capacity
 * providers FARGATE and FARGATE_SPOT. Auto Scaling groups cannot join it, since Terraform sets all capacity providers of a
 * cluster at once.
 *
 * @example
 * ```ts
 * new Platform(app, "shop", {
 *   environment,
 *   cluster: existingCluster({ clusterName: "company", capacityProviders: { Instances: "company-ec2" } }),
 * });
 * ```
 * @see https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/data-sources/ecs_cluster
 */
export function existingCluster(attributes: ClusterAttributes): ExistingCluster {
  checkArguments("existingCluster", { attributes });
  return { kind: "existing-cluster", ...attributes };
}

/** References to a cluster that another stack or app creates. */
interface ClusterReferences {
  readonly clusterArn: string;
  readonly clusterName: string;
  readonly capacityProviderNames: ICluster["capacityProviderNames"];
  readonly capacityProviderName: (group: string) => string;
  readonly sessions: () => Sessions | undefined;
}

/** A cluster that another stack or app creates. */
export class ImportedCluster extends Construct implements ICluster {
  /** Reads a cluster that is managed outside this app. */
  static existing(scope: Construct, id: string, { clusterName, capacityProviders = {}, exec }: ClusterAttributes) {
    const names = Object.fromEntries(Object.entries(capacityProviders).map(([group, name]) => [group, literal(name)]));
    return new ImportedCluster(scope, id, (self) => {
      const cluster = new DataAwsEcsCluster(self, "Resource", { clusterName: literal(clusterName) });
      return {
        clusterArn: cluster.arn,
        clusterName: cluster.clusterName,
        capacityProviderNames: names,
        // Unknown groups are refused at synth: see unknownInstances.
        capacityProviderName: (group) => names[group] ?? group,
        sessions: () => exec && { keyArn: literal(exec.keyArn), logGroupArn: literal(exec.logGroupArn) },
      };
    });
  }

  readonly clusterArn: string;
  readonly clusterName: string;
  readonly capacityProviderNames: ICluster["capacityProviderNames"];
  readonly instanceArchitectures = {};
  readonly #references: ClusterReferences;

  constructor(scope: Construct, id: string, referencesOf: (self: Construct) => ClusterReferences) {
    super(scope, id);
    this.#references = referencesOf(this);
    this.clusterArn = this.#references.clusterArn;
    this.clusterName = this.#references.clusterName;
    this.capacityProviderNames = this.#references.capacityProviderNames;
  }

  strategy(capacity: readonly Capacity[]): CapacityProviderStrategyItem[] {
    return strategyOf(capacity, this.#references.capacityProviderName);
  }

  sessions(): Sessions {
    return this.#references.sessions() ?? noSessions(this);
  }

  addInstances(): never {
    throw invalid(this, {
      code: "CLUSTER_NOT_OWNED",
      prop: "cluster",
      problem: "must be a cluster that this stack creates: Terraform sets all capacity providers of a cluster at once",
      remedy: "Create the AutoScalingGroup in the Platform that creates the cluster.",
    });
  }
}
