import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kebab } from "../../contract/names";
import { choicesOf, refusal, resolveAnswers } from "../../generator/answers";
import { formatAnswersFile, parseAnswersFile } from "../../generator/answers-file";
import { parseCommandLine } from "../../generator/flags";
import type { OptionTable, Value } from "../../generator/option-table";
import { options } from "../../generator/options";
import type { Prompter } from "../../generator/prompts";
import { askOpenQuestions } from "../../generator/prompts";
import { given } from "./support/given";
import { sampleTable } from "./support/sample-table";

const nowhere = { folder: undefined };

describe("the sources", () => {
  it("have the precedence flag, file, prompt, folder, default", () => {
    const layers = {
      flag: { name: "flag" },
      file: { name: "file", region: "eu-file-1" },
      prompt: { name: "prompt", region: "eu-prompt-1", chaos: true },
    };
    const all = resolveAnswers(sampleTable, given(layers), { folder: "place" });
    expect(all.answers).toMatchObject({ name: "flag", region: "eu-file-1", chaos: true, capacity: "fargate" });
    expect(all.sources).toMatchObject({ name: "flag", region: "file", chaos: "prompt", capacity: "default" });
    const place = resolveAnswers(sampleTable, given({}), { folder: "place" });
    expect(place.answers).toMatchObject({ name: "place", description: "The place service" });
    expect(place.sources).toMatchObject({ name: "known", description: "default" });
  });

  it("accept a false flag and an empty text as values", () => {
    const { answers, problems } = resolveAnswers(sampleTable, given({ file: { name: "", chaos: false } }), {
      folder: "place",
    });
    expect(answers.chaos).toBe(false);
    expect(problems).toEqual(['orders.json: name: "" is not allowed; use 2 to 8 of a-z, for example orders']);
  });
});

describe("the gate", () => {
  it("reports all problems at once, each with its location, its value and the allowed values", () => {
    const { problems, missing } = resolveAnswers(
      sampleTable,
      given({ flag: { capacity: "ec3" }, file: { regoin: "x", region: 7, chaos: "yes", description: ["a"] } }),
      nowhere,
    );
    expect(problems).toEqual([
      'orders.json: unknown key "regoin"; did you mean region?',
      "orders.json: description: a list is not allowed; use one line, for example Orders",
      '--capacity: "ec3" is not allowed; use one of fargate, ec2; did you mean ec2?',
      "orders.json: region: 7 is not allowed; use a region, for example eu-west-1",
      'orders.json: chaos: "yes" is not allowed; use true or false',
    ]);
    expect(missing).toEqual(["name"]);
  });

  it("refuses an answer to a row that does not apply, and leaves such a row without an answer", () => {
    const fargate = resolveAnswers(sampleTable, given({ flag: { name: "orders", instanceType: "t3.small" } }), nowhere);
    expect(fargate.problems).toEqual(["--instance-type: needs --capacity ec2"]);
    expect(Object.keys(fargate.answers)).not.toContain("instanceType");
    const ec2 = resolveAnswers(sampleTable, given({ flag: { name: "orders", capacity: "ec2" } }), nowhere);
    expect(ec2.answers.instanceType).toBe("t3.small");
  });

  it("does not report that a row does not apply if the row that it depends on was refused", () => {
    const said = given({ flag: { name: "orders", capacity: "ec3", instanceType: "t3.small" } });
    expect(resolveAnswers(sampleTable, said, nowhere).problems).toHaveLength(1);
  });

  it("refuses keys of Object.prototype as choices and as rows, without prototype pollution", () => {
    const { values } = parseAnswersFile(
      '{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"name":"orders"}',
      "f",
    );
    const said = { ...given({ flag: { capacity: "constructor" } }), file: values };
    expect(resolveAnswers(sampleTable, said, nowhere).problems).toEqual([
      'orders.json: unknown key "__proto__"',
      'orders.json: unknown key "constructor"',
      '--capacity: "constructor" is not allowed; use one of fargate, ec2',
    ]);
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it("removes control characters of a refused value from messages", () => {
    const { problems } = resolveAnswers(sampleTable, given({ flag: { name: "\u001b[2J\n\u202e" } }), nowhere);
    expect(problems[0]).toContain('"\\u001b[2J\\u000a\\u202e"');
    expect(problems[0]).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});

/** Answers that are valid for a table, in every combination. */
function validAnswers(table: OptionTable): fc.Arbitrary<Record<string, Value>> {
  const values = Object.entries(table).map(([key, row]) => {
    const value: fc.Arbitrary<Value> =
      row.kind === "flag"
        ? fc.boolean()
        : row.kind === "choice"
          ? fc.constantFrom(...Object.keys(row.values))
          : fc.constantFrom(row.example, ...(typeof row.default === "string" ? [row.default] : []));
    return [key, value] as const;
  });
  return fc.record(Object.fromEntries(values)).map((all) => {
    const applicable: Record<string, Value> = {};
    for (const [key, row] of Object.entries(table)) {
      if (row.when !== undefined && !row.when(applicable)) continue;
      const [left] = row.kind === "choice" ? choicesOf(row, applicable) : [];
      applicable[key] = refusal(row, all[key], applicable) === undefined ? all[key]! : left!;
    }
    return applicable;
  });
}

describe.each([
  ["the sample table", sampleTable as OptionTable],
  ["the real table", options as OptionTable],
])("%s gives the same answers", (_title, table) => {
  it("from flags, from a file and from questions", async () => {
    await fc.assert(
      fc.asyncProperty(validAnswers(table), async (wanted) => {
        const args = Object.entries(wanted).map(([key, value]) =>
          typeof value === "string" ? `--${kebab(key)}=${value}` : `--${value ? "" : "no-"}${kebab(key)}`,
        );
        const line = parseCommandLine(table, args);
        expect(line.problems).toEqual([]);
        const flags = resolveAnswers(table, { ...given({}), flag: line.answers }, nowhere);

        const { values } = parseAnswersFile(formatAnswersFile(wanted, "0.0.0"), "orders.json");
        const file = resolveAnswers(table, { ...given({}), file: values }, nowhere);

        // Rows without a question cannot be asked: a user changes them by flag.
        const silent = Object.fromEntries(Object.entries(wanted).filter(([key]) => table[key]!.ask === undefined));
        const byMessage = (message: string): never =>
          wanted[Object.keys(table).find((key) => table[key]!.ask === message)!] as never;
        const prompter: Prompter = {
          text: async ({ message }) => byMessage(message),
          choice: async ({ message }) => byMessage(message),
          flag: async ({ message }) => byMessage(message),
          many: async () => [],
        };
        // The folder is asked for only there.
        const inFolder = { ...nowhere, directory: "services/other" };
        const asked = await askOpenQuestions(table, given({ flag: silent }), inFolder, prompter);
        const prompts = resolveAnswers(table, asked, inFolder);

        for (const { answers, problems, missing } of [flags, file, prompts]) {
          expect({ answers: { ...answers }, problems, missing }).toEqual({
            answers: wanted,
            problems: [],
            missing: [],
          });
        }
      }),
    );
  });
});
