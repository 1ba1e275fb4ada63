import type { FastifyRequest } from "fastify";
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Authorize } from "./contract";
import { Problem } from "./problem";

/** Who calls, as the token says. */
export interface Caller {
  readonly subject: string | undefined;
  readonly scopes: readonly string[];
}

declare module "fastify" {
  interface FastifyRequest {
    /** Set on every operation with `security`. */
    caller?: Caller;
  }
}

/** What the tokens must be. */
export interface AuthOptions {
  /** OIDC issuer: `iss` of the tokens; its keys are found by its discovery document. */
  readonly issuer: string;
  /** What `aud` must hold. */
  readonly audience: string;
  /**
   * The least time between two looks at the issuer's keys, in milliseconds: so long can a new key go unnoticed.
   *
   * @default 5000
   */
  readonly cooldownMs?: number;
}

/** Public-key signatures only: with a shared secret everybody who can check a token could make one. */
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];

/**
 * Checks bearer tokens (RFC 6750, RFC 9068): signature, issuer, audience, expiry, and the scopes of the operation.
 *
 * @returns throws 401 without a good token, 403 without the scopes, 503 when the issuer's keys cannot be had
 */
export function createAuthorize({ issuer, audience, cooldownMs = 5000 }: AuthOptions): Authorize {
  const keys = issuerKeys(issuer, cooldownMs);

  return async (request, scopeSets) => {
    const caller = await verify(request, keys, issuer, audience);
    if (!scopeSets.some((set) => set.every((scope) => caller.scopes.includes(scope)))) {
      const scope = scopeSets[0]?.join(" ");
      throw new Problem(403, `the token lacks the scope ${scope}`, {
        headers: { "www-authenticate": `Bearer error="insufficient_scope", scope="${scope}"` },
      });
    }
    request.caller = caller;
  };
}

async function verify(
  request: FastifyRequest,
  keys: JWTVerifyGetKey,
  issuer: string,
  audience: string,
): Promise<Caller> {
  const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (!token) throw unauthorized("a bearer token is needed", "Bearer");
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      requiredClaims: ["exp"],
      clockTolerance: 5,
    });
    // RFC 9068 says `scope`, a text; some issuers say `scp`, a text or a list.
    const scopes = payload.scope ?? payload.scp;
    return {
      subject: payload.sub,
      scopes: Array.isArray(scopes) ? scopes.map(String) : String(scopes ?? "").split(" "),
    };
  } catch (error) {
    if (error instanceof Problem) throw error;
    const reason = error instanceof errors.JOSEError ? error.code : "unreadable";
    request.log.info({ reason }, "token refused");
    throw unauthorized("the token is not valid", 'Bearer error="invalid_token"');
  }
}

function unauthorized(detail: string, challenge: string): Problem {
  return new Problem(401, detail, { headers: { "www-authenticate": challenge } });
}

/** The issuer's public keys, looked up when first needed and again when a token names an unknown one. */
function issuerKeys(issuer: string, cooldownDuration: number): JWTVerifyGetKey {
  let keySet: Promise<JWTVerifyGetKey> | undefined;
  const discover = async (): Promise<JWTVerifyGetKey> => {
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(3000), redirect: "error" });
    const document = (await answer.json()) as { issuer?: string; jwks_uri?: string };
    if (document.issuer !== issuer) throw new Error(`${url} is not about the issuer ${issuer}`);
    return createRemoteJWKSet(new URL(document.jwks_uri ?? ""), { cooldownDuration, timeoutDuration: 3000 });
  };

  return async (header, token) => {
    keySet ??= discover();
    try {
      return await (await keySet)(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      // Found out again at the next request: the caller's token may be good.
      await keySet.catch(() => {
        keySet = undefined;
      });
      throw new Problem(503, "the token cannot be checked now", { headers: { "retry-after": "5" } });
    }
  };
}
