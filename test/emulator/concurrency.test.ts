import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Emulator, type Tools } from "../../emulator";
import { AwsCaller } from "../support/aws-call";
import { describeOnEmulator, tools } from "../support/deployment";

/** The same Python, which switches between its threads as often as it can. */
function restlessPython(folder: string): Tools {
  const { python } = tools;
  if (!python.found) return tools;
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site", "sitecustomize.py"), "import sys\nsys.setswitchinterval(1e-6)\n");
  const path = join(folder, "python");
  writeFileSync(path, `#!/bin/sh\nPYTHONPATH='${join(folder, "site")}' exec '${python.path}' "$@"\n`);
  chmodSync(path, 0o755);
  return { ...tools, python: { ...python, path } };
}

describeOnEmulator("concurrent calls", () => {
  it("do not disturb each other, though moto reads what another call changes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-concurrency-"));
    const emulator = await Emulator.start({
      log: join(folder, "emulator.log"),
      tools: restlessPython(folder),
      catalogue: false,
    });
    try {
      const aws = new AwsCaller(emulator.url);
      const AssumeRolePolicyDocument = JSON.stringify({
        Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
      });
      const failed: string[] = [];
      const createRoles = async (worker: number) => {
        for (let i = 0; i < 30; i++) {
          await aws
            .call("iam", "CreateRole", { RoleName: `role-${worker}-${i}`, AssumeRolePolicyDocument })
            .catch((error) => failed.push(String(error)));
        }
      };
      await Promise.all(Array.from({ length: 12 }, (_, worker) => createRoles(worker)));
      expect(failed).toEqual([]);
      expect(readFileSync(emulator.log, "utf8")).not.toContain("Traceback");
    } finally {
      await emulator.stop();
    }
  });

  it("that repeat an answered call, as an SDK does if the connection breaks, receive its answer", async () => {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-concurrency-"));
    const emulator = await Emulator.start({ log: join(folder, "emulator.log"), tools, catalogue: false });
    try {
      const create = (invocation: string) =>
        fetch(emulator.url, {
          method: "POST",
          body: JSON.stringify({ logGroupName: "/orders" }),
          headers: {
            authorization:
              "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/logs/aws4_request, SignedHeaders=host",
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": "Logs_20140328.CreateLogGroup",
            "amz-sdk-invocation-id": invocation,
          },
        });
      const statuses = [];
      for (const invocation of ["one", "one", "other"]) statuses.push((await create(invocation)).status);
      expect(statuses).toEqual([200, 200, 400]);
    } finally {
      await emulator.stop();
    }
  });
});
