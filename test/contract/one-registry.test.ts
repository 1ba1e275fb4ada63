import { expect, it } from "vitest";
import { readSources } from "./support/sources";

it("constructs share state through the one registry", () => {
  const holders = [...readSources("constructs")].filter(([, { text }]) => /\bnew WeakMap\b/.test(text));
  expect(holders.map(([path]) => path)).toEqual(["constructs/core/registry.ts"]);
});

it("constructs warn through one function, with a code and a remedy", () => {
  const warning = [...readSources("constructs")].filter(([, { text }]) => /\baddWarning\b/.test(text));
  expect(warning.map(([path]) => path)).toEqual(["constructs/core/errors.ts"]);
});
