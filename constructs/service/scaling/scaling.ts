import { AppautoscalingPolicy } from "@cdktf/provider-aws/lib/appautoscaling-policy";
import { AppautoscalingScheduledAction } from "@cdktf/provider-aws/lib/appautoscaling-scheduled-action";
import { AppautoscalingTarget } from "@cdktf/provider-aws/lib/appautoscaling-target";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import type { EcsService } from "@cdktf/provider-aws/lib/ecs-service";
import { DataResource, Lazy } from "cdktf";
import type { Construct } from "constructs";
import type { IQueue } from "../../backing/queue";
import { alarmRows, type MetricDataQuery, policyRows } from "../../core/alarm";
import type { Problems } from "../../core/errors";
import { checkMetric, type Metric, resolveMetric } from "../../core/metric";
import { kebab } from "../../core/names";
import {
  checkBounds,
  checkPolicyNames,
  checkSteps,
  checkTarget,
  checkUtilization,
  checkZoneLoss,
  type MetricTarget,
  type ScaleOutStep,
  type ScalingSteps,
  scaleOutPolicy,
} from "../../core/scaling";
import { checkSchedule, type Schedule } from "../../core/schedule";
import { AwsStack, addressOf } from "../../core/stack";
import type { Target } from "../add-on";
import { groupsOf, ofTarget } from "../monitoring/target-metrics";
import type { Process } from "../task/process";

/** From a time on there are other bounds. */
export interface ScheduledBounds {
  /** Unique within the service; part of addresses: `Morning`. */
  readonly name: string;
  readonly schedule: Schedule;
  /** @default - as it is then */
  readonly min?: number;
  /** @default - as it is then */
  readonly max?: number;
}

/** How many tasks run, and what decides. */
export interface Scaling {
  /**
   * Fewest tasks.
   *
   * @default 1 in dev, 2 in production; 0 for a worker with a queue
   */
  readonly min?: number;
  /**
   * Most tasks.
   *
   * @default - twice min, and at least 4
   */
  readonly max?: number;
  /**
   * Tasks are added above this average use of CPU, and taken away below it.
   *
   * @default - 60, in production less where the tasks that stay could not carry a lost zone's load; none for a worker with a queue
   */
  readonly cpuPercent?: number;
  /**
   * The same of memory.
   *
   * @default - memory does not decide
   */
  readonly memoryPercent?: number;
  /**
   * Requests that a task gets from the load balancer in a minute. With an Ingress only.
   *
   * @default - requests do not decide
   */
  readonly requestsPerTask?: number;
  /**
   * Messages, waiting and in work, for each task. For a worker with a queue only.
   *
   * @default 100
   */
  readonly messagesPerTask?: number;
  /**
   * Measures of your own that are kept at a value.
   *
   * @default - none
   */
  readonly metrics?: readonly MetricTarget[];
  /**
   * Measures that add tasks in steps.
   *
   * @default - none
   */
  readonly steps?: readonly ScalingSteps[];
  /**
   * Other bounds at other times. A change of `min` or `max` counts from the apply on, until the next of these times.
   *
   * @default - none
   */
  readonly schedules?: readonly ScheduledBounds[];
}

/** What {@link Scaling} comes to. */
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

/** Most tasks of one service. @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html */
const MAX_TASKS = 5000;
/**
 * Longer than it takes until a new task shows in metrics: it starts, works for a minute, and what it reports may be two
 * minutes late. Sooner, the same load would add tasks again; more load adds some at any time.
 */
const COOLDOWN_SECONDS = 300;
/** What a queue's worker tracks unless told. */
const MESSAGES_PER_TASK = 100;

/** Share of their tasks that a service keeps when one of the zones is lost. */
export function keptWithoutAZone(tasks: number, zones: number): number {
  return (tasks - Math.ceil(tasks / zones)) / tasks;
}

/** Defaults and checks. Notes SCALING_* problems. */
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
    problem: `${max} is above the ${MAX_TASKS} tasks that ECS lets a service have`,
    remedy: `Use up to ${MAX_TASKS}, larger tasks, or a second service.`,
  });
  // A queue keeps the work when all workers are gone; requests are lost.
  if (production && queue === undefined) checkZoneLoss(problems, "scaling.min", min, "task");
  checkUtilization(problems, "scaling.cpuPercent", cpuPercent);
  checkUtilization(problems, "scaling.memoryPercent", memoryPercent);
  problems.check(requestsPerTask === undefined || process.kind === "web", {
    code: "SCALING_REQUESTS_OF_WORKER",
    prop: "scaling.requestsPerTask",
    problem: "is set, and the process takes no requests",
    remedy: "Leave it out, or use messagesPerTask.",
  });
  problems.check(props.messagesPerTask === undefined || queue !== undefined, {
    code: "SCALING_MESSAGES_WITHOUT_QUEUE",
    prop: "scaling.messagesPerTask",
    problem: "is set, and the process has no queue",
    remedy: "Use process: worker({ queue }).",
  });
  checkTarget(problems, "scaling.requestsPerTask", requestsPerTask);
  checkTarget(problems, "scaling.messagesPerTask", props.messagesPerTask);
  for (const { name, metric, target } of metrics) {
    checkMetric(problems, `scaling.metrics.${name}.metric`, metric);
    checkTarget(problems, `scaling.metrics.${name}`, target);
  }
  for (const each of steps) checkSteps(problems, `scaling.steps.${each.name}`, each);
  for (const { name, schedule, min: from, max: to } of schedules) {
    checkSchedule(problems, `scaling.schedules.${name}.schedule`, schedule);
    const counts = [from, to].filter((count) => count !== undefined);
    problems.check(
      counts.length > 0 &&
        counts.every((count) => Number.isInteger(count) && count >= 0 && count <= MAX_TASKS) &&
        (from ?? min) <= (to ?? max),
      {
        code: "SCALING_SCHEDULE",
        prop: `scaling.schedules.${name}`,
        problem: `min ${from} and max ${to} are no bounds`,
        remedy: `Give min, max or both, whole numbers, min <= max; what is not given stays (min ${min}, max ${max}).`,
      },
    );
    if (production && queue === undefined && from !== undefined) {
      checkZoneLoss(problems, `scaling.schedules.${name}.min`, from, "task");
    }
  }
  checkPolicyNames(problems, [...metrics, ...steps, ...schedules]);
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

interface ScaledService {
  /** The service; policies follow it when it is replaced. */
  readonly service: EcsService;
  readonly clusterName: string;
  /** First parts of the names of alarms. */
  readonly fullName: readonly string[];
  readonly settings: ScalingSettings;
  /** Attributes of the target that others write. */
  readonly ignored: readonly string[];
  readonly queue: IQueue | undefined;
  /** Target groups of the service, known when all add-ons are there. */
  readonly targets: () => readonly Target[];
}

/** Lets AWS set the number of tasks: a scalable target and one policy for each measure. */
export function scale(scope: Construct, scaled: ScaledService): void {
  const { service, clusterName, settings, queue } = scaled;
  const bounds = { minCapacity: settings.min, maxCapacity: settings.max };
  // A schedule writes other bounds, and Terraform must not put them back at the next apply; unless these here change.
  const written =
    settings.schedules.length === 0 ? undefined : new DataResource(scope, "ScalingBounds", { input: bounds });
  const target = new AppautoscalingTarget(scope, "Scaling", {
    ...bounds,
    serviceNamespace: "ecs",
    scalableDimension: "ecs:service:DesiredCount",
    resourceId: `service/${clusterName}/${service.name}`,
    // AWS forgets the target when the service is replaced, and Terraform would not notice.
    lifecycle: {
      replaceTriggeredBy: [`${addressOf(service)}.id`, ...(written === undefined ? [] : [addressOf(written)])],
      ...(scaled.ignored.length === 0 ? {} : { ignoreChanges: [...scaled.ignored] }),
    },
  });
  const common = {
    resourceId: target.resourceId,
    scalableDimension: target.scalableDimension,
    serviceNamespace: target.serviceNamespace,
    lifecycle: { replaceTriggeredBy: [`${addressOf(target)}.id`] },
  };
  const track = (id: string, targetValue: number, specification: object) =>
    new AppautoscalingPolicy(scope, id, {
      ...common,
      name: kebab(id),
      policyType: "TargetTrackingScaling",
      targetTrackingScalingPolicyConfiguration: {
        targetValue,
        ...specification,
        scaleOutCooldown: COOLDOWN_SECONDS,
        scaleInCooldown: COOLDOWN_SECONDS,
      },
    });
  const predefined = (predefinedMetricType: string) => ({ predefinedMetricSpecification: { predefinedMetricType } });
  const computed = (metrics: () => object[]) => ({
    customizedMetricSpecification: { metrics: Lazy.anyValue({ produce: metrics }) },
  });
  const step = (id: string, queries: readonly MetricDataQuery[], out: readonly ScaleOutStep[]) => {
    const { stepAdjustment, ...alarm } = scaleOutPolicy(out);
    const policy = new AppautoscalingPolicy(scope, id, {
      ...common,
      name: kebab(id),
      policyType: "StepScaling",
      stepScalingPolicyConfiguration: {
        adjustmentType: "ChangeInCapacity",
        metricAggregationType: "Maximum",
        cooldown: COOLDOWN_SECONDS,
        stepAdjustment: [...stepAdjustment],
      },
    });
    new CloudwatchMetricAlarm(scope, `${id}Alarm`, {
      alarmName: AwsStack.of(scope).physicalName("alarm", ...scaled.fullName, kebab(id)),
      alarmDescription: "Adds tasks; no reason to get up.",
      ...alarm,
      evaluationPeriods: 1,
      treatMissingData: "notBreaching",
      alarmActions: [policy.arn],
      metricQuery: Lazy.anyValue({ produce: () => alarmRows(queries) }),
    });
  };

  if (settings.cpuPercent !== undefined) {
    track("ScaleOnCpu", settings.cpuPercent, predefined("ECSServiceAverageCPUUtilization"));
  }
  if (settings.memoryPercent !== undefined) {
    track("ScaleOnMemory", settings.memoryPercent, predefined("ECSServiceAverageMemoryUtilization"));
  }
  if (settings.requestsPerTask !== undefined) {
    track(
      "ScaleOnRequests",
      settings.requestsPerTask,
      computed(() => policyRows(requestsPerTask(scaled.targets()))),
    );
  }
  if (queue !== undefined && settings.messagesPerTask !== undefined) {
    const tasks = runningTasks(clusterName, service.name);
    track(
      "ScaleOnMessages",
      settings.messagesPerTask,
      computed(() => policyRows(messagesPerTask(queue, tasks))),
    );
    // With no task there is nothing to divide by, so the first one comes by a step.
    step("ScaleFromZero", waitingWithoutTask(queue, tasks), [{ from: 1, add: 1 }]);
  }
  for (const { name, metric, target: value } of settings.metrics) {
    track(
      `ScaleOn${name}`,
      value,
      computed(() => policyRows([{ id: "measure", metric: resolveMetric(metric), returned: true }])),
    );
  }
  for (const { name, metric, out } of settings.steps) {
    step(`ScaleOn${name}`, [{ id: "measure", metric: resolveMetric(metric), returned: true }], out);
  }
  for (const { name, schedule, min, max } of settings.schedules) {
    new AppautoscalingScheduledAction(scope, `Scale${name}`, {
      ...common,
      name: kebab(name),
      schedule: schedule.expression,
      timezone: schedule.timezone,
      scalableTargetAction: {
        ...(min === undefined ? {} : { minCapacity: String(min) }),
        ...(max === undefined ? {} : { maxCapacity: String(max) }),
      },
    });
  }
}

/**
 * Requests that a task of the busiest target group gets in a minute. AWS's own metric is tied to one group, which during
 * a shift between two may be the one that gets no requests any more. A minute whose requests are not reported yet counts as
 * the one before it, and where none are reported for longer, as 0.
 */
function requestsPerTask(targets: readonly Target[]): MetricDataQuery[] {
  const groups = groupsOf(targets);
  const rows = groups.flatMap((group, index): MetricDataQuery[] => [
    { id: `requests${index}`, metric: ofTarget(group, "RequestCount", "Sum") },
    { id: `tasks${index}`, metric: ofTarget(group, "HealthyHostCount", "Average") },
  ]);
  const each = groups.map((_, index) => `FILL(requests${index}, REPEAT) / tasks${index}`);
  return [...rows, { id: "result", expression: `MAX([${each.join(", ")}])`, returned: true }];
}

/** Each task says once a minute how busy it is, so the number of samples is the number of tasks, without Container Insights. */
function runningTasks(clusterName: string, serviceName: string): Required<Metric> {
  return {
    namespace: "AWS/ECS",
    metricName: "CPUUtilization",
    dimensions: { ClusterName: clusterName, ServiceName: serviceName },
    statistic: "SampleCount",
  };
}

/** What is in a queue; missing while nobody has used it for hours. */
function inQueue(queue: IQueue, metricName: string): Required<Metric> {
  return { namespace: "AWS/SQS", metricName, dimensions: { QueueName: queue.queueName }, statistic: "Maximum" };
}

/**
 * Messages for each task. Amazon SQS and Amazon ECS report independently: a minute that one has not reported yet counts as
 * the one before it. Without any task there is no value, and the first comes by a step.
 */
function messagesPerTask(queue: IQueue, tasks: Required<Metric>): MetricDataQuery[] {
  return [
    ...inQueueAndTasks(queue, tasks),
    {
      id: "result",
      // In work counts too, or the task that handles the last message would be taken away.
      expression: "(FILL(waiting, REPEAT) + FILL(working, REPEAT)) / FILL(tasks, REPEAT)",
      returned: true,
    },
  ];
}

/**
 * Messages that wait while no task works. A task whose minute is not reported yet is still there, and one that holds a
 * message works, whatever ECS reports: otherwise a late or lost metric would start tasks up to the most allowed.
 */
function waitingWithoutTask(queue: IQueue, tasks: Required<Metric>): MetricDataQuery[] {
  return [
    ...inQueueAndTasks(queue, tasks),
    { id: "result", expression: "IF(FILL(tasks, REPEAT) + working > 0, 0, waiting)", returned: true },
  ];
}

function inQueueAndTasks(queue: IQueue, tasks: Required<Metric>): MetricDataQuery[] {
  return [
    { id: "waiting", metric: inQueue(queue, "ApproximateNumberOfMessagesVisible") },
    { id: "working", metric: inQueue(queue, "ApproximateNumberOfMessagesNotVisible") },
    { id: "tasks", metric: tasks },
  ];
}
