import { Token } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { invalid } from "../core/errors";
import type { IGrantable } from "../core/iam";
import { literal } from "../core/literal";

/** A queue (Amazon SQS), owned by this app or by another. */
export interface IQueue extends IConstruct {
  readonly queueArn: string;
  readonly queueName: string;
  readonly queueUrl: string;
  readonly grants: QueueGrants;
}

/** What may be done with a queue: `queue.grants.consume(worker)`. */
export class QueueGrants {
  constructor(private readonly queueArn: string) {}

  /** Lets the grantee receive messages, and delete or give them back. */
  consume(grantee: IGrantable): void {
    grantee.grant({
      actions: [
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ReceiveMessage",
      ],
      resources: [this.queueArn],
    });
  }

  /** Lets the grantee put messages in. */
  send(grantee: IGrantable): void {
    grantee.grant({
      actions: ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
      resources: [this.queueArn],
    });
  }
}

const QUEUE_ARN = /^arn:(aws[a-z-]*):sqs:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)$/;

/**
 * Refers to a queue that another app owns. One that is encrypted with a key of yours needs that key's policy to let its
 * users decrypt.
 *
 * @example
 * ```ts
 * const queue = existingQueue(stack, "Mails", "arn:aws:sqs:eu-central-1:123456789012:mails");
 * ```
 * @throws InvalidPropsError QUEUE_ARN
 */
export function existingQueue(scope: Construct, id: string, queueArn: string): IQueue {
  return new ExistingQueue(scope, id, queueArn);
}

class ExistingQueue extends Construct implements IQueue {
  readonly queueArn: string;
  readonly queueName: string;
  readonly queueUrl: string;
  readonly grants: QueueGrants;

  constructor(scope: Construct, id: string, queueArn: string) {
    super(scope, id);
    const [, partition = "", region = "", account = "", name = ""] = QUEUE_ARN.exec(queueArn) ?? [];
    if (Token.isUnresolved(queueArn) || name === "") {
      throw invalid(
        this,
        "QUEUE_ARN",
        "queueArn",
        `${JSON.stringify(queueArn)} is no ARN of a queue`,
        'Use "arn:aws:sqs:<region>:<account>:<name>": scaling must know the name when it is planned.',
      );
    }
    const suffix = partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
    this.queueArn = literal(queueArn);
    this.queueName = name;
    this.queueUrl = `https://sqs.${region}.${suffix}/${account}/${name}`;
    this.grants = new QueueGrants(this.queueArn);
  }
}
