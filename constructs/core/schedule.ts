import type { Duration } from "./units";

const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/** One of cron's five fields: what it may hold, and the words for its numbers. */
interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly words?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of the month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, words: ["", ...MONTHS] },
  { name: "day of the week", min: 0, max: 7, words: [...DAYS, "SUN"] },
];

/** When something happens again and again: see {@link cron} and {@link every}. */
export interface Schedule {
  /** As AWS writes it: `cron(0 3 * * ? *)`, `rate(5 minutes)`. */
  readonly expression: string;
  /** Name of a time zone as in the IANA database; the expression is read in it, summer time included. */
  readonly timezone: string;
}

/**
 * A schedule as cron has it: minute, hour, day of the month, month, day of the week.
 *
 * @param expression five fields: `0 3 * * *` is three in the morning of each day, `*\/10 8-18 * * MON-FRI` every ten minutes
 *   of the working day
 * @param options.timezone `Europe/Berlin`. Default: "UTC"
 * @throws RangeError what is wrong with it
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function cron(expression: string, options: { readonly timezone?: string } = {}): Schedule {
  const refuse = (why: string) => new RangeError(`cron(${JSON.stringify(expression)}): ${why}`);
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) {
    throw refuse(`has ${parts.length} fields; use five: minute, hour, day of the month, month, day of the week`);
  }
  const [minute, hour, dayOfMonth, month, dayOfWeek] = parts.map((part, index) => {
    const field = FIELDS[index] as Field;
    const translated = part
      .split(",")
      .map((item) => translate(item, field))
      .join(",");
    if (translated.includes("!")) {
      throw refuse(`${JSON.stringify(part)} is no ${field.name}; use ${field.min} to ${field.max}, * , - / and commas`);
    }
    return translated;
  });
  // AWS wants exactly one of the two days to be "?".
  if (dayOfMonth !== "*" && dayOfWeek !== "*") {
    throw refuse("names a day of the month and a day of the week; AWS takes one, let the other be *");
  }
  const days = dayOfWeek === "*" ? [dayOfMonth, month, "?"] : ["?", month, dayOfWeek];
  return {
    expression: `cron(${[minute, hour, ...days, "*"].join(" ")})`,
    timezone: checkedTimezone(options.timezone ?? "UTC"),
  };
}

/**
 * A schedule by the time between two runs.
 *
 * @param interval whole minutes, at least one
 * @throws RangeError when it is none
 */
export function every(interval: Duration): Schedule {
  const minutes = interval.toMinutes();
  if (!Number.isInteger(minutes) || minutes < 1) {
    throw new RangeError(`every(${interval}): use whole minutes, at least one`);
  }
  return { expression: `rate(${minutes} minute${minutes === 1 ? "" : "s"})`, timezone: "UTC" };
}

/** One item of a field in AWS's words; `!` when it is none. */
function translate(item: string, field: Field): string {
  const match = /^(\*|[0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?(?:\/(\d+))?$/.exec(item);
  if (match === null) return "!";
  const [, from = "", to, step] = match;
  if (step !== undefined && (Number(step) < 1 || Number(step) > field.max)) return "!";
  if (from === "*") {
    if (to !== undefined || (step !== undefined && field.name === "day of the week")) return "!";
    return step === undefined ? "*" : `${field.min}/${step}`;
  }
  const range = [from, to].filter((end) => end !== undefined).map((end) => one(end, field));
  // Cron counts days of the week from 0 and AWS from 1, so that days are always written as words.
  return range.join("-") + (step === undefined ? "" : `/${step}`);
}

function one(value: string, { min, max, words }: Field): string {
  if (/^\d+$/.test(value)) {
    const number = Number(value);
    if (number < min || number > max) return "!";
    return words?.[number] ?? String(number);
  }
  return words?.includes(value.toUpperCase()) && value !== "" ? value.toUpperCase() : "!";
}

function checkedTimezone(timezone: string): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone: timezone });
    return timezone;
  } catch {
    throw new RangeError(`timezone ${JSON.stringify(timezone)} is not known; use a name such as "Europe/Berlin"`);
  }
}
