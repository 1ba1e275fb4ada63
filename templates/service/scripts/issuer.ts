import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

/** An OIDC issuer for this machine: real keys, real tokens, nobody's identity. */
export interface Issuer {
  /** What AUTH_ISSUER must be. */
  readonly issuer: string;
  /** A token with some scopes; claims replace what it would hold. */
  token(scope: string, claims?: JWTPayload): Promise<string>;
  /** Signs with a new key from now on, and forgets the old one. */
  rotate(): Promise<void>;
  close(): Promise<void>;
}

/** Starts an issuer. Whoever asks `GET /token?scope=...` gets a token: never let it be reached from elsewhere. */
export async function startIssuer(audience: string, { port = 0, host = "127.0.0.1", name = "" } = {}): Promise<Issuer> {
  let key: CryptoKey;
  let kid = 0;
  let jwks = "";
  let issuer = name;

  const rotate = async () => {
    const pair = await generateKeyPair("ES256");
    key = pair.privateKey;
    kid += 1;
    jwks = JSON.stringify({
      keys: [{ ...(await exportJWK(pair.publicKey)), kid: String(kid), use: "sig", alg: "ES256" }],
    });
  };
  const token = (scope: string, claims: JWTPayload = {}) =>
    new SignJWT({
      iss: issuer,
      aud: audience,
      sub: "developer",
      scope,
      exp: Math.floor(Date.now() / 1000) + 8 * 3600,
      ...claims,
    })
      .setProtectedHeader({ alg: "ES256", kid: String(kid), typ: "at+jwt" })
      .setIssuedAt()
      .sign(key);

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://issuer");
    const json = (text: string) => response.setHeader("content-type", "application/json").end(text);
    if (url.pathname === "/.well-known/openid-configuration")
      json(JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks` }));
    else if (url.pathname === "/jwks") json(jwks);
    else if (url.pathname === "/token") response.end(await token(url.searchParams.get("scope") ?? ""));
    else response.writeHead(404).end();
  });
  await rotate();
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  issuer ||= `http://localhost:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { issuer, token, rotate, close };
}

// In compose.yaml it is a service of its own.
if (require.main === module) {
  const { AUTH_ISSUER = "http://localhost:8090", AUTH_AUDIENCE = "" } = process.env;
  const port = Number(new URL(AUTH_ISSUER).port);
  void startIssuer(AUTH_AUDIENCE, { port, host: "0.0.0.0", name: AUTH_ISSUER });
}
