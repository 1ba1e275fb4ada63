import type { Problems } from "./errors";
import { checkMetric, type Metric } from "./metric";

/** Adds capacity so that a metric stays at a target, and removes it below. */
export interface MetricTarget {
  /** Name of the policy, unique within the service or group; part of addresses: `Sessions`. */
  readonly name: string;
  /** Metric that falls when capacity is added, such as sessions per task. */
  readonly metric: Metric;
  readonly target: number;
}

/** Adds tasks or instances while a metric is high. */
export interface ScaleOutStep {
  /** Applies when the metric is at least this; the highest step that applies decides. */
  readonly from: number;
  /** Number of tasks or instances to add. */
  readonly add: number;
}

/** Removes tasks or instances while a metric is low. */
export interface ScaleInStep {
  /** Applies when the metric is at most this; the lowest step that applies decides. */
  readonly upTo: number;
  /** Number of tasks or instances to remove. */
  readonly remove: number;
}

/** Adds tasks or instances in steps: the higher a metric, the more. */
export interface ScalingSteps {
  /** Name of the policy, unique within the service or group; part of addresses: `Backlog`. */
  readonly name: string;
  readonly metric: Metric;
  /** At least one step, in any order. */
  readonly out: readonly ScaleOutStep[];
}

/** Bounds of the number of tasks or instances. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** Records SCALING_MIN and SCALING_MIN_GT_MAX unless the bounds are whole numbers in order. */
export function checkBounds(problems: Problems, prop: string, { min, max }: Bounds): void {
  problems.check(Number.isInteger(min) && min >= 0 && Number.isInteger(max) && max >= 1, {
    code: "SCALING_MIN",
    prop,
    problem: `must have whole numbers for min (at least 0) and max (at least 1), got min ${min} and max ${max}`,
    remedy: "Correct min and max, or leave both out.",
  });
  problems.check(min <= max, {
    code: "SCALING_MIN_GT_MAX",
    prop: `${prop}.min`,
    problem: `must be at most ${prop}.max (${max}), got ${min}`,
    remedy: "Raise max or lower min.",
  });
}

/**
 * Records SCALING_MIN_ONE_ZONE unless the minimum survives the loss of a zone.
 *
 * @param what `task` or `instance`
 */
export function checkZoneLoss(problems: Problems, prop: string, min: number, what: "task" | "instance"): void {
  problems.check(min >= 2, {
    code: "SCALING_MIN_ONE_ZONE",
    prop,
    problem: `must be at least 2 in production, got ${min}, because a single ${what} is lost with its zone`,
    remedy: `Set ${prop} to 2 or more, or use profile "dev" for an environment that may go down.`,
  });
}

/** Records SCALING_PERCENT unless the percentage leaves room to scale out and a reason to scale in. */
export function checkUtilization(problems: Problems, prop: string, percent: number | undefined): void {
  problems.check(percent === undefined || (percent >= 10 && percent <= 90), {
    code: "SCALING_PERCENT",
    prop,
    problem: `must be from 10 to 90, got ${percent}`,
    remedy: "Lower it to leave room to scale out, or raise it so that scaling in can happen.",
  });
}

/** Records SCALING_TARGET unless the target is a number above 0. */
export function checkTarget(problems: Problems, prop: string, target: number | undefined): void {
  problems.check(target === undefined || (Number.isFinite(target) && target > 0), {
    code: "SCALING_TARGET",
    prop,
    problem: `must be a number above 0, got ${target}`,
    remedy: "Set the value that the metric should stay at.",
  });
}

/**
 * Records SCALING_NAME unless each name can be an id and is used once.
 *
 * @param builtIn policies that other props create
 */
export function checkPolicyNames(
  problems: Problems,
  named: readonly { readonly name: string }[],
  builtIn: Readonly<Record<string, unknown>>,
): void {
  const taken = Object.entries(builtIn).flatMap(([name, target]) => (target === undefined ? [] : [name, `On${name}`]));
  const names = named.map(({ name }) => name);
  for (const name of new Set(names)) {
    const uses = names.filter((each) => each === name).length;
    problems.check(/^[A-Z][A-Za-z0-9]{0,60}$/.test(name) && uses === 1 && !taken.includes(name), {
      code: "SCALING_NAME",
      prop: `scaling name ${JSON.stringify(name)}`,
      problem:
        uses > 1
          ? `must be unique among metrics, steps and schedules, but is used ${uses} times`
          : taken.includes(name)
            ? "is the name of a policy that another prop of scaling creates"
            : "must be up to 61 letters and digits and start with an uppercase letter",
      remedy: "Rename it, for example to SlowResponses.",
    });
  }
}

/** Records METRIC, SCALING_STEPS and SCALING_STEPS_OVERLAP unless the steps form a valid step scaling policy. */
export function checkSteps(
  problems: Problems,
  prop: string,
  { metric, out, in: inward = [] }: Omit<ScalingSteps, "name"> & { readonly in?: readonly ScaleInStep[] },
): void {
  checkMetric(problems, `${prop}.metric`, metric);
  // Distance from the start of the side, and the size of its step.
  const sides = [
    (out ?? []).map(({ from, add }) => [from, add] as const),
    inward.map(({ upTo, remove }) => [-upTo, remove] as const),
  ].map((side) => side.sort(([a], [b]) => a - b));
  const valid = sides.every((side) =>
    side.every(([at, count], index) => {
      const [before, less] = side[index - 1] ?? [Number.NEGATIVE_INFINITY, 0];
      return Number.isFinite(at) && at > before && Number.isInteger(count) && count > 0 && count >= less;
    }),
  );
  problems.check(valid && out?.length > 0 && out.length <= 20 && inward.length <= 20, {
    code: "SCALING_STEPS",
    prop,
    problem: `must have 1 to 20 steps in out and at most 20 in in, different bounds, and whole numbers above 0 that grow with the distance, got ${JSON.stringify({ out, in: inward })}`,
    remedy: "Write steps as out: [{ from: 100, add: 1 }, { from: 1000, add: 4 }], in: [{ upTo: 10, remove: 1 }].",
  });
  const [lowestOut, highestIn] = [
    sides[0]?.[0]?.[0] ?? Number.POSITIVE_INFINITY,
    -(sides[1]?.[0]?.[0] ?? Number.POSITIVE_INFINITY),
  ];
  problems.check(highestIn < lowestOut, {
    code: "SCALING_STEPS_OVERLAP",
    prop: `${prop}.in`,
    problem: `must be less than the lowest scale-out step (${lowestOut}), got ${highestIn}`,
    remedy: "Leave a gap between the two; otherwise capacity repeatedly scales out and in.",
  });
}

/** A step scaling policy and its alarm, in AWS's terms. */
export interface StepPolicy {
  readonly comparisonOperator: "GreaterThanOrEqualToThreshold" | "LessThanOrEqualToThreshold";
  readonly threshold: number;
  readonly stepAdjustment: readonly {
    readonly metricIntervalLowerBound?: string;
    readonly metricIntervalUpperBound?: string;
    readonly scalingAdjustment: number;
  }[];
}

/**
 * Turns steps into AWS's intervals, which start at the alarm's threshold and leave no gap. Their lower bounds are inclusive
 * above the threshold and their upper bounds below it, so `from` and `upTo` mean exactly what the alarm compares.
 *
 * @see https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html#as-scaling-steps
 */
export function scaleOutPolicy(steps: readonly ScaleOutStep[]): StepPolicy {
  const sorted = [...steps].sort((a, b) => a.from - b.from);
  const threshold = sorted[0]?.from ?? 0;
  return {
    comparisonOperator: "GreaterThanOrEqualToThreshold",
    threshold,
    stepAdjustment: sorted.map(({ from, add }, index) => {
      const next = sorted[index + 1];
      return {
        scalingAdjustment: add,
        metricIntervalLowerBound: String(from - threshold),
        ...(next === undefined ? {} : { metricIntervalUpperBound: String(next.from - threshold) }),
      };
    }),
  };
}

/** Turns steps that remove capacity into AWS's intervals. */
export function scaleInPolicy(steps: readonly ScaleInStep[]): StepPolicy {
  const sorted = [...steps].sort((a, b) => b.upTo - a.upTo);
  const threshold = sorted[0]?.upTo ?? 0;
  return {
    comparisonOperator: "LessThanOrEqualToThreshold",
    threshold,
    stepAdjustment: sorted.map(({ upTo, remove }, index) => {
      const next = sorted[index + 1];
      return {
        scalingAdjustment: -remove,
        metricIntervalUpperBound: String(upTo - threshold),
        ...(next === undefined ? {} : { metricIntervalLowerBound: String(next.upTo - threshold) }),
      };
    }),
  };
}
