import { placeholderText } from "../../contract/placeholders";
import { checkArguments } from "./check-types";

/**
 * Marks a value that has no possible default: an account id, a domain, the owner of a repository. Synth refuses every use of
 * it by name, and `antifragile doctor` lists all of them.
 *
 * @param what description of the value: `the 12 digits of production's AWS account`
 *
 * @example
 * ```ts
 * const production: Environment = {
 *   name: "production",
 *   region: "eu-central-1",
 *   profile: "production",
 *   account: placeholder("the 12 digits of its AWS account"),
 * };
 * ```
 */
export function placeholder(what: string): string {
  checkArguments("placeholder", { what });
  return placeholderText(what);
}

export { type Placeholder, placeholdersIn } from "../../contract/placeholders";
