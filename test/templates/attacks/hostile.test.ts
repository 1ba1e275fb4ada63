import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { readContract } from "../src/contract";
import { type TestAppOptions, testApp, validRequest } from "./support/app";
import { start } from "./support/service";

const json = { "content-type": "application/json" };
const post = { method: "POST", body: JSON.stringify(validRequest("createQuote").payload), headers: json };
const headOf = (size: string) =>
  `POST /v1/quotes HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${size}\r\n\r\n`;

/** The service in this process, on a port. */
async function listening(options: TestAppOptions = {}) {
  const { app } = testApp(options);
  await app.listen({ port: 0, host: "127.0.0.1" });
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const { port } = app.server.address() as AddressInfo;
  return { app, port, url: `http://127.0.0.1:${port}` };
}

describe("pipelined requests", () => {
  it("end with their connection, also while they wait for an earlier response", async () => {
    const { app, port } = await listening({ handlers: { createQuote: () => new Promise<never>(() => {}) } });
    const socket = connect(port, "127.0.0.1");
    socket.write(`${headOf(`content-length: ${post.body.length}`)}${post.body}`.repeat(20));
    await expect.poll(() => app.openRequests()).toBe(20);
    socket.destroy();
    await expect.poll(() => app.openRequests()).toBe(0);
  });
});

describe("every error", () => {
  const close = "host: a\r\nconnection: close\r\n\r\n";
  it.each([
    [400, "no host", "GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n"],
    [400, "two hosts", `GET /livez HTTP/1.1\r\nhost: b\r\n${close}`],
    [405, "a method that an encoded path does not support", `DELETE /live%7A HTTP/1.1\r\n${close}`],
    [405, "a method that an absolute URL does not support", `DELETE http://a/livez HTTP/1.1\r\n${close}`],
    [405, "a proxy's request", `CONNECT a:443 HTTP/1.1\r\n${close}`],
    [417, "an unknown expectation", `GET /livez HTTP/1.1\r\nexpect: canary\r\n${close}`],
  ])("is problem+json: %i for %s", async (status, _, bytes) => {
    const socket = connect((await listening()).port, "127.0.0.1");
    let text = "";
    socket.on("data", (data) => {
      text += data;
    });
    socket.write(bytes);
    await once(socket, "close");
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*content-type: application/problem\\+json`, "i"));
    expect(JSON.parse(text.split("\r\n\r\n")[1]!)).toMatchObject({ type: "about:blank", status });
  });
});

describe("a handler that throws", () => {
  it.each([
    ["null", null],
    ["an error of a library", Object.assign(new Error("canary"), { statusCode: 404, code: "NOT_FOUND" })],
  ])("%s: 500 as problem+json, logged, without details", async (_, thrown) => {
    const { app, lines } = testApp({ handlers: { createQuote: () => Promise.reject(thrown) } });
    const answer = await app.inject(validRequest("createQuote"));
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    expect(answer.json()).toEqual({ type: "about:blank", title: "Internal Server Error", status: 500 });
    expect(lines.join()).toContain("request failed");
  });
});

describe("the event stream", () => {
  it("does not take the memory of the process while nothing reads it", async () => {
    const service = start("../test/flood.ts", { NODE_OPTIONS: "--max-old-space-size=100" });
    await service.logged(({ msg }) => msg === "working");
    service.process.stdout?.pause();
    expect(await once(service.process, "exit")).toEqual([0, null]);
  });
});

describe("a contract", () => {
  it.each(["a parameter", "a body"])("is refused with a schema of %s that is not JSON Schema", (place) => {
    const schema = { type: "string", minLength: -1 };
    const contract = readContract(join(__dirname, "../openapi.yaml"));
    const operation = contract.document.paths["/v1/quotes"]!.post!;
    const requestBody = { content: { "application/json": { schema } } };
    const parameters = [{ name: "filter", in: "query", schema }];
    Object.assign(operation, place === "a body" ? { requestBody } : { parameters });
    expect(() => testApp({ contract })).toThrow(/schema is invalid.*minLength/);
  });

  it.each(["/v2/{quote-id}", "/v2/quotes:search", "/v2/*"])("is refused with the path %s", (path) => {
    const contract = readContract(join(__dirname, "../openapi.yaml"));
    const { paths } = contract.document;
    Object.assign(paths, { [path]: paths["/v1/quotes"] });
    delete paths["/v1/quotes"];
    expect(() => testApp({ contract })).toThrow(`POST ${path} must have a path of`);
  });

  it("may have HEAD beside GET", async () => {
    const contract = readContract(join(__dirname, "../openapi.yaml"));
    const { post } = contract.document.paths["/v1/quotes"]!;
    const item = {
      get: { ...post!, operationId: "other", requestBody: undefined },
      head: { ...post!, requestBody: undefined },
    };
    Object.assign(contract.document, { paths: { "/v1/quotes": item } });
    const made = async () => ({ status: 201, body: undefined as never }) as never;
    expect(() => testApp({ contract, handlers: { other: made } as object })).not.toThrow("already declared");
  });
});

describe("a value that no store can hold", () => {
  it.each([
    [{ type: "string", format: "uuid" }, "urn:uuid:00000000-0000-4000-8000-000000000001"],
    [{ type: "integer", maximum: 100 }, "1e999"],
    [{ type: "integer", format: "int64" }, "9007199254740993"],
  ])("does not match %j: %s", async (schema, value) => {
    for (const part of ["query", "header"]) {
      const contract = readContract(join(__dirname, "../openapi.yaml"));
      const parameters = [{ name: "value", in: part, schema }];
      Object.assign(contract.document.paths["/v1/quotes"]!.post!, { parameters });
      const sent = part === "query" ? { url: `/v1/quotes?value=${value}` } : { headers: { value } };
      const answer = await testApp({ contract }).app.inject({ ...validRequest("createQuote"), ...sent });
      expect(answer.statusCode, part).toBe(400);
    }
  });
});

describe("a hostile request", () => {
  const worst: [string, () => string][] = [
    ["empty objects", () => `{"lines":[${"{},".repeat(349_000)}{}]}`],
    ["unknown names", () => `{${Array.from({ length: 85_000 }, (_, i) => `"k${i}":0`).join()}}`],
    ["one long name", () => `{"${"x".repeat(1_000_000)}":0}`],
    ["nesting", () => `{"lines":${"[".repeat(400_000)}${"]".repeat(400_000)}}`],
    ["numbers", () => `{"lines":[${"1,".repeat(500_000)}1]}`],
  ];

  it.each(worst)("of a megabyte of %s is 400, with a small response", async (_, body) => {
    const answer = await testApp().app.inject({ method: "POST", url: "/v1/quotes", payload: body(), headers: json });
    expect(answer.statusCode).toBe(400);
    expect(answer.body.length).toBeLessThan(10_000);
  });

  it("with many unknown parameters is 400, with a small response", async () => {
    const url = `/v1/quotes?${Array.from({ length: 3000 }, (_, i) => `k${i}`).join("&")}`;
    const answer = await testApp().app.inject({ ...validRequest("createQuote"), url });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errors).toHaveLength(20);
  });

  it("does not exhaust the memory of the smallest task, four at a time", { timeout: 60_000 }, async () => {
    // The rest of its 512 MiB is for buffers and code.
    const service = start("../test/open.ts", { NODE_OPTIONS: "--max-old-space-size=256" });
    const { port } = await service.logged(({ msg }) => msg === "listening");
    for (const [, body] of worst) {
      const requests = Array.from({ length: 4 }, () =>
        fetch(`http://127.0.0.1:${port}/v1/quotes`, { method: "POST", body: body(), headers: json }),
      );
      expect(new Set((await Promise.all(requests)).map(({ status }) => status))).toEqual(new Set([400]));
    }
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
  });

  it.each(["content-length: 1048576", "transfer-encoding: chunked"])(
    "is 503 while 64 MiB of slow bodies arrive, and the service recovers (%s)",
    async (size) => {
      const { app, port, url } = await listening();
      const slow = Array.from({ length: 64 }, () => connect(port, "127.0.0.1"));
      for (const socket of slow) socket.write(headOf(size));
      await expect.poll(() => app.openRequests()).toBe(64);
      const refused = connect(port, "127.0.0.1");
      refused.write(headOf(size));
      const [answer] = await once(refused, "data");
      expect(String(answer)).toMatch(/^HTTP\/1.1 503 [\s\S]*retry-after: 1/);
      for (const socket of slow) socket.destroy();
      await expect.poll(() => app.openRequests()).toBe(0);
      expect((await fetch(`${url}/v1/quotes`, post)).status).toBe(201);
    },
  );
});
