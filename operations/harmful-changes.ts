/** Vocabulary in which `protected-data.ts` and `protected-resources.ts` describe changes that take something away. */

import type { Attributes } from "./terraform-plan";

/** Change in place that harms. */
export interface HarmfulChange {
  /** Attribute, with `*` for each element of a list: `health_check.*.path`. */
  readonly path: string;
  /** True if the change of the attribute harms. Called where both values are known and differ. */
  readonly harms: (before: unknown, after: unknown, resource: { before: Attributes; after: Attributes }) => boolean;
  readonly effect: string;
  /** Safe way to the same end. @default - allow the change when its effect is accepted */
  readonly instead?: string;
}

/** Consequences of changing a resource of a type. */
export interface Protection {
  readonly what: string;
  /** Consequence of a deletion. @default - a deletion is not refused */
  readonly deleted?: string;
  /** Consequence of a replacement that deletes the old resource first. @default - that of a deletion */
  readonly replaced?: string;
  /** Consequence of a replacement that creates the new resource first; `harmless` is not refused. @default - as `replaced` */
  readonly replacedAfter?: string;
  /** Cause of a change that forces a replacement, by its path. */
  readonly causes?: Readonly<Record<string, string>>;
  readonly changes?: readonly HarmfulChange[];
  /** Limits the protection to some resources of the type, or replacements. @default - all */
  readonly only?: (before: Attributes, after: Attributes) => boolean;
}

export const HARMLESS = "harmless";

export const isNumber = (value: unknown): value is number => typeof value === "number";
export const changed = () => true;
export const turnedOn = (before: unknown, after: unknown) => before !== true && after === true;
export const turnedOff = (before: unknown, after: unknown) => before === true && after !== true;
export const lowered = (before: unknown, after: unknown) => isNumber(before) && (isNumber(after) ? after : 0) < before;
export const disabled = (before: unknown, after: unknown) => before === "ENABLED" && after === "DISABLED";
export const removed = (before: unknown, after: unknown) => Boolean(before) && !after;

export const elements = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Names that a pattern finds in a text. */
export const namesIn = (text: unknown, pattern: RegExp): string[] =>
  [...String(text ?? "").matchAll(pattern)].map(([name]) => name);

/** True if one of the elements is not there any more. */
export const fewer = (before: readonly unknown[], after: readonly unknown[]) =>
  before.some((each) => !after.includes(each));

/** Deletion protection that is turned off. */
export const UNPROTECTED: Omit<HarmfulChange, "path"> = {
  harms: (before, after) => turnedOff(before, after) || (before === "ACTIVE" && after === "INACTIVE"),
  effect: "without deletion protection, AWS no longer refuses to delete it, by Terraform or by hand",
};
