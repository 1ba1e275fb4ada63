import { type Decider, everythingWatched } from "./everything-watched";
import { type Figures, figuresOf } from "./figures";
import { type Arrival, LATE, PUNCTUAL, SPARSE, VERY_LATE } from "./metrics";
import type { SynthesizedScaling } from "./program";
import { minutesToScale } from "./scaling";
import { periodMinutes, shapeOf } from "./timeline";

/** Markdown table without alignment, which formatters do not change. */
const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const titleOf = ({ title }: Decider) =>
  title
    .split(" ")
    .at(-1)
    ?.replace(/^\w+_alarm\./, "")
    .replaceAll("_", " ") ?? title;

/** Renders `docs/alarms.md`: each production alarm of an app with one of everything, with its minutes to go off. */
export function alarmsPage(): string {
  const production = everythingWatched().filter(({ profile }) => profile === "production");
  const known = new Map<string, Figures>();
  const figures = (watched: Decider) => {
    const shape = shapeOf(watched);
    const found = known.get(shape) ?? figuresOf(watched);
    known.set(shape, found);
    return found;
  };
  const alarms = production
    .flatMap((stack) => stack.alarms)
    .map((watched) => {
      const { punctual, late, veryLate, sparse, recovers } = figures(watched);
      const minutes = [punctual, late, veryLate, sparse, recovers].map(shown);
      const settings = watched.members.map(looksAt).join(" and ");
      return [titleOf(watched), settings, ...minutes, watched.decides.join(", ")];
    });
  const policies = production.flatMap(({ scalings }) => scalings).flatMap(policyRows);
  return `<!-- Written by npm run docs. -->
# Response times of alarms and scaling policies

Minutes until each alarm of a production environment goes off. They are computed from the synthesized alarms by an evaluator of
CloudWatch alarms and metric math. Tests compare the evaluator with results that AWS documents
([documented.ts](../test/contract/alarms/documented.ts)); nothing was timed on AWS.

- **punctual**: each metric arrives at the end of its minute. **1 late**, **2 late**: all metrics arrive that many minutes later.
- **sparse**: requests arrive every other minute, and one in five datapoints of the metrics that AWS reports each minute is lost.
- **recovers**: minutes from the end of the fault until the alarm is OK again, with punctual metrics.
- The fault persists and affects one metric only; the figure is the worst over all metrics and all start times.
- For counts, the value is one more per period than the threshold allows.

The names are those of an app that has [one of everything](../test/contract/support/everything.ts).

## Alarms

${tableOf(["alarm", "condition", "punctual", "1 late", "2 late", "sparse", "recovers", "effect"], sorted(alarms))}

An alarm evaluates two datapoints more than must breach, so that a metric can be two minutes late. The metric that drives an alarm
is not filled: if its newest minute is missing, CloudWatch evaluates earlier ones. A constant in its place would always be the newest
value, and the alarm would
[get stuck](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).

## Scaling policies

${tableOf(["policy", "condition", "cooldown (s)", "punctual", "1 late", "2 late", "sparse"], sorted(policies))}

Each policy is [simulated](../test/contract/alarms/scaling.test.ts) with punctual, late and sparse metrics: it follows the load, does not
scale out twice for the same load, and removes the tasks that are no longer needed.
`;
}

const ARRIVALS: readonly Arrival[] = [PUNCTUAL, LATE, VERY_LATE, SPARSE];

const shown = (minutes: number | undefined) => String(minutes ?? "never");

const sorted = (rows: readonly (readonly string[])[]) => [...rows].sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));

/** Every time setting of an alarm, so that a change to any of them changes the page. */
function looksAt(alarm: Decider["members"][number]): string {
  const { datapointsToAlarm, evaluationPeriods, treatMissingData, threshold } = alarm;
  return `${datapointsToAlarm} of ${evaluationPeriods} × ${periodMinutes(alarm)} min, threshold ${threshold}, missing ${treatMissingData}`;
}

function policyRows(scaling: SynthesizedScaling): string[][] {
  const row = (address: string, actsOn: string, cooldown: string) => [
    address
      .replace(/^\w+_policy\./, "")
      .replace(/_[0-9A-F]{8}$/, "")
      .replaceAll("_", " "),
    actsOn,
    cooldown,
    ...ARRIVALS.map((arrival) => shown(minutesToScale(scaling, address, arrival))),
  ];
  return [
    ...scaling.tracking.map(({ address, target, outCooldownSeconds: out, inCooldownSeconds: inward }) =>
      row(
        address,
        `3 of 3 min above ${target}, 15 of 15 min a tenth below it`,
        out === undefined ? "warm-up of the group" : `${out} out, ${inward} in`,
      ),
    ),
    ...scaling.steps.map(({ address, alarm, cooldownSeconds, warmupSeconds }) =>
      row(
        address,
        looksAt(alarm),
        cooldownSeconds === undefined ? `${warmupSeconds} warm-up` : String(cooldownSeconds),
      ),
    ),
  ];
}
