import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  type ReleaseCommandContext,
  runAdminCommand,
  runMigrate,
  runRelease,
  runReleases,
  runRollback,
  userName,
} from "../../operations/release/commands";
import type { FoundStack } from "../../operations/release/find";
import { exitCodeOf } from "../support/exit-code";
import { FakeCloud, fakeWorld, image, template } from "./support/fake-cloud";

const folder = mkdtempSync(join(tmpdir(), "antifragile-release-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A repository that was synthesized: names of stacks with the services of each. */
function repository(name: string, stacks: Readonly<Record<string, readonly string[]>>): string {
  const root = join(folder, name);
  const outdir = join(root, "infra", "cdktf.out");
  for (const [stack, services] of Object.entries(stacks)) {
    mkdirSync(join(outdir, "stacks", stack), { recursive: true });
    const [own = "", environment = ""] = stack.split("-");
    const parameters = services.map((service) => [
      service,
      { name: `/antifragile/${environment}/shop/releases/${own}/processes/${service}` },
    ]);
    const program = {
      provider: { aws: [{ region: "eu-west-1" }] },
      resource: { aws_ssm_parameter: { other: { name: "/other" }, ...Object.fromEntries(parameters) } },
    };
    writeFileSync(join(outdir, "stacks", stack, "cdk.tf.json"), JSON.stringify(program));
  }
  const manifest = { stacks: Object.fromEntries(Object.keys(stacks).map((stack) => [stack, { dependencies: [] }])) };
  writeFileSync(join(outdir, "manifest.json"), JSON.stringify(manifest));
  return root;
}

const orders = repository("orders", {
  "orders-dev-data": [],
  "orders-dev-service": ["orders"],
  "orders-staging-service": ["orders"],
});
const two = repository("two", { "orders-dev-service": ["orders"], "mails-dev-service": ["mailer"] });

const account = () => new FakeCloud({ orders: template("orders", { admin: { seed: ["node", "seed.js"] } }) });

interface Options {
  readonly cwd?: string;
  readonly cloud?: FakeCloud;
  /** Accounts of their own, by stack. */
  readonly clouds?: Readonly<Record<string, FakeCloud>>;
}

/** A command against an account in memory: what it said, how it ended, and where it looked. */
async function call(
  run: (context: ReleaseCommandContext) => Promise<number>,
  args: readonly string[],
  { cwd = orders, cloud = account(), clouds = {} }: Options = {},
) {
  const printed: string[] = [];
  const errors: string[] = [];
  let place: FoundStack | undefined;
  const context: ReleaseCommandContext = {
    args,
    cwd,
    print: (text) => printed.push(text),
    contextOf: (found, print) => {
      place = found;
      return { ...fakeWorld(clouds[found.stack] ?? cloud), place: found, print };
    },
  };
  const code = await exitCodeOf(() => run(context), errors);
  return { code, text: printed.join(""), errors: errors.join(""), place, cloud };
}

describe("the stack of a release", () => {
  it("is found in the synthesized app, by the environment", async () => {
    const { code, place, text } = await call(runRelease, ["dev", "--image", image("a")]);
    expect(code).toBe(0);
    expect(place).toEqual({ environment: "dev", platform: "shop", stack: "orders", region: "eu-west-1" });
    expect(text).toContain("release 1 is live");
  });

  it("is required if there are several stacks", async () => {
    expect((await call(runReleases, ["dev"], { cwd: two })).errors).toContain("name one of mails, orders by --stack");
    expect((await call(runReleases, ["dev", "--stack", "mails"], { cwd: two })).place).toMatchObject({
      stack: "mails",
    });
    expect(await call(runReleases, ["dev", "--stack", "other"], { cwd: two })).toMatchObject({
      code: 2,
      errors: expect.stringContaining("stack other does not exist in dev; its stacks are: mails, orders"),
    });
  });

  it("needs no repository if it is named", async () => {
    const flags = ["--stack", "orders", "--platform", "shop", "--region", "eu-central-1"];
    expect((await call(runReleases, ["dev", ...flags], { cwd: folder })).place).toEqual({
      environment: "dev",
      platform: "shop",
      stack: "orders",
      region: "eu-central-1",
    });
    expect(await call(runReleases, ["dev", "--region", "eu-central-1"])).toMatchObject({ code: 2 });
  });

  it("is not found outside of a repository", async () => {
    expect(await call(runReleases, ["dev"], { cwd: folder })).toMatchObject({
      code: 2,
      errors: expect.stringContaining("no infra/main.ts"),
    });
  });
});

describe("a release of several stacks", () => {
  const clouds = () => ({
    mails: new FakeCloud({ mailer: template("mailer", { source: "mails" }) }),
    orders: new FakeCloud({ orders: template("orders") }),
  });

  it("assigns each its own images, and stops at the first failure", async () => {
    const all = clouds();
    const images = ["--image", image("a", "mails"), "--image", image("b")];
    const { code, text } = await call(runRelease, ["dev", ...images], { cwd: two, clouds: all });
    expect(code).toBe(0);
    expect(text).toMatch(
      /release 1 of mails to dev: sha256:aaaaaaaa[\s\S]*release 1 of orders to dev: sha256:bbbbbbbb/,
    );
    all.mails.ways.set("mailer shop-dev-mailer:3", () => ({ state: "failed", reason: "x" }));
    const again = ["--image", image("c", "mails"), "--image", image("d")];
    expect((await call(runRelease, ["dev", ...again], { cwd: two, clouds: all })).code).toBe(1);
    expect(all.orders.runs.get("orders")).toBe("shop-dev-orders:2");
  });

  it("skips stacks without the image, and reports if no stack has it", async () => {
    const all = clouds();
    const { code, text } = await call(runRelease, ["dev", "--image", image("b")], { cwd: two, clouds: all });
    expect({ code, text }).toMatchObject({
      code: 0,
      text: expect.stringContaining("mails has nothing of these images"),
    });
    expect(all.mails.calls).toEqual([]);
    const other = await call(runRelease, ["dev", "--image", image("a", "other")], { cwd: two, clouds: all });
    expect(other).toMatchObject({ code: 2, errors: expect.stringContaining("no stack of the environment has") });
  });
});

describe("a command line", () => {
  it.each([runRelease, runRollback, runMigrate, runReleases, runAdminCommand])(
    "reports the allowed arguments: %o",
    async (run) => {
      const { code, text, place } = await call(run, ["--help"]);
      expect(code).toBe(0);
      expect(text).toMatch(/^Usage: antifragile \w+ <environment>/);
      expect(place).toBeUndefined();
    },
  );

  it.each([
    [runRelease, []],
    [runRelease, ["dev", "staging"]],
    [runRelease, ["dev", "--imgae", image("a")]],
    [runRollback, ["dev", "--to", "first"]],
    [runReleases, ["dev", "--unlock"]],
    [runAdminCommand, ["dev"]],
  ] as const)("that is invalid changes nothing and exits with 2: %o %j", async (run, args) => {
    const { code, cloud } = await call(run, args);
    expect(code).toBe(2);
    expect(cloud.calls).toEqual([]);
  });

  it("passes everything after -- to the admin process, including flags", async () => {
    const cloud = new FakeCloud({ orders: template("orders", { admin: { seed: ["node", "seed.js"] } }) });
    await call(runRelease, ["dev", "--image", image("a")], { cloud });
    cloud.ending = { exitCode: 4 };
    const { code } = await call(runAdminCommand, ["dev", "seed", "--", "--help", "--stack", "x"], { cloud });
    expect(code).toBe(4);
    expect(cloud.calls.at(-1)).toBe("run orders shop-dev-orders:2 node seed.js --help --stack x");
  });

  it("reports an AWS error as such", async () => {
    const cloud = new FakeCloud({ orders: template("orders") });
    cloud.processes = async () => {
      throw Object.assign(new Error("not authorized to perform: ssm:GetParametersByPath"), {
        name: "AccessDeniedException",
        $metadata: {},
      });
    };
    expect(await call(runReleases, ["dev"], { cloud })).toMatchObject({
      code: 1,
      errors: expect.stringContaining("✖ AWS: AccessDeniedException: not authorized"),
    });
  });
});

it("determines the user from the CI system, or else from the computer", () => {
  expect(userName({ USER: "max", GITHUB_ACTOR: "mia" })).toBe("mia");
  expect(userName({ USER: "max", GITHUB_ACTOR: "" })).toBe("max");
  expect(userName({})).toBe("unknown");
});
