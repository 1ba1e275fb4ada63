import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { CloudwatchLogMetricFilter } from "@cdktf/provider-aws/lib/cloudwatch-log-metric-filter";
import { CloudwatchLogResourcePolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-resource-policy";
import { Construct } from "constructs";
import type { MetricStat } from "../core/alarm";
import { AwsStack } from "../core/stack";
import { LogStream } from "../logging/log-stream";
import type { ICluster } from "./cluster";

/** How many tasks of a service ended by themselves or never came up. Zero is not measured: there is only silence. */
export function crashesOf(platform: string, environment: string, service: string): MetricStat {
  return counted(platform, environment, "TasksCrashed", `service:${service}`);
}

/** How many runs of a job failed, by the group that its tasks are in: `job:report`. Zero is not measured. */
export function failedRunsOf(platform: string, environment: string, group: string): MetricStat {
  return counted(platform, environment, "RunsFailed", group);
}

function counted(platform: string, environment: string, metricName: string, group: string): MetricStat {
  const namespace = `Antifragile/${platform}-${environment}`;
  return { namespace, metricName, dimensions: { Group: group }, statistic: "Sum" };
}

/** Name of the log group in which a platform keeps what ECS tells of stopped tasks. */
export function stoppedTasksOf(platform: string, environment: string): string {
  return `/${platform}/${environment}/stopped-tasks`;
}

/** Tasks of services alone: what runs once and ends well, ends by itself too. */
export const CRASHED =
  '{ $.detail.group = "service:*" && ($.detail.stopCode = "EssentialContainerExited" || $.detail.stopCode = "TaskFailedToStart") }';

/**
 * Tells why tasks of a cluster stopped, for longer than the hour that ECS does: a log stream of events. Those that nobody
 * asked to stop are counted by service.
 *
 * Costs next to nothing, and 0.30 USD a month for each service whose tasks crash.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
 */
export class StoppedTasks extends Construct {
  constructor(scope: Construct, id: string, props: { readonly cluster: ICluster }) {
    super(scope, id);
    const stack = AwsStack.of(this);
    const { stackName, environment } = stack;
    const logs = new LogStream(this, "Logs", { name: stoppedTasksOf(stackName, environment.name) });
    const mayWrite = new CloudwatchLogResourcePolicy(this, "MayWrite", {
      policyName: stack.prefixed(stackName, environment.name, "stopped-tasks"),
      policyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: ["delivery.logs.amazonaws.com", "events.amazonaws.com"] },
            Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
            Resource: `${logs.logGroupArn}:*`,
            Condition: { StringEquals: { "aws:SourceAccount": stack.accountId } },
          },
        ],
      }),
    });
    const rule = new CloudwatchEventRule(this, "Resource", {
      name: stack.physicalName("eventRule", stackName, environment.name, "stopped-tasks"),
      description: `Tasks of ${stackName} ${environment.name} that stopped, and why`,
      eventPattern: JSON.stringify({
        source: ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        detail: { clusterArn: [props.cluster.clusterArn], lastStatus: ["STOPPED"] },
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
