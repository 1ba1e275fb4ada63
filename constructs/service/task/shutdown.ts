import { Duration } from "../../core/units";

/** What every part of the system needs to know about a task's end; all from one number. */
export interface ShutdownBudget {
  /** From SIGTERM on, the app says "not ready" and still takes requests, until the load balancer has seen it. */
  readonly drain: Duration;
  /** When the app gives up on what still runs, and exits. */
  readonly deadline: Duration;
  /** When ECS kills what is left. */
  readonly stopTimeout: Duration;
  /** How long the load balancer keeps open requests of a target that it was told to leave: the longest that a request may take. */
  readonly deregistrationDelay: Duration;
}

/** Bounds of the budget, in seconds: Fargate kills after 120 at the latest. */
export const SHUTDOWN_SECONDS = { min: 10, max: 120 } as const;

/** The health check that decides when a draining task is left alone: interval x threshold must fit into the drain. */
export const READINESS = { intervalSeconds: 5, timeoutSeconds: 2, healthyThreshold: 2, unhealthyThreshold: 2 } as const;

/**
 * Splits one number, the time from SIGTERM to SIGKILL, so that drain < deadline < stop timeout, and no request that the
 * load balancer still waits for is cut off.
 *
 * @param total whole seconds within {@link SHUTDOWN_SECONDS}
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-connection-draining.html
 */
export function splitShutdown(total: Duration): ShutdownBudget {
  const seconds = total.toSeconds();
  const drain = Math.floor(Math.min(READINESS.intervalSeconds * READINESS.unhealthyThreshold, seconds / 3));
  const deadline = seconds - 2;
  return {
    drain: Duration.seconds(drain),
    deadline: Duration.seconds(deadline),
    stopTimeout: total,
    deregistrationDelay: Duration.seconds(deadline - drain),
  };
}
