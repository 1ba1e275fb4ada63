import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const PROGRAM = join(ROOT, ".test-results", "growth.js");

describe("twice as many services take twice the work", () => {
  let cases: Record<string, string[]>;

  beforeAll(() => {
    mkdirSync(join(ROOT, ".test-results"), { recursive: true });
    buildSync({
      entryPoints: [join(import.meta.dirname, "support/growth.ts")],
      bundle: true,
      platform: "node",
      packages: "external",
      outfile: PROGRAM,
      logLevel: "warning",
    });
    // What V8 optimizes it counts no longer; newer versions have a second optimizer.
    const printed = execFileSync(process.execPath, ["--no-opt", "--no-maglev", PROGRAM], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    cases = JSON.parse(printed.trim().split("\n").at(-1) as string) as typeof cases;
  }, 600_000);

  it("for all call graphs, in separate stacks, in one stack, and on many platforms", () => {
    const { pairs: _, ...apps } = cases;
    expect(Object.keys(apps)).toHaveLength(23);
    expect(Object.fromEntries(Object.entries(apps).filter(([, growing]) => growing.length > 0))).toEqual({});
  });

  it("or the check fails: all pairs take four times the work", () => {
    expect(cases.pairs).toEqual([expect.stringMatching(/10000 -> 40000|10100 -> 40200/)]);
  });
});
