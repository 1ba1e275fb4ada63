import { parseArgs } from "node:util";
import { kebab } from "../contract/names";
import { didYouMean, quoted } from "../contract/text";
import type { OptionTable, Row } from "./option-table";

/** Flag for one run. Unlike an option, it does not change the files of the repository. */
interface Switch {
  readonly short?: string;
  /** Placeholder of the value. A switch without one takes no value. */
  readonly value?: string;
  readonly help: string;
}

export const switches = {
  answers: { value: "FILE", help: "Read answers from a JSON file, or from stdin with -." },
  preset: { value: "api|worker|minimal|platform", help: "Start from the answers of a preset." },
  yes: { short: "y", help: "Accept the defaults without asking." },
  "dry-run": { help: "List the files without writing them." },
  json: { help: "Print the answers, files and steps as JSON, and never ask." },
  "no-install": { help: "Do not install dependencies or record the infrastructure snapshot." },
  "no-git": { help: "Do not create a git repository and its first commit." },
  interactive: { help: "Ask even if stdin or stdout is not a terminal." },
  "no-interactive": { help: "Never ask. Default without a terminal, with --yes, and if CI is set." },
  help: { short: "h", help: "Show this help." },
} as const satisfies Readonly<Record<string, Switch>>;

export type SwitchName = keyof typeof switches;

/** Parsed command line. */
export interface CommandLine {
  readonly operands: readonly string[];
  /** Switches of the command line. `answers` and `preset` have their values, the others have "". */
  readonly switches: ReadonlyMap<SwitchName, string>;
  /** Raw answers by key of the option table. */
  readonly answers: ReadonlyMap<string, unknown>;
  readonly problems: readonly string[];
}

interface Meaning {
  readonly takesValue: boolean;
  readonly allows: string;
  readonly set: (value: string) => void;
}

function placeholder(row: Row): string {
  if (row.kind === "choice") return Object.keys(row.values).join("|");
  return row.kind === "text" ? "TEXT" : "";
}

/** Flags of a row: `--instance-type TEXT`, `--database none|postgres`, `--chaos` and `--no-chaos`. */
export function flagOf(key: string, row: Row): string {
  const name = `--${kebab(key)}`;
  return row.kind === "flag" ? `${name}, --no-${kebab(key)}` : `${name} ${placeholder(row)}`;
}

/** Parses a command line strictly and reports all problems at once. */
export function parseCommandLine(table: OptionTable, args: readonly string[]): CommandLine {
  const answers = new Map<string, unknown>();
  const given = new Map<SwitchName, string>();
  const known = new Map<string, Meaning>();
  for (const [name, { value }] of Object.entries<Switch>(switches)) {
    known.set(name, {
      takesValue: value !== undefined,
      allows: value ?? "",
      set: (text) => given.set(name as SwitchName, text),
    });
  }
  for (const [key, row] of Object.entries(table)) {
    const takesValue = row.kind !== "flag";
    known.set(kebab(key), {
      takesValue,
      allows: placeholder(row),
      set: (text) => answers.set(key, takesValue ? text : true),
    });
    if (row.kind === "flag")
      known.set(`no-${kebab(key)}`, { takesValue, allows: "", set: () => answers.set(key, false) });
  }
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      [...known].map(([name, { takesValue }]) => {
        const short = (switches as Readonly<Record<string, Switch>>)[name]?.short;
        return [name, { type: takesValue ? "string" : "boolean", ...(short === undefined ? {} : { short }) } as const];
      }),
    ),
  });

  const problems: string[] = [];
  const operands: string[] = [];
  const seen = new Set<string>();
  let unknown = false;
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const flag = token.rawName.length > 60 ? quoted(token.rawName) : quoted(token.rawName).slice(1, -1);
    const meaning = known.get(token.name);
    if (meaning === undefined) {
      unknown = true;
      problems.push(`${flag}: unknown flag${didYouMean(token.name, known.keys(), "--")}`);
    } else if (seen.has(token.name)) {
      problems.push(`${flag}: occurs twice; keep one`);
    } else if (meaning.takesValue && (token.value === undefined || (!token.inlineValue && /^-./.test(token.value)))) {
      problems.push(
        `${flag}: needs a value; use ${flag} ${meaning.allows}, or ${flag}=VALUE when the value starts with a hyphen`,
      );
    } else if (!meaning.takesValue && token.value !== undefined) {
      problems.push(`${flag}: takes no value, got ${quoted(token.value)}; use ${flag} alone`);
    } else {
      meaning.set(token.value ?? "");
    }
    seen.add(token.name);
  }
  for (const [name, meaning] of known) {
    if (seen.has(name) && seen.has(`no-${name}`) && known.has(`no-${name}`) && !meaning.takesValue) {
      problems.push(`--${name}, --no-${name}: contradict each other; keep one`);
    }
  }
  // The word after an unknown flag may be its value.
  if (operands.length > 1 && !unknown) {
    problems.push(
      `${operands.slice(1).map(quoted).join(", ")}: one folder is enough; put a text with spaces in quotes`,
    );
  }
  return { operands, switches: given, answers, problems };
}
