import type { OptionTable, Place, Row, Value } from "./option-table";
import { didYouMean, kebab, quoted } from "./text";

/** Where an answer came from. */
export type Source = "flag" | "file" | "prompt" | "known" | "default";

/** What the user said, kept apart by where it was said. Values are raw: only the gate below lets them through. */
export interface Given {
  readonly flag: ReadonlyMap<string, unknown>;
  readonly file: ReadonlyMap<string, unknown>;
  readonly prompt: ReadonlyMap<string, Value>;
  /** Name of the answers file, for messages. */
  readonly fileName: string;
}

/** What the gate made of it. */
export interface Resolution {
  /** Values that passed; a row that does not apply, is missing or was refused has none. */
  readonly answers: Readonly<Record<string, Value>>;
  readonly sources: Readonly<Record<string, Source>>;
  /** Every refused value, each with its place, what is allowed and what to do. */
  readonly problems: readonly string[];
  /** Required rows that nobody has answered. */
  readonly missing: readonly string[];
}

/** Why a raw value is no answer to the row, or undefined when it is one. */
export function refusal(row: Row, raw: unknown): string | undefined {
  if (row.kind === "flag") return typeof raw === "boolean" ? undefined : "use true or false";
  if (row.kind === "choice") {
    if (typeof raw === "string" && Object.hasOwn(row.values, raw)) return undefined;
    const words = Object.keys(row.values);
    return `use one of ${words.join(", ")}${typeof raw === "string" ? didYouMean(raw, words) : ""}`;
  }
  return typeof raw === "string" && row.rule.pattern.test(raw)
    ? undefined
    : `use ${row.rule.allowed}, for example ${row.example}`;
}

/** The default of a row after the given earlier answers, or undefined when it has none. */
export function defaultOf(row: Row, earlier: Readonly<Record<string, Value>>): Value | undefined {
  return typeof row.default === "function" ? row.default(earlier) : row.default;
}

/**
 * The one gate: flag before file before prompt before what the place tells before default; every value is checked,
 * and all problems are found at once.
 */
export function resolveAnswers(table: OptionTable, given: Given, place: Place): Resolution {
  const answers: Record<string, Value> = Object.create(null);
  const sources: Record<string, Source> = Object.create(null);
  const missing: string[] = [];
  const problems = [...given.file.keys()]
    .filter((key) => !Object.hasOwn(table, key))
    .map((key) => `${given.fileName}: unknown key ${quoted(key)}${didYouMean(key, Object.keys(table))}`);

  // With a key unknown or an earlier row refused, "does not apply" would be a guess.
  let guessing = problems.length > 0;
  for (const [key, row] of Object.entries(table)) {
    const at = { flag: `--${kebab(key)}`, file: `${given.fileName}: ${key}`, prompt: key };
    const source = (["flag", "file", "prompt"] as const).find((candidate) => given[candidate].has(key));
    if (row.when !== undefined && !row.when(answers)) {
      if (source !== undefined && !guessing) problems.push(`${at[source]}: ${row.otherwise}`);
      continue;
    }
    if (source !== undefined) {
      const raw = given[source].get(key);
      const reason = refusal(row, raw);
      if (reason === undefined) {
        answers[key] = raw as Value;
        sources[key] = source;
      } else {
        problems.push(`${at[source]}: ${quoted(raw)} is not allowed; ${reason}`);
        guessing = true;
      }
      continue;
    }
    const known = row.kind === "text" ? row.known?.(place) : undefined;
    const value = known ?? defaultOf(row, answers);
    if (value === undefined) missing.push(key);
    else {
      answers[key] = value;
      sources[key] = known === undefined ? "default" : "known";
    }
  }
  return { answers, sources, problems, missing };
}
