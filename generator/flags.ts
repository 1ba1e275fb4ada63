import { type Flag, type FlagTable, readFlags } from "../contract/command-line";
import { kebab } from "../contract/names";
import { quoted } from "../contract/text";
import type { OptionTable, Row } from "./option-table";

/** Flags for one run. Unlike options, they do not change the files of the repository. */
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
} as const satisfies FlagTable;

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

function placeholder(row: Row): string {
  if (row.kind === "choice") return Object.keys(row.values).join("|");
  return row.kind === "text" ? "TEXT" : "";
}

/** Flags of a row: `--instance-type TEXT`, `--database none|postgres`, `--chaos` and `--no-chaos`. */
export function flagOf(key: string, row: Row): string {
  const name = `--${kebab(key)}`;
  return row.kind === "flag" ? `${name}, --no-${kebab(key)}` : `${name} ${placeholder(row)}`;
}

/** Flags of `new`: its switches, and those of each row of the option table. */
export function flagsOf(table: OptionTable): FlagTable {
  const flags: Record<string, Flag> = { ...switches };
  for (const [key, row] of Object.entries(table)) {
    const { help } = row;
    flags[kebab(key)] = row.kind === "flag" ? { help } : { help, value: placeholder(row) };
    if (row.kind === "flag") flags[`no-${kebab(key)}`] = { help };
  }
  return flags;
}

/** Parses a command line strictly and reports all problems at once. */
export function parseCommandLine(table: OptionTable, args: readonly string[]): CommandLine {
  const read = readFlags(flagsOf(table), args);
  const given = new Map<SwitchName, string>();
  for (const [name, [value = ""]] of read.given) {
    if (Object.hasOwn(switches, name)) given.set(name as SwitchName, value);
  }
  const answers = new Map<string, unknown>();
  for (const [key, row] of Object.entries(table)) {
    const [value] = read.given.get(kebab(key)) ?? [];
    if (value !== undefined) answers.set(key, row.kind === "flag" ? true : value);
    if (row.kind === "flag" && read.given.has(`no-${kebab(key)}`)) answers.set(key, false);
  }
  const { operands, ambiguous } = read;
  const problems = [...read.problems];
  if (operands.length > 1 && !ambiguous) {
    problems.push(
      `${operands.slice(1).map(quoted).join(", ")}: one folder is enough; put a text with spaces in quotes`,
    );
  }
  return { operands, switches: given, answers, problems };
}
