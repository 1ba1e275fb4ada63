import { setTimeout as sleep } from "node:timers/promises";
import {
  ChangeMessageVisibilityBatchCommand,
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

/** The attached queue (Amazon SQS). A message is delivered at least once: handling it twice must do no harm. */
export interface Queue {
  /** Sends a message. Throws `Problem` 503 when the queue cannot be reached. */
  send(message: object): Promise<void>;
  /** Passes messages to `handle` until `stopping`. A failed one is delivered again, and finally moves to the dead-letter queue. */
  work(handle: (message: unknown) => Promise<void>, stopping: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

const LONG_POLL_SECONDS = 20;
/** Longest wait for a response of the queue, in milliseconds; a long poll comes on top. */
const COMMAND_MS = 2000;
const inTime = (ms = COMMAND_MS) => AbortSignal.timeout(ms);

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
        const done = new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle });
        await client.send(done, { abortSignal: inTime() });
        log.info({ message_id: message.MessageId }, "message handled");
      } catch (err) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        log.error({ message_id: message.MessageId, err }, "message failed, it will be delivered again");
      } finally {
        span.end();
      }
    });
  };
  const receive = async (stopping: AbortSignal): Promise<Message[]> => {
    try {
      const wanted = {
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: LONG_POLL_SECONDS,
        MessageAttributeNames: ["All"],
      };
      const abortSignal = AbortSignal.any([stopping, inTime(LONG_POLL_SECONDS * 1000 + COMMAND_MS)]);
      const { Messages = [] } = await client.send(new ReceiveMessageCommand(wanted), { abortSignal });
      health.up();
      return Messages;
    } catch (error) {
      if (stopping.aborted) return [];
      health.down(error);
      await sleep(1000, undefined, { signal: stopping }).catch(() => {});
      return [];
    }
  };
  /** Returns messages that were not started: another worker gets them at once instead of after the visibility timeout. */
  const giveBack = async (messages: readonly Message[]): Promise<void> => {
    const Entries = messages.map(({ ReceiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout: 0,
    }));
    const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries });
    await client
      .send(command, { abortSignal: inTime() })
      .catch((err) => log.warn({ err }, "messages not returned, they will be delivered later"));
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
          const command = new SendMessageCommand({ QueueUrl, MessageBody: bodyOf(message), MessageAttributes });
          await client.send(command, { abortSignal: inTime() });
          health.up();
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR });
          if (isRefused(error)) throw error;
          health.down(error);
          throw unavailable();
        } finally {
          span.end();
        }
      });
    },
    async work(handle, stopping) {
      while (!stopping.aborted) {
        const messages = await receive(stopping);
        while (messages.length > 0 && !stopping.aborted) await handleOne(handle, messages.shift()!);
        if (messages.length > 0) await giveBack(messages);
      }
    },
    async close() {
      client.destroy();
    },
  };
}

/** The message as JSON. SQS refuses two characters that JSON allows, unless they are escaped. */
function bodyOf(message: object): string {
  return JSON.stringify(message).replace(
    /[\uFFFE\uFFFF]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  );
}

/** The queue responded, and refused the request itself: too large, not allowed, no such queue. */
function isRefused(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 500;
  return status >= 400 && status < 500 && status !== 429;
}
