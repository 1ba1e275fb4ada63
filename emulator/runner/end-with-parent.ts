import { type ChildProcess, spawn } from "node:child_process";

/** Kills a process group when standard input ends without a word, as it does when the process at its other end is killed. */
const UNLESS_RELEASED = 'read -r released || kill -s KILL -- "-$1"';

/** Ends a child and its own children with this process, however it ends. The child leads a process group: `detached`. */
export function endWithParent(child: ChildProcess): void {
  if (child.pid === undefined) return;
  const guard = spawn("sh", ["-c", UNLESS_RELEASED, "sh", String(child.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    // Ctrl-C at a terminal must not end it before the child.
    detached: true,
  });
  // It must not keep this process alive.
  guard.unref();
  (guard.stdin as unknown as { unref(): void }).unref();
  for (const each of [guard, guard.stdin]) each.on("error", () => undefined);
  child.once("exit", () => guard.stdin.end("released\n"));
}
