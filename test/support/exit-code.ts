import { UserError } from "../../contract/user-error";

/** Exit code of a command as the executable reports it; messages of user errors go to `errors`. */
export async function exitCodeOf(command: () => Promise<number>, errors: string[] = []): Promise<number> {
  try {
    return await command();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    errors.push(`✖ ${error.message}\n`);
    return error.exitCode;
  }
}
