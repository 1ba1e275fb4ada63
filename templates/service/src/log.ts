import { trace } from "@opentelemetry/api";
import pino from "pino";

/** Event stream of this process: one JSON line per event, on stdout. The platform collects and stores it. */
export type Log = pino.Logger;

/** Lines that wait for a reader, in bytes. More are lost: they would take the memory of the process. */
const MAX_WAITING = 16 * 2 ** 20;

const stdout = pino.destination({ sync: false, maxLength: MAX_WAITING });
// At an exit it would try forever to write its last lines to a pipe without a reader: flushed() writes them before.
stdout.flushSync = () => undefined;

const SECRET =
  /"(?:authorization|(?:set-)?cookie|password|(?:client[-_]?)?secret|(?:(?:access|id|refresh)[-_]?)?token|(?:x-)?api[-_]?key)":/i;

/** A line without the values of secrets, at any depth. Most lines have none, and are searched and not parsed. */
function redacted(line: string): string {
  if (!SECRET.test(line)) return line;
  const parsed = JSON.parse(line, (name, value) => (SECRET.test(`"${name}":`) ? "[redacted]" : value));
  return `${JSON.stringify(parsed)}\n`;
}

/** Creates the logger of a process. Every line contains the ids of the current trace. */
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
    // The option `redact` takes a path for each depth, and half of the time of a line.
    hooks: { streamWrite: redacted },
    mixin() {
      const span = trace.getActiveSpan()?.spanContext();
      return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
    },
  };
  return pino(options, stream ?? stdout);
}

/** Writes the last lines, and none that come later; gives up after a second. */
export async function flushed(): Promise<void> {
  await new Promise((resolve) => {
    stdout.once("close", resolve).once("error", resolve);
    setTimeout(resolve, 1000);
    stdout.end();
    // It would throw once it is closed, while connections still end.
    stdout.write = () => true;
  });
}
