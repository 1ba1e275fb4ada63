import type { IConstruct } from "constructs";
import { Problems } from "../core/errors";

/** Instances that tasks can run on: an AutoScalingGroup. */
export interface ClusterInstances extends IConstruct {
  /** ECS cluster that the instances join; undefined for instances that run no tasks. */
  readonly cluster: IConstruct | undefined;
}

/** How tasks are shared out among the capacities of one list. */
export interface CapacityOptions {
  /**
   * Tasks beyond the bases go to each capacity in proportion to its weight, 0 to 1000.
   *
   * @default 1
   */
  readonly weight?: number;
  /**
   * The first tasks, as many as this, go here. Only one of a list may have a base.
   *
   * @default 0
   */
  readonly base?: number;
}

/** What tasks run on: see {@link Capacity.fargate}, {@link Capacity.fargateSpot} and {@link Capacity.instances}. */
export class Capacity {
  /** Without instances of one's own. */
  static fargate(share: CapacityOptions = {}): Capacity {
    return new Capacity("FARGATE", undefined, share);
  }

  /** The same for about a third of the price; AWS may stop a task with two minutes' notice. */
  static fargateSpot(share: CapacityOptions = {}): Capacity {
    return new Capacity("FARGATE_SPOT", undefined, share);
  }

  /**
   * Runs tasks on the EC2 instances of an Auto Scaling group in the cluster.
   *
   * @param group the AutoScalingGroup; or its construct id, where another repository creates it or it is created later
   */
  static instances(group: ClusterInstances | string, share: CapacityOptions = {}): Capacity {
    return typeof group === "string"
      ? new Capacity("EC2", group, share)
      : new Capacity("EC2", group.node.id, share, group);
  }

  readonly weight: number;
  readonly base: number;

  private constructor(
    readonly kind: "FARGATE" | "FARGATE_SPOT" | "EC2",
    /** Construct id of the Auto Scaling group; undefined on Fargate. */
    readonly group: string | undefined,
    share: CapacityOptions,
    /** The Auto Scaling group, where it was passed itself. */
    readonly instances?: ClusterInstances,
  ) {
    this.weight = share.weight ?? 1;
    this.base = share.base ?? 0;
  }
}

/** What a task definition says it can run on. */
export type Compatibility = "FARGATE" | "EC2";

/**
 * Checks a list of capacities and tells what kind they are.
 *
 * @throws InvalidPropsError CAPACITY_NONE, CAPACITY_MIXED, CAPACITY_TWICE, CAPACITY_WEIGHT, CAPACITY_BASE
 */
export function resolveCapacity(scope: IConstruct, capacity: readonly Capacity[]): Compatibility {
  const problems = new Problems(scope);
  const names = capacity.map(({ kind, group }) => group ?? kind);
  problems.check(capacity.length > 0, {
    code: "CAPACITY_NONE",
    prop: "capacity",
    problem: "is empty",
    remedy: "Use for example [Capacity.fargate()].",
  });
  const onInstances = capacity.filter(({ kind }) => kind === "EC2").length;
  problems.check(onInstances === 0 || onInstances === capacity.length, {
    code: "CAPACITY_MIXED",
    prop: "capacity",
    problem: `has Fargate and instances (${names.join(", ")}): ECS does not mix them`,
    remedy: "Use one kind, Fargate with Fargate Spot or several groups of machines.",
  });
  problems.check(new Set(names).size === names.length, {
    code: "CAPACITY_TWICE",
    prop: "capacity",
    problem: `names one twice (${names.join(", ")})`,
    remedy: "Name each once, and give it a weight.",
  });
  problems.check(
    capacity.every(({ weight }) => Number.isInteger(weight) && weight >= 0 && weight <= 1000) &&
      (capacity.length === 0 || capacity.some(({ weight }) => weight > 0)),
    {
      code: "CAPACITY_WEIGHT",
      prop: "capacity",
      problem: `has weights ${capacity.map(({ weight }) => weight).join(", ")}`,
      remedy: "Use whole numbers from 0 to 1000, one of them above 0.",
    },
  );
  problems.check(
    capacity.every(({ base }) => Number.isInteger(base) && base >= 0 && base <= 100_000) &&
      capacity.filter(({ base }) => base > 0).length <= 1,
    {
      code: "CAPACITY_BASE",
      prop: "capacity",
      problem: `has bases ${capacity.map(({ base }) => base).join(", ")}`,
      remedy: "Use whole numbers from 0, above 0 for one capacity alone.",
    },
  );
  problems.throwIfAny();
  return onInstances > 0 ? "EC2" : "FARGATE";
}
