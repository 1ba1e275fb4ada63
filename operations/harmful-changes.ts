/** Changes of attributes that take something away, and the vocabulary in which `protected-resources.ts` describes them. */

import { type Attributes, attributes } from "./terraform-plan";

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

/** Numbers of images that a lifecycle policy keeps. */
export const keptImages = (policy: unknown) =>
  namesIn(policy, /"countNumber":\d+/g).map((each) => Number(each.split(":")[1]));

/** Number of rules of a web ACL that block requests. */
export const blocking = (rules: unknown) =>
  elements(rules).filter((rule) => /"(block|none)":\[[^\]]/.test(JSON.stringify(rule))).length;

/** Number of approvals in the stages of a pipeline. */
export const approvals = (stages: unknown) => namesIn(JSON.stringify(stages), /"category":"Approval"/g).length;

/** True if the settings of a cluster turn Container Insights on. */
export const observes = (settings: unknown) => /"(enabled|enhanced)"/.test(JSON.stringify(settings ?? []));

/** True if the parameters of a database accept connections without TLS. */
export const acceptsPlainText = (parameters: unknown) =>
  elements(parameters).some((each) => {
    const { name, value } = attributes(each);
    return name === "rds.force_ssl" && value === "0";
  });

/** Indexes of a table, each with the attributes that its replacement must have. */
export const indexesIn = (indexes: unknown) =>
  elements(indexes)
    .map(attributes)
    .map(({ name, hash_key, range_key, projection_type }) => [name, hash_key, range_key, projection_type].join());

/** Number of times for which the rules of a bucket delete objects or former versions. */
export const expirations = (rules: unknown) =>
  elements(rules)
    .map(attributes)
    .filter(({ status }) => status !== "Disabled")
    .flatMap(({ expiration, noncurrent_version_expiration: former }) => [...elements(expiration), ...elements(former)])
    .map(attributes)
    .filter(({ days, noncurrent_days: former }) => Boolean(days) || Boolean(former)).length;

export const signsIn = (actions: unknown) => JSON.stringify(actions ?? []).includes('"authenticate-');
/** Older version, compared number by number: `16.10` is newer than `16.9`, and `16` is not older than `16.4`. */
export function downgraded(before: unknown, after: unknown): boolean {
  const [old, wanted] = [before, after].map((value) =>
    String(value ?? "")
      .split(".")
      .map((part) => Number.parseInt(part, 10)),
  ) as [number[], number[]];
  for (const [index, number] of wanted.entries()) {
    const other = old[index];
    if (other === undefined || Number.isNaN(other) || Number.isNaN(number)) return false;
    if (number !== other) return number < other;
  }
  return false;
}

/** Deletion protection that is turned off. */
export const UNPROTECTED: Omit<HarmfulChange, "path"> = {
  harms: (before, after) => turnedOff(before, after) || (before === "ACTIVE" && after === "INACTIVE"),
  effect: "without deletion protection, AWS no longer refuses to delete it, by Terraform or by hand",
};
