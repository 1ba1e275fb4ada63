import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { trace } from "@opentelemetry/api";
import { describe, expect, it, onTestFinished } from "vitest";
import { type ClientOptions, openClient } from "../src/backing/client";
import { loadConfig } from "../src/config";
import { createLog } from "../src/log";
import { startTelemetry } from "../src/telemetry";
import { startCollector } from "./support/collector";
import { environment } from "./support/service";

/** A service that answers as told; `undefined` never answers. */
async function callee(status: (request: number) => number | undefined, options: Partial<ClientOptions> = {}) {
  const requests: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers);
    const answer = status(requests.length);
    if (answer) response.writeHead(answer).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const defaults = { url, timeoutMs: 2000, retryBudgetPercent: 10, breakerFailurePercent: 100, breakerOpenMs: 100 };
  const log = createLog("error", { name: "under-test", version: "0" }, { write: () => {} });
  return { requests, client: openClient("callee", { ...defaults, ...options }, log) };
}

const unavailable = { name: "Problem", status: 503 };

describe("a call", () => {
  it("gives back what the other service says, also that it will not", async () => {
    const { client } = await callee((request) => (request === 1 ? 200 : 404));
    expect((await client.request("/v1/things")).status).toBe(200);
    expect((await client.request("/v1/things")).status).toBe(404);
  });

  it("takes the trace along, and is a span of it", async () => {
    const { client, requests } = await callee(() => 200);
    const collector = await startCollector();
    const config = loadConfig({ ...environment, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const stop = startTelemetry(config, createLog("error", { name: "under-test", version: "0" }));
    const { traceId, spanId } = await trace.getTracer("test").startActiveSpan("test", async (span) => {
      await client.request("/");
      span.end();
      return span.spanContext();
    });
    await stop();
    const [call] = collector.spans.filter(({ kind, parentSpanId }) => kind === 3 && parentSpanId === spanId);
    expect(requests[0]?.traceparent).toBe(`00-${traceId}-${call?.spanId}-01`);
  });

  it("ends after the timeout of its edge", async () => {
    const { client } = await callee(() => undefined, { timeoutMs: 100 });
    await expect(client.request("/")).rejects.toMatchObject(unavailable);
  });

  it("is repeated when that is harmless", async () => {
    const { client, requests } = await callee((request) => (request === 1 ? 503 : 200));
    expect((await client.request("/")).status).toBe(200);
    expect(requests).toHaveLength(2);
  });

  it("is not repeated when that could do a thing twice", async () => {
    const { client, requests } = await callee(() => 503);
    await expect(client.request("/", { method: "POST" })).rejects.toMatchObject(unavailable);
    expect(requests).toHaveLength(1);
  });

  it("is repeated within a budget: a service in trouble gets a tenth more, not a multiple", async () => {
    const { client, requests } = await callee(() => 503, { breakerFailurePercent: 101 });
    for (let i = 0; i < 50; i += 1) await expect(client.request("/")).rejects.toMatchObject(unavailable);
    expect(requests.length).toBeGreaterThanOrEqual(54);
    expect(requests.length).toBeLessThanOrEqual(56);
  });

  it("is not sent while too many failed, and one tries later whether it is over", async () => {
    let healthy = false;
    const options = { retryBudgetPercent: 0, breakerFailurePercent: 50 };
    const { client, requests } = await callee(() => (healthy ? 200 : 500), options);
    for (let i = 0; i < 20; i += 1) await expect(client.request("/")).rejects.toMatchObject(unavailable);
    expect(requests).toHaveLength(10);

    await sleep(150);
    await expect(client.request("/")).rejects.toMatchObject(unavailable);
    await expect(client.request("/")).rejects.toMatchObject(unavailable);
    expect(requests).toHaveLength(11);

    healthy = true;
    await sleep(150);
    for (let i = 0; i < 5; i += 1) expect((await client.request("/")).status).toBe(200);
    expect(requests).toHaveLength(16);
  });
});
