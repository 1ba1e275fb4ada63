/**
 * Runs all projects of the suite, then says how many minutes each took, and in one line how many tests passed and failed, read
 * from vitest's own report.
 * No test at all is a failure. Words are passed on to vitest: `npm test -- --project unit`.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..");
const report = join(root, ".test-results", "vitest.json");

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly success: boolean;
}

mkdirSync(join(root, ".test-results"), { recursive: true });
rmSync(report, { force: true });
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const reporters = ["default", join(__dirname, "test-times.mts"), "json"].map((name) => `--reporter=${name}`);
const args = ["run", ...reporters, `--outputFile.json=${report}`, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, [vitest, ...args], { cwd: root, stdio: "inherit" });

let result: Report;
try {
  result = JSON.parse(readFileSync(report, "utf8")) as Report;
} catch (error) {
  console.error(`vitest wrote no report: ${(error as Error).message}`);
  process.exit(status || 1);
}
const skipped = result.numPendingTests + result.numTodoTests;
const ran = result.numPassedTests + result.numFailedTests;
console.log(
  `\n${result.numPassedTests} passed, ${result.numFailedTests} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
);
if (ran === 0) console.error("no test was run");
process.exitCode = status !== 0 || !result.success || ran === 0 ? status || 1 : 0;
