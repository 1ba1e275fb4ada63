import { type Placeholder, placeholdersIn } from "../../contract/placeholders";
import type { Environment } from "./environment";
import { InvalidPropsError } from "./errors";

/** What to synthesize, and what not. */
export interface SelectedEnvironments<E extends Environment> {
  readonly selected: readonly E[];
  /** A sentence for each environment that was left out although nobody said so. */
  readonly skipped: readonly string[];
}

/**
 * Chooses the environments to synthesize: the one of that name, or all that are filled in.
 *
 * @param file where the environments are written down, for messages
 * @throws InvalidPropsError ENVIRONMENT_UNKNOWN for a name that is not there, and for an environment by name with values that
 *   {@link placeholder}
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
    const names = environments.map((each) => each.name).join(", ") || "none";
    const problem = `has no environment ${JSON.stringify(name)}`;
    throw new InvalidPropsError(file, [
      { code: "ENVIRONMENT_UNKNOWN", prop: "environments", problem, remedy: `Name one of: ${names}.` },
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
    remedy: `Say what only you know: ${what}.`,
  }));
  throw new InvalidPropsError(file, problems);
}
