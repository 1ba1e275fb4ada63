import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** Span as received over the network. */
export interface ReceivedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: { key: string; value: Record<string, unknown> }[];
}

interface ReceivedMetric {
  readonly name: string;
  readonly gauge?: {
    readonly dataPoints: readonly {
      readonly asDouble?: number;
      readonly asInt?: number;
      readonly attributes: readonly { readonly value: { readonly stringValue?: string } }[];
    }[];
  };
}

/** Collector that stores everything it receives: OTLP over HTTP, as JSON. */
export async function startCollector() {
  const spans: ReceivedSpan[] = [];
  const metrics: ReceivedMetric[] = [];
  const services = new Set<unknown>();

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    for (const group of [...(body.resourceSpans ?? []), ...(body.resourceMetrics ?? [])]) {
      services.add(
        group.resource.attributes.find(({ key }: { key: string }) => key === "service.name")?.value.stringValue,
      );
      for (const scope of group.scopeSpans ?? []) spans.push(...scope.spans);
      for (const scope of group.scopeMetrics ?? []) metrics.push(...scope.metrics);
    }
    response.setHeader("content-type", "application/json").end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  /** Values of a gauge for one set of attributes. */
  const values = (name: string, of: string) =>
    metrics
      .flatMap((metric) => (metric.name === name ? (metric.gauge?.dataPoints ?? []) : []))
      .filter(({ attributes }) => attributes.some(({ value }) => value.stringValue === of))
      .map(({ asDouble, asInt }) => asDouble ?? asInt);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, metrics, services, values };
}
