import { kebab } from "../contract/names";
import { choicesOf, defaultOf, type Given, refusal, resolveAnswers } from "./answers";
import type { Earlier, OptionTable, Place, Row, Value } from "./option-table";

/** Choice of a question. */
export interface Choice {
  readonly value: string;
  readonly name: string;
}

/** Question on a terminal. */
export interface Question {
  readonly message: string;
  /** A few words beside the question. */
  readonly hint?: string;
}

/** Asks one question and waits for the answer. */
export interface Prompter {
  text(
    question: Question & {
      readonly default?: string;
      /** Returns true, or a sentence with the allowed values. */
      readonly validate: (value: string) => true | string;
    },
  ): Promise<string>;
  choice(question: Question & { readonly choices: readonly Choice[]; readonly default?: string }): Promise<string>;
  flag(question: Question & { readonly default: boolean }): Promise<boolean>;
  /** Asks for any number of choices. */
  many(
    question: Question & { readonly choices: readonly (Choice & { readonly checked: boolean })[] },
  ): Promise<string[]>;
}

async function askRow(row: Row, suggested: Value | undefined, earlier: Earlier, prompter: Prompter): Promise<Value> {
  const question = { message: row.ask ?? row.need ?? row.help, ...(row.hint === undefined ? {} : { hint: row.hint }) };
  if (row.kind === "flag") return prompter.flag({ ...question, default: suggested === true });
  const preset = typeof suggested === "string" ? { default: suggested } : {};
  if (row.kind === "choice") {
    const choices = choicesOf(row, earlier).map((value) => ({ value, name: row.values[value]! }));
    return prompter.choice({ ...question, choices, ...preset });
  }
  return prompter.text({ ...question, ...preset, validate: (value) => sentence(refusal(row, value)) });
}

const sentence = (reason: string | undefined): true | string =>
  reason === undefined ? true : reason[0]!.toUpperCase() + reason.slice(1);

/** Value of a row with a `need` if the user selects it. */
function selectedValue(row: Row): Value {
  return row.kind === "choice" ? Object.keys(row.values).find((value) => value !== "none")! : true;
}

/** Asks for all open rows with a `need` in one question. */
async function askNeeds(needs: readonly (readonly [string, Row])[], prompter: Prompter): Promise<[string, Value][]> {
  const selected = await prompter.many({
    message: "What does it need?",
    hint: "Space selects, Enter continues",
    choices: needs.map(([value, row]) => ({ value, name: row.need ?? value, checked: false })),
  });
  return needs.map(([key, row]) => [
    key,
    selected.includes(key) ? selectedValue(row) : row.kind === "choice" ? "none" : false,
  ]);
}

/** Asks every row that applies, has a question and no answer. After a preset, only texts are asked. */
export async function askOpenQuestions(
  table: OptionTable,
  given: Given,
  place: Place,
  prompter: Prompter,
): Promise<Given> {
  const prompt = new Map(given.prompt);
  const resolve = () => resolveAnswers(table, { ...given, prompt }, place);
  for (const [key, row] of Object.entries(table)) {
    const { answers, sources, missing } = resolve();
    if (sources[key] !== "default" && !missing.includes(key)) continue;
    if ((given.preset?.size ?? 0) > 0 && row.kind !== "text") continue;
    if (row.need !== undefined) {
      const open = Object.entries(table).filter(
        ([other, { need }]) => need !== undefined && sources[other] === "default",
      );
      for (const [other, value] of await askNeeds(open, prompter)) prompt.set(other, value);
    } else if (row.ask !== undefined || missing.includes(key)) {
      prompt.set(key, await askRow(row, row.suggested?.(place) ?? defaultOf(row, answers), answers, prompter));
    }
  }
  return { ...given, prompt };
}

/** Asks one row again. The new answer takes precedence, and answers that no longer apply are dropped. */
export async function reopenAnswer(
  table: OptionTable,
  key: string,
  given: Given,
  place: Place,
  prompter: Prompter,
): Promise<Given> {
  const before = resolveAnswers(table, given, place).answers;
  const answer = await askRow(table[key]!, before[key], before, prompter);
  const next = {
    flag: new Map(given.flag),
    file: new Map(given.file),
    prompt: new Map(given.prompt).set(key, answer),
    preset: new Map(given.preset),
  };
  const { fileName } = given;
  next.flag.delete(key);
  next.file.delete(key);
  for (const [other, row] of Object.entries(table)) {
    const { answers } = resolveAnswers(table, { ...next, fileName }, place);
    const isRefused = before[other] !== undefined && refusal(row, before[other], answers) !== undefined;
    if ((row.when?.(answers) ?? true) && !isRefused) continue;
    for (const source of Object.values(next)) source.delete(other);
  }
  return askOpenQuestions(table, { ...next, fileName }, place, prompter);
}

const short = (value: Value): string => {
  const text = typeof value === "boolean" ? (value ? "yes" : "no") : value;
  return text.length > 30 ? `${text.slice(0, 29)}…` : text;
};

/** Asks to confirm the plan: write, cancel, or ask one row again. */
export async function confirmPlan(
  table: OptionTable,
  answers: Readonly<Record<string, Value>>,
  message: string,
  prompter: Prompter,
): Promise<{ readonly write: boolean; readonly reopen?: string }> {
  const rows = Object.keys(answers).filter((key) => Object.hasOwn(table, key));
  const picked = await prompter.choice({
    message,
    choices: [
      { value: "yes", name: "Yes" },
      { value: "no", name: "No, cancel" },
      ...rows.map((key) => ({
        value: `reopen ${key}`,
        name: `Change ${kebab(key).replaceAll("-", " ")} (${short(answers[key]!)})`,
      })),
    ],
    default: "yes",
  });
  return picked.startsWith("reopen ")
    ? { write: false, reopen: picked.slice("reopen ".length) }
    : { write: picked === "yes" };
}
