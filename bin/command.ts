import type { CommandSpec } from "../contract/command-line";
import type { Context } from "../generator/context";

/** Code of a command with its command line, from which the completion of shells is made. */
type Run = ((context: Context) => Promise<number>) & { readonly spec: Pick<CommandSpec, "operands" | "flags"> };

/** Command: its line in the help, and its code, which is loaded when the command is called. */
export interface Command {
  readonly summary: string;
  /** The output is all that the command does: a disk that is full makes it fail. */
  readonly onlyPrints?: true;
  readonly load: () => Promise<Run>;
}
