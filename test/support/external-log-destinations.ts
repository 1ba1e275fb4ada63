import { CloudwatchLogDestination } from "@cdktf/provider-aws/lib/cloudwatch-log-destination";
import { CloudwatchLogDestinationPolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-destination-policy";
import { KinesisStream } from "@cdktf/provider-aws/lib/kinesis-stream";
import type { ServiceStack, Statement } from "../../constructs";

const ACCOUNT = "123456789012";

/** Role of CloudWatch Logs that exists before the app. */
export const EXTERNAL_ROLE = "central";

/**
 * Creates external destinations of log lines: a Kinesis stream, and a destination that this account may use, as an account
 * only for logs has it. The destination exists before the service's stack.
 */
export function externalLogDestinations(stack: ServiceStack): {
  readonly streamArn: string;
  readonly destinationArn: string;
  /** Permissions for roles that deploy them: no construct creates such resources. */
  readonly grants: Readonly<Record<"plan" | "apply", readonly Statement[]>>;
} {
  const name = "shop-dev-lines";
  const destinationArn = `arn:aws:logs:eu-central-1:${ACCOUNT}:destination:central`;
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/${EXTERNAL_ROLE}`;
  const destination = new CloudwatchLogDestination(stack.data, "Central", {
    name: "central",
    roleArn,
    targetArn: `arn:aws:kinesis:eu-central-1:${ACCOUNT}:stream/${name}`,
  });
  const statement = {
    Effect: "Allow",
    Principal: { AWS: ACCOUNT },
    Action: "logs:PutSubscriptionFilter",
    Resource: destinationArn,
  };
  new CloudwatchLogDestinationPolicy(stack.data, "Policy", {
    destinationName: destination.name,
    accessPolicy: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
  });
  const stream = new KinesisStream(stack, "Lines", { name, shardCount: 1 });
  const streams = [`arn:aws:kinesis:eu-central-1:${ACCOUNT}:stream/${name}`];
  const plan: Statement[] = [
    { actions: ["kinesis:DescribeStreamSummary", "kinesis:ListTagsForStream"], resources: streams },
    // Take no resource.
    { actions: ["kinesis:DescribeLimits", "logs:DescribeDestinations"], resources: ["*"] },
  ];
  const apply: Statement[] = [
    ...plan,
    {
      actions: [
        "kinesis:AddTagsToStream",
        "kinesis:CreateStream",
        "kinesis:DeleteStream",
        "kinesis:IncreaseStreamRetentionPeriod",
      ],
      resources: streams,
    },
    {
      actions: ["logs:DeleteDestination", "logs:PutDestination", "logs:PutDestinationPolicy"],
      resources: [destinationArn],
    },
    {
      actions: ["iam:PassRole"],
      resources: [roleArn],
      conditions: { StringEquals: { "iam:PassedToService": "logs.amazonaws.com" } },
    },
  ];
  return { streamArn: stream.arn, destinationArn, grants: { plan, apply } };
}
