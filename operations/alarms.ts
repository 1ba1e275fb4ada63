import { logLine, timestamp } from "../contract/text";
import type { AlarmState } from "./alarm-states";

/** Alarm to watch. */
export interface WatchedAlarm {
  readonly name: string;
  /** Stack whose services it watches. */
  readonly stack: string;
  /** Time at which the live release of that stack began; an alarm that was in alarm before is not its fault. */
  readonly releaseBegan?: Date;
}

/** Inputs of watching alarms; a test passes its own. */
export interface AlarmWatch {
  readonly environment: string;
  readonly alarms: readonly WatchedAlarm[];
  /** Time in which none may go off; 0 checks once. */
  readonly minutes: number;
  /** Reads the state of each alarm, by name; an alarm that does not exist is left out. */
  readonly states: () => Promise<ReadonlyMap<string, AlarmState>>;
  readonly print: (text: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
  /** Waits; ends early when the command is interrupted. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Aborted when the command is interrupted. */
  readonly interrupted: AbortSignal;
}

/** Period of CloudWatch's datapoints. */
const EVERY_MS = 30_000;

export interface WatchResult {
  readonly code: 0 | 1 | 130;
  /** Stacks that have an alarm which went off after their release began. */
  readonly suspects: readonly string[];
}

/**
 * Watches alarms for some minutes, and ends at once when one goes off that was quiet when the release began. An alarm that was in
 * alarm before, which the release may be meant to fix, has these minutes to clear.
 */
export async function watchAlarms(watch: AlarmWatch): Promise<WatchResult> {
  const { environment, alarms, minutes, states, print, now, sleep, interrupted } = watch;
  if (alarms.length === 0) {
    print(`no service in ${environment} has an alarm: nothing was verified\n`);
    return { code: 0, suspects: [] };
  }
  const end = now() + minutes * 60_000;
  const waited = new Set<string>();
  const stopped = { code: 130, suspects: [] } as const;
  for (;;) {
    if (interrupted.aborted) return stopped;
    const found = await states();
    if (interrupted.aborted) return stopped;
    const inAlarm = alarms.filter(({ name }) => found.get(name)?.state === "ALARM");
    const since = ({ name }: WatchedAlarm) => found.get(name)?.since;
    const before = inAlarm.filter((alarm) => {
      const time = since(alarm);
      return alarm.releaseBegan !== undefined && time !== undefined && time < alarm.releaseBegan;
    });
    const describe = (alarm: WatchedAlarm) => {
      const time = since(alarm);
      return `${logLine(alarm.name)}${time === undefined ? "" : ` (since ${timestamp(time)})`}`;
    };
    const fresh = inAlarm.filter((alarm) => !before.includes(alarm));
    if (fresh.length > 0) {
      print(`✖ ${environment}: in alarm: ${fresh.map(describe).join(", ")}\n`);
      return { code: 1, suspects: [...new Set(fresh.map(({ stack }) => stack))] };
    }
    const left = end - now();
    if (left <= 0 && before.length > 0) {
      print(
        `✖ ${environment}: in alarm before the release and still: ${before.map(describe).join(", ")}\n  The release stays live: it did not cause this, and has not fixed it${minutes > 0 ? ` in ${minutes} min` : ""}. antifragile alarms ${environment} --minutes N waits longer.\n`,
      );
      return { code: 1, suspects: [] };
    }
    for (const alarm of before.filter(({ name }) => !waited.has(name))) {
      print(`${describe(alarm)} was in alarm before the release: it has ${minutes} min to clear\n`);
      waited.add(alarm.name);
    }
    if (left <= 0) {
      reportQuiet(watch, found, waited);
      return { code: 0, suspects: [] };
    }
    await sleep(Math.min(EVERY_MS, left));
  }
}

function reportQuiet(
  { alarms, minutes, print }: AlarmWatch,
  found: ReadonlyMap<string, AlarmState>,
  waited: ReadonlySet<string>,
): void {
  const isOk = (name: string) => found.get(name)?.state === "OK";
  const silent = alarms.filter(({ name }) => !isOk(name)).map(({ name }) => logLine(name));
  const cleared = [...waited].filter(isOk).map(logLine);
  const quiet = alarms.length - silent.length;
  const time = minutes > 0 && waited.size === 0 ? ` for ${minutes} min` : "";
  print(`${quiet} of ${alarms.length} alarms are ok${time}\n`);
  if (cleared.length > 0) print(`  cleared: ${cleared.join(", ")}\n`);
  if (silent.length > 0) print(`  not verified, because they have no data: ${silent.join(", ")}\n`);
}
