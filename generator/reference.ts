import { wrap } from "../contract/text";
import { ANSWERS_FILE, HEADER } from "./answers-file";
import { flagOf, switches } from "./flags";
import type { OptionTable, Row } from "./option-table";

function defaultText(row: Row): string {
  if (row.known !== undefined)
    return row.default === undefined ? "name of the folder" : `detected, else ${row.default}`;
  if (typeof row.default === "function") return "depends on other answers";
  if (row.default === undefined) return "required";
  return row.kind === "flag" ? (row.default ? "yes" : "no") : `${row.default}`;
}

/** Each flag with its purpose below it, wrapped at word ends. */
function flagList(rows: readonly (readonly [string, string])[], columns: number): string[] {
  return rows.map(([flag, purpose]) =>
    `${wrap(flag.replaceAll("|", " | "), columns, "  ")}${wrap(purpose, columns, "      ")}`.trimEnd(),
  );
}

/** Help text of `antifragile new --help`. */
export function helpText(table: OptionTable, columns: number): string {
  const forRun = Object.entries<{ short?: string; value?: string; help: string }>(switches).map(
    ([name, { short, value, help }]) =>
      [`${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`, help] as const,
  );
  return [
    "Usage: antifragile new [dir] [flags]",
    "",
    wrap(
      "Generates a service and its AWS infrastructure in a new folder. Asks for missing answers on a terminal. With --platform it generates the infrastructure that several services share, without a service.",
      columns,
    ).trimEnd(),
    "",
    "Options:",
    ...flagList(
      Object.entries(table).map(([key, row]) => [flagOf(key, row), `${row.help} (${defaultText(row)})`] as const),
      columns,
    ),
    "",
    "Flags of this run:",
    ...flagList(forRun, columns),
    "",
    "Precedence: flag, answers file, question, default.",
    wrap(
      "Exit code: 0 done, 1 a step failed, 2 invalid usage or answers, 3 the folder is not empty, 130 canceled.",
      columns,
    ).trimEnd(),
    "",
  ].join("\n");
}

/** JSON Schema of an answers file. It does not express whether a row applies; `resolveAnswers` checks that. */
export function answersSchema(table: OptionTable): object {
  const properties = Object.entries(table).map(([key, row]) => {
    const literal = row.default === undefined || typeof row.default === "function" ? {} : { default: row.default };
    const shape =
      row.kind === "flag"
        ? { type: "boolean" }
        : row.kind === "choice"
          ? { enum: Object.keys(row.values) }
          : { type: "string", pattern: row.rule.pattern.source, examples: [row.example] };
    return [key, { description: row.help, ...shape, ...literal }] as const;
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `Answers to antifragile new (--answers FILE, and ${ANSWERS_FILE})`,
    type: "object",
    additionalProperties: false,
    properties: {
      $schema: { type: "string" },
      [HEADER]: {
        description: "Version of the tool that wrote the file.",
        type: "object",
        additionalProperties: false,
        required: ["schema", "version"],
        properties: { schema: { type: "integer" }, version: { type: "string" } },
      },
      ...Object.fromEntries(properties),
    },
  };
}

const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;

/** Example of an answers file, with the rows that have a question. */
function exampleFile(table: OptionTable): string {
  const answers = Object.entries(table).flatMap(([key, row]) => {
    if (row.ask === undefined) return [];
    return [
      [
        key,
        row.kind === "flag"
          ? true
          : row.kind === "text"
            ? row.example
            : Object.keys(row.values).find((value) => value !== "none"),
      ],
    ];
  });
  return JSON.stringify(Object.fromEntries(answers), null, 2);
}

/** Text of docs/options.md. */
export function optionsPage(table: OptionTable): string {
  const rows = Object.entries(table).map(([key, row]) => {
    const values =
      row.kind === "flag"
        ? "true, false"
        : row.kind === "choice"
          ? Object.entries(row.values)
              .map(([value, label]) => `${code(value)} ${label}`)
              .join("<br>")
          : `${row.rule.allowed}; for example ${code(row.example)}`;
    const when = row.otherwise === undefined ? "" : `<br>${row.otherwise}`;
    return `| ${code(key)} | ${code(flagOf(key, row))} | ${row.help}${when} | ${values} | ${defaultText(row)} |`;
  });
  const runs = Object.entries<{ short?: string; value?: string; help: string }>(switches).map(
    ([name, { value, help }]) => `| ${code(`--${name}${value === undefined ? "" : ` ${value}`}`)} | ${help} |`,
  );
  return [
    "<!-- Generated from generator/options.ts: UPDATE=1 npx vitest run --project unit test/generator/reference.test.ts -->",
    "",
    "# Options of `antifragile new`",
    "",
    "Set an option with a flag, a key of the answers file (`--answers FILE`; [schema](answers.schema.json)) or, on a terminal, the",
    "answer to a question. Precedence: flag, answers file, question, default.",
    `The new repository records its answers in \`${ANSWERS_FILE}\`. \`--answers\` with that file generates the same files again.`,
    "",
    "```json",
    exampleFile(table),
    "```",
    "",
    "| key | flag | purpose | values | default |",
    "|---|---|---|---|---|",
    ...rows,
    "",
    "Flags of one run. They do not change the generated files:",
    "",
    "| flag | purpose |",
    "|---|---|",
    ...runs,
    "",
  ].join("\n");
}
