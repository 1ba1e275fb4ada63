import type { Problems } from "../../core/errors";
import { checkMetric } from "../../core/metric";
import {
  checkBounds,
  checkPolicyNames,
  checkSteps,
  checkTarget,
  checkUtilization,
  checkZoneLoss,
  type MetricTarget,
  type ScalingSteps,
} from "../../core/scaling";
import type { Schedule } from "../../core/schedule";
import type { Process } from "../task/process";

/** Changes the bounds of the number of tasks at a scheduled time. */
export interface ScheduledBounds {
  /** Name of the scheduled action, unique within the service and part of addresses: `Morning`. */
  readonly name: string;
  readonly schedule: Schedule;
  /** @default - unchanged */
  readonly min?: number;
  /** @default - unchanged */
  readonly max?: number;
}

/** Number of tasks and the policies that change it. */
export interface Scaling {
  /**
   * Minimum number of tasks.
   *
   * @default 1 in dev, 2 in production; 0 for a worker with a queue
   */
  readonly min?: number;
  /**
   * Maximum number of tasks.
   *
   * @default - twice min, and at least 4
   */
  readonly max?: number;
  /**
   * Average CPU utilization, in percent, that target tracking keeps.
   *
   * @default - 60; lower in production if the remaining tasks could not take over the load of a lost zone; none for a worker
   * with a queue
   */
  readonly cpuPercent?: number;
  /**
   * Average memory utilization, in percent, that target tracking keeps.
   *
   * @default - no such policy
   */
  readonly memoryPercent?: number;
  /**
   * Requests per minute and task from the load balancer that target tracking keeps. Requires an Ingress.
   *
   * @default - no such policy
   */
  readonly requestsPerTask?: number;
  /**
   * Messages per task, visible and in flight, that target tracking keeps. Only for a worker with a queue.
   *
   * @default 100
   */
  readonly messagesPerTask?: number;
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
  readonly steps?: readonly ScalingSteps[];
  /**
   * Scheduled changes of the bounds. A change of `min` or `max` applies immediately, until the next scheduled time.
   *
   * @default - none
   */
  readonly schedules?: readonly ScheduledBounds[];
}

/** Settings of {@link Scaling} after defaults and checks. */
export interface ScalingSettings {
  readonly min: number;
  readonly max: number;
  readonly cpuPercent: number | undefined;
  readonly memoryPercent: number | undefined;
  readonly requestsPerTask: number | undefined;
  readonly messagesPerTask: number | undefined;
  readonly metrics: readonly MetricTarget[];
  readonly steps: readonly ScalingSteps[];
  readonly schedules: readonly ScheduledBounds[];
}

/**
 * Maximum number of tasks of a service. @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
 */
const MAX_TASKS = 5000;
/** Default messages per task for a worker with a queue. */
const MESSAGES_PER_TASK = 100;

/** Share of its tasks that a service keeps when one zone is lost. */
export function keptWithoutAZone(tasks: number, zones: number): number {
  return (tasks - Math.ceil(tasks / zones)) / tasks;
}

/** Applies defaults and checks the props. Records SCALING_* problems. */
export function resolveScaling(
  problems: Problems,
  props: Scaling,
  place: { readonly process: Process; readonly production: boolean; readonly zones: number },
): ScalingSettings {
  const { process, production, zones } = place;
  const queue = process.kind === "worker" ? process.queue : undefined;
  const min = props.min ?? (queue === undefined ? (production ? 2 : 1) : 0);
  const max = props.max ?? Math.max(4, 2 * min);
  const bearable = production && min >= 2 ? Math.floor(100 * keptWithoutAZone(min, zones)) : 100;
  const cpuPercent = props.cpuPercent ?? (queue === undefined ? Math.min(60, Math.max(10, bearable)) : undefined);
  const { memoryPercent, requestsPerTask, metrics = [], steps = [], schedules = [] } = props;

  checkBounds(problems, "scaling", { min, max });
  problems.check(max <= MAX_TASKS, {
    code: "SCALING_MAX_QUOTA",
    prop: "scaling.max",
    problem: `must be at most ${MAX_TASKS}, the quota of ECS for a service, got ${max}`,
    remedy: "Use fewer, larger tasks, or a second service.",
  });
  // A queue keeps messages when all workers stop, but requests are lost.
  if (production && queue === undefined) checkZoneLoss(problems, "scaling.min", min, "task");
  checkUtilization(problems, "scaling.cpuPercent", cpuPercent);
  checkUtilization(problems, "scaling.memoryPercent", memoryPercent);
  problems.check(requestsPerTask === undefined || process.kind === "web", {
    code: "SCALING_REQUESTS_OF_WORKER",
    prop: "scaling.requestsPerTask",
    problem: "needs a web process, which receives requests",
    remedy: "Remove it, or use messagesPerTask.",
  });
  problems.check(props.messagesPerTask === undefined || queue !== undefined, {
    code: "SCALING_MESSAGES_WITHOUT_QUEUE",
    prop: "scaling.messagesPerTask",
    problem: "needs a worker with a queue",
    remedy: "Use process: worker({ queue }).",
  });
  checkTarget(problems, "scaling.requestsPerTask", requestsPerTask);
  checkTarget(problems, "scaling.messagesPerTask", props.messagesPerTask);
  for (const { name, metric, target } of metrics) {
    checkMetric(problems, `scaling.metrics.${name}.metric`, metric);
    checkTarget(problems, `scaling.metrics.${name}`, target);
  }
  for (const each of steps) checkSteps(problems, `scaling.steps.${each.name}`, each);
  for (const { name, min: from, max: to } of schedules) {
    const counts = [from, to].filter((count) => count !== undefined);
    problems.check(
      counts.length > 0 &&
        counts.every((count) => Number.isInteger(count) && count >= 0 && count <= MAX_TASKS) &&
        (from ?? min) <= (to ?? max),
      {
        code: "SCALING_SCHEDULE",
        prop: `scaling.schedules.${name}`,
        problem: `must have a min, a max or both, in whole numbers with min <= max, got min ${from} and max ${to}`,
        remedy: `Change them. A bound that is not set keeps its value (min ${min}, max ${max}).`,
      },
    );
    if (production && queue === undefined && from !== undefined) {
      checkZoneLoss(problems, `scaling.schedules.${name}.min`, from, "task");
    }
  }
  checkPolicyNames(problems, [...metrics, ...steps, ...schedules], {
    Cpu: cpuPercent,
    Memory: memoryPercent,
    Requests: requestsPerTask,
    Messages: queue,
  });
  return {
    min,
    max,
    cpuPercent,
    memoryPercent,
    requestsPerTask,
    messagesPerTask: queue === undefined ? undefined : (props.messagesPerTask ?? MESSAGES_PER_TASK),
    metrics,
    steps,
    schedules,
  };
}
