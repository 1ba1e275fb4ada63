import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicSubscription } from "@cdktf/provider-aws/lib/sns-topic-subscription";
import { Construct, type IConstruct } from "constructs";
import { checkArguments } from "../core/check-types";
import { invalid } from "../core/errors";
import { type IGrantable, onlyByTls, resourcePolicy } from "../core/iam";
import { literal } from "../core/literal";
import { pascal } from "../core/names";
import { sharedArn } from "../core/per-stack";
import { isReference } from "../core/reference";
import type { BackingHost, BackingService } from "./host";
import { backingName, comesFirst, dataStackOf, healthAlarm } from "./place";
import type { Queue } from "./queue";

/**
 * An SNS topic, created by this app or managed outside it. `service.use(topic)` sets `TOPIC_ARN` and grants permission to
 * publish.
 */
export interface ITopic extends IConstruct, BackingService {
  readonly topicArn: string;
  readonly grants: TopicGrants;
}

/** Permissions on a topic: `topic.grants.publish(orders)`. */
export class TopicGrants {
  constructor(private readonly topicArn: string) {}

  /** Grants permission to publish messages. */
  publish(grantee: IGrantable): void {
    checkArguments("TopicGrants.publish", { grantee });
    grantee.grant({ actions: ["sns:Publish"], resources: [this.topicArn] });
  }
}

export interface TopicProps {
  /**
   * Queues to subscribe, as `subscribe` does.
   *
   * @default - none
   */
  readonly queues?: readonly Queue[];
}

/**
 * An SNS topic, which delivers each message to all subscribed queues. Encrypted by AWS's own key for SNS, with access by TLS
 * only. An alarm reports failed deliveries. Belongs in the data stack.
 *
 * The key allows publishing by apps of the account, but not by CloudWatch alarms or EventBridge. Costs 0.50 USD per million
 * messages.
 *
 * @example
 * ```ts
 * const mails = new Queue(stack.data, "Mails");
 * const placed = new Topic(stack.data, "OrderPlaced", { queues: [mails] });
 * new CloudNativeService(stack, "Orders").use(placed);
 * ```
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
 */
export class Topic extends Construct implements ITopic {
  readonly topicArn: string;
  readonly grants: TopicGrants;
  readonly #resource: SnsTopic;
  readonly #alarm;
  readonly #queues = new Set<Queue>();

  /** @throws InvalidPropsError BACKING_LIFETIME, TOPIC_FIFO_QUEUE */
  constructor(scope: Construct, id: string, props: TopicProps = {}) {
    super(scope, id);
    checkArguments("new Topic", { props }, this);
    const stack = dataStackOf(this);
    const topicName = backingName(this, "topic");
    this.topicArn = sharedArn(stack, "sns", topicName);
    this.#resource = new SnsTopic(this, "Resource", {
      name: topicName,
      kmsMasterKeyId: "alias/aws/sns",
      policy: resourcePolicy([onlyByTls(["sns:Publish"], [this.topicArn])]),
    });
    this.#alarm = healthAlarm(this, {
      description: `Messages of ${topicName} were not delivered to a subscriber: check that its queue and the queue's policy exist.`,
      threshold: 0,
      datapoints: 1,
      periods: 1,
      queries: () => [
        {
          id: "failed",
          returned: true,
          metric: {
            namespace: "AWS/SNS",
            metricName: "NumberOfNotificationsFailed",
            dimensions: { TopicName: topicName },
            statistic: "Sum",
          },
        },
      ],
    });
    this.grants = new TopicGrants(this.topicArn);
    for (const queue of props.queues ?? []) this.subscribe(queue);
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    comesFirst(this, host);
    attachTopic(this, host);
    host.addAlarm(this.#alarm);
  }

  /**
   * Subscribes a queue with raw message delivery. Repeated calls subscribe it once.
   *
   * @throws InvalidPropsError TOPIC_FIFO_QUEUE
   */
  subscribe(queue: Queue): void {
    checkArguments("Topic.subscribe", { queue }, this);
    if (queue.queueName.endsWith(".fifo")) {
      throw invalid(this, {
        code: "TOPIC_FIFO_QUEUE",
        prop: `subscribe(${queue.node.id})`,
        problem: "must be a standard queue: AWS does not deliver from a topic without order to a FIFO queue",
        remedy: "Use a queue without fifo, or send to the FIFO queue directly.",
      });
    }
    if (this.#queues.has(queue)) return;
    this.#queues.add(queue);
    const name = pascal(queue.node.id);
    queue.allowTopic(pascal(this.node.id), this.topicArn);
    new SnsTopicSubscription(this, `To${name}`, {
      topicArn: this.#resource.arn,
      protocol: "sqs",
      endpoint: queue.queueArn,
      rawMessageDelivery: true,
    });
  }
}

function attachTopic(topic: ITopic, host: BackingHost): void {
  host.needsEndpoint("sns");
  host.addEnvironment("TOPIC_ARN", topic.topicArn);
  topic.grants.publish(host);
}

const TOPIC_ARN = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$/;

/**
 * References a topic that is managed outside this app. If the topic uses your own KMS key, allow the service in the key's
 * policy.
 *
 * @example
 * ```ts
 * const placed = existingTopic(stack, "OrderPlaced", "arn:aws:sns:eu-central-1:123456789012:order-placed");
 * ```
 * @throws InvalidPropsError TOPIC_ARN
 */
export function existingTopic(scope: Construct, id: string, topicArn: string): ITopic {
  checkArguments("existingTopic", { topicArn });
  return new ExistingTopic(scope, id, topicArn);
}

class ExistingTopic extends Construct implements ITopic {
  readonly topicArn: string;
  readonly grants: TopicGrants;

  constructor(scope: Construct, id: string, topicArn: string) {
    super(scope, id);
    if (!isReference(topicArn) && !TOPIC_ARN.test(topicArn)) {
      const problem = `${JSON.stringify(topicArn)} is not the ARN of a topic`;
      throw invalid(this, {
        code: "TOPIC_ARN",
        prop: "topicArn",
        problem,
        remedy: 'Use "arn:aws:sns:<region>:<account>:<name>".',
      });
    }
    this.topicArn = literal(topicArn);
    this.grants = new TopicGrants(this.topicArn);
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    attachTopic(this, host);
  }
}
