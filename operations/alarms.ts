/** What watching alarms takes from the world, so that a test can hand it another one. */
export interface AlarmWatch {
  /** Names of the alarms. */
  readonly alarms: readonly string[];
  /** For how long none may be in alarm; 0 looks once. */
  readonly minutes: number;
  /** State of each alarm, by name; one that is gone is not there. */
  readonly states: (names: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  readonly print: (text: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** CloudWatch makes a datapoint a minute. */
const EVERY_MS = 30_000;

/**
 * Watches alarms for some minutes, and ends when one goes off.
 *
 * @returns 0 none went off; 1 one did
 */
export async function watchAlarms({ alarms, minutes, states, print, now, sleep }: AlarmWatch): Promise<0 | 1> {
  if (alarms.length === 0) {
    print("no service has an alarm: nothing is proved\n");
    return 0;
  }
  const end = now() + minutes * 60_000;
  for (;;) {
    const found = await states(alarms);
    const off = alarms.filter((name) => found.get(name) === "ALARM");
    if (off.length > 0) {
      print(
        `✖ in alarm: ${off.join(", ")}\n  The release stays live. To take it back: antifragile rollback <environment>\n`,
      );
      return 1;
    }
    const left = end - now();
    if (left <= 0) {
      const silent = alarms.filter((name) => found.get(name) !== "OK");
      const quiet = alarms.length - silent.length;
      print(`${quiet} of ${alarms.length} alarms are ok${minutes > 0 ? ` for ${minutes} min` : ""}\n`);
      if (silent.length > 0) print(`  not proved, since they have no data: ${silent.join(", ")}\n`);
      return 0;
    }
    await sleep(Math.min(EVERY_MS, left));
  }
}
