import { placeholderText } from "../../contract/placeholders";

/**
 * Stands in for a value that no default can be computed for: an account, a domain, who owns a repository. Whatever needs it
 * is refused at synth, by name; `antifragile doctor` lists all of them.
 *
 * @param what what it is, in words: `the 12 digits of production's AWS account`
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
  return placeholderText(what);
}

export { type Placeholder, placeholdersIn } from "../../contract/placeholders";
