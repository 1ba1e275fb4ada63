/** Rows of the option table. Flags, questions, help, schema, reference and types derive from them. */

export type Value = string | boolean;

/** Answers to the rows above, which a default or a `when` may read. */
export type Earlier = Readonly<Record<string, Value | undefined>>;

/** Facts that need no question. */
export interface Place {
  /** Last part of the path of the target folder, or undefined without one. */
  readonly folder: string | undefined;
  /** Branch that the git repository around the folder deploys from. */
  readonly branch?: string | undefined;
  /** Path of the target folder in the git repository around it, unless it is the root. */
  readonly directory?: string | undefined;
  /** Package manager that started this process. */
  readonly packageManager?: string | undefined;
}

/** Valid values of a text row. */
interface TextRule {
  /** Pattern that the whole value must match. */
  readonly pattern: RegExp;
  /** Allowed values in words: completes the sentence "use ...". */
  readonly allowed: string;
}

interface Always {
  readonly when?: undefined;
  readonly otherwise?: undefined;
}

/** Row that applies only after certain earlier answers. Otherwise its answer is undefined. */
interface Sometimes {
  readonly when: (earlier: Earlier) => boolean;
  /** Message for a value although the row does not apply. */
  readonly otherwise: string;
}

interface Common<V> {
  /**
   * Question on a terminal. A row without one takes its default, which a flag or the answers file changes.
   *
   * @default - not asked
   */
  readonly ask?: string;

  /**
   * Hint beside the question, in a few words.
   *
   * @default - none
   */
  readonly hint?: string;

  /**
   * Label in the question "What does it need?", which asks for all rows with a label at once.
   *
   * @default - the row has its own question, or none
   */
  readonly need?: string;

  /**
   * Value known from the place, so that no question is needed.
   *
   * @default - none
   */
  readonly known?: (place: Place) => V | undefined;

  /**
   * Value that the question suggests.
   *
   * @default - the default
   */
  readonly suggested?: (place: Place) => V | undefined;

  /** Purpose of the value, in one sentence. */
  readonly help: string;

  /**
   * Value without an answer.
   *
   * @default - none: the row is required
   */
  readonly default?: V | ((earlier: Earlier) => V);
}

type TextSpec = Common<string> &
  (Always | Sometimes) & {
    readonly example: string;
    readonly rule: TextRule;
  };

type ChoiceSpec = Common<string> &
  (Always | Sometimes) & {
    /** Choices with their labels. */
    readonly values: Readonly<Record<string, string>>;

    /**
     * Reasons why other values are not supported.
     *
     * @default - no special reasons
     */
    readonly unsupported?: Readonly<Record<string, string>>;

    /**
     * Choices that earlier answers exclude, with the reason for each.
     *
     * @default - none
     */
    readonly excluded?: (earlier: Earlier) => Readonly<Record<string, string>>;
  };

type FlagSpec = Common<boolean> & (Always | Sometimes) & { readonly default: boolean };

export type TextRow = TextSpec & { readonly kind: "text" };
export type ChoiceRow = ChoiceSpec & { readonly kind: "choice" };
export type FlagRow = FlagSpec & { readonly kind: "flag" };
export type Row = TextRow | ChoiceRow | FlagRow;
export type OptionTable = Readonly<Record<string, Row>>;

/** Defines a text row with a rule. */
export function text<const S extends TextSpec>(spec: S): S & { readonly kind: "text" } {
  return { ...spec, kind: "text" };
}

/** Defines a row with a closed set of values. */
export function choice<const S extends ChoiceSpec>(
  spec: S & { readonly default?: keyof S["values"] | ((earlier: Earlier) => keyof S["values"]) },
): S & { readonly kind: "choice" } {
  return { ...spec, kind: "choice" };
}

/** Defines a yes-or-no row. */
export function flag<const S extends FlagSpec>(spec: S): S & { readonly kind: "flag" } {
  return { ...spec, kind: "flag" };
}

/** Defines an option table. The order of the rows is the order of the questions. */
export function defineOptions<const T extends OptionTable>(table: T): T {
  return table;
}

type ValueOf<R> = R extends { kind: "flag" }
  ? boolean
  : R extends { kind: "choice"; values: infer V }
    ? keyof V & string
    : string;

/** Answers to a table, typed by its rows. */
export type AnswersOf<T> = {
  readonly [K in keyof T]: T[K] extends { when: (...args: never[]) => boolean }
    ? ValueOf<T[K]> | undefined
    : ValueOf<T[K]>;
};
