import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { applySavedPlans, savePlans } from "../../operations/saved-plans";
import { runApply, runPlan } from "../../operations/saved-plans-command";
import { exitCodeOf } from "../support/exit-code";
import { TAKES_NEEDED } from "./support/live-release";

/** A Terraform that is none: it plans what `fake.json` says, and notes how it was called. */
const SCRIPT = `
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require("node:fs");
const { basename } = require("node:path");
const fake = JSON.parse(readFileSync("fake.json", "utf8"));
const [command] = process.argv.slice(2);
appendFileSync("../../calls", basename(process.cwd()) + " " + command + "\\n");
const out = process.argv.find((each) => each.startsWith("-out="))?.slice(5);
// Terraform writes a plan as readable as any file, also where it fails.
if (command === "plan") {
  const targets = process.argv.filter((each) => each.startsWith("-target=")).map((each) => " for " + each.slice(8));
  writeFileSync(out, "plan of " + basename(process.cwd()) + targets.join(""), { mode: 0o644 });
  process.exit(fake.plan ?? 2);
}
if (command === "apply") appendFileSync("../../applied", readFileSync(process.argv.at(-1), "utf8") + "\\n");
if (command === "show") {
  const kept = existsSync("kept.tf.json") ? JSON.parse(readFileSync("kept.tf.json", "utf8")).resource : {};
  const changes = (fake.changes ?? []).filter(({ address }) => {
    const [type, name] = address.split(".");
    return kept[type]?.[name] === undefined;
  });
  const resource_changes = changes.map(({ address, actions, before }) => ({
    address, type: address.split(".")[0], change: { actions, before },
  }));
  console.log(JSON.stringify({ format_version: "1.2", planned_values: {}, resource_changes }));
}
process.exit(fake[command] ?? 0);
`;

interface Fake {
  readonly plan?: number;
  readonly apply?: number;
  readonly changes?: readonly {
    readonly address: string;
    readonly actions: readonly string[];
    readonly before?: object;
  }[];
}

const DELETED = { address: "aws_ssm_parameter.Search", actions: ["delete"] };
const CREATED = { address: "aws_ssm_parameter.Reports", actions: ["create"] };

const DEPENDENCIES = {
  "orders-delivery": [],
  "shop-staging-platform": [],
  "audit-staging-data": [],
  "orders-staging-service": ["shop-staging-platform"],
};
const REPLACED = [{ address: "aws_ecs_service.A", actions: ["delete", "create"] }];

function synthesized(fakes: Readonly<Record<string, Fake>>) {
  const outdir = mkdtempSync(join(tmpdir(), "antifragile-plans-"));
  writeFileSync(join(outdir, "terraform.cjs"), SCRIPT);
  const stacks = Object.fromEntries(
    Object.entries(DEPENDENCIES).map(([name, dependencies]) => [name, { dependencies }]),
  );
  writeFileSync(join(outdir, "manifest.json"), JSON.stringify({ stacks }));
  for (const name of Object.keys(stacks)) {
    mkdirSync(join(outdir, "stacks", name), { recursive: true });
    writeFileSync(join(outdir, "stacks", name, "fake.json"), JSON.stringify(fakes[name] ?? { plan: 0 }));
  }
  const printed: string[] = [];
  const filled: string[] = [];
  const options = {
    outdir,
    cloudOf: () => ({
      isEmpty: async (_: unknown, name: string) => !filled.includes(name),
      usersOf: async () => [],
      done: () => undefined,
    }),
    environment: "staging",
    terraform: [process.execPath, join(outdir, "terraform.cjs")] as const,
    print: (text: string) => void printed.push(text),
    env: process.env,
  };
  const calls = () => {
    const file = join(outdir, "calls");
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    rmSync(file, { force: true });
    return lines;
  };
  const quiet = async <T>(work: () => Promise<T>) => {
    const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      return await work();
    } finally {
      stderr.mockRestore();
    }
  };
  return {
    outdir,
    calls,
    text: () => printed.join(""),
    /** Plans in the folders of the stacks, with their modes. */
    kept: () =>
      readdirSync(join(outdir, "stacks")).flatMap((name) => {
        const file = join(outdir, "stacks", name, "antifragile.tfplan");
        return existsSync(file) ? [`${name} ${(statSync(file).mode & 0o777).toString(8)}`] : [];
      }),
    plan: (allowances = { delete: [] as string[], replace: [] as string[] }) =>
      quiet(() => savePlans({ ...options, allowances })),
    fill: (name: string) => void filled.push(name),
    apply: (onlySaved = false, environment = "staging") =>
      quiet(() => applySavedPlans({ ...options, environment, onlySaved })),
    rewrite: (name: string, fake: Fake) =>
      writeFileSync(join(outdir, "stacks", name, "fake.json"), JSON.stringify(fake)),
  };
}

describe("saved plans", () => {
  it("are created for each stack of the environment, never for delivery, and change nothing", async () => {
    const { plan, calls } = synthesized({ "orders-staging-service": {} });
    expect(await plan()).toBe(0);
    const made = calls();
    expect(new Set(made.map((call) => call.split(" ")[0]))).toEqual(
      new Set(["shop-staging-platform", "audit-staging-data", "orders-staging-service"]),
    );
    expect(made.some((call) => call.endsWith("apply"))).toBe(false);
  });

  it("are applied unchanged, and nothing is planned again", async () => {
    const { plan, apply, calls, kept, outdir } = synthesized({
      "orders-staging-service": {},
      "audit-staging-data": {},
    });
    await plan();
    calls();
    expect(await apply(true)).toBe(0);
    expect(calls()).toEqual([
      "audit-staging-data init",
      "audit-staging-data apply",
      "orders-staging-service init",
      "orders-staging-service apply",
    ]);
    expect(readFileSync(join(outdir, "applied"), "utf8")).toBe(
      "plan of audit-staging-data\nplan of orders-staging-service\n",
    );
    expect(kept()).toEqual([]);
  });

  it("are kept where only the user can read them, and only if all of them passed", async () => {
    const passed = synthesized({ "audit-staging-data": {}, "orders-staging-service": {} });
    expect(await passed.plan()).toBe(0);
    expect(passed.kept()).toEqual(["audit-staging-data 600", "orders-staging-service 600"]);
    for (const fake of [{ changes: REPLACED }, { plan: 1 }]) {
      passed.rewrite("orders-staging-service", fake);
      expect(await passed.plan()).not.toBe(0);
      expect(passed.kept()).toEqual([]);
    }
  });

  it("are not applied to a stack whose last apply could not save its state", async () => {
    const { plan, apply, calls, text, outdir } = synthesized({ "orders-staging-service": {} });
    expect(await plan()).toBe(0);
    calls();
    writeFileSync(join(outdir, "stacks/orders-staging-service/errored.tfstate"), "{}");
    expect(await apply()).toBe(1);
    expect(calls()).toEqual([]);
    expect(text()).toMatch(/could not save its state.*state push errored\.tfstate.*force-unlock ID/s);
  });

  it("defer stacks that depend on a change, which are then planned and pass the gate too", async () => {
    const { plan, apply, calls, text } = synthesized({ "shop-staging-platform": {}, "orders-staging-service": {} });
    expect(await plan()).toBe(0);
    expect(calls()).not.toContain("orders-staging-service plan");
    expect(text()).toContain("is planned after shop-staging-platform has been applied");
    expect(await apply()).toBe(0);
    expect(calls()).toEqual([
      "shop-staging-platform init",
      "shop-staging-platform apply",
      ...["init", "plan", "show", "apply"].map((command) => `orders-staging-service ${command}`),
    ]);
  });

  describe("of a stack whose deletions others still use", () => {
    const steps = (outdir: string) => readFileSync(join(outdir, "applied"), "utf8").trim().split("\n");

    it("are applied after those of the stacks that depend on it, as they were approved", async () => {
      const { plan, apply, calls, outdir } = synthesized({
        "shop-staging-platform": { changes: [DELETED] },
        "orders-staging-service": {},
      });
      expect(await plan()).toBe(0);
      calls();
      expect(await apply(true)).toBe(0);
      expect(calls().filter((call) => call.endsWith(" plan"))).toEqual([]);
      expect(steps(outdir)).toEqual(["plan of orders-staging-service", "plan of shop-staging-platform"]);
    });

    it("wait for the next release while a live one needs access that goes with them", async () => {
      const { plan, apply, outdir, text } = synthesized({
        "shop-staging-platform": { changes: [DELETED] },
        "orders-staging-service": { changes: TAKES_NEEDED },
      });
      expect(await plan()).toBe(0);
      expect(text()).toContain("Kept until the next release of orders");
      expect(await apply(true)).toBe(0);
      expect(text()).toContain("Deletes nothing yet: a live release of orders-staging-service may still use it.");
      expect(steps(outdir)).toEqual(["plan of orders-staging-service"]);
    });

    it("leave the deletions for last if there are other changes", async () => {
      const { plan, apply, outdir, text } = synthesized({
        "shop-staging-platform": { changes: [DELETED, CREATED] },
        "orders-staging-service": {},
      });
      expect(await plan()).toBe(0);
      expect(text()).toContain("Deleted after orders-staging-service, where it may still be used:");
      expect(await apply()).toBe(0);
      expect(steps(outdir)).toEqual([
        "plan of shop-staging-platform for aws_ssm_parameter.Reports",
        "plan of orders-staging-service",
        "plan of shop-staging-platform",
      ]);
    });

    it("leave them for last, too, where they could only be planned after another stack was applied", async () => {
      const { plan, apply, outdir, rewrite } = synthesized({
        "shop-staging-platform": { changes: [CREATED] },
        "orders-staging-service": {},
      });
      expect(await plan()).toBe(0);
      rewrite("orders-staging-service", { changes: [DELETED] });
      expect(await apply()).toBe(0);
      expect(steps(outdir)).toEqual(["plan of shop-staging-platform", "plan of orders-staging-service"]);
    });
  });

  it("check deferred stacks with the gate too", async () => {
    const { plan, apply, calls } = synthesized({
      "shop-staging-platform": {},
      "orders-staging-service": { changes: REPLACED },
    });
    await plan();
    expect(await apply()).toBe(3);
    expect(calls()).not.toContain("orders-staging-service apply");
  });

  it("are the only plans applied after an approval", async () => {
    const { plan, apply, calls, text } = synthesized({ "shop-staging-platform": {}, "orders-staging-service": {} });
    await plan();
    expect(await apply(true)).toBe(1);
    expect(calls()).toContain("shop-staging-platform apply");
    expect(text()).toContain("has changes that were not approved");
    const unchanged = synthesized({ "shop-staging-platform": {}, "orders-staging-service": { plan: 0 } });
    await unchanged.plan();
    expect(await unchanged.apply(true)).toBe(0);
  });

  it("are not saved if the gate refuses one; a saved allowance also applies to deferred stacks", async () => {
    const refused = synthesized({ "orders-staging-service": { changes: REPLACED } });
    expect(await refused.plan()).toBe(3);
    await expect(refused.apply()).rejects.toThrow(/no plans in/);
    const allowances = { delete: [], replace: ["aws_ecs_service.A"] };
    const allowed = synthesized({ "shop-staging-platform": {}, "orders-staging-service": { changes: REPLACED } });
    expect(await allowed.plan(allowances)).toBe(0);
    expect(await allowed.apply()).toBe(0);
  });

  it("are not saved or applied if they delete a bucket that holds objects", async () => {
    const allowances = { delete: ["aws_s3_bucket.Files"], replace: [] };
    const fake = { changes: [{ address: "aws_s3_bucket.Files", actions: ["delete"], before: { bucket: "files" } }] };
    const full = synthesized({ "orders-staging-service": fake });
    full.fill("files");
    expect(await full.plan(allowances)).toBe(3);
    expect(full.kept()).toEqual([]);
    expect(full.text()).toContain("aws_s3_bucket.Files holds objects, in bucket files\n");
    const later = synthesized({ "shop-staging-platform": {}, "orders-staging-service": fake });
    later.fill("files");
    expect(await later.plan(allowances)).toBe(0);
    expect(await later.apply()).toBe(3);
    expect(later.calls()).not.toContain("orders-staging-service apply");
  });

  it("report unneeded allowances", async () => {
    const { plan, text } = synthesized({});
    await plan({ delete: ["aws_kms_key.B"], replace: [] });
    expect(text()).toContain("--allow-delete aws_kms_key.B was not needed");
  });

  it.each([
    ["plan", { plan: 1 }, 1],
    ["apply", { apply: 1 }, 1],
  ])("end with 1 when terraform %s fails", async (_, fake, code) => {
    const { plan, apply } = synthesized({ "orders-staging-service": fake });
    expect(((await plan()) as number) || (await apply())).toBe(code);
  });

  it("are not applied to another environment, nor when one of them is missing, nor for other stacks", async () => {
    const { plan, apply, outdir } = synthesized({ "orders-staging-service": {} });
    await plan();
    await expect(apply(false, "production")).rejects.toThrow(/are of staging, not of production/);
    rmSync(join(outdir, "stacks/orders-staging-service/antifragile.tfplan"));
    await expect(apply()).rejects.toThrow(/plan of orders-staging-service is gone/);
    const stacks = { "orders-staging-service": { dependencies: [] } };
    writeFileSync(join(outdir, "manifest.json"), JSON.stringify({ stacks }));
    await expect(apply()).rejects.toThrow(/other stacks/);
  });

  it("require an existing environment", async () => {
    const { outdir } = synthesized({});
    const options = { outdir, environment: "test", terraform: ["terraform"] as const, print: () => undefined, env: {} };
    await expect(savePlans({ ...options, allowances: { delete: [], replace: [] } })).rejects.toThrow(
      /has no environment "test"/,
    );
  });
});

describe("the commands", () => {
  const call = (...args: string[]) => ({ args, print: () => undefined, cwd: tmpdir() });

  it("accept one environment, and known flags", async () => {
    const plan = (...args: string[]) => exitCodeOf(() => runPlan(call(...args)));
    const apply = (...args: string[]) => exitCodeOf(() => runApply(call(...args)));
    expect(await plan()).toBe(2);
    expect(await plan("staging", "production")).toBe(2);
    expect(await plan("staging", "--auto-approve")).toBe(2);
    expect(await apply()).toBe(2);
    expect(await apply("staging", "--allow-delete", "a.b")).toBe(2);
    expect(await apply("staging")).toBe(2);
  });

  it("report the allowed arguments", async () => {
    const said: string[] = [];
    const print = (text: string) => void said.push(text);
    expect(await runPlan({ args: ["--help"], print, cwd: "." })).toBe(0);
    expect(await runApply({ args: ["-h"], print, cwd: "." })).toBe(0);
    expect(said.join("")).toMatch(/antifragile plan <environment>.*antifragile apply <environment>/s);
  });
});
