/** Placeholder for a value that must be filled in: constructs refuse it, `doctor` lists it. */

const PLACEHOLDER = /^<placeholder: (.*)>$/s;

/** A value that is still to be filled in. */
export interface Placeholder {
  /** Path of the missing value: `delivery.connectionArn`. */
  readonly path: string;
  /** Description of the missing value. */
  readonly what: string;
}

/** The text that stands in for it. */
export function placeholderText(what: string): string {
  return `<placeholder: ${what}>`;
}

/** All values in plain data that are still to be filled in. */
export function placeholdersIn(value: unknown, path: string): Placeholder[] {
  if (typeof value === "string") {
    const what = PLACEHOLDER.exec(value)?.[1];
    return what === undefined ? [] : [{ path, what }];
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => placeholdersIn(item, `${path}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => placeholdersIn(item, `${path}.${key}`));
}
