import { describe, expect, it } from "vitest";
import { everythingWatched } from "./everything-watched";
import { type Arrival, keyOf, LATE, oneLate, PUNCTUAL, SPARSE, VERY_LATE } from "./metrics";
import type { SynthesizedScaling } from "./program";
import { metricsOfScaling, queueWorld, simulate, type World, webWorld } from "./scaling";

const scalings = everythingWatched().flatMap(({ profile, name, scalings }) =>
  scalings
    .filter(({ tracking, steps }) => tracking.length + steps.length > 0)
    .map((scaling) => ({ title: `${profile} ${name} ${scaling.address.replace(/_[0-9A-F]{8}$/, "")}`, scaling })),
);

/** Bounds that show when policies want more than there is to do. */
const unbounded = (scaling: SynthesizedScaling) => ({ ...scaling, max: 100 });

const withoutSteps = (scaling: SynthesizedScaling) => ({ ...unbounded(scaling), steps: [] });

const arrivalsOf = (scaling: SynthesizedScaling): Arrival[] => [
  PUNCTUAL,
  LATE,
  VERY_LATE,
  SPARSE,
  ...metricsOfScaling(scaling).map((metric) => oneLate(keyOf(metric))),
];

const isWorker = ({ steps }: SynthesizedScaling) => steps.some(({ address }) => address.includes("ScaleFromZero"));
const isFollowing = ({ tracking }: SynthesizedScaling) => tracking.length > 0;

/** Low load, from minute 30 to 90 four times the capacity of a task, then none. */
const wave = (perTask: number, tasks: number) => (minute: number) =>
  minute < 30 ? perTask * tasks * 0.2 : minute < 90 ? perTask * 4 * tasks : 0;

describe("scaling policies of one of everything", () => {
  it("are found", () => {
    expect(scalings.length).toBeGreaterThan(14);
    const policies = scalings.flatMap(({ scaling }) => [...scaling.tracking, ...scaling.steps]);
    const kinds = new Set(policies.map(({ address }) => /_(Scale\w+?|Step\w+?)_[0-9A-F]{8}$/.exec(address)?.[1]));
    expect([...kinds].sort()).toEqual([
      "ScaleFromZero",
      "ScaleOnBacklog",
      "ScaleOnCpu",
      "ScaleOnMemory",
      "ScaleOnMessages",
      "ScaleOnRequests",
      "ScaleOnSessions",
      "StepInOnWaiting",
      "StepOutOnWaiting",
    ]);
  });

  for (const { title, scaling } of scalings.filter((each) => !isWorker(each.scaling) && isFollowing(each.scaling))) {
    it(`${title} scales with its load, and not beyond`, () => {
      for (const arrival of arrivalsOf(scaling)) {
        const tasks = scaling.min;
        // A task handles 100 requests a minute at 45 % of its CPU.
        const world = webWorld(wave(100, tasks), (requests) => requests * 0.45);
        const { wanted } = simulate({ scaling: withoutSteps(scaling), world, arrival, tasks, minutes: 240 });
        const at = `${arrival.title}: ${wanted.join(" ")}`;
        expect(Math.max(...wanted.slice(0, 30)), at).toBe(tasks);
        const most = Math.max(...wanted);
        expect(most, at).toBeGreaterThanOrEqual(3 * tasks);
        expect(most, at).toBeLessThanOrEqual(6 * tasks);
        // Three minutes above the target, and what a late metric takes besides.
        expect(
          wanted.findIndex((each) => each > tasks),
          at,
        ).toBeLessThanOrEqual(30 + 3 + 2 + 3);
        expect(wanted.at(-1), at).toBe(scaling.min);
      }
    });
  }

  for (const { title, scaling } of scalings.filter((each) => isWorker(each.scaling))) {
    it(`${title} starts one task for one message, however late metrics are, and ends it`, () => {
      for (const arrival of arrivalsOf(scaling)) {
        const world = queueWorld((minute) => (minute === 60 ? 1 : 0), 10);
        const { wanted } = simulate({ scaling: unbounded(scaling), world, arrival, tasks: 0, minutes: 150 });
        const at = `${arrival.title}: ${wanted.join(" ")}`;
        expect(
          wanted.findIndex((each) => each > 0),
          at,
        ).toBeGreaterThanOrEqual(60);
        expect(
          wanted.findIndex((each) => each > 0),
          at,
        ).toBeLessThanOrEqual(60 + 3);
        expect(Math.max(...wanted), at).toBe(1);
        expect(wanted.at(-1), at).toBe(0);
      }
    });

    it(`${title} grows with its backlog, and not beyond`, () => {
      for (const arrival of arrivalsOf(scaling)) {
        const world = queueWorld((minute) => (minute === 60 ? 2000 : 0), 5);
        const { wanted, working } = simulate({ scaling: unbounded(scaling), world, arrival, tasks: 0, minutes: 240 });
        const at = `${arrival.title}: ${wanted.join(" ")}`;
        // 2000 messages, 100 for each task.
        expect(Math.max(...wanted), at).toBeLessThanOrEqual(20);
        expect(Math.max(...wanted), at).toBeGreaterThanOrEqual(15);
        expect(working[75], at).toBeGreaterThanOrEqual(15);
        expect(wanted.at(-1), at).toBe(0);
      }
    });

    it(`${title} does not run away while nothing is reported of its tasks`, () => {
      const world = queueWorld(() => 10, 5, 30);
      const { wanted } = simulate({ scaling: unbounded(scaling), world, arrival: PUNCTUAL, tasks: 2, minutes: 200 });
      expect(Math.max(...wanted), wanted.join(" ")).toBe(2);
    });
  }

  for (const { title, scaling } of scalings.filter(({ scaling }) => scaling.steps.length > 0 && !isWorker(scaling))) {
    it(`${title} takes each step once`, () => {
      for (const policy of scaling.steps) {
        const alone: SynthesizedScaling = { ...scaling, min: 1, max: 100, tracking: [], steps: [policy] };
        const isOut = policy.steps.some(({ adjustment }) => adjustment > 0);
        for (const arrival of arrivalsOf(alone)) {
          const value = isOut ? policy.threshold + 1 : policy.threshold - 1;
          const calm = isOut ? 0 : policy.threshold + 1;
          // It is better once a task more, or less, works.
          const world: World = {
            reported: () => "always",
            minute: (minute, tasks) => () => [minute >= 30 && (isOut ? tasks <= 10 : tasks >= 10) ? value : calm],
          };
          const { wanted } = simulate({ scaling: alone, world, arrival, tasks: 10, minutes: 90 });
          const first =
            policy.steps.map(({ adjustment }) => adjustment).sort((a, b) => Math.abs(a) - Math.abs(b))[0] ?? 0;
          const at = `${policy.address} ${arrival.title}: ${wanted.join(" ")}`;
          expect(wanted[29], at).toBe(10);
          expect(
            wanted.findIndex((each) => each !== 10),
            at,
          ).toBeLessThanOrEqual(30 + 4);
          // EC2 Auto Scaling waits for the warm-up alone, which is shorter than a metric that is late by two minutes.
          const most = scaling.address.startsWith("aws_autoscaling_group.") ? 2 : 1;
          const steps = ((wanted.at(-1) ?? 0) - 10) / first;
          expect(steps, at).toBeGreaterThanOrEqual(1);
          expect(steps, at).toBeLessThanOrEqual(most);
        }
      }
    });
  }
});
