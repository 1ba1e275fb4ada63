import { hash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { type CryptoKey, createRemoteJWKSet, errors, type JWTHeaderParameters, type JWTPayload, jwtVerify } from "jose";
import { type Health, watchHealth } from "./backing/health";
import type { Authorize } from "./contract";
import type { Log } from "./log";
import { Problem } from "./problem";

/** The caller, as stated by its token. */
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

/** Requirements for tokens. */
export interface AuthOptions {
  /** OIDC issuer: `iss` of the tokens. Its discovery document leads to its keys. */
  readonly issuer: string;
  /** Required value in `aud`. */
  readonly audience: string;
  readonly log: Log;
  /**
   * Least time between two looks at the issuer's keys because of a token with an unknown key, in milliseconds.
   *
   * @default 5000
   */
  readonly cooldownMs?: number;
  /**
   * Age at which keys are refreshed in the background, in milliseconds.
   *
   * @default 600000
   */
  readonly refreshMs?: number;
  /**
   * Age up to which keys are used while the issuer is away, in milliseconds. A revoked key is accepted this long at most.
   *
   * @default 86400000
   */
  readonly maxStaleMs?: number;
}

/** Public-key signatures only: with a shared secret, everyone who can validate a token could issue one. */
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];
/** Types of tokens that are meant for an API (RFC 9068, RFC 7519). An issuer that sets no type is accepted. */
const TYPES = ["at+jwt", "jwt"];
/** Difference between the clocks of the issuer and of this process, in seconds. */
const CLOCK_TOLERANCE = 5;
/** Valid tokens that are remembered. */
const MAX_REMEMBERED = 1000;
/** Longest wait for a response of the issuer, in milliseconds, and the time until the next try. */
const ISSUER_MS = 3000;
const RETRY_MS = 30_000;

/**
 * Validates bearer tokens (RFC 6750, RFC 9068): signature, type, issuer, audience, expiry, and the scopes of the operation.
 *
 * @returns a function that throws 401 without a valid token, 403 without the scopes, 503 while the issuer's keys are not available
 */
export function createAuthorize(options: AuthOptions): Authorize {
  const verify = verifier(options);

  return async (request, scopeSets) => {
    const caller = await verify(request);
    if (!scopeSets.some((set) => set.every((scope) => caller.scopes.includes(scope)))) {
      const scope = scopeSets[0]?.join(" ");
      throw new Problem(403, `the token lacks the scope ${scope}`, {
        headers: { "www-authenticate": `Bearer error="insufficient_scope", scope="${scope}"` },
      });
    }
    request.caller = caller;
  };
}

/** A valid token: it remains valid until it expires, or until the issuer has another key for its header. */
interface Valid {
  readonly caller: Caller;
  readonly header: JWTHeaderParameters;
  readonly key: CryptoKey | Uint8Array;
  readonly expires: number;
}

function verifier(options: AuthOptions): (request: FastifyRequest) => Promise<Caller> {
  const { issuer, audience } = options;
  const keys = issuerKeys(options);
  // Callers send the same token many times, and to check its signature takes as long as the rest of a request.
  const remembered = new Map<string, Valid>();

  const check = async (token: string): Promise<Caller> => {
    const digest = hash("sha256", token, "base64");
    const valid = remembered.get(digest);
    if (valid && Date.now() < valid.expires && (await keys(valid.header)) === valid.key) return valid.caller;
    const { payload, protectedHeader, key } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      requiredClaims: ["exp"],
      clockTolerance: CLOCK_TOLERANCE,
    });
    const type = protectedHeader.typ?.toLowerCase().replace(/^application\//, "");
    if (type && !TYPES.includes(type)) throw new errors.JWTInvalid(`tokens of type "${type}" are not for an API`);
    const caller = { subject: payload.sub, scopes: scopesOf(payload) };
    const [oldest] = remembered.keys();
    if (oldest && remembered.size >= MAX_REMEMBERED) remembered.delete(oldest);
    remembered.set(digest, { caller, header: protectedHeader, key, expires: 1000 * (payload.exp! + CLOCK_TOLERANCE) });
    return caller;
  };

  return async (request) => {
    const token = /^Bearer ([\w.~+/-]+=*)$/i.exec(request.headers.authorization ?? "")?.[1];
    if (!token) throw unauthorized("send a bearer token", "Bearer");
    try {
      return await check(token);
    } catch (error) {
      if (error instanceof Problem) throw error;
      const reason = reasonOf(error);
      request.log.info({ reason }, "token refused");
      throw unauthorized(reason, 'Bearer error="invalid_token"');
    }
  };
}

/** RFC 9068 defines `scope`, a text; some issuers use `scp`, a text or a list. */
function scopesOf({ scope, scp }: JWTPayload): string[] {
  const scopes = scope ?? scp;
  return Array.isArray(scopes) ? scopes.map(String) : String(scopes ?? "").split(" ");
}

/** The reason in words. It names the claim and not its value. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "the token has expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "iss") return "the token is from another issuer than AUTH_ISSUER";
    if (error.claim === "aud") return "the token is for another audience than AUTH_AUDIENCE";
    return error.reason === "missing"
      ? `the token lacks "${error.claim}"`
      : `the token's "${error.claim}" is not valid`;
  }
  if (error instanceof errors.JWKSNoMatchingKey) return "the issuer has no such key";
  if (error instanceof errors.JWTInvalid) return error.message;
  return "the token is not valid";
}

function unauthorized(detail: string, challenge: string): Problem {
  return new Problem(401, detail, { headers: { "www-authenticate": challenge } });
}

/**
 * The issuer's public keys: fetched on first use, when a token names an unknown one, and regularly in the background. While
 * the issuer is away, the known ones keep working for `maxStaleMs`.
 */
function issuerKeys({
  issuer,
  log,
  cooldownMs = 5000,
  refreshMs = 600_000,
  maxStaleMs = 86_400_000,
}: AuthOptions): (header: JWTHeaderParameters) => Promise<CryptoKey> {
  const health = watchHealth("issuer", log);
  let known: ReturnType<typeof createRemoteJWKSet> | undefined;
  let fetching: Promise<void> | undefined;
  let nextRefresh = 0;

  const fetchKeys = async (): Promise<void> => {
    const next = createRemoteJWKSet(await jwksUrl(issuer), {
      cooldownDuration: cooldownMs,
      timeoutDuration: ISSUER_MS,
      cacheMaxAge: maxStaleMs,
    });
    await next.reload();
    known = next;
  };
  const refresh = (): Promise<void> => {
    nextRefresh = Date.now() + refreshMs;
    fetching ??= watched(fetchKeys(), health)
      .catch((error) => {
        nextRefresh = Date.now() + Math.min(refreshMs, RETRY_MS);
        throw error;
      })
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  };

  return async (header) => {
    try {
      if (!known?.fresh) await refresh();
      // The request does not wait for it; a failure is logged and counted.
      else if (Date.now() >= nextRefresh) refresh().catch(() => {});
      return await known!(header);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      // An unknown key, or none at all, and the issuer is away: the caller's token may be valid.
      health.down(error);
      throw new Problem(503, "the token cannot be validated now", { headers: { "retry-after": "5" }, cause: error });
    }
  };
}

/** URL of the issuer's keys, from its discovery document (OpenID Connect Discovery 1.0). */
async function jwksUrl(issuer: string): Promise<URL> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(ISSUER_MS), redirect: "error" });
  if (!answer.ok) throw new Error(`AUTH_ISSUER: ${url} returned ${answer.status}`);
  const document = (await answer.json().catch(() => {})) as { issuer?: string; jwks_uri?: string } | undefined;
  if (!document?.jwks_uri) throw new Error(`AUTH_ISSUER: ${url} is not a discovery document`);
  if (document.issuer !== issuer) {
    throw new Error(`AUTH_ISSUER is ${issuer}, but its discovery document names ${document.issuer}: set that one`);
  }
  return new URL(document.jwks_uri);
}

async function watched(work: Promise<void>, health: Health): Promise<void> {
  try {
    await work;
    health.up();
  } catch (error) {
    health.down(error);
    throw error;
  }
}
