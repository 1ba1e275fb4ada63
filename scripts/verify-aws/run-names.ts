/** Tag of every resource of a run; its value names the run. */
export const RUN_TAG = "AntifragileVerification";
export const ENVIRONMENT = "verify";
/** Stack and service of the program. */
export const SERVICE = "probe";

/** Values that differ between the runs of a program. */
export interface ProgramInputs {
  readonly run: string;
  readonly account: string;
  readonly region: string;
}

export function programVariables({ run, account, region }: ProgramInputs): Record<string, string> {
  return { VERIFY_RUN: run, VERIFY_ACCOUNT: account, VERIFY_REGION: region };
}

/** Reads what {@link programVariables} sets. */
export function programInputs(): ProgramInputs {
  const { VERIFY_RUN: run = "", VERIFY_ACCOUNT: account = "", VERIFY_REGION: region = "" } = process.env;
  return { run, account, region };
}
