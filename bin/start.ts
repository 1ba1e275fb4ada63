import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../contract/user-error";
import type { Context } from "../generator/context";
import { environmentsIn } from "../operations/synthesized";

/** Prints the status of all environments of a folder. */
type Status = (context: Pick<Context, "args" | "cwd" | "print">) => Promise<number>;

const printStatus: Status = async (context) => (await import("../operations/status-command")).runStatus(context);

/**
 * Start without a command: `new` in an empty folder; status and the next sensible commands in a generated repository.
 *
 * @param status replaced by tests. Default: that of the account of the credentials
 * @returns the exit code; undefined in any other folder, and without a terminal to ask on
 */
export async function start(context: Context, status = printStatus): Promise<number | undefined> {
  const { cwd, print, stdinIsTerminal, stdoutIsTerminal } = context;
  if (existsSync(join(cwd, "infra", "main.ts"))) {
    const environments = environmentsIn(join(cwd, "infra", "cdktf.out"));
    if (environments.length > 0) await showStatus(context, status);
    print(nextCommands(environments, existsSync(join(cwd, "scripts", "image.ts"))));
    return 0;
  }
  if (!stdinIsTerminal || !stdoutIsTerminal || readdirSync(cwd).length > 0) return undefined;
  return (await import("../generator/new")).runNew(context);
}

/** Without credentials or network, the next commands are still of use. */
async function showStatus({ cwd, print }: Context, status: Status): Promise<void> {
  try {
    await status({ args: [], cwd, print });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    print(`status is not available: ${error.message}\n`);
  }
  print("\n");
}

function nextCommands(environments: readonly string[], hasImage: boolean): string {
  const [environment = "dev"] = environments;
  const rows = [
    ["status", "the services that run, with release, tasks and alarms"],
    ["doctor", "what is missing before a deployment"],
    [`deploy ${environment}`, "apply the infrastructure, after a plan that you confirm"],
    ...(hasImage ? [[`ship ${environment}`, "build, push and release the files as they are"] as const] : []),
    [`releases ${environment}`, "releases, and which config is not live"],
    [`logs ${environment}`, "what the services have logged"],
    [`show ${environment}`, "URL, variables, secrets by name, roles and alarms of the services"],
    ["upgrade", "take over what a newer version of antifragile generates"],
    ["help", "all commands"],
  ] as const;
  const width = Math.max(...rows.map(([command]) => command.length));
  const known = environments.length === 0 ? "not synthesized yet" : environments.join(", ");
  return [
    `Environments: ${known}`,
    "",
    ...rows.map(([command, purpose]) => `  antifragile ${command.padEnd(width)}  ${purpose}`),
    "",
  ].join("\n");
}
