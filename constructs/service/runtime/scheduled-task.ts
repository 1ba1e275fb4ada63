import type { EcsTaskDefinition } from "@cdktf/provider-aws/lib/ecs-task-definition";
import { SchedulerSchedule } from "@cdktf/provider-aws/lib/scheduler-schedule";
import { Lazy } from "cdktf";
import type { Construct } from "constructs";
import { Role } from "../../core/iam";
import { physicalName } from "../../core/names";
import type { ServiceStack } from "../../platform/platform";
import { ignoredChanges } from "../deployment/ignored-changes";
import { groupOfJob } from "../monitoring/failed-runs";
import { circumstancesOf, type ServiceSettings } from "../props";
import type { JobProcess } from "../task/process";

interface Scheduled {
  readonly stack: ServiceStack;
  readonly settings: ServiceSettings;
  readonly process: JobProcess;
  readonly task: EcsTaskDefinition;
  /** ARN of the task definition that a new schedule starts. */
  readonly firstTaskArn: string;
  readonly roleArns: readonly string[];
  readonly securityGroupId: string;
  /** Dead-letter queue for runs that could not be started; undefined for a job without alarms. */
  readonly notStartedQueueArn: string | undefined;
  /** Addresses that must exist before runs start. Complete once all add-ons are added. */
  readonly dependsOn: () => readonly string[];
}

/**
 * Creates an EventBridge Scheduler schedule that starts a task. Costs 1 USD per million starts.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/tasks-scheduled-eventbridge-scheduler.html
 */
export function createScheduledTask(scope: Construct, scheduled: Scheduled): SchedulerSchedule {
  const { stack, settings, process, task, notStartedQueueArn } = scheduled;
  const fullName = [stack.platformName, stack.environment.name, settings.name];
  const role = new Role(scope, "ScheduleRole", {
    name: `${fullName.join("-")}-schedule`,
    service: "scheduler.amazonaws.com",
  });
  role.grant({
    actions: ["ecs:RunTask"],
    // Any revision of this family, since a release points the schedule at a new one.
    resources: [stack.arn("ecs", `task-definition/${task.family}:*`)],
    conditions: { ArnEquals: { "ecs:cluster": stack.cluster.clusterArn } },
  });
  role.grant({
    actions: ["iam:PassRole"],
    resources: scheduled.roleArns,
    conditions: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
  });
  role.grant({
    actions: ["ecs:TagResource"],
    resources: [stack.arn("ecs", `task/${stack.cluster.clusterName}/*`)],
    conditions: { StringEquals: { "ecs:CreateAction": "RunTask" } },
  });
  if (notStartedQueueArn !== undefined) role.grant({ actions: ["sqs:SendMessage"], resources: [notStartedQueueArn] });
  const ignored = ignoredChanges("schedule", circumstancesOf(settings));
  const schedule = new SchedulerSchedule(scope, "Resource", {
    name: physicalName("schedule", ...fullName),
    description: "Start the job.",
    scheduleExpression: process.schedule.expression,
    scheduleExpressionTimezone: process.schedule.timezone,
    flexibleTimeWindow: { mode: "OFF" },
    target: {
      arn: stack.cluster.clusterArn,
      roleArn: role.roleArn,
      ecsParameters: {
        taskDefinitionArn: scheduled.firstTaskArn,
        taskCount: 1,
        group: groupOfJob(settings.name),
        capacityProviderStrategy: stack.cluster.strategy(settings.capacity),
        platformVersion: settings.compatibility === "FARGATE" ? "LATEST" : undefined,
        propagateTags: "TASK_DEFINITION",
        enableEcsManagedTags: true,
        networkConfiguration: {
          subnets: [...stack.vpc.workloadSubnetIds],
          securityGroups: [scheduled.securityGroupId],
          assignPublicIp: settings.compatibility === "FARGATE" && stack.vpc.egress === "public-ip",
        },
      },
      // Retries for an hour when AWS cannot start the task, for example for lack of capacity.
      retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 10 },
      deadLetterConfig: notStartedQueueArn === undefined ? undefined : { arn: notStartedQueueArn },
    },
    lifecycle: ignored.length === 0 ? undefined : { ignoreChanges: ignored },
  });
  role.whenPolicy((address) => {
    schedule.dependsOn = Lazy.listValue({ produce: () => [...new Set([address, ...scheduled.dependsOn()])].sort() });
  });
  return schedule;
}
