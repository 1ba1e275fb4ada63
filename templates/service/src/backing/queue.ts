import { setTimeout as sleep } from "node:timers/promises";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Config } from "../config";
import type { Log } from "../log";
import { unavailable, watchHealth } from "./health";

/** The attached queue (Amazon SQS). A message comes at least once: what handles it must bear it twice. */
export interface Queue {
  /** Puts a message in. Throws `Problem` 503 when the queue cannot be reached. */
  send(message: object): Promise<void>;
  /** Hands messages to `handle` until `stopping`; one that fails comes again, and in the end goes to the dead-letter queue. */
  work(handle: (message: unknown) => Promise<void>, stopping: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export function openQueue(config: Config, log: Log): Queue {
  const QueueUrl = config.QUEUE_URL;
  const region = /^https:\/\/sqs\.([a-z0-9-]+)\./.exec(QueueUrl)?.[1] ?? config.AWS_REGION;
  const client = new SQSClient({ region, endpoint: new URL(QueueUrl).origin, maxAttempts: 2 });
  const tracer = trace.getTracer("queue");
  const health = watchHealth("queue", log);

  const handleOne = async (handle: (message: unknown) => Promise<void>, message: Message) => {
    const headers = Object.entries(message.MessageAttributes ?? {}).map(([name, { StringValue }]) => [
      name,
      StringValue,
    ]);
    const parent = propagation.extract(context.active(), Object.fromEntries(headers));
    await tracer.startActiveSpan("process message", { kind: SpanKind.CONSUMER }, parent, async (span) => {
      try {
        await handle(JSON.parse(message.Body ?? "null"));
        await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
        log.info({ message_id: message.MessageId }, "message handled");
      } catch (err) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        log.error({ message_id: message.MessageId, err }, "message failed, it comes again");
      } finally {
        span.end();
      }
    });
  };
  const receive = async (stopping: AbortSignal): Promise<Message[]> => {
    try {
      const wanted = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 20, MessageAttributeNames: ["All"] };
      const { Messages = [] } = await client.send(new ReceiveMessageCommand(wanted), { abortSignal: stopping });
      health.up();
      return Messages;
    } catch (error) {
      if (stopping.aborted) return [];
      health.down(error);
      await sleep(1000, undefined, { signal: stopping }).catch(() => {});
      return [];
    }
  };

  return {
    async send(message) {
      await tracer.startActiveSpan("send message", { kind: SpanKind.PRODUCER }, async (span) => {
        const carrier: Record<string, string> = {};
        propagation.inject(context.active(), carrier);
        const attributes = Object.entries(carrier).map(([name, StringValue]) => [
          name,
          { DataType: "String", StringValue },
        ]);
        const MessageAttributes = Object.fromEntries(attributes);
        try {
          await client.send(
            new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message), MessageAttributes }),
          );
          health.up();
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR });
          health.down(error);
          throw unavailable();
        } finally {
          span.end();
        }
      });
    },
    async work(handle, stopping) {
      while (!stopping.aborted) {
        for (const message of await receive(stopping)) {
          if (!stopping.aborted) await handleOne(handle, message);
          // Not begun: another worker may have it at once instead of after the visibility timeout.
          else await giveBack(message);
        }
      }
    },
    async close() {
      client.destroy();
    },
  };

  async function giveBack({ ReceiptHandle }: Message): Promise<void> {
    const command = new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 });
    await client.send(command).catch((err) => log.warn({ err }, "message not given back, it comes again later"));
  }
}
