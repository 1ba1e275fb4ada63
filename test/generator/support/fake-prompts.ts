import type { Prompter } from "../../../generator/prompts";

/** Answers questions by their message, and throws at an unexpected one. Records the questions. */
export function fakePrompter(script: Readonly<Record<string, (string | boolean)[]>>): Prompter & { asked: string[] } {
  const left = new Map(Object.entries(script).map(([message, answers]) => [message, [...answers]]));
  const asked: string[] = [];
  const next = (message: string): string | boolean => {
    asked.push(message);
    const answer = left.get(message)?.shift();
    if (answer === undefined) throw new Error(`unexpected question: ${message}`);
    return answer;
  };
  return {
    asked,
    text: async ({ message, validate }) => {
      const answer = next(message) as string;
      const verdict = validate(answer);
      if (verdict !== true) throw new Error(`${message}: ${verdict}`);
      return answer;
    },
    choice: async ({ message, choices }) => {
      const answer = next(message) as string;
      if (!choices.some(({ value }) => value === answer)) throw new Error(`${message}: no choice ${answer}`);
      return answer;
    },
    flag: async ({ message }) => next(message) as boolean,
    many: async ({ message, choices }) => {
      const answers = (next(message) as string).split(" ").filter(Boolean);
      const unknown = answers.filter((answer) => !choices.some(({ value }) => value === answer));
      if (unknown.length > 0) throw new Error(`${message}: no choice ${unknown.join()}`);
      return answers;
    },
  };
}

/** Prompts that must not be used. */
export const noPrompts = fakePrompter({});
