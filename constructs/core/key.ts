import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import { Construct } from "constructs";
import { AwsStack } from "./stack";

/** An AWS service that may use a key, and for what. */
export interface KeyUser {
  /** `logs.eu-central-1.amazonaws.com` */
  readonly service: string;
  readonly actions: readonly string[];
  /** Limits it to this account's things, so that nobody else's can be passed off as them. */
  readonly conditions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface EncryptionKeyProps {
  /** What it encrypts, for people. */
  readonly description: string;
  /** @default - none: roles of this account that are granted it */
  readonly users?: readonly KeyUser[];
}

/**
 * A key of the account's own; it turns once a year by itself. Costs 1 USD a month.
 *
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
 */
export class EncryptionKey extends Construct {
  readonly keyArn: string;

  constructor(scope: Construct, id: string, props: EncryptionKeyProps) {
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
          ...(props.users ?? []).map(({ service, actions, conditions }) => ({
            Effect: "Allow",
            Principal: { Service: service },
            Action: actions,
            Resource: "*",
            Condition: conditions,
          })),
        ],
      }),
    }).arn;
  }
}

export interface LogKeyProps {
  /** What it encrypts, for people. */
  readonly description: string;
  /** The log group that CloudWatch Logs may use it for. */
  readonly logGroupName: string;
}

/**
 * A key that one log group is encrypted with. Costs 1 USD a month.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
 */
export class LogKey extends EncryptionKey {
  constructor(scope: Construct, id: string, props: LogKeyProps) {
    const stack = AwsStack.of(scope);
    super(scope, id, {
      description: props.description,
      users: [
        {
          service: `logs.${stack.environment.region}.amazonaws.com`,
          actions: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
          conditions: {
            ArnEquals: { "kms:EncryptionContext:aws:logs:arn": stack.arn("logs", `log-group:${props.logGroupName}`) },
          },
        },
      ],
    });
  }
}
