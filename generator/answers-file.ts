import { quoted } from "../contract/text";
import type { Value } from "./option-table";

/** File in a generated repository that records its answers. */
export const ANSWERS_FILE = ".antifragile.json";

/** Version of the answers format. Increases when a row is renamed or changes its meaning. */
export const SCHEMA_VERSION = 1;

/** Key of the answers file that holds the version of the tool instead of an answer. */
export const HEADER = "antifragile";

/** Maximum size of an answers file. */
export const MAX_ANSWERS_BYTES = 65_536;

/** Keys that an object contains twice: `JSON.parse` would silently keep the last. */
function repeatedKeys(json: string): string[] {
  const open: Set<string>[] = [];
  const repeated: string[] = [];
  for (const [token, string] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (string !== undefined) {
      const key = JSON.parse(string) as string;
      if (open.at(-1)?.has(key)) repeated.push(key);
      open.at(-1)?.add(key);
    }
  }
  return repeated;
}

/** True if a text has a comment outside of strings. */
function hasComment(json: string): boolean {
  return /\/\/|\/\*|^\s*#/m.test(json.replace(/"(?:[^"\\\n]|\\.)*"/g, '""'));
}

/**
 * Reads the raw values of an answers file and reports problems of the file itself. `resolveAnswers` checks keys and values, as it
 * does for flags and prompts.
 */
export function parseAnswersFile(
  source: string,
  fileName: string,
): { readonly values: ReadonlyMap<string, unknown>; readonly problems: readonly string[] } {
  const broken = (problem: string) => ({ values: new Map<string, unknown>(), problems: [`${fileName}: ${problem}`] });
  if (Buffer.byteLength(source) > MAX_ANSWERS_BYTES) {
    return broken(`is too large; an answers file has at most ${MAX_ANSWERS_BYTES} bytes`);
  }
  const json = source.replace(/^\uFEFF/, "");
  let content: unknown;
  try {
    content = JSON.parse(json);
  } catch (error) {
    if (hasComment(json)) return broken("contains a comment, which JSON does not allow; remove the comments");
    return broken(`is not JSON: ${quoted((error as Error).message).slice(1, -1)}`);
  }
  if (content === null || typeof content !== "object" || Array.isArray(content)) {
    return broken('must hold one object, for example { "name": "orders" }');
  }
  const repeated = repeatedKeys(json);
  if (repeated.length > 0) return broken(`names ${repeated.map(quoted).join(", ")} twice; keep one of each`);

  const values = new Map(Object.entries(content));
  const header = values.get(HEADER) as { readonly schema?: unknown } | null | undefined;
  values.delete(HEADER);
  values.delete("$schema");
  if (header !== undefined) {
    const schema = header?.schema;
    if (!Number.isInteger(schema) || Number(schema) < 1) {
      return broken(`${HEADER}.schema: must be an integer from 1 to ${SCHEMA_VERSION}`);
    }
    if (Number(schema) > SCHEMA_VERSION) {
      return broken(
        `${HEADER}.schema: ${schema} is newer than ${SCHEMA_VERSION}, the newest that this version supports; use the version of antifragile that wrote the file`,
      );
    }
  }
  return { values, problems: [] };
}

/** Writes answers in the format that `--answers` reads: sorted, with the version of the tool. */
export function formatAnswersFile(answers: Readonly<Record<string, Value | undefined>>, version: string): string {
  const sorted = Object.entries(answers).sort(([a], [b]) => (a < b ? -1 : 1));
  const content = { [HEADER]: { version, schema: SCHEMA_VERSION }, ...Object.fromEntries(sorted) };
  return `${JSON.stringify(content, null, 2)}\n`;
}
