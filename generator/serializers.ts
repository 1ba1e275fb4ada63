/**
 * The only ways in which a value gets into a template. Each writes a value so that the language of the file reads back
 * exactly that value, whatever it holds. A missing value is an error, never an empty text.
 */

function given(value: unknown): string | number | boolean {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  throw new Error(
    `a template uses a value that is ${value === null ? "null" : typeof value}; the manifest row or {{#if}} must exclude it`,
  );
}

/** Escapes that JSON, TypeScript and double-quoted YAML share. */
function jsonText(value: unknown): string {
  return JSON.stringify(given(value)).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function serviceName(value: unknown): string {
  const name = String(given(value));
  if (/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) return name;
  throw new Error(`a template wants the name of a service, got ${JSON.stringify(name)}`);
}

export const serializers = {
  /** A literal of JSON, JavaScript or TypeScript, quotes included. */
  json: jsonText,

  /** A scalar of YAML, quotes included. */
  yaml: jsonText,

  /** One word of a POSIX shell, quotes included. */
  sh: (value: unknown): string => `'${String(given(value)).replaceAll("'", "'\\''")}'`,

  /** Text of a Markdown line. */
  md: (value: unknown): string =>
    String(given(value))
      .replace(/\s+/g, " ")
      .replace(/[\\`*_[\]<>&|~]/g, "\\$&")
      .replace(/^([#+=-])/, "\\$1")
      .replace(/^(\d+)([.)])/, "$1\\$2"),

  /** A bare word for a place without quotes (a tag, a key, a file name); refuses whatever would need quotes. */
  word: (value: unknown): string => {
    const word = String(given(value));
    if (/^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(word)) return word;
    throw new Error(`a template wants a bare word, got ${JSON.stringify(word)}; use a serializer with quotes`);
  },

  /** Name of an environment variable made of a service name: `stock-keeper` gives `STOCK_KEEPER`. */
  variable: (value: unknown): string => serviceName(value).toUpperCase().replaceAll("-", "_"),

  /**
   * Id of a construct made of a service name, quotes included: `stock-keeper` gives `"StockKeeper"`, which it is called
   * after; with "Worker" as well `"StockKeeperWorker"`.
   */
  construct: (value: unknown, role?: unknown): string => {
    const name = serviceName(value);
    // Capitals cannot tell where the hyphen was before a digit, or beside a single letter.
    const id = /-\d|(^|-)[a-z](-|$)/.test(name)
      ? name
      : name.replace(/(^|-)(.)/g, (_, __, letter: string) => letter.toUpperCase());
    // Handlebars passes an object of its own behind what the template gives.
    return JSON.stringify(typeof role === "string" ? id + role : id);
  },

  /** Identifier of TypeScript made of a service name: `stock-keeper` gives `stockKeeper`. */
  identifier: (value: unknown): string =>
    serviceName(value).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
} as const;

/** `{{#if (or (eq database "postgres") job)}}`: may stand inside a block or a serializer, never alone. */
export const comparisons = {
  eq: (left: unknown, right: unknown): boolean => left === right,
  ne: (left: unknown, right: unknown): boolean => left !== right,
  // Handlebars passes an object of its own behind what the template gives.
  and: (...values: unknown[]): boolean => values.slice(0, -1).every((value) => value === true),
  or: (...values: unknown[]): boolean => values.slice(0, -1).some((value) => value === true),
} as const;
