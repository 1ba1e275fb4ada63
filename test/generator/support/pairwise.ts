import { resolveAnswers } from "../../../generator/answers";
import type { OptionTable } from "../../../generator/option-table";
import type { Answers } from "../../../generator/options";
import { given } from "./given";

/** Answers in which every pair of values of two options occurs that may be combined. */
export function pairwise(table: OptionTable): Answers[] {
  const domains: [string, readonly (string | boolean)[]][] = [];
  for (const [key, row] of Object.entries(table)) {
    if (row.kind === "choice") domains.push([key, Object.keys(row.values)]);
    if (row.kind === "flag") domains.push([key, [true, false]]);
    if (row.kind === "text" && typeof row.default === "string") domains.push([key, [row.default, row.example]]);
  }
  const cases: Record<string, string | boolean>[] = [];
  const resolve = (said: object) =>
    resolveAnswers(table, given({ flag: { name: "orders", ...said } }), { folder: undefined });
  const applies = (said: object): boolean => resolve(said).problems.length === 0;
  const cover = (pair: Record<string, string | boolean>): void => {
    const fits = cases.find(
      (one) =>
        Object.entries(pair).every(([key, value]) => (one[key] ?? value) === value) && applies({ ...one, ...pair }),
    );
    if (fits !== undefined) Object.assign(fits, pair);
    else if (applies(pair)) cases.push({ ...pair });
  };
  for (const [index, [key, values]] of domains.entries()) {
    for (const [other, others] of domains.slice(index + 1)) {
      for (const value of values) for (const second of others) cover({ [key]: value, [other]: second });
    }
  }
  return [{}, ...cases].map((said) => resolve(said).answers as unknown as Answers);
}
