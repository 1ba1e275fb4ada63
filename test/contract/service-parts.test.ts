import { describe, expect, it } from "vitest";
import { changed, VARIANTS } from "../../scripts/bench/service-variants";
import { mutations } from "../templates/mutations";
import { EVERYTHING, serviceFiles } from "../templates/support/repository";

const files = serviceFiles(EVERYTHING);

describe("the generated service has", () => {
  it.each(mutations)("what the mutation changes: $wrong", ({ file, from }) => {
    expect(files.get(file)?.split(from)).toHaveLength(2);
  });

  it.each(VARIANTS)("the part that the benchmark takes out: $part", (variant) => {
    const name = [...files.keys()].find((path) => path === `src/${variant.file}`)!;
    expect(changed(files.get(name)!, variant)).not.toBe(files.get(name));
  });
});
