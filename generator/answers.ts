import { kebab } from "../contract/names";
import { didYouMean, quoted } from "../contract/text";
import type { ChoiceRow, Earlier, OptionTable, Place, Row, Value } from "./option-table";

/** Origin of an answer. */
export type Source = "flag" | "file" | "prompt" | "preset" | "known" | "default";

/** Answers of the user by source. The values are raw: {@link resolveAnswers} checks them. */
export interface Given {
  readonly flag: ReadonlyMap<string, unknown>;
  readonly file: ReadonlyMap<string, unknown>;
  readonly prompt: ReadonlyMap<string, Value>;
  readonly preset?: ReadonlyMap<string, Value>;
  /** Name of the answers file, for messages. */
  readonly fileName: string;
}

/** Checked answers. */
export interface Resolution {
  /** Valid values. A row that does not apply, is missing or was refused has none. */
  readonly answers: Readonly<Record<string, Value>>;
  readonly sources: Readonly<Record<string, Source>>;
  /** One sentence for each refused value: its place, what is allowed and what to do. */
  readonly problems: readonly string[];
  /** Required rows without an answer. */
  readonly missing: readonly string[];
}

/** Values of a choice that the earlier answers leave. */
export function choicesOf(row: ChoiceRow, earlier: Earlier): string[] {
  const excluded = row.excluded?.(earlier) ?? {};
  return Object.keys(row.values).filter((value) => !Object.hasOwn(excluded, value));
}

/** Reason why a raw value is not a valid answer to the row after the earlier answers, or undefined if it is. */
export function refusal(row: Row, raw: unknown, earlier: Earlier = {}): string | undefined {
  if (row.kind === "flag") return typeof raw === "boolean" ? undefined : "use true or false";
  if (row.kind === "choice") {
    const words = choicesOf(row, earlier);
    if (typeof raw === "string" && words.includes(raw)) return undefined;
    const reasons: Readonly<Record<string, string>> = { ...row.unsupported, ...row.excluded?.(earlier) };
    const reason = typeof raw === "string" && Object.hasOwn(reasons, raw) ? reasons[raw] : undefined;
    const use = `use ${words.length === 1 ? "" : "one of "}${words.join(", ")}`;
    if (reason !== undefined) return `${reason}; ${use}`;
    return `${use}${typeof raw === "string" ? didYouMean(raw, words) : ""}`;
  }
  return typeof raw === "string" && row.rule.pattern.test(raw)
    ? undefined
    : `use ${row.rule.allowed}, for example ${row.example}`;
}

/** Default of a row, given the earlier answers, or undefined if it has none. */
export function defaultOf(row: Row, earlier: Readonly<Record<string, Value>>): Value | undefined {
  return typeof row.default === "function" ? row.default(earlier) : row.default;
}

/**
 * Checks every value and reports all problems at once. A flag takes precedence over the file, then come the prompt, the
 * preset, the value known from the place and the default.
 */
export function resolveAnswers(table: OptionTable, given: Given, place: Place): Resolution {
  const answers: Record<string, Value> = Object.create(null);
  const sources: Record<string, Source> = Object.create(null);
  const missing: string[] = [];
  const problems = [...given.file.keys()]
    .filter((key) => !Object.hasOwn(table, key))
    .map((key) => `${given.fileName}: unknown key ${quoted(key)}${didYouMean(key, Object.keys(table))}`);

  // After an unknown key or a refused row, "does not apply" would be a guess.
  let guessing = problems.length > 0;
  for (const [key, row] of Object.entries(table)) {
    const at = { flag: `--${kebab(key)}`, file: `${given.fileName}: ${key}`, prompt: key, preset: `--preset: ${key}` };
    const source = (["flag", "file", "prompt", "preset"] as const).find((candidate) => given[candidate]?.has(key));
    if (row.when !== undefined && !row.when(answers)) {
      if (source !== undefined && !guessing) problems.push(`${at[source]}: ${row.otherwise}`);
      continue;
    }
    if (source !== undefined) {
      const raw = given[source]?.get(key);
      const reason = refusal(row, raw, answers);
      if (reason === undefined) {
        answers[key] = raw as Value;
        sources[key] = source;
      } else {
        problems.push(`${at[source]}: ${quoted(raw)} is not allowed; ${reason}`);
        guessing = true;
      }
      continue;
    }
    const known = row.known?.(place);
    const value = known ?? defaultOf(row, answers);
    if (value === undefined) missing.push(key);
    else {
      answers[key] = value;
      sources[key] = known === undefined ? "default" : "known";
    }
  }
  return { answers, sources, problems, missing };
}
