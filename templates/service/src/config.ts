import { configDeclaration } from "./config-declaration";

/** One variable of the declaration. */
export interface Variable {
  readonly type: "string" | "integer" | "url" | "choice";
  readonly description: string;
  readonly values?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: string;
  readonly optional?: true;
  readonly unless?: readonly string[];
  readonly local?: string;
  readonly secret?: true;
}

type Value<V> = V extends { values: readonly (infer Choice)[] }
  ? Choice
  : V extends { type: "integer" }
    ? number
    : string;

/** The checked environment. Keys are the names of the variables. */
export type Config = {
  readonly [Name in keyof typeof configDeclaration]: (typeof configDeclaration)[Name] extends
    | { optional: true }
    | { unless: readonly string[] }
    ? Value<(typeof configDeclaration)[Name]> | undefined
    : Value<(typeof configDeclaration)[Name]>;
};

/** The environment does not match the declaration. Names every variable at fault and never shows a value. */
export class ConfigError extends Error {
  /** Exit code EX_CONFIG of `sysexits.h`. */
  static readonly exitCode = 78;

  constructor(readonly problems: readonly string[]) {
    super(`the environment does not match src/config-declaration.ts: ${problems.join("; ")}`);
    this.name = "ConfigError";
  }
}

/**
 * Checks an environment against the declaration.
 *
 * @throws ConfigError with all problems at once
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const config: Record<string, string | number | undefined> = {};

  for (const [name, variable] of Object.entries<Variable>(configDeclaration)) {
    // In Compose files and shells, an empty value means "not set".
    const text = env[name] || variable.default;
    if (text === undefined) {
      const { unless = [] } = variable;
      if (!variable.optional && !unless.some((other) => env[other])) {
        problems.push(`${[name, ...unless].join(" or ")} must be set (${variable.description})`);
      }
      continue;
    }
    const problem = check(variable, text);
    if (problem) problems.push(`${name} ${problem}`);
    else config[name] = variable.type === "integer" ? Number(text) : text;
  }
  if (Number(config.SHUTDOWN_SECONDS) <= Number(config.DRAIN_SECONDS)) {
    problems.push("SHUTDOWN_SECONDS must be greater than DRAIN_SECONDS, or requests are cut off");
  }

  if (problems.length > 0) throw new ConfigError(problems);
  return config as Config;
}

function check(variable: Variable, text: string): string | undefined {
  switch (variable.type) {
    case "choice":
      return variable.values?.includes(text) ? undefined : `must be one of ${variable.values?.join(", ")}`;
    case "integer": {
      const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = variable;
      const fits = /^\d{1,15}$/.test(text) && Number(text) >= minimum && Number(text) <= maximum;
      return fits ? undefined : `must be a whole number from ${minimum} to ${maximum}`;
    }
    case "url": {
      if (!URL.canParse(text)) return "must be a URL";
      const { username, password } = new URL(text);
      return username || password ? "must not contain a user or password" : undefined;
    }
    case "string":
      return undefined;
  }
}
