import { expect, it } from "vitest";
import { start } from "./support/service";

it("the console evaluates expressions in the release, and exits with 0", async () => {
  const task = start("admin/console.ts");
  task.process.stdin?.end("config.SERVICE_NAME + '/' + typeof backing.close\n");
  expect(await task.exit).toBe(0);
  expect(task.lines.join("\n")).toContain("'under-test/function'");
});
