import { AppautoscalingPolicy } from "@cdktf/provider-aws/lib/appautoscaling-policy";
import { AppautoscalingScheduledAction } from "@cdktf/provider-aws/lib/appautoscaling-scheduled-action";
import { AppautoscalingTarget } from "@cdktf/provider-aws/lib/appautoscaling-target";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import type { EcsService } from "@cdktf/provider-aws/lib/ecs-service";
import { DataResource, Lazy } from "cdktf";
import type { Construct } from "constructs";
import type { IQueue } from "../../backing/queue";
import { alarmRows, type MetricDataQuery, policyRows } from "../../core/alarm";
import { InSequence } from "../../core/in-sequence";
import { type Metric, resolveMetric } from "../../core/metric";
import { kebab } from "../../core/names";
import { type ScaleOutStep, scaleOutPolicy } from "../../core/scaling";
import { AwsStack, addressOf } from "../../core/stack";
import type { Target } from "../add-on";
import { groupsOf, ofTarget } from "../monitoring/target-metrics";
import type { ScalingSettings } from "./scaling-props";

/**
 * Cooldown after adding tasks, which covers the time until a new task affects the metrics: it starts, works for a minute,
 * and its metrics may be two minutes late. A shorter cooldown would add tasks twice for the same load; a higher load adds
 * more tasks at any time.
 */
const COOLDOWN_SECONDS = 300;

interface ScaledService {
  /** ECS service. The policies are replaced together with it. */
  readonly service: EcsService;
  readonly clusterName: string;
  /** Parts of the names of alarms. */
  readonly fullName: readonly string[];
  readonly settings: ScalingSettings;
  /** Attributes of the scalable target that are modified outside Terraform. */
  readonly ignored: readonly string[];
  readonly queue: IQueue | undefined;
  /** Target groups of the service. Complete once all add-ons are added. */
  readonly targets: () => readonly Target[];
}

/** Creates a scalable target, and one scaling policy for each metric. */
export function scale(scope: Construct, scaled: ScaledService): void {
  const { service, clusterName, settings, queue } = scaled;
  const bounds = { minCapacity: settings.min, maxCapacity: settings.max };
  // A schedule changes the bounds, and Terraform must not reset them at the next apply unless the bounds in the program
  // change.
  const written =
    settings.schedules.length === 0 ? undefined : new DataResource(scope, "ScalingBounds", { input: bounds });
  const target = new AppautoscalingTarget(scope, "Scaling", {
    ...bounds,
    serviceNamespace: "ecs",
    scalableDimension: "ecs:service:DesiredCount",
    resourceId: `service/${clusterName}/${service.name}`,
    // AWS deletes the scalable target when the service is replaced, which Terraform would not notice.
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
  const sequence = new InSequence();
  const track = (id: string, targetValue: number, specification: object) => {
    const policy = new AppautoscalingPolicy(scope, id, {
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
    sequence.add(policy);
  };
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
    sequence.add(policy);
    new CloudwatchMetricAlarm(scope, `${id}Alarm`, {
      alarmName: AwsStack.of(scope).physicalName("alarm", ...scaled.fullName, kebab(id)),
      alarmDescription: "Adds tasks. No action is needed.",
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
    // Without tasks, the metric per task is undefined, so a step policy starts the first one.
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
    sequence.add(
      new AppautoscalingScheduledAction(scope, `Scale${name}`, {
        ...common,
        name: kebab(name),
        schedule: schedule.expression,
        timezone: schedule.timezone,
        scalableTargetAction: {
          ...(min === undefined ? {} : { minCapacity: String(min) }),
          ...(max === undefined ? {} : { maxCapacity: String(max) }),
        },
      }),
    );
  }
}

/**
 * Requests per minute for a task of the busiest target group. AWS's predefined metric is tied to one target group, which may
 * receive no more requests during a shift between two. If a minute has not been reported yet, the value of the previous
 * minute is used; after a longer gap, 0.
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

/**
 * Number of running tasks without Container Insights: each task reports its CPU utilization once a minute, so the number of
 * samples is the number of tasks.
 */
function runningTasks(clusterName: string, serviceName: string): Required<Metric> {
  return {
    namespace: "AWS/ECS",
    metricName: "CPUUtilization",
    dimensions: { ClusterName: clusterName, ServiceName: serviceName },
    statistic: "SampleCount",
  };
}

/** A metric of a queue, which has no data if the queue has not been used for hours. */
function inQueue(queue: IQueue, metricName: string): Required<Metric> {
  return { namespace: "AWS/SQS", metricName, dimensions: { QueueName: queue.queueName }, statistic: "Maximum" };
}

/**
 * Messages per task. Amazon SQS and Amazon ECS report independently: if one has not reported a minute yet, the value of the
 * previous minute is used. Without tasks there is no value, and a step policy starts the first one.
 */
function messagesPerTask(queue: IQueue, tasks: Required<Metric>): MetricDataQuery[] {
  return [
    ...inQueueAndTasks(queue, tasks),
    {
      id: "result",
      // Includes messages in flight, or the task that processes the last message would be stopped.
      expression: "(FILL(waiting, REPEAT) + FILL(working, REPEAT)) / FILL(tasks, REPEAT)",
      returned: true,
    },
  ];
}

/**
 * Visible messages while no task runs. Assumes that a task whose minute has not been reported yet still runs, and that
 * messages in flight are held by a task: otherwise a late or lost metric would start tasks up to the maximum.
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
