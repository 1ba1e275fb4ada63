/**
 * Serializers of template values, one for each language. The language reads back exactly the value that was written. A missing
 * value is an error, never an empty text.
 */

import { NAME_PATTERN } from "../contract/names";
import { callerOf, commandOf } from "./package-managers";

function given(value: unknown): string | number | boolean {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  throw new Error(
    `a template uses a value that is ${value === null ? "null" : typeof value}; the manifest row or {{#if}} must exclude it`,
  );
}

/** Escapes that JSON, TypeScript and double-quoted YAML share. */
function jsonText(value: unknown): string {
  return JSON.stringify(given(value)).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function serviceName(value: unknown): string {
  const name = String(given(value));
  if (NAME_PATTERN.test(name)) return name;
  throw new Error(`a template needs the name of a service, got ${JSON.stringify(name)}`);
}

export const serializers = {
  /** Writes a literal of JSON, JavaScript or TypeScript, with quotes. */
  json: jsonText,

  /** Writes a scalar of YAML, with quotes. */
  yaml: jsonText,

  /** Writes one word of a POSIX shell, with quotes. */
  sh: (value: unknown): string => `'${String(given(value)).replaceAll("'", "'\\''")}'`,

  /** Writes text of a Markdown line. */
  md: (value: unknown): string =>
    String(given(value))
      .replace(/\s+/g, " ")
      .replace(/[\\`*_[\]<>&|~]/g, "\\$&")
      .replace(/^([#+=-])/, "\\$1")
      .replace(/^(\d+)([.)])/, "$1\\$2"),

  /** Writes a bare word (a tag, a key, a file name). Refuses a value that needs quotes. */
  word: (value: unknown): string => {
    const word = String(given(value));
    if (/^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(word)) return word;
    throw new Error(`a template needs a bare word, got ${JSON.stringify(word)}; use a serializer with quotes`);
  },

  /** Writes a service name as part of an environment variable: `stock-keeper` gives `STOCK_KEEPER`. */
  variable: (value: unknown): string => serviceName(value).toUpperCase().replaceAll("-", "_"),

  /**
   * Writes a service name as the id of a construct, with quotes: `stock-keeper` gives `"StockKeeper"`, and with the role
   * "Worker" `"StockKeeperWorker"`.
   */
  construct: (value: unknown, role?: unknown): string => {
    const name = serviceName(value);
    // Capitals do not show a hyphen before a digit or beside a single letter.
    const id = /-\d|(^|-)[a-z](-|$)/.test(name)
      ? name
      : name.replace(/(^|-)(.)/g, (_, __, letter: string) => letter.toUpperCase());
    return JSON.stringify(typeof role === "string" ? id + role : id);
  },

  /** Writes a command of the package manager: `{{command packageManager "deploy" "dev"}}`. */
  command: (value: unknown, script?: unknown, args?: unknown): string => {
    const manager = callerOf(String(given(value)));
    if (manager === undefined || typeof script !== "string")
      throw new Error("a template needs a package manager and a script");
    return commandOf(manager, script, typeof args === "string" ? args : "");
  },

  /** Writes a service name as an identifier of TypeScript: `stock-keeper` gives `stockKeeper`. */
  identifier: (value: unknown): string =>
    serviceName(value).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
} as const;

const words = (name: string): readonly [string, string] => [name, name[0]!.toUpperCase() + name.slice(1)];

type Values = Readonly<Record<string, unknown>>;

/** Text of a block for each environment between dev and production. */
function perStage({ environments }: Values, text: string): string[] {
  const stages = ["staging", ...(environments === "none" ? [] : String(environments).split(","))];
  return stages.map((stage, index) => {
    const [name, type] = words(stage);
    const [previous, previousType] = words(stages[index - 1] ?? "test");
    return text
      .replaceAll("<stage>", name)
      .replaceAll("<Stage>", type)
      .replaceAll("<previous>", previous)
      .replaceAll("<Previous>", previousType);
  });
}

/**
 * Blocks of CI files. In those about the environments between dev and production, `<stage>` is the name of one, `<previous>` that of the one before
 * or of the tests; with a capital, as name of a type. No answer in them contains these words.
 */
export const blocks: Readonly<Record<string, (answers: Values, text: string) => string>> = {
  /** Repeats a block for each one. */
  stages: (answers, text) => perStage(answers, text).join(""),
  /** Writes a block for the last one. */
  lastStage: (answers, text) => perStage(answers, text).at(-1)!,
  /** Runs steps of Jenkins in the folder of the service. */
  inFolder: ({ directory }, text) =>
    directory === "none" ? text : `        dir('${directory}') {\n${text.replace(/^/gm, "  ").trimEnd()}\n        }\n`,
};

/** Comparisons for blocks, such as `{{#if (or (eq database "postgres") job)}}`. */
export const comparisons = {
  eq: (left: unknown, right: unknown): boolean => left === right,
  ne: (left: unknown, right: unknown): boolean => left !== right,
  and: (...values: unknown[]): boolean => values.every((value) => value === true),
  or: (...values: unknown[]): boolean => values.some((value) => value === true),
} as const;
