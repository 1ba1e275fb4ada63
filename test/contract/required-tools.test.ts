import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { filesIn, ROOT, textOf } from "./support/sources";

/** Runs tests that lack a tool, here and in CI, and prints for each its name, its state and its errors. */
const RUN = `
import { startVitest } from "vitest/node";
const results = [];
for (const CI of ["", "1"]) {
  const vitest = await startVitest("test", [], {
    root: ${JSON.stringify(ROOT)}, config: false, watch: false, reporters: [{}], include: ["test/contract/support/lacks-tool.ts"], env: { CI },
  });
  const tests = [...vitest.state.getTestModules()].flatMap((each) => [...each.children.allTests()]);
  results.push(tests.map((test) => {
    const { state, errors = [], note = "" } = test.result();
    return [test.fullName, state, note, ...errors.map(({ message }) => message)].join(" | ");
  }));
  await vitest.close();
}
process.exitCode = 0;
console.log(JSON.stringify(results));
`;

it("tests that lack a tool are skipped with the reason, and fail in CI", () => {
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", RUN], { cwd: ROOT, encoding: "utf8" });
  const reason = "missing: apt-get install nothing";
  expect(JSON.parse(output.trim().split("\n").at(-1) ?? "")).toEqual([
    [
      `group (${reason}) > inside | skipped | `,
      `alone (${reason}) | skipped | `,
      `hook > running | skipped | ${reason}`,
      "there | passed | ",
    ],
    [
      `group > has its tools | failed |  | ${reason}`,
      `alone | failed |  | ${reason}`,
      `hook > running | failed |  | ${reason}`,
      "there | passed | ",
    ],
  ]);
});

it("no other file skips tests", () => {
  const skips = /\b(?:describe|it|test)\.(?:skip|skipIf|runIf|todo|only)\b|\bskip\(|process\.env\.CI\b/;
  const files = filesIn("test").filter((file) => file.endsWith("ts") && skips.test(textOf(file)));
  expect(files).toEqual(["test/support/required-tools.ts"]);
});
