import { type ChildProcess, spawn } from "node:child_process";

/** Kills a process group when standard input ends, as it does when the process at its other end is killed, too. */
const UNTIL_INPUT_ENDS = 'read -r _; kill -s KILL -- "-$1"';

/**
 * Ends a child with this process, however it ends, and all that the child has started with the child, as in a container. The
 * child leads a process group: `detached`.
 */
export function endWithParent(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const guard = spawn("sh", ["-c", UNTIL_INPUT_ENDS, "sh", String(child.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    // Ctrl-C at a terminal must not end it before the child.
    detached: true,
  });
  // It must not keep this process alive.
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();
  for (const each of [guard, guard.stdin]) each.on("error", () => undefined);
  child.once("exit", () => guard.stdin.end());
}
