import { type Decider, everythingWatched } from "./everything-watched";
import { type Figures, figuresOf } from "./figures";
import { type Arrival, LATE, PUNCTUAL, SPARSE, VERY_LATE } from "./metrics";
import type { SynthesizedScaling } from "./program";
import { minutesToScale } from "./scaling";
import { periodMinutes, shapeOf } from "./timeline";

/** Rows of Markdown, aligned by nothing: formatters leave them alone. */
const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

const titleOf = ({ title }: Decider) =>
  title
    .split(" ")
    .at(-1)
    ?.replace(/^\w+_alarm\./, "")
    .replaceAll("_", " ") ?? title;

/** The page `docs/alarms.md`: each alarm of one of everything in production, with its minutes to go off. */
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
# Alarms and scaling over time

Minutes until each alarm of a production environment goes off, computed from what is synthesized by an evaluator of CloudWatch's
alarms and metric math. The evaluator is checked against results that AWS documents
([documented.ts](../test/contract/alarms/documented.ts)); nothing here was timed on AWS.

- **punctual**: a metric is there when its minute is over. **1 late**, **2 late**: all metrics arrive that many minutes later.
- **sparse**: requests come every other minute, and of metrics that AWS reports each minute one in five is lost.
- **recovers**: minutes from the end of the fault until the alarm is OK again, metrics punctual.
- The fault lasts, and shows in one metric alone; the figure is the worst of all metrics and of all times to begin at.
- Of what is counted, it is one more in a period than the alarm lets pass.

The names are those of one app that has [one of everything](../test/contract/support/everything.ts).

## Alarms

${tableOf(["alarm", "goes off on", "punctual", "1 late", "2 late", "sparse", "recovers", "decides"], sorted(alarms))}

An alarm looks at two datapoints more than must be bad, so that one metric may be two minutes late. The metric that drives an alarm
is not filled: where its newest minute is missing, CloudWatch looks further back. A constant in its place would always be the newest
value, and the alarm
[gets stuck](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).

## Scaling policies

${tableOf(["policy", "acts on", "cooldown (s)", "punctual", "1 late", "2 late", "sparse"], sorted(policies))}

Each is [simulated](../test/contract/alarms/scaling.test.ts) with punctual, late and sparse metrics: it follows its load, adds no
task twice for the same load, and takes all away again that are not needed.
`;
}

const ARRIVALS: readonly Arrival[] = [PUNCTUAL, LATE, VERY_LATE, SPARSE];

const shown = (minutes: number | undefined) => String(minutes ?? "never");

const sorted = (rows: readonly (readonly string[])[]) => [...rows].sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));

/** Every setting of time, so that none changes unseen. */
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
