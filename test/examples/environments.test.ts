import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT, stackJson, stackNames } from "../support/examples";

const tsx = createRequire(__filename).resolve("tsx/cli");
const MAIN = join(ROOT, "examples/environments/main.ts");

function synth(...words: string[]) {
  const outdir = mkdtempSync(join(tmpdir(), "antifragile-environments-"));
  const env = { ...process.env, CDKTF_OUTDIR: outdir };
  const { status, stderr } = spawnSync(process.execPath, [tsx, MAIN, ...words], { cwd: ROOT, env, encoding: "utf8" });
  return { status, stderr, outdir };
}

interface Stack {
  readonly terraform: { readonly backend: Readonly<Record<string, object>> };
  readonly provider: { readonly aws: readonly [{ readonly allowed_account_ids?: readonly string[] }] };
}

describe("the environments of the example", () => {
  const all = synth();

  it("are synthesized from one code base, except the incomplete one", () => {
    expect(all.status).toBe(0);
    const lifetimes = ["orders-ENV-data", "orders-ENV-service", "shop-ENV-platform"];
    const stacks = ["dev", "staging"].flatMap((name) => lifetimes.map((each) => each.replace("ENV", name)));
    expect(stackNames(all.outdir)).toEqual(stacks.sort());
    expect(all.stderr).toContain(
      "environment production is left out: examples/environments/environments.ts lacks production.domain.zoneId",
    );
  });

  it("differ in account, state and profile", () => {
    const of = (name: string) => stackJson(all.outdir, name) as unknown as Stack;
    const [dev, staging] = [of("shop-dev-platform"), of("shop-staging-platform")];
    expect(dev.provider.aws[0].allowed_account_ids).toBeUndefined();
    expect(staging.provider.aws[0].allowed_account_ids).toEqual(["123456789012"]);
    expect(Object.keys(dev.terraform.backend)).toEqual(["local"]);
    expect(staging.terraform.backend).toMatchObject({ s3: { key: "shop-staging-platform/terraform.tfstate" } });
  });

  it("fail by name if they are incomplete, with the missing values", () => {
    const production = synth("production");
    expect(production.status).not.toBe(0);
    expect(production.stderr).toContain("production.domain.zoneId is not filled in");
    expect(stackNames(synth("dev").outdir)).toEqual(["orders-dev-data", "orders-dev-service", "shop-dev-platform"]);
  });
});
