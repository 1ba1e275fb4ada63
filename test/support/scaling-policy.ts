/** Effect of AWS scaling policies on the number of tasks or instances, as documented by AWS. */

export interface StepPolicy {
  readonly type: "ChangeInCapacity" | "ExactCapacity" | "PercentChangeInCapacity";
  /** Bounds are counted from the alarm's threshold; one that is left out is infinite. */
  readonly steps: readonly { readonly from?: number; readonly to?: number; readonly adjustment: number }[];
  readonly threshold: number;
  readonly minAdjustmentMagnitude?: number;
}

/** Whole tasks of a percentage: towards 0, but at least one. */
export function wholeTasks(change: number): number {
  if (change === 0) return 0;
  return Math.abs(change) < 1 ? Math.sign(change) : Math.trunc(change);
}

/**
 * Capacity that a step scaling policy asks for when its alarm is breached by `value`.
 *
 * @see https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
 */
export function stepCapacity(policy: StepPolicy, capacity: number, value: number): number {
  const distance = value - policy.threshold;
  const step = policy.steps.find(({ from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }) =>
    distance >= 0 && to > 0 ? distance >= from && distance < to : distance > from && distance <= to,
  );
  if (step === undefined) return capacity;
  const { adjustment } = step;
  if (policy.type === "ExactCapacity") return adjustment;
  if (policy.type === "ChangeInCapacity") return capacity + adjustment;
  const change = wholeTasks((capacity * adjustment) / 100);
  const least = policy.minAdjustmentMagnitude ?? 0;
  return capacity + (change === 0 ? 0 : Math.sign(change) * Math.max(Math.abs(change), least));
}

/** Target tracking scales in when a metric is more than a tenth below its target. */
export const SCALE_IN_BELOW = 0.9;
/** Minutes above the target that make it scale out, and well below it that make it scale in. */
export const SCALE_OUT_MINUTES = 3;
export const SCALE_IN_MINUTES = 15;

/**
 * Capacity that target tracking asks for: in proportion to the metric, rounded up.
 *
 * @param value undefined where the metric has no data
 * @see https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
 */
export function trackedCapacity(target: number, capacity: number, value: number | undefined): number {
  if (value === undefined || (value <= target && value >= SCALE_IN_BELOW * target)) return capacity;
  return Math.ceil((capacity * value) / target);
}

/** A number of tasks that policies change, with what a cooldown lets through. */
export class Capacity {
  #coolsUntil = Number.NEGATIVE_INFINITY;
  #countedFrom: number;
  #inCoolsUntil = Number.NEGATIVE_INFINITY;

  constructor(
    public desired: number,
    private readonly min: number,
    private readonly max: number,
  ) {
    this.#countedFrom = desired;
  }

  /** Capacity that a scale-out is computed from: during a cooldown the one before it, so that only a larger one adds. */
  base(now: number): number {
    return now < this.#coolsUntil ? this.#countedFrom : this.desired;
  }

  scaleOut(wanted: number, now: number, cooldown: number): void {
    const capacity = Math.min(this.max, wanted);
    if (capacity <= this.desired) return;
    if (now >= this.#coolsUntil) this.#countedFrom = this.desired;
    this.#coolsUntil = now + cooldown;
    this.#inCoolsUntil = Number.NEGATIVE_INFINITY;
    this.desired = capacity;
  }

  scaleIn(wanted: number, now: number, cooldown: number): void {
    const capacity = Math.max(this.min, wanted);
    if (capacity >= this.desired || now < this.#inCoolsUntil) return;
    this.#inCoolsUntil = now + cooldown;
    this.desired = capacity;
  }
}
