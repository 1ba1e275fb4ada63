/** Names of platforms, services and environments. */
export const NAME_PATTERN = /^(?=.{2,31}$)[a-z](?:-?[a-z0-9])+$/;

/** {@link NAME_PATTERN} in words: completes the sentence "Use ...". */
export const NAME_RULE = "2 to 31 lowercase letters, digits and single hyphens, starting with a letter";

/** Writes `OrderLines` and `orderLines` as `order-lines`. */
export function kebab(id: string): string {
  return id
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .replace(/[^a-zA-Z0-9]+/g, "-")
    .toLowerCase();
}

/** Writes `order-lines`, `orderLines` and `order.lines` as `OrderLines`, for construct ids. */
export function pascal(id: string): string {
  return kebab(id).replace(/(^|-)([a-z0-9])/g, (_, __, letter: string) => letter.toUpperCase());
}
