import { type CommandContext, defineCommand, type Flag } from "../contract/command-line";
import { didYouMean, quoted } from "../contract/text";
import { badUsage, type ExitCode } from "../contract/user-error";
import type { Command } from "./command";

/** Command as a completion script offers it. */
interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly (readonly [name: string, flag: Flag])[];
}

const SHELLS: Readonly<Record<string, (all: readonly Completed[]) => string>> = { bash, zsh, fish };

/** The command `antifragile completion`, for a table of commands. */
export const completionOf = (commands: Readonly<Record<string, Command>>) =>
  defineCommand(
    {
      name: "completion",
      operands: ["<shell>"],
      description:
        'Prints a script that completes commands and flags in bash, zsh or fish. For bash: eval "$(antifragile completion bash)" in ~/.bashrc; for zsh: the same with zsh in ~/.zshrc, after compinit; for fish: antifragile completion fish > ~/.config/fish/completions/antifragile.fish',
      flags: {},
    },
    async (line, { print }: CommandContext): Promise<ExitCode> => {
      const shell = line.operands[0] as string;
      const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
      if (script === undefined) {
        const names = Object.keys(SHELLS);
        throw badUsage([`shell ${quoted(shell)}: must be one of ${names.join(", ")}${didYouMean(shell, names)}`], HINT);
      }
      const all = Object.entries(commands).map(async ([name, { summary, load }]) => {
        const { flags } = (await load()).spec;
        return {
          name,
          summary,
          flags: Object.entries<Flag>({ ...flags, help: { short: "h", help: "show the help" } }),
        };
      });
      print(script(await Promise.all(all)));
      return 0;
    },
  );

const HINT = "antifragile completion --help explains it.";

const single = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function bash(all: readonly Completed[]): string {
  const names = all.map(({ name }) => name).join(" ");
  return `_antifragile() {
  local words=""
  if [ "$COMP_CWORD" -eq 1 ] || [ "\${COMP_WORDS[1]}" = help ]; then
    words="${names} help"
  else
    case "\${COMP_WORDS[1]}" in
${all.map(({ name, flags }) => `      ${name}) words="${flags.map(([flag]) => `--${flag}`).join(" ")}" ;;`).join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _antifragile antifragile
`;
}

function zsh(all: readonly Completed[]): string {
  const entry = (name: string, text: string) => single(`${name}:${text}`);
  const describe = (entries: readonly string[], indent: string) => entries.map((each) => `${indent}${each}`).join("\n");
  return `#compdef antifragile
_antifragile() {
  local -a entries
  if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then
    entries=(
${describe(
  all.map(({ name, summary }) => entry(name, summary)),
  "      ",
)}
    )
    _describe command entries
    return
  fi
  case $words[2] in
${all
  .map(
    ({ name, flags }) => `    ${name}) entries=(
${describe(
  flags.map(([flag, { help }]) => entry(`--${flag}`, help)),
  "      ",
)}
    ) ;;`,
  )
  .join("\n")}
  esac
  _describe -o flag entries || _files
}
compdef _antifragile antifragile
`;
}

function fish(all: readonly Completed[]): string {
  // In quotes of fish, a backslash escapes a quote and itself.
  const text = (value: string) => `'${value.replace(/[\\']/g, "\\$&")}'`;
  const lines = all.flatMap(({ name, summary, flags }) => [
    `complete -c antifragile -n __fish_use_subcommand -f -a ${name} -d ${text(summary)}`,
    ...flags.map(([flag, { short, value, help }]) =>
      [
        `complete -c antifragile -n '__fish_seen_subcommand_from ${name}' -l ${flag}`,
        ...(short === undefined ? [] : [`-s ${short}`]),
        ...(value === undefined ? [] : ["-r"]),
        `-d ${text(help)}`,
      ].join(" "),
    ),
  ]);
  return `${lines.join("\n")}\n`;
}
