/** Reports whether a value is an object or a list. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Reports whether a value is an object and no list. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return isObject(value) && !Array.isArray(value);
}

/** Applies a function to every string in a value of plain objects and lists. */
export function mapText<T>(value: T, apply: (text: string) => string): T {
  if (typeof value === "string") return apply(value) as T;
  if (Array.isArray(value)) return value.map((each) => mapText(each, apply)) as T;
  if (!isPlain(value) || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapText(each, apply)])) as T;
}
