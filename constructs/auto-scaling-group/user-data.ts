import { readFileSync } from "node:fs";
import { literal } from "../core/literal";

/** Most that EC2 takes, before it is encoded. */
export const USER_DATA_BYTES = 16_384;

/** What an instance does when it starts for the first time, as root: see {@link UserData.file} and {@link UserData.script}. */
export class UserData {
  /**
   * A shell script that lies beside your code, so that it can be read, checked and run by itself.
   *
   * @param options.variables exported before the script starts; no secrets, since whoever may describe the instance reads them
   * @throws Error when the file cannot be read
   */
  static file(path: string, options: { readonly variables?: Readonly<Record<string, string>> } = {}): UserData {
    return new UserData(readFileSync(path, "utf8"), options.variables ?? {});
  }

  /** A shell script. */
  static script(script: string, options: { readonly variables?: Readonly<Record<string, string>> } = {}): UserData {
    return new UserData(script, options.variables ?? {});
  }

  private constructor(
    readonly script: string,
    readonly variables: Readonly<Record<string, string>>,
  ) {}
}

/** What the agent of ECS reads when an instance joins a cluster. */
export type AgentSettings = Readonly<Record<string, string>>;

/**
 * The whole start script: the agent's settings, the variables, the user's script as it was written.
 *
 * @param agent values may be tokens; the user's texts reach the instance as they are
 */
export function renderUserData(userData: UserData | undefined, agent: AgentSettings): string | undefined {
  const settings = Object.entries(agent).map(([name, value]) => `${name}=${value}`);
  if (userData === undefined && settings.length === 0) return undefined;
  const script = (userData?.script ?? "").replaceAll("\r\n", "\n");
  const [, shebang = "#!/bin/bash\n", rest = ""] = /^(#![^\n]*\n)?([\s\S]*)$/.exec(script) ?? [];
  const variables = Object.entries(userData?.variables ?? {}).map(
    ([name, value]) => `export ${name}=${quoted(literal(value))}\n`,
  );
  return [
    shebang,
    ...(settings.length === 0 ? [] : [`cat >> /etc/ecs/ecs.config <<'SETTINGS'\n${settings.join("\n")}\nSETTINGS\n`]),
    ...variables,
    literal(rest),
  ].join("");
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", `'"'"'`)}'`;
}
