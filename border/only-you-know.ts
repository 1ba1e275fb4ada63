/** What stands in for a value that is still to be filled in: constructs refuse it, `doctor` lists it. */

const UNKNOWN = /^<only you know: (.*)>$/s;

/** A value that is still to be filled in. */
export interface Unknown {
  /** Where it is missing: `delivery.connectionArn`. */
  readonly path: string;
  /** What it is, in the words of whoever left it open. */
  readonly what: string;
}

/** The text that stands in for it. */
export function unknownText(what: string): string {
  return `<only you know: ${what}>`;
}

/** All values in plain data that are still to be filled in. */
export function unknownIn(value: unknown, path: string): Unknown[] {
  if (typeof value === "string") {
    const what = UNKNOWN.exec(value)?.[1];
    return what === undefined ? [] : [{ path, what }];
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => unknownIn(item, `${path}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => unknownIn(item, `${path}.${key}`));
}
