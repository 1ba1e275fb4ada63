import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { validRequest } from "./support/app";
import { start, startWeb, type Web } from "./support/service";
import { slowRequest } from "./support/slow-request";

const busy = ({ url, headers }: Web) =>
  slowRequest(url, "/v1/quotes", validRequest("createQuote").payload as object, headers);

describe("the web process", () => {
  it("listens on PORT, on every interface", async () => {
    // The port was free a moment ago, so most likely it still is.
    const probe = createServer().listen(0);
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    probe.close();
    const service = await startWeb({ PORT: String(port) });
    const { address } = await service.logged(({ msg }) => msg === "listening");
    expect({ address, url: service.url }).toEqual({ address: "0.0.0.0", url: `http://127.0.0.1:${port}` });
    expect((await fetch(`${service.url}/livez`)).status).toBe(200);
  });

  it("is ready, and assigns an id to every request", async () => {
    const { url } = await startWeb();
    const answer = await fetch(`${url}/readyz`, { headers: { "x-request-id": "mine" } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-request-id")).toBe("mine");
  });

  it("drains on SIGTERM: not ready, still serving, then exits with 0", async () => {
    const service = await startWeb({ DRAIN_SECONDS: "1" });
    service.process.kill("SIGTERM");
    await service.logged((line) => line.msg === "stopping");
    expect((await fetch(`${service.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${service.url}/livez`)).status).toBe(200);
    expect((await fetch(`${service.url}/openapi.yaml`)).status).toBe(200);
    expect(await service.exit).toBe(0);
    await expect(fetch(`${service.url}/livez`)).rejects.toThrow();
  });

  it("finishes a request that arrived before SIGTERM", async () => {
    const service = await startWeb();
    const { promise, finish } = await busy(service);
    service.process.kill("SIGTERM");
    await service.logged((line) => line.msg === "stopping");
    await sleep(200);
    finish();
    // 503 if a backing service is down: the request was served anyway.
    expect(await promise).toMatch(/^HTTP\/1\.1 (201|503) /);
    expect(await service.exit).toBe(0);
  });

  it("answers a stuck request in time, and exits with 0", async () => {
    const service = await startWeb({ SHUTDOWN_SECONDS: "2" });
    const { promise } = await busy(service);
    service.process.kill("SIGTERM");
    expect(await promise).toMatch(/^HTTP\/1\.1 503 /);
    expect(await service.exit).toBe(0);
  });

  it.each([
    ["is silent", ""],
    ["sends half of its headers", "POST /v1/quotes HTTP/1.1\r\nhost: a\r\n"],
    [
      "sent a request that was refused, without its body",
      "POST /v1/none HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n",
    ],
  ])("exits with 0 while a connection %s", async (_, bytes) => {
    const service = await startWeb();
    const socket = connect(Number(new URL(service.url).port), "127.0.0.1").on("error", () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    socket.write(bytes);
    // A response on a later connection means that the server has accepted this one.
    await fetch(`${service.url}/livez`);
    service.process.kill("SIGTERM");
    expect(await service.exit).toBe(0);
  });

  it("exits with 0 after its log pipe was closed", async () => {
    const service = await startWeb();
    service.process.stdout?.destroy();
    expect((await fetch(`${service.url}/v1/nothing`)).status).toBe(404);
    service.process.kill("SIGTERM");
    expect(await Promise.race([once(service.process, "exit"), sleep(9000, "still there")])).toEqual([0, null]);
  });

  it("exits with 0 if its log pipe was closed before its last lines", async () => {
    const service = start("../test/support/crash.ts", { CRASH: "lines" });
    await service.logged(({ msg }) => msg === "working");
    service.process.stdout?.destroy();
    expect(await Promise.race([once(service.process, "exit"), sleep(9000, "still there")])).toEqual([0, null]);
  });

  it("exits with 1 after SHUTDOWN_SECONDS if it cannot stop", async () => {
    const service = start("../test/support/crash.ts", { CRASH: "never ends", SHUTDOWN_SECONDS: "1" });
    await service.logged(({ msg }) => msg === "working");
    service.process.kill("SIGTERM");
    expect(await Promise.race([service.exit, sleep(5000, "still there")])).toBe(1);
    expect(JSON.parse(service.lines.at(-1)!)).toMatchObject({ level: "fatal", msg: "not stopped in SHUTDOWN_SECONDS" });
  });

  it("exits with 1 and one line if its port is in use", async () => {
    const { url } = await startWeb();
    const second = start("main.ts", { PORT: new URL(url).port });
    expect(await second.exit).toBe(1);
    const fatal = second.lines.map((line) => JSON.parse(line)).filter(({ level }) => level === "fatal");
    expect(fatal).toMatchObject([{ err: { code: "EADDRINUSE" } }]);
  });
});
