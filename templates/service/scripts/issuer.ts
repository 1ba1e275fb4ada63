import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";

/** An OIDC issuer for local development: real keys and real tokens, without users. */
export interface Issuer {
  /** Value for AUTH_ISSUER. */
  readonly issuer: string;
  /** Issues a token with these scopes; `claims` override its claims. */
  token(scope: string, claims?: JWTPayload, typ?: string): Promise<string>;
  /** Replaces the signing key. */
  rotate(): Promise<void>;
  /** From now on, accepts connections but does not answer. */
  freeze(): void;
  close(): Promise<void>;
}

/** Starts an issuer. Everyone who can reach `GET /token?scope=...` gets a token: never expose it. */
export async function startIssuer(audience: string, { port = 0, host = "127.0.0.1", name = "" } = {}): Promise<Issuer> {
  let key: CryptoKey;
  let kid = 0;
  let jwks = "";
  let issuer = name;
  let frozen = false;

  const rotate = async () => {
    const pair = await generateKeyPair("ES256");
    key = pair.privateKey;
    kid += 1;
    jwks = JSON.stringify({
      keys: [{ ...(await exportJWK(pair.publicKey)), kid: String(kid), use: "sig", alg: "ES256" }],
    });
  };
  const token = (scope: string, claims: JWTPayload = {}, typ = "at+jwt") =>
    new SignJWT({
      iss: issuer,
      aud: audience,
      sub: "developer",
      scope,
      exp: Math.floor(Date.now() / 1000) + 8 * 3600,
      ...claims,
    })
      .setProtectedHeader({ alg: "ES256", kid: String(kid), typ })
      .setIssuedAt()
      .sign(key);

  const server = createServer(async (request, response) => {
    if (frozen) return;
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
  const freeze = () => {
    frozen = true;
  };
  return { issuer, token, rotate, freeze, close };
}

// compose.yaml runs this file as a service.
if (require.main === module) {
  const { AUTH_ISSUER = "http://localhost:8090", AUTH_AUDIENCE = "", HOST = "127.0.0.1" } = process.env;
  const port = Number(new URL(AUTH_ISSUER).port);
  void startIssuer(AUTH_AUDIENCE, { port, host: HOST, name: AUTH_ISSUER }).then(({ issuer }) =>
    console.log(`issuer    ${issuer}`),
  );
}
