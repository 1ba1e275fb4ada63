/** One value for each datapoint, oldest first; undefined where there is none. */
export type Series = readonly (number | undefined)[];

/** Number, time series, or array of time series: the types of CloudWatch's metric math. */
type Value =
  | { readonly kind: "scalar"; readonly value: number }
  | { readonly kind: "series"; readonly points: Series }
  | { readonly kind: "array"; readonly series: readonly Series[] };

/** An expression that CloudWatch refuses, or that uses a function which is not evaluated here. */
export class MetricMathError extends Error {
  override readonly name = "MetricMathError";
}

/** Looks up a time series by the id of its row. */
export type Lookup = (id: string) => Series;

/**
 * Evaluates an expression of metric math over as many datapoints as its time series have.
 *
 * Missing values count as 0 in arithmetic and comparisons where the other side has a value; a division by zero drops the
 * datapoint. `IF` drops a datapoint whose condition is missing.
 *
 * @throws MetricMathError
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
export function evaluateExpression(expression: string, lookup: Lookup, length: number): Series {
  const value = new Parser(expression, lookup, length).parse();
  if (value.kind === "series") return value.points;
  throw new MetricMathError(
    `${JSON.stringify(expression)} must result in one time series, got ${value.kind === "scalar" ? "a number" : "an array of time series"}.`,
  );
}

const TOKEN = /\s*(?:(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(==|!=|<=|>=|&&|\|\||[-+*/^<>()[\],]))/y;

interface Token {
  readonly kind: "number" | "word" | "sign";
  readonly text: string;
}

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  const end = expression.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(expression);
    if (found === null) {
      throw new MetricMathError(`${JSON.stringify(expression)} cannot be read from ${expression.slice(at).trim()} on.`);
    }
    const [, number, word, sign] = found;
    if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (word !== undefined) tokens.push({ kind: "word", text: word });
    else tokens.push({ kind: "sign", text: sign as string });
  }
  return tokens;
}

/** Operators by precedence, the loosest first. */
const LEVELS: readonly (readonly string[])[] = [
  ["OR", "||"],
  ["AND", "&&"],
  ["==", "!=", "<=", ">=", "<", ">"],
  ["+", "-"],
  ["*", "/"],
];

const flag = (holds: boolean) => (holds ? 1 : 0);

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  OR: (a, b) => flag(a !== 0 || b !== 0),
  "||": (a, b) => flag(a !== 0 || b !== 0),
  AND: (a, b) => flag(a !== 0 && b !== 0),
  "&&": (a, b) => flag(a !== 0 && b !== 0),
  "==": (a, b) => flag(a === b),
  "!=": (a, b) => flag(a !== b),
  "<=": (a, b) => flag(a <= b),
  ">=": (a, b) => flag(a >= b),
  "<": (a, b) => flag(a < b),
  ">": (a, b) => flag(a > b),
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => a ** b,
};

/** Recursive descent parser that evaluates each rule, without a syntax tree. */
class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(
    private readonly expression: string,
    private readonly lookup: Lookup,
    private readonly length: number,
  ) {
    this.#tokens = tokensOf(expression);
  }

  parse(): Value {
    const value = this.#operation(0);
    if (this.#at < this.#tokens.length) throw this.#unexpected();
    return value;
  }

  #operation(level: number): Value {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#power();
    let value = this.#operation(level + 1);
    for (;;) {
      const operator = operators.find((each) => this.#take(each));
      if (operator === undefined) return value;
      value = combine(operator, value, this.#operation(level + 1));
    }
  }

  #power(): Value {
    if (this.#take("-")) return combine("-", { kind: "scalar", value: 0 }, this.#power());
    const base = this.#primary();
    return this.#take("^") ? combine("^", base, this.#power()) : base;
  }

  #primary(): Value {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw this.#unexpected();
    if (this.#take("(")) {
      const value = this.#operation(0);
      this.#expect(")");
      return value;
    }
    if (this.#take("[")) return { kind: "array", series: this.#list("]").flatMap((value) => this.#seriesOf(value)) };
    this.#at += 1;
    if (token.kind === "number") return { kind: "scalar", value: Number(token.text) };
    if (token.kind !== "word") {
      this.#at -= 1;
      throw this.#unexpected();
    }
    if (this.#take("(")) return this.#call(token.text);
    return { kind: "series", points: this.lookup(token.text) };
  }

  #call(name: string): Value {
    if (name === "FILL") {
      const filled = this.#operation(0);
      this.#expect(",");
      const filler = ["REPEAT", "LINEAR"].find((word) => this.#take(word)) ?? this.#operation(0);
      this.#expect(")");
      return mapSeries(filled, (points) => fill(points, filler));
    }
    const values = this.#list(")");
    if (name === "IF") return choose(values, this.length, this.expression);
    const only = values.length === 1 ? values[0] : undefined;
    const aggregate = AGGREGATES[name];
    if (aggregate !== undefined && only !== undefined) {
      if (only.kind === "array") return { kind: "series", points: acrossSeries(only.series, this.length, aggregate) };
      return { kind: "scalar", value: aggregate(only.kind === "scalar" ? [only.value] : existing(only.points), 0) };
    }
    const each = EACH[name];
    if (each !== undefined && only !== undefined) {
      return mapSeries(only, (points) => points.map((point) => (point === undefined ? undefined : each(point))));
    }
    const known = ["FILL", "IF", ...Object.keys(AGGREGATES), ...Object.keys(EACH)];
    throw new MetricMathError(
      known.includes(name)
        ? `${name} in ${JSON.stringify(this.expression)} takes one argument, got ${values.length}.`
        : `${name} in ${JSON.stringify(this.expression)} is not evaluated here. Use ${known.join(", ")}.`,
    );
  }

  #list(end: string): Value[] {
    const values: Value[] = [];
    if (this.#take(end)) return values;
    do values.push(this.#operation(0));
    while (this.#take(","));
    this.#expect(end);
    return values;
  }

  #seriesOf(value: Value): readonly Series[] {
    if (value.kind === "array") return value.series;
    if (value.kind === "series") return [value.points];
    throw new MetricMathError(`An array in ${JSON.stringify(this.expression)} must hold time series, got a number.`);
  }

  #take(text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined || token.kind === "number" || token.text !== text) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected(text);
  }

  #unexpected(expected?: string): MetricMathError {
    const found = this.#tokens[this.#at]?.text;
    const wanted = expected === undefined ? "" : `, expected ${expected}`;
    return new MetricMathError(
      `${JSON.stringify(this.expression)} has ${found === undefined ? "an end" : JSON.stringify(found)} where it cannot be${wanted}.`,
    );
  }
}

/** Infinite or undefined results are dropped: a division by zero. */
function real(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function existing(points: Series): number[] {
  return points.filter((point) => point !== undefined);
}

function mapSeries(value: Value, change: (points: Series) => Series): Value {
  if (value.kind === "array") return { kind: "array", series: value.series.map(change) };
  if (value.kind === "series") return { kind: "series", points: change(value.points) };
  throw new MetricMathError("A function of time series got a number.");
}

function combine(operator: string, left: Value, right: Value): Value {
  const compute = OPERATORS[operator] as (a: number, b: number) => number;
  if (left.kind === "scalar" && right.kind === "scalar") {
    return { kind: "scalar", value: compute(left.value, right.value) };
  }
  const both = (a: Series | number, b: Series | number): Series => {
    const length = typeof a === "number" ? (b as Series).length : a.length;
    return Array.from({ length }, (_, index) => {
      const [x, y] = [typeof a === "number" ? a : a[index], typeof b === "number" ? b : b[index]];
      // Beside a number only the datapoints of the series count; of two series, those that either has.
      const missing =
        typeof a === "number" ? y === undefined : typeof b === "number" ? x === undefined : (x ?? y) === undefined;
      return missing ? undefined : real(compute(x ?? 0, y ?? 0));
    });
  };
  const sides = (value: Value): readonly (Series | number)[] =>
    value.kind === "array" ? value.series : [value.kind === "series" ? value.points : value.value];
  if (left.kind === "array" && right.kind === "array") {
    throw new MetricMathError(`${operator} takes one array of time series at most.`);
  }
  const results = sides(left).flatMap((a) => sides(right).map((b) => both(a, b)));
  if (left.kind === "array" || right.kind === "array") return { kind: "array", series: results };
  return { kind: "series", points: results[0] as Series };
}

/** From a list of numbers one; `of` is how many there could have been. */
type Aggregate = (values: readonly number[], of: number) => number;

const AGGREGATES: Readonly<Record<string, Aggregate>> = {
  MAX: (values) => Math.max(...values),
  MIN: (values) => Math.min(...values),
  SUM: (values) => values.reduce((sum, value) => sum + value, 0),
  // "Missing values are treated as 0."
  AVG: (values, of) => values.reduce((sum, value) => sum + value, 0) / (of || values.length),
};

const EACH: Readonly<Record<string, (value: number) => number>> = {
  ABS: Math.abs,
  CEIL: Math.ceil,
  FLOOR: Math.floor,
};

function acrossSeries(series: readonly Series[], length: number, aggregate: Aggregate): Series {
  return Array.from({ length }, (_, index) => {
    const values = existing(series.map((points) => points[index]));
    return values.length === 0 ? undefined : aggregate(values, series.length);
  });
}

function fill(points: Series, filler: string | Value): Series {
  if (filler === "REPEAT") {
    let last: number | undefined;
    return points.map((point) => {
      last = point ?? last;
      return last;
    });
  }
  if (filler === "LINEAR") return points.map((point, index) => point ?? between(points, index));
  const value = filler as Value;
  if (value.kind === "array") throw new MetricMathError("FILL takes a number or a time series to fill with.");
  return points.map((point, index) => point ?? (value.kind === "scalar" ? value.value : value.points[index]));
}

/** Interpolates linearly between the neighbors that have a value; returns nothing if one is missing. */
function between(points: Series, index: number): number | undefined {
  let [before, after] = [index - 1, index + 1];
  while (before >= 0 && points[before] === undefined) before -= 1;
  while (after < points.length && points[after] === undefined) after += 1;
  const [a, b] = [points[before], points[after]];
  if (a === undefined || b === undefined) return undefined;
  return a + ((b - a) * (index - before)) / (after - before);
}

function choose(values: readonly Value[], length: number, expression: string): Value {
  const [condition, whenTrue, whenFalse] = values;
  const isArray = values.some(({ kind }) => kind === "array");
  if (condition === undefined || whenTrue === undefined || values.length > 3 || isArray) {
    throw new MetricMathError(
      `IF in ${JSON.stringify(expression)} takes a condition, a value and possibly a second, none of them an array.`,
    );
  }
  const at = (value: Value | undefined, index: number): number | undefined => {
    if (value === undefined || value.kind === "array") return undefined;
    return value.kind === "scalar" ? value.value : value.points[index];
  };
  const points = Array.from({ length }, (_, index) => {
    const holds = at(condition, index);
    if (holds === undefined) return undefined;
    if (holds === 0) return at(whenFalse, index);
    // A condition over time makes a missing value 0; a number chooses the series as it is.
    return at(whenTrue, index) ?? (condition.kind === "series" ? 0 : undefined);
  });
  return { kind: "series", points };
}
