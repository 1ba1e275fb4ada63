import { Token, Tokenization } from "cdktf";
import { isObject } from "./plain";

/** Marker that cdktf writes into a string in place of a reference, before synth. */
export const REFERENCE = /(\$\{TfToken\[[a-zA-Z0-9:._-]+\]\})/;

/** Markers of lists and maps, which have no meaning within a string. */
const COLLECTION = /[#&]\{TfToken\[[a-zA-Z0-9:._-]+\]\}/;

/** Text of a number that stands for a reference: cdktf encodes them in a range that no count of anything reaches. */
const NUMBER = /-\d(?:\.\d+)?e\+(?:298|289)/g;

function ofNumber(number: number) {
  return Tokenization.reverseNumber(number) ?? Tokenization.reverseNumberList([number]);
}

/** Replaces the numbers of a text that stand for references by markers, as those of strings. */
export function withTextReferences(text: string): string {
  return text.replaceAll(NUMBER, (digits) => {
    const reference = ofNumber(Number(digits));
    return reference === undefined ? digits : Token.asString(reference);
  });
}

/** Reports whether a value is, or a text contains, a value that is known only at apply. */
export function isReference(value: unknown): boolean {
  if (typeof value === "string") return REFERENCE.test(withTextReferences(value)) || isCollection(value);
  if (typeof value === "number") return ofNumber(value) !== undefined;
  return isObject(value) && Token.isUnresolved(value);
}

/** Reports whether a text contains a list or a map that is known only at apply, and that has no form as a text. */
export function isCollection(text: string): boolean {
  return COLLECTION.test(text);
}

/** Replaces the references of a text by a word, to check the rest of it. */
export function withPlaceholders(text: string): string {
  return withTextReferences(text)
    .split(REFERENCE)
    .map((part, index) => (index % 2 === 1 ? "reference" : part))
    .join("");
}
