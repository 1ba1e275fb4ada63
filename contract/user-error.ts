/**
 * Exit codes of the command line: 0 done, 1 a step failed or an unforeseen fault, 2 bad usage or answers, 3 refused (a plan
 * that the gate rejects, drift, a folder that holds something else), 130 interrupted.
 */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

/** An error whose message is meant for the user: it names the place, the value, what is allowed and what to do. */
export class UserError extends Error {
  override readonly name = "UserError";

  constructor(
    message: string,
    readonly exitCode: ExitCode,
  ) {
    super(message);
  }
}

/** Error for wrong usage that lists every problem at once. */
export function badUsage(problems: readonly string[], remedy: string): UserError {
  return new UserError([...problems, "", remedy].join("\n"), 2);
}

/** Error for work that the user interrupted. */
export function cancelled(left: string): UserError {
  return new UserError(`canceled: ${left}`, 130);
}
