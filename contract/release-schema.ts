import type { ProcessTemplate, Release, ReleaseLock, ReleaseRecord } from "./release";

/** Result of reading a text from AWS: the value, or what is wrong with it. */
export type Read<T> = { readonly value: T } | { readonly problem: string };

/** Problem of a value at a path; undefined where it is as expected. */
type Check = (value: unknown, path: string) => string | undefined;

const kindOf = (value: unknown) => (value === null ? "null" : Array.isArray(value) ? "a list" : typeof value);
const isObject = (value: unknown): value is Record<string, unknown> => kindOf(value) === "object";

const is =
  (kind: "string" | "boolean"): Check =>
  (value, path) =>
    typeof value === kind ? undefined : `${path} must be a ${kind}, not ${kindOf(value)}`;
const text = is("string");
const natural: Check = (value, path) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : `${path} must be a whole number`;
const oneOf =
  (...allowed: readonly string[]): Check =>
  (value, path) =>
    allowed.includes(value as string) ? undefined : `${path} must be one of ${allowed.join(", ")}`;
const optional =
  (check: Check): Check =>
  (value, path) =>
    value === undefined ? undefined : check(value, path);
const list =
  (check: Check): Check =>
  (value, path) =>
    Array.isArray(value)
      ? first(value.map((item, index) => check(item, `${path}[${index}]`)))
      : `${path} must be a list, not ${kindOf(value)}`;
const map =
  (check: Check): Check =>
  (value, path) =>
    isObject(value)
      ? first(Object.entries(value).map(([key, item]) => check(item, `${path}.${key}`)))
      : `${path} must be an object, not ${kindOf(value)}`;
const object =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value, path) =>
    isObject(value)
      ? first(Object.entries(checks).map(([key, check]) => check(value[key], `${path}.${key}`)))
      : `${path} must be an object, not ${kindOf(value)}`;

function first(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}

const attempt = { number: natural, at: text, by: text, images: map(text) };
const RECORD = object({
  live: optional(
    object({
      ...attempt,
      processes: map(object({ task: text, template: natural, config: text })),
      began: optional(text),
      of: optional(natural),
    }),
  ),
  failed: optional(object({ ...attempt, reason: text })),
  started: optional(object(attempt)),
} satisfies Record<keyof ReleaseRecord, Check>);

const LOCK = object({ id: text, number: natural, by: text, at: text } satisfies Record<keyof ReleaseLock, Check>);

const TEMPLATE = object({
  kind: oneOf("web", "worker", "job"),
  owner: oneOf("pipeline", "terraform"),
  cluster: text,
  service: optional(text),
  schedule: optional(text),
  container: text,
  task: text,
  source: text,
  bootstrap: is("boolean"),
  strategy: text,
  codeDeploy: optional(object({ application: text, deploymentGroup: text, port: natural })),
  url: optional(text),
  network: object({ subnets: text, securityGroup: text, assignPublicIp: is("boolean") }),
  platformVersion: optional(text),
  capacity: list(object({ capacityProvider: text, weight: natural, base: natural })),
  alarms: optional(list(text)),
  admin: map(list(text)),
  adminRole: optional(text),
  adminEnvironment: optional(map(text)),
} satisfies Record<keyof ProcessTemplate, Check>);

function reader<T>(check: Check): (source: string) => Read<T> {
  return (source) => {
    let value: unknown;
    try {
      value = JSON.parse(source);
    } catch {
      return { problem: "it is not JSON" };
    }
    const problem = check(value, "")?.replace(/^\./, "").trim();
    return problem === undefined ? { value: value as T } : { problem };
  };
}

/** Reads the record of releases; `{}` before the first. */
export const readRecord = reader<ReleaseRecord>(RECORD);
/** Reads the lock of a release. */
export const readLock = reader<ReleaseLock>(LOCK);
/** Reads what Terraform wrote about a service. */
export const readTemplate = reader<ProcessTemplate>(TEMPLATE);

/** Attempts that a record knows, whatever became of them. */
export function numbersOf({ live, failed, started }: ReleaseRecord): number[] {
  const attempts: readonly (Pick<Release, "number"> | undefined)[] = [live, failed, started];
  return attempts.flatMap((each) => (each === undefined ? [] : [each.number]));
}
