import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { createClient } from "@redis/client";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createAuthorize } from "../src/auth";
import { type ClientOptions, openClient } from "../src/backing/client";
import { openPostgres } from "../src/backing/postgres";
import { openCache } from "../src/backing/valkey";
import { loadConfig } from "../src/config";
import { createLog } from "../src/log";
import { testApp, validRequest } from "./support/app";
import { needs } from "./support/reachable";
import { environment } from "./support/service";

const config = loadConfig({ ...environment, ...process.env });
function logOf() {
  const lines: string[] = [];
  return { lines, log: createLog("info", { name: "under-test", version: "0" }, { write: (line) => lines.push(line) }) };
}

async function callee(answer: RequestListener, options: Partial<ClientOptions> = {}) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = { url, timeoutMs: 2000, retryBudgetPercent: 0, breakerFailurePercent: 100, ...options };
  return { url, client: openClient("callee", settings, logOf().log) };
}

describe("a call", () => {
  const unavailable = { name: "Problem", status: 503 };

  it("does not follow a redirect to another host", async () => {
    const paths: (string | undefined)[] = [];
    const other = await callee(({ url }, response) => {
      paths.push(url);
      response.end();
    });
    const { client } = await callee((_, response) => response.writeHead(307, { location: `${other.url}/steal` }).end());
    const answer = await client.request("/");
    expect([answer.status, answer.headers.get("location"), paths]).toEqual([307, `${other.url}/steal`, []]);
  });

  it("ends after its timeout when the response freezes", async () => {
    const { client } = await callee((_, response) => void response.write("{"), { timeoutMs: 100 });
    await expect(client.request("/").then((answer) => answer.text())).rejects.toMatchObject(unavailable);
  });

  it("ends when the response does not", async () => {
    const { client } = await callee(
      (_, response) => {
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(2 ** 20)));
        };
        response.on("drain", more);
        more();
      },
      { timeoutMs: 20_000 },
    );
    await expect(client.request("/").then((answer) => answer.text())).rejects.toMatchObject(unavailable);
  });

  it.each([
    [200, "x"],
    [204, ""],
    [304, ""],
    [404, "{}"],
  ])("returns %i with its body", async (status, body) => {
    const { client } = await callee((_, response) => response.writeHead(status, { "x-a": "b" }).end(body));
    const answer = await client.request("/");
    expect([answer.status, answer.headers.get("x-a"), await answer.text()]).toEqual([status, "b", body]);
  });
});

describe("an issuer that is a website", () => {
  it.each(["<html>", "null", "{}"])("is reported in words when it answers %s", async (text) => {
    const { url } = await callee((_, response) => response.end(text));
    const { lines, log } = logOf();
    const { app } = testApp({ authorize: createAuthorize({ issuer: url, audience: "under-test", log }) });
    const token = `${Buffer.from('{"alg":"ES256"}').toString("base64url")}.e30.c2ln`;
    const valid = await app.inject({ ...validRequest("createQuote"), headers: { authorization: `Bearer ${token}` } });
    expect(valid.statusCode).toBe(503);
    expect(lines.join()).toContain(`AUTH_ISSUER: ${url}/.well-known/openid-configuration is not a discovery document`);
  });
});

describe("a transaction that its session leaves open", () => {
  needs(config.PGHOST, config.PGPORT, "docker compose up -d postgres");

  it("rolls back, and the next session starts without it", async () => {
    const postgres = await openPostgres({ ...config, PG_POOL_MAX: 1 }, logOf().log);
    onTestFinished(() => postgres.close());
    const open = postgres.session(async (client) => {
      await client.query("begin");
      await client.query("create table left_open (id int)");
      throw new Error("work failed");
    });
    await expect(open).rejects.toThrow("work failed");
    expect(await postgres.query("select to_regclass('left_open') as found")).toEqual([{ found: null }]);
  });
});

describe("a database whose connections are all busy", () => {
  needs(config.PGHOST, config.PGPORT, "docker compose up -d postgres");

  it("is not down, and the reason is in the error", async () => {
    const { lines, log } = logOf();
    const postgres = await openPostgres({ ...config, PG_POOL_MAX: 1 }, log);
    onTestFinished(() => postgres.close());
    const [, late] = await Promise.allSettled([postgres.query("select pg_sleep(3.5)"), postgres.query("select 1")]);
    expect(late).toMatchObject({ reason: { status: 503, cause: { message: expect.stringContaining("timeout") } } });
    expect(lines).toEqual([]);
  });
});

describe("a primary of the cache that has become a replica", () => {
  it("is connected to again after five seconds, and not for each command", async () => {
    let connections = 0;
    const replies: Record<string, string> = { GET: "$-1\r\n", SET: "-READONLY You can't write against a replica.\r\n" };
    const server = createTcpServer((socket) => {
      connections += 1;
      socket.on("data", (data) => {
        for (const [, name = ""] of String(data).matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g))
          socket.write(replies[name] ?? "+OK\r\n");
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { lines, log } = logOf();
    const cache = openCache({ ...config, REDIS_URL: url }, log);
    onTestFinished(async () => {
      await cache.close();
      server.close();
    });
    const refused = () => lines.filter((line) => line.includes("READONLY")).length;
    await expect.poll(() => cache.remember("key", 60, async () => 1).then(refused)).toBe(1);
    expect([await cache.remember("key", 60, async () => 2), connections]).toEqual([2, 1]);
    const later = Date.now() + 6000;
    vi.spyOn(Date, "now").mockReturnValue(later);
    await cache.remember("key", 60, async () => 3);
    await expect.poll(() => connections).toBe(2);
    await expect.poll(() => cache.remember("key", 60, async () => 4).then(() => connections)).toBe(2);
    vi.restoreAllMocks();
  });
});

describe("a cache that refuses a command", () => {
  const { hostname, port } = new URL(config.REDIS_URL);
  needs(hostname, Number(port), "docker compose up -d valkey");

  it("is up again with the next one that it accepts", async () => {
    const { lines, log } = logOf();
    const direct = createClient({ url: config.REDIS_URL });
    const cache = openCache(config, log);
    onTestFinished(async () => {
      direct.destroy();
      await cache.close();
    });
    await direct.connect();
    await direct.del(["attacks:list", "attacks:text"]);
    await direct.lPush("attacks:list", "a");
    await expect
      .poll(() => cache.remember("attacks:text", 60, async () => 1).then(() => direct.exists("attacks:text")))
      .toBe(1);
    expect(await cache.remember("attacks:list", 60, async () => 2)).toBe(2);
    await direct.del("attacks:text");
    expect(await cache.remember("attacks:text", 60, async () => 3)).toBe(3);
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      "backing service is down",
      "backing service is up again",
    ]);
  });
});
