import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Recorded answers, from the root of the repository. */
export const ANSWERS_FILE = "scripts/verify-aws/answers.json";

const root = join(__dirname, "../..");

/** Answer of an AWS account to an assumption. */
export interface Answer {
  readonly answer: "yes" | "no";
  /** `2026-01-31`. */
  readonly date: string;
  readonly region: string;
  /** Evidence, in one line. */
  readonly detail?: string;
}

/** Answers by the id of their assumption. */
export type Answers = Readonly<Record<string, Answer>>;

/** @param file path, from the root of the repository where it is relative */
export function readAnswers(file: string): Answers {
  return JSON.parse(readFileSync(resolve(root, file), "utf8")) as Answers;
}

/** Adds answers to those that are recorded; a new one takes the place of an older one. */
export function recordAnswers(file: string, answers: Answers): void {
  const all = { ...readAnswers(file), ...answers };
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => a.localeCompare(b)));
  writeFileSync(resolve(root, file), `${JSON.stringify(sorted, null, 2)}\n`);
}
