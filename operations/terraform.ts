import { spawnSync } from "node:child_process";
import { UserError } from "../contract/user-error";
import { terraformMissing } from "../contract/version";

/** Name of the Terraform program: `TERRAFORM_BINARY_NAME`, or `terraform`. */
export function terraformProgram(env: NodeJS.ProcessEnv): string {
  return env.TERRAFORM_BINARY_NAME ?? "terraform";
}

/** Command that starts Terraform. @throws UserError where it is not installed */
export function findTerraform(env: NodeJS.ProcessEnv): readonly [string] {
  const program = terraformProgram(env);
  if (spawnSync(program, ["version"], { stdio: "ignore", env }).error !== undefined) {
    throw new UserError(terraformMissing(program), 1);
  }
  return [program];
}
