/** Faults that a command which changes an account has to withstand. */
export const ACTING_FAULTS = [
  "closed output",
  "SIGHUP",
  "SIGTERM",
  "SIGINT",
  "second SIGINT",
  "SIGKILL",
  "dropped connections",
  "throttling",
  "expired credentials",
  "damaged record",
  "taken lock",
] as const;

type ActingFault = (typeof ACTING_FAULTS)[number];

/** Titles of tests, each with the fault that it injects; the last test of a file asks which faults have none. */
export class FaultTable {
  readonly #tried = new Set<ActingFault>();

  /** Title of a test that injects these faults. */
  title(title: string, ...faults: readonly ActingFault[]): string {
    for (const fault of faults) this.#tried.add(fault);
    return title;
  }

  get untried(): readonly ActingFault[] {
    return ACTING_FAULTS.filter((fault) => !this.#tried.has(fault));
  }
}
