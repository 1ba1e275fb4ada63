import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAnswersFile, MAX_ANSWERS_BYTES, parseAnswersFile, SCHEMA_VERSION } from "../../generator/answers-file";

const problems = (source: string) => parseAnswersFile(source, "orders.json").problems;

describe("an answers file", () => {
  it("returns the recorded answers, sorted, without the header", () => {
    const text = formatAnswersFile(
      { region: "eu-west-1", name: "orders", chaos: false, instanceType: undefined },
      "1.2.3",
    );
    expect(text).toBe(
      `{\n  "antifragile": {\n    "version": "1.2.3",\n    "schema": ${SCHEMA_VERSION}\n  },\n  "chaos": false,\n  "name": "orders",\n  "region": "eu-west-1"\n}\n`,
    );
    const { values, problems } = parseAnswersFile(text, "f");
    expect(problems).toEqual([]);
    expect(Object.fromEntries(values)).toEqual({ region: "eu-west-1", name: "orders", chaos: false });
  });

  it("may start with a byte order mark and name its schema", () => {
    const { values } = parseAnswersFile('\uFEFF{"$schema":"./answers.schema.json","name":"orders"}', "f");
    expect(Object.fromEntries(values)).toEqual({ name: "orders" });
  });

  it.each([
    ["", /orders\.json: is not JSON/],
    ["{", /is not JSON/],
    ["[]", /must hold one object/],
    ["null", /must hold one object/],
    ['"orders"', /must hold one object/],
    ['{"name":"a","name":"b"}', /names "name" twice/],
    ['{"name":"a","na\\u006de":"b"}', /names "name" twice/],
    ['{"a":{"x":1,"x":2}}', /names "x" twice/],
    ['{"antifragile":7}', /antifragile\.schema: must be an integer/],
    ['{"antifragile":null}', /antifragile\.schema: must be an integer/],
    ['{"antifragile":{"schema":0}}', /antifragile\.schema: must be an integer from 1 to 1/],
    ['{"antifragile":{"schema":0.5}}', /antifragile\.schema: must be an integer/],
    ['{"antifragile":{"schema":-1}}', /antifragile\.schema: must be an integer/],
    ['{"antifragile":{"schema":"1"}}', /antifragile\.schema: must be an integer/],
    ['{\n  // who\n  "name": "orders"\n}', /contains a comment, which JSON does not allow; remove the comments/],
    ['{ /* who */ "name": "orders" }', /contains a comment/],
    ['# who\n{ "name": "orders" }', /contains a comment/],
    ['{ "description": "http://x /* y */", }', /is not JSON: /],
    [`{"antifragile":{"schema":${SCHEMA_VERSION + 1}}}`, /is newer than 1/],
    [`{"name":"${"x".repeat(MAX_ANSWERS_BYTES)}"}`, /is too large/],
    ["[".repeat(60_000), /is not JSON/],
  ])("is refused: %.40s", (source, problem) => {
    expect(problems(source)).toHaveLength(1);
    expect(problems(source)[0]).toMatch(problem);
  });

  it("may repeat a key in another object, and contain braces, colons and quotes in texts", () => {
    expect(problems('{"a":"{\\"b\\":","b":"b:","c":[{"b":1},{"b":2}]}')).toEqual([]);
  });

  it("produces messages without control characters", () => {
    expect(problems('{"a": \u001b}')[0]).not.toMatch(/\p{Cc}/u);
  });

  it("is parsed back to the same values", () => {
    const key = fc.string({ minLength: 1 }).filter((name) => !["antifragile", "$schema", "__proto__"].includes(name));
    fc.assert(
      fc.property(fc.dictionary(key, fc.oneof(fc.string(), fc.boolean())), (answers) => {
        const read = parseAnswersFile(formatAnswersFile(answers, "1.0.0"), "f");
        expect(read.problems).toEqual([]);
        expect(Object.fromEntries(read.values)).toEqual(answers);
      }),
    );
  });
});
