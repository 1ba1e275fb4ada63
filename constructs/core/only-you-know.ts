/** A value that is still to be filled in, as text. `operations` knows it by the same pattern. */
const UNKNOWN = /^<only you know: (.*)>$/s;

/** A value that is still to be filled in: where it is missing, and what it is. */
export interface Unknown {
  /** Path of the property: `delivery.connectionArn`. */
  readonly path: string;
  /** What it is, in the words of whoever left it open. */
  readonly what: string;
}

/**
 * Stands in for a value that no default can be computed for: an account, a domain, who owns a repository. Whatever needs it
 * is refused at synth, by name; `antifragile doctor` lists all of them.
 *
 * @param what what it is, in words: `the 12 digits of production's AWS account`
 *
 * @example
 * ```ts
 * const production: Environment = {
 *   name: "production",
 *   region: "eu-central-1",
 *   profile: "production",
 *   account: onlyYouKnow("the 12 digits of its AWS account"),
 * };
 * ```
 */
export function onlyYouKnow(what: string): string {
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
