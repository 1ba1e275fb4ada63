import { CloudwatchLogDestination } from "@cdktf/provider-aws/lib/cloudwatch-log-destination";
import { CloudwatchLogDestinationPolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-destination-policy";
import { KinesisStream } from "@cdktf/provider-aws/lib/kinesis-stream";
import type { ServiceStack } from "../../constructs";

const ACCOUNT = "123456789012";

/**
 * Creates external destinations of log lines: a Kinesis stream, and a destination that this account may use, as an account
 * only for logs has it. The destination exists before the service's stack.
 */
export function externalLogDestinations(stack: ServiceStack): {
  readonly streamArn: string;
  readonly destinationArn: string;
} {
  const name = "shop-dev-lines";
  const destinationArn = `arn:aws:logs:eu-central-1:${ACCOUNT}:destination:central`;
  const destination = new CloudwatchLogDestination(stack.data, "Central", {
    name: "central",
    roleArn: `arn:aws:iam::${ACCOUNT}:role/central`,
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
  return { streamArn: stream.arn, destinationArn };
}
