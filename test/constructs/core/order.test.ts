import { App } from "cdktf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AwsStack } from "../../../constructs";
import { finishOrder, reachable, Wishes } from "../../../constructs/core/order";
import { DEV } from "../../support/synth";

type Edge = [from: number, to: number];

const nodes = Array.from({ length: 8 }, (_, n) => n);
const edges = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 30 });
const leads = (all: readonly Edge[]) => (node: number) => all.filter(([from]) => from === node).map(([, to]) => to);
/** Circles start where an edge leads to a node that leads back. */
const circles = (all: readonly Edge[]) => all.filter(([from, to]) => reachable(to, leads(all)).has(from));

describe("the order of dependencies", () => {
  it("places each after its dependencies", () => {
    expect(finishOrder(["a"], (node) => ({ a: ["b", "c"], b: ["d"], c: ["d"] })[node] ?? [])).toEqual([
      "d",
      "b",
      "c",
      "a",
    ]);
  });

  it("is found for a chain of any length", () => {
    const length = 100_000;
    const order = finishOrder([0], (node) => (node < length ? [node + 1] : []));
    expect([order[0], order.at(-1)]).toEqual([length, 0]);
  });
});

describe("wishes", () => {
  it("are all applied except those that close a cycle, and never against required dependencies", () => {
    fc.assert(
      fc.property(edges, edges, (wished, others) => {
        // An edge to a smaller node closes no circle.
        const required = others.filter(([from, to]) => to < from);
        const wishes = new Wishes<number>();
        for (const [from, to] of wished) wishes.add(from, to);
        const granted = [...wishes.granted(leads(required))].flatMap(([from, to]) =>
          to.map((each): Edge => [from, each]),
        );
        expect(circles([...required, ...granted])).toEqual([]);
        const closing = circles([...required, ...wished]).map(String);
        // Who is in a circle with what is required may lose other wishes.
        if (circles([...required, ...wished]).some((edge) => required.includes(edge))) return;
        for (const wish of wished) if (!closing.includes(String(wish))) expect(granted).toContainEqual(wish);
      }),
      { numRuns: 2_000 },
    );
  });

  it("of a cycle lose the edge that closes it, from the first", () => {
    const wishes = new Wishes<string>();
    for (const [from, to] of ["ab", "bc", "ca", "cd"].map((edge) => [...edge] as [string, string]))
      wishes.add(from, to);
    expect([...wishes.granted()]).toEqual([
      ["a", ["b"]],
      ["b", ["c"]],
      ["c", ["d"]],
    ]);
  });
});

describe("stacks", () => {
  const stacks = () => {
    const app = new App();
    return nodes.map((n) => new AwsStack(app, `stack-${n}`, { environment: DEV, lifetime: "service" }));
  };

  it("are applied after their preferred predecessors, as long as that creates no cycle", () => {
    const [a, b, c] = stacks() as [AwsStack, AwsStack, AwsStack];
    a.preferAfter(b);
    a.preferAfter(a);
    b.preferAfter(c);
    c.preferAfter(a);
    expect([a.dependsOn(c), c.dependsOn(a), a.dependsOn(a)]).toEqual([true, false, false]);
    // What is decided stays so.
    c.preferAfter(a);
    a.prepareStack();
    expect([a.dependencies, b.dependencies, c.dependencies]).toEqual([[b], [c], []]);
  });

  it("come after their dependencies, regardless of preferences", () => {
    const [a, b] = stacks() as [AwsStack, AwsStack];
    a.preferAfter(b);
    b.addDependency(a);
    b.addDependency(a);
    expect([a.dependsOn(b), b.dependencies]).toEqual([false, [a]]);
    expect(() => a.addDependency(b)).toThrow(/circular/);
  });
});
