import { ChatbotSlackChannelConfiguration } from "@cdktf/provider-aws/lib/chatbot-slack-channel-configuration";
import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import { Construct } from "constructs";
import { Problems } from "../core/errors";
import { Role } from "../core/iam";
import { EncryptionKey } from "../core/key";
import { jsonText, literal } from "../core/literal";
import { keyedId } from "../core/names";
import { isReference } from "../core/reference";
import { movedFrom } from "../core/renamed";
import { AwsStack } from "../core/stack";
import { subscribe } from "../core/subscriptions";

/** A Slack channel. AWS's app must be authorized for the workspace once, in the console. */
export interface SlackChannel {
  /** `T0123456789` */
  readonly workspaceId: string;
  /** `C0123456789` */
  readonly channelId: string;
}

/** Recipients of alarm notifications. */
export interface AlarmRecipients {
  /**
   * Email addresses. Each receives a message to confirm the subscription.
   *
   * @default - none
   */
  readonly emails?: readonly string[];
  /**
   * HTTPS endpoints, such as a paging or chat service. Each receives a request to confirm the subscription.
   *
   * @default - none
   */
  readonly urls?: readonly string[];
  /**
   * Slack channels, through AWS's own app.
   *
   * @default - none
   * @see https://docs.aws.amazon.com/chatbot/latest/adminguide/slack-setup.html
   */
  readonly slack?: readonly SlackChannel[];
}

/** @throws InvalidPropsError ALARM_EMAIL, ALARM_URL, ALARM_SLACK */
function checkRecipients(scope: Construct, { emails = [], urls = [], slack = [] }: AlarmRecipients): void {
  const problems = new Problems(scope);
  for (const email of emails) {
    problems.check(isReference(email) || /^[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(email), {
      code: "ALARM_EMAIL",
      prop: "alarmRecipients.emails",
      problem: `${JSON.stringify(email)} is not a valid email address`,
      remedy: "Use an address such as on-call@example.com.",
    });
  }
  for (const url of urls) {
    problems.check(isReference(url) || /^https:\/\/[A-Za-z0-9.-]+(:\d+)?(\/[\w./~?&=%+-]*)?$/.test(url), {
      code: "ALARM_URL",
      prop: "alarmRecipients.urls",
      problem: `${JSON.stringify(url.slice(0, 40))} is not a valid HTTPS endpoint`,
      remedy:
        "Use https:// with a host and a path. Anyone who knows the URL can post to it: keep it out of code that others can read.",
    });
  }
  for (const { workspaceId, channelId } of slack) {
    const fits = (id: string, pattern: RegExp) => isReference(id) || pattern.test(id);
    problems.check(fits(workspaceId, /^T[A-Z0-9]{8,20}$/) && fits(channelId, /^[CG][A-Z0-9]{8,20}$/), {
      code: "ALARM_SLACK",
      prop: "alarmRecipients.slack",
      problem: `${JSON.stringify({ workspaceId, channelId })} is not a valid Slack channel`,
      remedy: "Use the ids from the URL of the channel in Slack: T0123456789 and C0123456789.",
    });
  }
  problems.throwIfAny();
}

/**
 * An SNS topic for alarm notifications, encrypted with its own KMS key, since CloudWatch cannot publish to a topic that uses
 * AWS's key. Costs 1 USD a month for the key.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
 */
export class AlarmTopic extends Construct {
  readonly topicArn: string;

  constructor(scope: Construct, id: string, recipients: AlarmRecipients = {}) {
    super(scope, id);
    checkRecipients(this, recipients);
    const stack = AwsStack.of(this);
    const name = stack.physicalName("topic", stack.stackName, stack.environment.name, "alarms");
    const ofThisAccount = { StringEquals: { "aws:SourceAccount": stack.accountId } };
    const { keyArn } = new EncryptionKey(this, "Key", {
      description: `Alarms of ${stack.stackName} ${stack.environment.name}`,
      users: [
        {
          service: "cloudwatch.amazonaws.com",
          actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
          conditions: ofThisAccount,
        },
      ],
    });
    const topic = new SnsTopic(this, "Resource", { name, kmsMasterKeyId: keyArn });
    this.topicArn = topic.arn;
    new SnsTopicPolicy(this, "Policy", {
      arn: topic.arn,
      policy: jsonText({
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "Alarms",
            Effect: "Allow",
            Principal: { Service: "cloudwatch.amazonaws.com" },
            Action: "sns:Publish",
            Resource: topic.arn,
            Condition: ofThisAccount,
          },
          {
            Sid: "EncryptedOnTheWay",
            Effect: "Deny",
            Principal: "*",
            Action: "sns:Publish",
            Resource: topic.arn,
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ],
      }),
    });
    const { emails = [], urls = [], slack = [] } = recipients;
    subscribe(this, topic.arn, "email", emails);
    subscribe(this, topic.arn, "https", urls);
    if (slack.length > 0) this.#tellSlack(slack, name, topic.arn);
  }

  #tellSlack(channels: readonly SlackChannel[], name: string, topicArn: string): void {
    // Displays the resources of an alarm; grants no permission to change anything.
    const role = new Role(this, "ChatRole", { name: `${name}-chat`, service: "chatbot.amazonaws.com" });
    const readOnly = `arn:${AwsStack.of(this).partition}:iam::aws:policy/CloudWatchReadOnlyAccess`;
    role.addManagedPolicy("CloudWatchReadOnlyAccess");
    const known = !channels.some(({ channelId }) => isReference(channelId));
    channels.forEach(({ workspaceId, channelId }, index) => {
      const position = `Slack${index + 1}`;
      const configuration = new ChatbotSlackChannelConfiguration(
        this,
        known ? keyedId(this, "Slack", channelId) : position,
        {
          configurationName: channels.length === 1 ? name : `${name}-${known ? channelId : index + 1}`,
          slackTeamId: literal(workspaceId),
          slackChannelId: literal(channelId),
          iamRoleArn: role.roleArn,
          guardrailPolicyArns: [readOnly],
          snsTopicArns: [topicArn],
        },
      );
      // Before, ids were by position: see subscribe.
      if (known) movedFrom(configuration, position);
    });
  }
}
