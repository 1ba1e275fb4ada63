import { join } from "node:path";
import { expect, it } from "vitest";
import { resolveAnswers } from "../../../generator/answers";
import type { OptionTable, Value } from "../../../generator/option-table";
import { type Answers, options } from "../../../generator/options";
import { loadTemplates } from "../../../generator/package-files";
import { render } from "../../../generator/render";
import { mergeTrees, type Tree } from "../../../generator/upgrade/merge";
import { ADDABLE, REMOVABLE } from "../../../generator/upgrade/versions";
import { given } from "../support/given";
import { pairwise } from "../support/pairwise";

const templates = loadTemplates(join(__dirname, "../../.."));
const treeOf = (answers: Answers): Tree =>
  new Map([...render(answers, templates)].map(([path, { content }]) => [path, content]));
const resolved = (flag: object, file: object = {}) =>
  resolveAnswers(options, given({ flag, file }), { folder: undefined });

/** Values that add, and those that remove. */
function changesOf(key: string): Value[] {
  const row = (options as OptionTable)[key]!;
  const none: Value = row.kind === "flag" ? false : "none";
  const values: Value[] = row.kind === "flag" ? [true] : row.kind === "text" ? [row.example] : Object.keys(row.values);
  return [
    ...(ADDABLE.includes(key) ? values.filter((value) => value !== none) : []),
    ...(REMOVABLE.includes(key) ? [none] : []),
  ];
}

it("an addition to, and a removal from, every pair of choices gives a repository that new writes, byte for byte", async () => {
  let [changes, refused] = [0, 0];
  for (const answers of pairwise(options) as unknown as Readonly<Record<string, Value>>[]) {
    const base = treeOf(answers as unknown as Answers);
    for (const key of new Set([...ADDABLE, ...REMOVABLE])) {
      for (const value of changesOf(key)) {
        if (answers[key] === value) continue;
        const after = resolved({ [key]: value }, answers);
        const fresh = resolved({ ...answers, [key]: value });
        expect(after.problems.length, `${key}=${value} to ${JSON.stringify(answers)}`).toBe(fresh.problems.length);
        if (after.problems.length > 0) {
          refused++;
          continue;
        }
        const expected = treeOf(fresh.answers as unknown as Answers);
        const { rows, writes } = await mergeTrees({
          base,
          ours: treeOf(after.answers as unknown as Answers),
          theirs: base,
          blocked: new Set(),
          renames: [],
          generated: {},
          mergeText: () => Promise.reject(new Error("an untouched file needs no merge of texts")),
        });
        const result = new Map(base);
        for (const [path, text] of writes) text === undefined ? result.delete(path) : result.set(path, text);
        expect([...result].sort()).toEqual([...expected].sort());
        expect(rows.filter(({ kind }) => !["add", "update", "delete"].includes(kind))).toEqual([]);
        changes++;
      }
    }
  }
  console.info(`${changes} additions and removals, ${refused} refused`);
  expect(changes).toBeGreaterThan(400);
});
