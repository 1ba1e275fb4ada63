import type { AlarmState } from "./alarms/metric-alarm";

type Changes = Readonly<Record<number, AlarmState>>;

/**
 * Times at which a composite alarm acts although it has a suppressor: it waits for the suppressor after each change, and for
 * its own recovery after the suppressor's.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-suppression.html
 */
export function actionsDespite(
  { alarm, suppressor, wait, extension }: { alarm: Changes; suppressor: Changes; wait: number; extension: number },
  end: number,
): [time: number, state: AlarmState][] {
  const actions: [number, AlarmState][] = [];
  let [state, suppressed]: [AlarmState, boolean] = ["OK", false];
  let pending: number | undefined;
  for (let time = 0; time <= end; time += 1) {
    const next = suppressor[time];
    if (next !== undefined) {
      const was = suppressed;
      suppressed = next === "ALARM";
      if (suppressed) pending = undefined;
      else if (was) pending = time + extension;
    }
    const changed = alarm[time];
    if (changed !== undefined && changed !== state) {
      state = changed;
      pending = suppressed ? undefined : time + wait;
    }
    if (pending === time) {
      actions.push([time, state]);
      pending = undefined;
    }
  }
  return actions;
}
