import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { Lazy } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { endpointOf } from "../../contract/partition";
import { arnParts } from "../core/arn";
import { checkArguments } from "../core/check-types";
import { invalid, Problems } from "../core/errors";
import { type IGrantable, onlyByTls, type ResourceStatement, resourcePolicy } from "../core/iam";
import { jsonText, literal } from "../core/literal";
import { accountFor, perStack, sharedArn } from "../core/per-stack";
import { isReference } from "../core/reference";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import type { BackingHost, BackingService } from "./host";
import { backingName, comesFirst, dataStackOf, healthAlarm } from "./place";

/**
 * An SQS queue, created by this app or managed outside it. `service.use(queue)` sets `QUEUE_URL` and grants permission to
 * send.
 */
export interface IQueue extends IConstruct, BackingService {
  readonly queueArn: string;
  readonly queueName: string;
  readonly queueUrl: string;
  readonly grants: QueueGrants;
}

/** Permissions on a queue: `queue.grants.consume(worker)`. */
export class QueueGrants {
  constructor(private readonly queueArn: string) {}

  /** Grants permission to receive, delete and return messages. */
  consume(grantee: IGrantable): void {
    checkArguments("QueueGrants.consume", { grantee });
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

  /** Grants permission to send messages. */
  send(grantee: IGrantable): void {
    checkArguments("QueueGrants.send", { grantee });
    grantee.grant({
      actions: ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
      resources: [this.queueArn],
    });
  }
}

export interface QueueProps {
  /**
   * Visibility timeout: time that a received message is hidden from other consumers. Must exceed the time that a consumer
   * needs to process it. Messages that are not deleted in time are received again.
   *
   * @default Duration.minutes(1)
   */
  readonly visibility?: Duration;
  /**
   * Number of receives before a message moves to the dead-letter queue, 1 to 1000.
   *
   * @default 5
   */
  readonly maxReceives?: number;
  /**
   * Retention of unprocessed messages, 1 minute to 14 days. Dead letters are kept for 14 days.
   *
   * @default Duration.days(4)
   */
  readonly retention?: Duration;
  /**
   * FIFO queue: delivers the messages of a group in order, and each once. Slower, and a third more expensive.
   *
   * @default false
   */
  readonly fifo?: boolean;
}

interface QueueSettings {
  readonly visibility: Duration;
  readonly maxReceives: number;
  readonly retention: Duration;
  readonly fifo: boolean;
}

/** Records QUEUE_VISIBILITY, QUEUE_RECEIVES, QUEUE_RETENTION. */
function resolveQueue(scope: IConstruct, props: QueueProps): QueueSettings {
  const visibility = props.visibility ?? Duration.minutes(1);
  const maxReceives = props.maxReceives ?? 5;
  const retention = props.retention ?? Duration.days(4);
  const problems = new Problems(scope);
  const isWithin = (time: Duration, min: number, max: number) =>
    Number.isInteger(time.toSeconds()) && time.toSeconds() >= min && time.toSeconds() <= max;
  problems.check(isWithin(visibility, 1, 43_200), {
    code: "QUEUE_VISIBILITY",
    prop: "visibility",
    problem: `must be whole seconds from 1 second to 12 hours, got ${visibility}`,
    remedy: "Use a duration such as Duration.minutes(1).",
  });
  problems.check(Number.isInteger(maxReceives) && maxReceives >= 1 && maxReceives <= 1000, {
    code: "QUEUE_RECEIVES",
    prop: "maxReceives",
    problem: `must be a whole number from 1 to 1000, got ${maxReceives}`,
    remedy: "Change maxReceives, or leave it out.",
  });
  problems.check(isWithin(retention, 60, 1_209_600), {
    code: "QUEUE_RETENTION",
    prop: "retention",
    problem: `must be whole seconds from 1 minute to 14 days, got ${retention}`,
    remedy: "Use a duration such as Duration.days(4).",
  });
  problems.throwIfAny();
  return { visibility, maxReceives, retention, fifo: props.fifo ?? false };
}

/**
 * An encrypted SQS queue with a dead-letter queue and access by TLS only. An alarm reports dead letters. Belongs in the data
 * stack.
 *
 * Costs 0.40 USD per million requests; the first million of a month is free.
 *
 * @example
 * ```ts
 * const mails = new Queue(stack.data, "Mails");
 * new CloudNativeService(stack, "Orders").use(mails);
 * new CloudNativeService(stack, "Mailer", { process: worker({ queue: mails, command: ["node", "dist/worker.js"] }) });
 * ```
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
 */
export class Queue extends Construct implements IQueue {
  readonly queueArn: string;
  readonly queueName: string;
  readonly queueUrl: string;
  readonly deadLetterQueueArn: string;
  readonly grants: QueueGrants;
  readonly #alarm;
  readonly #senders: ResourceStatement[] = [];

  /** @throws InvalidPropsError QUEUE_VISIBILITY, QUEUE_RECEIVES, QUEUE_RETENTION, BACKING_LIFETIME */
  constructor(scope: Construct, id: string, props: QueueProps = {}) {
    super(scope, id);
    checkArguments("new Queue", { props }, this);
    const stack = dataStackOf(this);
    const { visibility, maxReceives, retention, fifo } = resolveQueue(this, props);
    const suffix = fifo ? ".fifo" : "";
    const base = backingName(this, "queue");
    this.queueName = `${base}${suffix}`;
    const deadName = `${base}-dead${suffix}`;
    this.queueArn = sharedArn(stack, "sqs", this.queueName);
    this.deadLetterQueueArn = sharedArn(stack, "sqs", deadName);
    this.queueUrl = perStack((other) => urlOf(stack.environment.region, accountFor(other, stack), this.queueName));
    const common = { fifoQueue: fifo ? true : undefined, sqsManagedSseEnabled: true };
    const dead = new SqsQueue(this, "Dead", {
      ...common,
      name: deadName,
      messageRetentionSeconds: 1_209_600,
      policy: resourcePolicy([onlyByTls(["sqs:*"], [this.deadLetterQueueArn])]),
      redriveAllowPolicy: jsonText({ redrivePermission: "byQueue", sourceQueueArns: [this.queueArn] }),
    });
    new SqsQueue(this, "Resource", {
      ...common,
      name: this.queueName,
      visibilityTimeoutSeconds: visibility.toSeconds(),
      messageRetentionSeconds: retention.toSeconds(),
      policy: Lazy.stringValue({
        produce: () => resourcePolicy([onlyByTls(["sqs:*"], [this.queueArn]), ...this.#senders]),
      }),
      redrivePolicy: jsonText({ deadLetterTargetArn: dead.arn, maxReceiveCount: maxReceives }),
    });
    this.#alarm = healthAlarm(this, {
      description: `Messages of ${this.queueName} could not be processed: read them in ${deadName}, fix the cause, and redrive them.`,
      threshold: 0,
      datapoints: 1,
      periods: 1,
      queries: () => [
        {
          id: "dead",
          returned: true,
          metric: {
            namespace: "AWS/SQS",
            metricName: "ApproximateNumberOfMessagesVisible",
            dimensions: { QueueName: deadName },
            statistic: "Maximum",
          },
        },
      ],
    });
    this.grants = new QueueGrants(this.queueArn);
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    comesFirst(this, host);
    attachQueue(this, host);
    host.addAlarm(this.#alarm);
  }

  /** Allows a topic of this account to send messages to the queue. */
  allowTopic(name: string, topicArn: string): void {
    this.#senders.push({
      sid: `From${name}`,
      effect: "Allow",
      principal: { Service: "sns.amazonaws.com" },
      actions: ["sqs:SendMessage"],
      resources: [this.queueArn],
      conditions: {
        ArnEquals: { "aws:SourceArn": topicArn },
        StringEquals: { "aws:SourceAccount": AwsStack.of(this).accountId },
      },
    });
  }
}

function attachQueue(queue: IQueue, host: BackingHost): void {
  host.needsEndpoint("sqs");
  if (host.worksOff !== queue) host.addEnvironment("QUEUE_URL", queue.queueUrl);
  queue.grants.send(host);
}

/** @param partition a region of the same partition, which is known at synth */
function urlOf(region: string, account: string, name: string, partition = region): string {
  return `https://${endpointOf("sqs", region, partition)}/${account}/${name}`;
}

const QUEUE_ARN = /^arn:aws[a-z-]*:sqs:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)$/;

/**
 * References a queue that is managed outside this app. If the queue uses your own KMS key, allow the service in the key's
 * policy.
 *
 * @example
 * ```ts
 * const queue = existingQueue(stack, "Mails", "arn:aws:sqs:eu-central-1:123456789012:mails");
 * ```
 * @throws InvalidPropsError QUEUE_ARN
 */
export function existingQueue(scope: Construct, id: string, queueArn: string): IQueue {
  checkArguments("existingQueue", { queueArn });
  return new ExistingQueue(scope, id, queueArn);
}

class ExistingQueue extends Construct implements IQueue {
  readonly queueArn: string;
  readonly queueName: string;
  readonly queueUrl: string;
  readonly grants: QueueGrants;

  constructor(scope: Construct, id: string, queueArn: string) {
    super(scope, id);
    const parts = arnParts(this, queueArn, QUEUE_ARN);
    if (parts === undefined) {
      throw invalid(this, {
        code: "QUEUE_ARN",
        prop: "queueArn",
        problem: `${JSON.stringify(queueArn)} is not the ARN of a queue`,
        remedy: 'Use "arn:aws:sqs:<region>:<account>:<name>".',
      });
    }
    const { region, account, name } = parts;
    this.queueArn = literal(queueArn);
    this.queueName = name;
    this.queueUrl = urlOf(region, account, name, isReference(queueArn) ? AwsStack.of(this).environment.region : region);
    this.grants = new QueueGrants(this.queueArn);
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    attachQueue(this, host);
  }
}
