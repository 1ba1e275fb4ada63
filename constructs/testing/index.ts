/**
 * Helpers for tests of your own infrastructure, imported from `antifragile/testing`.
 *
 * @module
 */
import { type TerraformStack, Testing } from "cdktf";

/** A stack as Terraform JSON: blocks, then types, then names, all sorted. */
export type SynthesizedStack = { readonly [block: string]: unknown };

/**
 * Synthesizes a stack for snapshots: sorted, without versions, paths and metadata, and with JSON inside strings parsed, so
 * that a changed variable is a changed line. Runs the constructs' validations. Needs no network, no Terraform and no AWS.
 *
 * @example
 * ```ts
 * expect(synthesize(stack)).toMatchSnapshot();
 * ```
 * @throws Error with the messages of the validations
 */
export function synthesize(stack: TerraformStack): SynthesizedStack {
  // As the app does, since preparing a stack may add resources to it.
  stack.prepareStack();
  const { terraform: _, "//": __, ...blocks } = JSON.parse(Testing.synth(stack, true)) as Record<string, unknown>;
  return sorted(blocks) as SynthesizedStack;
}

function sorted(value: unknown): unknown {
  if (typeof value === "string") return unfolded(value);
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "//")
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/** Parses a string that holds a JSON object or array. */
function unfolded(text: string): unknown {
  if (!/^[[{]/.test(text)) return text;
  try {
    return sorted(JSON.parse(text));
  } catch {
    return text;
  }
}
