import type { IConstruct } from "constructs";
import { checkArguments } from "../core/check-types";
import { Problems } from "../core/errors";

/** Instances that tasks can run on: an Auto Scaling group. */
export interface ClusterInstances extends IConstruct {
  /** ECS cluster that the instances join; undefined for instances that run no tasks. */
  readonly cluster: IConstruct | undefined;
}

/** Distribution of tasks among several capacity providers. */
export interface CapacityOptions {
  /**
   * Weight, 0 to 1000: tasks beyond the bases are distributed in proportion to the weights.
   *
   * @default 1
   */
  readonly weight?: number;
  /**
   * Number of tasks to place here before the weights apply. Only one capacity of a list may have a base.
   *
   * @default 0
   */
  readonly base?: number;
}

/**
 * Compute capacity that tasks run on: see {@link Capacity.fargate}, {@link Capacity.fargateSpot} and {@link
 * Capacity.instances}.
 */
export class Capacity {
  /** Runs tasks on Fargate, without instances to manage. */
  static fargate(share: CapacityOptions = {}): Capacity {
    checkArguments("Capacity.fargate", { share });
    return new Capacity("FARGATE", undefined, share);
  }

  /** Runs tasks on Fargate Spot for about a third of the price. AWS may stop a task with two minutes' notice. */
  static fargateSpot(share: CapacityOptions = {}): Capacity {
    checkArguments("Capacity.fargateSpot", { share });
    return new Capacity("FARGATE_SPOT", undefined, share);
  }

  /**
   * Runs tasks on the EC2 instances of an Auto Scaling group in the cluster.
   *
   * @param group the AutoScalingGroup; or its construct id, where another repository creates it or it is created later
   */
  static instances(group: ClusterInstances | string, share: CapacityOptions = {}): Capacity {
    checkArguments("Capacity.instances", { group, share });
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
    /** The Auto Scaling group, if it was passed as a construct. */
    readonly instances?: ClusterInstances,
  ) {
    this.weight = share.weight ?? 1;
    this.base = share.base ?? 0;
  }
}

/** Launch type that a task definition is compatible with. */
export type Compatibility = "FARGATE" | "EC2";

/**
 * Checks a list of capacities and returns their launch type.
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
    remedy: "Use a list such as [Capacity.fargate()].",
  });
  const onInstances = capacity.filter(({ kind }) => kind === "EC2").length;
  problems.check(onInstances === 0 || onInstances === capacity.length, {
    code: "CAPACITY_MIXED",
    prop: "capacity",
    problem: `must not mix Fargate and instances, which ECS does not support, got ${names.join(", ")}`,
    remedy: "Use Fargate with Fargate Spot, or one or more Auto Scaling groups.",
  });
  problems.check(new Set(names).size === names.length, {
    code: "CAPACITY_TWICE",
    prop: "capacity",
    problem: `must list each capacity only once, got ${names.join(", ")}`,
    remedy: "List each capacity once and set its weight.",
  });
  problems.check(
    capacity.every(({ weight }) => Number.isInteger(weight) && weight >= 0 && weight <= 1000) &&
      (capacity.length === 0 || capacity.some(({ weight }) => weight > 0)),
    {
      code: "CAPACITY_WEIGHT",
      prop: "capacity",
      problem: `must have weights that are whole numbers from 0 to 1000, at least one above 0, got ${capacity.map(({ weight }) => weight).join(", ")}`,
      remedy: "Change the weights.",
    },
  );
  problems.check(
    capacity.every(({ base }) => Number.isInteger(base) && base >= 0 && base <= 100_000) &&
      capacity.filter(({ base }) => base > 0).length <= 1,
    {
      code: "CAPACITY_BASE",
      prop: "capacity",
      problem: `must have bases that are whole numbers from 0, at most one above 0, got ${capacity.map(({ base }) => base).join(", ")}`,
      remedy: "Set a base for one capacity only.",
    },
  );
  problems.throwIfAny();
  return onInstances > 0 ? "EC2" : "FARGATE";
}
