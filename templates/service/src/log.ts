import { trace } from "@opentelemetry/api";
import pino from "pino";

/** The event stream of this process: one JSON line an event, on stdout. Collecting and keeping it is the platform's. */
export type Log = pino.Logger;

const secrets = ["authorization", "cookie", "password", "secret", "token", "apiKey", "accessToken", "refreshToken"];

/** Makes the log of a process. Every line carries the ids of the current trace. */
export function createLog(
  level: string,
  service: { name: string; version: string },
  stream?: pino.DestinationStream,
): Log {
  const options: pino.LoggerOptions = {
    level,
    base: { service: service.name, version: service.version },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: "[redacted]" },
    mixin() {
      const span = trace.getActiveSpan()?.spanContext();
      return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
    },
  };
  return stream ? pino(options, stream) : pino(options);
}
