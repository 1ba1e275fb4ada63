import { connect } from "node:net";
import { beforeEach } from "vitest";

/**
 * Says that the tests of this file or `describe` need a backing service. Where it is not there they are skipped, and in CI they
 * fail instead: there a test that did not run would be taken for one that passed.
 *
 * @param start what to type to have it
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
