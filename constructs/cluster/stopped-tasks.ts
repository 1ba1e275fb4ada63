import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { CloudwatchLogMetricFilter } from "@cdktf/provider-aws/lib/cloudwatch-log-metric-filter";
import { CloudwatchLogResourcePolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-resource-policy";
import { Construct } from "constructs";
import type { MetricStat } from "../core/alarm";
import { jsonText } from "../core/literal";
import { AwsStack } from "../core/stack";
import { LogStream } from "../logging/log-stream";
import type { ICluster } from "./cluster";

/**
 * Number of tasks of a service that stopped without being asked to or failed to start. The metric has no data instead of
 * zeros.
 */
export function crashesOf(platform: string, environment: string, service: string): MetricStat {
  return counted(platform, environment, "TasksCrashed", `service:${service}`);
}

/** Number of failed runs of a job, by the group of its tasks: `job:report`. The metric has no data instead of zeros. */
export function failedRunsOf(platform: string, environment: string, group: string): MetricStat {
  return counted(platform, environment, "RunsFailed", group);
}

function counted(platform: string, environment: string, metricName: string, group: string): MetricStat {
  const namespace = `Antifragile/${platform}-${environment}`;
  return { namespace, metricName, dimensions: { Group: group }, statistic: "Sum" };
}

/** Name of the log group that records a platform's stopped tasks. */
export function stoppedTasksOf(platform: string, environment: string): string {
  return `/${platform}/${environment}/stopped-tasks`;
}

/** Pattern of crashed tasks of services. One-off tasks are excluded, because they also stop without being asked to. */
export const CRASHED =
  '{ $.detail.group = "service:*" && ($.detail.stopCode = "EssentialContainerExited" || $.detail.stopCode = "TaskFailedToStart") }';

/**
 * Records why tasks of a cluster stopped, for longer than the hour for which ECS keeps them: a log group of events, with a
 * metric that counts crashed tasks by service.
 *
 * Costs almost nothing, and 0.30 USD a month for each service whose tasks crash.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
 */
export class StoppedTasks extends Construct {
  constructor(scope: Construct, id: string, props: { readonly cluster: ICluster }) {
    super(scope, id);
    const stack = AwsStack.of(this);
    const { stackName, environment } = stack;
    const logs = new LogStream(this, "Logs", { name: stoppedTasksOf(stackName, environment.name) });
    const rule = new CloudwatchEventRule(this, "Resource", {
      name: stack.physicalName("eventRule", stackName, environment.name, "stopped-tasks"),
      description: `Stopped tasks of ${stackName} ${environment.name}, with the reasons`,
      eventPattern: jsonText({
        source: ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        detail: { clusterArn: [props.cluster.clusterArn], lastStatus: ["STOPPED"] },
      }),
    });
    const writer = {
      Effect: "Allow",
      Principal: { Service: ["delivery.logs.amazonaws.com", "events.amazonaws.com"] },
      Resource: `${logs.logGroupArn}:*`,
    };
    const mayWrite = new CloudwatchLogResourcePolicy(this, "MayWrite", {
      policyName: stack.prefixed(stackName, environment.name, "stopped-tasks"),
      policyDocument: jsonText({
        Version: "2012-10-17",
        Statement: [
          // EventBridge names neither account nor rule when it creates a log stream: a condition would deny all events. @see
          // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
          { ...writer, Action: "logs:CreateLogStream" },
          { ...writer, Action: "logs:PutLogEvents", Condition: { ArnEquals: { "aws:SourceArn": rule.arn } } },
        ],
      }),
    });
    new CloudwatchEventTarget(this, "Target", { rule: rule.name, arn: logs.logGroupArn, dependsOn: [mayWrite] });
    const { namespace, metricName } = crashesOf(stackName, environment.name, "");
    new CloudwatchLogMetricFilter(this, "Crashed", {
      name: "crashed",
      logGroupName: logs.logGroupName,
      pattern: CRASHED,
      metricTransformation: { namespace, name: metricName, value: "1", dimensions: { Group: "$.detail.group" } },
    });
  }
}
