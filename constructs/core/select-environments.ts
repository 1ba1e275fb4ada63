import { type Placeholder, placeholdersIn } from "../../contract/placeholders";
import { didYouMean } from "../../contract/text";
import type { Environment } from "./environment";
import { InvalidPropsError } from "./errors";

/** Environments to synthesize, and those that are skipped. */
export interface SelectedEnvironments<E extends Environment> {
  readonly selected: readonly E[];
  /** One sentence for each environment that was skipped because values are missing. */
  readonly skipped: readonly string[];
}

/**
 * Selects the environments to synthesize: the one with the given name, or all without placeholders.
 *
 * @param file file that defines the environments, for messages
 * @throws InvalidPropsError ENVIRONMENT_UNKNOWN for an unknown name, and an error for each {@link placeholder} of an
 * environment selected by name
 *
 * @example
 * ```ts
 * const environments: Environment[] = [
 *   { name: "dev", region: "eu-central-1", profile: "dev" },
 *   { name: "production", region: "eu-central-1", profile: "production", account: placeholder("its AWS account") },
 * ];
 * const { selected, skipped } = selectEnvironments(environments, undefined, "infra/environments.ts");
 * for (const sentence of skipped) console.error(sentence);
 * for (const environment of selected) new Platform(app, "shop", { environment });
 * ```
 */
export function selectEnvironments<E extends Environment>(
  environments: readonly E[],
  name: string | undefined,
  file: string,
): SelectedEnvironments<E> {
  const named = name === undefined ? environments : environments.filter((each) => each.name === name);
  if (named.length === 0) {
    const names = environments.map((each) => each.name);
    const problem = `has no environment ${JSON.stringify(name)}${didYouMean(name ?? "", names)}`;
    throw new InvalidPropsError(file, [
      {
        code: "ENVIRONMENT_UNKNOWN",
        prop: "environments",
        problem,
        remedy: `Name one of: ${names.join(", ") || "none"}.`,
      },
    ]);
  }
  const open = (environment: E) => placeholdersIn(environment, environment.name);
  if (name !== undefined) refuseUnknown(file, named.flatMap(open));
  return {
    selected: named.filter((environment) => open(environment).length === 0),
    skipped: named
      .filter((environment) => open(environment).length > 0)
      .map((environment) => {
        const paths = open(environment).map(({ path }) => path);
        return `environment ${environment.name} is left out: ${file} lacks ${paths.join(", ")}`;
      }),
  };
}

function refuseUnknown(file: string, unknown: readonly Placeholder[]): void {
  if (unknown.length === 0) return;
  const problems = unknown.map(({ path, what }) => ({
    code: "ENVIRONMENT_UNKNOWN",
    prop: path,
    problem: "is not filled in",
    remedy: `Fill in ${what}.`,
  }));
  throw new InvalidPropsError(file, problems);
}
