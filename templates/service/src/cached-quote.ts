import type { Quote } from "./quotes";

/** Returns whether a cached value is a quote of this release: the cache may contain those of another release. */
export function isQuote(value: unknown): value is Quote {
  const { id, createdAt, lines, totalCents } = Object(value) as { readonly [name in keyof Quote]: unknown };
  return (
    [id, createdAt].every((text) => typeof text === "string") &&
    Number.isSafeInteger(totalCents) &&
    Array.isArray(lines) &&
    lines.every(
      (line) =>
        typeof line?.sku === "string" && [line.quantity, line.unitPriceCents].every((each) => Number.isInteger(each)),
    )
  );
}
