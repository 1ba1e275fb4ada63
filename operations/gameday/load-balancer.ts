import { Agent, createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

/** A minimal load balancer. It never sends a request twice. */
export interface LoadBalancer {
  readonly url: string;
  /** The instances that receive requests. */
  healthy(): readonly string[];
  close(): Promise<void>;
}

/**
 * Starts a load balancer on a free port: round robin over the instances whose `/readyz` returns 200, every `probeMs`. One
 * failed health check deregisters an instance, one success registers it.
 *
 * @param onChange called when an instance is registered or deregistered
 */
export async function startLoadBalancer(
  instances: readonly string[],
  { probeMs = 100, onChange = (_instance: string, _healthy: boolean) => {} } = {},
): Promise<LoadBalancer> {
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
      // Each of the two connections has its own keep-alive.
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
