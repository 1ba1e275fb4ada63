import { Token } from "cdktf";
import type { IConstruct } from "constructs";
import { InvalidPropsError, type Problem } from "./errors";
import { classNameOf } from "./names";
import { isObject, isPlain } from "./plain";
import type { NamedType, Props, Shape } from "./shape";
import { CALLS, TYPES } from "./types.generated";

/** Arguments whose props are what users set: their own name says nothing. */
const BUNDLES = ["props", "options", "attributes"];

/**
 * Checks the types of a public call's arguments, for programs that ran without a type check: `tsx` only removes types.
 * Strings, numbers, lists and maps may be tokens.
 *
 * @param call name in {@link CALLS}
 * @param args the arguments by name
 * @param scope the construct, where there is one
 * @throws InvalidPropsError PROP_TYPE
 */
export function checkArguments(call: string, args: Readonly<Record<string, unknown>>, scope?: IConstruct): void {
  const problems = Object.entries(CALLS[call] ?? {}).flatMap(([key, shape]) => {
    const { name, optional } = nameOf(key);
    const given = args[name];
    if (given === undefined && optional) return [];
    if (!BUNDLES.includes(name)) return mismatches(given, shape, name);
    if (given !== undefined) return mismatches(given, shape, "", name);
    // Without any props, the required ones are missing.
    const missing = mismatches({}, shape, "", name);
    return missing.length > 0 ? missing : mismatches(given, shape, "", name);
  });
  if (problems.length === 0) return;
  const method = call.split(".")[1];
  throw scope === undefined
    ? new InvalidPropsError(`${call}()`, problems)
    : new InvalidPropsError(
        scope.node.path,
        problems.map((each) => (method === undefined ? each : { ...each, prop: `${method}(${each.prop})` })),
      );
}

function nameOf(key: string): { readonly name: string; readonly optional: boolean } {
  return key.endsWith("?") ? { name: key.slice(0, -1), optional: true } : { name: key, optional: false };
}

/** Finds what in a value is not of its type. */
function mismatches(value: unknown, shape: Shape, path: string, name = path): Problem[] {
  const unless = (holds: boolean): Problem[] => (holds ? [] : [refusal(value, shape, path === "" ? name : path)]);
  if (shape === "any") return [];
  if (typeof shape === "string" && shape.startsWith("#")) {
    const named = TYPES[shape.slice(1)] as NamedType;
    if ("members" in named) return unless(isObject(value) && named.members.every((member) => member in value));
    return isPlain(value) ? inside(value, named, path) : unless(false);
  }
  if (typeof shape === "object" && "oneOf" in shape) {
    if (shape.oneOf.some((each) => (propsOf(each) === undefined || mayMean(value, each)) && isOf(value, each)))
      return [];
    const [only, ...others] = isPlain(value) ? shape.oneOf.filter((each) => mayMean(value, each)) : [];
    return only === undefined || others.length > 0 ? unless(false) : mismatches(value, only, path, name);
  }
  if (typeof shape === "object" && "words" in shape) return unless(shape.words.includes(value as string));
  if (typeof shape === "object" && "props" in shape) return isPlain(value) ? inside(value, shape, path) : unless(false);
  // The other types are values that Terraform may know later.
  if (Token.isUnresolved(value)) return [];
  if (typeof shape === "string") return unless(typeof value === shape);
  if (isList(shape)) {
    if (!Array.isArray(value)) return unless(false);
    return value.flatMap((each, index) => mismatches(each, shape[0], `${path}[${index}]`));
  }
  if (!isPlain(value)) return unless(false);
  return Object.entries(value).flatMap(([key, each]) => mismatches(each, shape.values, joined(path, key)));
}

const isOf = (value: unknown, shape: Shape) => mismatches(value, shape, "").length === 0;

function refusal(value: unknown, shape: Shape, prop: string): Problem {
  const problem = value === undefined ? "is required" : `must be ${describe(shape)}, got ${print(value)}`;
  return { code: "PROP_TYPE", prop, problem, remedy: remedyFor(shape) };
}

function inside(value: Readonly<Record<string, unknown>>, { props }: Props, path: string): Problem[] {
  return Object.entries(props).flatMap(([key, shape]) => {
    const { name, optional } = nameOf(key);
    const given = value[name];
    return given === undefined && optional ? [] : mismatches(given, shape, joined(path, name));
  });
}

const joined = (path: string, name: string) => (path === "" ? name : `${path}.${name}`);

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);

/** Reports whether an object is meant to be of a type: by its `kind`, where the type has one. */
function mayMean(value: unknown, shape: Shape): boolean {
  const props = propsOf(shape);
  if (props === undefined || !isObject(value)) return false;
  const { kind } = props;
  return kind === undefined ? !("kind" in value) : "kind" in value && isOf(value.kind, kind);
}

function propsOf(shape: Shape): Props["props"] | undefined {
  const type = typeof shape === "string" ? TYPES[shape.slice(1)] : shape;
  return type !== undefined && "props" in type ? type.props : undefined;
}

/** Names a type, as in "must be ...". */
function describe(shape: Shape): string {
  if (shape === "boolean") return "true or false";
  if (typeof shape === "string") return withArticle(shape.replace("#", ""));
  if (isList(shape)) return listOf(shape[0]);
  if ("oneOf" in shape) return alternatives(shape.oneOf.map(describe));
  if ("words" in shape) return alternatives(shape.words.map((word) => JSON.stringify(word)));
  return "values" in shape ? "an object" : objectWith(shape);
}

function listOf(element: Shape): string {
  if (element === "string" || element === "number") return `a list of ${element}s`;
  return typeof element === "string" ? `a list of ${element.replace("#", "")}` : "a list";
}

function objectWith({ props }: Props): string {
  const required = Object.keys(props).filter((key) => !nameOf(key).optional);
  return required.length === 0 ? "an object" : `an object with ${series(required, "and")}`;
}

function remedyFor(shape: Shape): string {
  const [first] = isList(shape) ? creators(shape[0]) : [];
  if (first !== undefined) return `Set a list such as [${first}].`;
  const from = creators(shape);
  if (from.length > 0) return `Use ${alternatives(from)}.`;
  const named = typeof shape === "string" ? TYPES[shape.slice(1)] : undefined;
  return `Set ${named !== undefined && "props" in named ? objectWith(named) : describe(shape)}.`;
}

const series = (all: readonly string[], word: string) => all.join(", ").replace(/, ([^,]*)$/, ` ${word} $1`);
const alternatives = (all: readonly string[]) => series(all, "or");

function creators(shape: Shape): readonly string[] {
  if (typeof shape === "string") return TYPES[shape.slice(1)]?.from ?? [];
  return !isList(shape) && "oneOf" in shape ? shape.oneOf.flatMap(creators) : [];
}

const withArticle = (noun: string) => `${/^[aeiou]|^I[A-Z]/i.test(noun) ? "an" : "a"} ${noun}`;

function print(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (!isObject(value)) return String(value);
  const type = classNameOf(value);
  return type === "Object" ? "an object" : withArticle(type);
}
