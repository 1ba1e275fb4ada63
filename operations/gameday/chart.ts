import { escapeXml } from "../../contract/text";
import { claimLine, grouped, type Hypothesis, type Run, summarize, table, type Verdict } from "./report";

const WIDTH = 960;
const LEFT = 64;
const RIGHT = 24;
const BUCKET_MS = 250;
/** Upper edge and height of the two charts. */
const COUNTS = { top: 84, height: 180 };
const TIMES = { top: 312, height: 120 };

/** Draws requests, losses and response times over time, as SVG. */
export function draw(run: Run, verdict: Verdict, hypothesis: Hypothesis): string {
  const { samples, from, until, fault } = run;
  const end = Math.max(BUCKET_MS, ...samples.map(({ due }) => due + 1));
  const buckets = Array.from({ length: Math.ceil(end / BUCKET_MS) }, (_, index) => {
    const inside = samples.filter(({ due }) => Math.floor(due / BUCKET_MS) === index);
    return summarize(String(index), inside);
  });
  const x = (ms: number) => LEFT + ((WIDTH - LEFT - RIGHT) * ms) / (buckets.length * BUCKET_MS);
  const most = Math.max(1, ...buckets.map(({ requests }) => requests));
  const slowest = Math.max(hypothesis.p99Ms, ...buckets.map(({ p99 = 0 }) => p99)) * 1.1;
  const bar = (index: number, below: number, count: number, color: string) => {
    const height = (COUNTS.height * count) / most;
    const y = COUNTS.top + COUNTS.height - (COUNTS.height * below) / most - height;
    const width = Math.max(1, x(BUCKET_MS) - x(0) - 1);
    return `<rect x="${at(x(index * BUCKET_MS))}" y="${at(y)}" width="${at(width)}" height="${at(height)}" fill="${color}"/>`;
  };
  const timeY = (ms: number) => TIMES.top + TIMES.height - (TIMES.height * ms) / slowest;
  const points = buckets
    .map(({ p99 }, index) => (p99 === undefined ? undefined : `${at(x((index + 0.5) * BUCKET_MS))},${at(timeY(p99))}`))
    .filter((point) => point !== undefined);
  const shaded = { from: x(from), width: Math.max(2, x(Math.max(until, from)) - x(from)) };
  const seconds = Array.from({ length: Math.floor((buckets.length * BUCKET_MS) / 1000) + 1 }, (_, second) => second);
  const step = Math.max(1, Math.ceil(seconds.length / 16));
  const say = (px: number, y: number, text: string, more = "") =>
    `<text x="${at(px)}" y="${at(y)}"${more}>${escapeXml(text)}</text>`;
  const verdictText = table(verdict, "").at(-1)!.trim();
  const bottom = TIMES.top + TIMES.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} 492" width="${WIDTH}" height="492" font-family="system-ui, sans-serif" font-size="12" fill="#1f2937" role="img">`,
    `<title>${escapeXml(`Game day: ${fault}. ${verdictText}`)}</title>`,
    `<rect width="${WIDTH}" height="492" fill="#ffffff"/>`,
    say(LEFT, 28, `Game day: ${fault}`, ' font-size="18" font-weight="600"'),
    say(LEFT, 50, verdictText, ` fill="${verdict.held ? "#166534" : "#b91c1c"}"`),
    ...verdict.claims.map(({ claim, measured, held }, index) =>
      say(WIDTH - RIGHT, 18 + 16 * index, claimLine(claim, measured, held), ' text-anchor="end"'),
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
    say(LEFT, bottom + 40, "p99 of responses; dashed: the hypothesis"),
    "</svg>",
    "",
  ].join("\n");
}

const at = (value: number): string => String(Math.round(value * 10) / 10);
