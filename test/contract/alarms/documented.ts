/**
 * Results that AWS documents for alarms, metric math and scaling policies, one a row, with the page each comes from.
 * Points are written as AWS writes them: `0` within the threshold, `X` beyond it, `-` missing, the newest on the right.
 */

const CLOUDWATCH = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring";
const MISSING_DATA = `${CLOUDWATCH}/alarms-and-missing-data.html`;
const EVALUATION = `${CLOUDWATCH}/alarm-evaluation.html`;
const MATH = `${CLOUDWATCH}/using-metric-math.html`;
const PERCENTILES = `${CLOUDWATCH}/percentiles-with-low-samples.html`;
const COMPOSITE = `${CLOUDWATCH}/alarm-combining.html`;
const SUPPRESSION = `${CLOUDWATCH}/alarm-suppression.html`;
const STATISTICS = `${CLOUDWATCH}/Statistics-definitions.html`;
/** The edition of 2019, which also gives states for `- - - - X`; later ones describe them in words. */
const MISSING_DATA_2019 =
  "https://github.com/awsdocs/amazon-cloudwatch-user-guide/blob/05fd32f63861ca6646c8aa5c94334fd6e0dfdbf5/doc_source/AlarmThatSendsEmail.md";
const AUTO_SCALING = "https://docs.aws.amazon.com/autoscaling/application/userguide";
const STEPS = `${AUTO_SCALING}/step-scaling-policy-overview.html`;
const TRACKING = `${AUTO_SCALING}/target-tracking-scaling-policy-overview.html`;

type State = "OK" | "ALARM" | "INSUFFICIENT_DATA";

/** State of an alarm by its missing-data treatment. `retained` is the state it had before. */
export interface DocumentedState {
  readonly source: string;
  readonly points: string;
  readonly datapointsToAlarm: number;
  readonly evaluationPeriods: number;
  readonly missing: State;
  readonly ignore: State | "retained";
  readonly breaching: State;
  readonly notBreaching: State;
}

const row = (
  source: string,
  [datapointsToAlarm, evaluationPeriods]: readonly [number, number],
  points: string,
  [missing, ignore, breaching, notBreaching]: readonly [State, State | "retained", State, State],
): DocumentedState => ({
  source,
  points,
  datapointsToAlarm,
  evaluationPeriods,
  missing,
  ignore,
  breaching,
  notBreaching,
});

export const ALARM_STATES: readonly DocumentedState[] = [
  row(MISSING_DATA, [3, 3], "0 - X - X", ["OK", "OK", "OK", "OK"]),
  row(MISSING_DATA, [3, 3], "0 - - - -", ["OK", "OK", "OK", "OK"]),
  row(MISSING_DATA, [3, 3], "- - - - -", ["INSUFFICIENT_DATA", "retained", "ALARM", "OK"]),
  row(MISSING_DATA, [3, 3], "0 X X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
  row(MISSING_DATA, [3, 3], "- - X - -", ["ALARM", "retained", "ALARM", "OK"]),
  row(MISSING_DATA, [2, 3], "0 - X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
  row(MISSING_DATA, [2, 3], "0 0 X 0 X", ["ALARM", "ALARM", "ALARM", "ALARM"]),
  row(MISSING_DATA, [2, 3], "0 - X - -", ["OK", "OK", "ALARM", "OK"]),
  row(MISSING_DATA, [2, 3], "- - - - 0", ["OK", "OK", "ALARM", "OK"]),
  row(MISSING_DATA, [2, 3], "- - - X -", ["ALARM", "retained", "ALARM", "OK"]),
  row(MISSING_DATA_2019, [3, 3], "- - - - X", ["INSUFFICIENT_DATA", "retained", "ALARM", "OK"]),
  row(MISSING_DATA_2019, [3, 3], "X - - - -", ["ALARM", "retained", "ALARM", "OK"]),
  row(MISSING_DATA_2019, [2, 3], "- - - - X", ["INSUFFICIENT_DATA", "retained", "ALARM", "OK"]),
];

/** "Avoiding premature transitions to alarm state": missing data are treated as missing, three datapoints of three. */
export const PREMATURE: readonly { readonly source: string; readonly points: string; readonly alarm: boolean }[] = [
  { source: MISSING_DATA, points: "- - - - X", alarm: false },
  { source: MISSING_DATA, points: "- - - X -", alarm: false },
  { source: MISSING_DATA, points: "- - - X 0", alarm: false },
  { source: MISSING_DATA, points: "- - X - 0", alarm: false },
  { source: MISSING_DATA, points: "- - X - -", alarm: true },
];

/** The graph of "Evaluating an alarm": three of three above 3. Values are one way to draw what its text describes. */
export const THREE_OF_THREE = {
  source: EVALUATION,
  threshold: 3,
  values: [1, 2, 4, 5, 4, 2, 1, 2, 4, 2],
  /** From the third to the fifth period the threshold is exceeded, at the sixth it is not, at the ninth for one period. */
  states: ["OK", "OK", "OK", "OK", "ALARM", "OK", "OK", "OK", "OK", "OK"],
} as const;

/** Minutes whose data one datapoint covers, by the minute at whose end the alarm is evaluated. */
export const WINDOWS = [
  { source: EVALUATION, periodSeconds: 300, evaluatedAtEndOfMinute: 5, minutes: [1, 2, 3, 4, 5] },
  { source: EVALUATION, periodSeconds: 300, evaluatedAtEndOfMinute: 6, minutes: [2, 3, 4, 5, 6] },
] as const;

/** Fewest samples from which a percentile is significant. */
export const LOW_SAMPLES = [
  { source: PERCENTILES, percentile: 99, samples: 1000 },
  { source: PERCENTILES, percentile: 50, samples: 20 },
  { source: PERCENTILES, percentile: 10, samples: 100 },
] as const;

type Points = readonly (number | undefined)[];
const _ = undefined;

/** Results of metric math. */
export interface DocumentedMath {
  readonly source: string;
  readonly metrics: Readonly<Record<string, Points>>;
  readonly expression: string;
  readonly result: Points;
}

const COMPARED = { metric1: [30, 20, 0, 0], metric2: [20, _, 20, _] };
const CHOSEN = { metric1: [1, 1, 0, 0, _], metric2: [30, _, 0, 0, 30], metric3: [0, 0, 20, _, 20] };

export const METRIC_MATH: readonly DocumentedMath[] = [
  { source: MATH, metrics: COMPARED, expression: "metric1 < metric2", result: [0, 0, 1, 0] },
  { source: MATH, metrics: COMPARED, expression: "metric1 >= 30", result: [1, 0, 0, 0] },
  { source: MATH, metrics: COMPARED, expression: "metric1 > 15 AND metric2 > 15", result: [1, 0, 0, 0] },
  { source: MATH, metrics: CHOSEN, expression: "IF(metric1, metric2, metric3)", result: [30, 0, 20, _, _] },
  { source: MATH, metrics: CHOSEN, expression: "IF(metric1, 5, metric3)", result: [5, 5, 20, _, _] },
  { source: MATH, metrics: CHOSEN, expression: "IF(metric1, metric2, 5)", result: [30, 0, 5, 5, _] },
  { source: MATH, metrics: CHOSEN, expression: "IF(1, metric2, metric3)", result: [30, _, 0, 0, 30] },
  { source: MATH, metrics: CHOSEN, expression: "IF(0, metric2, metric3)", result: [0, 0, 20, _, 20] },
  // "IF(metric1<400, metric1)": only the low values; "IF(metric1<400, 10, 2)": one of two values.
  { source: MATH, metrics: { m1: [100, 500, _] }, expression: "IF(m1 < 400, m1)", result: [100, _, _] },
  { source: MATH, metrics: { m1: [100, 500, _] }, expression: "IF(m1 < 400, 10, 2)", result: [10, 2, _] },
  // "Missing values in a time series are treated as 0. ... to divide by zero, the data point is dropped."
  { source: MATH, metrics: { m1: [1, _, 3], m2: [10, 20, _] }, expression: "m1 + m2", result: [11, 20, 3] },
  { source: MATH, metrics: { m1: [1, _, 3], m2: [10, 20, _] }, expression: "m1 / m2", result: [0.1, 0, _] },
  { source: MATH, metrics: { m1: [6, 6], m2: [0, 3] }, expression: "m1 / m2", result: [_, 2] },
  // The newest minute has no data yet: "FILL replaces that missing data point with the requested value".
  { source: MATH, metrics: { m1: [7, 8, _] }, expression: "FILL(m1, 0)", result: [7, 8, 0] },
  { source: MATH, metrics: { m1: [7, 8, _] }, expression: "FILL(m1, REPEAT)", result: [7, 8, 8] },
  { source: MATH, metrics: { m1: [_, 4, _, 8, _] }, expression: "FILL(m1, LINEAR)", result: [_, 4, 6, 8, _] },
  // Of an array one time series, of a time series one number.
  { source: MATH, metrics: { m1: [1, 5], m2: [4, 2] }, expression: "MAX([m1, m2])", result: [4, 5] },
  { source: MATH, metrics: { m1: [1, 5], m2: [4, 2] }, expression: "SUM([m1, m2])", result: [5, 7] },
  { source: MATH, metrics: { m1: [1, 5] }, expression: "m1 - MIN(m1)", result: [0, 4] },
];

/** Statistics over the samples of one period. */
export const STATISTIC_VALUES = [
  { source: STATISTICS, statistic: "SampleCount", samples: [1, 2, 6], value: 3 },
  { source: STATISTICS, statistic: "Sum", samples: [1, 2, 6], value: 9 },
  { source: STATISTICS, statistic: "Average", samples: [1, 2, 6], value: 3 },
  { source: STATISTICS, statistic: "Minimum", samples: [1, 2, 6], value: 1 },
  { source: STATISTICS, statistic: "Maximum", samples: [1, 2, 6], value: 6 },
  { source: STATISTICS, statistic: "TC(:2)", samples: [1, 2, 6], value: 2 },
] as const;

/** Composite alarms, by the states of those that they name. */
export const COMPOSITES: readonly {
  readonly source: string;
  readonly rule: string;
  readonly states: Readonly<Record<string, State>>;
  readonly state: State;
}[] = [
  {
    source: COMPOSITE,
    rule: "ALARM(CPUUtilizationTooHigh) AND ALARM(DiskReadOpsTooHigh)",
    states: { CPUUtilizationTooHigh: "ALARM", DiskReadOpsTooHigh: "OK" },
    state: "OK",
  },
  {
    source: COMPOSITE,
    rule: "ALARM(CPUUtilizationTooHigh) AND ALARM(DiskReadOpsTooHigh)",
    states: { CPUUtilizationTooHigh: "ALARM", DiskReadOpsTooHigh: "ALARM" },
    state: "ALARM",
  },
  {
    source: COMPOSITE,
    rule: "ALARM(CPUUtilizationTooHigh) AND NOT ALARM(DeploymentInProgress)",
    states: { CPUUtilizationTooHigh: "ALARM", DeploymentInProgress: "ALARM" },
    state: "OK",
  },
  {
    source: COMPOSITE,
    rule: "ALARM(CPUUtilizationTooHigh) AND NOT ALARM(DeploymentInProgress)",
    states: { CPUUtilizationTooHigh: "ALARM", DeploymentInProgress: "OK" },
    state: "ALARM",
  },
  {
    source: COMPOSITE,
    rule: '(ALARM("CPUUtilizationTooHigh") OR ALARM("DiskReadOpsTooHigh")) AND OK("NetworkOutTooHigh")',
    states: { CPUUtilizationTooHigh: "OK", DiskReadOpsTooHigh: "ALARM", NetworkOutTooHigh: "OK" },
    state: "ALARM",
  },
  {
    source: COMPOSITE,
    rule: '(ALARM("CPUUtilizationTooHigh") OR ALARM("DiskReadOpsTooHigh")) AND OK("NetworkOutTooHigh")',
    states: { CPUUtilizationTooHigh: "OK", DiskReadOpsTooHigh: "ALARM", NetworkOutTooHigh: "INSUFFICIENT_DATA" },
    state: "OK",
  },
  { source: COMPOSITE, rule: "TRUE", states: {}, state: "ALARM" },
  { source: COMPOSITE, rule: "FALSE", states: {}, state: "OK" },
];

/** When a composite alarm acts, by the times at which it and its suppressor change: wait period 2, extension period 3. */
export const SUPPRESSION_EXAMPLES: readonly {
  readonly source: string;
  readonly title: string;
  readonly alarm: Readonly<Record<number, State>>;
  readonly suppressor: Readonly<Record<number, State>>;
  readonly actions: readonly (readonly [time: number, state: State])[];
}[] = [
  {
    source: SUPPRESSION,
    title: "1: actions are not suppressed after WaitPeriod",
    alarm: { 2: "ALARM" },
    suppressor: {},
    actions: [[4, "ALARM"]],
  },
  {
    source: SUPPRESSION,
    title: "2: actions are suppressed by alarm before WaitPeriod expires",
    alarm: { 2: "ALARM" },
    suppressor: { 3: "ALARM" },
    actions: [],
  },
  {
    source: SUPPRESSION,
    title: "3: state transition when actions are suppressed by WaitPeriod",
    alarm: { 2: "ALARM", 3: "OK" },
    suppressor: {},
    actions: [[5, "OK"]],
  },
  {
    source: SUPPRESSION,
    title: "4: state transition when actions are suppressed by alarm",
    alarm: { 2: "ALARM" },
    suppressor: { 1: "ALARM" },
    actions: [],
  },
  {
    source: SUPPRESSION,
    title: "5: actions are not suppressed after ExtensionPeriod",
    alarm: { 2: "ALARM" },
    suppressor: { 3: "ALARM", 6: "OK" },
    actions: [[9, "ALARM"]],
  },
  {
    source: SUPPRESSION,
    title: "6: state transition when actions are suppressed by ExtensionPeriod",
    alarm: { 2: "ALARM", 7: "OK" },
    suppressor: { 3: "ALARM", 6: "OK" },
    actions: [[9, "OK"]],
  },
];

const OUT = [
  { from: 0, to: 10, adjustment: 0 },
  { from: 10, to: 20, adjustment: 10 },
  { from: 20, adjustment: 30 },
];
const IN = [
  { from: -10, to: 0, adjustment: 0 },
  { from: -20, to: -10, adjustment: -10 },
  { to: -20, adjustment: -30 },
];

type AdjustmentType = "ChangeInCapacity" | "ExactCapacity" | "PercentChangeInCapacity";

/** Capacity after a step scaling policy acted. */
export const STEP_SCALING: readonly {
  readonly source: string;
  readonly type: AdjustmentType;
  readonly steps: readonly { readonly from?: number; readonly to?: number; readonly adjustment: number }[];
  readonly threshold: number;
  readonly value: number;
  readonly capacity: number;
  readonly minAdjustmentMagnitude?: number;
  readonly result: number;
}[] = [
  { type: "PercentChangeInCapacity", steps: OUT, value: 59, capacity: 10, result: 10 },
  { type: "PercentChangeInCapacity", steps: OUT, value: 60, capacity: 10, result: 11 },
  { type: "PercentChangeInCapacity", steps: OUT, value: 70, capacity: 11, result: 14 },
  { type: "PercentChangeInCapacity", steps: IN, value: 40, capacity: 14, result: 13 },
  { type: "PercentChangeInCapacity", steps: IN, value: 30, capacity: 13, result: 10 },
  { type: "ChangeInCapacity", steps: [{ from: 0, adjustment: 5 }], value: 50, capacity: 3, result: 8 },
  { type: "ExactCapacity", steps: [{ from: 0, adjustment: 5 }], value: 50, capacity: 3, result: 5 },
  {
    type: "PercentChangeInCapacity",
    steps: [{ from: 0, adjustment: 25 }],
    value: 50,
    capacity: 4,
    minAdjustmentMagnitude: 2,
    result: 6,
  },
].map((each) => ({ source: STEPS, threshold: 50, ...each, type: each.type as AdjustmentType }));

/** A percentage of the capacity as whole tasks. */
export const ROUNDED = [
  { source: STEPS, from: 12.7, to: 12 },
  { source: STEPS, from: 0.67, to: 1 },
  { source: STEPS, from: -0.58, to: -1 },
  { source: STEPS, from: -6.67, to: -6 },
] as const;

/** During the cooldown of a scale-out by 2, a step of 3 adds one more; an equal one adds nothing. */
export const COOLDOWN = [
  { source: STEPS, before: 10, first: 2, second: 3, result: 13 },
  { source: STEPS, before: 10, first: 2, second: 2, result: 12 },
] as const;

/**
 * Target tracking: in proportion to the metric, rounded so that enough is there; not at all where data are missing; in only
 * when the metric is more than a tenth below the target.
 */
export const TARGET_TRACKING = [
  { source: TRACKING, capacity: 10, target: 50, value: 60, missing: false, result: 12 },
  { source: TRACKING, capacity: 10, target: 50, value: 51, missing: false, result: 11 },
  { source: TRACKING, capacity: 10, target: 50, value: 46, missing: false, result: 10 },
  { source: TRACKING, capacity: 10, target: 50, value: 25, missing: false, result: 5 },
  { source: TRACKING, capacity: 10, target: 50, value: 60, missing: true, result: 10 },
] as const;
