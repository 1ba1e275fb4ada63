/** What a row of the option table may say. Flags, questions, help, schema, reference and types follow from it. */

export type Value = string | boolean;

/** The answers to the rows above: what a default or a `when` may look at. */
export type Earlier = Readonly<Record<string, Value | undefined>>;

/** What is known without asking. */
export interface Place {
  /** Last part of the path of the folder to write, or undefined while no folder is named. */
  readonly folder: string | undefined;
}

/** Which texts a text row takes. */
interface TextRule {
  /** The whole value must match. */
  readonly pattern: RegExp;
  /** What is allowed, in words: completes the sentence "use ...". */
  readonly allowed: string;
}

interface Always {
  readonly when?: undefined;
  readonly otherwise?: undefined;
}

/** A row that applies only after certain earlier answers; elsewhere its answer is undefined. */
interface Sometimes {
  readonly when: (earlier: Earlier) => boolean;
  /** Shown when a value is given although the row does not apply. */
  readonly otherwise: string;
}

interface Common<V> {
  /**
   * The question. A row without one is never asked: it takes its default, and a flag or the answers file changes it.
   *
   * @default - not asked
   */
  readonly ask?: string;

  /** What the value is for, in one sentence. */
  readonly help: string;

  /**
   * Taken when nobody says otherwise.
   *
   * @default - none: the row is required
   */
  readonly default?: V | ((earlier: Earlier) => V);
}

type TextSpec = Common<string> &
  (Always | Sometimes) & {
    readonly example: string;
    readonly rule: TextRule;

    /**
     * A value that the place already tells, so that nobody needs to be asked.
     *
     * @default - nothing is known
     */
    readonly known?: (place: Place) => string | undefined;
  };

type ChoiceSpec = Common<string> &
  (Always | Sometimes) & {
    /** What can be chosen, each with the label that a question shows. */
    readonly values: Readonly<Record<string, string>>;
  };

type FlagSpec = Common<boolean> & (Always | Sometimes) & { readonly default: boolean };

export type TextRow = TextSpec & { readonly kind: "text" };
export type ChoiceRow = ChoiceSpec & { readonly kind: "choice" };
export type FlagRow = FlagSpec & { readonly kind: "flag" };
export type Row = TextRow | ChoiceRow | FlagRow;
export type OptionTable = Readonly<Record<string, Row>>;

/** A free text that a rule bounds. */
export function text<const S extends TextSpec>(spec: S): S & { readonly kind: "text" } {
  return { ...spec, kind: "text" };
}

/** One of a closed set of words. */
export function choice<const S extends ChoiceSpec>(
  spec: S & { readonly default?: keyof S["values"] | ((earlier: Earlier) => keyof S["values"]) },
): S & { readonly kind: "choice" } {
  return { ...spec, kind: "choice" };
}

/** Yes or no. */
export function flag<const S extends FlagSpec>(spec: S): S & { readonly kind: "flag" } {
  return { ...spec, kind: "flag" };
}

/** Names the rows; their order is the order of the questions. */
export function defineOptions<const T extends OptionTable>(table: T): T {
  return table;
}

type ValueOf<R> = R extends { kind: "flag" }
  ? boolean
  : R extends { kind: "choice"; values: infer V }
    ? keyof V & string
    : string;

/** The answers to a table, typed by its rows. */
export type AnswersOf<T> = {
  readonly [K in keyof T]: T[K] extends { when: (...args: never[]) => boolean }
    ? ValueOf<T[K]> | undefined
    : ValueOf<T[K]>;
};
