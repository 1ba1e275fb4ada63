import { describe, it } from "vitest";

/** Definitions of tests that need tools. */
interface Definitions {
  readonly describe: (name: string, tests: () => void) => void;
  readonly it: (name: string, test: () => void | Promise<void>, timeout?: number) => void;
  /** For a test or a hook that is already running; takes the `skip` of its context. */
  readonly running: (skip: (reason: string) => void) => void;
}

/**
 * Defines tests that need tools which a contributor may do without: where one is missing, they are skipped with the reason in their name,
 * but fail if `CI` is set. The only place that decides this.
 *
 * @param missing missing tools, or how to install them; none if everything is there
 */
export function requiring(missing: readonly string[]): Definitions {
  if (missing.length === 0) return { describe, it, running: () => undefined };
  const reason = `missing: ${missing.join("; ")}`;
  if (process.env.CI) {
    const fail = () => {
      throw new Error(reason);
    };
    return {
      describe: (name) => describe(name, () => it("has its tools", fail)),
      it: (name) => it(name, fail),
      running: fail,
    };
  }
  return {
    describe: (name, tests) => describe.skip(`${name} (${reason})`, tests),
    it: (name, test) => it.skip(`${name} (${reason})`, test),
    running: (skip) => skip(reason),
  };
}
