import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runApply, runPlan } from "../../operations/saved-plans-command";
import { BucketAndParameters } from "../support/bucket-and-parameters";
import { exitCodeOf } from "../support/exit-code";
import { git as gitIn } from "./support/versions";

const PARAMETER = "/antifragile/staging/shop/releases/orders/commit";
const PROCESS = "/antifragile/staging/shop/releases/orders/processes/web";
const BUCKET = "antifragile-state-123456789012-eu-central-1";

/** A Terraform that plans a change, and notes what it applies. */
const TERRAFORM = `#!/usr/bin/env node
const { appendFileSync, readFileSync, writeFileSync } = require("node:fs");
const [command] = process.argv.slice(2);
if (command === "plan") {
  const out = process.argv.find((each) => each.startsWith("-out="));
  writeFileSync(out.slice(5), "planned by " + process.env.MACHINE);
  process.exit(2);
}
if (command === "show") console.log(JSON.stringify({ format_version: "1.2", planned_values: {}, resource_changes: [] }));
if (command === "apply") {
  if (process.env.FAILING) process.exit(1);
  appendFileSync(process.env.APPLIED, readFileSync(process.argv.at(-1), "utf8") + "\\n");
}
`;

/** Backends of the repositories, by folder. */
const backends = new Map<string, object>();

// Synthesis has tests of its own. Files of this project have processes of their own, which replaced modules need.
vi.mock("../../operations/synth", async (original) => ({
  ...(await original<typeof import("../../operations/synth")>()),
  synthesize: async (repository: string) => {
    const outdir = join(repository, "infra", "cdktf.out");
    const folder = join(outdir, "stacks", "orders-staging-service");
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(outdir, "manifest.json"),
      JSON.stringify({ stacks: { "orders-staging-service": { dependencies: [] } } }),
    );
    writeFileSync(
      join(folder, "cdk.tf.json"),
      JSON.stringify({
        terraform: { backend: backends.get(repository) },
        provider: { aws: [{ region: "eu-central-1" }] },
        resource: { aws_ssm_parameter: { web: { name: PROCESS } } },
      }),
    );
    return outdir;
  },
}));

const S3 = { s3: { bucket: BUCKET, region: "eu-central-1", key: "orders-staging-service/terraform.tfstate" } };

describe("plans that pass from one machine to another", () => {
  const aws = new BucketAndParameters();
  let folder: string;
  let printed: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-transfer-"));
    printed = [];
    aws.objects.clear();
    aws.parameters.clear();
    const program = join(folder, "terraform");
    writeFileSync(program, TERRAFORM);
    chmodSync(program, 0o755);
    for (const [name, value] of Object.entries({
      AWS_ENDPOINT_URL: await aws.start(),
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_MAX_ATTEMPTS: "1",
      TERRAFORM_BINARY_NAME: program,
      APPLIED: join(folder, "applied"),
    }))
      vi.stubEnv(name, value);
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    aws.stop();
    rmSync(folder, { recursive: true });
  });

  const applied = () => (existsSync(join(folder, "applied")) ? readFileSync(join(folder, "applied"), "utf8") : "");

  /** A clone on a machine of its own. */
  function machine(name: string, state: object = S3) {
    const root = join(folder, name);
    mkdirSync(join(root, "infra"), { recursive: true });
    backends.set(root, state);
    const run =
      (command: typeof runPlan | typeof runApply) =>
      (...words: string[]) => {
        vi.stubEnv("MACHINE", name);
        const context = { args: ["staging", ...words], cwd: root, print: (text: string) => void printed.push(text) };
        return exitCodeOf(() => command(context), printed);
      };
    return { root, plan: run(runPlan), apply: run(runApply) };
  }

  /** History of a branch: its commits, from the oldest. */
  function history(root: string): string[] {
    const git = (...words: string[]) => gitIn(root, ...words);
    git("init", "--quiet");
    return ["first", "second"].map((message) => {
      git("commit", "--quiet", "--allow-empty", "-m", message);
      return git("rev-parse", "HEAD").trim();
    });
  }

  it("are applied exactly as planned elsewhere, once", async () => {
    const [first, second] = [machine("first"), machine("second")];
    expect(await first.plan("--upload", "100-1")).toBe(0);
    expect([...aws.objects.keys()]).toEqual([`/${BUCKET}/orders-staging-service/plans/100-1.tgz`]);
    // Plans of its own are replaced by those that were approved.
    expect(await second.plan()).toBe(0);
    expect(await second.apply("--download", "100-1", "--only-saved")).toBe(0);
    expect(applied()).toBe("planned by first\n");
    expect(aws.objects.size).toBe(0);
    expect(await second.apply("--download", "100-1", "--only-saved")).toBe(1);
    expect(printed.join("")).toMatch(/no plans of staging with the id 100-1 .*plan again/);
    expect(applied()).toBe("planned by first\n");
  });

  it("are kept where applying fails, and never replaced", async () => {
    const { plan, apply } = machine("first");
    expect(await plan("--upload", "7")).toBe(0);
    vi.stubEnv("FAILING", "1");
    expect(await apply("--download", "7")).toBe(1);
    expect(aws.objects.size).toBe(1);
    expect(await plan("--upload", "7")).toBe(1);
    expect(printed.join("")).toMatch(/plans of staging with the id 7 exist already/);
  });

  it("need a bucket, and an id that is a plain word", async () => {
    expect(await machine("local", { local: {} }).plan("--upload", "7")).toBe(2);
    expect(printed.join("")).toMatch(/keeps its state in files/);
    expect(await machine("first").plan("--upload", "../7")).toBe(2);
    expect(await machine("first").apply("--download", "a b")).toBe(2);
  });

  it("are refused for a commit that the applied one contains; the newest and the same again are not", async () => {
    const { root, plan, apply } = machine("first");
    const [older = "", newer = ""] = history(root);
    for (const commit of [older, newer, newer]) {
      expect(await plan("--commit", commit)).toBe(0);
      expect(await apply("--commit", commit)).toBe(0);
      expect(aws.parameters.get(PARAMETER)).toBe(commit);
    }
    const before = applied();
    // A run that was repeated.
    expect(await plan("--commit", older)).toBe(1);
    expect(printed.join("")).toMatch(/commit \w{12} is older than \w{12}, which staging has: nothing was changed/);
    // One whose approval came late.
    expect(await plan()).toBe(0);
    expect(await apply("--commit", older)).toBe(1);
    expect([applied(), aws.parameters.get(PARAMETER)]).toEqual([before, newer]);
  });

  it("are not refused where the applied commit is in no clone, as after a rewritten history", async () => {
    const { root, plan } = machine("first");
    const [, newer = ""] = history(root);
    aws.parameters.set(PARAMETER, "f".repeat(40));
    expect(await plan("--commit", newer)).toBe(0);
    expect(printed.join("")).toContain("is not in this clone");
    expect(await plan("--commit", "main")).toBe(2);
  });

  it("record no commit whose plans were not applied", async () => {
    const { root, plan, apply } = machine("first");
    const [commit = ""] = history(root);
    expect(await plan("--commit", commit)).toBe(0);
    vi.stubEnv("FAILING", "1");
    expect(await apply("--commit", commit)).toBe(1);
    expect(aws.parameters.size).toBe(0);
  });
});
