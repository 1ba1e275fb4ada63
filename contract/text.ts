/**
 * Escapes control characters, bidirectional marks and line separators, so that a text from outside cannot move the cursor or
 * forge a line in a terminal or a log.
 */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Log line of another program, safe for a terminal: {@link visible}, with tabs as spaces. */
export function logLine(line: string): string {
  return visible(line.replaceAll("\t", "    "));
}

/** Escapes a text for XML. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Quotes a refused value for a message: {@link visible}, and at most 80 characters. */
export function quoted(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value !== "string") return value !== null && typeof value === "object" ? "an object" : String(value);
  return `"${visible(value.length > 80 ? `${value.slice(0, 77)}...` : value)}"`;
}

/** Damerau-Levenshtein distance: number of characters to change, add, remove or swap with their neighbor. */
function distance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let best = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      }
      row.push(best);
    }
    rows.push(row);
  }
  return rows[from.length]![to.length]!;
}

/** The most similar word, or undefined if none is similar. */
function nearest(word: string, words: Iterable<string>): string | undefined {
  let found: string | undefined;
  let least = Math.max(1, Math.floor(Math.min(word.length, 40) / 3)) + 1;
  for (const candidate of words) {
    // An abbreviation is similar, however much it leaves out.
    const steps = word.length > 1 && candidate.startsWith(word) ? 1 : distance(word.slice(0, 40), candidate);
    if (steps < least) {
      least = steps;
      found = candidate;
    }
  }
  return found;
}

/** `; did you mean --name?`, or an empty text if no known word is similar. */
export function didYouMean(word: string, words: Iterable<string>, prefix = ""): string {
  const found = nearest(word, words);
  return found === undefined ? "" : `; did you mean ${prefix}${found}?`;
}

/** A number with its noun: `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Wraps a text at word ends, each line with the indent and a newline. A longer word has a line of its own. */
export function wrap(text: string, columns: number, indent = ""): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && indent.length + last.length + 1 + word.length <= columns)
      lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `${indent}${line}\n`).join("");
}

/** Time to the second: `2026-01-01T10:00:00Z`. */
export function timestamp(time: Date | string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "an unknown time" : date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** `5 s`, `4 min 10 s`. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
