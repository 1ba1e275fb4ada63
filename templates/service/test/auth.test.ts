import { createHmac, generateKeyPairSync } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Issuer, startIssuer } from "../scripts/issuer";
import { createAuthorize } from "../src/auth";
import { readContract } from "../src/contract";
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

const guarded = (options: { issuer?: string } = {}) =>
  testApp({ authorize: createAuthorize({ issuer: issuer.issuer, audience: AUDIENCE, cooldownMs: 0, ...options }) }).app;

const now = () => Math.floor(Date.now() / 1000);
const claims = () => ({ iss: issuer.issuer, aud: AUDIENCE, sub: "forger", scope: ALL, exp: now() + 600 });
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Everything that must not pass, as the value of the header. */
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
  "a stranger's key": async () => {
    const { privateKey } = await generateKeyPair("ES256");
    return `Bearer ${await new SignJWT(claims()).setProtectedHeader({ alg: "ES256", kid: "9" }).sign(privateKey)}`;
  },
  "a stranger's key under the issuer's name for its own": async () => {
    const { privateKey } = await generateKeyPair("ES256");
    return `Bearer ${await new SignJWT(claims()).setProtectedHeader({ alg: "ES256", kid: "1" }).sign(privateKey)}`;
  },
  "a key that the token itself brings": async () => {
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
  "a token of later": async () => `Bearer ${await issuer.token(ALL, { nbf: now() + 600 })}`,
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

  it("refuses a good token without the scope with 403, and says which", async () => {
    const headers = { authorization: `Bearer ${await issuer.token("quotes quotes:other")}` };
    const answer = await guarded().inject({ ...validRequest(id), headers });
    expect(answer.statusCode).toBe(403);
    expect(answer.headers["www-authenticate"]).toMatch(/insufficient_scope.*quotes:(read|write)/);
  });

  it("takes a good token with the scope, however the issuer writes scopes", async () => {
    const app = guarded();
    for (const other of [{}, { scope: undefined, scp: ALL.split(" ") }]) {
      const headers = { authorization: `Bearer ${await issuer.token(ALL, other)}` };
      expect((await app.inject({ ...validRequest(id), headers })).statusCode).toBeLessThan(300);
    }
  });
});

describe("authentication", () => {
  it("leaves open what the platform and readers of the contract need, and nothing else", async () => {
    const app = guarded();
    for (const url of OPEN) expect((await app.inject(url)).statusCode).toBe(200);
    const routes = app.printRoutes({ commonPrefix: false }).matchAll(/(\/\S*) \(([A-Z, ]+)\)/g);
    const paths = [...routes].map(([, path]) => path!);
    expect(paths).toEqual(expect.arrayContaining(OPEN));
    const closed = Object.keys(readContract(`${__dirname}/../openapi.yaml`).document.paths);
    expect(paths.length).toBe(OPEN.length + closed.length);
  });

  it("refuses before it reads: a request that does not fit is 401 as well", async () => {
    const answer = await guarded().inject({ method: "POST", url: "/v1/quotes", payload: "{" });
    expect(answer.statusCode).toBe(401);
  });

  it("follows the issuer to a new key, and forgets the old one", async () => {
    const app = guarded();
    const call = async (token: string) =>
      (await app.inject({ ...validRequest("createQuote"), headers: { authorization: `Bearer ${token}` } })).statusCode;
    const old = await issuer.token(ALL);
    expect(await call(old)).toBe(201);
    await issuer.rotate();
    expect(await call(await issuer.token(ALL))).toBe(201);
    expect(await call(old)).toBe(401);
  });

  it("is 503, not 401, while the issuer cannot be reached, and recovers with it", async () => {
    const { port } = new URL(issuer.issuer);
    const headers = { authorization: `Bearer ${await issuer.token(ALL)}` };
    const call = (app: ReturnType<typeof guarded>) => app.inject({ ...validRequest("createQuote"), headers });
    await issuer.close();
    const app = guarded();
    const answer = await call(app);
    expect(answer.statusCode).toBe(503);
    expect(answer.headers["retry-after"]).toBeDefined();
    issuer = await startIssuer(AUDIENCE, { port: Number(port) });
    headers.authorization = `Bearer ${await issuer.token(ALL)}`;
    expect((await call(app)).statusCode).toBe(201);
  });

  it("does not believe a discovery document about another issuer", async () => {
    const other = await startIssuer(AUDIENCE, { name: "http://issuer.example" });
    const app = guarded({ issuer: issuer.issuer.replace("localhost", "127.0.0.1") });
    const headers = { authorization: `Bearer ${await other.token(ALL)}` };
    expect((await app.inject({ ...validRequest("createQuote"), headers })).statusCode).toBe(503);
    await other.close();
  });
});
