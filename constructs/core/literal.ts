import { createHash } from "node:crypto";
import {
  DefaultTokenResolver,
  Fn,
  type IResolvable,
  type IResolveContext,
  Op,
  OperatorExpression,
  ref,
  StringConcat,
  TerraformLocal,
  TerraformStack,
  Token,
  Tokenization,
} from "cdktf";
import { isCollection, isReference, REFERENCE, withTextReferences } from "./reference";
import { Registry } from "./registry";

/** Parts of a text: at odd positions its references, as markers. */
const partsOf = (text: string): string[] => withTextReferences(text).split(REFERENCE);

/** Text with references in it, as an argument of Terraform's functions; `Fn` accepts only one or the other. */
export function asArgument(text: string): string {
  const parts = partsOf(text).filter((part) => part !== "");
  return parts.length === 1 ? (parts[0] as string) : Fn.join("", parts);
}

/** A reference in a user's text: its value may contain any character, so it must be encoded wherever it is part of JSON. */
class UserReference implements IResolvable {
  readonly creationStack = [];

  constructor(readonly reference: IResolvable) {}

  resolve(): IResolvable {
    return this.reference;
  }

  toString(): string {
    return Token.asString(this);
  }
}

/** Marked references by their marker, so that equal texts stay equal. */
const marked = new Map<string, string>();

/** Class of all expressions of Terraform, which cdktf does not export; other tokens yield texts when the app is synthesized. */
const EXPRESSION = Object.getPrototypeOf(OperatorExpression);

/** A text that only synth yields, such as that of `Lazy`, written when it is known. */
class LateText implements IResolvable {
  readonly creationStack = [];

  constructor(
    private readonly text: IResolvable,
    /** Writes the text; its references are marked. */
    private readonly write: (text: string) => string,
  ) {}

  resolve(context: IResolveContext): unknown {
    const text: unknown = this.text.resolve(context);
    if (text === undefined) return undefined;
    if (Tokenization.isResolvable(text)) return this.write(markReferences(Token.asString(text)));
    if (typeof text !== "string") return this.write(markReferences(String(text)));
    // The text is an expression itself, as that of Token.asAny("${var.name}").
    const expression = /^\$\{(?!TfToken\[)([^{}]+)\}$/.exec(text)?.[1];
    return this.write(markReferences(expression === undefined ? text : Token.asString(ref(expression))));
  }

  toString(): string {
    return Token.asString(this);
  }
}

function referenceIn(marker: string): IResolvable | undefined {
  return Tokenization.reverseString(marker).tokens[0];
}

/** Values of which AWS itself defines all characters. */
const BY_AWS = /^data\.aws_(partition|caller_identity|region)\.[\w-]+\.\w+$/;
/** Names and ARNs of resources, in which AWS allows no quotes; the keys of objects are an exception. */
const NAME = /^(data\.)?aws_(?!s3_\w*object)\w+\.[\w-]+\.(\w*arn\w*|id|name|family)$/;

const isTo = (reference: IResolvable, pattern: RegExp) =>
  pattern.test(String((reference as { readonly identifier?: unknown }).identifier));

function markReference(marker: string): string {
  const reference = referenceIn(marker);
  if (reference === undefined || reference instanceof UserReference || isTo(reference, BY_AWS)) return marker;
  const known = marked.get(marker) ?? Token.asString(new UserReference(reference));
  marked.set(marker, known);
  return known;
}

/** Marks the references of a text that needs no escaping: see {@link jsonText}. */
export function markReferences(text: string): string {
  return partsOf(text)
    .map((part, index) => (index % 2 === 1 ? markReference(part) : part))
    .join("");
}

/** Marks the references of a text, but for names of resources: policies contain many, and are easier to read without. */
export function markValues(text: string): string {
  return partsOf(text)
    .map((part, index) => {
      const reference = index % 2 === 1 ? referenceIn(part) : undefined;
      return reference === undefined || isTo(reference, NAME) ? part : markReference(part);
    })
    .join("");
}

/** Dollar sign before a reference, as {@link literal} writes it. */
const DOLLAR = '${"$"}';

const RESOLVER = { resolver: new DefaultTokenResolver(new StringConcat()) };

/** Local values of a stack for expressions with quotes, by their text. */
const UNQUOTED = () => new Map<string, TerraformLocal>();

/** A reference whose expression contains no quotes, which would end the JSON string around it: a local value otherwise. */
class Unquoted implements IResolvable {
  readonly creationStack = [];

  constructor(private readonly reference: IResolvable) {}

  resolve(context: IResolveContext): unknown {
    const stack = TerraformStack.of(context.scope);
    const text = String(
      Tokenization.resolve(this.reference, { ...RESOLVER, scope: stack, preparing: context.preparing }),
    );
    if (!text.includes('"')) return this.reference;
    const locals = Registry.of(stack).get(UNQUOTED);
    // Once a stack is prepared, nothing can be added to it.
    if (!locals.has(text) && context.preparing) {
      const hash = createHash("sha256").update(text).digest("hex").slice(0, 8);
      locals.set(text, new TerraformLocal(stack, `Value${hash}`, this.reference));
    }
    const local = locals.get(text);
    return local === undefined ? this.reference : Tokenization.reverse(local.asString)[0];
  }

  toString(): string {
    return Token.asString(this);
  }
}

/** Content of a JSON string that consists of a reference. */
function encoded(reference: IResolvable): string {
  // Converts numbers and booleans, and fails for null.
  const json = Fn.jsonencode(Fn.substr(Token.asString(new Unquoted(reference)), 0, -1));
  const inner = Fn.substr(json, 1, Token.asNumber(Op.sub(Fn.lengthOf(json), 2)));
  // Marked again: this JSON may become a string in another one.
  return markReference(inner);
}

/** A dollar sign before a reference, as {@link literal} writes it or plain, as an escape of JSON: it neither needs quotes nor escapes the reference. */
function escapeDollars(json: string): string {
  return json.replaceAll(JSON.stringify(DOLLAR).slice(1, -1), "\\u0024").replaceAll(/\$(?=\$\{TfToken\[)/g, "\\u0024");
}

/** Replaces the references of a user in a text by their encoded values. */
function withEncoded(parts: readonly string[]): string {
  return parts.map((part, index) => (index % 2 === 1 ? encodedPart(part) : part)).join("");
}

function encodedPart(marker: string): string {
  const marked = referenceIn(marker);
  if (!(marked instanceof UserReference)) return marker;
  if (marked.reference instanceof EXPRESSION) return encoded(marked.reference);
  return markReference(Token.asString(new LateText(marked.reference, jsonContent)));
}

/** A text as content of a JSON string, with its references. */
function jsonContent(text: string): string {
  const parts = partsOf(text).map((part, index) => (index % 2 === 1 ? part : JSON.stringify(part).slice(1, -1)));
  return escapeDollars(withEncoded(parts));
}

/** A list that is known only at apply, as elements of a JSON list: one string, which ends and begins the others itself. */
function jsonElements(list: IResolvable): string {
  const json = Fn.jsonencode(Token.asList(new Unquoted(list)));
  const inner = Fn.substr(json, 2, Token.asNumber(Fn.max([Token.asNumber(Op.sub(Fn.lengthOf(json), 4)), 0])));
  return `"${markReference(inner)}"`;
}

/** A number that is known only at apply. */
function jsonNumber(number: number): string {
  return markReference(Token.asString(Fn.jsonencode(Fn.tonumber(number))));
}

/** Stands for JSON that is already written. */
const WRITTEN = "\uE025";

/**
 * Writes JSON with references in it. Those of a user's text, which {@link literal} has marked, are encoded in place, so that
 * no value can end the string that contains it.
 *
 * The text is valid JSON before the references are resolved, too.
 *
 * @param text applied to each string first
 */
export function jsonText(value: unknown, text: (text: string) => string = (same) => same): string {
  const inserted: string[] = [];
  const insert = (json: string) => `${WRITTEN}${inserted.push(json) - 1}`;
  const written = JSON.stringify(value, (_, each) => {
    if (typeof each === "number") return isReference(each) ? insert(jsonNumber(each)) : each;
    if (typeof each !== "string" || each.startsWith(WRITTEN)) return each;
    return isCollection(each)
      ? insert(jsonElements(Tokenization.reverseList([each]) as IResolvable))
      : withEncoded(partsOf(text(each)));
  });
  return escapeDollars(written.replaceAll(/"\uE025(\d+)"/g, (_, index) => inserted[index] as string));
}

/** Writes a text in one line, whatever the values of its marked references are. */
export function lineText(text: string): string {
  return partsOf(text)
    .map((part, index) => {
      const marked = index % 2 === 1 && referenceIn(part) instanceof UserReference;
      return marked ? Fn.join("", Fn.split("\n", part)) : part;
    })
    .join("");
}

/** Writes a text as one word of a shell, whatever the values of its references are. */
export function shellText(text: string): string {
  const [quote, quoted] = ["'", `'"'"'`];
  const inQuotes = (each: string): string =>
    partsOf(each)
      .map((part, index) => {
        if (index % 2 === 0) return part.replaceAll(quote, quoted);
        const marked = referenceIn(part);
        if (!(marked instanceof UserReference)) return part;
        if (marked.reference instanceof EXPRESSION) return Fn.replace(part, quote, Fn.rawString(quoted));
        return Token.asString(new LateText(marked.reference, inQuotes));
      })
      .join("");
  return `${quote}${inQuotes(text)}${quote}`;
}

/**
 * Escapes a user's text for Terraform: tokens stay references, and a literal `${` or `%{` stays text.
 *
 * cdktf passes strings through unchanged; without this function, `terraform plan` would evaluate `${file("/etc/hostname")}`
 * in a prop. Call it once, where a prop enters a construct. The result must not be escaped again.
 *
 * @see https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences-1
 */
export function literal(text: string): string {
  const parts = partsOf(text);
  return parts
    .map((part, index) => {
      if (index % 2 === 1) return markReference(part);
      const escaped = part.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);
      // A dollar sign directly before a reference would turn the reference into text.
      return index < parts.length - 1 && escaped.endsWith("$") ? escaped.slice(0, -1) + DOLLAR : escaped;
    })
    .join("");
}
