import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import { Construct } from "constructs";
import { AwsStack } from "./stack";

export interface LogKeyProps {
  /** What it encrypts, for people. */
  readonly description: string;
  /** The log group that CloudWatch Logs may use it for. */
  readonly logGroupName: string;
}

/**
 * A key that one log group is encrypted with; it turns once a year by itself. Costs 1 USD a month.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export class LogKey extends Construct {
  readonly keyArn: string;

  constructor(scope: Construct, id: string, props: LogKeyProps) {
    super(scope, id);
    const stack = AwsStack.of(this);
    this.keyArn = new KmsKey(this, "Resource", {
      description: props.description,
      enableKeyRotation: true,
      deletionWindowInDays: stack.production ? 30 : 7,
      policy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          // Lets the account's own IAM policies decide; without it nobody could ever change the key again.
          {
            Effect: "Allow",
            Principal: { AWS: `arn:${stack.partition}:iam::${stack.accountId}:root` },
            Action: "kms:*",
            Resource: "*",
          },
          {
            Effect: "Allow",
            Principal: { Service: `logs.${stack.environment.region}.amazonaws.com` },
            Action: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            Resource: "*",
            Condition: {
              ArnEquals: { "kms:EncryptionContext:aws:logs:arn": stack.arn("logs", `log-group:${props.logGroupName}`) },
            },
          },
        ],
      }),
    }).arn;
  }
}
