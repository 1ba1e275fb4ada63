import { describe, expect, it } from "vitest";
import { cron, Duration, every } from "../../../constructs";

describe("a schedule", () => {
  it.each([
    ["0 3 * * *", "cron(0 3 * * ? *)"],
    ["*/10 8-18 * * MON-FRI", "cron(0/10 8-18 ? * MON-FRI *)"],
    ["0 0 1 */3 *", "cron(0 0 1 1/3 ? *)"],
    ["30 7 * * 1-5", "cron(30 7 ? * MON-FRI *)"],
    ["0 6 * * 0,6", "cron(0 6 ? * SUN,SAT *)"],
    ["0 6 * * 7", "cron(0 6 ? * SUN *)"],
    ["0 6 * * FRI-SUN", "cron(0 6 ? * FRI-SUN *)"],
    ["5/20 4 15 jan,7 *", "cron(5/20 4 15 JAN,JUL ? *)"],
  ])("written as cron %s is AWS's %s", (ours, theirs) => {
    expect(cron(ours)).toMatchObject({ expression: theirs, timezone: "UTC" });
  });

  it.each([
    ["0  7 * * mon-fri", "0 7 * * MON-FRI"],
    ["*/10 8-18 * * 1-5", "*/10 8-18 * * 1-5"],
    ["5/20,50 4 15 jan,7 *", "5-59/20,50 4 15 JAN,7 *"],
    ["0 6 * * MON/2", "0 6 * * 1-7/2"],
  ])("written as cron %s recurs in EC2 Auto Scaling at %s", (ours, theirs) => {
    expect(cron(ours).recurrence).toBe(theirs);
  });

  it.each([
    "0 3 * *",
    "0 3 * * * *",
    "60 3 * * *",
    "5-1 3 * * *",
    "0 3 * DEC-FEB *",
    "0 3 * * FRI-MON",
    "0 24 * * *",
    "0 3 0 * *",
    "0 3 * 13 *",
    "0 3 * * 8",
    "0 3 1 * MON",
    "0 3 * * */2",
    "a b c d e",
    "0 3 * * ${x}",
    "*/0 * * * *",
    "0 3 30 2 *",
    "0 3 31 4,JUN,9-9 *",
    "0 3 31 11/6 *",
    "",
  ])("refuses cron %j", (expression) => {
    expect(() => cron(expression)).toThrow(RangeError);
  });

  it.each(["0 3 29 2 *", "0 3 31 */2 *", "0 3 1,31 2 *", "0 3 31 FEB-MAR *", "0 3 30-31 4 *", "0 3 * 2 *"])(
    "accepts cron %j, which some year has",
    (expression) => {
      expect(cron(expression).recurrence).toBe(expression);
    },
  );

  it("requires an existing time zone", () => {
    expect(cron("0 3 * * *", { timezone: "Europe/Berlin" }).timezone).toBe("Europe/Berlin");
    expect(() => cron("0 3 * * *", { timezone: "Mars" })).toThrow(/Europe\/Berlin/);
  });

  it("by an interval has whole minutes", () => {
    expect(every(Duration.hours(2)).expression).toBe("rate(120 minutes)");
    expect(every(Duration.minutes(1)).expression).toBe("rate(1 minute)");
    expect(() => every(Duration.seconds(30))).toThrow(/whole number of minutes/);
    expect(() => every(Duration.minutes(0))).toThrow(/whole number of minutes/);
  });
});
