import { CodestarnotificationsNotificationRule } from "@cdktf/provider-aws/lib/codestarnotifications-notification-rule";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import { Construct } from "constructs";
import { jsonText } from "../core/literal";
import { AwsStack } from "../core/stack";
import { subscribe } from "../core/subscriptions";

const FAILED = "codepipeline-pipeline-pipeline-execution-failed";

/** Events to notify subscribers of: failures and pending approvals. */
const EVENTS = [FAILED, "codepipeline-pipeline-manual-approval-needed", "codepipeline-pipeline-manual-approval-failed"];

export interface NotificationsProps {
  readonly pipelineArn: string;
  /** Pipeline that finds drift, of which only failures are notified. @default - none */
  readonly driftPipelineArn?: string;
  readonly keyArn: string;
  readonly emails: readonly string[];
}

/** Encrypted SNS topic for failures and pending approvals; only pipelines of this account publish to it. */
export class Notifications extends Construct {
  readonly topicArn: string;

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id);
    const stack = AwsStack.of(this);
    const topic = new SnsTopic(this, "Resource", {
      name: stack.physicalName("topic", stack.stackName, "pipeline"),
      kmsMasterKeyId: props.keyArn,
    });
    const policy = new SnsTopicPolicy(this, "Policy", {
      arn: topic.arn,
      policy: jsonText({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "codestar-notifications.amazonaws.com" },
            Action: "SNS:Publish",
            Resource: topic.arn,
            Condition: { StringEquals: { "aws:SourceAccount": stack.accountId } },
          },
        ],
      }),
    });
    subscribe(this, topic.arn, "email", props.emails);
    const notify = (ruleId: string, name: string, resource: string, eventTypeIds: string[]) =>
      new CodestarnotificationsNotificationRule(this, ruleId, {
        name: stack.physicalName("eventRule", stack.stackName, name),
        detailType: "FULL",
        resource,
        eventTypeIds,
        target: [{ address: topic.arn }],
        // Without the policy, AWS rejects its test message and with it the rule.
        dependsOn: [policy],
      });
    notify("Rule", "pipeline", props.pipelineArn, EVENTS);
    if (props.driftPipelineArn !== undefined) notify("DriftRule", "drift", props.driftPipelineArn, [FAILED]);
    this.topicArn = topic.arn;
  }
}
