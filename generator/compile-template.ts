import Handlebars from "handlebars";
import { blocks, comparisons, serializers } from "./serializers";
import type { Expression, Part } from "./template";

/** Cache by source: tests render the same templates thousands of times. */
const compiled = new Map<string, readonly Part[]>();

/** Name of a helper that a template calls. */
function nameOf({ original }: { readonly original: unknown }, ...allowed: readonly object[]): string {
  if (typeof original === "string" && allowed.some((helpers) => Object.hasOwn(helpers, original))) return original;
  throw new Error(`a template uses ${original}, which is not among its helpers`);
}

function expressionOf(node: hbs.AST.Node): Expression {
  if (node.type === "StringLiteral") return (node as hbs.AST.StringLiteral).value;
  if (node.type === "PathExpression") return [(node as hbs.AST.PathExpression).original];
  const { path, params } = node as hbs.AST.SubExpression;
  return [nameOf(path, serializers, comparisons), ...params.map(expressionOf)];
}

const partsOf = (program: hbs.AST.Program | undefined): Part[] =>
  (program?.body ?? []).map((node): Part => {
    if (node.type === "ContentStatement") return (node as hbs.AST.ContentStatement).value;
    if (node.type === "MustacheStatement") return expressionOf(node);
    if (node.type !== "BlockStatement") throw new Error(`a template has a ${node.type}`);
    const { path, params, program: inner, inverse } = node as hbs.AST.BlockStatement;
    return {
      block: nameOf(path, blocks, { if: true, unless: true }),
      ...(params[0] && { of: expressionOf(params[0]) }),
      parts: partsOf(inner),
      ...(inverse && { otherwise: partsOf(inverse) }),
    };
  });

/**
 * Compiles a template, which has the syntax of Handlebars, but only the helpers of `serializers.ts`. The build replaces this module with
 * a file of all templates (scripts/precompile-templates.ts), because compiling them takes as long as the rest of a run.
 */
export function compileTemplate(_path: string, source: string): readonly Part[] {
  const parts = compiled.get(source) ?? partsOf(Handlebars.parse(source));
  compiled.set(source, parts);
  return parts;
}
