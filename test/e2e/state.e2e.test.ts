import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreatePolicyVersionCommand, IAMClient, ListPolicyVersionsCommand } from "@aws-sdk/client-iam";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { App, DeliveryStack, type DeliveryStackProps, ImageRepository } from "../../constructs";
import type { Emulator } from "../../emulator";
import { applyStacks } from "../../operations/apply";
import { bootstrap } from "../../operations/bootstrap";
import { terraformOf } from "../../operations/bootstrap-terraform";
import { destroyCloud } from "../../operations/destroy-cloud";
import type { Boundary } from "../../operations/permissions-boundary";
import { backendsOf } from "../../operations/synthesized";
import { run } from "../cli/packed";
import { FaultTable } from "../cli/support/acting-faults";
import { OUTPUT_ENDS } from "../cli/support/child";
import { NO_CREDENTIALS, usePackedCli } from "../cli/support/cli";
import { FaultyDeployment } from "../support/apply-faults";
import { AwsCaller } from "../support/aws-call";
import { describeOnEmulator, resultsFolder, startAsAws, tools } from "../support/deployment";
import { FaultProxy } from "../support/faulty-endpoint";
import { typeCtrlC, typeSecondCtrlC } from "../support/in-terminal";

/** The account that the emulator is. */
const ACCOUNT = "123456789012";
const BUCKET = "antifragile-state-123456789012-eu-central-1";
const KEY = "orders-delivery/terraform.tfstate";
const BOUNDARY = `arn:aws:iam::${ACCOUNT}:policy/antifragile-staging-boundary`;
const STAGING: Boundary = { environment: "staging", account: ACCOUNT, partition: "aws", region: "eu-central-1" };

describeOnEmulator("state in S3", () => {
  const results = resultsFolder("state");
  let folder: string;
  let outdir: string;
  let emulator: Emulator;
  let s3: S3Client;

  /** Synthesizes a delivery stack into the same folder, as a repository does. */
  function synthesize(props: Partial<DeliveryStackProps>): void {
    const app = new App({ outdir });
    new ImageRepository(new DeliveryStack(app, "orders", { region: "eu-central-1", ...props }), "Images");
    app.synth();
  }

  /** Deploys as `antifragile apply` does; returns the exit code and the output. */
  async function apply(): Promise<{ outcome: number; said: string }> {
    if (!tools.terraform.found) throw new Error("needs Terraform");
    const said: string[] = [];
    const outcome = await applyStacks({
      folders: [join(outdir, "stacks", "orders-delivery")],
      manifest: { stacks: { "orders-delivery": { dependencies: [] } } },
      terraform: [tools.terraform.path],
      allowances: { delete: [], replace: [] },
      confirm: async () => true,
      print: (text) => void said.push(text),
      env: process.env,
    });
    return { outcome, said: said.join("") };
  }

  async function make(dryRun = false, boundaries: readonly Boundary[] = []): Promise<string> {
    const said: string[] = [];
    await bootstrap({
      outdir,
      backends: backendsOf(outdir, ["orders-delivery"]),
      boundaries,
      dryRun,
      print: (text) => void said.push(text),
    });
    return said.join("");
  }

  /** Asks as a plan does that deletes a bucket. */
  async function isEmpty(bucket: string): Promise<boolean> {
    const cloud = destroyCloud("eu-central-1");
    try {
      return await cloud.isEmpty("bucket", bucket);
    } finally {
      cloud.done();
    }
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-state-"));
    outdir = join(folder, "cdktf.out");
    emulator = await startAsAws(results, folder);
    s3 = new S3Client({ region: "eu-central-1" });
  });

  afterAll(async () => {
    s3?.destroy();
    vi.unstubAllEnvs();
    await emulator?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("starts as a file next to the app", async () => {
    synthesize({});
    expect(await apply()).toMatchObject({ outcome: 0 });
    expect(readdirSync(folder)).toContain("terraform.orders-delivery.tfstate");
  });

  it("does not move automatically: Terraform fails, and creates nothing twice", async () => {
    synthesize({ account: ACCOUNT, state: "s3" });
    const { outcome, said } = await apply();
    expect(outcome).toBe(1);
    expect(said).toMatch(/S3 bucket .* does not exist|Backend configuration changed/i);
  });

  it("is left as it is by a dry run of bootstrap, which shows what would change", async () => {
    const expected = `${BUCKET} in eu-central-1, account ${ACCOUNT}: would be made, public access blocked, versioned, encrypted, accessible over TLS only, old versions expire after 90 days
  orders-delivery: state would be moved to the bucket
`;
    expect(await make(true)).toBe(expected);
    expect(await make(true)).toBe(expected);
  });

  it("gets a bucket by bootstrap, which moves the file into it", async () => {
    const said = await make();
    expect(said).toContain(`${BUCKET} in eu-central-1, account ${ACCOUNT}: made`);
    expect(said).toContain("orders-delivery: state moved to the bucket");
    expect(readdirSync(folder).filter((name) => name.includes("tfstate"))).toEqual([
      "terraform.orders-delivery.tfstate.moved",
    ]);
    const state = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: KEY }));
    expect(await state.Body?.transformToString()).toContain("aws_ecr_repository");
    expect(await isEmpty(BUCKET)).toBe(false);
  });

  it("gets a bucket that is versioned, encrypted, not public, accessible over TLS only, and expires old versions", async () => {
    const of = { Bucket: BUCKET };
    expect(await s3.send(new GetBucketVersioningCommand(of))).toMatchObject({ Status: "Enabled" });
    const encryption = await s3.send(new GetBucketEncryptionCommand(of));
    expect(encryption.ServerSideEncryptionConfiguration?.Rules).toMatchObject([
      { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } },
    ]);
    const access = await s3.send(new GetPublicAccessBlockCommand(of));
    expect(Object.values(access.PublicAccessBlockConfiguration ?? {})).toEqual([true, true, true, true]);
    const { Policy } = await s3.send(new GetBucketPolicyCommand(of));
    expect(JSON.parse(Policy ?? "")).toMatchObject({
      Statement: [
        {
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ],
    });
    const { Rules } = await s3.send(new GetBucketLifecycleConfigurationCommand(of));
    expect(Rules).toMatchObject([{ Status: "Enabled", NoncurrentVersionExpiration: { NoncurrentDays: 90 } }]);
  });

  it("is not changed by a second run", async () => {
    expect(await make()).toBe(`${BUCKET} in eu-central-1, account ${ACCOUNT}: no changes\n`);
  });

  it("is used by plan and apply, without changes, because it is the same state", async () => {
    expect(await apply()).toEqual({ outcome: 0, said: expect.stringContaining("No changes.") });
  });

  it("is locked there while a run uses it: a second run is refused", async () => {
    const lock = { ID: "1", Operation: "OperationTypeApply", Who: "somebody@else", Created: "2026-01-01T00:00:00Z" };
    const place = { Bucket: BUCKET, Key: `${KEY}.tflock` };
    await s3.send(new PutObjectCommand({ ...place, Body: JSON.stringify(lock) }));
    const { outcome, said } = await apply();
    expect(outcome).toBe(1);
    expect(said).toMatch(
      /locked by somebody@else since 2026-01-01 .*; if it was killed: terraform -chdir=\S+ force-unlock 1\n/,
    );
    await s3.send(new DeleteObjectCommand(place));
    expect(await apply()).toMatchObject({ outcome: 0 });
  });

  describe("is whole after a deployment by the packed executable, behind a proxy, that meets", () => {
    const packed = usePackedCli();
    const table = new FaultTable();
    const s3State = { bucket: BUCKET, key: "orders-dev-service", region: "eu-central-1", use_lockfile: true };
    const lock = { Bucket: BUCKET, Key: `${s3State.key}.tflock` };
    let proxy: FaultProxy;
    let deployment: FaultyDeployment;
    let version = 0;

    beforeAll(async () => {
      if (!tools.terraform.found) throw new Error("needs Terraform");
      proxy = await FaultProxy.to(emulator.url, "");
      deployment = new FaultyDeployment(join(folder, "faulty"), proxy, packed.command, {
        s3: s3State,
        env: {
          ...NO_CREDENTIALS,
          TF_CLI_CONFIG_FILE: process.env.TF_CLI_CONFIG_FILE,
          TERRAFORM_BINARY_NAME: tools.terraform.path,
        },
      });
    });
    afterAll(() => proxy?.stop());
    beforeEach(() => {
      version += 1;
      proxy.fault = () => undefined;
      proxy.before = () => undefined;
      proxy.expiredKeys.clear();
    });

    /** Values of both parameters: those that are there, and those in the state; and whether it is locked. */
    async function there() {
      const aws = new AwsCaller(emulator.url);
      const found = ["first", "second"].map(async (name) => {
        const answer = await aws.call("ssm", "GetParameter", { Name: `/apply/${name}` }).catch(() => undefined);
        return Number(answer?.Parameter.Value);
      });
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: s3State.key }));
      const state = JSON.parse((await Body?.transformToString()) ?? "") as {
        resources: { name: string; instances: { attributes: { value: string } }[] }[];
      };
      const recorded = ["first", "second"].map((name) =>
        Number(state.resources.find((each) => each.name === name)?.instances[0]?.attributes.value),
      );
      const locked = await s3.send(new HeadObjectCommand(lock)).then(
        () => true,
        () => false,
      );
      return { values: await Promise.all(found), recorded, locked };
    }
    const whole = (of = version) => ({ values: [of, of], recorded: [of, of], locked: false });

    /** Deploys the version, and does first what the messages say; it completes what was cut off. */
    async function heals() {
      const said: string[] = [];
      for (let attempt = 1; attempt <= 5; attempt++) {
        const { code, text } = await deployment.run(version).ended;
        if (code === 0) {
          expect(await there()).toEqual(whole());
          return said;
        }
        said.push(text);
        const [line] = /\S*terraform\S* -chdir=\S+ (force-unlock|state push) .*/.exec(text) ?? [];
        if (line === undefined) throw new Error(text);
        const remedy = await deployment.shell(line.replace("force-unlock", "force-unlock -force")).ended;
        // The state cannot be saved where it is locked: Terraform shows the ID.
        const id = /ID: +(\S+)/.exec(remedy.text)?.[1];
        const [unlock] = /\S*terraform\S* -chdir=\S+ force-unlock(?= ID\n)/.exec(text) ?? [];
        if (id === undefined || unlock === undefined) continue;
        await deployment.shell(`${unlock} -force ${id} && ${line}`).ended;
      }
      throw new Error(said.join("\n"));
    }

    it(table.title("a reader of apply that has seen enough", "closed output"), async () => {
      expect(await deployment.run(version, { words: ["plan", "dev"] }).ended).toMatchObject({ code: 0 });
      const [[, script]] = OUTPUT_ENDS;
      const shell = ["bash", "--norc", "-c", script, "bash"];
      const { code, text } = await deployment.run(version, { words: ["apply", "dev"], shell }).ended;
      expect(code, text).toBe(0);
      expect(await there()).toEqual(whole());
    });

    it(table.title("connections that are dropped, and throttling", "dropped connections", "throttling"), async () => {
      proxy.fault = (call, nth) =>
        !/^(Put|Get)Parameter/.test(call) || nth > 2 ? undefined : nth === 1 ? "drop" : "throttle";
      expect(await heals()).toEqual([]);
    });

    it.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)(
      table.title(
        "%s while it applies: what was begun is completed, and is in the state",
        "SIGTERM",
        "SIGINT",
        "SIGHUP",
      ),
      async (signal) => {
        const interrupted = () => {
          const { child, ended } = deployment.run(version);
          deployment.duringApply(() => child.kill(signal));
          return ended;
        };
        const before = await there();
        const { code, text } = await (signal === "SIGINT"
          ? deployment.runInTerminal(version, typeCtrlC)
          : interrupted());
        expect(code, text).toBe(130);
        expect(text).toMatch(/interrupted by SIG[\s\S]*may be partly applied/);
        const values = [version, before.values[1]];
        expect(await there()).toEqual({ values, recorded: values, locked: false });
      },
    );

    it(table.title("a second Ctrl-C while it applies", "second SIGINT"), async () => {
      const { code, text } = await deployment.runInTerminal(version, typeSecondCtrlC);
      expect(code, text).toBe(130);
      expect(text).toMatch(/Ctrl-C again aborts it[\s\S]*may be partly applied/);
      await heals();
    });

    it(table.title("SIGKILL: Terraform completes it", "SIGKILL"), async () => {
      const { child, ended } = deployment.run(version);
      deployment.duringApply(async () => {
        child.kill("SIGKILL");
        await ended;
      });
      expect(await ended).toMatchObject({ code: null });
      await vi.waitFor(async () => expect(await there()).toEqual(whole()), { timeout: 60_000, interval: 200 });
    });

    it.each([
      ["init", /^GET /, { first: false, locked: false }],
      ["plan", /^GetParameter/, { first: false, locked: true }],
      ["apply", /^PutParameter .*second/, { first: true, locked: true }],
    ] as const)(
      table.title("credentials that expire at %s", "expired credentials"),
      async (step, at, { first, locked }) => {
        const before = await there();
        let expired = false;
        proxy.before = (call) => {
          expired ||= at.test(call);
          if (expired) proxy.expiredKeys.add(proxy.accessKey);
        };
        const { code, text } = await deployment.run(version).ended;
        expect(code, text).toBe(1);
        expect(text).toContain(`terraform ${step} of orders-dev-service failed`);
        expect(text).toContain("The AWS credentials have expired: renew them and run the command again.");
        expect(text.includes("The lock of the state stays"), text).toBe(locked);
        expect(await there()).toEqual({
          ...before,
          // Terraform keeps in a file what it cannot write to the state.
          values: first ? [version, before.values[1]] : before.values,
          locked,
        });
        proxy.before = () => undefined;
        proxy.expiredKeys.clear();
        if (locked) expect((await heals()).length).toBeGreaterThan(0);
      },
    );

    it(table.title("a lock that another holds", "taken lock"), async () => {
      const held = { ID: "1", Operation: "OperationTypeApply", Who: "mia@laptop", Created: "2026-01-01T00:00:00Z" };
      await s3.send(new PutObjectCommand({ ...lock, Body: JSON.stringify(held) }));
      const { code, text } = await deployment.run(version).ended;
      expect({ code, text }).toMatchObject({
        code: 1,
        text: expect.stringMatching(/locked by mia@laptop since 2026-01-01/),
      });
      expect(await there()).toMatchObject({ locked: true });
      await s3.send(new DeleteObjectCommand(lock));
    });

    it(table.title("a list of plans that is damaged", "damaged record"), async () => {
      const list = join(deployment.folder, "infra/cdktf.out/antifragile-plans.json");
      const before = await there();
      writeFileSync(list, "{");
      const { code, text } = await deployment.run(version, { words: ["apply", "dev"] }).ended;
      expect(code, text).toBe(1);
      expect(text).toContain("antifragile-plans.json is damaged: run antifragile plan dev again");
      expect(await there()).toEqual(before);
      rmSync(list);
      await heals();
    });

    it("every fault", () => expect(table.untried).toEqual([]));
  });

  it("gets by Terraform, applied by a platform team, what bootstrap creates", async () => {
    if (!tools.terraform.found) throw new Error("needs Terraform");
    synthesize({ account: ACCOUNT, state: { bucket: "acme-platform-state" } });
    const prepared = join(folder, "prepared");
    mkdirSync(prepared);
    const text = terraformOf(backendsOf(outdir, ["orders-delivery"]), [STAGING]);
    writeFileSync(join(prepared, "account.tf.json"), text);
    for (const words of [["init"], ["apply", "-auto-approve"]]) {
      const { code, stdout, stderr } = await run([tools.terraform.path, ...words, "-input=false"], prepared);
      expect(`${code} ${code === 0 ? "" : stdout + stderr}`).toBe("0 ");
    }
    expect(await make(false, [STAGING])).toBe(
      `acme-platform-state in eu-central-1, account ${ACCOUNT}: no changes\n${BOUNDARY}: no changes\n`,
    );
  });

  it("brings an older permissions boundary up to date, also one that has all versions that a policy can have", async () => {
    const iam = new IAMClient({ region: "eu-central-1" });
    const old = (number: number) =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: `s3:Get${number}`, Resource: "*" }],
      });
    for (const number of [1, 2, 3, 4]) {
      const version = { PolicyArn: BOUNDARY, PolicyDocument: old(number), SetAsDefault: true };
      await iam.send(new CreatePolicyVersionCommand(version));
    }
    const updated = `${BOUNDARY}: updated to the policy of this version of antifragile\n`;
    expect(await make(true, [STAGING])).toContain(updated.replace("updated", "would be updated"));
    expect(await make(false, [STAGING])).toContain(updated);
    expect(await make(false, [STAGING])).toContain(`${BOUNDARY}: no changes\n`);
    const { Versions } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn: BOUNDARY }));
    expect(Versions).toHaveLength(5);
    iam.destroy();
  });

  it("keeps existing statements of a bucket policy", async () => {
    const own = {
      Sid: "Ours",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:DeleteBucket",
      Resource: "arn:aws:s3:::acme-state",
    };
    const location = { LocationConstraint: "eu-central-1" } as const;
    await s3.send(new CreateBucketCommand({ Bucket: "acme-state", CreateBucketConfiguration: location }));
    expect(await isEmpty("acme-state")).toBe(true);
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [own] });
    await s3.send(new PutBucketPolicyCommand({ Bucket: "acme-state", Policy }));
    synthesize({ account: ACCOUNT, state: { bucket: "acme-state" } });
    expect(await make()).not.toContain("made");
    const told = await s3.send(new GetBucketPolicyCommand({ Bucket: "acme-state" }));
    expect(JSON.parse(told.Policy ?? "").Statement.map(({ Sid }: { Sid: string }) => Sid)).toEqual(["Ours", "TlsOnly"]);
  });

  it("is stored only in the account of the environment", async () => {
    synthesize({ account: "210987654321", state: "s3" });
    await expect(make()).rejects.toThrow(/are for account 123456789012, but orders-delivery belongs to 210987654321/);
    expect((await apply()).outcome).toBe(1);
  });
});
