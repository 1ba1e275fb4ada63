import { checkArguments } from "./check-types";
import type { Duration } from "./units";

const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS_OF_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** One of the five fields of a cron expression: its range and the names of its values. */
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

/** Time at which something is repeated: see {@link cron} and {@link every}. */
export interface Schedule {
  /** Expression for EventBridge and Application Auto Scaling: `cron(0 3 * * ? *)`, `rate(5 minutes)`. */
  readonly expression: string;
  /** Five-field cron expression for EC2 Auto Scaling: `0 3 * * *`; undefined for {@link every}. */
  readonly recurrence: string | undefined;
  /** IANA time zone of the expression, with daylight saving time. */
  readonly timezone: string;
}

/**
 * Creates a schedule from cron's five fields: minute, hour, day of the month, month, day of the week.
 *
 * @param expression `0 3 * * *` is 3 a.m. every day, `*\/10 8-18 * * MON-FRI` every ten minutes of working days
 * @param options.timezone `Europe/Berlin`. Default: "UTC"
 * @throws RangeError when a field or the time zone is not valid
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function cron(expression: string, options: { readonly timezone?: string } = {}): Schedule {
  checkArguments("cron", { expression, options });
  const refuse = (why: string) => new RangeError(`cron(${JSON.stringify(expression)}): ${why}`);
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) {
    throw refuse(`must have five fields (minute, hour, day of the month, month, day of the week), got ${parts.length}`);
  }
  const [minute, hour, dayOfMonth, month, dayOfWeek] = parts.map((part, index) => {
    const field = FIELDS[index] as Field;
    const translated = part
      .split(",")
      .map((item) => translate(item, field))
      .join(",");
    if (translated.includes("!")) {
      throw refuse(
        `the ${field.name} must be ${field.min} to ${field.max}, *, or a combination of these with commas, - and /, got ${JSON.stringify(part)}`,
      );
    }
    return translated;
  });
  // AWS requires exactly one of the two day fields to be "?".
  if (dayOfMonth !== "*" && dayOfWeek !== "*") {
    throw refuse("must not set both a day of the month and a day of the week; use * for one of them");
  }
  // A schedule that never comes.
  if (dayOfMonth !== "*" && firstDay(dayOfMonth as string) > longest(month as string)) {
    throw refuse(`no ${month} has a day ${dayOfMonth}`);
  }
  const days = dayOfWeek === "*" ? [dayOfMonth, month, "?"] : ["?", month, dayOfWeek];
  return {
    expression: `cron(${[minute, hour, ...days, "*"].join(" ")})`,
    recurrence: parts.map((part, index) => openRanges(part.toUpperCase(), FIELDS[index] as Field)).join(" "),
    timezone: checkedTimezone(options.timezone ?? "UTC"),
  };
}

/**
 * Creates a schedule that repeats at an interval.
 *
 * @param interval whole minutes, at least one
 * @throws RangeError when the interval is not in whole minutes
 */
export function every(interval: Duration): Schedule {
  checkArguments("every", { interval });
  const minutes = interval.toMinutes();
  if (!Number.isInteger(minutes) || minutes < 1) {
    throw new RangeError(`every(${interval}): must be a whole number of minutes, at least one`);
  }
  return { expression: `rate(${minutes} minute${minutes === 1 ? "" : "s"})`, recurrence: undefined, timezone: "UTC" };
}

/** First of the days of a translated field. */
const firstDay = (days: string) => Math.min(...days.split(",").map((item) => Number.parseInt(item, 10)));

/** Number of days of the longest of the months of a translated field. */
function longest(months: string): number {
  const lengths = months.split(",").flatMap((item) => {
    const [range = "", step] = item.split("/");
    const [from = "", to] = range.split("-");
    const first = Math.max(MONTHS.indexOf(from), 0);
    const last = to === undefined ? (step === undefined && from !== "*" ? first : 11) : MONTHS.indexOf(to);
    return DAYS_OF_MONTHS.filter((_, at) => at >= first && at <= last && (at - first) % Number(step ?? 1) === 0);
  });
  return Math.max(...lengths);
}

/** Translates one item of a field for AWS; `!` when the item is not valid. */
function translate(item: string, field: Field): string {
  const match = /^(\*|[0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?(?:\/(\d+))?$/.exec(item);
  if (match === null) return "!";
  const [, from = "", to, step] = match;
  if (step !== undefined && (Number(step) < 1 || Number(step) > field.max)) return "!";
  if (from === "*") {
    if (to !== undefined || (step !== undefined && field.name === "day of the week")) return "!";
    return step === undefined ? "*" : `${field.min}/${step}`;
  }
  const { words = [] } = field;
  const first = words.indexOf(from.toUpperCase());
  // Sunday ends a range as the seventh day.
  const last = words.lastIndexOf((to ?? from).toUpperCase());
  if (Number(first < 0 ? from : first) > Number(last < 0 ? (to ?? from) : last)) return "!";
  const range = [from, to].filter((end) => end !== undefined).map((end) => one(end, field));
  // Cron counts the days of the week from 0 and AWS from 1, so days are always written as names.
  return range.join("-") + (step === undefined ? "" : `/${step}`);
}

/** Rewrites `5/20`, which only AWS supports, as cron's `5-59/20`. */
function openRanges(part: string, { max, words }: Field): string {
  return part.replace(/(^|,)([0-9A-Z]+)\/(\d+)/g, (_, before: string, from: string, step: string) => {
    const start = words?.includes(from) ? words.indexOf(from) : from;
    return `${before}${start}-${max}/${step}`;
  });
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
    throw new RangeError(`timezone must be an IANA name such as "Europe/Berlin", got ${JSON.stringify(timezone)}`);
  }
}
