import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candidate, PHASES, planBack, planMoves } from "../../operations/release/plan";
import { template } from "./support/fake-cloud";

const PHASE = { worker: "workers", web: "web", job: "schedules" } as const;

const candidates = fc.uniqueArray(
  fc
    .record({
      name: fc.stringMatching(/^[a-z]{1,6}$/),
      kind: fc.constantFrom("web" as const, "worker" as const, "job" as const),
      running: fc.integer({ min: 1, max: 3 }),
      wanted: fc.integer({ min: 1, max: 3 }),
    })
    .map(
      ({ name, kind, running, wanted }): Candidate => ({
        name,
        template: template(name, { kind }),
        running: `${name}:${running}`,
        wanted: `${name}:${wanted}`,
      }),
    ),
  { selector: ({ name }) => name, maxLength: 8 },
);

/** Returns the state after moves, from the state before. */
function arrived(before: ReadonlyMap<string, string>, plan: ReturnType<typeof planMoves>): Map<string, string> {
  const runs = new Map(before);
  for (const { moves } of plan) {
    for (const { name, from, to } of moves) {
      expect(runs.get(name)).toBe(from);
      runs.set(name, to);
    }
  }
  return runs;
}

describe("the order of a release, for any running state", () => {
  it("moves everything to the desired state, each once, and nothing that is already there", () => {
    fc.assert(
      fc.property(candidates, (all) => {
        const plan = planMoves(all);
        const before = new Map(all.map(({ name, running }) => [name, running]));
        expect(arrived(before, plan)).toEqual(new Map(all.map(({ name, wanted }) => [name, wanted])));
        const names = plan.flatMap(({ moves }) => moves.map(({ name }) => name));
        expect(new Set(names).size).toBe(names.length);
        expect(names.sort()).toEqual(
          all
            .filter(({ running, wanted }) => running !== wanted)
            .map(({ name }) => name)
            .sort(),
        );
      }),
    );
  });

  it("is workers, web, schedules, in phases that are not empty", () => {
    fc.assert(
      fc.property(candidates, (all) => {
        const plan = planMoves(all);
        const order = plan.map(({ phase }) => PHASES.indexOf(phase));
        expect(order).toEqual([...new Set(order)].sort());
        for (const { phase, moves } of plan) {
          expect(moves.length).toBeGreaterThan(0);
          for (const { template: own } of moves) expect(PHASE[own.kind]).toBe(phase);
        }
      }),
    );
  });

  it("is undone from any point, in reverse order", () => {
    fc.assert(
      fc.property(candidates, fc.nat(), (all, stop) => {
        const plan = planMoves(all);
        const begun = plan.slice(0, stop % (plan.length + 1));
        const before = new Map(all.map(({ name, running }) => [name, running]));
        const back = planBack(begun.flatMap(({ moves }) => moves));
        expect(arrived(arrived(before, begun), back)).toEqual(before);
        expect(back.map(({ phase }) => phase)).toEqual(begun.map(({ phase }) => phase).reverse());
      }),
    );
  });
});
