import { CodestarnotificationsNotificationRule } from "@cdktf/provider-aws/lib/codestarnotifications-notification-rule";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import { SnsTopicSubscription } from "@cdktf/provider-aws/lib/sns-topic-subscription";
import { Construct } from "constructs";
import { jsonText, literal } from "../core/literal";
import { AwsStack } from "../core/stack";

/** Events to notify subscribers of: failures and pending approvals. */
const EVENTS = [
  "codepipeline-pipeline-pipeline-execution-failed",
  "codepipeline-pipeline-manual-approval-needed",
  "codepipeline-pipeline-manual-approval-failed",
];

export interface NotificationsProps {
  readonly pipelineArn: string;
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
    props.emails.forEach((email, index) => {
      new SnsTopicSubscription(this, `Email${index + 1}`, {
        topicArn: topic.arn,
        protocol: "email",
        endpoint: literal(email),
      });
    });
    new CodestarnotificationsNotificationRule(this, "Rule", {
      name: stack.physicalName("eventRule", stack.stackName, "pipeline"),
      detailType: "FULL",
      resource: props.pipelineArn,
      eventTypeIds: EVENTS,
      target: [{ address: topic.arn }],
      // Without the policy, AWS rejects its test message and with it the rule.
      dependsOn: [policy],
    });
    this.topicArn = topic.arn;
  }
}
