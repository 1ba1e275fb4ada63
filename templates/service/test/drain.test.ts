import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { startWeb } from "./support/service";

const CLIENTS = 16;

/** Sends a request with a slow body; returns the status, or undefined if the connection was lost. */
function send(url: string, headers: Record<string, string>, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve) => {
    const outgoing = request(`${url}/v1/quotes`, { method: "POST", headers, agent }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode));
    });
    outgoing.on("error", () => resolve(undefined));
    outgoing.write("{");
    setTimeout(() => outgoing.end("}"), 100 * Math.random());
  });
}

/** Healthy instances, as seen by a load balancer with a health check every second. */
async function registered(urls: readonly string[]): Promise<() => string[]> {
  const healthy = new Set<string>();
  const check = async (url: string) => {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) healthy.add(url);
    else healthy.delete(url);
  };
  await Promise.all(urls.map(check));
  const timer = setInterval(() => urls.forEach(check), 1000);
  onTestFinished(() => clearInterval(timer));
  return () => [...healthy];
}

it("loses no request when one of two instances stops under load", async () => {
  // The drain takes longer than the interval of the health check.
  const first = await startWeb({ DRAIN_SECONDS: "2" });
  const second = await startWeb({ DRAIN_SECONDS: "2", ...first.env });
  const targets = await registered([first.url, second.url]);
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());

  const statuses = new Map<number | undefined, number>();
  let running = true;
  const headers = { ...first.headers, "content-type": "application/json" };
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let turn = client; running; turn += 1) {
      const status = await send(targets()[turn % targets().length]!, headers, agent);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  await sleep(500);
  first.process.kill("SIGTERM");
  expect(await first.exit).toBe(0);
  await sleep(500);
  running = false;
  await Promise.all(clients);

  // 400: read completely and refused by the contract, without a backing service.
  expect([...statuses.keys()]).toEqual([400]);
  expect(statuses.get(400)).toBeGreaterThan(5 * CLIENTS);
  expect(targets()).toEqual([second.url]);
});
