import { defaultOf, type Given, refusal, resolveAnswers } from "./answers";
import { cancelled } from "./errors";
import type { OptionTable, Place, Row, Value } from "./option-table";

/** Asks one question and waits for the answer. */
export interface Prompter {
  text(question: {
    readonly message: string;
    readonly default?: string;
    /** Returns true, or a sentence with the allowed values. */
    readonly validate: (value: string) => true | string;
  }): Promise<string>;
  choice(question: {
    readonly message: string;
    readonly choices: readonly { readonly value: string; readonly name: string }[];
    readonly default?: string;
  }): Promise<string>;
  flag(question: { readonly message: string; readonly default: boolean }): Promise<boolean>;
}

interface Streams {
  readonly input?: NodeJS.ReadableStream;
  readonly output?: NodeJS.WritableStream;
}

/** Creates a prompter on a terminal with inquirer, which is loaded for the first question. */
export function inquirerPrompter(streams: Streams = {}): Prompter {
  const ask = async <V>(question: object): Promise<V> => {
    const { default: inquirer } = await import("inquirer");
    const prompt = inquirer.createPromptModule(streams as Parameters<typeof inquirer.createPromptModule>[0]);
    try {
      return (await prompt<{ value: V }>([{ name: "value", ...question } as never])).value;
    } catch (error) {
      if (error instanceof Error && error.name === "ExitPromptError") throw cancelled("nothing was written");
      throw error;
    }
  };
  return {
    text: (question) => ask({ type: "input", ...question }),
    choice: ({ choices, ...question }) => ask({ type: "select", choices: [...choices], loop: false, ...question }),
    flag: (question) => ask({ type: "confirm", ...question }),
  };
}

async function askRow(row: Row, suggested: Value | undefined, prompter: Prompter): Promise<Value> {
  const message = row.ask ?? row.help;
  if (row.kind === "flag") return prompter.flag({ message, default: suggested === true });
  const preset = typeof suggested === "string" ? { default: suggested } : {};
  if (row.kind === "choice") {
    return prompter.choice({
      message,
      choices: Object.entries(row.values).map(([value, name]) => ({ value, name })),
      ...preset,
    });
  }
  return prompter.text({ message, ...preset, validate: (value) => sentence(refusal(row, value)) });
}

const sentence = (reason: string | undefined): true | string =>
  reason === undefined ? true : reason[0]!.toUpperCase() + reason.slice(1);

/** Asks every row that applies, has a question and no answer. */
export async function askOpenQuestions(
  table: OptionTable,
  given: Given,
  place: Place,
  prompter: Prompter,
): Promise<Given> {
  const prompt = new Map(given.prompt);
  for (const [key, row] of Object.entries(table)) {
    const { answers, sources, missing } = resolveAnswers(table, { ...given, prompt }, place);
    const open = sources[key] === "default" || missing.includes(key);
    if (open && (row.ask !== undefined || missing.includes(key))) {
      prompt.set(key, await askRow(row, defaultOf(row, answers), prompter));
    }
  }
  return { ...given, prompt };
}

/** Asks one row again. The new answer takes precedence, and answers to rows that no longer apply are dropped. */
export async function reopenAnswer(
  table: OptionTable,
  key: string,
  given: Given,
  place: Place,
  prompter: Prompter,
): Promise<Given> {
  const before = resolveAnswers(table, given, place).answers;
  const answer = await askRow(table[key]!, before[key], prompter);
  const next = { flag: new Map(given.flag), file: new Map(given.file), prompt: new Map(given.prompt).set(key, answer) };
  next.flag.delete(key);
  next.file.delete(key);
  for (const [other, row] of Object.entries(table)) {
    const { answers } = resolveAnswers(table, { ...next, fileName: given.fileName }, place);
    if (row.when === undefined || row.when(answers)) continue;
    for (const source of Object.values(next)) source.delete(other);
  }
  return askOpenQuestions(table, { ...next, fileName: given.fileName }, place, prompter);
}

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
      ...rows.map((key) => ({ value: `reopen ${key}`, name: `Change ${key} (${answers[key]})` })),
    ],
    default: "yes",
  });
  return picked.startsWith("reopen ")
    ? { write: false, reopen: picked.slice("reopen ".length) }
    : { write: picked === "yes" };
}
