import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runSecret } from "../../operations/secret-command";
import { exitCodeOf } from "../support/exit-code";

const VALUE = "s3cr3t value";
const CALLER =
  "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account><Arn>arn:aws:sts::123456789012:assumed-role/x/y</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";

const folder = mkdtempSync(join(tmpdir(), "antifragile-secret-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A synthesized repository whose environment dev belongs to an account. */
function repository(name: string, account: string): string {
  const root = join(folder, name);
  const stack = join(root, "infra", "cdktf.out", "stacks", "shop-dev-service");
  mkdirSync(stack, { recursive: true });
  writeFileSync(join(root, "infra", "main.ts"), "throw new Error('synthesized for nothing');");
  const tags = [{ tags: { Environment: "dev" } }];
  const aws = [{ region: "eu-west-3", allowed_account_ids: [account], default_tags: tags }];
  writeFileSync(join(stack, "cdk.tf.json"), JSON.stringify({ provider: { aws } }));
  return root;
}

describe("secret set", () => {
  let server: Server;
  let stored: Record<string, { Value: string; Type: string; KeyId: string; version: number }>;
  const errors: string[] = [];

  beforeEach(async () => {
    stored = {};
    errors.length = 0;
    server = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      const call = String(request.headers["x-amz-target"]).split(".")[1];
      if (call === undefined) {
        response.setHeader("content-type", "text/xml").end(CALLER);
        return;
      }
      response.setHeader("content-type", "application/x-amz-json-1.1");
      if (call === "DescribeParameters") {
        const [name] = JSON.parse(body).ParameterFilters[0].Values;
        const Parameters = Object.entries(stored).flatMap(([Name, { KeyId }]) =>
          Name === name ? [{ Name, KeyId }] : [],
        );
        response.end(JSON.stringify({ Parameters }));
        return;
      }
      const { Name, Value, Type, Overwrite, KeyId = "alias/aws/ssm" } = JSON.parse(body);
      const known = stored[Name];
      if (known !== undefined && Overwrite !== true) {
        response.writeHead(400).end(JSON.stringify({ __type: "ParameterAlreadyExists", message: "exists" }));
        return;
      }
      const version = (known?.version ?? 0) + 1;
      stored[Name] = { Value, Type, KeyId, version };
      response.end(JSON.stringify({ Version: version }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
    vi.stubEnv("AWS_MAX_ATTEMPTS", "1");
    vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      errors.push(String(text));
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    server.close();
  });

  const call = async (
    args: readonly string[],
    input: Readable & { isTTY?: boolean } = Readable.from([VALUE]),
    cwd = folder,
  ) => {
    const printed: string[] = [];
    const context = { args, cwd, print: (text: string) => void printed.push(text), input };
    const code = await exitCodeOf(() => runSecret(context), errors);
    return { code, text: printed.join(""), errors: errors.join("") };
  };
  const REGION = ["--region", "eu-central-1"];

  it("stores the value of stdin encrypted, and prints the reference but never the value", async () => {
    const { code, text } = await call(["set", "payments-key", "dev", ...REGION], Readable.from([`${VALUE}\n`]));
    expect(code).toBe(0);
    expect(stored).toEqual({
      "/secrets/dev/payments-key": { Value: VALUE, Type: "SecureString", KeyId: "alias/aws/ssm", version: 1 },
    });
    expect(text).toContain(
      'secrets: { PAYMENTS_KEY: "arn:aws:ssm:eu-central-1:123456789012:parameter/secrets/dev/payments-key" },',
    );
    expect(text + errors.join("")).not.toContain(VALUE);
  });

  it("uses region and account of the repository's environment", async () => {
    const { code, text } = await call(["set", "key", "dev", "--json"], undefined, repository("own", "123456789012"));
    expect(code).toBe(0);
    const arn = "arn:aws:ssm:eu-west-3:123456789012:parameter/secrets/dev/key";
    expect(JSON.parse(text)).toEqual({ name: "/secrets/dev/key", arn, version: 1 });
  });

  it("refuses credentials of another account than the environment's", async () => {
    const { code, errors } = await call(["set", "key", "dev"], undefined, repository("other", "999999999999"));
    expect(code).toBe(1);
    expect(errors).toMatch(
      /credentials are for account 123456789012, but dev belongs to 999999999999: nothing was stored/,
    );
    expect(stored).toEqual({});
  });

  it("overwrites a value only with --overwrite", async () => {
    await call(["set", "key", ...REGION]);
    const again = await call(["set", "key", ...REGION], Readable.from(["new"]));
    expect(again.code).toBe(1);
    expect(again.errors).toContain("/secrets/key exists already: pass --overwrite");
    expect(stored["/secrets/key"]?.Value).toBe(VALUE);
    const { code, text } = await call(["set", "key", "--overwrite", ...REGION], Readable.from(["new"]));
    expect(code).toBe(0);
    expect(text).toContain("stored as version 2");
    expect(stored["/secrets/key"]?.Value).toBe("new");
  });

  it("asks on a terminal and shows nothing of what is typed", async () => {
    const echo = vi.spyOn(process.stdout, "write");
    const terminal = Object.assign(new PassThrough(), { isTTY: true });
    const answer = call(["set", "key", "dev", ...REGION], terminal);
    await vi.waitFor(() => expect(errors.join("")).toContain("Value of /secrets/dev/key (hidden): "));
    terminal.write(`${VALUE}\r`);
    expect((await answer).code).toBe(0);
    expect(stored["/secrets/dev/key"]?.Value).toBe(VALUE);
    expect(errors.join("")).toBe("Value of /secrets/dev/key (hidden): \n");
    expect(echo).not.toHaveBeenCalled();
  });

  it.each([
    ["Ctrl-C", "\u0003"],
    ["Ctrl-D", "\u0004"],
  ])("stores nothing after %s at the prompt", async (_, key) => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true });
    const answer = call(["set", "key", "dev", ...REGION], terminal);
    await vi.waitFor(() => expect(errors.join("")).toContain("hidden"));
    terminal.write(key);
    expect(await answer).toMatchObject({ code: 130, errors: expect.stringContaining("canceled: nothing was stored") });
    expect(stored).toEqual({});
  });

  it.each([
    [["st", "key"], VALUE, /"st": must be set; did you mean set\?/],
    [["set", "a/b"], VALUE, /<name> "a\/b": must begin with a letter/],
    [["set", "key", "P@ssw0rd"], VALUE, /must be the name of an environment; a value is read from stdin only/],
    [["set"], VALUE, /<name>: is missing/],
    [["set", "key", "dev", VALUE], VALUE, /not expected here/],
    [["set", "key", "--overwrit"], VALUE, /did you mean --overwrite\?/],
    [["set", "key", ...REGION], "\n", /the value is empty/],
    [["set", "key", ...REGION], "x".repeat(4097), /4097 bytes, more than the 4096/],
    [["set", "key", ...REGION], Buffer.from([0xff]), /not valid UTF-8/],
  ])("refuses %j", async (args, value, message) => {
    const { code, errors } = await call(args, Readable.from([value]));
    expect(code).toBe(2);
    expect(errors).toMatch(message);
    expect(stored).toEqual({});
  });

  it("keeps the key that a value was encrypted with", async () => {
    stored["/secrets/dev/key"] = { Value: "old", Type: "SecureString", KeyId: "arn:aws:kms:x:1:key/own", version: 1 };
    expect((await call(["set", "key", "dev", "--overwrite", ...REGION])).code).toBe(0);
    expect(stored["/secrets/dev/key"]).toMatchObject({ Value: VALUE, KeyId: "arn:aws:kms:x:1:key/own", version: 2 });
  });

  it("explains a network that does not answer", async () => {
    server.close();
    const { code, errors } = await call(["set", "key", ...REGION]);
    expect(code).toBe(1);
    expect(errors).toMatch(/^✖ AWS: .*ECONNREFUSED/);
  });

  it("explains missing credentials", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "none"));
    vi.stubEnv("AWS_CONFIG_FILE", join(folder, "none"));
    const { code, errors } = await call(["set", "key", ...REGION]);
    expect(code).toBe(1);
    expect(errors).toMatch(/no AWS credentials: .*aws sso login/);
  });
});
