import { parseArgs } from "node:util";

/** What a command of operations takes from the world, so that a test can hand it another one. */
export interface Call {
  /** Words after the command's name. */
  readonly args: readonly string[];
  readonly print: (text: string) => void;
}

/** 0 done, 1 a step failed, 2 bad usage, 3 refused. */
export type Outcome = 0 | 1 | 2 | 3;

/** An error whose message is meant for the user. */
export class OperationError extends Error {
  override readonly name = "OperationError";

  constructor(
    message: string,
    readonly outcome: Outcome,
  ) {
    super(message);
  }
}

interface Flag {
  readonly multiple?: boolean;
}

/** The flags, each a list of what was given. @throws OperationError for one that is not known */
export function readFlags(
  args: readonly string[],
  flags: Readonly<Record<string, Flag>>,
  usage: string,
): { readonly flags: Readonly<Record<string, readonly string[]>>; readonly operands: readonly string[] } {
  const options = Object.fromEntries(
    Object.keys(flags).map((name) => [name, { type: "string" as const, multiple: true as const }]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    const given = values as Record<string, string[] | undefined>;
    for (const [name, { multiple }] of Object.entries(flags)) {
      const count = given[name]?.length ?? 0;
      if (count > 1 && multiple !== true) throw new Error(`--${name} is given ${count} times; give it once`);
    }
    return {
      flags: Object.fromEntries(Object.keys(flags).map((name) => [name, given[name] ?? []])),
      operands: positionals,
    };
  } catch (error) {
    throw new OperationError(`${(error as Error).message}\n${usage}`, 2);
  }
}

/** Runs a command; what it throws for the user goes to stderr. */
export async function run(
  work: () => Promise<Outcome>,
  printError: (text: string) => void = toStderr,
): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    printError(`✖ ${error.message}\n`);
    return error.outcome;
  }
}

function toStderr(text: string): void {
  process.stderr.write(text);
}
