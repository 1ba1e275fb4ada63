import { describe, expect, it } from "vitest";
import { fargateSize } from "../../../../constructs/service/task/task-size";

describe("task sizes", () => {
  it("are the smallest Fargate sizes that fit", () => {
    expect(fargateSize({ cpu: 256, memoryMiB: 512 })).toEqual({ cpu: 256, memoryMiB: 512 });
    expect(fargateSize({ cpu: 257, memoryMiB: 512 })).toEqual({ cpu: 512, memoryMiB: 1024 });
    expect(fargateSize({ cpu: 256, memoryMiB: 3000 })).toEqual({ cpu: 512, memoryMiB: 3072 });
    expect(fargateSize({ cpu: 8192, memoryMiB: 17_000 })).toEqual({ cpu: 8192, memoryMiB: 20_480 });
    expect(fargateSize({ cpu: 16_385, memoryMiB: 512 })).toBeUndefined();
  });
});
