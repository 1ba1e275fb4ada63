import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { requiring } from "../../support/required-tools";

// Tests that need a tool which no machine has, and one that needs none.
const lacking = requiring(["apt-get install nothing"]);

lacking.describe("group", () => {
  beforeAll(() => {
    throw new Error("ran");
  });
  it("inside", () => expect(true).toBe(true));
});
lacking.it("alone", () => expect(true).toBe(true));
describe("hook", () => {
  beforeEach(({ skip }) => lacking.running(skip));
  it("running", () => expect(true).toBe(true));
});
requiring([]).it("there", () => expect(true).toBe(true));
