import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Emulator } from "../../emulator";
import {
  ALARM_STATES,
  COMPOSITES,
  LOW_SAMPLES,
  METRIC_MATH,
  PREMATURE,
  STATISTIC_VALUES,
} from "../contract/alarms/documented";
import { everythingWatched } from "../contract/alarms/everything-watched";
import { EXPRESSIONS, REFUSED_EXPRESSIONS } from "../contract/alarms/expressions";
import { LATE, PUNCTUAL, SPARSE } from "../contract/alarms/metrics";
import { arrivals, causesOf, lookBack, metricsOf, type Run, shapeOf, type Watched } from "../contract/alarms/timeline";
import { type AlarmState, evaluateAlarm } from "../support/alarms/metric-alarm";
import { AwsCaller, field } from "../support/aws-call";
import { describeOnEmulator, tools } from "../support/deployment";

const PYTHON = `
import json, sys
sys.path.insert(0, sys.argv[1])
from alarm_states import MetricAlarm, Row, Sample, composite_state, evaluate_alarm, significant_samples, state_of, statistic
from metric_math import MathError, evaluate

def alarm(rows, **fields):
    return MetricAlarm(rows=tuple(rows), **{"period_minutes": 1, "threshold": 1, "comparison": "GreaterThanThreshold", **fields})

def state(each):
    settings = alarm([], evaluation_periods=each["evaluationPeriods"], datapoints_to_alarm=each["datapointsToAlarm"], missing=each["missing"])
    return state_of(settings, each["points"], each["before"])

def math(each):
    try:
        return evaluate(each["expression"], lambda id: each["metrics"][id], each["length"])
    except MathError:
        return "refused"

def run(each):
    key = lambda name: ("", name, frozenset())
    rows = [Row(r["id"], r["returned"], key(r["metric"]) if r.get("metric") else None, r.get("statistic", ""), r.get("expression", "")) for r in each["rows"]]
    settings = alarm(rows, period_minutes=each["periodMinutes"], evaluation_periods=each["evaluationPeriods"], datapoints_to_alarm=each["datapointsToAlarm"],
        threshold=each["threshold"], comparison=each["comparison"], missing=each["missing"], ignores_low_samples=each["ignoresLowSamples"])
    states, before = [], "OK"
    for now in range(each["from"], each["to"]):
        def samples(metric, minute):
            held = each["metrics"][metric[1]]
            return [Sample(1, v, v, v) for v in held["minutes"][minute] or []] if minute >= 0 and minute + 1 + held["late"] <= now else []
        before = evaluate_alarm(settings, samples, now, before)
        states.append(before)
    return states

def few(each):
    return significant_samples(each)

def stat(each):
    return [statistic(each["statistic"], [Sample(1, v, v, v) for v in each["samples"]]), statistic(each["statistic"], [])]

def composite(each):
    return composite_state(each["rule"], lambda name: each["states"].get(name, "OK"))

print(json.dumps({name: [globals()[name](each) for each in cases] for name, cases in json.load(sys.stdin).items()}))
`;

/** Results of the emulator's functions for cases, by function. */
function resultsOf(cases: Readonly<Record<string, readonly unknown[]>>): Record<string, unknown[]> {
  const python = tools.python.found ? tools.python.path : "";
  const folder = join(__dirname, "../../emulator/python");
  const options = { input: JSON.stringify(cases), encoding: "utf8", maxBuffer: 1 << 28 } as const;
  return JSON.parse(execFileSync(python, ["-c", PYTHON, folder], options));
}

const VALUES: Readonly<Record<string, number | null>> = { "0": 0, X: 2, "-": null };
const pointsOf = (text: string) => text.split(" ").map((point) => VALUES[point]);
const present = (points: readonly (number | undefined)[]) => points.map((point) => point ?? null);

describeOnEmulator("the emulator's evaluation of alarms", () => {
  test("agrees with the states that AWS documents", () => {
    const cases = [
      ...ALARM_STATES.flatMap((each) =>
        (["missing", "ignore", "breaching", "notBreaching"] as const).flatMap((missing) =>
          (["OK", "ALARM"] as const).map((before) => {
            const { datapointsToAlarm, evaluationPeriods } = each;
            const expected = each[missing] === "retained" ? before : each[missing];
            return { points: pointsOf(each.points), datapointsToAlarm, evaluationPeriods, missing, before, expected };
          }),
        ),
      ),
    ];
    const premature = PREMATURE.map(({ points }) => ({
      points: pointsOf(points),
      datapointsToAlarm: 3,
      evaluationPeriods: 3,
      missing: "missing",
      before: "OK",
    }));
    const { state = [] } = resultsOf({ state: [...cases, ...premature] });
    expect(state.slice(0, cases.length)).toEqual(cases.map(({ expected }) => expected));
    expect(state.slice(cases.length).map((each) => each === "ALARM")).toEqual(PREMATURE.map(({ alarm }) => alarm));
  });

  test("agrees with the metric math, statistics and rules that AWS documents, and with those of the constructs' tests", () => {
    const math = [
      ...METRIC_MATH.map(({ metrics, expression, result }) => ({
        metrics: Object.fromEntries(Object.entries(metrics).map(([id, points]) => [id, present(points)])),
        length: Object.values(metrics)[0]?.length,
        expression,
        result: present(result),
      })),
      ...EXPRESSIONS.map(([expression, result]) => ({
        metrics: { m: [4, null] },
        length: 2,
        expression,
        result: present(result),
      })),
      ...REFUSED_EXPRESSIONS.map(([expression]) => ({
        metrics: { m: [4, null] },
        length: 2,
        expression,
        result: "refused",
      })),
    ];
    const found = resultsOf({
      math,
      stat: STATISTIC_VALUES,
      few: LOW_SAMPLES.map(({ percentile }) => percentile),
      composite: COMPOSITES,
    });
    expect(found.math).toEqual(math.map(({ result }) => result));
    expect(found.stat).toEqual(STATISTIC_VALUES.map(({ value }) => [value, null]));
    expect(found.few).toEqual(LOW_SAMPLES.map(({ samples }) => samples));
    expect(found.composite).toEqual(COMPOSITES.map(({ state }) => state));
  });

  test("agrees with the constructs' tests about every alarm, minute by minute: punctual, late and sparse", () => {
    const shapes = new Map(
      everythingWatched()
        .flatMap(({ alarms }) => alarms)
        .filter((watched) => lookBack(watched) <= 60)
        .map((watched) => [shapeOf(watched), watched] as const),
    );
    const runs = [...shapes.values()].flatMap((watched: Watched) =>
      [PUNCTUAL, LATE, SPARSE].flatMap((arrival) =>
        causesOf(watched)
          .slice(0, 1)
          .flatMap((cause) => runsOf(watched, { arrival, cause })),
      ),
    );
    const { run = [] } = resultsOf({ run: runs.map(({ input }) => input) });
    expect(runs.length).toBeGreaterThan(60);
    expect(runs.filter(({ states }) => states.includes("ALARM")).length).toBeGreaterThan(50);
    expect(run).toEqual(runs.map(({ states }) => states));
  });

  describe("through the API", () => {
    let emulator: Emulator;
    let aws: AwsCaller;

    beforeAll(async () => {
      const log = join(mkdtempSync(join(tmpdir(), "antifragile-alarms-")), "emulator.log");
      emulator = await Emulator.start({ log, tools, catalogue: false });
      aws = new AwsCaller(emulator.url);
    });
    beforeEach(() => emulator.reset());
    afterAll(() => emulator?.stop());

    const cloudWatch = (operation: string, params: object = {}) => aws.call("monitoring", operation, { ...params });
    const dimensions = [{ Name: "LoadBalancer", Value: "app/shop" }];
    const MINUTE = 60_000;
    /** Puts one value a minute, the last one in the minute before this one. */
    const put = (MetricName: string, values: readonly number[]) =>
      cloudWatch("PutMetricData", {
        Namespace: "AWS/ApplicationELB",
        MetricData: values.map((Value, index) => ({
          MetricName,
          Dimensions: dimensions,
          Value,
          Timestamp: new Date(Date.now() - (values.length - index) * MINUTE).toISOString(),
        })),
      });
    const query = (Id: string, MetricName: string) => ({
      Id,
      ReturnData: false,
      MetricStat: {
        Metric: { Namespace: "AWS/ApplicationELB", MetricName, Dimensions: dimensions },
        Period: 60,
        Stat: "Sum",
      },
    });
    const errors = (change: object = {}) =>
      cloudWatch("PutMetricAlarm", {
        AlarmName: "errors",
        ComparisonOperator: "GreaterThanThreshold",
        Threshold: 5,
        EvaluationPeriods: 3,
        DatapointsToAlarm: 2,
        TreatMissingData: "notBreaching",
        Metrics: [
          query("requests", "RequestCount"),
          query("failed", "HTTPCode_Target_5XX_Count"),
          { Id: "percent", Expression: "100 * FILL(failed, 0) / requests", ReturnData: true },
        ],
        ...change,
      });
    const stateOf = async (name: string) =>
      field(await cloudWatch("DescribeAlarms", { AlarmNames: [name], AlarmTypes: ["MetricAlarm"] }), "StateValue");

    test("an alarm fires when its metric breaches, and recovers", async () => {
      await errors();
      await put("RequestCount", [100, 100, 100, 100]);
      await put("HTTPCode_Target_5XX_Count", [0, 0, 20]);
      expect(await stateOf("errors")).toBe("OK");
      await put("HTTPCode_Target_5XX_Count", [20, 0]);
      expect(await stateOf("errors")).toBe("ALARM");
      expect(await cloudWatch("DescribeAlarms", { StateValue: "ALARM" })).toContain("<AlarmName>errors<");
      await put("RequestCount", [1000, 1000, 1000]);
      expect(await stateOf("errors")).toBe("OK");
    });

    test("an alarm on one metric follows its statistic, and keeps a state that was set while it has no metrics", async () => {
      await cloudWatch("PutMetricAlarm", {
        AlarmName: "slow",
        Namespace: "AWS/ApplicationELB",
        MetricName: "TargetResponseTime",
        Dimensions: dimensions,
        Statistic: "Maximum",
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
        Threshold: 2,
        EvaluationPeriods: 1,
        Period: 120,
      });
      await cloudWatch("SetAlarmState", { AlarmName: "slow", StateValue: "ALARM", StateReason: "a test" });
      expect(await stateOf("slow")).toBe("ALARM");
      await put("TargetResponseTime", [1, 1.9]);
      expect(await stateOf("slow")).toBe("OK");
      const StatisticValues = { SampleCount: 3, Sum: 6, Minimum: 1, Maximum: 3 };
      const Timestamp = new Date(Date.now() - 2 * MINUTE).toISOString();
      await cloudWatch("PutMetricData", {
        Namespace: "AWS/ApplicationELB",
        MetricData: [{ MetricName: "TargetResponseTime", Dimensions: dimensions, StatisticValues, Timestamp }],
      });
      expect(await stateOf("slow")).toBe("ALARM");
    });

    test("a composite alarm follows those that it names, and is found by its state", async () => {
      await errors();
      await cloudWatch("PutCompositeAlarm", {
        AlarmName: "broken",
        AlarmRule: 'ALARM("errors") AND NOT ALARM("deploying")',
      });
      const inAlarm = () => cloudWatch("DescribeAlarms", { StateValue: "ALARM", AlarmTypes: ["CompositeAlarm"] });
      expect(await inAlarm()).not.toContain("broken");
      await put("RequestCount", [100, 100, 100]);
      await put("HTTPCode_Target_5XX_Count", [20, 20, 20]);
      expect(await inAlarm()).toContain("<AlarmName>broken<");
    });

    test("an alarm whose expression is not evaluated keeps its state", async () => {
      await errors({ Metrics: [query("m", "RequestCount"), { Id: "rate", Expression: "RATE(m)", ReturnData: true }] });
      const before = await stateOf("errors");
      await put("RequestCount", [1, 1000, 100_000]);
      expect(await stateOf("errors")).toBe(before);
    });
  });
});

/** Each metric alarm of a watched thing during one fault: the emulator's input, and the states by the constructs' tests. */
function runsOf(watched: Watched, { arrival, cause }: Pick<Run, "arrival" | "cause">) {
  const from = lookBack(watched);
  const fault = { from: from + 10, to: from + 40 };
  const to = fault.to + lookBack(watched) + 5;
  return watched.members.map((alarm) => {
    const samplesAt = arrivals({ watched, arrival, cause, fault }, alarm);
    const states: AlarmState[] = [];
    for (let now = from; now < to; now += 1) {
      states.push(evaluateAlarm(alarm, samplesAt(now), now, states.at(-1) ?? "OK"));
    }
    const metrics = metricsOf({ ...watched, members: [alarm] });
    const all = samplesAt(Number.POSITIVE_INFINITY);
    const nameOf = (metric: object) => JSON.stringify(metric);
    const minutes = Array.from({ length: to }, (_, minute) => minute);
    const input = {
      from,
      to,
      rows: alarm.rows.map(({ metric, ...row }) =>
        metric === undefined ? row : { ...row, metric: nameOf(metric), statistic: metric.statistic },
      ),
      periodMinutes: alarm.periodSeconds / 60,
      evaluationPeriods: alarm.evaluationPeriods,
      datapointsToAlarm: alarm.datapointsToAlarm,
      threshold: alarm.threshold,
      comparison: alarm.comparison,
      missing: alarm.treatMissingData,
      ignoresLowSamples: alarm.lowSamples === "ignore",
      metrics: Object.fromEntries(
        alarm.rows.flatMap(({ metric }) =>
          metric === undefined
            ? []
            : [
                [
                  nameOf(metric),
                  { late: arrival.late(metric), minutes: minutes.map((minute) => all(metric, minute) ?? null) },
                ],
              ],
        ),
      ),
    };
    return { input, states, metrics };
  });
}
