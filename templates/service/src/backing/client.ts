import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../log";
import { unavailable, watchHealth } from "./health";

/** How one service calls another. It comes from the environment: the infrastructure declares it on the edge. */
export interface ClientOptions {
  readonly url: string;
  /** For a whole call, retries included. */
  readonly timeoutMs: number;
  /** How many requests of a hundred may be repeated. */
  readonly retryBudgetPercent: number;
  /** From how many failures of a hundred on no more requests are sent for a while. */
  readonly breakerFailurePercent: number;
  /**
   * How long the breaker stays open, in milliseconds.
   *
   * @default 5000
   */
  readonly breakerOpenMs?: number;
}

/** Another service of ours. */
export interface Client {
  /**
   * Sends a request; the trace goes with it. Any answer below 500 is given back.
   *
   * Throws `Problem` 503 when there is no such answer in time, or when the breaker is open.
   */
  request(path: string, init?: RequestInit): Promise<Response>;
}

const REPEATABLE = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"];

export function openClient(name: string, options: ClientOptions, log: Log): Client {
  const health = watchHealth(name, log);
  const budget = retryBudget(options.retryBudgetPercent);
  const breaker = circuitBreaker(options.breakerFailurePercent, options.breakerOpenMs ?? 5000);

  const once = async (url: URL, init: RequestInit): Promise<Response> => {
    const answer = await fetch(url, init);
    if (answer.status < 500) return answer;
    // An answer that nobody reads would keep its connection.
    await answer.body?.cancel();
    throw new Error(`${name} answered ${answer.status}`);
  };

  return {
    async request(path, init = {}) {
      if (!breaker.allows()) throw unavailable();
      budget.earn();
      const url = new URL(path, options.url);
      const timeout = AbortSignal.timeout(options.timeoutMs);
      const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
      const repeatable = REPEATABLE.includes((init.method ?? "GET").toUpperCase());
      for (;;) {
        try {
          const answer = await once(url, { ...init, signal });
          breaker.record(true);
          health.up();
          return answer;
        } catch (error) {
          breaker.record(false);
          if (init.signal?.aborted) throw error;
          if (repeatable && !timeout.aborted && breaker.allows() && budget.spend()) {
            await sleep(20 + Math.random() * 80);
            continue;
          }
          health.down(error);
          throw unavailable();
        }
      }
    },
  };
}

/** Retries as a share of the requests, so that a service in trouble does not get a multiple of its load. */
function retryBudget(percent: number) {
  let tokens = percent > 0 ? 1 : 0;
  return {
    earn() {
      tokens = Math.min(tokens + percent / 100, 10);
    },
    spend(): boolean {
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}

/** Opens when too many of the last 20 requests failed; after a while one request tries whether it is over. */
function circuitBreaker(failurePercent: number, openMs: number) {
  let recent: boolean[] = [];
  let openUntil = 0;
  let trying = false;
  return {
    allows(): boolean {
      if (openUntil === 0) return true;
      if (Date.now() < openUntil || trying) return false;
      trying = true;
      return true;
    },
    record(good: boolean): void {
      if (trying) {
        trying = false;
        recent = [];
        openUntil = good ? 0 : Date.now() + openMs;
        return;
      }
      recent = [...recent, good].slice(-20);
      const failures = recent.filter((each) => !each).length;
      if (recent.length >= 10 && failures * 100 >= failurePercent * recent.length) openUntil = Date.now() + openMs;
    },
  };
}
