import { describe, expect, it } from "vitest";
import { Duration } from "../../../../constructs";
import { splitShutdown } from "../../../../constructs/service/task/shutdown";

describe("shutdown budgets", () => {
  it.each([10, 11, 30, 60, 120])("derive from one number, in the right order: %d s", (seconds) => {
    const budget = splitShutdown(Duration.seconds(seconds));
    const [drain, deadline, stop, delay] = [
      budget.drain,
      budget.deadline,
      budget.stopTimeout,
      budget.deregistrationDelay,
    ].map((duration) => duration.toSeconds()) as [number, number, number, number];
    expect([drain, deadline, stop, delay].every(Number.isInteger)).toBe(true);
    expect(drain).toBeGreaterThan(0);
    expect(drain + delay).toBeLessThanOrEqual(deadline);
    expect(deadline).toBeLessThan(stop);
  });
});
