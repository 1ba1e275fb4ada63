import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";

const md5 = (text: string) => createHash("md5").update(text).digest("hex");

/** A stand-in for Amazon SQS (JSON protocol) that records its calls. It delivers each message once. */
export async function startSqs() {
  const waiting: { Body: string; MessageAttributes?: object }[] = [];
  const deleted: string[] = [];
  const givenBack: string[] = [];
  let count = 0;

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const action = String(request.headers["x-amz-target"]).split(".")[1];
    response.setHeader("content-type", "application/x-amz-json-1.0");
    if (action === "SendMessage") {
      waiting.push({ Body: body.MessageBody, MessageAttributes: body.MessageAttributes });
      response.end(JSON.stringify({ MessageId: String(waiting.length), MD5OfMessageBody: md5(body.MessageBody) }));
    } else if (action === "ReceiveMessage") {
      // A long poll, only shorter.
      if (waiting.length === 0) await sleep(50);
      const Messages = waiting.splice(0, body.MaxNumberOfMessages).map((message) => {
        count += 1;
        return { ...message, MessageId: String(count), ReceiptHandle: String(count), MD5OfBody: md5(message.Body) };
      });
      response.end(JSON.stringify({ Messages }));
    } else {
      if (action === "DeleteMessage") deleted.push(body.ReceiptHandle);
      const entries: { ReceiptHandle: string; VisibilityTimeout: number }[] =
        action === "ChangeMessageVisibilityBatch" ? body.Entries : [];
      givenBack.push(...entries.flatMap((entry) => (entry.VisibilityTimeout === 0 ? entry.ReceiptHandle : [])));
      response.end("{}");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { QUEUE_URL: `${origin}/000000000000/service`, AWS_ACCESS_KEY_ID: "none", AWS_SECRET_ACCESS_KEY: "none" };
  return { env, waiting, deleted, givenBack };
}
