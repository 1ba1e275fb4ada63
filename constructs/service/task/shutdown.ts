import { Duration } from "../../core/units";

/** Times of a task's shutdown, all derived from one number. */
export interface ShutdownBudget {
  /**
   * Time after SIGTERM during which the app reports "not ready" but still accepts requests, until the load balancer has
   * noticed.
   */
  readonly drain: Duration;
  /** Time after SIGTERM at which the app aborts the remaining work and exits. */
  readonly deadline: Duration;
  /** Time after SIGTERM at which ECS sends SIGKILL. */
  readonly stopTimeout: Duration;
  /**
   * Deregistration delay of the load balancer: maximum duration of a request that is in flight when a target deregisters.
   */
  readonly deregistrationDelay: Duration;
}

/** Bounds of the stop timeout, in seconds. Fargate sends SIGKILL after at most 120. */
export const SHUTDOWN_SECONDS = { min: 10, max: 120 } as const;

/** Health check with which the load balancer detects a draining task. Interval x threshold must fit into the drain time. */
export const READINESS = { intervalSeconds: 5, timeoutSeconds: 2, healthyThreshold: 2, unhealthyThreshold: 2 } as const;

/**
 * Splits the time between SIGTERM and SIGKILL so that drain < deadline < stop timeout, and no request that the load balancer
 * still waits for is cut off.
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
