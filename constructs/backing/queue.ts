import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { Lazy, Token } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { invalid, Problems } from "../core/errors";
import { type IGrantable, onlyByTls, type ResourceStatement, resourcePolicy } from "../core/iam";
import { literal } from "../core/literal";
import { accountFor, perStack, sharedArn } from "../core/per-stack";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import type { BackingHost, BackingService } from "./host";
import { backingName, comesFirst, dataStackOf, healthAlarm } from "./place";

/** A queue (Amazon SQS), owned by this app or by another. `service.use(queue)` sets `QUEUE_URL` and lets it send. */
export interface IQueue extends IConstruct, BackingService {
  readonly queueArn: string;
  readonly queueName: string;
  readonly queueUrl: string;
  readonly grants: QueueGrants;
}

/** Permissions on a queue: `queue.grants.consume(worker)`. */
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

export interface QueueProps {
  /**
   * Time that a received message stays hidden from other consumers: longer than its handling may take. A message that is not
   * deleted by then is received again.
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
   * Time that an unhandled message is kept, 1 minute to 14 days. Dead letters are kept for 14 days.
   *
   * @default Duration.days(4)
   */
  readonly retention?: Duration;
  /**
   * Delivers messages of a group in order, and each once (FIFO). Slower, and a third more expensive.
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

/** Notes QUEUE_VISIBILITY, QUEUE_RECEIVES, QUEUE_RETENTION. */
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
    problem: `${visibility} is not a valid visibility timeout`,
    remedy: "Use whole seconds, 1 second to 12 hours.",
  });
  problems.check(Number.isInteger(maxReceives) && maxReceives >= 1 && maxReceives <= 1000, {
    code: "QUEUE_RECEIVES",
    prop: "maxReceives",
    problem: `${maxReceives} is not a valid number of receives`,
    remedy: "Use whole numbers from 1 to 1000.",
  });
  problems.check(isWithin(retention, 60, 1_209_600), {
    code: "QUEUE_RETENTION",
    prop: "retention",
    problem: `${retention} is not a valid retention of messages`,
    remedy: "Use whole seconds, 1 minute to 14 days.",
  });
  problems.throwIfAny();
  return { visibility, maxReceives, retention, fifo: props.fifo ?? false };
}

/**
 * A queue (Amazon SQS) with a dead-letter queue, encrypted, reached by TLS alone; its alarm reports dead letters. It lives
 * with the data.
 *
 * Costs 0.40 USD a million requests, the first million of a month is free.
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
      redriveAllowPolicy: JSON.stringify({ redrivePermission: "byQueue", sourceQueueArns: [this.queueArn] }),
    });
    new SqsQueue(this, "Resource", {
      ...common,
      name: this.queueName,
      visibilityTimeoutSeconds: visibility.toSeconds(),
      messageRetentionSeconds: retention.toSeconds(),
      policy: Lazy.stringValue({
        produce: () => resourcePolicy([onlyByTls(["sqs:*"], [this.queueArn]), ...this.#senders]),
      }),
      redrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: maxReceives }),
    });
    this.#alarm = healthAlarm(this, {
      description: `Messages of ${this.queueName} could not be handled: read them in ${deadName}, fix the cause, and redrive.`,
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

  /** Lets a topic of this account put messages in. */
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

function urlOf(region: string, account: string, name: string): string {
  return `https://sqs.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}/${account}/${name}`;
}

const QUEUE_ARN = /^arn:aws[a-z-]*:sqs:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)$/;

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
    const [, region = "", account = "", name = ""] = QUEUE_ARN.exec(queueArn) ?? [];
    if (Token.isUnresolved(queueArn) || name === "") {
      throw invalid(this, {
        code: "QUEUE_ARN",
        prop: "queueArn",
        problem: `${JSON.stringify(queueArn)} is no ARN of a queue`,
        remedy: 'Use "arn:aws:sqs:<region>:<account>:<name>": scaling must know the name when it is planned.',
      });
    }
    this.queueArn = literal(queueArn);
    this.queueName = name;
    this.queueUrl = urlOf(region, account, name);
    this.grants = new QueueGrants(this.queueArn);
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    attachQueue(this, host);
  }
}
