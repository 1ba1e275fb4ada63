/**
 * Writes `constructs/core/types.generated.ts`: the types of every public call's arguments, so that programs that were not
 * type-checked (`tsx` only removes types) get a clear refusal. `test/contract/types.test.ts` fails when it is not current.
 */
import { join } from "node:path";
import ts from "typescript";
import type { NamedType, Props, Shape } from "../constructs/core/shape";

const root = join(__dirname, "..");

/** File that is written. */
export const TYPES_FILE = "constructs/core/types.generated.ts";

interface Parameter {
  readonly name: string;
  readonly type: ts.Type;
  readonly optional: boolean;
  /** Takes all arguments that are left, as a list. */
  readonly rest: boolean;
}

/** A call that users can make, such as `new Queue`, `cron` or `CloudNativeService.use`. */
export interface Call {
  readonly name: string;
  readonly kind: "constructor" | "function" | "static" | "method";
  readonly parameters: readonly Parameter[];
  readonly returns: ts.Type;
}

export interface PublicApi {
  readonly checker: ts.TypeChecker;
  readonly calls: readonly Call[];
}

/** Reads every call with arguments that `constructs/index.ts` exports. */
export function readPublicApi(): PublicApi {
  const config = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile).config as object;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const entry = join(root, "constructs/index.ts");
  const program = ts.createProgram([entry], options);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
  const calls = checker.getExportsOfModule(module).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    if (symbol.flags & ts.SymbolFlags.Function) {
      const [signature] = checker.getTypeOfSymbol(symbol).getCallSignatures();
      return [callOf(checker, exported.name, "function", signature!)];
    }
    if (!(symbol.flags & ts.SymbolFlags.Class)) return [];
    return callsOfClass(checker, exported.name, symbol);
  });
  return { checker, calls };
}

function callsOfClass(checker: ts.TypeChecker, name: string, symbol: ts.Symbol): Call[] {
  const declaration = symbol.declarations!.find(ts.isClassDeclaration)!;
  const returns = checker.getDeclaredTypeOfSymbol(symbol);
  const implicit: Call[] = declaration.members.some(ts.isConstructorDeclaration)
    ? []
    : [{ name: `new ${name}`, kind: "constructor", parameters: [], returns }];
  const explicit = declaration.members.flatMap((member): Call[] => {
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
    if (ts.getCombinedModifierFlags(member) & hidden) return [];
    if (ts.isConstructorDeclaration(member)) {
      return [callOf(checker, `new ${name}`, "constructor", checker.getSignatureFromDeclaration(member)!)];
    }
    if (!ts.isMethodDeclaration(member) || ts.isPrivateIdentifier(member.name)) return [];
    const isStatic = (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) !== 0;
    const signature = checker.getSignatureFromDeclaration(member)!;
    return [callOf(checker, `${name}.${member.name.getText()}`, isStatic ? "static" : "method", signature)];
  });
  return [...implicit, ...explicit];
}

function callOf(checker: ts.TypeChecker, name: string, kind: Call["kind"], signature: ts.Signature): Call {
  const parameters = signature.parameters.map((parameter) => {
    const declaration = parameter.valueDeclaration as ts.ParameterDeclaration;
    return {
      name: parameter.name,
      type: checker.getTypeOfSymbol(parameter),
      optional: declaration.questionToken !== undefined || declaration.initializer !== undefined,
      rest: declaration.dotDotDotToken !== undefined,
    };
  });
  return { name, kind, parameters, returns: signature.getReturnType() };
}

/** Calls that check their arguments: the constructors and functions, and the methods that change something. */
export function isChecked({ name, parameters }: Call): boolean {
  return parameters.length > 0 && !UNCHECKED.some(({ pattern }) => pattern.test(name));
}

/** Calls that need no check of their arguments, and why. */
export const UNCHECKED: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: /\.(attach|bind|allowTopic|addInstances|strategy|unknownGroup)$/, why: "constructs call it, not users" },
  { pattern: /^new (\w+Grants|Connections|InvalidPropsError)$/, why: "constructs create it, not users" },
  { pattern: /^Image\.(sourceIn|commandFor)$|^DatabaseCapacity\.memoryGiB$/, why: "constructs call it, not users" },
  { pattern: /^AwsStack\.|\.of$/, why: "constructs call it, not users" },
  { pattern: /^new (DataStack|ServiceStack)$/, why: "the platform creates it" },
  { pattern: /^(releaseStatements|placeholdersIn|selectEnvironments)$/, why: "called by what is generated" },
];

/** Translates types into what `constructs/core/check-types.ts` reads. */
class Writer {
  readonly named = new Map<string, NamedType>();
  readonly #symbols = new Map<string, ts.Symbol>();

  constructor(private readonly api: PublicApi) {}

  shape(type: ts.Type): Shape {
    const { checker } = this.api;
    if (type.flags & ts.TypeFlags.TypeParameter) return this.shape(checker.getBaseConstraintOfType(type)!);
    if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return "any";
    if (type.flags & ts.TypeFlags.StringLiteral) return { words: [(type as ts.StringLiteralType).value] };
    if (type.flags & ts.TypeFlags.StringLike) return "string";
    if (type.flags & ts.TypeFlags.NumberLike) return "number";
    if (type.flags & ts.TypeFlags.BooleanLike) return "boolean";
    if (type.isUnion()) return this.#union(type);
    if (checker.isArrayType(type) || checker.isTupleType(type)) {
      return [this.shape(checker.getTypeArguments(type as ts.TypeReference)[0]!)];
    }
    if (type.getCallSignatures().length > 0) return "function";
    const index = checker.getIndexTypeOfType(type, ts.IndexKind.String);
    if (index !== undefined && type.getProperties().length === 0) return { values: this.shape(index) };
    return this.#object(type);
  }

  #union(type: ts.UnionType): Shape {
    const given = type.types.filter(({ flags }) => !(flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Null)));
    const words = given.flatMap((each) => (each.isStringLiteral() ? [each.value] : []));
    const others = given.filter((each) => !each.isStringLiteral());
    const plain = others.filter((each) => this.#isStruct(each) && each.getProperty("kind") === undefined);
    // Sets of words and combinations of props are checked where they are used, with codes of their own.
    const merged = plain.length > 1 ? [{ props: this.#mergedProps(plain) }] : [];
    const shapes: Shape[] = [
      ...others.filter((each) => merged.length === 0 || !plain.includes(each)).map((each) => this.shape(each)),
      ...merged,
      ...(words.length === 0 ? [] : [words.length > 1 ? ("word" as const) : { words }]),
    ];
    const different = [...new Map(shapes.map((each) => [JSON.stringify(each), each])).values()];
    return different.length === 1 ? different[0]! : { oneOf: different };
  }

  /** Props of alternatives that no `kind` distinguishes: one is required where all require it. */
  #mergedProps(alternatives: readonly ts.Type[]): Props["props"] {
    const all = alternatives.map((each) => this.#props(this.api.checker.getPropertiesOfType(each)));
    const names = new Set(all.flatMap((props) => Object.keys(props)).map((key) => key.replace("?", "")));
    return Object.fromEntries(
      [...names].map((name) => {
        const required = all.every((props) => name in props);
        const [declaring] = all.filter((props) => name in props || `${name}?` in props);
        return [`${name}${required ? "" : "?"}`, (declaring?.[name] ?? declaring?.[`${name}?`])!];
      }),
    );
  }

  #isStruct(type: ts.Type): boolean {
    const { checker } = this.api;
    if (
      !(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) ||
      type.isClass() ||
      checker.isArrayType(type)
    )
      return false;
    const properties = checker.getPropertiesOfType(type);
    return properties.length > 0 && properties.every(isData) && !this.#isConstruct(properties);
  }

  #isConstruct(properties: readonly ts.Symbol[]): boolean {
    const node = properties.find(({ name }) => name === "node");
    return node !== undefined && isForeign(node) && this.api.checker.getTypeOfSymbol(node).symbol?.name === "Node";
  }

  #object(type: ts.Type): Shape {
    const symbol = type.aliasSymbol ?? type.symbol;
    const properties = this.api.checker.getPropertiesOfType(type);
    const construct = this.#isConstruct(properties);
    if (!construct && isForeign(type.symbol) && !isMapped(type)) return "any";
    const struct = !construct && !type.isClass() && properties.every(isData);
    if (symbol === undefined || isForeign(type.aliasSymbol) || symbol.name.startsWith("__"))
      return { props: this.#props(properties) };
    const known = this.#symbols.get(symbol.name);
    if (known !== undefined && known !== symbol) throw new Error(`two public types are named ${symbol.name}`);
    if (known === undefined) {
      // Set before its props are written, as a type may refer to itself.
      this.#symbols.set(symbol.name, symbol);
      const content = struct ? { props: this.#props(properties) } : { members: distinctive(properties) };
      const from = this.#creators(symbol.name);
      this.named.set(symbol.name, { ...content, ...(from.length > 0 ? { from } : {}) });
    }
    return `#${symbol.name}`;
  }

  #props(properties: readonly ts.Symbol[]): Props["props"] {
    return Object.fromEntries(
      properties.map((property) => {
        const type = this.api.checker.getTypeOfSymbol(property);
        const optional = (property.flags & ts.SymbolFlags.Optional) !== 0 || acceptsUndefined(type);
        const shape = this.shape(type);
        // One word alone, as a sentence to confirm with, is checked where it is used; a kind distinguishes alternatives.
        const word = property.name !== "kind" && typeof shape === "object" && "words" in shape;
        return [`${property.name}${optional ? "?" : ""}`, word ? "word" : shape];
      }),
    );
  }

  /** Calls that return such a value, for the remedy. */
  #creators(type: string): string[] {
    const { calls, checker } = this.api;
    const takes = ({ parameters }: Call) => parameters.some((each) => each.type.symbol?.name === type);
    const found = calls.filter(
      (call) => call.kind !== "method" && !takes(call) && isOrExtends(checker, call.returns.symbol, type),
    );
    const names = found.map(({ name }) => `${name}()`);
    const rank = (call: string) => (call.startsWith("new ") ? 0 : 1);
    return names.sort((a, b) => rank(a) - rank(b)).slice(0, 6);
  }
}

const acceptsUndefined = (type: ts.Type) =>
  type.isUnion() && type.types.some(({ flags }) => flags & ts.TypeFlags.Undefined);

const isForeign = (symbol: ts.Symbol | undefined) =>
  symbol?.declarations?.[0]?.getSourceFile().fileName.includes("/node_modules/") ?? false;

/** Of `Readonly`, `Partial` and the like, which are declared elsewhere. */
const isMapped = (type: ts.Type) => ((type as ts.ObjectType).objectFlags & ts.ObjectFlags.Mapped) !== 0;

const isData = ({ declarations }: ts.Symbol) => !declarations?.some(ts.isMethodSignature);

/** Public members that a value of a class or an interface with methods is recognized by. */
function distinctive(properties: readonly ts.Symbol[]): string[] {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  const own = properties.filter(
    (member) =>
      !(member.flags & ts.SymbolFlags.Optional) &&
      !isForeign(member) &&
      !/^(__)?#/.test(member.name) &&
      !member.declarations?.some((declared) => ts.getCombinedModifierFlags(declared as ts.Declaration) & hidden),
  );
  return own.length === 0 ? ["node"] : own.slice(0, 3).map(({ name }) => name);
}

/** Reports whether a type is of this name, or states that it extends or implements one that is. */
function isOrExtends(checker: ts.TypeChecker, symbol: ts.Symbol | undefined, name: string): boolean {
  if (symbol?.name === name) return true;
  const clauses = (symbol?.declarations ?? []).flatMap((declared) =>
    ts.isClassDeclaration(declared) || ts.isInterfaceDeclaration(declared) ? (declared.heritageClauses ?? []) : [],
  );
  return clauses.some(({ types }) =>
    types.some((base) => isOrExtends(checker, checker.getTypeAtLocation(base).symbol, name)),
  );
}

/** Text of the file. */
export function typesFile(api: PublicApi = readPublicApi()): string {
  const writer = new Writer(api);
  const calls = api.calls.filter(isChecked).map(({ name, parameters }) => {
    const own = parameters.filter((parameter) => !["scope", "id"].includes(parameter.name));
    const shapes = own.map((each) => [`${each.name}${each.optional ? "?" : ""}`, writer.shape(each.type)]);
    return [name, Object.fromEntries(shapes)] as const;
  });
  const lines = (rows: Iterable<readonly [string, unknown]>) =>
    [...rows].map(([name, content]) => `  ${JSON.stringify(name)}: ${JSON.stringify(content)},\n`).join("");
  return [
    "// Written by `npm run docs` from the types of constructs/index.ts.\n",
    'import type { NamedType, Shape } from "./shape";\n\n',
    "/** Arguments of the public calls; an optional one ends in `?`. */\n",
    `export const CALLS: Readonly<Record<string, Readonly<Record<string, Shape>>>> = {\n${lines(calls)}};\n\n`,
    "/** Types that they refer to by name. */\n",
    `export const TYPES: Readonly<Record<string, NamedType>> = {\n${lines(writer.named)}};\n`,
  ].join("");
}
