import type { IConstruct } from "constructs";
import { partitionOf } from "../../contract/partition";
import type { Environment } from "./environment";
import { InvalidPropsError, type Problem } from "./errors";
import { isObject } from "./plain";
import { QUOTAS } from "./quotas";
import { Registry } from "./registry";
import { TEXT_LIMITS, type TextLimit, UNIQUE_NAMES } from "./text-limits";
import { TOTALS, type Total } from "./totals";

/** A stack in an account and region. */
interface RegionalStack extends IConstruct {
  readonly environment: Environment;
}

/** A block of Terraform's JSON. */
type Block = Readonly<Record<string, unknown>>;

/** A synthesized resource. */
interface Resource {
  readonly address: string;
  readonly type: string;
  /** Path of its construct. */
  readonly path: string;
  readonly block: Block;
}

/** A part of a Terraform string: text as Terraform evaluates it, or an expression. */
type Part = { readonly text: string } | { readonly expression: string };

/** Splits a Terraform string at its expressions. Expressions may contain braces and strings. */
export function partsOf(template: string): Part[] {
  const parts: Part[] = [];
  let text = "";
  let at = 0;
  while (at < template.length) {
    const opening = template.slice(at, at + 3);
    if (/^([$%])\1\{/.test(opening)) {
      text += opening.slice(1);
      at += 3;
    } else if (opening.startsWith("${")) {
      const end = endOfExpression(template, at + 2);
      parts.push({ text }, { expression: template.slice(at + 2, end) });
      text = "";
      at = end + 1;
    } else {
      text += template[at];
      at += 1;
    }
  }
  return [...parts, { text }].filter((part) => !("text" in part) || part.text !== "");
}

function endOfExpression(template: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < template.length; at += 1) {
    const sign = template[at];
    if (quoted && sign === "\\") at += 1;
    else if (sign === '"') quoted = !quoted;
    else if (!quoted && sign === "{") depth += 1;
    else if (!quoted && sign === "}") {
      if (depth === 0) return at;
      depth -= 1;
    }
  }
  return template.length;
}

/** Assumed length of an ARN, and of any other value that only Terraform knows. */
const ASSUMED = { arn: 80, other: 32 } as const;

/**
 * A text as AWS will receive it, as far as it is known: the partition of the region, twelve digits for an account, and `x` in
 * place of other values. Where sums are measured, these have an assumed length; elsewhere they count as one character, so that
 * no text is refused that might fit.
 */
export function received(template: string, region: string, assumed: "shortest" | "typical"): string {
  return partsOf(template)
    .map((part) => {
      if ("text" in part) return part.text;
      const { expression } = part;
      if (/\.partition$/.test(expression)) return partitionOf(region);
      if (/\.account_id$/.test(expression)) return "0".repeat(12);
      if (assumed === "shortest") return "x";
      return "x".repeat(/(\.|_)arn\b|Arn\b/.test(expression) ? ASSUMED.arn : ASSUMED.other);
    })
    .join("");
}

/** Values of an attribute: of each element of lists and repeated blocks on its path; `*` follows every key. */
function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((each) => valuesAt(each, path));
  const [key, ...rest] = path;
  if (key === undefined) return value === undefined || value === null ? [] : [value];
  if (!isObject(value)) return [];
  const block = value as Block;
  return key === "*" ? Object.values(block).flatMap((each) => valuesAt(each, rest)) : valuesAt(block[key], rest);
}

interface LimitedAttribute extends TextLimit {
  /** Name of the attribute in Terraform. */
  readonly attribute: string;
  readonly at: readonly string[];
}

const TEXT_LIMITS_BY_TYPE = new Map<string, LimitedAttribute[]>();
for (const limit of TEXT_LIMITS) {
  for (const field of limit.fields) {
    const [type = "", ...at] = field.split(".");
    const limits = TEXT_LIMITS_BY_TYPE.get(type) ?? [];
    limits.push({ ...limit, attribute: at.join("."), at });
    TEXT_LIMITS_BY_TYPE.set(type, limits);
  }
}

function textProblems({ type, block }: Resource, region: string): Problem[] {
  return (TEXT_LIMITS_BY_TYPE.get(type) ?? []).flatMap((limit) =>
    valuesAt(block, limit.at).flatMap((value) => {
      if (typeof value !== "string") return [];
      const problem = textProblem(value, limit, region);
      return problem === undefined ? [] : [{ ...problem, prop: `${type}.${limit.attribute}` }];
    }),
  );
}

function textProblem(
  template: string,
  { min = 0, max, bytes = false, pattern, allowed, api }: LimitedAttribute,
  region: string,
): Omit<Problem, "prop"> | undefined {
  const text = received(template, region, "shortest");
  const length = bytes ? Buffer.byteLength(text) : text.length;
  const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
  const [service = "", operation = ""] = api.split(" ");
  const parts = partsOf(template);
  // A value that only Terraform knows may be long enough.
  const tooShort = length < min && !parts.some((part) => "expression" in part);
  if (tooShort || length > max) {
    const unit = bytes ? "bytes" : "characters";
    const bounds = min > 0 ? `from ${min} to ${max}` : `at most ${max}`;
    return {
      code: "AWS_LENGTH",
      problem: `must have ${bounds} ${unit} in ${operation} of ${service}, got ${length}: ${shown}`,
      remedy: tooShort ? "Use a longer text." : "Use a shorter name or text.",
    };
  }
  // Of a value that only Terraform knows, nothing is known.
  if (pattern === undefined || pattern.test(text) || parts.every((part) => "expression" in part)) return undefined;
  return {
    code: "AWS_CHARACTERS",
    problem: `is refused by ${operation} of ${service}, got ${shown}`,
    remedy: `Use ${allowed}.`,
  };
}

/** Rest of a reference that JavaScript has cut, calculated with, or written in other characters. */
const BROKEN_REFERENCE = /token(\[|%5b)token\.\d|\$\{TfT|-\d\.\d+e\+2[89]\d/i;

function brokenReferences({ type, block }: Resource): Problem[] {
  return Object.entries(block).flatMap(([attribute, value]) =>
    BROKEN_REFERENCE.test(JSON.stringify(value) ?? "")
      ? [
          {
            code: "REFERENCE_CHANGED",
            prop: `${type}.${attribute}`,
            problem: "contains a value that is known only at apply, which JavaScript has changed",
            remedy: "Change it by a function of Terraform, such as Fn.upper(value) or Fn.urlencode(value).",
          },
        ]
      : [],
  );
}

/** Part of a total: what a resource adds to it. */
interface Share {
  readonly total: Total;
  /** Owner of the total within the stack, as a Terraform value. */
  readonly owner: string;
  readonly amount: number;
  readonly resource: Resource;
}

function sharesOf(resource: Resource, region: string): Share[] {
  return TOTALS.filter(({ type }) => type === resource.type).map((total) => {
    const { attribute, unit = "elements", per } = total;
    const values = attribute === undefined ? [] : valuesAt(resource.block, attribute.split("."));
    const amount = attribute === undefined ? 1 : values.map((value) => sizeOf(value, unit, region)).reduce(add, 0);
    const named = resource.block[per];
    const owner = per === "region" ? "" : typeof named === "string" ? named : resource.address;
    return { total, owner, amount, resource };
  });
}

const add = (sum: number, each: number) => sum + each;

function sizeOf(value: unknown, unit: NonNullable<Total["unit"]>, region: string): number {
  if (unit === "elements") return elementsOf(value);
  const text = received(typeof value === "string" ? value : JSON.stringify(value), region, "typical");
  return unit === "bytes" ? Buffer.byteLength(text) : text.replace(/\s/g, "").length;
}

/** Number of elements of a JSON list; a list of Terraform is counted by its elements already. */
function elementsOf(value: unknown): number {
  if (typeof value !== "string" || !value.startsWith("[")) return 1;
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list.length : 1;
  } catch {
    return 1;
  }
}

/** A name that must be unique, with the resource that has it. */
interface Claim {
  readonly field: string;
  readonly name: string;
  /** Index of the set of names. */
  readonly set: number;
  readonly resource: Resource;
}

const UNIQUE_BY_TYPE = new Map(
  UNIQUE_NAMES.flatMap((fields, set) =>
    fields.map((field) => {
      const [type = "", attribute = ""] = field.split(".");
      return [type, { field, attribute, set }] as const;
    }),
  ),
);

/** Name of a resource that must be unique; none if only Terraform knows it. */
function claimsOf(resource: Resource, region: string): Claim[] {
  const unique = UNIQUE_BY_TYPE.get(resource.type);
  const template = unique && resource.block[unique.attribute];
  if (unique === undefined || typeof template !== "string") return [];
  const known = partsOf(template).every((part) => "text" in part || /\.(partition|account_id)$/.test(part.expression));
  return known ? [{ ...unique, name: received(template, region, "shortest"), resource }] : [];
}

/** Sum of a total, with the stacks that add to it. */
interface Sum {
  amount: number;
  readonly total: Total;
}

/** Totals and names of all stacks in an account and region that have been synthesized. */
class Ledger {
  readonly #sums = new Map<string, Sum>();
  readonly #claims = new Map<string, Claim[]>();
  readonly #entries = new Map<RegionalStack, Entry>();

  /** Enters what a stack adds, in place of what it added before, and returns the sums and names that it is part of. */
  enter(stack: RegionalStack, entry: Entry): { readonly sums: Map<Sum, Resource>; readonly taken: [Claim, Claim][] } {
    const before = this.#entries.get(stack);
    for (const { key, amount } of before?.shares ?? []) (this.#sums.get(key) as Sum).amount -= amount;
    for (const claim of before?.claims ?? []) this.#claimsOf(claim).splice(this.#claimsOf(claim).indexOf(claim), 1);
    this.#entries.set(stack, entry);
    const sums = new Map<Sum, Resource>();
    for (const { key, amount, total, resource } of entry.shares) {
      const sum = this.#sums.get(key) ?? { amount: 0, total };
      this.#sums.set(key, sum);
      sum.amount += amount;
      sums.set(sum, resource);
    }
    const taken = entry.claims.flatMap((claim): [Claim, Claim][] => {
      const claims = this.#claimsOf(claim);
      claims.push(claim);
      return claims[0] === claim ? [] : [[claim, claims[0] as Claim]];
    });
    return { sums, taken };
  }

  #claimsOf({ set, name }: Claim): Claim[] {
    const key = `${set} ${name}`;
    const claims = this.#claims.get(key) ?? [];
    this.#claims.set(key, claims);
    return claims;
  }
}

interface Entry {
  readonly shares: readonly (Share & { readonly key: string })[];
  readonly claims: readonly Claim[];
}

/** Ledgers of an app, by account and region, or by environment and region if no account is configured. */
const LEDGERS = () => new Map<string, Ledger>();

function ledgerOf(stack: RegionalStack): Ledger {
  const { account, name, region } = stack.environment;
  const ledgers = Registry.of(stack.node.root).get(LEDGERS);
  const place = `${account ?? name} ${region}`;
  const ledger = ledgers.get(place) ?? new Ledger();
  ledgers.set(place, ledger);
  return ledger;
}

function entryOf(stack: RegionalStack, resources: readonly Resource[], terraform: Block): Entry {
  const { region } = stack.environment;
  const data = ((terraform.data as Block | undefined)?.aws_ssm_parameter ?? {}) as Readonly<Record<string, Block>>;
  const read = new Map(Object.entries(data).map(([id, block]) => [`data.aws_ssm_parameter.${id}`, String(block.name)]));
  const published = new Map(
    resources
      .filter(({ type }) => type === "aws_ssm_parameter")
      .flatMap(({ block }) => publishedIn(String(block.name), block.insecure_value)),
  );
  const keyOf = ({ total, owner, resource }: Share) => {
    const own =
      total.per === "self" ? `${stack.node.path} ${resource.address}` : ownerIn(stack, owner, { read, published });
    return `${TOTALS.indexOf(total)} ${total.per === "region" ? "" : own}`;
  };
  return {
    shares: resources.flatMap((resource) =>
      sharesOf(resource, region).map((share) => ({ ...share, key: keyOf(share) })),
    ),
    claims: resources.flatMap((resource) => claimsOf(resource, region)),
  };
}

/** Values of a published document, by Terraform's expression, each with its parameter and path. */
function publishedIn(name: string, document: unknown): [string, string][] {
  const texts = (value: unknown, path: string): [string, string][] => {
    if (typeof value === "string") return [[value, `${name}#${path}`]];
    if (!isObject(value)) return [];
    return Object.entries(value).flatMap(([key, each]) => texts(each, path === "" ? key : `${path}.${key}`));
  };
  try {
    return typeof document === "string" ? texts(JSON.parse(document), "") : [];
  } catch {
    return [];
  }
}

/** Owner of a total, equal in all stacks: of a value that a stack publishes, its parameter and path. */
function ownerIn(
  stack: RegionalStack,
  owner: string,
  { read, published }: { readonly read: ReadonlyMap<string, string>; readonly published: ReadonlyMap<string, string> },
): string {
  const reference = /^\$\{jsondecode\((data\.aws_ssm_parameter\.[\w-]+)\.insecure_value\)\.([\w.]+)\}$/.exec(owner);
  const [, address = "", path = ""] = reference ?? [];
  const parameter = read.get(address);
  if (parameter !== undefined) return `${parameter}#${path}`;
  return published.get(owner) ?? (owner.startsWith("${") ? `${stack.node.path} ${owner}` : owner);
}

function resourcesOf(terraform: Block): Resource[] {
  const types = (terraform.resource ?? {}) as Readonly<Record<string, Readonly<Record<string, Block>>>>;
  return Object.entries(types).flatMap(([type, byId]) =>
    Object.entries(byId).map(([id, block]) => {
      const address = `${type}.${id}`;
      const metadata = (block["//"] as Block | undefined)?.metadata as Block | undefined;
      return { address, type, path: String(metadata?.path ?? address).replace(/\/Resource$/, ""), block };
    }),
  );
}

/**
 * Finds texts, names and totals in a synthesized stack that AWS refuses: AWS_LENGTH, AWS_CHARACTERS, AWS_NAME_TAKEN,
 * AWS_TOTAL; and references that are none any more: REFERENCE_CHANGED. Names and totals include the stacks of the app that have been synthesized before, in the same account and region.
 *
 * @param terraform the stack as Terraform JSON, with the metadata of cdktf
 */
export function limitErrors(stack: RegionalStack, terraform: object): InvalidPropsError[] {
  const resources = resourcesOf(terraform as Block);
  const texts = resources.flatMap((resource) => {
    const problems = [...brokenReferences(resource), ...textProblems(resource, stack.environment.region)];
    return problems.length === 0 ? [] : [new InvalidPropsError(resource.path, problems)];
  });
  const { sums, taken } = ledgerOf(stack).enter(stack, entryOf(stack, resources, terraform as Block));
  return [
    ...texts,
    ...taken.map(([claim, first]) => takenError(claim, first)),
    ...[...sums].flatMap(([sum, resource]) => totalErrors(sum, resource, stack.environment)),
  ];
}

function takenError({ name, field, resource }: Claim, first: Claim): InvalidPropsError {
  const problem = `${JSON.stringify(name)} must be unique in an account and region, but ${first.resource.path} has it too`;
  return new InvalidPropsError(resource.path, [
    {
      code: "AWS_NAME_TAKEN",
      prop: field,
      problem,
      remedy: "Use another name or id for one of them, or one construct in both places.",
    },
  ]);
}

function totalErrors({ amount, total }: Sum, { path }: Resource, { quotas }: Environment): InvalidPropsError[] {
  const { what, quota, type, attribute, remedy } = total;
  const limit = (quota && (quotas?.[quota] ?? QUOTAS[quota])) ?? total.limit;
  if (amount <= limit) return [];
  const problem = `has ${amount} ${what}; AWS allows ${limit}`;
  const prop = attribute === undefined ? type : `${type}.${attribute}`;
  return [new InvalidPropsError(path, [{ code: "AWS_TOTAL", prop, problem, remedy }])];
}
