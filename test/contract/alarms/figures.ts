import { EXTRA_DATAPOINTS } from "../../support/alarms/metric-alarm";
import { type Arrival, keyOf, LATE, oneLate, PUNCTUAL, SPARSE, VERY_LATE } from "./metrics";
import { causesOf, lookBack, metricsOf, periodMinutes, type Run, statesFrom, type Watched } from "./timeline";

/** Duration of a fault that every alarm must detect. */
const FAULT_MINUTES = 60;

/** Reaction of an alarm to a fault, in minutes: the worst of all causes and start times. Undefined: it never reacts. */
export interface Figures {
  readonly punctual: number | undefined;
  readonly late: number | undefined;
  readonly veryLate: number | undefined;
  /** For an alarm on several metrics: each one is late in turn. */
  readonly oneLate: number | undefined;
  readonly sparse: number | undefined;
  /** From the end of the fault until it is OK again, punctual. */
  readonly recovers: number | undefined;
}

/** Every way in which the fault of an alarm may show, and none that is impossible. */
function runsOf(watched: Watched, arrival: Arrival, extra: number): Run[] {
  const from = lookBack(watched, extra) + 10;
  return causesOf(watched).flatMap((cause) =>
    [undefined, idleBeside(watched, cause)]
      .filter((idle, index) => index === 0 || idle !== undefined)
      .flatMap((idle) =>
        // Where the fault begins matters for what is sparse, and not in windows of half an hour.
        Array.from({ length: lookBack(watched, 0) > 30 ? 1 : 5 }, (_, offset) => from + offset).map((begins) => ({
          watched,
          cause,
          arrival,
          extra,
          fault: { from: begins, to: begins + FAULT_MINUTES },
          ...(idle === undefined ? {} : { idle }),
        })),
      ),
  );
}

/** Metrics of the other target groups, where there are any: a deployment has two, and requests may go to one. */
function idleBeside(watched: Watched, cause: string): ReadonlySet<string> | undefined {
  const groupOf = (key: string) => /"TargetGroup","([^"]+)"/.exec(key)?.[1];
  const group = groupOf(cause);
  const others = metricsOf(watched)
    .map(keyOf)
    .filter((key) => group !== undefined && groupOf(key) !== group);
  return others.length === 0 ? undefined : new Set(others);
}

/** Minutes from the beginning of the fault until the alarm goes off, in one run. */
export function minutesToFire(run: Run): number | undefined {
  const states = statesFrom(run, run.fault.from + 1);
  for (let minutes = 1; minutes <= FAULT_MINUTES; minutes += 1) if (states.next().value === "ALARM") return minutes;
  return undefined;
}

/** Minutes from the end of a fault of an hour until the alarm is OK again, and is so for ten. */
export function minutesToRecover(run: Run): number | undefined {
  // The first state of all counts where data are missing: the fault comes first.
  const states = statesFrom(run, run.fault.to - 5);
  const most = lookBack(run.watched, run.extra) + 10;
  let ok = 0;
  for (let minutes = -5; minutes <= most; minutes += 1) {
    ok = states.next().value === "ALARM" ? 0 : ok + 1;
    if (ok === 10) return Math.max(0, minutes - 9);
  }
  return undefined;
}

const worst = (minutes: readonly (number | undefined)[]): number | undefined =>
  minutes.includes(undefined) ? undefined : Math.max(...(minutes as number[]));

/** Measures an alarm under everything that metrics do. */
export function figuresOf(watched: Watched, extra = EXTRA_DATAPOINTS): Figures {
  const under = (arrival: Arrival) => worst(runsOf(watched, arrival, extra).map(minutesToFire));
  const keys = metricsOf(watched).map(keyOf);
  return {
    punctual: under(PUNCTUAL),
    late: under(LATE),
    veryLate: under(VERY_LATE),
    oneLate: worst(keys.map((key) => under(oneLate(key)))),
    sparse: under(SPARSE),
    recovers: worst(runsOf(watched, PUNCTUAL, extra).map(minutesToRecover)),
  };
}

/**
 * Minutes within which an alarm promises to go off: as many periods as must be bad. Late metrics, it may take all periods
 * that it looks at, or as much longer as they are late.
 */
export function promiseOf({ members }: Watched, late: number): number {
  return Math.max(
    ...members.map((alarm) => {
      const bad = alarm.datapointsToAlarm * periodMinutes(alarm);
      return late === 0 ? bad : Math.max(bad + late, alarm.evaluationPeriods * periodMinutes(alarm));
    }),
  );
}

/** Returns whether an alarm stays off without a fault, and without any datapoints. */
export function isQuiet(watched: Watched, arrival: Arrival, extra: number): boolean {
  const calm = lookBack(watched, extra) + 10;
  const run = { watched, cause: "", arrival, extra, fault: { from: 0, to: 0 } };
  return [run, { ...run, silentFrom: calm }].every((each) => {
    const states = statesFrom(each, calm);
    return Array.from({ length: 15 }, () => states.next().value).every((state) => state !== "ALARM");
  });
}
