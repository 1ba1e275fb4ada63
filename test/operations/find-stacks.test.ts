import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { refuseOlderCommit } from "../../operations/applied-commit";
import { runRelease, runRollback } from "../../operations/release/commands";

const CALLER =
  "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

describe("a stack of another account than that of the credentials", () => {
  let server: Server;
  let repository: string;
  const calls: string[] = [];

  beforeEach(async () => {
    calls.length = 0;
    server = createServer((request, response) => {
      calls.push(String(request.headers["x-amz-target"] ?? "sts"));
      response.writeHead(200, { "content-type": "text/xml" }).end(CALLER);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    vi.stubEnv("AWS_ENDPOINT_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
    repository = mkdtempSync(join(tmpdir(), "antifragile-account-"));
    const write = (path: string, value: object) => {
      const file = join(repository, "infra/cdktf.out", path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify(value));
    };
    write("manifest.json", { stacks: { "orders-production-service": { dependencies: [] } } });
    write("stacks/orders-production-service/cdk.tf.json", {
      provider: { aws: [{ region: "eu-west-1", allowed_account_ids: ["777788889999"] }] },
      resource: {
        aws_ssm_parameter: { process: { name: "/antifragile/production/shop/releases/orders/processes/orders" } },
      },
    });
  });

  afterEach(() => {
    vi.unstubAllEnvs();
    server.close();
    rmSync(repository, { recursive: true, force: true });
  });

  const print = () => undefined;
  it.each<[string, () => Promise<unknown>]>([
    ["release", () => runRelease({ args: ["production", "--image", "i@sha256:1"], cwd: repository, print })],
    ["rollback", () => runRollback({ args: ["production"], cwd: repository, print })],
    [
      "plan --commit",
      () => refuseOlderCommit({ repository, environment: "production", commit: "a".repeat(40), print }),
    ],
  ])("is refused by %s before anything is read", async (_, act) => {
    await expect(act()).rejects.toThrow(
      "the credentials are for account 123456789012, but production belongs to 777788889999: nothing was read or changed. Use credentials of 777788889999",
    );
    expect(calls).toEqual(["sts"]);
  });
});
