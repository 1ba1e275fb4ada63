import { parseArgs } from "node:util";
import { didYouMean, quoted } from "./text";
import { badUsage } from "./user-error";

/** Flag of a command. */
export interface Flag {
  readonly short?: string;
  /** Name of the value that follows, `REGION`; a flag without one is a plain switch. */
  readonly value?: string;
  /** Allows the flag to be given several times. */
  readonly multiple?: boolean;
  readonly help: string;
}

export type FlagTable = Readonly<Record<string, Flag>>;

/** Command line of one command: the source of its help and of its checks. */
export interface CommandSpec<F extends FlagTable = FlagTable> {
  /** `release`. */
  readonly name: string;
  /** Operands in order, `<environment>`; in brackets where it may be left out, `[environment]`. */
  readonly operands: readonly string[];
  /** Words after `--` that are passed on, `[-- argument...]`. */
  readonly rest?: string;
  /** Purpose of the command, and its exit codes beyond 0 done, 1 failed, 2 wrong usage. */
  readonly description: string;
  readonly flags: F;
}

/** Parsed command line. */
export interface CommandLine<F extends FlagTable = FlagTable> {
  readonly operands: readonly string[];
  /** Words after `--`. */
  readonly rest: readonly string[];
  has(flag: keyof F | "help"): boolean;
  /** Value of a flag; undefined where it was not given. */
  value(flag: keyof F): string | undefined;
  /** All values of a flag that may be given several times. */
  values(flag: keyof F): readonly string[];
}

/** Environment of a command, provided by the process that runs it; tests pass their own. */
export interface CommandContext {
  /** Words after the command's name. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly print: (text: string) => void;
}

const HELP: Flag = { short: "h", help: "show this help" };
const HELP_WIDTH = 100;

/** Words of a command line, with every problem found at once. */
export interface ReadFlags {
  readonly operands: readonly string[];
  readonly rest: readonly string[];
  /** Values by flag, in order; an empty text for a switch. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly problems: readonly string[];
  /** True after an unknown flag: the next word may be its value or an operand. */
  readonly ambiguous: boolean;
}

/** Reads flags and operands. `--x` and `--no-x`, where both exist, exclude each other. */
export function readFlags(flags: FlagTable, args: readonly string[], restAllowed = false): ReadFlags {
  const end = args.indexOf("--");
  const own = restAllowed && end >= 0 ? args.slice(0, end) : args;
  const { tokens } = parseArgs({
    args: [...own],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(flags).map(([name, { value, short }]) => [
        name,
        { type: value === undefined ? "boolean" : "string", ...(short === undefined ? {} : { short }) } as const,
      ]),
    ),
  });
  const problems: string[] = [];
  const operands: string[] = [];
  const given = new Map<string, string[]>();
  let ambiguous = false;
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const shown = token.rawName.length > 60 ? quoted(token.rawName) : quoted(token.rawName).slice(1, -1);
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined;
    const values = given.get(token.name);
    if (flag === undefined) {
      ambiguous = true;
      problems.push(`${shown}: unknown flag${didYouMean(token.name, Object.keys(flags), "--")}`);
    } else if (values !== undefined && flag.multiple !== true) {
      problems.push(`${shown}: occurs twice; keep one`);
    } else if (
      flag.value !== undefined &&
      (token.value === undefined || (!token.inlineValue && /^-./.test(token.value)))
    ) {
      const form = `${shown} ${flag.value}`;
      problems.push(`${shown}: needs a value; use ${form}, or ${shown}=VALUE when the value starts with a hyphen`);
    } else if (flag.value === undefined && token.value !== undefined) {
      problems.push(`${shown}: takes no value, got ${quoted(token.value)}; use ${shown} alone`);
    }
    given.set(token.name, [...(values ?? []), token.value ?? ""]);
  }
  for (const name of Object.keys(flags)) {
    if (given.has(name) && given.has(`no-${name}`) && flags[name]?.value === undefined) {
      problems.push(`--${name}, --no-${name}: contradict each other; keep one`);
    }
  }
  return { operands, rest: own === args ? [] : args.slice(end + 1), given, problems, ambiguous };
}

/** Parses a command line. @throws UserError that lists all problems */
export function parseCommandLine<F extends FlagTable>(spec: CommandSpec<F>, args: readonly string[]): CommandLine<F> {
  const read = readFlags({ ...spec.flags, help: HELP }, args, spec.rest !== undefined);
  const { operands, given, ambiguous } = read;
  const problems = [...read.problems];
  if (!given.has("help") && !ambiguous) {
    const missing = spec.operands.filter((name, index) => name.startsWith("<") && operands[index] === undefined);
    if (missing.length > 0) problems.push(`${missing.join(" ")}: is missing`);
    const extra = operands.slice(spec.operands.length);
    if (extra.length > 0) problems.push(`${extra.map(quoted).join(", ")}: not expected here`);
  }
  if (problems.length > 0) {
    throw badUsage(problems, `Usage: ${usage(spec)}\nantifragile ${spec.name} --help explains it.`);
  }
  return {
    operands,
    rest: read.rest,
    has: (flag) => given.has(flag as string),
    value: (flag) => given.get(flag as string)?.[0],
    values: (flag) => given.get(flag as string) ?? [],
  };
}

function usage<F extends FlagTable>({ name, operands, flags, rest }: CommandSpec<F>): string {
  const parts = Object.entries<Flag>(flags).map(
    ([flag, { value, multiple }]) =>
      `[--${flag}${value === undefined ? "" : ` ${value}`}]${multiple === true ? "..." : ""}`,
  );
  return ["antifragile", name, ...operands, ...parts, ...(rest === undefined ? [] : [rest])].join(" ");
}

/** Text of `antifragile <command> --help`. */
export function helpText<F extends FlagTable>(spec: CommandSpec<F>): string {
  const rows = Object.entries<Flag>({ ...spec.flags, help: HELP }).map(([name, { short, value, help }]) => {
    const left = `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
    return [left, help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  const indent = " ".repeat(width + 4);
  return [
    ...wrap(`Usage: ${usage(spec)}`, HELP_WIDTH, "         "),
    "",
    ...spec.description.split("\n").flatMap((paragraph) => wrap(paragraph, HELP_WIDTH)),
    "",
    ...rows.flatMap(([left, help]) => wrap(`  ${left.padEnd(width)}  ${help}`, HELP_WIDTH, indent)),
    "",
  ].join("\n");
}

/** Breaks a line between words; brackets and their content stay together. */
function wrap(text: string, width: number, indent = ""): string[] {
  const words = text.match(/\s*(?:\[[^\]]*\](?:\.\.\.)?|\S+)/g) ?? [""];
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line !== "" && line.length + word.length > width) {
      lines.push(line);
      line = `${indent}${word.trimStart()}`;
    } else line += word;
  }
  return [...lines, line];
}

/** Makes a command from its command line: prints the help, refuses wrong usage, then does the work. */
export function defineCommand<F extends FlagTable, C extends CommandContext, R extends number = number>(
  spec: CommandSpec<F>,
  work: (line: CommandLine<F>, context: C) => Promise<R>,
): ((context: C) => Promise<R | 0>) & { readonly spec: CommandSpec<F> } {
  const run = async (context: C) => {
    const line = parseCommandLine(spec, context.args);
    if (!line.has("help")) return work(line, context);
    context.print(helpText(spec));
    return 0 as const;
  };
  return Object.assign(run, { spec });
}
