import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runShip, type ShipContext } from "../../bin/ship";
import { FakeCloud, fakeWorld, image, template } from "../operations/support/fake-cloud";
import { exitCodeOf } from "../support/exit-code";

const folder = mkdtempSync(join(tmpdir(), "antifragile-ship-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A repository whose `dev` has its state in a file, and whose `staging` has it in S3. */
function repository(name: string, script = true): string {
  const root = join(folder, name);
  const outdir = join(root, "infra", "cdktf.out");
  for (const environment of ["dev", "staging"]) {
    const stack = join(outdir, "stacks", `orders-${environment}-service`);
    mkdirSync(stack, { recursive: true });
    const parameter = { name: `/antifragile/${environment}/shop/releases/orders/processes/orders` };
    const program = {
      provider: { aws: [{ region: "eu-west-1", default_tags: [{ tags: { Environment: environment } }] }] },
      terraform: { backend: environment === "dev" ? { local: {} } : { s3: { bucket: "b", region: "eu-west-1" } } },
      resource: { aws_ssm_parameter: { orders: parameter } },
    };
    writeFileSync(join(stack, "cdk.tf.json"), JSON.stringify(program));
  }
  const stacks = { "orders-dev-service": { dependencies: [] }, "orders-staging-service": { dependencies: [] } };
  writeFileSync(join(outdir, "manifest.json"), JSON.stringify({ stacks }));
  symlinkSync(join(__dirname, "../../node_modules"), join(root, "node_modules"));
  if (script) {
    mkdirSync(join(root, "scripts"));
    writeFileSync(join(root, "scripts", "image.ts"), "");
  }
  return root;
}

const REPOSITORY = repository("orders");

interface Options {
  readonly cwd?: string;
  readonly ci?: string;
  readonly built?: number;
}

async function ship(args: readonly string[], { cwd = REPOSITORY, ci = "none", built = 0 }: Options = {}) {
  const cloud = new FakeCloud({ orders: template("orders") });
  const builds: string[] = [];
  const errors: string[] = [];
  const context: ShipContext = {
    args,
    cwd,
    print: () => undefined,
    readText: async () => JSON.stringify({ ci }),
    contextOf: (place, print) => ({ ...fakeWorld(cloud), place, print }),
    build: async (command, where) => {
      builds.push(command.slice(2).join(" ").replace(where, "."));
      writeFileSync(join(where, "image.txt"), `${image("a")}\n`);
      return built;
    },
  };
  const code = await exitCodeOf(() => runShip(context), errors);
  return { code, builds, errors: errors.join(""), calls: cloud.calls };
}

describe("ship", () => {
  it("builds the files as they are, and releases the image", async () => {
    const { code, builds, calls } = await ship(["dev"], { ci: "gitlab" });
    expect([code, builds]).toEqual([0, ["./scripts/image.ts --uncommitted"]]);
    expect(calls.at(-1)).toBe("record live 1");
  });

  it("releases nothing that was not built, or was interrupted", async () => {
    for (const [built, code] of [
      [1, 1],
      [130, 130],
    ] as const) {
      expect(await ship(["dev"], { built })).toMatchObject({ code, calls: [] });
    }
  });

  it("builds nothing for an environment that a pipeline deploys, unless it is allowed", async () => {
    const refused = await ship(["staging"], { ci: "gitlab" });
    expect(refused).toMatchObject({ code: 3, builds: [], calls: [] });
    expect(refused.errors).toContain("staging is deployed by a pipeline (gitlab), from commits");
    expect(await ship(["staging", "--beside-pipeline"], { ci: "gitlab" })).toMatchObject({ code: 0 });
    expect(await ship(["staging"], { ci: "none" })).toMatchObject({ code: 0 });
  });

  it("builds nothing in a repository without an image", async () => {
    const refused = await ship(["dev"], { cwd: repository("platform", false) });
    expect(refused).toMatchObject({ code: 2, builds: [], errors: expect.stringContaining("no scripts/image.ts") });
  });
});
