/**
 * Exit code: 0 done, 1 a step failed or an internal error, 2 invalid usage or answers, 3 the folder contains other files,
 * 130 canceled.
 */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

/** Error with a message for the user: the place, the value, what is allowed and what to do. */
export class UserError extends Error {
  override readonly name = "UserError";

  constructor(
    message: string,
    readonly exitCode: ExitCode,
  ) {
    super(message);
  }
}

/** Reports several usage problems at once. */
export function badUsage(problems: readonly string[], remedy: string): UserError {
  return new UserError([...problems, "", remedy].join("\n"), 2);
}

/** Reports that the user canceled the command. */
export function cancelled(left: string): UserError {
  return new UserError(`canceled: ${left}`, 130);
}
