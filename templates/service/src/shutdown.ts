import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Config } from "./config";

/**
 * Divides the time from SIGTERM to SHUTDOWN_SECONDS, in milliseconds: requests are accepted for `drain`; after that each
 * has `request` to finish, and telemetry has `flush` to be sent. The rest is for closing connections.
 */
export function shutdownBudget({ DRAIN_SECONDS, SHUTDOWN_SECONDS }: Config) {
  const left = 1000 * (SHUTDOWN_SECONDS - DRAIN_SECONDS);
  return { drain: 1000 * DRAIN_SECONDS, request: 0.7 * left, flush: Math.min(2000, 0.2 * left) };
}

/**
 * Closes the server once its requests are answered. Connections that hold no request, or half of one, do not keep it open.
 */
export async function closeServer(app: FastifyInstance, longestMs: number): Promise<void> {
  const closed = app.close();
  const end = performance.now() + longestMs;
  // A response that has just been written needs a moment to leave.
  do await Promise.race([closed, sleep(100)]);
  while (app.openRequests() > 0 && performance.now() < end);
  app.server.closeAllConnections();
  await closed;
}
