import { randomUUID } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { developerEnvironment } from "../scripts/environment";
import { type Cache, openCache } from "../src/backing/valkey";
import { loadConfig } from "../src/config";
import { createLog } from "../src/log";
import { startCollector } from "./support/collector";
import { needs } from "./support/reachable";
import { environment, startWeb } from "./support/service";

const { REDIS_URL = "" } = developerEnvironment();
const { hostname, port } = new URL(REDIS_URL);

function instance(url: string) {
  const lines: string[] = [];
  const log = createLog("info", { name: "under-test", version: "0" }, { write: (line) => void lines.push(line) });
  const cache = openCache(loadConfig({ ...environment, REDIS_URL: url }), log);
  onTestFinished(() => cache.close());
  return { cache, lines };
}

/** Connecting goes on in the background; until then everything is made anew. */
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

describe("a cache that is there", () => {
  needs(hostname, Number(port || 6379), "docker compose up -d valkey");

  it("is shared: what one instance made, another remembers", async () => {
    const [first, second] = [instance(REDIS_URL).cache, instance(REDIS_URL).cache];
    const key = `test:${randomUUID()}`;
    await Promise.all([connected(first), connected(second)]);
    expect(await first.remember(key, 60, async () => "made by the first")).toBe("made by the first");
    expect(await second.remember(key, 60, async () => "made by the second")).toBe("made by the first");
  });
});

describe("a cache that is not there", () => {
  it("costs speed, not the answer, and is told once", async () => {
    const { cache, lines } = instance("redis://127.0.0.1:1");
    expect(await cache.remember("key", 60, async () => "made")).toBe("made");
    expect(await cache.remember("key", 60, async () => "made again")).toBe("made again");
    expect(lines.filter((line) => line.includes("backing service is down"))).toHaveLength(1);
  });

  it("is no reason to replace the instance", async () => {
    const collector = await startCollector();
    const service = await startWeb({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    await service.logged(({ backing, msg }) => backing === "cache" && msg === "backing service is down");
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    service.process.kill("SIGTERM");
    expect(await service.exit).toBe(0);
    expect(collector.values("backing.up", "cache")).toContain(0);
  });
});
