import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXAMPLES, stackJson, stackNames, synthExamples } from "../support/examples";

/**
 * Terraform addresses of each example's resources. Removing one destroys and recreates a resource of every user,
 * so a change of this file is a breaking change unless a `moved` block accompanies it. `UPDATE=1` rewrites it.
 */
const FROZEN = join(__dirname, "addresses.json");

type Addresses = Record<string, Record<string, string[]>>;

function addressesOf(outdir: string): Record<string, string[]> {
  return Object.fromEntries(
    stackNames(outdir).map((stack) => {
      const resources = (stackJson(outdir, stack).resource ?? {}) as Record<string, object>;
      const addresses = Object.entries(resources).flatMap(([type, byId]) =>
        Object.keys(byId).map((id) => `${type}.${id}`),
      );
      return [stack, addresses.sort()];
    }),
  );
}

describe("addresses", () => {
  const now: Addresses = Object.fromEntries([...synthExamples()].map(([name, outdir]) => [name, addressesOf(outdir)]));
  if (process.env.UPDATE === "1") writeFileSync(FROZEN, `${JSON.stringify(now, undefined, 2)}\n`);
  const frozen: Addresses = existsSync(FROZEN) ? JSON.parse(readFileSync(FROZEN, "utf8")) : {};

  it.each(EXAMPLES)("of %s are the frozen ones", (name) => {
    expect(now[name]).toEqual(frozen[name]);
  });
});
