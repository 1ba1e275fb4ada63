import type { Duration } from "../core/units";

export const TRANSITIONS = ["launch", "terminate"] as const;

/** Pauses an instance before it takes part, or before it ends. */
export interface LifecycleHookOptions {
  readonly on: (typeof TRANSITIONS)[number];
  /**
   * Longest wait for the call that completes the hook, 30 s to 2 hours.
   *
   * @default Duration.minutes(5)
   */
  readonly timeout?: Duration;
  /**
   * Result when nothing completes the hook in time: `abandon` terminates the instance.
   *
   * @default "abandon" on launch, "continue" on terminate
   */
  readonly otherwise?: "continue" | "abandon";
  /**
   * Text that is sent with each event.
   *
   * @default - nothing
   */
  readonly metadata?: string;
}
