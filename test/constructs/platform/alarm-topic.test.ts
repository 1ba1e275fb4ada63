import { describe, expect, it } from "vitest";
import { type AlarmRecipients, CloudNativeService, Ingress } from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, refusals, resources, shop } from "../../support/synth";

describe("the alarms of a platform", () => {
  const platform = (alarmRecipients: AlarmRecipients) => shop(DEV, { alarmRecipients });

  it("go to an encrypted topic that only CloudWatch of this account may publish to", () => {
    const stack = shop();
    expect(only(stack, "aws_sns_topic")).toMatchObject({
      name: "shop-dev-alarms",
      kms_master_key_id: expect.stringContaining("aws_kms_key.Alarms_Key"),
    });
    const policy = only(stack, "aws_sns_topic_policy").policy as { Statement: object[] };
    expect(policy.Statement).toMatchObject([
      {
        Effect: "Allow",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Condition: { StringEquals: { "aws:SourceAccount": expect.any(String) } },
      },
      { Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } },
    ]);
    const { policy: ofKey } = Object.values(resources(stack, "aws_kms_key")).find(({ description }) =>
      `${description}`.startsWith("Alarms"),
    ) as { policy: object };
    expect(JSON.stringify(ofKey)).toContain("cloudwatch.amazonaws.com");
  });

  it("reach email addresses and chats", () => {
    const stack = platform({
      emails: ["on-call@example.com"],
      urls: ["https://pager.example.com/in/abc"],
      slack: [{ workspaceId: "T0123456789", channelId: "C0123456789" }],
    });
    expect(Object.values(resources(stack, "aws_sns_topic_subscription"))).toMatchObject([
      { protocol: "email", endpoint: "on-call@example.com" },
      { protocol: "https", endpoint: "https://pager.example.com/in/abc" },
    ]);
    expect(only(stack, "aws_chatbot_slack_channel_configuration")).toMatchObject({
      slack_team_id: "T0123456789",
      slack_channel_id: "C0123456789",
      guardrail_policy_arns: [expect.stringMatching(/:iam::aws:policy\/CloudWatchReadOnlyAccess$/)],
    });
  });

  it("keep the recipients that stay, when another one is removed, and move those of earlier versions", () => {
    const channel = (channelId: string) => ({ workspaceId: "T0123456789", channelId });
    const of = (recipients: AlarmRecipients) => {
      const stack = synthesize(platform(recipients));
      const types = ["aws_sns_topic_subscription", "aws_chatbot_slack_channel_configuration"];
      return { ids: types.map((type) => Object.keys(resources(stack, type))), moved: stack.moved };
    };
    const emails = ["a@example.com", "b@example.com"];
    const urls = ["https://pager.example.com/a", "https://pager.example.com/b"];
    const both = of({ emails, urls, slack: [channel("C0000000001"), channel("C0000000002")] });
    const last = of({ emails: emails.slice(1), urls: urls.slice(1), slack: [channel("C0000000002")] });
    expect(both.ids.map((ids) => ids.length)).toEqual([4, 2]);
    for (const [index, ids] of last.ids.entries()) expect(both.ids[index]).toEqual(expect.arrayContaining(ids));
    expect(JSON.stringify(last.moved)).toMatch(/_Email1_.*_Url1_.*_Slack1_/);
    expect(of({ emails: ["a@example.com", "a@example.com"] }).ids[0]).toHaveLength(1);
  });

  it("include those of its services, when they go off and when they recover", () => {
    const stack = shop().stack("orders");
    new CloudNativeService(stack, "Orders").add(new Ingress());
    const contract = [expect.stringMatching(/insecure_value\)\.alarms\.topicArn/)];
    expect(only(stack, "aws_cloudwatch_metric_alarm")).toMatchObject({ alarm_actions: contract, ok_actions: contract });
  });

  it.each<[AlarmRecipients, string]>([
    [{ emails: ["nobody"] }, "ALARM_EMAIL alarmRecipients.emails"],
    [{ emails: ["${file(1)}@example.com"] }, "ALARM_EMAIL alarmRecipients.emails"],
    [{ urls: ["http://pager.example.com"] }, "ALARM_URL alarmRecipients.urls"],
    [{ slack: [{ workspaceId: "shop", channelId: "C0123456789" }] }, "ALARM_SLACK alarmRecipients.slack"],
  ])("refuse %j", (alarms, expected) => {
    expect(refusals(() => platform(alarms))).toEqual([expected]);
  });
});
