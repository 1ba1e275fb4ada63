import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bootstrap, boundariesOf } from "../../operations/bootstrap";
import { runBootstrap } from "../../operations/bootstrap-command";
import { backendsOf } from "../../operations/synthesized";
import { exitCodeOf } from "../support/exit-code";

const CALLER =
  "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/** AWS in which every bucket belongs to another account. */
function closed(): Promise<{ server: Server; calls: string[] }> {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    const isS3 = request.url !== "/";
    calls.push(`${request.method} ${request.url} ${request.headers["x-amz-expected-bucket-owner"] ?? ""}`.trim());
    response.writeHead(isS3 ? 403 : 200, { "content-type": "text/xml" }).end(isS3 ? "" : CALLER);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve({ server, calls })));
}

describe("bootstrap", () => {
  let aws: { server: Server; calls: string[] };
  beforeEach(async () => {
    aws = await closed();
    vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${(aws.server.address() as AddressInfo).port}`);
    vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    aws.server.close();
  });

  const backend = {
    stack: "orders-dev-service",
    bucket: "acme-state",
    region: "eu-west-1",
    key: "orders/terraform.tfstate",
  };
  const run = (account?: string) =>
    bootstrap({ outdir: "/nowhere", backends: [{ ...backend, account }], print: () => undefined });

  it("does not change a bucket of another account, and prints the remedy", async () => {
    await expect(run()).rejects.toThrow(/bucket acme-state belongs to another account.*set another name with state/);
    expect(aws.calls).toEqual(["POST /", "HEAD /acme-state/ 123456789012"]);
  });

  it("calls S3 only with credentials of the right account", async () => {
    await expect(run("210987654321")).rejects.toThrow(
      "the credentials are for account 123456789012, but orders-dev-service belongs to 210987654321: nothing was created",
    );
    expect(aws.calls).toEqual(["POST /"]);
  });

  it("changes nothing if one of several things belongs to another account, and asks once which one it is", async () => {
    const boundaries = [{ environment: "live", account: "210987654321", partition: "aws", region: "eu-west-1" }];
    const both = bootstrap({ outdir: "/nowhere", backends: [backend], boundaries, print: () => undefined });
    await expect(both).rejects.toThrow("the permissions boundary of live belongs to 210987654321: nothing was created");
    expect(aws.calls).toEqual(["POST /"]);
  });
});

describe("the backends of stacks", () => {
  const outdir = mkdtempSync(join(tmpdir(), "antifragile-backends-"));
  const write = (stack: string, backend: object) => {
    mkdirSync(join(outdir, "stacks", stack), { recursive: true });
    writeFileSync(join(outdir, "stacks", stack, "cdk.tf.json"), JSON.stringify({ terraform: { backend } }));
  };

  it("include S3 only, not files", () => {
    write("a", { local: { path: "terraform.tfstate" } });
    write("b", { s3: { bucket: "x", region: "eu-west-1", key: "b/t", kms_key_id: "arn", allowed_account_ids: ["1"] } });
    write("c", { s3: { bucket: "x", region: "eu-west-1", key: "c/t" } });
    expect(backendsOf(outdir, ["a", "b", "c"])).toEqual([
      { stack: "b", bucket: "x", region: "eu-west-1", key: "b/t", kmsKeyArn: "arn", account: "1" },
      { stack: "c", bucket: "x", region: "eu-west-1", key: "c/t" },
    ]);
  });
});

it("the boundaries of stacks are those that roles have, and those that policies require", () => {
  const outdir = mkdtempSync(join(tmpdir(), "antifragile-boundaries-"));
  const write = (stack: string, resource: object) => {
    mkdirSync(join(outdir, "stacks", stack), { recursive: true });
    const provider = { aws: [{ region: "eu-west-1" }] };
    writeFileSync(join(outdir, "stacks", stack, "cdk.tf.json"), JSON.stringify({ provider, resource }));
  };
  const arn = (name: string) => `arn:aws:iam::123456789012:policy/${name}`;
  const requiring = (name: string) => ({
    policy: JSON.stringify({ Condition: { StringEquals: { "iam:PermissionsBoundary": arn(name) } } }),
  });
  write("a", { aws_iam_role: { A: { permissions_boundary: arn("antifragile-staging-boundary") } } });
  write("b", {
    aws_iam_policy: { A: requiring("antifragile-staging-boundary"), B: requiring("antifragile-eu-2-boundary") },
  });
  write("c", { aws_iam_role: { A: { permissions_boundary: arn("boundary") } }, x: arn("antifragile-x-boundary-2") });
  const boundary = { account: "123456789012", partition: "aws", region: "eu-west-1" };
  expect(boundariesOf(outdir, ["a", "b", "c"])).toEqual([
    { ...boundary, environment: "staging" },
    { ...boundary, environment: "eu-2" },
  ]);
});

it("the command requires one environment, in a repository", async () => {
  const errors: string[] = [];
  const call = (...args: string[]) =>
    exitCodeOf(() => runBootstrap({ args, print: () => undefined, cwd: tmpdir() }), errors);
  expect(await call()).toBe(2);
  expect(await call("dev", "staging")).toBe(2);
  expect(await call("dev")).toBe(2);
  expect(errors.at(-1)).toMatch(/no infra\/main\.ts/);
  expect(await call("dev", "--dry-run", "--terraform", "x.tf.json")).toBe(2);
  expect(errors.at(-1)).toMatch(/--dry-run, --terraform: exclude each other/);
  expect(await call("dev", "--terraform", "x.tf")).toBe(2);
  expect(errors.at(-1)).toMatch(/--terraform: must be a file that ends in \.tf\.json/);
});
