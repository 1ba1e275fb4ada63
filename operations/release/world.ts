import type { ReleasePlace } from "../../contract/release";
import { OperationError } from "../command";
import type { Cloud } from "./cloud";

/** What a release takes from the world, so that a test can hand it another one. */
export interface World {
  readonly cloud: Cloud;
  readonly place: ReleasePlace;
  readonly print: (text: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
  /** Ends early when it is interrupted. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Whether somebody wants it to stop. */
  readonly interrupted: AbortSignal;
  /** Who does it, for the record. */
  readonly by: string;
}

/** How often AWS is asked how something stands. */
export const POLL_MS = 5_000;

/** Somebody wants it to stop. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
  }
}

export function throwIfInterrupted({ interrupted }: World): void {
  if (interrupted.aborted) throw new Interrupted();
}

export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export function nothingThere({ place }: World): OperationError {
  const { environment, platform, stack } = place;
  return new OperationError(
    `there are no services of ${stack} on ${platform} in ${environment} in this account and region: apply its stacks first (antifragile deploy ${environment})`,
    1,
  );
}
