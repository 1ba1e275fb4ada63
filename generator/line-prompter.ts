import { cancelled } from "../contract/user-error";
import type { Choice, Prompter, Question } from "./prompts";

interface Streams {
  readonly input?: NodeJS.ReadableStream;
  readonly output?: NodeJS.WritableStream;
}

const title = ({ message, hint }: Question): string => (hint === undefined ? message : `${message} (${hint})`);

/** Asks one line. Ctrl-C and the end of the input cancel. */
async function askLine(text: string, { input = process.stdin, output = process.stdout }: Streams): Promise<string> {
  const { createInterface } = await import("node:readline");
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input, output, terminal: false });
    const done = (finish: () => void): void => {
      lines.removeAllListeners();
      process.off("SIGINT", interrupt);
      lines.close();
      finish();
    };
    const cancel = (): void => done(() => reject(cancelled("nothing was written")));
    const interrupt = (): void => {
      output.write("\n");
      cancel();
    };
    process.once("SIGINT", interrupt);
    lines.once("line", (line) => done(() => resolve(line.trim())));
    lines.once("close", cancel);
    output.write(`${text} `);
  });
}

/** Creates a prompter for a terminal without cursor movement (`TERM=dumb`): one line for each answer. */
export function linePrompter(streams: Streams = {}): Prompter {
  const { output = process.stdout } = streams;
  const ask = async <V>(text: string, parse: (line: string) => V | undefined, allowed: string): Promise<V> => {
    for (;;) {
      const value = parse(await askLine(text, streams));
      if (value !== undefined) return value;
      output.write(`${allowed}\n`);
    }
  };
  const list = (choices: readonly Choice[]): void => {
    for (const [index, { name }] of choices.entries()) output.write(`  ${index + 1}) ${name}\n`);
  };
  const pick = (choices: readonly Choice[], word: string): string | undefined =>
    choices.find(({ value }, index) => word === String(index + 1) || word === value)?.value;

  return {
    text: async ({ default: preset, validate, ...question }) => {
      for (;;) {
        const line = await askLine(`${title(question)}${preset === undefined ? "" : ` [${preset}]`}`, streams);
        const value = line === "" ? (preset ?? "") : line;
        const verdict = validate(value);
        if (verdict === true) return value;
        output.write(`${verdict}\n`);
      }
    },
    choice: ({ choices, default: preset, ...question }) => {
      const start = Math.max(
        0,
        choices.findIndex(({ value }) => value === preset),
      );
      output.write(`${title(question)}\n`);
      list(choices);
      const parse = (line: string) => (line === "" ? choices[start]?.value : pick(choices, line));
      return ask(`Number [${start + 1}]:`, parse, `Type a number from 1 to ${choices.length}`);
    },
    flag: ({ default: preset, ...question }) =>
      ask(
        `${title(question)} [${preset ? "Y/n" : "y/N"}]`,
        (line) => (line === "" ? preset : /^y(es)?$/i.test(line) ? true : /^no?$/i.test(line) ? false : undefined),
        "Type y or n",
      ),
    many: ({ choices, message }) => {
      output.write(`${message}\n`);
      list(choices);
      const parse = (line: string): string[] | undefined => {
        const picked = line
          .split(/[\s,]+/)
          .filter(Boolean)
          .map((word) => pick(choices, word));
        return picked.includes(undefined) ? undefined : (picked as string[]);
      };
      return ask("Numbers, separated by spaces [none]:", parse, `Type numbers from 1 to ${choices.length}`);
    },
  };
}
