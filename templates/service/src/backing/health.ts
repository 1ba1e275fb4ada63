import { metrics } from "@opentelemetry/api";
import type { Log } from "../log";
import { Problem } from "../problem";

/** Whether a backing service answers: told once at each change in the log, and always as the metric `backing.up`. */
export interface Health {
  /** The backing service answered. */
  up(): void;
  /** It did not. */
  down(reason: unknown): void;
}

const states = new Map<string, boolean>();

export function watchHealth(name: string, log: Log): Health {
  const gauge = metrics.getMeter("backing").createObservableGauge("backing.up");
  gauge.addCallback((result) => result.observe(states.get(name) === false ? 0 : 1, { "backing.name": name }));
  return {
    up() {
      if (states.get(name) === false) log.info({ backing: name }, "backing service is back");
      states.set(name, true);
    },
    down(err) {
      if (states.get(name) !== false) log.error({ backing: name, err }, "backing service is down");
      states.set(name, false);
    },
  };
}

/** What a caller is told while a backing service is down: come back later. Which one it is, is not theirs to know. */
export function unavailable(): Problem {
  return new Problem(503, "a service that is needed for this is not available now", {
    headers: { "retry-after": "5" },
  });
}
