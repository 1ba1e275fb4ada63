import { CloudwatchLogMetricFilter } from "@cdktf/provider-aws/lib/cloudwatch-log-metric-filter";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { Lazy } from "cdktf";
import { Construct } from "constructs";
import { failedRunsOf, stoppedTasksOf } from "../../cluster/stopped-tasks";
import { onlyByTls, resourcePolicy } from "../../core/iam";
import type { ServiceStack } from "../../platform/platform";

/** Group that ECS tells with each task of a job; its admin processes are of the same family, and in another group. */
export function groupOfJob(name: string): string {
  return `job:${name}`;
}

/**
 * Which stopped tasks were a run that failed: by the code of the app's own container, since one beside it may end as it
 * likes; or where AWS took the instance away, or the task never came up.
 *
 * @param containers how many a task has: ECS tells them in no order
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html
 */
export function failedRunPattern(name: string, containers: number): string {
  const codes = ["TaskFailedToStart", "SpotInterruption", "TerminationNotice"];
  const bad = [
    ...codes.map((code) => `$.detail.stopCode = "${code}"`),
    ...Array.from({ length: containers }, (_, index) => {
      const container = `$.detail.containers[${index}]`;
      return `(${container}.name = "${name}" && ${container}.exitCode > 0)`;
    }),
  ];
  return `{ $.detail.group = "${groupOfJob(name)}" && (${bad.join(" || ")}) }`;
}

/**
 * What counts the runs of a job that failed: a filter over what the platform keeps of stopped tasks, and a queue of runs
 * that the schedule could not start within its hour, each with the reason.
 *
 * Costs nothing but 0.30 USD in a month in which a run fails.
 *
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
 */
export class FailedRuns extends Construct {
  readonly notStartedQueueArn: string;
  readonly notStartedQueueName: string;

  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly stack: ServiceStack;
      /** Name of the service. */
      readonly name: string;
      /** How many containers a task has; asked for when the stack is written. */
      readonly containers: () => number;
    },
  ) {
    super(scope, id);
    const { stack, name, containers } = props;
    const { platformName, environment } = stack;
    const { namespace, metricName } = failedRunsOf(platformName, environment.name, groupOfJob(name));
    new CloudwatchLogMetricFilter(this, "Failed", {
      name: `${name}-failed`,
      logGroupName: stoppedTasksOf(platformName, environment.name),
      // One more than we define: Amazon GuardDuty may put its own into tasks.
      pattern: Lazy.stringValue({ produce: () => failedRunPattern(name, containers() + 1) }),
      metricTransformation: { namespace, name: metricName, value: "1", dimensions: { Group: "$.detail.group" } },
    });
    this.notStartedQueueName = stack.physicalName("queue", platformName, environment.name, name, "not-started");
    const queue = new SqsQueue(this, "NotStarted", {
      name: this.notStartedQueueName,
      sqsManagedSseEnabled: true,
      messageRetentionSeconds: 1_209_600,
      policy: resourcePolicy([onlyByTls(["sqs:*"], [stack.arn("sqs", this.notStartedQueueName)])]),
    });
    this.notStartedQueueArn = queue.arn;
  }
}
