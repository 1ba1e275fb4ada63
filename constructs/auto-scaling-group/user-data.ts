import { readFileSync } from "node:fs";
import { checkArguments } from "../core/check-types";
import { lineText, literal, shellText } from "../core/literal";

/** Maximum size of user data, before encoding. */
export const USER_DATA_BYTES = 16_384;

/** Script that an instance runs as root at its first boot: see {@link UserData.file} and {@link UserData.script}. */
export class UserData {
  /**
   * Loads a shell script from a file, so that you can lint and run it on its own.
   *
   * @param options.variables exported before the script starts; no secrets, since everyone who may describe the instance can
   * read them
   * @throws Error when the file cannot be read
   */
  static file(path: string, options: { readonly variables?: Readonly<Record<string, string>> } = {}): UserData {
    checkArguments("UserData.file", { path, options });
    return new UserData(readFileSync(path, "utf8"), options.variables ?? {});
  }

  /** Uses a shell script given as text. */
  static script(script: string, options: { readonly variables?: Readonly<Record<string, string>> } = {}): UserData {
    checkArguments("UserData.script", { script, options });
    return new UserData(script, options.variables ?? {});
  }

  private constructor(
    readonly script: string,
    readonly variables: Readonly<Record<string, string>>,
  ) {}
}

/** Settings of the ECS agent, which it reads when an instance joins a cluster. */
export type AgentSettings = Readonly<Record<string, string>>;

/**
 * Renders the complete user data: agent settings, variables and the user's script, unchanged.
 *
 * @param agent values may contain tokens; the user's texts are passed on literally
 */
export function renderUserData(userData: UserData | undefined, agent: AgentSettings): string | undefined {
  const settings = Object.entries(agent).map(([name, value]) => `${name}=${lineText(value)}`);
  if (userData === undefined && settings.length === 0) return undefined;
  const script = (userData?.script ?? "").replaceAll("\r\n", "\n");
  const [, shebang = "#!/bin/bash\n", rest = ""] = /^(#![^\n]*\n)?([\s\S]*)$/.exec(script) ?? [];
  const variables = Object.entries(userData?.variables ?? {}).map(
    ([name, value]) => `export ${name}=${shellText(literal(value))}\n`,
  );
  return [
    literal(shebang),
    ...(settings.length === 0 ? [] : [`cat >> /etc/ecs/ecs.config <<'SETTINGS'\n${settings.join("\n")}\nSETTINGS\n`]),
    ...variables,
    literal(rest),
  ].join("");
}
