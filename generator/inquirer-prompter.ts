import { styleText } from "node:util";
import { cancelled } from "../contract/user-error";
import type { Prompter, Question } from "./prompts";

interface Streams {
  readonly input?: NodeJS.ReadableStream;
  readonly output?: NodeJS.WritableStream;
}

/** Shows the hint beside the message until the question is answered. */
function withHint({ hint, ...question }: Question): object {
  if (hint === undefined) return question;
  const message = (text: string, status: string): string =>
    status === "done" ? styleText("bold", text) : `${styleText("bold", text)} ${styleText("dim", `(${hint})`)}`;
  return { ...question, theme: { style: { message } } };
}

/** Creates a prompter on a terminal with inquirer, which is loaded for the first question. */
export function inquirerPrompter(streams: Streams = {}): Prompter {
  const ask = async <V, Q extends Question = Question>(type: string, question: Q): Promise<V> => {
    const { default: inquirer } = await import("inquirer");
    const prompt = inquirer.createPromptModule(streams as Parameters<typeof inquirer.createPromptModule>[0]);
    try {
      return (await prompt<{ value: V }>([{ name: "value", type, ...withHint(question) } as never])).value;
    } catch (error) {
      if (error instanceof Error && error.name === "ExitPromptError") throw cancelled("nothing was written");
      throw error;
    }
  };
  const list = { loop: false, pageSize: 10 };
  return {
    text: (question) => ask("input", question),
    choice: ({ choices, ...question }) => ask("select", { choices: [...choices], ...list, ...question }),
    flag: (question) => ask("confirm", question),
    many: ({ choices, ...question }) => ask("checkbox", { choices: [...choices], ...list, ...question }),
  };
}
