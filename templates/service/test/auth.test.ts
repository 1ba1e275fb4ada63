import { createHmac, generateKeyPairSync } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Issuer, startIssuer } from "../scripts/issuer";
import { type AuthOptions, createAuthorize } from "../src/auth";
import { readContract } from "../src/contract";
import { createLog } from "../src/log";
import { testApp, validRequest } from "./support/app";

const AUDIENCE = "under-test";
const ALL = "quotes:read quotes:write";
const OPEN = ["/livez", "/readyz", "/openapi.yaml", "/docs"];

const operations = Object.values(readContract(`${__dirname}/../openapi.yaml`).document.paths).flatMap((item) =>
  Object.values(item).flatMap((operation) => ("operationId" in operation ? (operation.operationId ?? []) : [])),
);

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer(AUDIENCE);
});
afterAll(() => issuer.close());

const log = createLog("info", { name: "under-test", version: "0" }, { write: (line) => void logged.push(line) });
const logged: string[] = [];
beforeEach(() => {
  logged.splice(0);
  vi.restoreAllMocks();
});

const guarded = (options: Partial<AuthOptions> = {}) =>
  testApp({ authorize: createAuthorize({ issuer: issuer.issuer, audience: AUDIENCE, log, cooldownMs: 0, ...options }) })
    .app;

const create = (app: ReturnType<typeof guarded>, token: string) =>
  app.inject({ ...validRequest("createQuote"), headers: { authorization: `Bearer ${token}` } });
const statusOf = async (...sent: Parameters<typeof create>) => (await create(...sent)).statusCode;

const now = () => Math.floor(Date.now() / 1000);
const claims = () => ({ iss: issuer.issuer, aud: AUDIENCE, sub: "forger", scope: ALL, exp: now() + 600 });
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Tokens that must be refused, as the value of the header. */
const forged: Record<string, () => Promise<string | undefined> | string | undefined> = {
  nothing: () => undefined,
  "another scheme": () => "Basic dXNlcjpwYXNz",
  "no token": () => "Bearer",
  "no JWT": () => "Bearer abc",
  "an unsigned token": () => `Bearer ${new UnsecuredJWT(claims()).encode()}`,
  "a token signed with a shared secret, the issuer's public key": async () => {
    const { keys } = (await (await fetch(`${issuer.issuer}/jwks`)).json()) as { keys: object[] };
    const unsigned = `${base64({ alg: "HS256", kid: "1" })}.${base64(claims())}`;
    const hmac = createHmac("sha256", JSON.stringify(keys[0]));
    return `Bearer ${unsigned}.${hmac.update(unsigned).digest("base64url")}`;
  },
  "a foreign key": async () => {
    const { privateKey } = await generateKeyPair("ES256");
    return `Bearer ${await new SignJWT(claims()).setProtectedHeader({ alg: "ES256", kid: "9" }).sign(privateKey)}`;
  },
  "a foreign key with the key id of the issuer": async () => {
    const { privateKey } = await generateKeyPair("ES256");
    return `Bearer ${await new SignJWT(claims()).setProtectedHeader({ alg: "ES256", kid: "1" }).sign(privateKey)}`;
  },
  "a key that the token itself carries": async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const header = { alg: "ES256", jwk: await exportJWK(publicKey) };
    return `Bearer ${await new SignJWT(claims()).setProtectedHeader(header).sign(privateKey)}`;
  },
  "a changed payload": async () => {
    const [head, , signature] = (await issuer.token("")).split(".");
    return `Bearer ${head}.${base64(claims())}.${signature}`;
  },
  "an expired token": async () => `Bearer ${await issuer.token(ALL, { exp: now() - 60 })}`,
  "a token that never expires": async () => `Bearer ${await issuer.token(ALL, { exp: undefined })}`,
  "a token that is not valid yet": async () => `Bearer ${await issuer.token(ALL, { nbf: now() + 600 })}`,
  "another type of token": async () => `Bearer ${await issuer.token(ALL, {}, "logout+jwt")}`,
  "another issuer": async () => `Bearer ${await issuer.token(ALL, { iss: "https://issuer.example" })}`,
  "another audience": async () => `Bearer ${await issuer.token(ALL, { aud: "another" })}`,
  "no audience": async () => `Bearer ${await issuer.token(ALL, { aud: undefined })}`,
};

describe.each(operations)("%s", (id) => {
  it.each(Object.keys(forged))("refuses %s with 401", async (name) => {
    const authorization = await forged[name]?.();
    const answer = await guarded().inject({ ...validRequest(id), headers: authorization ? { authorization } : {} });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers["www-authenticate"]).toMatch(/^Bearer/);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
  });

  it("refuses a valid token without the scope with 403, and names the scope", async () => {
    const headers = { authorization: `Bearer ${await issuer.token("quotes quotes:other")}` };
    const answer = await guarded().inject({ ...validRequest(id), headers });
    expect(answer.statusCode).toBe(403);
    expect(answer.headers["www-authenticate"]).toMatch(/insufficient_scope.*quotes:(read|write)/);
  });

  it("accepts a valid token with the scope, in each notation of scopes", async () => {
    const app = guarded();
    for (const other of [{}, { scope: undefined, scp: ALL.split(" ") }]) {
      const headers = { authorization: `Bearer ${await issuer.token(ALL, other)}` };
      expect((await app.inject({ ...validRequest(id), headers })).statusCode).toBeLessThan(300);
    }
  });
});

describe("authentication", () => {
  it("is optional only for health checks and the contract", async () => {
    const app = guarded();
    for (const url of OPEN) expect((await app.inject(url)).statusCode).toBe(200);
    const routes = app.printRoutes({ commonPrefix: false }).matchAll(/(\/\S*) \(([A-Z, ]+)\)/g);
    const paths = [...routes].map(([, path]) => path!);
    expect(paths).toEqual(expect.arrayContaining(OPEN));
    const closed = Object.keys(readContract(`${__dirname}/../openapi.yaml`).document.paths);
    expect(paths.length).toBe(OPEN.length + closed.length);
  });

  it("happens before the body is read: an invalid request is 401 as well", async () => {
    const answer = await guarded().inject({ method: "POST", url: "/v1/quotes", payload: "{" });
    expect(answer.statusCode).toBe(401);
  });

  it("accepts a new key of the issuer, and refuses the old one", async () => {
    const app = guarded();
    const call = (token: string) => statusOf(app, token);
    const old = await issuer.token(ALL);
    expect(await call(old)).toBe(201);
    await issuer.rotate();
    expect(await call(await issuer.token(ALL))).toBe(201);
    expect(await call(old)).toBe(401);
  });

  it("checks the signature of a token once for each key, and that it has not expired each time", async () => {
    const verify = vi.spyOn(crypto.subtle, "verify");
    const app = guarded();
    const call = (token: string) => statusOf(app, token);
    const [lasting, brief] = [await issuer.token(ALL), await issuer.token(ALL, { exp: now() - 2 })];
    expect([await call(lasting), await call(brief), await call(lasting), await call(brief)]).toEqual([
      201, 201, 201, 201,
    ]);
    expect(verify).toHaveBeenCalledTimes(2);
    await expect.poll(() => call(brief), { timeout: 5000 }).toBe(401);
    expect(await call(lasting)).toBe(201);
    expect(await call(`${lasting.slice(0, -4)}AAAA`)).toBe(401);
  });

  it("is 503, not 401, while the issuer cannot be reached, and recovers with it", async () => {
    const { port } = new URL(issuer.issuer);
    const token = await issuer.token(ALL);
    await issuer.close();
    const app = guarded();
    const answer = await create(app, token);
    expect(answer.statusCode).toBe(503);
    expect(answer.headers["retry-after"]).toBeDefined();
    issuer = await startIssuer(AUDIENCE, { port: Number(port) });
    expect(await statusOf(app, await issuer.token(ALL))).toBe(201);
  });

  it("accepts tokens while the issuer is down, for a limited time, and logs the reason once", async () => {
    const { port } = new URL(issuer.issuer);
    const token = await issuer.token(ALL);
    const app = guarded({ refreshMs: 0 });
    const impatient = guarded({ refreshMs: 0, maxStaleMs: 1 });
    expect([await statusOf(app, token), await statusOf(impatient, token)]).toEqual([201, 201]);
    await issuer.close();
    logged.splice(0);
    for (let request = 0; request < 5; request += 1) expect(await statusOf(app, token)).toBe(201);
    await expect.poll(() => logged.filter((line) => line.includes("backing service is down"))).toHaveLength(1);
    expect(logged.join()).toContain('"backing":"issuer"');
    expect(await statusOf(impatient, token)).toBe(503);
    issuer = await startIssuer(AUDIENCE, { port: Number(port) });
    await issuer.rotate();
    const renewed = await issuer.token(ALL);
    expect([await statusOf(app, renewed), await statusOf(impatient, renewed)]).toEqual([201, 201]);
  });

  it("does not wait for a frozen issuer while its keys are cached", async () => {
    const slow = await startIssuer(AUDIENCE);
    const app = guarded({ issuer: slow.issuer, refreshMs: 0 });
    const token = await slow.token(ALL);
    expect(await statusOf(app, token)).toBe(201);
    slow.freeze();
    const start = performance.now();
    expect([await statusOf(app, token), await statusOf(app, token)]).toEqual([201, 201]);
    // A request to the issuer times out after three seconds.
    expect(performance.now() - start).toBeLessThan(2500);
    await slow.close();
    await expect.poll(() => logged.join()).toContain("backing service is down");
  });

  it("refuses the discovery document of another issuer, and logs which issuer to set", async () => {
    const other = await startIssuer(AUDIENCE, { name: "http://issuer.example" });
    const app = guarded({ issuer: issuer.issuer.replace("localhost", "127.0.0.1") });
    expect(await statusOf(app, await other.token(ALL))).toBe(503);
    expect(logged.join()).toContain(`its discovery document names ${issuer.issuer}: set that one`);
    await other.close();
  });

  it.each([
    ["another issuer than AUTH_ISSUER", { iss: "https://issuer.example" }],
    ["another audience than AUTH_AUDIENCE", { aud: "another" }],
    ["has expired", { exp: 1 }],
  ])("reports to the caller and in the log that the token is from or for %s", async (words, claims) => {
    const { app, lines } = testApp({ authorize: createAuthorize({ issuer: issuer.issuer, audience: AUDIENCE, log }) });
    const answer = await create(app, await issuer.token(ALL, claims));
    expect(answer.json().detail).toContain(words);
    expect(lines.join()).toContain(words);
  });
});
