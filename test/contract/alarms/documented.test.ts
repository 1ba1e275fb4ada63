import { describe, expect, it } from "vitest";
import { actionsDespite } from "../../support/alarm-suppression";
import { compositeState } from "../../support/alarms/composite-alarm";
import {
  type AlarmState,
  evaluateAlarm,
  type MetricAlarm,
  minutesOf,
  stateOfDatapoints,
} from "../../support/alarms/metric-alarm";
import { evaluateExpression, MetricMathError } from "../../support/alarms/metric-math";
import { significantSamples, statisticOf } from "../../support/alarms/statistics";
import { Capacity, stepCapacity, trackedCapacity, wholeTasks } from "../../support/scaling-policy";
import {
  ALARM_STATES,
  COMPOSITES,
  COOLDOWN,
  LOW_SAMPLES,
  METRIC_MATH,
  PREMATURE,
  ROUNDED,
  STATISTIC_VALUES,
  STEP_SCALING,
  SUPPRESSION_EXAMPLES,
  TARGET_TRACKING,
  THREE_OF_THREE,
  WINDOWS,
} from "./documented";
import { EXPRESSIONS, REFUSED_EXPRESSIONS } from "./expressions";

const VALUES: Readonly<Record<string, number | undefined>> = { "0": 0, X: 2, "-": undefined };
const pointsOf = (text: string) => text.split(" ").map((point) => VALUES[point]);
const aboveOne = { threshold: 1, comparison: "GreaterThanThreshold" };

describe("an alarm's state", () => {
  for (const each of ALARM_STATES) {
    const { points, datapointsToAlarm, evaluationPeriods } = each;
    for (const treatMissingData of ["missing", "ignore", "breaching", "notBreaching"] as const) {
      const expected = each[treatMissingData];
      it(`is ${expected} for ${points}, ${datapointsToAlarm} of ${evaluationPeriods}, missing data ${treatMissingData}`, () => {
        for (const before of ["OK", "ALARM"] as const) {
          const alarm = { ...aboveOne, datapointsToAlarm, evaluationPeriods, treatMissingData };
          const state = stateOfDatapoints(pointsOf(points), alarm, before);
          expect(state).toBe(expected === "retained" ? before : expected);
        }
      });
    }
  }

  it.each(PREMATURE)("does not enter ALARM too early: $points", ({ points, alarm }) => {
    const settings = { ...aboveOne, datapointsToAlarm: 3, evaluationPeriods: 3, treatMissingData: "missing" };
    expect(stateOfDatapoints(pointsOf(points), settings, "OK") === "ALARM").toBe(alarm);
  });

  it("follows the periods", () => {
    const { threshold, values, states } = THREE_OF_THREE;
    const alarm = { threshold, comparison: "GreaterThanThreshold", datapointsToAlarm: 3, evaluationPeriods: 3 };
    const found = values.map((_, index) =>
      stateOfDatapoints(values.slice(0, index + 1), { ...alarm, treatMissingData: "missing" }, "OK"),
    );
    expect(found).toEqual(states);
  });

  it.each(WINDOWS)("evaluates minutes $minutes at the end of minute $evaluatedAtEndOfMinute", (each) => {
    // Minute 1 of the page is minute 0 here.
    const minutes = minutesOf(each.periodSeconds, each.evaluatedAtEndOfMinute);
    expect(minutes.map((minute) => minute + 1)).toEqual(each.minutes);
  });

  it.each(LOW_SAMPLES)(
    "of p$percentile needs $samples samples if low samples are ignored",
    ({ percentile, samples }) => {
      expect(significantSamples(percentile)).toBe(samples);
      const metric = { namespace: "Shop", metricName: "Time", dimensions: {}, statistic: `p${percentile}` };
      const alarm: MetricAlarm = {
        ...aboveOne,
        rows: [{ id: "time", metric, returned: true }],
        periodSeconds: 60,
        evaluationPeriods: 1,
        datapointsToAlarm: 1,
        treatMissingData: "notBreaching",
        lowSamples: "ignore",
      };
      const state = (count: number) => evaluateAlarm(alarm, () => Array<number>(count).fill(2), 10, "OK");
      expect([state(samples - 1), state(samples)]).toEqual(["OK", "ALARM"]);
    },
  );

  it("is undefined for a function that is not supported here", () => {
    const row = (expression: string) => ({ id: "result", expression, returned: true });
    const alarm = {
      ...aboveOne,
      periodSeconds: 60,
      evaluationPeriods: 1,
      datapointsToAlarm: 1,
      treatMissingData: "missing",
    };
    const evaluate =
      (...expressions: string[]) =>
      () =>
        evaluateAlarm({ ...alarm, rows: expressions.map(row) }, () => [1], 10, "OK");
    expect(evaluate("RUNNING_SUM(result)")).toThrow(MetricMathError);
    expect(evaluate("result + 1")).toThrow('The row "result" depends on itself.');
    expect(evaluate("other")).toThrow('No row has the id "other".');
    expect(evaluate("1", "2")).toThrow("One row must be returned, got 2.");
  });
});

describe("metric math", () => {
  it.each(METRIC_MATH)("$expression of $metrics", ({ metrics, expression, result }) => {
    const length = Object.values(metrics)[0]?.length ?? 0;
    expect(evaluateExpression(expression, (id) => metrics[id] ?? [], length)).toEqual(result);
  });

  const evaluate = (expression: string) => evaluateExpression(expression, () => [4, undefined], 2);

  it.each(EXPRESSIONS)("reads %s", (expression, expected) => {
    expect(evaluate(expression)).toEqual(expected);
  });

  it.each(REFUSED_EXPRESSIONS)("refuses %s", (expression, message) => {
    expect(() => evaluate(expression)).toThrow(message);
  });
});

describe("statistics", () => {
  it.each(STATISTIC_VALUES)("$statistic of $samples is $value", ({ statistic, samples, value }) => {
    expect(statisticOf(statistic, samples)).toBe(value);
    expect(statisticOf(statistic, [])).toBeUndefined();
  });

  it("of a percentile are the nearest rank", () => {
    expect(statisticOf("p99", [3, 1, 2])).toBe(3);
    expect(statisticOf("p50", [3, 1, 2])).toBe(2);
  });

  it("that are not computed are refused", () => {
    expect(() => statisticOf("tm99", [1])).toThrow('"tm99" is not computed here');
  });
});

describe("a composite alarm", () => {
  it.each(COMPOSITES)("is $state for $rule and $states", ({ rule, states, state }) => {
    expect(compositeState(rule, (alarm) => states[alarm] as AlarmState)).toBe(state);
  });

  it.each(["ALARM(a) ALARM(b)", "ALARM(a", "(ALARM(a)", "ATLEAST(1, ALARM, (a, b))", ""])("refuses %j", (rule) => {
    expect(() => compositeState(rule, () => "OK")).toThrow("cannot be read");
  });

  it.each(SUPPRESSION_EXAMPLES)("with a suppressor, example $title", ({ alarm, suppressor, actions }) => {
    expect(actionsDespite({ alarm, suppressor, wait: 2, extension: 3 }, 20)).toEqual(actions);
  });
});

describe("a scaling policy", () => {
  it.each(STEP_SCALING)("of $type makes $result of $capacity at $value", (each) => {
    expect(stepCapacity(each, each.capacity, each.value)).toBe(each.result);
  });

  it.each(ROUNDED)("rounds $from to $to", ({ from, to }) => {
    expect(wholeTasks(from)).toBe(to);
  });

  it.each(COOLDOWN)("adds $first, and $second during its cooldown: $result", ({ before, first, second, result }) => {
    const capacity = new Capacity(before, 0, 100);
    capacity.scaleOut(capacity.base(0) + first, 0, 5);
    capacity.scaleOut(capacity.base(1) + second, 1, 5);
    expect(capacity.desired).toBe(result);
    capacity.scaleOut(capacity.base(6) + second, 6, 5);
    expect(capacity.desired).toBe(result + second);
  });

  it("scales in once in a cooldown, and out meanwhile", () => {
    const capacity = new Capacity(10, 2, 20);
    capacity.scaleIn(8, 0, 5);
    capacity.scaleIn(6, 4, 5);
    expect(capacity.desired).toBe(8);
    capacity.scaleOut(9, 4, 5);
    capacity.scaleIn(1, 4, 5);
    expect(capacity.desired).toBe(2);
  });

  it.each(TARGET_TRACKING)("tracks $target: $capacity at $value becomes $result", (each) => {
    expect(trackedCapacity(each.target, each.capacity, each.missing ? undefined : each.value)).toBe(each.result);
  });
});
