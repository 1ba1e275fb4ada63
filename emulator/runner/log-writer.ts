import type { Container } from "./applied";
import type { AccountClient } from "./client";

const FLUSH_MS = 300;

/** Writes the lines of a task's containers to their log groups, as the log driver `awslogs` does. */
export class LogWriter {
  readonly #waiting = new Map<
    string,
    { readonly group: string; readonly events: { timestamp: number; message: string }[] }
  >();
  readonly #streams = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly account: AccountClient,
    private readonly task: string,
  ) {}

  add({ name, logConfiguration }: Container, line: string): void {
    const { "awslogs-group": group, "awslogs-stream-prefix": prefix } = logConfiguration?.options ?? {};
    if (logConfiguration?.logDriver !== "awslogs" || group === undefined || line === "") return;
    const stream = `${prefix}/${name}/${this.task}`;
    const waiting = this.#waiting.get(stream) ?? { group, events: [] };
    waiting.events.push({ timestamp: Date.now(), message: line });
    this.#waiting.set(stream, waiting);
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
  }

  /** Writes what has not been written yet. A log group that does not exist takes no lines, as in AWS. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batches = [...this.#waiting];
    this.#waiting.clear();
    this.#writing = this.#writing.then(async () => {
      for (const [logStreamName, { group: logGroupName, events }] of batches) {
        const stream = { logGroupName, logStreamName };
        try {
          if (!this.#streams.has(logStreamName)) await this.account.call("logs", "CreateLogStream", stream);
          this.#streams.add(logStreamName);
          await this.account.call("logs", "PutLogEvents", { ...stream, logEvents: events });
        } catch {
          // Lines are on the terminal too.
        }
      }
    });
    return this.#writing;
  }
}
