import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IConstruct } from "constructs";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import * as library from "../../constructs";
import { checkArguments } from "../../constructs/core/check-types";
import { type Call, isChecked, readPublicApi, TYPES_FILE, typesFile, UNCHECKED } from "../../scripts/types";
import { everything } from "./support/everything";
import { ROOT } from "./support/sources";

const api = readPublicApi();
const { checker } = api;
const checked = api.calls.filter(isChecked);

/** Values of every kind that a program can pass by mistake, each with its type. */
const WRONG: readonly { readonly value: unknown; readonly type: ts.Type }[] = [
  { value: undefined, type: checker.getUndefinedType() },
  { value: null, type: checker.getNullType() },
  { value: 4711, type: checker.getNumberType() },
  { value: "text", type: checker.getStringType() },
  { value: true, type: checker.getBooleanType() },
];

const OBJECTS: readonly unknown[] = [{ unexpected: 1 }, [Symbol.iterator], () => "text"];

const without = (type: ts.Type) => checker.getNonNullableType(type);
const parts = (type: ts.Type): readonly ts.Type[] => (type.isUnion() ? type.types : [type]);
const isPrimitive = ({ flags }: ts.Type) =>
  (flags & (ts.TypeFlags.StringLike | ts.TypeFlags.NumberLike | ts.TypeFlags.BooleanLike | ts.TypeFlags.Undefined)) !==
  0;
const isFree = ({ flags }: ts.Type) => (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) !== 0;
/** Sets of words are checked where they are used, with a code of their own. */
function hasWords(type: ts.Type): boolean {
  const given = parts(type).filter(({ flags }) => !(flags & ts.TypeFlags.Undefined));
  const words = given.filter((part) => part.isLiteral());
  return words.length > 1 || (words.length === 1 && given.length === 1);
}

/** A value of a type, with every prop that it can have: made from the type alone, not from what is generated from it. */
function sample(type: ts.Type, depth = 0): unknown {
  const [first] = parts(without(type));
  if (first === undefined || isFree(first)) return {};
  if (first.isStringLiteral()) return first.value;
  if (first.flags & ts.TypeFlags.StringLike) return "text";
  if (first.flags & ts.TypeFlags.NumberLike) return 1;
  if (first.flags & ts.TypeFlags.BooleanLike) return true;
  if (checker.isArrayType(first) || checker.isTupleType(first)) {
    const [element] = checker.getTypeArguments(first as ts.TypeReference);
    return depth > 5 ? [] : [sample(element!, depth + 1)];
  }
  if (first.getCallSignatures().length > 0) return () => undefined;
  const members = membersOf(first).filter(
    ({ name, flags }) => !/^(__)?#/.test(name) && (depth <= 5 || !(flags & ts.SymbolFlags.Optional)),
  );
  return Object.fromEntries(
    members.map((member) => {
      const inner = checker.getTypeOfSymbol(member);
      return [member.name, isMethod(member) || isForeign(member) ? () => undefined : sample(inner, depth + 1)];
    }),
  );
}

const isMethod = ({ flags }: ts.Symbol) => (flags & ts.SymbolFlags.Method) !== 0;
/** A member that another library declares, and needs: its objects are passed on as they are. */
const isForeign = ({ flags, declarations }: ts.Symbol) =>
  !(flags & ts.SymbolFlags.Optional) && isOfPackage(declarations);
const isOfPackage = (declarations: ts.Symbol["declarations"]) =>
  declarations?.[0]?.getSourceFile().fileName.includes("/node_modules/") ?? false;
/** Members of a type, but for the options of other libraries, as those of CDK for Terraform's App. */
const membersOf = (type: ts.Type) =>
  checker
    .getPropertiesOfType(type)
    .filter(({ flags, declarations }) => !(flags & ts.SymbolFlags.Optional && isOfPackage(declarations)));

interface Place {
  readonly path: readonly (string | number)[];
  readonly type: ts.Type;
  /** Undefined where another alternative may do without the prop. */
  readonly optional: boolean | undefined;
  /** Props above it that have alternatives: a wrong prop in one of them may be reported of the whole. */
  readonly choices: readonly string[];
}

/** Every prop below a type of plain data, with its type; of alternatives the first. */
function places(
  type: ts.Type,
  path: Place["path"],
  optional: Place["optional"],
  above: Place["choices"] = [],
): Place[] {
  const here = { path, type, optional, choices: above };
  const [first, ...others] = parts(without(type));
  const choices = others.length > 0 ? [...above, propOf(path)] : above;
  if (first === undefined || isPrimitive(first) || isFree(first) || path.length > 6) return [here];
  if (checker.isArrayType(first)) {
    const [element] = checker.getTypeArguments(first as ts.TypeReference);
    return [
      here,
      ...places(element!, [...path, 0], false, choices).filter(({ path: { length } }) => length > path.length),
    ];
  }
  const members = membersOf(first);
  if (first.isClass() || members.some((member) => isMethod(member) || isForeign(member))) return [here];
  return [
    here,
    ...members.flatMap((member) => {
      const inner = checker.getTypeOfSymbol(member);
      const leavable =
        (member.flags & ts.SymbolFlags.Optional) !== 0 || checker.isTypeAssignableTo(WRONG[0]!.type, inner);
      const elsewhere = others.every((other) => checker.getPropertyOfType(other, member.name) !== undefined);
      return places(inner, [...path, member.name], elsewhere || leavable ? leavable : undefined, choices);
    }),
  ];
}

/** Arguments whose props are what users set. */
const BUNDLE = /^(props|options|attributes)$/;

/** Prop as a user writes it: `scaling.metrics[0]`. Arguments with all props are left out, unless they are wrong themselves. */
function propOf([first, ...rest]: Place["path"]): string {
  const inner = rest.map((each) => (typeof each === "number" ? `[${each}]` : `.${each}`)).join("");
  return inner !== "" && BUNDLE.test(String(first)) ? inner.replace(/^\./, "") : `${first}${inner}`;
}

function replaced(value: unknown, [first, ...rest]: Place["path"], by: unknown): unknown {
  if (first === undefined) return by;
  const inner = replaced((value as Record<string | number, unknown>)[first], rest, by);
  if (Array.isArray(value)) return value.map((each, index) => (index === first ? inner : each));
  return { ...(value as object), [first]: inner };
}

/** Outcome of a call with wrong types: the props that are refused by code, accepted, or another error. */
function outcome(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (!(error instanceof library.InvalidPropsError)) return String(error);
    if (!error.problems.every(({ code }) => code === "PROP_TYPE")) return error.message;
    return `refused ${error.problems.map(({ prop }) => prop).join(", ")}`;
  }
}

/** Props that a call refuses where an argument is missing: those that a bundle of one shape requires, or the argument. */
function missing(name: string, type: ts.Type): string {
  const [shape, ...others] = parts(without(type));
  if (!BUNDLE.test(name) || others.length > 0 || shape!.isIntersection()) return name;
  const required = checker
    .getPropertiesOfType(shape!)
    .filter(({ flags }) => !(flags & ts.SymbolFlags.Optional))
    .filter((member) => !checker.isTypeAssignableTo(WRONG[0]!.type, checker.getTypeOfSymbol(member)));
  return required.length > 0 ? required.map((member) => member.name).join(", ") : name;
}

const argumentsOf = ({ parameters }: Call) =>
  Object.fromEntries(parameters.map(({ name, type }) => [name, /^(scope|id)$/.test(name) ? undefined : sample(type)]));

describe("types of public calls", () => {
  it("are what the sources declare (npm run docs writes them)", () => {
    if (process.env.UPDATE === "1") writeFileSync(join(ROOT, TYPES_FILE), typesFile(api));
    expect(readFileSync(join(ROOT, TYPES_FILE), "utf8")).toBe(typesFile(api));
  });

  it("leave out only what a reason says", () => {
    const unneeded = UNCHECKED.filter(({ pattern }) => !api.calls.some(({ name }) => pattern.test(name)));
    expect(unneeded).toEqual([]);
  });

  it("accept and refuse what the compiler does, prop by prop", () => {
    const wrong: string[] = [];
    let props = 0;
    let cases = 0;
    for (const call of checked) {
      const args = argumentsOf(call);
      if (outcome(() => checkArguments(call.name, args)) !== "accepted") {
        wrong.push(`${call.name}: ${outcome(() => checkArguments(call.name, args))}`);
      }
      const own = call.parameters.filter(({ name }) => !/^(scope|id)$/.test(name));
      for (const place of own.flatMap(({ name, type, optional }) => places(type, [name], optional))) {
        props++;
        const [name, ...inner] = place.path;
        const refused = [propOf(place.path), ...place.choices];
        const left = inner.length === 0 ? [missing(String(name), place.type)] : refused;
        for (const { value, type } of WRONG) {
          if (typeof value === typeof sample(place.type) && hasWords(place.type)) continue;
          if (value === undefined && place.optional === undefined) continue;
          const accepts = value === undefined ? place.optional : checker.isTypeAssignableTo(type, place.type);
          const given = replaced(args, place.path, value) as typeof args;
          const got = outcome(() => checkArguments(call.name, given));
          cases++;
          const expected = value === undefined ? left : refused;
          if (accepts ? got !== "accepted" : !expected.some((props) => got === `refused ${props}`)) {
            wrong.push(
              `${call.name}: ${place.path.join(".")} = ${String(value)} (${checker.typeToString(place.type)}) ${got}`,
            );
          }
        }
        const [first] = parts(without(place.type));
        if (!isPrimitive(first!) || parts(without(place.type)).length > 1) continue;
        for (const value of OBJECTS) {
          const got = outcome(() => checkArguments(call.name, replaced(args, place.path, value) as typeof args));
          cases++;
          if (!refused.some((props) => got === `refused ${props}`))
            wrong.push(`${call.name}: ${place.path.join(".")} = an object ${got}`);
        }
      }
    }
    console.info(`${checked.length} calls, ${props} props, ${cases} cases`);
    expect(wrong).toEqual([]);
    expect(props).toBeGreaterThan(500);
    expect(cases).toBeGreaterThan(4 * props);
  });
});

describe("a program that was not type-checked", () => {
  const app = everything();
  const nodes = app.node.findAll();
  const stack = nodes.find((node): node is library.ServiceStack => node instanceof library.ServiceStack)!;
  const exported = library as unknown as Record<string, Record<string, (...args: unknown[]) => unknown>>;

  /** An object that has a method: a construct, or what a construct shows. */
  function owner(type: string): object {
    const values = nodes.flatMap((node) => [node, ...Object.values(node as unknown as Record<string, unknown>)]);
    const found = values.find((value) => value?.constructor?.name === type);
    if (found === undefined) throw new Error(`no ${type} in everything()`);
    return found as object;
  }

  let count = 0;
  function run({ name, kind, parameters }: Call, args: Readonly<Record<string, unknown>>): unknown {
    const fixed: Readonly<Record<string, unknown>> = { scope: scopeOf(name), id: `Wrong${count++}` };
    const list = parameters.map((parameter) => fixed[parameter.name] ?? args[parameter.name]);
    const [type, method] = name.replace("new ", "").split(".") as [string, string | undefined];
    if (kind === "constructor") return Reflect.construct(exported[type] as unknown as new () => unknown, list);
    if (kind === "function") return (exported[type] as unknown as (...values: unknown[]) => unknown)(...list);
    if (kind === "static") return exported[type]![method!]!(...list);
    return (owner(type) as Record<string, (...values: unknown[]) => unknown>)[method!]!(...list);
  }

  const scopeOf = (name: string): IConstruct =>
    /(Platform|Stack)$|^Platform\./.test(name.replace("new ", "")) ? app : stack;

  it.each(checked.map((call) => [call.name, call] as const))("is refused by %s with the prop's name", (_, call) => {
    const own = call.parameters.filter(({ name }) => !/^(scope|id)$/.test(name));
    let cases = 0;
    const wrong = own.flatMap(({ name, type, optional, rest }) =>
      [...WRONG, { value: () => "text", type: checker.getUndefinedType() }].flatMap(({ value, type: given }) => {
        const wanted = rest ? checker.getTypeArguments(type as ts.TypeReference)[0]! : type;
        if (typeof value === "function" && wanted.getCallSignatures().length > 0) return [];
        if (value === undefined ? optional : checker.isTypeAssignableTo(given, wanted) || hasWords(wanted)) return [];
        const args = { ...argumentsOf(call), [name]: value };
        const got = outcome(() => run(call, args));
        cases++;
        const argument = rest ? `${name}[0]` : name;
        const prop = value === undefined ? missing(argument, wanted) : argument;
        // Grants do not know the construct that they belong to.
        const method = call.kind === "method" ? /^\w+(?<!Grants)\.(\w+)$/.exec(call.name)?.[1] : undefined;
        return got === `refused ${method === undefined ? prop : `${method}(${prop})`}`
          ? []
          : [`${name} = ${String(value)}: ${got}`];
      }),
    );
    expect(wrong).toEqual([]);
    expect(cases).toBeGreaterThan(0);
  });
});
