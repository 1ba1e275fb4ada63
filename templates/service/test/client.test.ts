import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { trace } from "@opentelemetry/api";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Client, type ClientOptions, openClient } from "../src/backing/client";
import { loadConfig } from "../src/config";
import { createLog } from "../src/log";
import { startTelemetry } from "../src/telemetry";
import { startCollector } from "./support/collector";
import { startProxy } from "./support/proxy";
import { environment } from "./support/service";

/** A service that responds with the given status; `undefined` never responds. */
async function callee(
  status: (request: number) => number | undefined,
  options: Partial<ClientOptions> = {},
  base = "",
) {
  const requests: IncomingHttpHeaders[] = [];
  const paths: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers);
    paths.push(request.url);
    const answer = status(requests.length);
    if (answer) response.writeHead(answer).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`;
  const defaults = { url, timeoutMs: 2000, retryBudgetPercent: 10, breakerFailurePercent: 100, breakerOpenMs: 100 };
  const log = createLog("error", { name: "under-test", version: "0" }, { write: () => {} });
  return { requests, paths, client: openClient("callee", { ...defaults, ...options }, log) };
}

const unavailable = { name: "Problem", status: 503 };

describe("a call", () => {
  it("returns the response of the other service, including refusals", async () => {
    const { client } = await callee((request) => (request === 1 ? 200 : 404));
    expect((await client.request("/v1/things")).status).toBe(200);
    expect((await client.request("/v1/things")).status).toBe(404);
  });

  it("propagates the trace, and adds a span to it", async () => {
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

  it("ends after its timeout", async () => {
    const { client } = await callee(() => undefined, { timeoutMs: 100 });
    await expect(client.request("/")).rejects.toMatchObject(unavailable);
  });

  it("ends after its timeout when the connection is frozen", async () => {
    const url = `http://127.0.0.1:${(await startProxy()).port}`;
    const { client } = await callee(() => 200, { url, timeoutMs: 100 });
    await expect(client.request("/")).rejects.toMatchObject(unavailable);
  });

  it.each([
    "//127.0.0.1:9/steal",
    "@127.0.0.1:9/",
    "v1/things",
    "/../admin",
    "/\\..\\admin",
    "",
    "http://127.0.0.1:9/",
  ])("cannot leave its host and base path: %j", async (path) => {
    const { client, paths } = await callee(() => 200, {}, "/payments");
    await client.request(path).catch(() => {});
    for (const each of paths) expect(each).toMatch(/^\/payments\//);
  });

  it("keeps the path of the base URL", async () => {
    const { client, paths } = await callee(() => 200, {}, "/payments/");
    await client.request("/v1/things?limit=1");
    expect(paths).toEqual(["/payments/v1/things?limit=1"]);
  });

  it("is retried if it is idempotent", async () => {
    const { client, requests } = await callee((request) => (request === 1 ? 503 : 200));
    expect((await client.request("/")).status).toBe(200);
    expect(requests).toHaveLength(2);
  });

  it("is not retried if it is not idempotent", async () => {
    const { client, requests } = await callee(() => 503);
    await expect(client.request("/", { method: "POST" })).rejects.toMatchObject(unavailable);
    expect(requests).toHaveLength(1);
  });

  it("is retried within a budget: a failing service gets a tenth more load, not a multiple", async () => {
    // Every ninth request succeeds, so the circuit breaker stays closed.
    const { client, requests } = await callee((request) => (request % 9 === 0 ? 200 : 503));
    for (let i = 0; i < 50; i += 1) await client.request("/").catch(() => {});
    expect(requests.length).toBeGreaterThanOrEqual(54);
    expect(requests.length).toBeLessThanOrEqual(56);
  });

  it("that is canceled by its own caller does not count as a failure of the other service", async () => {
    let answers: number | undefined;
    const { client } = await callee(() => answers, { retryBudgetPercent: 0, breakerFailurePercent: 50 });
    for (let i = 0; i < 20; i += 1) {
      const reason = new Error("canceled");
      await expect(client.request("/", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    }
    answers = 200;
    expect((await client.request("/")).status).toBe(200);
  });

  it.each([
    ["a bad path", (client: Client) => client.request("//")],
    ["a canceled call", (client: Client) => client.request("/", { signal: AbortSignal.abort() })],
  ])("does not prevent the circuit breaker from closing after %s", async (_, disturb) => {
    let status = 500;
    const { client } = await callee(() => status, { retryBudgetPercent: 0, breakerFailurePercent: 50 });
    for (let i = 0; i < 12; i += 1) await expect(client.request("/")).rejects.toMatchObject(unavailable);
    status = 200;
    await sleep(150);
    await disturb(client).catch(() => {});
    expect((await client.request("/")).status).toBe(200);
  });

  it("is not sent while the circuit breaker is open, and is tried again later", async () => {
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
