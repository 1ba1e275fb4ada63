import { randomUUID } from "node:crypto";
import type { components } from "./contract-types";

export type Quote = components["schemas"]["Quote"];
type Line = components["schemas"]["Line"];

/** Prices lines. */
export function quote(lines: readonly Line[], now = new Date()): Quote {
  const totalCents = lines.reduce((sum, line) => sum + line.quantity * line.unitPriceCents, 0);
  return { id: randomUUID(), createdAt: now.toISOString(), lines: [...lines], totalCents };
}
