import { describe, expect, it } from "vitest";
import { startCollector } from "./support/collector";
import { startWeb } from "./support/service";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
// Refused by the contract, so that no backing service is needed.
const request = { method: "POST", body: "{}" };
const json = { "content-type": "application/json" };

describe("telemetry", () => {
  it("sends the collector a span named by the route, in the caller's trace, and the durations, before the exit", async () => {
    const collector = await startCollector();
    const service = await startWeb({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const headers = { ...json, ...service.headers, traceparent };
    expect((await fetch(`${service.url}/v1/quotes`, { ...request, headers })).status).toBe(400);
    await fetch(`${service.url}/readyz`);
    const line = await service.logged(({ msg }) => msg === "request");
    service.process.kill("SIGTERM");
    expect(await service.exit).toBe(0);

    const [span, ...more] = collector.spans.filter(({ kind }) => kind === 2);
    expect(more).toEqual([]);
    expect(span).toMatchObject({ name: "POST /v1/quotes", traceId, parentSpanId: "b7ad6b7169203331" });
    expect(span?.attributes).toContainEqual({ key: "http.response.status_code", value: { intValue: 400 } });
    expect(line).toMatchObject({ trace_id: traceId, span_id: span?.spanId });
    expect([...collector.services]).toEqual(["under-test"]);

    const duration = collector.metrics.find(({ name }) => name === "http.server.request.duration");
    expect(JSON.stringify(duration)).toContain('"http.route"');
  });

  it("adds trace ids to log lines without a collector too, with a new trace for each request", async () => {
    const service = await startWeb();
    for (const id of ["one", "two"]) {
      const headers = { ...json, ...service.headers, "x-request-id": id };
      await fetch(`${service.url}/v1/quotes`, { ...request, headers });
    }
    const ids = await Promise.all(
      ["one", "two"].map(
        async (id) => (await service.logged((line) => line.request_id === id && line.msg === "request")).trace_id,
      ),
    );
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(ids[1]).toMatch(/^[0-9a-f]{32}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it("does not affect the service: with the collector down it answers, logs the failure, and exits in time", async () => {
    const service = await startWeb({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" });
    const answer = await fetch(`${service.url}/v1/quotes`, { ...request, headers: { ...json, ...service.headers } });
    expect(answer.status).toBe(400);
    service.process.kill("SIGTERM");
    expect(await service.exit).toBe(0);
    expect(service.lines.join("\n")).toContain("telemetry was not delivered");
  });
});
