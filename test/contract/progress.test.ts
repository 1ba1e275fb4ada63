import { expect, it } from "vitest";
import { progressReporter } from "../../contract/progress";

it("marks a step as failed only while it is under way", () => {
  const lines: string[] = [];
  const print = (text: string) => void lines.push(text);
  const report = progressReporter({ print, now: () => 0, color: false, columns: undefined });
  report.begin("plan orders");
  report.failed();
  report.begin("apply orders");
  report.done("applied");
  report.failed();
  expect(lines).toEqual(["  ✖ plan orders\n", expect.stringMatching(/^ {2}✔ apply orders .* applied\n$/)]);
});
