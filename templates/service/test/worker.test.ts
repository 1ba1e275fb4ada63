import { beforeAll, describe, expect, it } from "vitest";
import { openQueue } from "../src/backing/queue";
import { loadConfig } from "../src/config";
import { createLog } from "../src/log";
import { startCollector } from "./support/collector";
import { startProxy } from "./support/proxy";
import { environment, type Line, start, startWeb } from "./support/service";
import { startSqs } from "./support/sqs";

beforeAll(() => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: "none", AWS_SECRET_ACCESS_KEY: "none" });
});

const body = JSON.stringify({ lines: [{ sku: "tea", quantity: 1, unitPriceCents: 1 }] });

function queueOf(env: Record<string, string>) {
  const lines: string[] = [];
  const log = createLog("info", { name: "under-test", version: "0" }, { write: (line) => void lines.push(line) });
  return { queue: openQueue(loadConfig({ ...environment, ...env }), log), lines };
}

describe("the worker", () => {
  it("handles the message of another process, in the same trace, and exits with 0 on SIGTERM", async () => {
    const [sqs, collector] = [await startSqs(), await startCollector()];
    const worker = start("worker.ts", { ...sqs.env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const traceparent = { DataType: "String", StringValue: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
    sqs.waiting.push({ Body: '{"type":"quote-created"}', MessageAttributes: { traceparent } });
    const line = await worker.logged(({ msg }) => msg === "message handled");
    expect(line.trace_id).toBe("0af7651916cd43dd8448eb211c80319c");
    expect(sqs.deleted).toEqual(["1"]);
    worker.process.kill("SIGTERM");
    expect(await worker.exit).toBe(0);
    const span = collector.spans.find(({ name }) => name === "process message");
    expect(span).toMatchObject({ traceId: line.trace_id, parentSpanId: "b7ad6b7169203331" });
  });

  it("keeps running while the queue is down, logs it once, and still exits with 0", async () => {
    const collector = await startCollector();
    const worker = start("worker.ts", { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    await worker.logged(({ backing, msg }) => backing === "queue" && msg === "backing service is down");
    worker.process.kill("SIGTERM");
    expect(await worker.exit).toBe(0);
    const logged = worker.lines.map((line): Line => JSON.parse(line)).filter(({ backing }) => backing === "queue");
    expect(logged.map(({ msg }) => msg)).toEqual(["backing service is down"]);
    expect(collector.values("backing.up", "queue")).toContain(0);
  });
});

describe("a frozen queue", () => {
  it("causes a 503 for the caller in two seconds, and does not delay the exit", async () => {
    const QUEUE_URL = `http://127.0.0.1:${(await startProxy()).port}/000000000000/service`;
    const worker = start("worker.ts", { QUEUE_URL });
    await worker.logged(({ msg }) => msg === "working");
    const { queue, lines } = queueOf({ QUEUE_URL });
    await expect(queue.send({})).rejects.toMatchObject({ name: "Problem", status: 503 });
    expect(lines.filter((line) => line.includes("backing service is down"))).toHaveLength(1);
    worker.process.kill("SIGTERM");
    expect(await worker.exit).toBe(0);
  });

  it("does not delay a worker that stops with messages in progress", async () => {
    const sqs = await startSqs();
    const proxy = await startProxy({ host: "127.0.0.1", port: Number(new URL(sqs.env.QUEUE_URL).port) });
    sqs.waiting.push({ Body: "1" }, { Body: "2" }, { Body: "3" });
    const stop = new AbortController();
    const QUEUE_URL = `http://127.0.0.1:${proxy.port}/000000000000/service`;
    const { queue, lines } = queueOf({ ...sqs.env, QUEUE_URL });
    const work = queue.work(async () => {
      proxy.freeze("later");
      stop.abort();
    }, stop.signal);
    await work;
    expect(lines.join()).toContain("messages not returned");
  });
});

describe("the queue", () => {
  it("delivers a message with its trace", async () => {
    const sqs = await startSqs();
    const { queue } = queueOf(sqs.env);
    await queue.send({ type: "test" });
    expect(JSON.parse(sqs.waiting[0]!.Body)).toEqual({ type: "test" });
  });

  it("finishes the current message when stopping, and returns the others at once", async () => {
    const sqs = await startSqs();
    sqs.waiting.push({ Body: "1" }, { Body: "2" }, { Body: "3" });
    const stop = new AbortController();
    const handled: unknown[] = [];
    await queueOf(sqs.env).queue.work(async (message) => {
      stop.abort();
      handled.push(message);
    }, stop.signal);
    expect(handled).toEqual([1]);
    expect(sqs.deleted).toEqual(["1"]);
    expect(sqs.givenBack).toEqual(["2", "3"]);
  });

  it("escapes the two characters that SQS refuses", async () => {
    const sqs = await startSqs();
    await queueOf(sqs.env).queue.send({ text: "\uFFFE\uFFFF" });
    expect(sqs.waiting[0]!.Body).toBe('{"text":"\\ufffe\\uffff"}');
  });

  it("keeps a message whose handler failed, and continues", async () => {
    const sqs = await startSqs();
    sqs.waiting.push({ Body: "1" }, { Body: "2" });
    const stop = new AbortController();
    const { queue, lines } = queueOf(sqs.env);
    await queue.work(async (message) => {
      if (message === 1) throw new Error("broken");
      stop.abort();
    }, stop.signal);
    expect(sqs.deleted).toEqual(["2"]);
    expect(lines.join()).toContain("broken");
  });

  it("causes a 503 for the caller while it is down, and the instance stays ready", async () => {
    const service = await startWeb();
    const headers = { ...service.headers, "content-type": "application/json" };
    expect((await fetch(`${service.url}/v1/quotes`, { method: "POST", body, headers })).status).toBe(503);
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
  });
});
