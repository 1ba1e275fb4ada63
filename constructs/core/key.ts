import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import { Construct } from "constructs";
import { jsonText } from "./literal";
import { AwsStack } from "./stack";

/** An AWS service that may use a KMS key, and the conditions of that use. */
export interface KeyUser {
  /** `logs.eu-central-1.amazonaws.com` */
  readonly service: string;
  readonly actions: readonly string[];
  /** Conditions that limit the service to resources of this account. */
  readonly conditions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface EncryptionKeyProps {
  /** Description of the key: the data that it encrypts. */
  readonly description: string;
  /** @default - none; only roles of this account that are granted access */
  readonly users?: readonly KeyUser[];
}

/**
 * A customer managed KMS key with yearly rotation. Costs 1 USD a month.
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
      policy: jsonText({
        Version: "2012-10-17",
        Statement: [
          // Delegates access to the account's IAM policies; without this statement, the key could never be managed again.
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
  /** Description of the key: the data that it encrypts. */
  readonly description: string;
  /** Log group that CloudWatch Logs may use the key for. */
  readonly logGroupName: string;
}

/**
 * A KMS key that encrypts one log group. Costs 1 USD a month.
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
          actions: ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
          conditions: {
            ArnEquals: { "kms:EncryptionContext:aws:logs:arn": stack.arn("logs", `log-group:${props.logGroupName}`) },
          },
        },
      ],
    });
  }
}
