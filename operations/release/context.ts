import type { ReleasePlace } from "../../contract/release";
import { UserError } from "../../contract/user-error";
import type { Cloud } from "./cloud";

/** Context of a release: AWS, the clock, the terminal. A test passes its own. */
export interface ReleaseContext {
  readonly cloud: Cloud;
  readonly place: ReleasePlace;
  readonly print: (text: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Waits; ends early when the command is interrupted. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Aborted when the command is interrupted. */
  readonly interrupted: AbortSignal;
  /** User who releases, for the record. */
  readonly by: string;
  /** Called when a release has begun: from then on it is in the record, however it ends. @default - nothing waits for that */
  readonly begun?: () => void;
}

/** Time between two status calls. */
export const POLL_MS = 5_000;

/** Error of a command that was interrupted. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
  }
}

export function throwIfInterrupted({ interrupted }: ReleaseContext): void {
  if (interrupted.aborted) throw new Interrupted();
}

/** Error for services whose record parameter was deleted. */
export function noRecord({ place }: ReleaseContext): UserError {
  const { environment, stack } = place;
  return new UserError(
    `the record of releases of ${stack} in ${environment} was deleted, and its history with it: antifragile deploy ${environment} creates an empty one`,
    1,
  );
}
