import { Fn, type IResolvable, Op, OperatorExpression, Token, Tokenization } from "cdktf";

/** Marker that cdktf writes into a string in place of a reference, before synth. */
const TOKEN = /(\$\{TfToken\[[a-zA-Z0-9:._-]+\]\})/;

/** Text with references in it, as an argument of Terraform's functions; `Fn` accepts only one or the other. */
export function asArgument(text: string): string {
  const parts = text.split(TOKEN).filter((part) => part !== "");
  return parts.length === 1 ? text : Fn.join("", parts);
}

/** A reference in a user's text: its value may contain any character, so it must be encoded wherever it is part of JSON. */
class UserReference implements IResolvable {
  readonly creationStack = [];

  constructor(private readonly reference: IResolvable) {}

  resolve(): IResolvable {
    return this.reference;
  }

  toString(): string {
    return Token.asString(this);
  }
}

/** Marked references by their marker, so that equal texts stay equal. */
const marked = new Map<string, string>();

/** Class of all expressions of Terraform, which cdktf does not export; other tokens are texts that are known at synth. */
const EXPRESSION = Object.getPrototypeOf(OperatorExpression);

function referenceIn(marker: string): IResolvable | undefined {
  return Tokenization.reverseString(marker).tokens[0];
}

function markReference(marker: string): string {
  const reference = referenceIn(marker);
  if (!(reference instanceof EXPRESSION)) return marker;
  const known = marked.get(marker) ?? Token.asString(new UserReference(reference as IResolvable));
  marked.set(marker, known);
  return known;
}

/** Marks the references of a text that needs no escaping: see {@link jsonText}. */
export function markReferences(text: string): string {
  return text
    .split(TOKEN)
    .map((part, index) => (index % 2 === 1 ? markReference(part) : part))
    .join("");
}

/** Dollar sign before a reference, as {@link literal} writes it. */
const DOLLAR = '${"$"}';

/**
 * Writes JSON with references in it. Those of a user's text, which {@link literal} has marked, are encoded in place, so that
 * no value can end the string that contains it.
 *
 * The text is valid JSON before the references are resolved, too, unless the expression of one contains quotes.
 *
 * @param text applied to each string first
 */
export function jsonText(value: unknown, text: (text: string) => string = (same) => same): string {
  const encoded = (part: string) => {
    if (!(referenceIn(part) instanceof UserReference)) return part;
    const json = Fn.jsonencode(part);
    const inner = Fn.substr(json, 1, Token.asNumber(Op.sub(Fn.lengthOf(json), 2)));
    // Marked again: this JSON may become a string in another one.
    return markReference(inner);
  };
  const parts = (each: string) => each.split(TOKEN).map((part, index) => (index % 2 === 1 ? encoded(part) : part));
  const written = JSON.stringify(value, (_, each) => (typeof each === "string" ? parts(text(each)).join("") : each));
  // As an escape of JSON, a dollar sign neither needs quotes nor escapes the reference after it.
  return written
    .replaceAll(JSON.stringify(DOLLAR).slice(1, -1), "\\u0024")
    .replaceAll(/\$(?=\$\{TfToken\[)/g, "\\u0024");
}

/** Writes a text as one word of a shell, whatever the values of its references are. */
export function shellText(text: string): string {
  const [quote, quoted] = ["'", `'"'"'`];
  const parts = text.split(TOKEN).map((part, index) => {
    if (index % 2 === 0) return part.replaceAll(quote, quoted);
    return referenceIn(part) instanceof UserReference ? Fn.replace(part, quote, Fn.rawString(quoted)) : part;
  });
  return `${quote}${parts.join("")}${quote}`;
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
  const parts = text.split(TOKEN);
  return parts
    .map((part, index) => {
      if (index % 2 === 1) return markReference(part);
      const escaped = part.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);
      // A dollar sign directly before a reference would turn the reference into text.
      return index < parts.length - 1 && escaped.endsWith("$") ? escaped.slice(0, -1) + DOLLAR : escaped;
    })
    .join("");
}
