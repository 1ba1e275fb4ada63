import { expect, it } from "vitest";
import { readSources } from "./support/sources";

it("constructs share state through the one registry", () => {
  const holders = [...readSources("constructs")].filter(([, { text }]) => /\bnew WeakMap\b/.test(text));
  expect(holders.map(([path]) => path)).toEqual(["constructs/core/registry.ts"]);
});
