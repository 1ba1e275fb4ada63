import { styleText } from "node:util";

/** Reports the steps of a long command, a line for each. */
export interface ProgressReporter {
  /** Begins a step. */
  readonly begin: (title: string) => void;
  /** Detail of the step under way: replaces the one before on a terminal, and is printed now and then elsewhere. */
  readonly progress: (text: string) => void;
  /** Ends the step with its result, whose further lines go below, and its time. @default - time since it began */
  readonly done: (result: string, milliseconds?: number) => void;
  /** Marks the step under way as failed. */
  readonly failed: () => void;
}

export interface ProgressOptions {
  readonly print: (text: string) => void;
  /** Milliseconds since some moment. */
  readonly now: () => number;
  readonly color: boolean;
  /** Width of the terminal, on which lines are replaced in place; undefined if the output is not a terminal. */
  readonly columns: number | undefined;
}

const TITLE_WIDTH = 36;
const RESULT_COLUMN = 50;
/** Time between two details where lines cannot be replaced. */
const DETAIL_EVERY_MS = 15_000;

/** `12.3 s`. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

export function progressReporter({ print, now, color, columns }: ProgressOptions): ProgressReporter {
  const styled = (format: "green" | "red" | "dim", text: string) => (color ? styleText(format, text) : text);
  const clear = columns === undefined ? "" : "\r\u001b[K";
  let title = "";
  let begun = 0;
  let reported = 0;
  const replace = (text: string) => print(`${clear}  ${styled("dim", "…")} ${text.slice(0, (columns ?? 80) - 5)}`);
  return {
    begin: (text) => {
      title = text;
      begun = reported = now();
      if (columns !== undefined) replace(title);
    },
    progress: (text) => {
      if (columns !== undefined) {
        replace(`${title.padEnd(TITLE_WIDTH)} ${text}`);
      } else if (now() - reported > DETAIL_EVERY_MS) {
        reported = now();
        print(`    ${text}\n`);
      }
    },
    done: (result, milliseconds = now() - begun) => {
      const [first, ...more] = result.split("\n");
      const time = seconds(milliseconds).padStart(7);
      print(`${clear}  ${styled("green", "✔")} ${title.padEnd(TITLE_WIDTH)} ${time}  ${first}\n`);
      for (const text of more) print(`${" ".repeat(RESULT_COLUMN)}${text}\n`);
      title = "";
    },
    failed: () => title && print(`${clear}  ${styled("red", "✖")} ${title}\n`),
  };
}
