import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Emulator, findTools, missingTools } from "../../emulator";
import { describeProgress, emulatorOverride, forEmulator, type TerraformProgram } from "../../emulator/terraform";
import { AwsCaller, field } from "../support/aws-call";
import { describeOnEmulator, tools } from "../support/deployment";

const temporary = () => mkdtempSync(join(tmpdir(), "antifragile-emulator-"));

describeOnEmulator("an emulator", () => {
  let emulator: Emulator;
  let aws: AwsCaller;
  let folder: string;

  beforeAll(async () => {
    folder = temporary();
    emulator = await Emulator.start({
      log: join(folder, "logs/emulator.log"),
      calls: join(folder, "calls"),
      tools,
      catalogue: false,
    });
    aws = new AwsCaller(emulator.url);
  });

  beforeEach(() => emulator.reset());

  afterAll(() => emulator?.stop());

  const ecs = (operation: string, params: object) => aws.call("ecs", operation, { ...params });
  const service = async () => {
    await ecs("CreateCluster", { clusterName: "main" });
    await ecs("RegisterTaskDefinition", {
      family: "web",
      containerDefinitions: [{ name: "app", image: "node", memory: 64 }],
    });
    await ecs("RegisterTaskDefinition", {
      family: "web",
      containerDefinitions: [{ name: "app", image: "new", memory: 64 }],
    });
    await ecs("CreateService", { cluster: "main", serviceName: "web", taskDefinition: "web:1", desiredCount: 2 });
  };
  const described = async () => (await ecs("DescribeServices", { cluster: "main", services: ["web"] })).services[0];
  const tasks = async (desiredStatus: string) => {
    const { taskArns } = await ecs("ListTasks", { cluster: "main", serviceName: "web", desiredStatus });
    return taskArns.length === 0 ? [] : (await ecs("DescribeTasks", { cluster: "main", tasks: taskArns })).tasks;
  };

  test("logs each call by its AWS name", async () => {
    await ecs("ListClusters", {});
    expect(readFileSync(emulator.log, "utf8")).toMatch(/eu-central-1 ecs ListClusters 200/);
  });

  test("knows an operation without the last slash of its path, as Terraform calls it", async () => {
    const route53 = new AwsCaller(emulator.url, "us-east-1");
    await route53.rest("route53", "POST", "/2013-04-01/hostedzone/Z0123456789/rrset").catch(() => undefined);
    expect(readFileSync(emulator.log, "utf8")).toMatch(/route53 ChangeResourceRecordSets 4\d\d/);
  });

  test("records each call with its caller, its parameters and the ids in the answer of a change", async () => {
    const deployer = new AwsCaller(emulator.url, "eu-central-1", "apply.shop-dev-platform");
    await deployer.call("ec2", "CreateVpc", { CidrBlock: "10.0.0.0/16" });
    await deployer.call("ec2", "DescribeVpcs");
    await deployer.rest("s3", "PUT", "/logs?unknown").catch(() => undefined);
    const lines = readFileSync(join(folder, "calls"), "utf8").trimEnd().split("\n");
    const [created, described, unknown] = lines.slice(-3).map((line) => JSON.parse(line));
    expect(created).toMatchObject({
      caller: "apply.shop-dev-platform",
      service: "ec2",
      region: "eu-central-1",
      operation: "CreateVpc",
      params: { CidrBlock: "10.0.0.0/16" },
    });
    expect(created.named).toContainEqual(expect.stringMatching(/^vpc-/));
    expect(described).toMatchObject({ operation: "DescribeVpcs", named: [] });
    expect(unknown).toMatchObject({ caller: "apply.shop-dev-platform", request: expect.stringContaining("PUT /logs") });
  });

  test("records no secret", async () => {
    const deployer = new AwsCaller(emulator.url, "eu-central-1", "apply.orders-dev-data");
    const SecretString = "canary-1";
    await deployer.call("secretsmanager", "CreateSecret", {
      Name: "mail",
      SecretString,
      ClientRequestToken: "t".repeat(32),
    });
    await deployer.call("ssm", "PutParameter", { Name: "/mail", Type: "SecureString", Value: "canary-2" });
    await deployer.call("ssm", "PutParameter", { Name: "/host", Type: "String", Value: "mail.example.com" });
    const recorded = readFileSync(join(folder, "calls"), "utf8");
    expect(recorded).not.toMatch(/canary-/);
    expect(recorded).toMatch(/"Name": "mail".*\n.*"Name": "\/mail".*\n.*"Value": "mail\.example\.com"/);
  });

  test("completes a deployment at once: the service runs its desired tasks of the new task definition", async () => {
    await service();
    await ecs("UpdateService", { cluster: "main", service: "web", taskDefinition: "web:2", desiredCount: 3 });
    expect(await described()).toMatchObject({
      taskDefinition: expect.stringMatching(/web:2$/),
      runningCount: 3,
      pendingCount: 0,
      deployments: [{ status: "PRIMARY", rolloutState: "COMPLETED", runningCount: 3 }],
    });
    expect(await tasks("RUNNING")).toHaveLength(3);
    expect(await tasks("STOPPED")).toEqual([]);
  });

  test("rolls back the next deployment of a service, once", async () => {
    await service();
    await emulator.rollBackNext({
      cluster: "main",
      service: "web",
      reason: "alarm web-errors",
      stoppedReason: "exit 1",
    });
    await ecs("UpdateService", { cluster: "main", service: "web", taskDefinition: "web:2" });

    expect(await described()).toMatchObject({
      taskDefinition: expect.stringMatching(/web:1$/),
      deployments: [
        { status: "PRIMARY", rolloutState: "COMPLETED", taskDefinition: expect.stringMatching(/web:1$/) },
        { status: "ACTIVE", rolloutState: "FAILED", rolloutStateReason: expect.stringContaining("alarm web-errors") },
      ],
    });
    expect(await tasks("STOPPED")).toMatchObject([
      { stoppedReason: "exit 1", taskDefinitionArn: expect.stringMatching(/web:2$/), containers: [{ exitCode: 1 }] },
      { stoppedReason: "exit 1" },
    ]);
    const { serviceDeployments } = await ecs("ListServiceDeployments", { cluster: "main", service: "web" });
    expect(serviceDeployments.map((each: { status: string }) => each.status)).toEqual([
      "ROLLBACK_SUCCESSFUL",
      "SUCCESSFUL",
    ]);

    await ecs("UpdateService", { cluster: "main", service: "web", taskDefinition: "web:2" });
    expect(await described()).toMatchObject({ taskDefinition: expect.stringMatching(/web:2$/), deployments: [{}] });
  });

  test("forgets a failed deployment after a while, as ECS does", async () => {
    await service();
    await emulator.rollBackNext({ cluster: "main", service: "web", shownSeconds: 0 });
    await ecs("UpdateService", { cluster: "main", service: "web", taskDefinition: "web:2" });
    expect((await described()).deployments).toHaveLength(1);
  });

  test("lists leftovers, billable or free, with their region", async () => {
    expect(await emulator.leftovers()).toEqual({ billable: [], free: [] });
    await aws.call("logs", "CreateLogGroup", { logGroupName: "/app" });
    const vpc = field(await aws.call("ec2", "CreateVpc", { CidrBlock: "10.0.0.0/16" }), "vpcId");
    expect(await emulator.leftovers()).toEqual({
      billable: [{ kind: "log group", id: "/app", region: "eu-central-1" }],
      free: [{ kind: "VPC", id: vpc, region: "eu-central-1" }],
    });
    await aws.call("logs", "DeleteLogGroup", { logGroupName: "/app" });
    await aws.call("ec2", "DeleteVpc", { VpcId: vpc });
    expect(await emulator.leftovers()).toEqual({ billable: [], free: [] });
  });

  test("ends with its parent, even when the parent is killed", async () => {
    const log = join(folder, "orphan.log");
    const main = `import { Emulator } from ${JSON.stringify(join(__dirname, "../../emulator/index.ts"))};
      Emulator.start({ log: ${JSON.stringify(log)}, catalogue: false }).then((emulator) => {
        console.log(JSON.stringify({ url: emulator.url }));
        setInterval(() => undefined, 1000);
      });`;
    writeFileSync(join(folder, "parent.ts"), main);
    const parent = spawn(process.execPath, ["--import", "tsx", join(folder, "parent.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const { url } = await new Promise<{ url: string }>((done) => {
      parent.stdout.once("data", (line) => done(JSON.parse(String(line))));
    });
    expect((await fetch(`${url}/antifragile/health`)).status).toBe(200);
    parent.kill("SIGKILL");
    await expect
      .poll(
        () =>
          fetch(`${url}/antifragile/health`).then(
            () => "answers",
            () => "gone",
          ),
        { timeout: 20_000 },
      )
      .toBe("gone");
  });

  test("that cannot start reports why, with the end of its log", async () => {
    const broken = join(folder, "python");
    writeFileSync(broken, "#!/bin/sh\necho no module named moto >&2\nexit 3\n");
    chmodSync(broken, 0o755);
    const without = { ...tools, python: { found: true as const, path: broken, version: "0" } };
    await expect(Emulator.start({ log: join(folder, "broken.log"), tools: without })).rejects.toThrow(
      /did not start: it ended with code 3\s+end of .*broken\.log:\s+no module named moto/,
    );
  });
});

describe("the tools of the emulator", () => {
  test("are reported as missing, with the install command", async () => {
    const { PATH, ANTIFRAGILE_PLUGIN_MIRROR } = process.env;
    const empty = temporary();
    process.env.PATH = empty;
    process.env.ANTIFRAGILE_PLUGIN_MIRROR = empty;
    try {
      const found = await findTools();
      expect(missingTools(found)).toEqual([
        expect.stringContaining("Terraform"),
        expect.stringContaining("pip install"),
      ]);
      expect(found.pluginMirror).toMatchObject({
        found: false,
        install: expect.stringContaining("ANTIFRAGILE_PLUGIN_MIRROR"),
      });
    } finally {
      process.env.PATH = PATH;
      if (ANTIFRAGILE_PLUGIN_MIRROR === undefined) delete process.env.ANTIFRAGILE_PLUGIN_MIRROR;
      else process.env.ANTIFRAGILE_PLUGIN_MIRROR = ANTIFRAGILE_PLUGIN_MIRROR;
    }
  });

  test.each([
    ["terraform", ["terraform", "tofu"], undefined],
    ["tofu", ["tofu"], undefined],
    ["tofu-1.10", ["terraform", "tofu-1.10"], "tofu-1.10"],
  ])("include %s where %j are on the PATH and TERRAFORM_BINARY_NAME is %s", async (path, programs, named) => {
    const folder = temporary();
    for (const program of programs) {
      const script = `#!/bin/sh\necho '{"terraform_version": "1.11.4"}'\n`;
      writeFileSync(join(folder, program), script, { mode: 0o755 });
    }
    vi.stubEnv("PATH", folder);
    vi.stubEnv("TERRAFORM_BINARY_NAME", named);
    try {
      expect((await findTools()).terraform).toEqual({ found: true, path, version: "1.11.4" });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test("include the mirror that the environment names, and its newest version for this platform", async () => {
    const { ANTIFRAGILE_PLUGIN_MIRROR } = process.env;
    const mirror = temporary();
    const systems: Record<string, string> = { win32: "windows" };
    const processors: Record<string, string> = { x64: "amd64", ia32: "386" };
    const here = `${systems[process.platform] ?? process.platform}_${processors[process.arch] ?? process.arch}`;
    for (const folder of [`5.9.0/${here}`, `5.100.0/${here}`, "6.0.0/plan9_mips"]) {
      mkdirSync(join(mirror, "registry.terraform.io/hashicorp/aws", folder), { recursive: true });
    }
    process.env.ANTIFRAGILE_PLUGIN_MIRROR = mirror;
    try {
      expect((await findTools()).pluginMirror).toEqual({
        found: true,
        path: mirror,
        version: "5.100.0",
        versions: ["5.9.0", "5.100.0"],
      });
    } finally {
      if (ANTIFRAGILE_PLUGIN_MIRROR === undefined) delete process.env.ANTIFRAGILE_PLUGIN_MIRROR;
      else process.env.ANTIFRAGILE_PLUGIN_MIRROR = ANTIFRAGILE_PLUGIN_MIRROR;
    }
  });
});

describe("a program for the emulator", () => {
  const program: TerraformProgram = {
    terraform: { backend: { s3: { bucket: "state" } } },
    provider: {
      aws: [
        {
          region: "eu-central-1",
          profile: "work",
          allowed_account_ids: ["1"],
          assume_role: [{ role_arn: "r" }],
          default_tags: [],
        },
        { alias: "global", region: "us-east-1" },
      ],
      random: [{}],
    },
  };

  test("cannot reach its real account, and is otherwise unchanged", () => {
    expect(forEmulator(program)).toEqual({
      ...program,
      provider: {
        aws: [
          { region: "eu-central-1", default_tags: [] },
          { alias: "global", region: "us-east-1" },
        ],
        random: [{}],
      },
    });
  });

  test("has a file with fake keys for every provider alias, and a local state", () => {
    expect(emulatorOverride(program, "/x/credentials")).toMatchObject({
      terraform: { backend: { local: { path: "terraform.tfstate" } } },
      provider: {
        aws: [
          { shared_credentials_files: ["/x/credentials"], s3_use_path_style: true },
          { alias: "global", shared_credentials_files: ["/x/credentials"] },
        ],
      },
    });
  });
});

test("progress is one sentence", () => {
  const event = { stack: "s", address: "aws_lb.Public", action: "create", seconds: 40 };
  expect(describeProgress({ ...event, state: "running" })).toBe("aws_lb.Public: still creating, 40 s");
  expect(describeProgress({ ...event, state: "started" })).toBe("aws_lb.Public: creating");
  expect(describeProgress({ ...event, state: "done" })).toBe("aws_lb.Public: create done in 40 s");
});
