/** Type of a value, as far as a program can check it. */
export type Shape =
  | "string"
  /** One of a set of strings, which is checked where the value is used. */
  | "word"
  | "number"
  | "boolean"
  | "function"
  | "any"
  /** A named type, as in `#Duration`. */
  | `#${string}`
  /** A list. */
  | readonly [Shape]
  | { readonly oneOf: readonly Shape[] }
  | { readonly words: readonly string[] }
  /** An object whose keys are free. */
  | { readonly values: Shape }
  | Props;

/** Plain data. */
export interface Props {
  /** Types of the props; the name of an optional one ends in `?`. */
  readonly props: Readonly<Record<string, Shape>>;
}

/** Type with a name: plain data, or an object that is recognized by some of its members. */
export type NamedType = (Props | { readonly members: readonly string[] }) & {
  /** Calls that create one. */
  readonly from?: readonly string[];
};
