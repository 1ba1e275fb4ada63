import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exportsOf } from "./support/public-api";
import { madeUp, readSources } from "./support/sources";

/**
 * Every name that users can import, and whether it exists at run time. Removing a name breaks users' programs:
 * that is a major release. `UPDATE=1` rewrites the list.
 */
const LIST = join(__dirname, "public-api.json");

const sources = readSources("constructs");
const names = (entry: string) =>
  Object.fromEntries(
    [...exportsOf(sources, entry)]
      .map(([name, { typeOnly }]) => [name, typeOnly ? "type" : "value"] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

const now = { antifragile: names("constructs/index.ts"), "antifragile/testing": names("constructs/testing/index.ts") };
if (process.env.UPDATE === "1") writeFileSync(LIST, `${JSON.stringify(now, undefined, 2)}\n`);
const listed = JSON.parse(readFileSync(LIST, "utf8")) as typeof now;

describe("the public names", () => {
  it.each(Object.keys(now) as (keyof typeof now)[])("of %s are the listed ones", (entry) => {
    expect(now[entry]).toEqual(listed[entry]);
  });

  it("exist when the library is loaded", async () => {
    const loaded = { ...(await import("../../constructs")), ...(await import("../../constructs/testing")) };
    const values = Object.values(now).flatMap((entry) => Object.keys(entry).filter((name) => entry[name] === "value"));
    expect(Object.keys(loaded).sort()).toEqual(values.sort());
  });

  it("are found in every form of export", () => {
    const files = madeUp({
      "a/index.ts":
        'export * from "./b"; export { c as d, type E } from "./c"; export type { F } from "./c"; export const g = 1;',
      "a/b.ts": 'import { type H } from "./c"; export type { H }; export { App } from "cdktf"; const hidden = 1;',
      "a/c.ts": "export const c = 1; export class E {} export class F {} export interface H {}",
    });
    const found = [...exportsOf(files, "a/index.ts")].map(([name, { typeOnly }]) => `${name} ${typeOnly}`);
    expect(found.sort()).toEqual(["App false", "E true", "F true", "H true", "d false", "g false"]);
  });
});
