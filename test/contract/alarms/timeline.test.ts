import { describe, expect, it } from "vitest";
import { EXTRA_DATAPOINTS } from "../../support/alarms/metric-alarm";
import { textOf } from "../support/sources";
import { everythingWatched } from "./everything-watched";
import { figuresOf, isQuiet, promiseOf } from "./figures";
import { LATE, PUNCTUAL, SPARSE, VERY_LATE } from "./metrics";
import { alarmsPage } from "./table";
import { lookBack, shapeOf, type Watched } from "./timeline";

const alarms = everythingWatched().flatMap((stack) => stack.alarms);

/** AWS documents that it looks further back than the evaluation periods, and not how far. */
const RANGES = [EXTRA_DATAPOINTS, 10];

/** One alarm of each shape. */
function distinct(watched: readonly Watched[]): Watched[] {
  const byShape = new Map(watched.map((each) => [shapeOf(each), each]));
  return [...byShape.values()];
}

describe("every alarm of one of everything", () => {
  it("is found", () => {
    expect(alarms.length).toBeGreaterThan(60);
    expect(alarms.filter(({ decides }) => decides.includes("rolls back")).length).toBeGreaterThan(20);
    expect(alarms.filter(({ decides }) => decides.includes("stops experiments")).length).toBeGreaterThan(8);
  });

  for (const watched of distinct(alarms)) {
    describe(watched.title, () => {
      for (const extra of RANGES) {
        it(`fires within its minutes, and recovers, looking ${extra} datapoints further back`, () => {
          const figures = figuresOf(watched, extra);
          const at = (found: number | undefined) => found ?? Number.POSITIVE_INFINITY;
          expect(at(figures.punctual)).toBeLessThanOrEqual(promiseOf(watched, 0));
          expect(at(figures.late)).toBeLessThanOrEqual(promiseOf(watched, 1));
          expect(at(figures.veryLate)).toBeLessThanOrEqual(promiseOf(watched, 2));
          expect(at(figures.oneLate)).toBeLessThanOrEqual(promiseOf(watched, 2));
          expect(at(figures.sparse)).toBeLessThanOrEqual(2 * promiseOf(watched, 0));
          expect(at(figures.recovers)).toBeLessThanOrEqual(lookBack(watched, extra));
        });

        it(`is quiet in calm, and in silence, looking ${extra} datapoints further back`, () => {
          for (const arrival of [PUNCTUAL, LATE, VERY_LATE, SPARSE]) {
            expect(`${arrival.title}: ${isQuiet(watched, arrival, extra)}`).toBe(`${arrival.title}: true`);
          }
        });
      }
    });
  }
});

describe("an alarm that fills the metric that drives it", () => {
  it("is detected: it never goes off when that metric is late", () => {
    const errors = alarms.find(({ title }) => title.endsWith("Orders_Errors")) as Watched;
    const filled = errors.members.map((alarm) => ({
      ...alarm,
      evaluationPeriods: alarm.datapointsToAlarm,
      rows: alarm.rows.map(({ expression, ...row }) =>
        expression === undefined ? row : { ...row, expression: expression.replaceAll(/requests\d/g, "FILL($&, 0)") },
      ),
    }));
    const { punctual, late, veryLate } = figuresOf({ ...errors, members: filled });
    expect([punctual, late, veryLate]).toEqual([2, undefined, undefined]);
  });
});

describe("docs/alarms.md", () => {
  it("matches the synthesized alarms (npm run docs writes it)", () => {
    expect(textOf("docs/alarms.md")).toBe(alarmsPage());
  });
});
