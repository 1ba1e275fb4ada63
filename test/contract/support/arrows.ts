import { posix } from "node:path";
import ts from "typescript";
import { eachNode, type Sources } from "./sources";

/** One import: by whom, of what, and whether it is there only for the compiler or only when it is called. */
export interface Import {
  readonly from: string;
  /** As written. */
  readonly specifier: string;
  /** Path in the repo; undefined for a package. */
  readonly to: string | undefined;
  readonly kind: "value" | "type" | "lazy";
}

function isOnlyTypes(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const { namedBindings } = clause;
  if (clause.name !== undefined || namedBindings === undefined || ts.isNamespaceImport(namedBindings)) return false;
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly);
}

function isOnlyTypeExports(node: ts.ExportDeclaration): boolean {
  if (node.isTypeOnly) return true;
  const { exportClause } = node;
  return (
    exportClause !== undefined && ts.isNamedExports(exportClause) && exportClause.elements.every((e) => e.isTypeOnly)
  );
}

function specifiersOf(source: ts.SourceFile): (readonly [specifier: string, kind: Import["kind"]])[] {
  const found: (readonly [string, Import["kind"]])[] = [];
  const add = (node: ts.Node | undefined, kind: Import["kind"]) => {
    if (node !== undefined && ts.isStringLiteralLike(node)) found.push([node.text, kind]);
  };
  eachNode(source, (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isOnlyTypes(node.importClause) ? "type" : "value");
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, isOnlyTypeExports(node) ? "type" : "value");
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, "type");
    else if (ts.isExternalModuleReference(node)) add(node.expression, "value");
    else if (ts.isCallExpression(node)) {
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], "lazy");
      else if (ts.isIdentifier(node.expression) && node.expression.text === "require") add(node.arguments[0], "value");
    }
  });
  return found;
}

/** All imports of these sources. */
export function importsOf(sources: Sources): Import[] {
  return [...sources].flatMap(([from, source]) =>
    specifiersOf(source).map(([specifier, kind]) => {
      if (!specifier.startsWith(".")) return { from, specifier, to: undefined, kind };
      const path = posix.join(posix.dirname(from), specifier);
      const candidates = [path, `${path}.ts`, `${path}.mts`, `${path}/index.ts`, `${path}.ts.hbs`];
      return { from, specifier, to: candidates.find((each) => sources.has(each)) ?? path, kind };
    }),
  );
}

const told = ({ from, specifier, kind }: Import) =>
  `${from} imports ${specifier}${kind === "value" ? "" : ` (${kind})`}`;
const top = (path: string) => path.split("/")[0]!;

/** R1: the executable hands over to generator, operations and emulator, and loads each only when it is called. */
export function handOver(imports: readonly Import[], start: string, agreed: string): string[] {
  const ours = new Set(["bin", "generator", "operations", "emulator", agreed]);
  const others = imports
    .filter(
      ({ from, to, specifier }) =>
        top(from) === "bin" && (to === undefined ? !specifier.startsWith("node:") : !ours.has(top(to))),
    )
    .map(told);
  const atStart = closure(imports, [start], ["value"]);
  const early = imports.filter(
    ({ from, to, kind }) =>
      kind === "value" &&
      atStart.has(from) &&
      to !== undefined &&
      ours.has(top(to)) &&
      top(to) !== "bin" &&
      top(to) !== agreed,
  );
  return [...others, ...early.map((each) => `${told(each)} at the start, not when it is called`)];
}

/** R2: parts that do not import each other; the folder that they share imports nothing. */
export function separateParts(imports: readonly Import[], parts: readonly string[], agreed: string): string[] {
  const isOther = (from: string, to: string) => top(to) !== top(from) && top(to) !== agreed;
  return imports
    .filter(({ from, to, specifier }) => {
      if (top(from) === agreed) return to === undefined ? !specifier.startsWith("node:") : top(to) !== agreed;
      return to !== undefined && parts.includes(top(from)) && isOther(from, to);
    })
    .map(told);
}

/** R3: a family imports lower levels; of its own level only types. */
export function familyOrder(imports: readonly Import[], levels: readonly (readonly string[])[]): string[] {
  const levelOf = (family: string) => levels.findIndex((level) => level.includes(family));
  const family = (path: string) => (path.startsWith("constructs/") ? path.split("/")[1]! : "");
  return imports.flatMap((each) => {
    const [from, to] = [family(each.from), family(each.to ?? "")];
    if (from === "" || to === "" || from === to || from === "index.ts") return [];
    if (levelOf(from) < 0 || levelOf(to) < 0) return [`${told(each)}: ${levelOf(from) < 0 ? from : to} has no level`];
    if (levelOf(to) > levelOf(from)) return [`${told(each)}: ${to} stands above ${from}`];
    if (levelOf(to) === levelOf(from) && each.kind !== "type")
      return [`${told(each)}: ${from} and ${to} may know each other's types only`];
    return [];
  });
}

/** R4: circles, each once, as `a -> b -> a`. */
export function cycles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) if (to !== undefined) next.set(from, [...(next.get(from) ?? []), to]);
  const found = new Set<string>();
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]) => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      const circle = trail.slice(at);
      const first = circle.indexOf([...circle].sort()[0]!);
      const turned = [...circle.slice(first), ...circle.slice(0, first)];
      found.add([...turned, turned[0]].join(" -> "));
      return;
    }
    if (done.has(path)) return;
    for (const each of next.get(path) ?? []) walk(each, [...trail, path]);
    done.add(path);
  };
  for (const path of next.keys()) walk(path, []);
  return [...found].sort();
}

/** R5: what users copy imports entries of the package only, and nothing of ours by path. */
export function entriesOnly(
  imports: readonly Import[],
  folders: readonly string[],
  entries: readonly string[],
): string[] {
  return imports
    .filter(({ from, to, specifier }) => {
      const folder = folders.find((each) => from.startsWith(`${each}/`));
      if (folder === undefined) return false;
      if (to !== undefined) return !to.startsWith(`${folder}/`);
      return (specifier === "antifragile" || specifier.startsWith("antifragile/")) && !entries.includes(specifier);
    })
    .map(told);
}

/** R6: the engine and the provider are known to the constructs only, the provider by the folder of one resource. */
export function engineInside(imports: readonly Import[], allowed: readonly string[]): string[] {
  const isEngine = (specifier: string) => /^(cdktf|@cdktf\/[^/]+)(\/|$)/.test(specifier);
  return imports
    .filter(({ specifier }) => isEngine(specifier))
    .flatMap((each) => {
      if (!allowed.some((folder) => each.from.startsWith(folder))) return [told(each)];
      const provider = /^@cdktf\/[^/]+(.*)$/.exec(each.specifier);
      return provider !== null && !/^\/lib\/[a-z0-9-]+$/.test(provider[1]!)
        ? [`${told(each)}: name the folder of one resource, as in @cdktf/provider-aws/lib/sqs-queue`]
        : [];
    });
}

/** Modules of Node that compute and do nothing else. */
const PURE_MODULES = new Set(["node:path", "node:crypto", "node:util"]);
const IMPURE_MEMBERS: Readonly<Record<string, (member: string) => boolean>> = {
  Date: (member) => member === "now",
  Math: (member) => member === "random",
  performance: () => true,
  console: () => true,
  // `process` is also a word of ours: what a service is.
  process: (member) =>
    /^(env|argv|cwd|std(in|out|err)|platform|arch|exit|exitCode|hrtime|pid|on|once|version|versions)$/.test(member),
};

function impureUses(source: ts.SourceFile): string[] {
  const found: string[] = [];
  eachNode(source, (node) => {
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const [object, member] = [node.expression.text, node.name.text];
      if (Object.hasOwn(IMPURE_MEMBERS, object) && IMPURE_MEMBERS[object]!(member)) found.push(`${object}.${member}`);
    } else if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "Date") {
      if ((node.arguments ?? []).length === 0) found.push("new Date()");
    } else if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      if (/^(fetch|setTimeout|setInterval|setImmediate)$/.test(node.expression.text))
        found.push(`${node.expression.text}()`);
    }
  });
  return found;
}

/** R7: neither these modules nor any that they import for its values do I/O, read a clock or draw lots. */
export function pureModules(sources: Sources, imports: readonly Import[], modules: readonly string[]): string[] {
  return modules.flatMap((module) => {
    if (!sources.has(module)) return [`${module} is not there`];
    const reached = closure(imports, [module], ["value", "lazy"]);
    const through = (path: string) => (path === module ? module : `${module}, through ${path},`);
    return [
      ...imports
        .filter(({ from, kind, specifier }) => reached.has(from) && kind !== "type" && specifier.startsWith("node:"))
        .filter(({ specifier }) => !PURE_MODULES.has(specifier))
        .map(({ from, specifier }) => `${through(from)} imports ${specifier}`),
      ...[...reached].flatMap((path) => impureUses(sources.get(path)!).map((use) => `${through(path)} uses ${use}`)),
    ];
  });
}

function closure(imports: readonly Import[], start: readonly string[], kinds: readonly Import["kind"][]): Set<string> {
  const reached = new Set(start);
  for (const path of reached) {
    for (const { from, to, kind } of imports) {
      if (from === path && to !== undefined && kinds.includes(kind)) reached.add(to);
    }
  }
  return reached;
}
