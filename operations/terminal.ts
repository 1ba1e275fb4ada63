import { createInterface } from "node:readline/promises";
import { cancelled, UserError } from "../contract/user-error";

/**
 * Refuses work that will ask a question, before it begins, where no terminal is attached.
 *
 * @param question words after "ask": `whether to apply a plan`
 * @throws UserError that names the flag to pass instead
 */
export function requireTerminal(question: string): void {
  if (process.stdin.isTTY) return;
  throw new UserError(
    `the command needs a terminal to ask ${question}: pass --auto-approve where no terminal is attached`,
    2,
  );
}

/**
 * Asks on the terminal. A terminal that ends, Ctrl-C and Ctrl-D cancel.
 *
 * @param options.left state in which a cancellation leaves everything
 */
export async function askOnTerminal(
  question: string,
  { interrupted, left }: { readonly interrupted: AbortSignal; readonly left: string },
): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const ended = new Promise<never>((_, reject) => {
    const cancel = () => reject(cancelled(left));
    terminal.once("close", cancel);
    interrupted.addEventListener("abort", cancel, { once: true });
  });
  try {
    return (await Promise.race([terminal.question(question), ended])).trim();
  } finally {
    terminal.close();
  }
}
