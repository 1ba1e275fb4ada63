import { connect } from "node:net";
import { beforeEach } from "vitest";

/**
 * Declares that the tests of this file or `describe` need a backing service. Without it they are skipped; in CI they
 * fail instead, because a skipped test would look like one that passed.
 *
 * @param start command that starts the backing service
 */
export function needs(host: string, port: number, start: string): void {
  beforeEach(async ({ skip }) => {
    if (await reachable(host, port)) return;
    const text = `nothing listens on ${host}:${port}; start it: ${start}`;
    if (process.env.CI) throw new Error(text);
    skip(text);
  });
}

function reachable(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => settle(true)).on("error", () => settle(false));
  });
}
