import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { listenForInterruption } from "../../contract/interruption";

/** Variable of a process that reports to the one that started it that its release has begun. */
const DETACHED = "ANTIFRAGILE_DETACHED";

/**
 * Runs a command of antifragile in a process of its own, which outlives this one and its terminal.
 *
 * @returns its exit code where it ended before a release began; 0 once one has
 */
export async function detach(args: readonly string[], print: (text: string) => void): Promise<number> {
  const log = join(mkdtempSync(join(tmpdir(), "antifragile-release-")), "release.log");
  const output = openSync(log, "a", 0o600);
  // In a session of its own, it receives no signal when the terminal ends; without the variable, it does not watch npm.
  const { npm_lifecycle_event, ...env } = process.env;
  const child = spawn(process.execPath, [process.argv[1] as string, ...args], {
    detached: true,
    windowsHide: true,
    stdio: ["ignore", output, output, "ipc"],
    env: { ...env, [DETACHED]: "1" },
  });
  closeSync(output);
  const interruption = listenForInterruption({
    onStop: () => void child.kill("SIGINT"),
    onForce: () => void child.kill("SIGINT"),
  });
  try {
    const code = await new Promise<number | undefined>((resolve, reject) => {
      child.once("message", () => resolve(undefined));
      child.once("exit", (status) => resolve(status ?? 1));
      child.once("error", reject);
    });
    print(readFileSync(log, "utf8"));
    if (code !== undefined) {
      rmSync(dirname(log), { recursive: true });
      return code;
    }
    print(
      `  continues in the background, as process ${child.pid}: kill ${child.pid} rolls it back; its output: ${log}\n`,
    );
    child.unref();
    return 0;
  } finally {
    interruption.dispose();
  }
}

/** Reports to the process that started this one, if it waits for that, that a release has begun. */
export function reportBegun(): void {
  if (process.env[DETACHED] === undefined || !process.connected) return;
  process.send?.("begun", () => process.disconnect());
}
