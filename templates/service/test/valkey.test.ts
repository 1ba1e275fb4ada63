import { randomUUID } from "node:crypto";
import { type AddressInfo, createServer } from "node:net";
import { createClient } from "@redis/client";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { developerEnvironment } from "../scripts/environment";
import { type Cache, openCache } from "../src/backing/valkey";
import { loadConfig } from "../src/config";
import { createLog } from "../src/log";
import { startCollector } from "./support/collector";
import { startProxy } from "./support/proxy";
import { needs } from "./support/reachable";
import { environment, startWeb } from "./support/service";

const { REDIS_URL = "" } = developerEnvironment();
const { hostname, port } = new URL(REDIS_URL);

function instance(url: string, env: Record<string, string> = {}) {
  const lines: string[] = [];
  const log = createLog("info", { name: "under-test", version: "0" }, { write: (line) => void lines.push(line) });
  const cache = openCache(loadConfig({ ...environment, REDIS_URL: url, ...env }), log);
  onTestFinished(() => cache.close());
  return { cache, lines };
}

/** Waits for the connection, which is made in the background. */
async function connected(cache: Cache): Promise<void> {
  const key = `test:${randomUUID()}`;
  let last: string | undefined;
  await expect
    .poll(async () => {
      const before = last;
      last = await cache.remember(key, 60, async () => randomUUID());
      return last === before;
    })
    .toBe(true);
}

describe("a cache that is up", () => {
  needs(hostname, Number(port || 6379), "docker compose up -d valkey");

  it("is shared: one instance returns what another has cached", async () => {
    const [first, second] = [instance(REDIS_URL).cache, instance(REDIS_URL).cache];
    const key = `test:${randomUUID()}`;
    await Promise.all([connected(first), connected(second)]);
    expect(await first.remember(key, 60, async () => "made by the first")).toBe("made by the first");
    expect(await second.remember(key, 60, async () => "made by the second")).toBe("made by the first");
  });

  it("replaces a value of another release", async () => {
    const { cache } = instance(REDIS_URL);
    await connected(cache);
    const key = `test:${randomUUID()}`;
    const isText = (held: unknown) => typeof held === "string";
    await cache.remember(key, 60, async () => ({ other: "shape" }));
    expect(await cache.remember(key, 60, async () => "made", isText)).toBe("made");
    expect(await cache.remember(key, 60, async () => "made again", isText)).toBe("made");
  });

  it("replaces a value that is not JSON", async () => {
    const { cache } = instance(REDIS_URL);
    await connected(cache);
    const key = `test:${randomUUID()}`;
    const other = createClient({ url: REDIS_URL });
    await other.connect();
    await other.set(key, "not json", { expiration: { type: "EX", value: 60 } });
    other.destroy();
    expect(await cache.remember(key, 60, async () => "made")).toBe("made");
    expect(await cache.remember(key, 60, async () => "made again")).toBe("made");
  });

  it("costs half a second when it freezes, nothing after that, and is used again when it is up again", async () => {
    const proxy = await startProxy({ host: hostname, port: Number(port || 6379) });
    const { cache, lines } = instance(`redis://127.0.0.1:${proxy.port}`);
    await connected(cache);
    const timed = async () => {
      const start = performance.now();
      expect(await cache.remember(`test:${randomUUID()}`, 60, async () => "made")).toBe("made");
      return performance.now() - start;
    };
    proxy.freeze("later");
    const [first, second] = [await timed(), await timed()];
    // Less than twice the limit: get and set do not both wait.
    expect(first).toBeGreaterThan(400);
    expect(first).toBeLessThan(950);
    expect(second).toBeLessThan(400);
    expect(lines.filter((line) => line.includes("backing service is down"))).toHaveLength(1);
    proxy.thaw();
    await expect.poll(() => timed().then(() => lines.join()), { timeout: 15_000 }).toContain("is up again");
  });
});

describe("a cache with IAM authentication", () => {
  it("receives a token as the password, signed with the credentials of the task", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "none");
    onTestFinished(() => void vi.unstubAllEnvs());
    const sent = new Promise<string>((resolve) => {
      const server = createServer((socket) => {
        socket.on("error", () => {}).once("data", (data) => resolve(String(data)));
      }).listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo;
        instance(`redis://127.0.0.1:${port}`, {
          REDIS_USERNAME: "orders",
          REDIS_IAM_ARN: "arn:aws:elasticache:eu-central-1:000000000000:replicationgroup:orders-dev-cache",
        });
      });
      onTestFinished(() => void server.close());
    });
    const token = /^orders-dev-cache\/\?\S+$/m.exec(await sent)![0];
    expect(Object.fromEntries(new URL(`https://${token}`).searchParams)).toMatchObject({
      Action: "connect",
      User: "orders",
      "X-Amz-Credential": expect.stringMatching(/^AKIDEXAMPLE\/\d{8}\/eu-central-1\/elasticache\/aws4_request$/),
      "X-Amz-Expires": "900",
      "X-Amz-Signature": expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });
});

describe("a cache that is frozen from the start", () => {
  it("costs speed, not the response, and does not delay the exit", async () => {
    const proxy = await startProxy();
    const service = await startWeb({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
    service.process.kill("SIGTERM");
    expect(await service.exit).toBe(0);
    const { cache } = instance(`redis://127.0.0.1:${proxy.port}`);
    expect(await cache.remember("key", 60, async () => "made")).toBe("made");
  });
});

describe("a cache that is down", () => {
  it("costs speed, not the response, and is logged once", async () => {
    const { cache, lines } = instance("redis://127.0.0.1:1");
    expect(await cache.remember("key", 60, async () => "made")).toBe("made");
    expect(await cache.remember("key", 60, async () => "made again")).toBe("made again");
    await expect.poll(() => lines.filter((line) => line.includes("backing service is down"))).toHaveLength(1);
  });

  it("does not affect readiness", async () => {
    const collector = await startCollector();
    const service = await startWeb({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    await service.logged(({ backing, msg }) => backing === "cache" && msg === "backing service is down");
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    service.process.kill("SIGTERM");
    expect(await service.exit).toBe(0);
    expect(collector.values("backing.up", "cache")).toContain(0);
  });
});
