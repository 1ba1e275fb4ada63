import { type Unknown, unknownIn } from "../../border/only-you-know";
import type { Environment } from "./environment";
import { InvalidPropsError } from "./errors";

/** What to synthesize, and what not. */
export interface ChosenEnvironments<E extends Environment> {
  readonly chosen: readonly E[];
  /** A sentence for each environment that was left out although nobody said so. */
  readonly leftOut: readonly string[];
}

/**
 * Chooses the environments to synthesize: the one of that name, or all that are filled in.
 *
 * @param file where the environments are written down, for messages
 * @throws InvalidPropsError ENVIRONMENT_UNKNOWN for a name that is not there, and for an environment by name with values that
 *   {@link onlyYouKnow}
 *
 * @example
 * ```ts
 * const environments: Environment[] = [
 *   { name: "dev", region: "eu-central-1", profile: "dev" },
 *   { name: "production", region: "eu-central-1", profile: "production", account: onlyYouKnow("its AWS account") },
 * ];
 * const { chosen, leftOut } = chooseEnvironments(environments, undefined, "infra/environments.ts");
 * for (const sentence of leftOut) console.error(sentence);
 * for (const environment of chosen) new Platform(app, "shop", { environment });
 * ```
 */
export function chooseEnvironments<E extends Environment>(
  environments: readonly E[],
  name: string | undefined,
  file: string,
): ChosenEnvironments<E> {
  const named = name === undefined ? environments : environments.filter((each) => each.name === name);
  if (named.length === 0) {
    const names = environments.map((each) => each.name).join(", ") || "none";
    const problem = `has no environment ${JSON.stringify(name)}`;
    throw new InvalidPropsError(file, [
      { code: "ENVIRONMENT_UNKNOWN", prop: "environments", problem, remedy: `Name one of: ${names}.` },
    ]);
  }
  const open = (environment: E) => unknownIn(environment, environment.name);
  if (name !== undefined) refuseUnknown(file, named.flatMap(open));
  return {
    chosen: named.filter((environment) => open(environment).length === 0),
    leftOut: named
      .filter((environment) => open(environment).length > 0)
      .map((environment) => {
        const paths = open(environment).map(({ path }) => path);
        return `environment ${environment.name} is left out: ${file} lacks ${paths.join(", ")}`;
      }),
  };
}

function refuseUnknown(file: string, unknown: readonly Unknown[]): void {
  if (unknown.length === 0) return;
  const problems = unknown.map(({ path, what }) => ({
    code: "ENVIRONMENT_UNKNOWN",
    prop: path,
    problem: "is not filled in",
    remedy: `Say what only you know: ${what}.`,
  }));
  throw new InvalidPropsError(file, problems);
}
