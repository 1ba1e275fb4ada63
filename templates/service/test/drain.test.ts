import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { startBalancer } from "../scripts/balancer";
import { startWeb } from "./support/service";

const CLIENTS = 16;

/** Sends a request whose body takes a while; gives the status, or undefined when the connection was lost. */
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

it("loses no request when one of two instances goes away under load", async () => {
  const first = await startWeb({ DRAIN_SECONDS: "2" });
  const second = await startWeb({ DRAIN_SECONDS: "2", ...first.env });
  // Asked once a second: the signal comes halfway between two questions, and the drain outlives the next one.
  const balancer = await startBalancer([first.url, second.url], { probeMs: 1000 });
  const agent = new Agent({ keepAlive: true });
  onTestFinished(async () => {
    agent.destroy();
    await balancer.close();
  });

  const statuses = new Map<number | undefined, number>();
  let running = true;
  const headers = { ...first.headers, "content-type": "application/json" };
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (running) {
      const status = await send(balancer.url, headers, agent);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  await sleep(500);
  first.process.kill("SIGTERM");
  expect(await first.exit).toBe(0);
  await sleep(500);
  running = false;
  await Promise.all(clients);

  // 400: read whole, and refused by the contract, without anything that the service is attached to.
  expect([...statuses.keys()]).toEqual([400]);
  expect(statuses.get(400)).toBeGreaterThan(5 * CLIENTS);
  expect(balancer.healthy()).toEqual([second.url]);
});
