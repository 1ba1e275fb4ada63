import { describe, expect, it } from "vitest";
import { compareVersions, mergeJson } from "../../../generator/upgrade/merge-json";

const text = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const merge = (base: unknown, ours: unknown, theirs: unknown) => {
  const merged = mergeJson(text(base), text(ours), text(theirs))!;
  return { value: JSON.parse(merged.text), keys: merged.text, conflicts: merged.conflicts };
};

describe("mergeJson", () => {
  it.each<[string, object, object, object, object]>([
    ["our change", { a: 1 }, { a: 2 }, { a: 1 }, { a: 2 }],
    ["the user's change", { a: 1 }, { a: 1 }, { a: 3 }, { a: 3 }],
    [
      "both, at different keys",
      { s: { a: 1, b: 1 } },
      { s: { a: 2, b: 1 } },
      { s: { a: 1, b: 3 } },
      { s: { a: 2, b: 3 } },
    ],
    ["our new key", {}, { a: 1 }, { b: 1 }, { a: 1, b: 1 }],
    ["our removal", { a: 1, b: 1 }, { b: 1 }, { a: 1, b: 1 }, { b: 1 }],
    ["a removal of what the user changed", { a: 1 }, {}, { a: 2 }, { a: 2 }],
    ["the user's removal of what we changed", { a: 1 }, { a: 2 }, {}, {}],
    ["an equal change", { a: 1 }, { a: 2 }, { a: 2 }, { a: 2 }],
    ["an object in place of a value", { a: 1 }, { a: { b: 1 } }, { a: 1 }, { a: { b: 1 } }],
  ])("merges %s", (_, base, ours, theirs, expected) => {
    expect(merge(base, ours, theirs)).toMatchObject({ value: expected, conflicts: [] });
  });

  it.each([
    ["1.0.0", "1.2.0", "1.1.0", "1.2.0"],
    ["1.0.0", "1.2.0", "1.10.0", "1.10.0"],
    ["1.0.0", "2.0.0", "^1.9.9", "2.0.0"],
    ["1.0.0", "1.2.0", "~1.2.0", "~1.2.0"],
  ])("moves a dependency from %s to %s, unless %s is newer: %s", (base, ours, theirs, expected) => {
    const of = (x: string) => ({ dependencies: { x } });
    expect(merge(of(base), of(ours), of(theirs))).toMatchObject({ value: of(expected), conflicts: [] });
  });

  it("replaces the package itself, wherever the user's copy is", () => {
    const of = (antifragile: string) => ({ devDependencies: { antifragile } });
    expect(merge(of("file:vendor/a-1.tgz"), of("file:vendor/a-2.tgz"), of("file:lib/a.tgz"))).toMatchObject({
      value: of("file:vendor/a-2.tgz"),
      conflicts: [],
    });
  });

  it("follows a dependency to the section that the user moved it to", () => {
    const base = { dependencies: { a: "1.0.0" }, devDependencies: { x: "1.0.0", y: "1.0.0" } };
    const ours = { dependencies: { a: "1.0.0" }, devDependencies: { x: "1.1.0", y: "1.1.0" } };
    const theirs = { dependencies: { a: "1.0.0", x: "1.0.0" }, devDependencies: { y: "1.0.0" } };
    expect(merge(base, ours, theirs).value).toEqual({
      dependencies: { a: "1.0.0", x: "1.1.0" },
      devDependencies: { y: "1.1.0" },
    });
  });

  it("keeps the user's value of a key that both changed, and reports it", () => {
    const of = (dev: string) => ({ scripts: { dev } });
    expect(merge(of("a"), of("b"), of("c"))).toMatchObject({
      value: of("c"),
      conflicts: ['scripts.dev: yours stays, "c"; the new version has "b"'],
    });
    const range = (x: string) => ({ dependencies: { x } });
    expect(merge(range("1.0.0"), range("2.0.0"), range(">=1"))).toMatchObject({ value: range(">=1") });
  });

  it("keeps the user's order and indent, and puts a new key after the one before it", () => {
    const base = { name: "a", scripts: { b: "1", d: "1" } };
    const ours = { name: "a", scripts: { b: "1", c: "1", d: "1" } };
    const theirs = JSON.stringify({ scripts: { mine: "1", b: "1", d: "1" }, name: "a" }, null, "\t");
    const expected = JSON.stringify({ scripts: { mine: "1", b: "1", c: "1", d: "1" }, name: "a" }, null, "\t");
    expect(mergeJson(text(base), text(ours), theirs)).toEqual({ text: expected, conflicts: [] });
  });

  it("leaves a file that has everything already as it is, byte by byte", () => {
    const theirs = '{"a":2,   "b": [1]}';
    expect(mergeJson('{"a":1}', '{"a":2}', theirs)).toEqual({ text: theirs, conflicts: [] });
  });

  it.each(["", "[]", "{ // comment\n}", "null"])("leaves %j to the merge of texts", (theirs) => {
    expect(mergeJson("{}", '{"a":1}', theirs)).toBeUndefined();
  });
});

it("compares plain versions only", () => {
  expect(compareVersions("1.9.0", "1.10.0")).toBeLessThan(0);
  expect(compareVersions("^2.0.0", "2.0.0")).toBe(0);
  expect(compareVersions("2.0.1", "2.0.0")).toBeGreaterThan(0);
  expect(compareVersions("latest", "2.0.0")).toBeUndefined();
});
