import {
  type AlarmState,
  datapointsAt,
  EXTRA_DATAPOINTS,
  evaluateAlarm,
  type MetricAlarm,
  type MetricStat,
  type Samples,
} from "../../support/alarms/metric-alarm";
import {
  Capacity,
  SCALE_IN_BELOW,
  SCALE_IN_MINUTES,
  SCALE_OUT_MINUTES,
  stepCapacity,
  trackedCapacity,
} from "../../support/scaling-policy";
import { type Arrival, keyOf } from "./metrics";
import type { SynthesizedScaling, TrackingPolicy } from "./program";

/** From when a task is wanted until it works. */
const START_MINUTES = 2;
/** Default for a policy with neither a cooldown nor a warm-up. */
const DEFAULT_COOLDOWN_SECONDS = 300;

/** Load, and the metrics of a number of tasks under this load. */
export interface World {
  /** Goes on by one minute with as many tasks, and says what AWS reports of it; undefined: nothing. */
  readonly minute: (minute: number, tasks: number) => (metric: MetricStat) => readonly number[] | undefined;
  /** Returns how regularly a metric is reported. */
  readonly reported: (metric: MetricStat) => "always" | "with traffic" | "on events";
}

export interface Simulation {
  readonly scaling: SynthesizedScaling;
  readonly world: World;
  readonly arrival: Arrival;
  /** Tasks at the beginning. */
  readonly tasks: number;
  readonly minutes: number;
  readonly extra?: number;
}

/** Tasks that are wanted at the end of each minute, and those that work in it. */
export interface Course {
  readonly wanted: readonly number[];
  readonly working: readonly number[];
}

/** Lets policies act on a world, minute by minute, as Application Auto Scaling and EC2 Auto Scaling do. */
export function simulate({ scaling, world, arrival, tasks, minutes, extra = EXTRA_DATAPOINTS }: Simulation): Course {
  const capacity = new Capacity(tasks, scaling.min, scaling.max);
  const reports: ((metric: MetricStat) => readonly number[] | undefined)[] = [];
  const wanted: number[] = [];
  const working: number[] = [];
  const states = new Map<string, AlarmState>();
  for (let minute = 0; minute < minutes; minute += 1) {
    // What was wanted a while ago works now; what is not wanted any more ends at once.
    const now = Math.min(capacity.desired, wanted[minute - START_MINUTES] ?? tasks);
    working.push(now);
    reports.push(world.minute(minute, now));
    const samples = arrived(reports, world, arrival, minute + 1);
    act(scaling, capacity, samples, minute + 1, states, extra);
    wanted.push(capacity.desired);
  }
  return { wanted, working };
}

function arrived(
  reports: readonly ((metric: MetricStat) => readonly number[] | undefined)[],
  world: World,
  arrival: Arrival,
  now: number,
): Samples {
  return (metric, minute) => {
    if (minute + 1 + arrival.late(metric) > now || arrival.lost?.(world.reported(metric), minute) === true)
      return undefined;
    return reports[minute]?.(metric);
  };
}

function act(
  scaling: SynthesizedScaling,
  capacity: Capacity,
  samples: Samples,
  now: number,
  states: Map<string, AlarmState>,
  extra: number,
): void {
  const inAlarm = (name: string, alarm: MetricAlarm): boolean => {
    const state = evaluateAlarm(alarm, samples, now, states.get(name) ?? "INSUFFICIENT_DATA", extra);
    states.set(name, state);
    return state === "ALARM";
  };
  const newest = ({ rows }: Pick<MetricAlarm, "rows">, periods: number) =>
    datapointsAt(rows, 60, samples, now, periods + extra).findLast((point) => point !== undefined);
  const minutesOf = (seconds: number | undefined) => (seconds ?? DEFAULT_COOLDOWN_SECONDS) / 60;

  const base = capacity.base(now);
  const out = scaling.tracking.flatMap((policy) => {
    if (!inAlarm(`${policy.address} high`, trackingAlarm(policy, "high"))) return [];
    const value = newest(policy, SCALE_OUT_MINUTES);
    return [{ to: trackedCapacity(policy.target, base, value), cooldown: minutesOf(policy.outCooldownSeconds) }];
  });
  const inward: typeof out = [];
  // AWS scales in only when all policies with a target agree.
  const low = scaling.tracking.map((policy) => inAlarm(`${policy.address} low`, trackingAlarm(policy, "low")));
  if (low.length > 0 && low.every(Boolean)) {
    const to = Math.max(
      ...scaling.tracking.map((policy) =>
        trackedCapacity(policy.target, capacity.desired, newest(policy, SCALE_IN_MINUTES)),
      ),
    );
    inward.push({ to, cooldown: minutesOf(scaling.tracking[0]?.inCooldownSeconds) });
  }
  for (const policy of scaling.steps) {
    if (!inAlarm(policy.address, policy.alarm)) continue;
    const value = newest(policy.alarm, policy.alarm.evaluationPeriods);
    if (value === undefined) continue;
    const cooldown = minutesOf(policy.cooldownSeconds ?? policy.warmupSeconds);
    const to = stepCapacity(policy, base, value);
    if (to >= base) out.push({ to, cooldown });
    else inward.push({ to: stepCapacity(policy, capacity.desired, value), cooldown });
  }
  for (const { to, cooldown } of out) capacity.scaleOut(to, now, cooldown);
  // "Application Auto Scaling scales based on the policy that provides the largest capacity."
  if (out.length === 0) for (const { to, cooldown } of inward) capacity.scaleIn(to, now, cooldown);
}

/** The alarms that AWS makes for a policy with a target. */
function trackingAlarm({ rows, target }: TrackingPolicy, side: "high" | "low"): MetricAlarm {
  const minutes = side === "high" ? SCALE_OUT_MINUTES : SCALE_IN_MINUTES;
  return {
    rows,
    periodSeconds: 60,
    evaluationPeriods: minutes,
    datapointsToAlarm: minutes,
    threshold: side === "high" ? target : SCALE_IN_BELOW * target,
    comparison: side === "high" ? "GreaterThanThreshold" : "LessThanThreshold",
    treatMissingData: "missing",
  };
}

/** Metrics that the policies of a service look at, each once. */
export function metricsOfScaling({ tracking, steps }: SynthesizedScaling): MetricStat[] {
  const rows = [...tracking.flatMap((policy) => policy.rows), ...steps.flatMap(({ alarm }) => alarm.rows)];
  return [...new Map(rows.flatMap(({ metric }) => (metric === undefined ? [] : [[keyOf(metric), metric]]))).values()];
}

type Report = (metric: MetricStat) => readonly number[] | undefined;

/** Web service whose tasks each handle 100 requests a minute at `perTask` percent of CPU; only one target group gets requests. */
export function webWorld(
  requestsAt: (minute: number) => number,
  busyPercent: (requestsPerTask: number) => number,
): World {
  let first: string | undefined;
  return {
    reported: ({ metricName }) => (metricName === "RequestCount" ? "with traffic" : "always"),
    minute: (minute, tasks): Report => {
      const requests = requestsAt(minute);
      const percent = Math.min(100, busyPercent(tasks === 0 ? 0 : requests / tasks));
      return ({ metricName, dimensions }) => {
        const group = dimensions.TargetGroup;
        first ??= group;
        const idle = group !== undefined && group !== first;
        switch (metricName) {
          case "RequestCount":
            return idle || requests === 0 ? undefined : [requests];
          case "RequestCountPerTarget":
            return tasks === 0 || requests === 0 ? undefined : [requests / tasks];
          case "HealthyHostCount":
            return [idle ? 0 : tasks];
          case "NetworkIn":
          case "NetworkOut":
            return Array<number>(tasks).fill(0);
          case "CPUUtilization":
          case "MemoryUtilization":
            return tasks === 0 ? undefined : Array<number>(tasks).fill(percent);
          case "SessionsPerTask":
            return tasks === 0 ? undefined : [requests / tasks];
          default:
            throw new Error(`say in scaling.ts what ${metricName} looks like`);
        }
      };
    },
  };
}

/** A queue whose worker handles `perTask` messages a minute with each task. */
export function queueWorld(
  messagesAt: (minute: number) => number,
  perTask: number,
  lostFrom = Number.POSITIVE_INFINITY,
): World {
  let left = 0;
  return {
    reported: () => "always",
    minute: (minute, tasks): Report => {
      const all = left + messagesAt(minute);
      left = Math.max(0, all - tasks * perTask);
      const [waiting, working] = [left, Math.min(tasks, all)];
      return ({ namespace, metricName }) => {
        if (namespace === "AWS/ECS")
          return tasks === 0 || minute >= lostFrom ? undefined : Array<number>(tasks).fill(50);
        return metricName === "ApproximateNumberOfMessagesVisible" ? [waiting] : [working];
      };
    },
  };
}

/** Minutes from when there is more to do until a policy, alone, changes the number of tasks. Undefined: never. */
export function minutesToScale(scaling: SynthesizedScaling, address: string, arrival: Arrival): number | undefined {
  const begins = 30;
  const only = <T extends { address: string }>(policies: readonly T[]) =>
    policies.filter((each) => each.address === address);
  const alone = { ...scaling, min: 0, max: 100, tracking: only(scaling.tracking), steps: only(scaling.steps) };
  const step = alone.steps[0];
  const fromZero = address.includes("ScaleFromZero");
  const isOut = step?.steps.some(({ adjustment }) => adjustment > 0) ?? true;
  const world = (): World => {
    if (fromZero) return queueWorld((minute) => (minute === begins ? 1 : 0), 1);
    if (address.includes("ScaleOnMessages")) return queueWorld((minute) => (minute < begins ? 95 : 2000), 95 / 2);
    if (step === undefined)
      return webWorld(
        (minute) => (minute < begins ? 190 : 2000),
        (requests) => requests * 0.5,
      );
    const { threshold } = step;
    return {
      reported: () => "always",
      minute: (minute) => () => [minute < begins === isOut ? threshold - 1 : threshold + 1],
    };
  };
  const tasks = fromZero ? 0 : 2;
  const { wanted } = simulate({ scaling: alone, world: world(), arrival, tasks, minutes: begins + 60 });
  const index = wanted.findIndex((each, minute) => minute >= begins && each !== wanted[begins - 1]);
  return index < 0 ? undefined : index - begins + 1;
}
