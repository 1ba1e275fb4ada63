/**
 * What the process answers to its caller: 0 done, 1 a step failed or an unforeseen fault, 2 bad usage or answers,
 * 3 the folder holds something else, 130 cancelled.
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

/** Several problems of one kind, told all at once. */
export function badUsage(problems: readonly string[], remedy: string): UserError {
  return new UserError([...problems, "", remedy].join("\n"), 2);
}

/** The user asked to stop. */
export function cancelled(left: string): UserError {
  return new UserError(`cancelled: ${left}`, 130);
}
