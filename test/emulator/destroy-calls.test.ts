import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Emulator } from "../../emulator";
import { destroyCloud } from "../../operations/destroy-cloud";
import { DESTROY_ACTIONS } from "../../scripts/docs-operators";
import { actionOf } from "../iam/recorded/actions";
import { AwsCaller } from "../support/aws-call";
import { callsIn, describeOnEmulator, startAsAws } from "../support/deployment";

describeOnEmulator("what destroy asks of AWS before it deletes", () => {
  let folder: string;
  let emulator: Emulator;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-destroy-calls-"));
    emulator = await startAsAws(folder, folder);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await emulator?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is what docs/commands.md lists", async () => {
    const aws = new AwsCaller(emulator.url);
    await aws.rest(
      "s3",
      "PUT",
      "/acme-files",
      "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>",
    );
    await aws.call("ecr", "CreateRepository", { repositoryName: "orders" });
    const start = readFileSync(emulator.log, "utf8").length;
    const cloud = destroyCloud("eu-central-1");
    expect(await cloud.isEmpty("bucket", "acme-files")).toBe(true);
    expect(await cloud.isEmpty("repository", "orders")).toBe(true);
    const place = { environment: "dev", platform: "shop" };
    expect(await cloud.usersOf(place, { parameters: new Set(), deleted: true })).toEqual([]);
    cloud.done();
    const log = readFileSync(emulator.log, "utf8").slice(start);
    const made = callsIn(log).map((call) => {
      const [service = "", operation = ""] = call.split(":");
      return actionOf(service, operation);
    });
    expect([...new Set(made)].sort()).toEqual([...DESTROY_ACTIONS].sort());
  });
});
