import * as ts from "typescript";
import { eachNode, readSources } from "../test/contract/support/sources";

/** Refusal as the sources state it; values that are known only when it happens have placeholders. */
export interface Refusal {
  readonly code: string;
  readonly prop: string;
  readonly problem: string;
  readonly remedy: string;
  /** Folder below `constructs/`. */
  readonly family: string;
}

const ELLIPSIS = "…";

/** All refusals in the sources of the constructs. */
export function refusals(): Refusal[] {
  const sources = [...readSources("constructs")];
  /** Constants and properties by name, each with its file. */
  const named = new Map<string, { readonly value: ts.Expression; readonly path: string }[]>();
  for (const [path, source] of sources) {
    eachNode(source, (node) => {
      if (!ts.isVariableDeclaration(node) && !ts.isPropertyAssignment(node)) return;
      if (node.initializer === undefined || !ts.isIdentifier(node.name)) return;
      const name = ts.isVariableDeclaration(node) ? node.name.text : `.${node.name.text}`;
      named.set(name, [...(named.get(name) ?? []), { value: node.initializer, path }]);
    });
  }

  /** The nearest constant above in the file; one of another file if its name is in capitals. */
  const constant = (name: ts.Identifier, path: string): ts.Expression | undefined => {
    const all = named.get(name.text) ?? [];
    const above = all.filter((each) => each.path === path && each.value.end < name.pos).at(-1);
    return (above ?? (/^[A-Z_]+$/.test(name.text) ? all[0] : undefined))?.value;
  };

  const text = (node: ts.Expression | undefined, path: string): string => {
    if (node === undefined) return ELLIPSIS;
    if (ts.isStringLiteralLike(node)) return node.text;
    if (ts.isTemplateExpression(node)) {
      return (
        node.head.text + node.templateSpans.map((span) => placeholder(span.expression) + span.literal.text).join("")
      );
    }
    if (ts.isConditionalExpression(node)) return text(node.whenFalse, path);
    return ts.isIdentifier(node) ? text(constant(node, path), path) : ELLIPSIS;
  };

  const choices = (node: ts.Expression | undefined, path: string): string => {
    const given = node !== undefined && ts.isIdentifier(node) ? constant(node, path) : node;
    const array = given !== undefined && ts.isAsExpression(given) ? given.expression : given;
    if (array === undefined || !ts.isArrayLiteralExpression(array)) return ELLIPSIS;
    return array.elements.map((element) => text(element, path)).join(", ");
  };

  /** Both values of a condition, of which the source can have only one at a time. */
  const alternatives = (node: ts.Expression | undefined, path: string): string[] => {
    if (node === undefined) return [ELLIPSIS];
    if (ts.isIdentifier(node)) return alternatives(constant(node, path), path);
    if (ts.isConditionalExpression(node)) return [node.whenTrue, node.whenFalse].map((each) => text(each, path));
    return [text(node, path)];
  };

  /** Codes of a refusal; `codes.state` has one for each object `codes` with a `state`. */
  const codesOf = (node: ts.Expression, path: string): string[] => {
    const [span] = ts.isTemplateExpression(node) ? node.templateSpans : [];
    if (ts.isTemplateExpression(node) && span !== undefined) {
      return alternatives(span.expression, path).map((each) => node.head.text + each + span.literal.text);
    }
    if (!ts.isPropertyAccessExpression(node)) return [text(node, path)];
    return (named.get(`.${node.expression.getText()}`) ?? []).flatMap(({ value }) =>
      ts.isObjectLiteralExpression(value) ? [text(propertyOf(value, node.name.text), path)] : [],
    );
  };

  const found: Refusal[] = [];
  for (const [path, source] of sources) {
    eachNode(source, (node) => {
      if (!ts.isObjectLiteralExpression(node)) return;
      const code = propertyOf(node, "code");
      if (code === undefined) return;
      const call = node.parent;
      const ofSet = ts.isCallExpression(call) && call.expression.getText().endsWith("checkOneOf");
      const value = (name: string) => text(propertyOf(node, name), path);
      const problem = ofSet ? `${ELLIPSIS} is not a supported value` : value("problem");
      const remedy = ofSet ? `Use one of: ${choices(call.arguments[1], path)}.` : value("remedy");
      const family = path.split("/")[1] as string;
      // A helper that is given the code: its callers are refusals of their own.
      const codes = codesOf(code, path).filter((each) => each !== ELLIPSIS);
      found.push(...codes.map((each) => ({ code: each, prop: value("prop"), problem, remedy, family })));
    });
  }
  return found;
}

/** Stands for a value that is known when it happens: the name it has in the source, where that is short. */
function placeholder(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return `<${node.text}>`;
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) return `<${node.name.text}>`;
  if (!ts.isCallExpression(node)) return ELLIPSIS;
  const [argument] = node.arguments;
  const called = node.expression.getText();
  if (called === "JSON.stringify" && argument !== undefined) return placeholder(argument);
  return ts.isPropertyAccessExpression(node.expression) && /^(?:join|map)$/.test(node.expression.name.text)
    ? placeholder(node.expression.expression)
    : ELLIPSIS;
}

function propertyOf(object: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  for (const property of object.properties) {
    if (property.name?.getText() !== name) continue;
    if (ts.isPropertyAssignment(property)) return property.initializer;
    if (ts.isShorthandPropertyAssignment(property)) return property.name;
  }
  return undefined;
}

/** The page of all refusals and warnings, by their codes. */
export function errorsPage(): string {
  const byCode = new Map<string, Refusal[]>();
  for (const refusal of refusals()) byCode.set(refusal.code, [...(byCode.get(refusal.code) ?? []), refusal]);
  const entries = [...byCode].sort(([a], [b]) => a.localeCompare(b));
  const entry = ([code, all]: [string, Refusal[]]) => {
    const messages = all.map(({ prop, problem, remedy }) => `${prop} ${problem}\n  ${remedy}  [${code}]`);
    const family = `[${all[0]?.family}](api/${all[0]?.family}.md)`;
    return `## ${code}\n\nFrom ${family}:\n\n\`\`\`text\n${[...new Set(messages)].join("\n")}\n\`\`\``;
  };
  return `<!-- Written by npm run docs from the sources of the constructs. -->

# Errors

Synth refuses props that AWS would refuse, or that would fail later. A message names the construct, the prop, the cause, and in its
second line what to do:

\`\`\`text
orders-dev-service/Orders: scaling.min must be at most scaling.max (4), got 9
  Raise max or lower min.  [SCALING_MIN_GT_MAX]
\`\`\`

Each code below shows its message; \`<name>\` and ${ELLIPSIS} stand for values of your program. All problems of an app are reported in one run. Errors
of commands have no codes: they say what to do, and [commands](commands.md) lists the exit codes.

${entries.map(entry).join("\n\n")}
`;
}
