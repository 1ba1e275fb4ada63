import { compositeState } from "../../support/alarms/composite-alarm";
import {
  type AlarmState,
  EXTRA_DATAPOINTS,
  evaluateAlarm,
  type MetricStat,
  type Samples,
} from "../../support/alarms/metric-alarm";
import { type Arrival, behaviourOf, keyOf } from "./metrics";
import type { SynthesizedAlarm } from "./program";

/** One alarm, or several with the rule that combines them. */
export interface Watched {
  readonly title: string;
  readonly members: readonly SynthesizedAlarm[];
  /** Of a composite alarm. */
  readonly rule?: string;
}

export interface Run {
  readonly watched: Watched;
  /** Key of the metric in which the fault shows. */
  readonly cause: string;
  readonly arrival: Arrival;
  /** Minute in which the fault begins, and the one in which it has ended. */
  readonly fault: { readonly from: number; readonly to: number };
  /** From this minute on nothing is reported any more. */
  readonly silentFrom?: number;
  /** Keys of metrics that are never reported: of a target group that gets no requests. */
  readonly idle?: ReadonlySet<string>;
  readonly extra?: number;
}

export const periodMinutes = ({ periodSeconds }: SynthesizedAlarm) => periodSeconds / 60;

/** Settings of alarms without their names: alarms of one shape behave in the same way. */
export function shapeOf({ members, rule }: Watched): string {
  const known: string[] = [];
  const text = JSON.stringify([members.map(({ address, name, policies, ...shape }) => shape), rule === undefined]);
  return text.replace(/"dimensions":\{[^}]*(\$\{[^}]*\}[^}]*)*\}/g, (dimensions) => {
    if (!known.includes(dimensions)) known.push(dimensions);
    return `"dimensions":${known.indexOf(dimensions)}`;
  });
}

/** Metrics that an alarm looks at, each once. */
export function metricsOf({ members }: Watched): MetricStat[] {
  const byKey = new Map<string, MetricStat>();
  for (const { rows } of members) {
    for (const { metric } of rows) if (metric !== undefined) byKey.set(keyOf(metric), metric);
  }
  return [...byKey.values()];
}

/** Keys of the metrics in which a fault shows by itself. */
export function causesOf(watched: Watched): string[] {
  const causes = metricsOf(watched).filter((metric) => behaviourOf(metric).fault !== undefined);
  if (causes.length === 0) throw new Error(`no fault would show in what ${watched.title} looks at`);
  return causes.map(keyOf);
}

/** Minutes that an alarm may look back at. */
export function lookBack({ members }: Watched, extra = EXTRA_DATAPOINTS): number {
  return Math.max(...members.map((alarm) => periodMinutes(alarm) * (alarm.evaluationPeriods + extra)));
}

/** The state of an alarm at the beginning of each minute from `first` on; computed when asked for. */
export function* statesFrom(run: Run, first: number): Generator<AlarmState, never> {
  const { watched, extra = EXTRA_DATAPOINTS } = run;
  const members = new Map<string, AlarmState>(watched.members.map(({ name }) => [name, "OK"]));
  const arriving = watched.members.map((alarm) => ({ alarm, samplesAt: arrivals(run, alarm) }));
  const stateOf = (name: string) => members.get(name) as AlarmState;
  for (let now = first; ; now += 1) {
    for (const { alarm, samplesAt } of arriving) {
      members.set(alarm.name, evaluateAlarm(alarm, samplesAt(now), now, stateOf(alarm.name), extra));
    }
    yield watched.rule === undefined
      ? stateOf((watched.members[0] as SynthesizedAlarm).name)
      : compositeState(watched.rule, stateOf);
  }
}

/** Samples of each minute, computed once, and those of them that have arrived at a time. */
export function arrivals(run: Run, alarm: SynthesizedAlarm): (now: number) => Samples {
  const known = new Map<MetricStat, { late: number; samples: (readonly number[] | undefined)[] }>();
  return (now) => (metric, minute) => {
    let found = known.get(metric);
    if (found === undefined) {
      found = { late: run.arrival.late(metric), samples: [] };
      known.set(metric, found);
    }
    if (minute + 1 + found.late > now || minute < 0) return undefined;
    if (!(minute in found.samples)) found.samples[minute] = samplesOf(run, alarm, metric, minute);
    return found.samples[minute];
  };
}

function samplesOf(
  run: Run,
  alarm: SynthesizedAlarm,
  metric: MetricStat,
  minute: number,
): readonly number[] | undefined {
  const { cause, arrival, fault, silentFrom = Number.POSITIVE_INFINITY, idle } = run;
  const { reported, calm, fault: faulty } = behaviourOf(metric);
  const key = keyOf(metric);
  if (minute >= silentFrom || idle?.has(key) === true || arrival.lost?.(reported, minute) === true) return undefined;
  const isFault = key === cause && minute >= fault.from && minute < fault.to;
  const inFault = faulty === "just more than the threshold" ? evenly(alarm, minute - fault.from) : faulty;
  const samples = isFault ? inFault : calm;
  return samples === undefined || samples.length === 0 ? undefined : samples;
}

/** Events spread so that each period of the alarm has one more than it lets pass. */
function evenly(alarm: SynthesizedAlarm, minute: number): number[] {
  const rate = (alarm.threshold + 1) / periodMinutes(alarm);
  const events = Math.ceil((minute + 1) * rate) - Math.ceil(minute * rate);
  return events === 0 ? [] : [events];
}
