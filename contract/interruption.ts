/** Signals that ask a command to stop. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const PARENT_CHECK_MS = 1_000;

/**
 * Time in which a second SIGINT is the same Ctrl-C: the terminal sends it to npm and to the command, and npm passes it on to
 * the command where its shell is replaced by it.
 */
export const SAME_CTRL_C_MS = 250;

export interface InterruptionOptions {
  /** Called once, for the first signal. */
  readonly onStop?: (signal: string) => void;
  /** Called for each Ctrl-C after the first signal. */
  readonly onForce?: () => void;
}

/** Interruption of a command by signals. */
export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Waits, or ends early when the command is interrupted. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Stops listening. */
  readonly dispose: () => void;
}

/**
 * Listens for Ctrl-C, SIGTERM and SIGHUP, of which the first asks the command to shut down. npm does not forward signals
 * to the shell that it starts a command with, so under npm the end of that shell counts as one.
 */
export function listenForInterruption({ onStop, onForce }: InterruptionOptions = {}): Interruption {
  const controller = new AbortController();
  let last = 0;
  const stop = (signal: string) => {
    const now = performance.now();
    const same = now - last < SAME_CTRL_C_MS;
    last = now;
    if (controller.signal.aborted) {
      if (signal === "SIGINT" && !same) onForce?.();
      return;
    }
    controller.abort();
    onStop?.(signal);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  const parent = process.ppid;
  const watch =
    process.env.npm_lifecycle_event === undefined || process.platform === "win32"
      ? undefined
      : setInterval(() => {
          if (process.ppid !== parent) stop("the end of npm");
        }, PARENT_CHECK_MS).unref();
  const sleep = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      if (controller.signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        controller.signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      controller.signal.addEventListener("abort", done);
    });
  return {
    signal: controller.signal,
    sleep,
    dispose: () => {
      for (const signal of SIGNALS) process.off(signal, stop);
      clearInterval(watch);
    },
  };
}
