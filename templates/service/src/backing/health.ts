import { metrics } from "@opentelemetry/api";
import type { Log } from "../log";
import { Problem } from "../problem";

/** State of a backing service: each change is logged once, and the metric `backing.up` is 1 or 0 at all times. */
export interface Health {
  /** The backing service responded. */
  up(): void;
  /** It did not respond. */
  down(reason: unknown): void;
}

export function watchHealth(name: string, log: Log): Health {
  let state: boolean | undefined;
  const gauge = metrics.getMeter("backing").createObservableGauge("backing.up");
  gauge.addCallback((result) => result.observe(state === false ? 0 : 1, { "backing.name": name }));
  return {
    up() {
      if (state === false) log.info({ backing: name }, "backing service is up again");
      state = true;
    },
    down(err) {
      if (state !== false) log.error({ backing: name, err }, "backing service is down");
      state = false;
    },
  };
}

/** Response while a backing service is down: retry later. Which service it is, stays internal. */
export function unavailable(cause?: unknown): Problem {
  return new Problem(503, "a service that this request needs is not available", {
    headers: { "retry-after": "5" },
    cause,
  });
}
