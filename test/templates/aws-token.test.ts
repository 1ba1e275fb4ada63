import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { TokenFor } from "../../templates/service/src/backing/aws-token";
import { Sha256 } from "../support/sha256";

/** In a process of its own, as far as credentials are concerned. */
async function awsToken(options: TokenFor, now: Date): Promise<string> {
  vi.resetModules();
  return (await import("../../templates/service/src/backing/aws-token")).awsToken(options, now);
}

const NOW = new Date("2026-11-22T10:11:12.345Z");

/** What the SDK's own signer makes of the same. */
async function bySdk(
  options: TokenFor,
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
) {
  const [hostname = "", port] = options.host.split(":");
  const signer = new SignatureV4({
    service: options.service,
    region: options.region,
    credentials,
    sha256: Sha256 as never,
    applyChecksum: false,
  });
  const { query = {} } = await signer.presign(
    {
      method: "GET",
      protocol: "https:",
      hostname,
      ...(port === undefined ? {} : { port: Number(port) }),
      path: "/",
      query: { ...options.query },
      headers: { host: options.host },
    },
    { expiresIn: 900, signingDate: NOW },
  );
  return query;
}

const queryOf = (token: string) => Object.fromEntries(new URL(`https://${token}`).searchParams);

describe("a token instead of a password", () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each<[TokenFor, string | undefined]>([
    [
      {
        service: "rds-db",
        region: "eu-central-1",
        host: "orders.abc.eu-central-1.rds.amazonaws.com:5432",
        query: { Action: "connect", DBUser: "app" },
      },
      undefined,
    ],
    [
      {
        service: "elasticache",
        region: "us-east-1",
        host: "orders-dev-cache",
        query: { Action: "connect", User: "orders-dev-cache" },
      },
      "IQoJ/with+signs==",
    ],
  ])("is signed as the SDK signs it: %j", async (options, sessionToken) => {
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "");
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    vi.stubEnv("AWS_SESSION_TOKEN", sessionToken ?? "");
    const token = await awsToken(options, NOW);
    expect(token.startsWith(`${options.host}/?`)).toBe(true);
    const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
    const expected = await bySdk(options, { ...credentials, ...(sessionToken && { sessionToken }) });
    expect(queryOf(token)).toEqual(expected);
  });

  it("is made of the credentials of the task's role", async () => {
    const server = createServer((_, response) =>
      response.end(
        JSON.stringify({
          AccessKeyId: "ASIATASK",
          SecretAccessKey: "x",
          Token: "of-the-task",
          Expiration: "2099-01-01T00:00:00Z",
        }),
      ),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "");
    vi.stubEnv("AWS_PROFILE", "");
    vi.stubEnv("AWS_CONFIG_FILE", "/nowhere");
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere");
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `http://127.0.0.1:${(server.address() as AddressInfo).port}/role`);
    const token = await awsToken({ service: "rds-db", region: "eu-central-1", host: "db:5432", query: {} }, NOW);
    expect(queryOf(token)).toMatchObject({
      "X-Amz-Credential": "ASIATASK/20261122/eu-central-1/rds-db/aws4_request",
      "X-Amz-Security-Token": "of-the-task",
    });
  });
});
