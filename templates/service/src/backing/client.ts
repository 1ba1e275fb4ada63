import { setTimeout as sleep } from "node:timers/promises";
import { CountBreaker, circuitBreaker, handleWhen, isBrokenCircuitError } from "cockatiel";
import type { Log } from "../log";
import { unavailable, watchHealth } from "./health";

/** Settings of calls to another service. They come from the environment: the infrastructure declares them with the call. */
export interface ClientOptions {
  /** Base URL; a path in it is kept. */
  readonly url: string;
  /** Longest time for a whole call, retries included. */
  readonly timeoutMs: number;
  /** Percentage of requests that may be retried. */
  readonly retryBudgetPercent: number;
  /** Percentage of failures among the last 20 requests that opens the circuit breaker. */
  readonly breakerFailurePercent: number;
  /**
   * Time that the circuit breaker stays open, in milliseconds.
   *
   * @default 5000
   */
  readonly breakerOpenMs?: number;
}

/** Another service that this one calls. */
export interface Client {
  /**
   * Sends a request, and the trace with it. Returns any response below 500, also a redirect.
   *
   * Throws `Problem` 503 if no such response arrives in full and in time, and while the circuit breaker is open.
   *
   * @param path path below the base URL, and the query; it cannot lead to another host
   */
  request(path: string, init?: RequestInit): Promise<Response>;
}

/** Methods that do no harm when they are sent twice. */
const RETRYABLE = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"];

export function openClient(name: string, options: ClientOptions, log: Log): Client {
  const health = watchHealth(name, log);
  const budget = retryBudget(options.retryBudgetPercent);

  const once = async (url: URL, init: RequestInit): Promise<Response> => {
    // A redirect could lead to any host: the caller gets it as the response.
    const answer = await fetch(url, { redirect: "manual", ...init });
    if (answer.status < 500) return new Response(await bodyOf(answer), answer);
    // A response body that is never read would keep its connection.
    await answer.body?.cancel();
    throw new Error(`${name} returned ${answer.status}`);
  };
  // A call that its own caller cancels says nothing about the other service.
  const breaker = circuitBreaker(
    handleWhen((error) => !(error instanceof Canceled)),
    {
      halfOpenAfter: options.breakerOpenMs ?? 5000,
      breaker: new CountBreaker({
        // It opens above its threshold, and 100 % must be possible.
        threshold: options.breakerFailurePercent / 100 - 0.001,
        size: 20,
        minimumNumberOfCalls: 10,
      }),
    },
  );

  return {
    async request(path, init = {}) {
      const url = urlBelow(options.url, path);
      budget.earn();
      const timeout = AbortSignal.timeout(options.timeoutMs);
      const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
      const retryable = RETRYABLE.includes((init.method ?? "GET").toUpperCase());
      const attempt = () =>
        once(url, { ...init, signal }).catch((error) => {
          throw init.signal?.aborted ? new Canceled("canceled by its caller", { cause: error }) : error;
        });
      for (;;) {
        try {
          const answer = await breaker.execute(attempt);
          health.up();
          return answer;
        } catch (error) {
          if (error instanceof Canceled) throw init.signal?.reason;
          if (isBrokenCircuitError(error)) throw unavailable();
          if (retryable && !timeout.aborted && budget.spend()) {
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

class Canceled extends Error {}

/** Largest body of a response, in bytes. */
const MAX_BODY = 16 * 2 ** 20;

/** Reads a body in full, so that the timeout covers it. */
async function bodyOf({ body }: Response): Promise<Blob | null> {
  if (!body) return null;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error(`the response has more than ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return new Blob(chunks);
}

/** Resolves a path below a base URL. What a caller put into the path cannot change the host, or leave the path of the base. */
function urlBelow(base: string, path: string): URL {
  const root = new URL(base);
  const prefix = root.pathname.replace(/\/$/, "");
  const url = new URL(`${root.origin}${prefix}${path}`);
  const inside = url.origin === root.origin && url.pathname.startsWith(`${prefix}/`) && !url.username && !url.password;
  if (!path.startsWith("/") || !inside)
    throw new TypeError("the path of a call must begin with / and stay below its URL");
  return url;
}

/** Limits retries to a percentage of requests, so that a service in trouble does not get a multiple of its load. */
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
