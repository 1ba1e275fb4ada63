import type { IConstruct } from "constructs";
import { InvalidPropsError, type Problem } from "./errors";
import { type Form, reasonToKnow } from "./known-at-synth";
import { classNameOf } from "./names";
import { isObject, isPlain } from "./plain";
import { isCollection, isReference } from "./reference";
import type { NamedType, Props, Shape } from "./shape";
import { CALLS, TYPES } from "./types.generated";

/** Arguments whose props are what users set: their own name says nothing. */
const BUNDLES = ["props", "options", "attributes"];

/**
 * Checks the types of a public call's arguments, for programs that ran without a type check: `tsx` only removes types. Refuses
 * references where the value must be known at synth: see {@link reasonToKnow}.
 *
 * @param call name in {@link CALLS}
 * @param args the arguments by name
 * @param scope the construct, where there is one
 * @throws InvalidPropsError PROP_TYPE, PROP_CONTROL_CHARACTER, PROP_KNOWN_AT_SYNTH
 */
export function checkArguments(call: string, args: Readonly<Record<string, unknown>>, scope?: IConstruct): void {
  const problems = Object.entries(CALLS[call] ?? {}).flatMap(([key, shape]) => {
    const { name, optional } = nameOf(key);
    const given = args[name];
    if (given === undefined && optional) return [];
    if (!BUNDLES.includes(name)) return mismatches(given, shape, { path: name, name, source: `${call}.${name}` });
    const place = { path: "", name, source: call };
    if (given !== undefined) return mismatches(given, shape, place);
    // Without any props, the required ones are missing.
    const missing = mismatches({}, shape, place);
    return missing.length > 0 ? missing : mismatches(given, shape, place);
  });
  if (scope !== undefined && isReference(scope.node.id)) problems.push(ID_PROBLEM);
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

/** Position of a value among the arguments of a call. */
interface Place {
  /** Prop as the user wrote it; empty for an argument that only bundles props. */
  readonly path: string;
  /** Name of the argument or prop. */
  readonly name: string;
  /** Declaration of the prop, independent of the call: `Scaling.max`. */
  readonly source: string;
}

/** Finds what in a value is not of its type, and references that must be known at synth. */
function mismatches(value: unknown, shape: Shape, place: Place): Problem[] {
  const { path, name, source } = place;
  const unless = (holds: boolean): Problem[] => (holds ? [] : [refusal(value, shape, path === "" ? name : path)]);
  if (shape === "any") return [];
  if (typeof shape === "string" && shape.startsWith("#")) {
    const type = shape.slice(1);
    const named = TYPES[type] as NamedType;
    if ("members" in named) return unless(isObject(value) && named.members.every((member) => member in value));
    return isPlain(value) ? inside(value, named, { ...place, source: type }) : unless(false);
  }
  if (typeof shape === "object" && "oneOf" in shape) return ofAlternatives(value, shape.oneOf, place, unless);
  if (typeof shape === "object" && "props" in shape)
    return isPlain(value) ? inside(value, shape, place) : unless(false);
  if (isReference(value)) return ofReference(value, shape, place);
  if (typeof shape === "object" && "words" in shape) return unless(shape.words.includes(value as string));
  const control = typeof value === "string" ? CONTROL.exec(value)?.[0] : undefined;
  if (control !== undefined) return [withoutControls(path === "" ? name : path, control)];
  if (shape === "word") return unless(typeof value === "string");
  if (typeof shape === "string") return unless(typeof value === shape);
  if (isList(shape)) {
    if (!Array.isArray(value)) return unless(false);
    return value.flatMap((each, index) => mismatches(each, shape[0], ofElement(place, index)));
  }
  if (!isPlain(value)) return unless(false);
  return Object.entries(value).flatMap(([key, each]) => {
    if (isReference(key)) return [mustBeKnown(`${path === "" ? name : path} (a key)`, "keys are names")];
    return mismatches(each, shape.values, { path: joined(path, key), name: key, source: `${source}.*` });
  });
}

/** Control characters, and halves of characters, that no text needs: AWS refuses them late, or cuts the text there. */
const CONTROL = /[^\P{Cc}\t\n\r]|\p{Cs}/u;

function withoutControls(prop: string, control: string): Problem {
  const codePoint = control.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  return {
    code: "PROP_CONTROL_CHARACTER",
    prop,
    problem: `must not contain control characters other than tabs and line breaks, got U+${codePoint}`,
    remedy: "Remove it; it may come from a file that is not text.",
  };
}

function ofElement({ path, source }: Place, index: number): Place {
  const each = `${path}[${index}]`;
  return { path: each, name: each, source: `${source}[]` };
}

function ofAlternatives(
  value: unknown,
  shapes: readonly Shape[],
  place: Place,
  unless: (holds: boolean) => Problem[],
): Problem[] {
  if (shapes.some((each) => (propsOf(each) === undefined || mayMean(value, each)) && isOf(value, each, place)))
    return [];
  const [only, ...others] = isPlain(value) ? shapes.filter((each) => mayMean(value, each)) : [];
  if (only !== undefined && others.length === 0) return mismatches(value, only, place);
  const problems = shapes.map((each) => mismatches(value, each, place));
  return problems.find((each) => each.some(({ code }) => code !== "PROP_TYPE")) ?? unless(false);
}

/** Finds constructs with a reference as their id, including those that no call with arguments has checked. */
export function idErrors(stack: IConstruct): InvalidPropsError[] {
  return stack.node
    .findAll()
    .filter(({ node }) => isReference(node.id))
    .map(({ node }) => new InvalidPropsError(node.path, [ID_PROBLEM]));
}

const KNOWN = "PROP_KNOWN_AT_SYNTH";

/** Refuses a reference where its value must be known at synth, or where it is of another type. */
function ofReference(value: unknown, shape: Shape, { path, name, source }: Place): Problem[] {
  const prop = path === "" ? name : path;
  const form = formOf(shape);
  const reason = reasonToKnow(source, form);
  if (reason !== undefined) return [mustBeKnown(prop, reason)];
  const fits = form === "list" ? Array.isArray(value) : typeof value === form && !isCollection(String(value));
  if (fits) return [];
  const problem = `must be ${describe(shape)}, got a reference of another type`;
  return [{ code: "PROP_TYPE", prop, problem, remedy: CONVERSIONS[form as keyof typeof CONVERSIONS] }];
}

const ID_PROBLEM = mustBeKnown("id", "ids are part of names, and of addresses in Terraform");

const CONVERSIONS = {
  string: "Use Token.asString(value), or Fn.join(separator, list) for a list.",
  number: "Use Token.asNumber(value).",
  list: "Use Token.asList(value).",
} as const;

function formOf(shape: Shape): Form {
  if (shape === "string" || shape === "number") return shape;
  if (isList(shape)) return "list";
  return typeof shape === "object" && "values" in shape ? "map" : "choice";
}

function mustBeKnown(prop: string, reason: string): Problem {
  return {
    code: KNOWN,
    prop,
    problem: `must be known at synth, got a value that is known only at apply: ${reason}`,
    remedy: "Set a literal, or a value that the program reads itself, such as an environment variable.",
  };
}

const ANYWHERE: Place = { path: "", name: "", source: "" };
const isOf = (value: unknown, shape: Shape, place = ANYWHERE) => mismatches(value, shape, place).length === 0;

function refusal(value: unknown, shape: Shape, prop: string): Problem {
  const problem = value === undefined ? "is required" : `must be ${describe(shape)}, got ${print(value)}`;
  return { code: "PROP_TYPE", prop, problem, remedy: remedyFor(shape) };
}

function inside(
  value: Readonly<Record<string, unknown>>,
  { props }: Props,
  { path, name: own, source }: Place,
): Problem[] {
  if (isReference(value)) return [mustBeKnown(path === "" ? own : path, "its props decide what is created")];
  return Object.entries(props).flatMap(([key, shape]) => {
    const { name, optional } = nameOf(key);
    const given = value[name];
    const place = { path: joined(path, name), name, source: joined(source, name) };
    return given === undefined && optional ? [] : mismatches(given, shape, place);
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
  if (shape === "word") return "a string";
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
  if (isReference(value)) return "a reference";
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (!isObject(value)) return String(value);
  const type = classNameOf(value);
  return type === "Object" ? "an object" : withArticle(type);
}
