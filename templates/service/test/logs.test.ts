import { describe, expect, it } from "vitest";
import { createLog } from "../src/log";
import { validRequest } from "./support/app";
import { start, startWeb } from "./support/service";

describe("the event stream", () => {
  it("has one JSON line for each event, with time, level, service and request id", async () => {
    const service = await startWeb();
    await fetch(`${service.url}/v1/nothing`, { headers: { "x-request-id": "mine" } });
    const line = await service.logged(({ request_id, msg }) => request_id === "mine" && msg === "request");
    expect(line).toMatchObject({ method: "GET", status: 404, service: "under-test" });
    service.process.kill("SIGTERM");
    await service.exit;
    for (const text of service.lines) {
      const { time, level, msg } = JSON.parse(text);
      expect({ time: new Date(time).toISOString(), level, msg }).toEqual({ time, level, msg: expect.any(String) });
    }
  });

  it("contains no data from callers: no header, no query, no body", async () => {
    const service = await startWeb();
    const { payload } = validRequest("createQuote");
    const body = JSON.stringify({ ...(payload as object), password: "canary" });
    const headers = { "content-type": "application/json", cookie: "canary", "x-api-key": "canary" };
    const given = { ...headers, authorization: "Bearer canary" };
    const url = `${service.url}/v1/quotes?token=canary`;
    await fetch(url, { method: "POST", body, headers: given });
    await fetch(url, { method: "POST", body, headers: { ...headers, ...service.headers, "x-request-id": "last" } });
    await service.logged(({ request_id, msg }) => request_id === "last" && msg === "request");
    expect(service.lines.join("\n")).not.toContain("canary");
  });

  const deep = (inner: object) => ({ a: [{ b: { c: { d: inner } } }] });
  it.each([
    ["at the top", { password: "canary" }],
    [
      "of a header",
      { request: { headers: { Authorization: "canary", "set-cookie": ["canary"], "X-API-Key": "canary" } } },
    ],
    ["at any depth", deep({ refresh_token: "canary" })],
    ["that are no text", { secret: { value: "canary", parts: ["canary"] } }],
    ["of an error", { err: Object.assign(new Error("refused"), { config: { clientSecret: 'can\\"ary' } }) }],
  ])("redacts secrets that handlers log: those %s", (_place, fields) => {
    const lines: string[] = [];
    const log = createLog("info", { name: "under-test", version: "0" }, { write: (line) => void lines.push(line) });
    log.info({ ...fields, kept: 1 }, 'the "token": is kept');
    expect(lines.join("")).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(lines[0]!)).toMatchObject({ level: "info", kept: 1, msg: 'the "token": is kept' });
    expect(lines[0]).toContain("[redacted]");
    expect(lines[0]).not.toMatch(/can.*ary/);
  });

  it.each(["exceptions", "rejections"])("contains unhandled %s as JSON, once", async (kind) => {
    const service = start("../test/support/crash.ts", { CRASH: kind });
    expect(await service.exit).toBe(1);
    const fatal = service.lines.map((line) => JSON.parse(line)).filter(({ level }) => level === "fatal");
    expect(fatal).toMatchObject([{ err: { message: expect.stringContaining("canary") } }]);
    expect(fatal[0].err.stack).toContain("crash.ts");
  });

  it("contains Node.js warnings as JSON, and no other text", async () => {
    const service = start("../test/support/crash.ts", { CRASH: "warning" }, "pipe");
    const beside: string[] = [];
    service.process.stderr?.on("data", (data) => beside.push(String(data)));
    expect(await service.exit).toBe(0);
    expect(service.lines.join("\n")).toContain("canary: warned");
    expect(beside).toEqual([]);
  });
});
