import { posix } from "node:path";
import ts from "typescript";
import type { Sources } from "./sources";

export type Declared =
  | ts.ClassDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.FunctionDeclaration
  | ts.EnumDeclaration
  | ts.VariableStatement;

/** Something that a file exports, where it is declared. */
export interface Exported {
  readonly name: string;
  /** File of the declaration; a package's name when it comes from there. */
  readonly path: string;
  /** Undefined when it comes from a package. */
  readonly node: Declared | undefined;
  readonly typeOnly: boolean;
}

function pathOf(sources: Sources, from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const path = posix.join(posix.dirname(from), specifier);
  return [`${path}.ts`, `${path}/index.ts`].find((each) => sources.has(each));
}

function isDeclared(node: ts.Statement): node is Declared {
  return (
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isEnumDeclaration(node) ||
    ts.isVariableStatement(node)
  );
}

function namesOf(node: Declared): string[] {
  if (!ts.isVariableStatement(node)) return node.name === undefined ? [] : [node.name.text];
  return node.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
}

function isExported(node: Declared): boolean {
  return node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

/** Finds where a name that a file knows is declared. */
function resolve(sources: Sources, path: string, name: string): Exported | undefined {
  for (const statement of sources.get(path)!.statements) {
    if (isDeclared(statement) && namesOf(statement).includes(name)) {
      const typeOnly = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
      return { name, path, node: statement, typeOnly };
    }
    const imported =
      ts.isImportDeclaration(statement) &&
      statement.importClause?.namedBindings !== undefined &&
      ts.isNamedImports(statement.importClause.namedBindings)
        ? statement.importClause.namedBindings.elements
        : ts.isExportDeclaration(statement) &&
            statement.moduleSpecifier !== undefined &&
            statement.exportClause !== undefined &&
            ts.isNamedExports(statement.exportClause)
          ? statement.exportClause.elements
          : [];
    const element = [...imported].find((each) => each.name.text === name);
    if (element !== undefined && (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement))) {
      const specifier = (statement.moduleSpecifier as ts.StringLiteral).text;
      const target = pathOf(sources, path, specifier);
      if (target === undefined) return { name, path: specifier, node: undefined, typeOnly: element.isTypeOnly };
      return resolve(sources, target, (element.propertyName ?? element.name).text);
    }
  }
  return undefined;
}

/** All that a file exports, by name; later ones of a name win, as no two may differ. */
export function exportsOf(sources: Sources, path: string): ReadonlyMap<string, Exported> {
  const found = new Map<string, Exported>();
  const add = (name: string, exported: Exported | undefined) => {
    if (exported === undefined) throw new Error(`${path}: what ${name} is was not found`);
    found.set(name, exported);
  };
  for (const statement of sources.get(path)!.statements) {
    if (isDeclared(statement) && isExported(statement)) {
      for (const name of namesOf(statement)) add(name, resolve(sources, path, name));
    }
    if (!ts.isExportDeclaration(statement)) continue;
    const specifier = statement.moduleSpecifier as ts.StringLiteral | undefined;
    if (statement.exportClause === undefined) {
      const target = specifier && pathOf(sources, path, specifier.text);
      if (target === undefined) throw new Error(`${path}: export * from ${specifier?.text} was not found`);
      for (const [name, exported] of exportsOf(sources, target)) found.set(name, exported);
    } else if (ts.isNamedExports(statement.exportClause)) {
      for (const element of statement.exportClause.elements) {
        const exported = resolve(sources, path, element.name.text);
        const typeOnly = (exported?.typeOnly ?? false) || statement.isTypeOnly || element.isTypeOnly;
        add(element.name.text, exported && { ...exported, typeOnly });
      }
    }
  }
  return found;
}
