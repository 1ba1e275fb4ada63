/** Instances that are added while a measure is high. */
export interface StepOut {
  /** Counts where the measure is above this; the highest that counts decides. */
  readonly above: number;
  /** How many instances are added. */
  readonly add: number;
}

/** Instances that are taken away while a measure is low. */
export interface StepIn {
  /** Counts where the measure is below this; the lowest that counts decides. */
  readonly below: number;
  /** How many instances are taken away. */
  readonly remove: number;
}

/** An alarm's threshold, and what is done by how far the measure is from it. */
export interface StepPolicy {
  readonly threshold: number;
  readonly adjustments: readonly { readonly from?: number; readonly to?: number; readonly change: number }[];
}

/** Steps as AWS has them: intervals that begin at the alarm's threshold and leave no gap. */
export function stepsOut(steps: readonly StepOut[]): StepPolicy {
  const sorted = [...steps].sort((a, b) => a.above - b.above);
  const threshold = sorted[0]?.above ?? 0;
  const adjustments = sorted.map(({ above, add }, index) => {
    const next = sorted[index + 1];
    return { from: above - threshold, ...(next === undefined ? {} : { to: next.above - threshold }), change: add };
  });
  return { threshold, adjustments };
}

/** The same downwards. */
export function stepsIn(steps: readonly StepIn[]): StepPolicy {
  const sorted = [...steps].sort((a, b) => b.below - a.below);
  const threshold = sorted[0]?.below ?? 0;
  const adjustments = sorted.map(({ below, remove }, index) => {
    const next = sorted[index + 1];
    return { to: below - threshold, ...(next === undefined ? {} : { from: next.below - threshold }), change: -remove };
  });
  return { threshold, adjustments };
}
