import { blocks, comparisons, serializers } from "./serializers";

/** Text, or a name with arguments: that of a serializer or comparison, or without arguments that of an answer. */
export type Expression = string | readonly Expression[];

/** Block with the parts in it, and those of its `else`. */
export interface Block {
  readonly block: string;
  readonly of?: Expression;
  readonly parts: readonly Part[];
  readonly otherwise?: readonly Part[];
}

/** Part of a template. */
export type Part = Expression | Block;

const helpers: Readonly<Record<string, (...values: unknown[]) => unknown>> = { ...serializers, ...comparisons };

function evaluate(expression: Expression, answers: Readonly<Record<string, unknown>>): unknown {
  if (typeof expression === "string") return expression;
  const [name, ...args] = expression as readonly [string, ...Expression[]];
  if (args.length === 0) {
    if (!Object.hasOwn(answers, name)) throw new Error(`a template uses ${name}, which these answers do not have`);
    return answers[name];
  }
  return helpers[name]!(...args.map((arg) => evaluate(arg, answers)));
}

/** Fills answers into a template. Pure. */
export function fillTemplate(parts: readonly Part[], answers: Readonly<Record<string, unknown>>): string {
  const textOf = (part: Part): string => {
    if (!("block" in Object(part))) return String(evaluate(part as Expression, answers));
    const { block, of = "", parts: inner, otherwise = [] } = part as Block;
    const repeat = blocks[block];
    if (repeat !== undefined) return repeat(answers, fillTemplate(inner, answers));
    return fillTemplate(Boolean(evaluate(of, answers)) === (block === "if") ? inner : otherwise, answers);
  };
  return parts.map(textOf).join("");
}
