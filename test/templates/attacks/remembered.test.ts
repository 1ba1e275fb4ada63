import type { FastifyRequest } from "fastify";
import { describe, expect, it, vi } from "vitest";
import { startIssuer } from "../scripts/issuer";
import { type AuthOptions, createAuthorize } from "../src/auth";
import { createLog } from "../src/log";

const AUDIENCE = "under-test";
const log = createLog("silent", { name: "under-test", version: "0" });

function authorizer(options: Pick<AuthOptions, "issuer" | "refreshMs">) {
  const authorize = createAuthorize({ audience: AUDIENCE, log, ...options });
  return (token: string) =>
    authorize({ log, headers: { authorization: `Bearer ${token}` } } as unknown as FastifyRequest, [[]]);
}

describe("a token that was accepted", () => {
  it("is refused once the issuer has another key of the same name", async () => {
    const first = await startIssuer(AUDIENCE);
    const authorize = authorizer({ issuer: first.issuer, refreshMs: 0 });
    const token = await first.token("");
    await authorize(token);
    await authorize(token);
    await first.close();
    const second = await startIssuer(AUDIENCE, { port: Number(new URL(first.issuer).port) });
    await expect.poll(() => authorize(token).catch(({ status }) => status)).toBe(401);
    await second.close();
  });

  it("is forgotten after a thousand others", async () => {
    const verify = vi.spyOn(crypto.subtle, "verify");
    const { issuer, token, close } = await startIssuer(AUDIENCE);
    const authorize = authorizer({ issuer });
    const first = await token("");
    for (let n = 0; n < 1000; n += 1) await authorize(n === 0 ? first : await token("", { n }));
    await authorize(first);
    expect(verify).toHaveBeenCalledTimes(1000);
    await authorize(await token("", { n: 1000 }));
    await authorize(first);
    expect(verify).toHaveBeenCalledTimes(1002);
    await close();
  });
});
