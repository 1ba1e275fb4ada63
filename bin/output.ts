import { closeSync } from "node:fs";

/** Result of a command's output. */
export interface Output {
  /** Code of the first write that failed for another reason than a reader that has gone: `ENOSPC`. */
  readonly failure: () => string | undefined;
}

/** Codes of a reader that has gone: a pipe that was closed, a terminal that was closed. */
const READER_GONE: readonly (string | undefined)[] = ["EPIPE", "EIO", "ERR_STREAM_DESTROYED", "ECONNRESET"];

/**
 * Lets a command go on when its output ends. `| head -1`, a log collector that dies or a full disk behind stdout must not
 * end what a command does halfway: what cannot be written is dropped.
 */
export function surviveOutput(streams: readonly NodeJS.WritableStream[]): Output {
  let failure: string | undefined;
  let hungUp = false;
  for (const stream of streams) {
    stream.on("error", ({ code, message }: NodeJS.ErrnoException) => {
      if (!READER_GONE.includes(code)) failure ??= code ?? message;
      hungUp ||= code === "EIO";
    });
  }
  // Node.js aborts at its end where it cannot reset a terminal that was closed: it does not try what is closed here, too.
  process.once("exit", () => {
    if (hungUp) for (const fd of [0, 1, 2]) closeSync(fd);
  });
  return { failure: () => failure };
}
