import { App, Fn } from "cdktf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AwsStack } from "../../../constructs";
import { literal } from "../../../constructs/core/literal";
import { DEV, refusals } from "../../support/synth";

const tagsWith = (tags: Record<string, string>) =>
  new AwsStack(new App(), "audit", { environment: DEV, lifetime: "service", tags }).tags;

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, ""]));

describe("tags", () => {
  it("of a stack are its own and the user's, which win", () => {
    const own = { Service: "audit", Environment: "dev", ManagedBy: "antifragile" };
    expect(tagsWith({})).toEqual(own);
    expect(tagsWith({ Team: "Grüne Wiese", ManagedBy: "platform-team" })).toEqual({
      ...own,
      ManagedBy: "platform-team",
      Team: "Grüne Wiese",
    });
  });

  it("replace those whose key differs only in case, which IAM takes for the same", () => {
    expect(tagsWith({ environment: "test" })).toEqual({
      Service: "audit",
      ManagedBy: "antifragile",
      environment: "test",
    });
    const environment = { ...DEV, guardrails: { requiredTags: ["environment"] } };
    const stack = new AwsStack(new App(), "audit", { environment, lifetime: "service", tags: { environment: "test" } });
    expect(Object.keys(stack.tags)).not.toContain("Environment");
  });

  it.each<[string, Record<string, string>, string]>([
    ["a character that IAM, ECS and others do not accept", { Team: "R&D" }, 'TAGS_VALUE tags["Team"]'],
    ["such a character in a key", { "a&b": "x" }, 'TAGS_KEY tags["a&b"]'],
    ["a space at the end of a key", { "team ": "x" }, 'TAGS_KEY tags["team "]'],
    ["an empty key", { "": "x" }, 'TAGS_KEY tags[""]'],
    ["a key of 129 characters", { ["k".repeat(129)]: "x" }, `TAGS_KEY tags["${"k".repeat(129)}"]`],
    ["a value of 257 characters", { Team: "v".repeat(257) }, 'TAGS_VALUE tags["Team"]'],
    ["a line break", { Team: "a\nb" }, 'TAGS_VALUE tags["Team"]'],
    ["AWS's own prefix", { "aws:team": "x" }, 'TAGS_KEY tags["aws:team"]'],
    ["AWS's own prefix in capitals", { "AWS:team": "x" }, 'TAGS_KEY tags["AWS:team"]'],
    ["keys that differ only in case", { Team: "a", team: "b" }, 'TAGS_KEY tags["team"]'],
    ["more than AWS allows beside its own", many(46), "TAGS_COUNT tags"],
  ])("are refused with %s", (_, tags, expected) => {
    expect(refusals(() => tagsWith(tags))).toEqual([expected]);
  });

  it("may be as many and as long as AWS allows", () => {
    expect(Object.keys(tagsWith(many(45)))).toHaveLength(48);
    expect(tagsWith({ ["k".repeat(128)]: "v".repeat(256) })).toMatchObject({ ["k".repeat(128)]: "v".repeat(256) });
  });

  it("may have values that are known only at apply", () => {
    const token = Fn.join("&", ["R", "D"]);
    expect(tagsWith({ Team: token })).toMatchObject({ Team: literal(token) });
  });

  it("are accepted exactly where AWS's pattern accepts them", () => {
    // IAM's model of a tag value: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html
    const pattern = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (value) => {
        if (pattern.test(value)) expect(tagsWith({ Team: value })).toMatchObject({ Team: value });
        else expect(refusals(() => tagsWith({ Team: value }))).toEqual(['TAGS_VALUE tags["Team"]']);
      }),
    );
  });
});
