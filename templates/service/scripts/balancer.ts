import { Agent, createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

/** A load balancer in front of some instances, as small as it can be. It never sends a request twice. */
export interface Balancer {
  readonly url: string;
  /** The instances that get requests now. */
  healthy(): readonly string[];
  close(): Promise<void>;
}

/**
 * Starts a balancer on a free port: round robin over the instances whose `/readyz` answers 200, asked every `probeMs`.
 * One bad answer takes an instance out, one good one takes it in.
 *
 * @param onChange told when an instance goes out or comes in
 */
export async function startBalancer(
  instances: readonly string[],
  { probeMs = 100, onChange = (_instance: string, _healthy: boolean) => {} } = {},
): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true });
  const healthy = new Set<string>();
  let turn = 0;

  const probe = async (instance: string) => {
    const answer = await fetch(`${instance}/readyz`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
    await answer?.body?.cancel();
    if (healthy.has(instance) === Boolean(answer?.ok)) return;
    if (answer?.ok) healthy.add(instance);
    else healthy.delete(instance);
    onChange(instance, healthy.has(instance));
  };
  const probeAll = () => Promise.all(instances.map(probe));

  const server = createServer((incoming, outgoing) => {
    const targets = [...healthy];
    const target = targets[turn++ % targets.length];
    const fail = (status: number) => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(status).end());
    if (!target) return void fail(503);
    const { method, headers, url } = incoming;
    const onward = request(new URL(url ?? "/", target), { method, headers, agent }, (answer: IncomingMessage) => {
      // Whether the connection stays, is between this balancer and each of its two sides.
      const { connection: _, "keep-alive": __, ...kept } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, kept);
      answer.on("error", () => outgoing.destroy()).pipe(outgoing);
    });
    onward.on("error", () => fail(502));
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });

  await probeAll();
  const timer = setInterval(probeAll, probeMs);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    healthy: () => [...healthy],
    async close() {
      clearInterval(timer);
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
