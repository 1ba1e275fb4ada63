/** What can go wrong with one of two instances. */
export const FAULTS = ["kill", "delay", "starve"] as const;
export type Fault = (typeof FAULTS)[number];

/** What users are not to feel: the service's own words for it are in gameday/hypothesis.json. */
export interface Hypothesis {
  /** At least so many of a hundred requests are answered, by anything below 500. */
  readonly answeredPercent: number;
  /** 99 of a hundred answers come in less than this. */
  readonly p99Ms: number;
  /** Once the fault is over, both instances have requests again in at most this, and no more are lost. */
  readonly recoverySeconds: number;
}

/** gameday/hypothesis.json. */
export interface Plan {
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
  /** How long a caller waits. */
  readonly timeoutMs: number;
  /** How late everything is on the way to the instance, and on the way back, while it is delayed. */
  readonly delayMs: number;
  readonly hypotheses: Readonly<Record<Fault, Hypothesis>>;
}

/** One request; times in milliseconds since the load began. */
export interface Sample {
  /** When it had to be sent. It counts from then on, or a slow service would look faster than it is. */
  readonly due: number;
  readonly done: number;
  /** Undefined when there was no answer: the connection broke, or the caller waited no longer. */
  readonly status: number | undefined;
}

/** What happened. */
export interface Run {
  readonly fault: Fault;
  readonly samples: readonly Sample[];
  /** When the fault began and when it was over: at once, for a kill. */
  readonly from: number;
  readonly until: number;
  /** When the balancer had two instances again; undefined when it never did. */
  readonly whole: number | undefined;
}

export interface Phase {
  readonly name: string;
  readonly requests: number;
  readonly lost: number;
  /** Undefined when nothing was answered. */
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
  /** Of the lost ones, those that the fault is not to blame for: they were lost before it began. */
  readonly lostBefore: number;
  /** Of the lost ones, those on their way when the fault began. All others came later. */
  readonly underWay: number;
  readonly phases: readonly Phase[];
  readonly claims: readonly Claim[];
}

export const isLost = ({ status }: Sample): boolean => status === undefined || status >= 500;

/** The smallest value that so many of a hundred are not above; undefined of none. */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

function phase(name: string, samples: readonly Sample[]): Phase {
  const times = samples.filter((sample) => !isLost(sample)).map(({ due, done }) => done - due);
  return {
    name,
    requests: samples.length,
    lost: samples.filter(isLost).length,
    p50: percentile(times, 50),
    p99: percentile(times, 99),
  };
}

/** When all was well again: the balancer whole, and the last loss behind. */
export function recoveredAt({ samples, until, whole }: Run): number | undefined {
  if (whole === undefined) return undefined;
  const losses = samples.filter(isLost).map(({ done }) => done);
  return Math.max(until, whole, ...losses);
}

/** Whether the hypothesis held. A request without an answer is lost, whoever is to blame. */
export function judge(run: Run, hypothesis: Hypothesis): Verdict {
  const { samples, from, until } = run;
  const whole = phase("all", samples);
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
      phase(
        "before",
        samples.filter(({ done }) => done < from),
      ),
      phase(
        "during",
        samples.filter(({ due, done }) => done >= from && due < end),
      ),
      phase(
        "after",
        samples.filter(({ due }) => due >= end),
      ),
    ],
    claims,
  };
}

/** The verdict as lines of text. */
export function table({ phases, claims, lost, held }: Verdict, picture: string): string[] {
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
    ...claims.map(({ claim, measured, held: so }) => told(claim, measured, so)),
    `${held ? "held" : "not held"}: ${grouped(lost)} of ${grouped(total)} requests lost (${roundedUp(share)} %)  ${picture}`,
  ];
}

const WIDTH = 960;
const LEFT = 64;
const RIGHT = 24;
const BUCKET_MS = 250;
/** Upper edge and height of the two drawings. */
const COUNTS = { top: 84, height: 180 };
const TIMES = { top: 312, height: 120 };

/** Requests and losses over time, and how long answers took, as a picture. */
export function draw(run: Run, verdict: Verdict, hypothesis: Hypothesis): string {
  const { samples, from, until, fault } = run;
  const end = Math.max(BUCKET_MS, ...samples.map(({ due }) => due + 1));
  const buckets = Array.from({ length: Math.ceil(end / BUCKET_MS) }, (_, index) => {
    const inside = samples.filter(({ due }) => Math.floor(due / BUCKET_MS) === index);
    return phase(String(index), inside);
  });
  const x = (ms: number) => LEFT + ((WIDTH - LEFT - RIGHT) * ms) / (buckets.length * BUCKET_MS);
  const most = Math.max(1, ...buckets.map(({ requests }) => requests));
  const slowest = Math.max(hypothesis.p99Ms, ...buckets.map(({ p99 = 0 }) => p99)) * 1.1;
  const bar = (index: number, below: number, count: number, colour: string) => {
    const height = (COUNTS.height * count) / most;
    const y = COUNTS.top + COUNTS.height - (COUNTS.height * below) / most - height;
    const width = Math.max(1, x(BUCKET_MS) - x(0) - 1);
    return `<rect x="${at(x(index * BUCKET_MS))}" y="${at(y)}" width="${at(width)}" height="${at(height)}" fill="${colour}"/>`;
  };
  const timeY = (ms: number) => TIMES.top + TIMES.height - (TIMES.height * ms) / slowest;
  const points = buckets
    .map(({ p99 }, index) => (p99 === undefined ? undefined : `${at(x((index + 0.5) * BUCKET_MS))},${at(timeY(p99))}`))
    .filter((point) => point !== undefined);
  const shaded = { from: x(from), width: Math.max(2, x(Math.max(until, from)) - x(from)) };
  const seconds = Array.from({ length: Math.floor((buckets.length * BUCKET_MS) / 1000) + 1 }, (_, second) => second);
  const step = Math.max(1, Math.ceil(seconds.length / 16));
  const say = (px: number, y: number, text: string, more = "") =>
    `<text x="${at(px)}" y="${at(y)}"${more}>${escaped(text)}</text>`;
  const verdictText = table(verdict, "").at(-1)!.trim();
  const bottom = TIMES.top + TIMES.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} 492" width="${WIDTH}" height="492" font-family="system-ui, sans-serif" font-size="12" fill="#1f2937" role="img">`,
    `<title>${escaped(`Game day: ${fault}. ${verdictText}`)}</title>`,
    `<rect width="${WIDTH}" height="492" fill="#ffffff"/>`,
    say(LEFT, 28, `Game day: ${fault}`, ' font-size="18" font-weight="600"'),
    say(LEFT, 50, verdictText, ` fill="${verdict.held ? "#166534" : "#b91c1c"}"`),
    ...verdict.claims.map(({ claim, measured, held }, index) =>
      say(WIDTH - RIGHT, 18 + 16 * index, told(claim, measured, held), ' text-anchor="end"'),
    ),
    `<rect x="${at(shaded.from)}" y="${COUNTS.top - 8}" width="${at(shaded.width)}" height="${bottom - COUNTS.top + 8}" fill="#fde68a"/>`,
    say(shaded.from + 4, COUNTS.top - 12, fault, ' fill="#92400e"'),
    say(LEFT - 8, COUNTS.top + 10, grouped(Math.round((most * 1000) / BUCKET_MS)), ' text-anchor="end"'),
    say(LEFT - 8, COUNTS.top + COUNTS.height, "0", ' text-anchor="end"'),
    say(LEFT, COUNTS.top + COUNTS.height + 20, "requests a second:"),
    `<rect x="${LEFT + 124}" y="${COUNTS.top + COUNTS.height + 10}" width="12" height="12" fill="#60a5fa"/>`,
    say(LEFT + 142, COUNTS.top + COUNTS.height + 20, "answered"),
    `<rect x="${LEFT + 212}" y="${COUNTS.top + COUNTS.height + 10}" width="12" height="12" fill="#dc2626"/>`,
    say(LEFT + 230, COUNTS.top + COUNTS.height + 20, "lost"),
    ...buckets.flatMap(({ requests, lost }, index) => [
      ...(requests > lost ? [bar(index, lost, requests - lost, "#60a5fa")] : []),
      ...(lost > 0 ? [bar(index, 0, lost, "#dc2626")] : []),
    ]),
    say(LEFT - 8, TIMES.top + 10, `${Math.round(slowest)} ms`, ' text-anchor="end"'),
    say(LEFT - 8, bottom, "0 ms", ' text-anchor="end"'),
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(timeY(hypothesis.p99Ms))}" y2="${at(timeY(hypothesis.p99Ms))}" stroke="#9ca3af" stroke-dasharray="4 4"/>`,
    `<polyline points="${points.join(" ")}" fill="none" stroke="#7c3aed" stroke-width="2"/>`,
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${bottom}" y2="${bottom}" stroke="#9ca3af"/>`,
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${COUNTS.top + COUNTS.height}" y2="${COUNTS.top + COUNTS.height}" stroke="#9ca3af"/>`,
    ...seconds
      .filter((second) => second % step === 0)
      .map((second) => say(x(second * 1000), bottom + 18, `${second} s`, ' text-anchor="middle"')),
    say(LEFT, bottom + 40, "p99 of what was answered; dashed: the hypothesis"),
    "</svg>",
    "",
  ].join("\n");
}

const told = (claim: string, measured: string, held: boolean): string => `${held ? "✔" : "✖"} ${claim}: ${measured}`;

const at = (value: number): string => String(Math.round(value * 10) / 10);

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** `6 021`: thousands apart, whatever language the machine speaks. */
const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, " ");

/** Never in favour of the service: 99.999 % answered are not 100 %, and 0.001 % lost are not 0 %. */
const roundedDown = (value: number): number => Math.floor(value * 100) / 100;
const roundedUp = (value: number): number => Math.ceil(value * 100) / 100;

const inMs = (value: number | undefined): string => (value === undefined ? "-" : `${Math.ceil(value)} ms`);
