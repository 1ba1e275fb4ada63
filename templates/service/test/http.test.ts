import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { type TestAppOptions, testApp, validRequest } from "./support/app";

const json = { "content-type": "application/json" };
const post = { method: "POST", body: JSON.stringify(validRequest("createQuote").payload), headers: json };
const never = () => new Promise<never>(() => {});

/** The service in this process, on a port. */
async function listening(options: TestAppOptions = {}) {
  const { app, lines } = testApp(options);
  await app.listen({ port: 0, host: "127.0.0.1" });
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const { port } = app.server.address() as AddressInfo;
  return { app, lines, port, url: `http://127.0.0.1:${port}` };
}

/** Sends bytes and returns the response, once the server closes the connection. */
async function exchange(port: number, bytes: string): Promise<{ status: number; headers: string; body: string }> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (data) => {
    text += data;
  });
  socket.write(bytes);
  await once(socket, "close");
  const [headers = "", body = ""] = text.split("\r\n\r\n");
  return { status: Number(headers.split(" ")[1]), headers: headers.toLowerCase(), body };
}

const close = "host: a\r\nconnection: close\r\n\r\n";

describe("every error", () => {
  it.each([
    [400, "a malformed URL", `GET /%zz HTTP/1.1\r\n${close}`],
    [400, "something that is not HTTP", "hello\r\n\r\n"],
    [400, "an unknown method", `BREW / HTTP/1.1\r\n${close}`],
    [
      400,
      "conflicting lengths",
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    [404, "an unknown path", `GET /canary HTTP/1.1\r\n${close}`],
    [405, "a method that the path does not support", `DELETE /v1/quotes HTTP/1.1\r\n${close}`],
    [405, "a method that no path supports", `PROPFIND /v1/quotes HTTP/1.1\r\n${close}`],
    [431, "headers that are too large", `GET / HTTP/1.1\r\nx: ${"x".repeat(20_000)}\r\n${close}`],
  ])("is problem+json: %i for %s", async (status, _, bytes) => {
    const { port } = await listening();
    const answer = await exchange(port, bytes);
    expect(answer.status).toBe(status);
    expect(answer.headers).toContain("content-type: application/problem+json");
    expect(JSON.parse(answer.body)).toMatchObject({ type: "about:blank", status, title: expect.any(String) });
    expect(answer.body).not.toContain("canary");
  });

  it("lists the methods that the path supports", async () => {
    const { app } = testApp();
    const answer = await app.inject({ method: "DELETE", url: "/livez" });
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });
});

describe("HEAD and OPTIONS", () => {
  it("HEAD returns the headers of GET and no body", async () => {
    const { app } = testApp();
    for (const url of ["/livez", "/openapi.yaml", "/docs"]) {
      const [get, head] = [await app.inject(url), await app.inject({ method: "HEAD", url })];
      expect([head.statusCode, head.body]).toEqual([200, ""]);
      expect(head.headers["content-length"]).toBe(get.headers["content-length"]);
    }
  });

  it("OPTIONS returns the methods of a path, of the server, and 404 for an unknown path", async () => {
    const { port } = await listening();
    const options = (target: string) => exchange(port, `OPTIONS ${target} HTTP/1.1\r\n${close}`);
    expect(await options("/livez")).toMatchObject({
      status: 204,
      headers: expect.stringMatching(/\nallow: get, head, options\r/),
    });
    expect(await options("*")).toMatchObject({ status: 204 });
    expect(await options("/nowhere")).toMatchObject({ status: 404 });
  });
});

describe("the deadline of a request", () => {
  it("ends a request with a body whose handler waits forever, and aborts what it waits for", async () => {
    let aborted = false;
    const { url } = await listening({
      requestTimeoutMs: 200,
      handlers: {
        createQuote: ({ signal }) => {
          signal.addEventListener("abort", () => {
            aborted = true;
          });
          return never();
        },
      },
    });
    const answer = await fetch(`${url}/v1/quotes`, post);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(aborted).toBe(true);
  });

  it("ends a request whose body never arrives", async () => {
    const { port } = await listening({ requestTimeoutMs: 200 });
    const head = "POST /v1/quotes HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{";
    expect(await exchange(port, head)).toMatchObject({ status: 503 });
  });

  it("lets a late handler finish, without a second response", async () => {
    const { url, lines } = await listening({
      requestTimeoutMs: 100,
      handlers: { createQuote: () => sleep(200).then(() => ({ status: 201, body: {} as never })) },
    });
    expect((await fetch(`${url}/v1/quotes`, post)).status).toBe(503);
    await sleep(250);
    expect(lines.filter((line) => line.includes('"level":"error"'))).toHaveLength(1);
    expect(lines.join()).not.toContain("FST_ERR_REP_ALREADY_SENT");
  });

  it("aborts the work when the caller disconnects", async () => {
    let disconnected: (reason: unknown) => void = () => {};
    const reason = new Promise((resolve) => {
      disconnected = resolve;
    });
    const caller = new AbortController();
    const { url } = await listening({
      handlers: {
        createQuote: ({ signal }) => {
          signal.addEventListener("abort", () => disconnected(signal.reason));
          caller.abort();
          return never();
        },
      },
    });
    await expect(fetch(`${url}/v1/quotes`, { ...post, signal: caller.signal })).rejects.toThrow();
    expect(await reason).toMatchObject({ message: "the caller disconnected" });
  });
});
