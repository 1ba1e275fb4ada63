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
  for (const stream of streams) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (!READER_GONE.includes(error.code)) failure ??= error.code ?? error.message;
    });
  }
  return { failure: () => failure };
}
