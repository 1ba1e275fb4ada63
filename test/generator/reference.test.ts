import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { refusal, resolveAnswers } from "../../generator/answers";
import { parseAnswersFile } from "../../generator/answers-file";
import { flagOf, switches } from "../../generator/flags";
import type { OptionTable } from "../../generator/option-table";
import { options } from "../../generator/options";
import { answersSchema, helpText, optionsPage } from "../../generator/reference";
import { given } from "./support/given";
import { sampleTable } from "./support/sample-table";

const docs = join(__dirname, "../../docs");

interface Schema {
  readonly additionalProperties: boolean;
  readonly properties: Record<string, { type?: string; enum?: string[]; pattern?: string; default?: unknown }>;
}

/** Returns whether a value matches one property of the schema; supports the keywords that the schema uses. */
function fits(property: Schema["properties"][string], value: unknown): boolean {
  if (property.enum !== undefined) return property.enum.includes(value as string);
  if (property.type === "boolean") return typeof value === "boolean";
  return typeof value === "string" && new RegExp(property.pattern!, "u").test(value);
}

describe.each([
  ["docs/options.md", "options.md", () => optionsPage(options)],
  ["docs/answers.schema.json", "answers.schema.json", () => `${JSON.stringify(answersSchema(options), null, 2)}\n`],
])("%s", (_title, name, make) => {
  it("matches the option table (UPDATE=1 writes it)", () => {
    const file = join(docs, name);
    if (process.env.UPDATE === "1") writeFileSync(file, make());
    expect(existsSync(file) ? readFileSync(file, "utf8") : "").toBe(make());
  });
});

describe("the schema of an answers file", () => {
  const values = [
    "",
    "orders",
    "Orders",
    "none",
    "mit-0",
    "eu-west-1",
    "t3.small",
    "a\nb",
    "${x}",
    "constructor",
    true,
    false,
    7,
    null,
    [],
  ];

  it.each([
    ["the real table", options as OptionTable],
    ["the sample table", sampleTable as OptionTable],
  ])("agrees with the gate over %s", (_title, table) => {
    const schema = answersSchema(table) as Schema;
    expect(schema.additionalProperties).toBe(false);
    for (const [key, row] of Object.entries(table)) {
      for (const value of values) {
        expect(fits(schema.properties[key]!, value), `${key}: ${JSON.stringify(value)}`).toBe(
          refusal(row, value) === undefined,
        );
      }
      const { default: preset } = schema.properties[key]!;
      if (preset !== undefined) expect(refusal(row, preset)).toBeUndefined();
    }
  });
});

describe("help and reference", () => {
  it("show a valid answers file", () => {
    const [, example] = /```json\n([\s\S]*?)\n```/.exec(optionsPage(options))!;
    const file = parseAnswersFile(example!, "example").values;
    const { problems, missing } = resolveAnswers(options, { ...given({}), file }, { folder: undefined });
    expect([problems, missing]).toEqual([[], []]);
    expect(file.size).toBeGreaterThan(2);
  });

  it("name every row with its flag, and every switch", () => {
    const packed = (text: string) => text.replaceAll(/\s+/g, "");
    for (const page of [helpText(options, 80), optionsPage(options).replaceAll("\\|", "|")].map(packed)) {
      for (const [key, row] of Object.entries(options)) {
        expect(page).toContain(packed(flagOf(key, row)));
        expect(page).toContain(packed(row.help));
      }
      for (const name of Object.keys(switches)) expect(page).toContain(`--${name}`);
    }
  });

  it.each([60, 80, 120])("fits into %i columns, wrapped at words", (columns) => {
    const lines = helpText(options, columns).split("\n");
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
    expect(Math.max(...lines.map((line) => line.length))).toBeGreaterThan(columns - 12);
  });

  it("show a row of each kind", () => {
    expect(helpText(sampleTable, 80)).toContain("--capacity fargate | ec2");
    expect(helpText(sampleTable, 80)).toMatch(/--chaos, --no-chaos\n +Adds experiments\. \(no\)/);
    expect(optionsPage(sampleTable)).toContain(
      "| `instanceType` | `--instance-type TEXT` | The instances.<br>needs --capacity ec2 |",
    );
  });
});
