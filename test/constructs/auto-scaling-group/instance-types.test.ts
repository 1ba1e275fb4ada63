import { describe, expect, it } from "vitest";
import { architectureOf } from "../../../constructs/auto-scaling-group/instance-types";

describe("an instance type's architecture", () => {
  it.each([
    ["t4g.small", "arm64"],
    ["m7gd.2xlarge", "arm64"],
    ["c8gn.large", "arm64"],
    ["im4gn.large", "arm64"],
    ["a1.large", "arm64"],
    ["g5g.xlarge", "arm64"],
    ["g5.xlarge", "x86_64"],
    ["t3.small", "x86_64"],
    ["m7i-flex.large", "x86_64"],
    ["x2iedn.xlarge", "x86_64"],
    ["p4d.24xlarge", "x86_64"],
  ])("of %s is %s", (type, architecture) => {
    expect(architectureOf(type)).toBe(architecture);
  });
});
