import type { Duration } from "../core/units";

export const TRANSITIONS = ["launch", "terminate"] as const;

/** Pauses an instance before it enters service or before it is terminated. */
export interface LifecycleHookOptions {
  readonly on: (typeof TRANSITIONS)[number];
  /**
   * Longest wait for the call that completes the hook, 30 s to 2 hours.
   *
   * @default Duration.minutes(5)
   */
  readonly timeout?: Duration;
  /**
   * Result when the hook is not completed in time: `abandon` terminates the instance.
   *
   * @default "abandon" on launch, "continue" on terminate
   */
  readonly otherwise?: "continue" | "abandon";
  /**
   * Text included in the notification of each event.
   *
   * @default - none
   */
  readonly metadata?: string;
}
