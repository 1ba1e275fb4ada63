import { describe, expect, it } from "vitest";
import { scaleInPolicy, scaleOutPolicy } from "../../../constructs/core/scaling";

describe("scaling steps", () => {
  it("become intervals that start at the threshold without gaps, in any order", () => {
    expect(
      scaleOutPolicy([
        { from: 1000, add: 4 },
        { from: 100, add: 1 },
      ]),
    ).toEqual({
      comparisonOperator: "GreaterThanOrEqualToThreshold",
      threshold: 100,
      stepAdjustment: [
        { metricIntervalLowerBound: "0", metricIntervalUpperBound: "900", scalingAdjustment: 1 },
        { metricIntervalLowerBound: "900", scalingAdjustment: 4 },
      ],
    });
    expect(
      scaleInPolicy([
        { upTo: 2, remove: 3 },
        { upTo: 10, remove: 1 },
      ]),
    ).toEqual({
      comparisonOperator: "LessThanOrEqualToThreshold",
      threshold: 10,
      stepAdjustment: [
        { metricIntervalUpperBound: "0", metricIntervalLowerBound: "-8", scalingAdjustment: -1 },
        { metricIntervalUpperBound: "-8", scalingAdjustment: -3 },
      ],
    });
  });
});
