import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Deployment, deploy, describeOnEmulator } from "../support/deployment";

// What the emulator adds to moto, seen by the real provider: one of each resource that needs it.
describeOnEmulator("the fakes for the AWS provider", () => {
  let app: Deployment;

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-faked-"));
    const stack = join(folder, "stacks/faked");
    mkdirSync(stack, { recursive: true });
    cpSync(join(__dirname, "fixtures/faked.tf"), join(stack, "main.tf"));
    const program = {
      terraform: { required_providers: { aws: { source: "hashicorp/aws", version: "5.100.0" } } },
      provider: { aws: [{ region: "eu-central-1" }] },
    };
    writeFileSync(join(stack, "cdk.tf.json"), JSON.stringify(program));
    app = await deploy(folder, { name: "faked", stacks: ["faked"] });
  });

  afterAll(() => app?.end());

  test("applies", () => expect(app.apply()).resolves.toBeUndefined());

  test("have an empty plan", () => expect(app.expectNoDrift()).resolves.toBeUndefined());

  test("are destroyed completely", async () => {
    await app.destroy();
    await expect(app.expectNothingLeft([])).resolves.toBeUndefined();
  });
});
