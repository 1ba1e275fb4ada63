import type { Problems } from "../core/errors";
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
import type { Schedule } from "../core/schedule";

export const PREDICTIONS = ["forecast", "scale"] as const;
/** Mode of predictive scaling: `forecast` only displays the forecast, `scale` starts instances before they are needed. */
export type Prediction = (typeof PREDICTIONS)[number];

/** Number of instances and the policies that change it. If several policies apply, AWS uses the largest number. */
export interface InstanceScaling {
  /**
   * Minimum number of instances.
   *
   * @default 1 in dev, 2 in production
   */
  readonly min?: number;
  /**
   * Maximum number of instances.
   *
   * @default - twice min, and at least 4
   */
  readonly max?: number;
  /**
   * Average CPU utilization, in percent, that target tracking keeps.
   *
   * @default 60 if no other policy is set; in a cluster, ECS scales the group by the tasks that wait
   */
  readonly cpuPercent?: number;
  /**
   * Incoming network traffic that target tracking keeps, in MiB per minute and instance. Enables detailed monitoring, about
   * 2 USD per month and instance.
   *
   * @default - no such policy
   */
  readonly networkInMiB?: number;
  /**
   * Outgoing network traffic that target tracking keeps, in MiB per minute and instance. Enables detailed monitoring, too.
   *
   * @default - no such policy
   */
  readonly networkOutMiB?: number;
  /**
   * Requests from the load balancer that target tracking keeps, per minute and instance.
   *
   * @default - no such policy
   */
  readonly requestsPerInstance?: number;
  /**
   * Predictive scaling from the CPU utilization of the last two weeks: `forecast` only displays the forecast, `scale` starts
   * instances before they are needed and never terminates one.
   *
   * @default - no forecast
   */
  readonly prediction?: Prediction;
  /**
   * Your own metrics, each kept at a target.
   *
   * @default - none
   */
  readonly metrics?: readonly MetricTarget[];
  /**
   * Step scaling by your own metrics.
   *
   * @default - none
   */
  readonly steps?: readonly InstanceScalingSteps[];
  /**
   * Scheduled changes of the number of instances, which the policies continue from.
   *
   * @default - none
   */
  readonly schedules?: readonly ScheduledInstances[];
}

/** Adds and removes instances in steps: the further the metric is from its threshold, the more. */
export interface InstanceScalingSteps extends ScalingSteps {
  /**
   * Steps that remove instances, all below the lowest of `out`.
   *
   * @default - none
   */
  readonly in?: readonly ScaleInStep[];
}

/** Sets the number of instances at a scheduled time. Min and max stay unchanged, so the next plan is empty. */
export interface ScheduledInstances {
  /** Name of the scheduled action, unique within the group; part of addresses: `Morning`. */
  readonly name: string;
  /** Schedule created by `cron(...)`; EC2 Auto Scaling does not support intervals. */
  readonly schedule: Schedule;
  /** Number of instances, from scaling.min to scaling.max. */
  readonly instances: number;
}

interface InstanceScalingContext {
  readonly production: boolean;
  readonly inCluster: boolean;
  readonly isRegistered: boolean;
}

/** Applies defaults and records problems. In a cluster ECS scales the group; only a registered group receives requests. */
export function resolveInstanceScaling(
  problems: Problems,
  scaling: InstanceScaling,
  { production, inCluster, isRegistered }: InstanceScalingContext,
): Bounds & { readonly cpuPercent: number | undefined } {
  const min = scaling.min ?? (production ? 2 : 1);
  const max = scaling.max ?? Math.max(4, 2 * min);
  const { networkInMiB, networkOutMiB, requestsPerInstance, prediction, metrics = [], steps = [] } = scaling;
  const { schedules = [] } = scaling;
  const others =
    metrics.length > 0 || [networkInMiB, networkOutMiB, requestsPerInstance].some((target) => target !== undefined);
  const cpuPercent = scaling.cpuPercent ?? (inCluster || others ? undefined : 60);
  checkBounds(problems, "scaling", { min, max });
  // Tasks that find no instance with room wait until ECS has scaled the group out.
  if (production && !inCluster) checkZoneLoss(problems, "scaling.min", min, "instance");
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
  checkPolicyNames(problems, [...metrics, ...steps, ...schedules], {
    Cpu: cpuPercent,
    NetworkIn: networkInMiB,
    NetworkOut: networkOutMiB,
    Requests: requestsPerInstance,
  });
  problems.check(requestsPerInstance === undefined || isRegistered, {
    code: "SCALING_REQUESTS",
    prop: "scaling.requestsPerInstance",
    problem: `needs a load balancer, got ${requestsPerInstance} without registerWith`,
    remedy: "Set registerWith: { loadBalancer, port }, or scale by another metric.",
  });
  if (prediction !== undefined)
    problems.checkOneOf(prediction, PREDICTIONS, { code: "SCALING_PREDICTION", prop: "scaling.prediction" });
  problems.check(
    !inCluster ||
      (scaling.cpuPercent === undefined &&
        !others &&
        steps.length + schedules.length === 0 &&
        prediction === undefined),
    {
      code: "SCALING_CLUSTER",
      prop: "scaling",
      problem: "may set only min and max, because ECS scales a group in a cluster by the tasks that wait",
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
  problems.check(schedule.recurrence !== undefined, {
    code: "SCHEDULE_INTERVAL",
    prop: `${prop}.schedule`,
    problem: `must be created by cron(...), because EC2 Auto Scaling does not support intervals; got ${schedule.expression}`,
    remedy: 'Use a schedule such as cron("0 7 * * MON-FRI").',
  });
  problems.check(Number.isInteger(instances) && instances >= min && instances <= max, {
    code: "SCHEDULE_CAPACITY",
    prop: `${prop}.instances`,
    problem: `must be a whole number from scaling.min (${min}) to scaling.max (${max}), got ${instances}`,
    remedy: "Change it, or widen min and max.",
  });
}
