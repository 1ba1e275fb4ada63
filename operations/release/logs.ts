import { logLine } from "../../contract/text";
import type { LogEvent, LogQuery } from "./cloud";
import { POLL_MS, type ReleaseContext, throwIfInterrupted } from "./context";
import { chosenServices } from "./services";

export interface LogsOptions extends Omit<LogQuery, "since"> {
  /** @default - all services of the stack */
  readonly service: string | undefined;
  /** Age of the oldest event in milliseconds. */
  readonly age: number;
  /** Goes on until it is interrupted. */
  readonly follow: boolean;
  /** Prints one JSON object for each event. */
  readonly json: boolean;
}

/** CloudWatch Logs may show an event only after a later one: followed logs are read again from this long before. */
const LATE_MS = 10_000;

/** Prints what the services of a stack have logged, in order of time. */
export async function logs(context: ReleaseContext, options: LogsOptions): Promise<0 | 1> {
  const { cloud, now, sleep } = context;
  const { service, age, follow, task, filter } = options;
  const chosen = await chosenServices(context, service);
  const start = now() - age;
  let newest = start;
  let printed = new Map<string, number>();
  for (;;) {
    throwIfInterrupted(context);
    const since = Math.max(start, newest - LATE_MS);
    const found = await Promise.all(
      chosen.map(async ([name, process]) => {
        const events = await cloud.logEvents(process, { since, task, filter });
        return events.map((event) => ({ ...event, service: name }));
      }),
    );
    const fresh = found.flat().filter(({ id }) => !printed.has(id));
    fresh.sort((a, b) => a.at - b.at);
    for (const event of fresh) {
      context.print(options.json ? `${json(event)}\n` : line(event, chosen.length > 1));
      printed.set(event.id, event.at);
      newest = Math.max(newest, event.at);
    }
    if (!follow) return printed.size > 0 ? 0 : 1;
    // What is older is not read again.
    printed = new Map([...printed].filter(([, at]) => at >= newest - LATE_MS));
    await sleep(POLL_MS);
  }
}

type Line = LogEvent & { readonly service: string };

function line({ at, service, task, message }: Line, several: boolean): string {
  const origin = [...(several ? [service] : []), task.slice(0, 8)].join(" ");
  return `${new Date(at).toISOString()} ${origin}  ${logLine(message)}\n`;
}

function json({ at, service, task, message }: Line): string {
  return JSON.stringify({ at: new Date(at).toISOString(), service, task, message });
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `10m`; undefined if it is not a valid age. */
export function ageOf(text: string): number | undefined {
  const [, number, unit = ""] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * (UNITS[unit] as number);
}
