import { CloudwatchLogMetricFilter } from "@cdktf/provider-aws/lib/cloudwatch-log-metric-filter";
import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { Lazy } from "cdktf";
import { Construct } from "constructs";
import { failedRunsOf, stoppedTasksOf } from "../../cluster/stopped-tasks";
import { onlyByTls, resourcePolicy } from "../../core/iam";
import type { ServiceStack } from "../../platform/platform";

/** Returns the task group of a job's runs. Its admin processes belong to the same family but another group. */
export function groupOfJob(name: string): string {
  return `job:${name}`;
}

/**
 * Returns the filter pattern for stopped tasks that were failed runs: by the exit code of the app's container, since
 * sidecars may exit with any code; or because AWS terminated the instance or the task failed to start.
 *
 * @param containers number of containers in a task; ECS reports them in no particular order
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
 * Counts the failed runs of a job: a metric filter over the platform's log of stopped tasks, and a dead-letter queue of runs
 * that the schedule could not start within its hour, each with the reason.
 *
 * Costs nothing except 0.30 USD in a month in which a run fails.
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
      /** Returns the number of containers in a task. Called at synth. */
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
      // One more than defined here, since Amazon GuardDuty may add its own to tasks.
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
