import { existsSync } from "node:fs";
import { basename, delimiter, join } from "node:path";

const isOnPath = (program: string, { PATH = "" }: NodeJS.ProcessEnv): boolean =>
  PATH.split(delimiter).some((folder) => [program, `${program}.exe`].some((name) => existsSync(join(folder, name))));

/**
 * Name of the Terraform program: `TERRAFORM_BINARY_NAME`; without it `terraform`, or `tofu` (OpenTofu) where only that is on
 * the PATH.
 */
export function terraformProgram(env: NodeJS.ProcessEnv): string {
  const tofu = !isOnPath("terraform", env) && isOnPath("tofu", env);
  return env.TERRAFORM_BINARY_NAME ?? (tofu ? "tofu" : "terraform");
}

/** Reports whether a program is OpenTofu. */
export function isTofu(program: string): boolean {
  return /^tofu\b/.test(basename(program));
}
