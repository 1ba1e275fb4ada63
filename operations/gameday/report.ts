/** Faults that a game day injects into one of two instances. */
export const FAULTS = ["kill", "delay", "starve"] as const;
export type Fault = (typeof FAULTS)[number];

/** Expected behavior under a fault, from gameday/hypothesis.json. */
export interface Hypothesis {
  /** Least percentage of requests with a response below 500. */
  readonly answeredPercent: number;
  /** Upper bound of the 99th percentile of response times. */
  readonly p99Ms: number;
  /** Longest time from the end of the fault until both instances receive requests and none are lost. */
  readonly recoverySeconds: number;
}

/** Content of gameday/hypothesis.json. */
export interface Plan {
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Longest time that a caller waits for a response. */
  readonly timeoutMs: number;
  /** Delay in each direction between load balancer and instance. */
  readonly delayMs: number;
  readonly hypotheses: Readonly<Record<Fault, Hypothesis>>;
}

/** One request; times in milliseconds since the load started. */
export interface Sample {
  /** Scheduled time. Response times count from here, or a slow service would look faster than it is. */
  readonly due: number;
  readonly done: number;
  /** Undefined without a response: the connection broke, or the caller gave up. */
  readonly status: number | undefined;
}

/** Recording of one game day. */
export interface Run {
  readonly fault: Fault;
  readonly samples: readonly Sample[];
  /** Begin and end of the fault; the same for a kill. */
  readonly from: number;
  readonly until: number;
  /** When the load balancer had two healthy instances again; undefined if it never did. */
  readonly whole: number | undefined;
}

export interface Phase {
  readonly name: string;
  readonly requests: number;
  readonly lost: number;
  /** Undefined without any response. */
  readonly p50: number | undefined;
  readonly p99: number | undefined;
}

export interface Claim {
  readonly claim: string;
  readonly measured: string;
  readonly held: boolean;
}

export interface Verdict {
  readonly held: boolean;
  readonly lost: number;
  /** Requests lost before the fault began, for another reason. */
  readonly lostBefore: number;
  /** Lost requests that were in flight when the fault began. The others were sent later. */
  readonly underWay: number;
  readonly phases: readonly Phase[];
  readonly claims: readonly Claim[];
}

export const isLost = ({ status }: Sample): boolean => status === undefined || status >= 500;

/** Smallest value that `percent` of the values do not exceed; undefined for an empty list. */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

/** Summarizes some requests. */
export function summarize(name: string, samples: readonly Sample[]): Phase {
  const times = samples.filter((sample) => !isLost(sample)).map(({ due, done }) => done - due);
  return {
    name,
    requests: samples.length,
    lost: samples.filter(isLost).length,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
  };
}

/** End of the recovery: both instances are healthy, and no later request was lost. */
export function recoveredAt({ samples, until, whole }: Run): number | undefined {
  if (whole === undefined) return undefined;
  const losses = samples.filter(isLost).map(({ done }) => done);
  return Math.max(until, whole, ...losses);
}

/** Compares a run with its hypothesis. A request without a response is lost, for whatever reason. */
export function judge(run: Run, hypothesis: Hypothesis): Verdict {
  const { samples, from, until } = run;
  const whole = summarize("all", samples);
  const recovered = recoveredAt(run);
  const answered = samples.length === 0 ? 0 : (100 * (samples.length - whole.lost)) / samples.length;
  const recovery = recovered === undefined ? undefined : (recovered - until) / 1000;
  const claims: Claim[] = [
    {
      claim: `at least ${hypothesis.answeredPercent} % of requests answered`,
      measured: `${roundedDown(answered)} %`,
      held: answered >= hypothesis.answeredPercent,
    },
    {
      claim: `p99 < ${hypothesis.p99Ms} ms`,
      measured: inMs(whole.p99),
      held: whole.p99 !== undefined && whole.p99 < hypothesis.p99Ms,
    },
    {
      claim: `back to two instances in ${hypothesis.recoverySeconds} s`,
      measured: recovery === undefined ? "never" : `${roundedUp(recovery)} s`,
      held: recovery !== undefined && recovery <= hypothesis.recoverySeconds,
    },
  ];
  const end = recovered ?? Number.POSITIVE_INFINITY;
  return {
    held: claims.every(({ held }) => held),
    lost: whole.lost,
    lostBefore: samples.filter((sample) => isLost(sample) && sample.done < from).length,
    underWay: samples.filter((sample) => isLost(sample) && sample.due < from && sample.done >= from).length,
    phases: [
      summarize(
        "before",
        samples.filter(({ done }) => done < from),
      ),
      summarize(
        "during",
        samples.filter(({ due, done }) => done >= from && due < end),
      ),
      summarize(
        "after",
        samples.filter(({ due }) => due >= end),
      ),
    ],
    claims,
  };
}

/** Renders the verdict as lines of text. */
export function table({ phases, claims, lost, held }: Verdict, chart: string): string[] {
  const rows = [
    ["", "requests", "lost", "p50", "p99"],
    ...phases.map(({ name, requests, lost: gone, p50, p99 }) => [
      name,
      grouped(requests),
      grouped(gone),
      inMs(p50),
      inMs(p99),
    ]),
  ];
  const total = phases.reduce((sum, { requests }) => sum + requests, 0);
  const share = total === 0 ? 0 : (100 * lost) / total;
  return [
    ...rows.map(([name = "", ...cells]) => name.padEnd(8) + cells.map((cell) => cell.padStart(10)).join("")),
    "",
    ...claims.map(({ claim, measured, held: so }) => claimLine(claim, measured, so)),
    `${held ? "held" : "not held"}: ${grouped(lost)} of ${grouped(total)} requests lost (${roundedUp(share)} %)  ${chart}`,
  ];
}

/** Renders a claim with its result. */
export const claimLine = (claim: string, measured: string, held: boolean): string =>
  `${held ? "✔" : "✖"} ${claim}: ${measured}`;

/** Groups thousands, independent of the locale: `6 021`. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, " ");

/** Rounded against the service: 99.999 % answered are not 100 %, and 0.001 % lost are not 0 %. */
const roundedDown = (value: number): number => Math.floor(value * 100) / 100;
const roundedUp = (value: number): number => Math.ceil(value * 100) / 100;

const inMs = (value: number | undefined): string => (value === undefined ? "-" : `${Math.ceil(value)} ms`);
