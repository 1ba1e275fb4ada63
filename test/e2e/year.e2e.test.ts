import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import {
  App,
  adopt,
  Bucket,
  CloudNativeService,
  existingService,
  https,
  Image,
  Ingress,
  insecureHttp,
  LogStream,
  Platform,
  PostgresDatabase,
  Queue,
  type ServiceStack,
  web,
  worker,
} from "../../constructs";
import type { StackManifest } from "../../contract/stacks";
import { type Emulator, ProviderPool } from "../../emulator";
import type { Allowances } from "../../operations/allowances";
import { applyStacks } from "../../operations/apply";
import { AwsCloud } from "../../operations/release/aws";
import { runRelease } from "../../operations/release/commands";
import { itWithIam } from "../iam/packages";
import { type DeployingRoles, deployingRoles } from "../iam/recorded/deploying";
import { judgeCalls } from "../iam/recorded/judge";
import { image } from "../operations/support/fake-cloud";
import { AwsCaller, field } from "../support/aws-call";
import { CALLS, describeOnEmulator, resultsFolder, startAsAws, tools } from "../support/deployment";

/** Code of a repository at one time. */
interface Code {
  readonly search?: boolean;
  readonly reports?: boolean;
  /** Stack of the mailer. */
  readonly mailer?: "shop" | "mail";
  readonly port?: number;
  readonly readyPath?: string;
  readonly certificateArn?: string;
  /** Secret of the storefront, which uses a queue, too, where this is set. */
  readonly secretArn?: string;
  /** The storefront no longer calls the payments. */
  readonly stopsCalling?: boolean;
}

const SHOP = ["market-dev-platform", "shop-dev-data", "shop-dev-service"];
const MAIL = ["mail-dev-data", "mail-dev-service"];
const PAYMENTS = ["payments-dev-data", "payments-dev-service"];
const NOTHING: Allowances = { delete: [], replace: [] };

/** A platform and the services of three repositories, changed over a year by `antifragile deploy`. */
describeOnEmulator("a year of changes", () => {
  const results = resultsFolder("year");
  let folder: string;
  let emulator: Emulator;
  const providers = new ProviderPool(join(results, "provider.log"));
  let aws: AwsCaller;
  /** Ids of the network that was there before. */
  let network: Readonly<Record<string, string>>;
  /** Roles that deploy and release each code, in the order in which it was synthesized. */
  const roles: DeployingRoles[] = [];

  /** Calls AWS with an access key that says which role does: `release.3` for the one of the fourth code. */
  async function as<T>(access: keyof DeployingRoles, act: () => Promise<T>): Promise<T> {
    vi.stubEnv("AWS_ACCESS_KEY_ID", `${access}.${roles.length - 1}`);
    return act().finally(() => vi.stubEnv("AWS_ACCESS_KEY_ID", "test"));
  }

  const service = (stack: ServiceStack, id: string, process: ReturnType<typeof web>, secretArn?: string) =>
    new CloudNativeService(stack, id, {
      image: Image.repository({ name: id.toLowerCase() }),
      process,
      ...(secretArn === undefined ? {} : { secrets: { API_KEY: secretArn } }),
    });

  function synthesize(code: Code): StackManifest {
    const { search, reports, mailer, port = 3000, readyPath, certificateArn, secretArn } = code;
    const app = new App({ outdir: join(folder, "cdktf.out") });
    const platform = new Platform(app, "market", {
      environment: { name: "dev", region: "eu-central-1", profile: "dev" },
      listener: certificateArn === undefined ? insecureHttp() : https({ certificateArn }),
    });
    adopt(platform.vpc, network);
    adopt(platform.cluster, { Resource: "market-dev" });
    const [shop, mail, payments] = ["shop", "mail", "payments"].map((name) => platform.stack(name)) as [
      ServiceStack,
      ServiceStack,
      ServiceStack,
    ];
    const process = web({ port, ...(readyPath === undefined ? {} : { readyPath }) });
    const storefront = service(shop, "Storefront", process, secretArn);
    storefront.add(new Ingress({ paths: ["/*"] }));
    adopt(new Bucket(shop.data, "Invoices", { bucketName: "acme-invoices" }), { Resource: "acme-invoices" });
    adopt(new LogStream(shop.data, "Audit", { name: "/acme/audit" }), { Resource: "/acme/audit" });
    adopt(new PostgresDatabase(shop.data, "Database", { identifier: "acme" }), { Resource: "acme", Subnets: "old" });
    if (code.stopsCalling !== true) storefront.call(existingService("payments"));
    const orders = new Queue(shop.data, "Orders");
    if (secretArn !== undefined) storefront.use(orders);
    for (const [exists, id] of [
      [search, "Search"],
      [reports, "Reports"],
    ] as const) {
      if (!exists) continue;
      const other = service(shop, id, web({ port: 3000 }));
      other.add(new Ingress({ paths: [`/${id.toLowerCase()}/*`] }));
      storefront.call(other);
    }
    if (mailer !== undefined) {
      const queue = new Queue(shop.data, "Mails");
      const stack = mailer === "shop" ? shop : mail;
      new CloudNativeService(stack, "Mailer", {
        image: Image.repository({ name: "mailer" }),
        process: worker({ queue }),
      });
    }
    const paying = service(payments, "Payments", web());
    paying.call(existingService("storefront"));
    adopt(paying, { Resource: "market-dev/payments" });
    app.synth();
    roles.push(deployingRoles(app, { dev: "dev" }).dev as DeployingRoles);
    return JSON.parse(readFileSync(join(folder, "cdktf.out", "manifest.json"), "utf8"));
  }

  /**
   * Provider that all runs of Terraform share, once the first one has installed it: to start one takes longer than most plans. It calls with
   * the access key of its first run, whose role may do the same as those of later codes.
   */
  async function startedProvider() {
    const installed = join(folder, "cdktf.out/stacks/market-dev-platform");
    if (!existsSync(join(installed, ".terraform"))) return undefined;
    // A provider that is configured again refuses other certificate authorities, and the emulator has none.
    return providers.attach(installed, { ...process.env, AWS_CA_BUNDLE: undefined });
  }

  /** Deploys one repository, as `antifragile deploy` does: the exit code, what it says, and the stacks that were changed. */
  async function deploy(stacks: readonly string[], code: Code, allowances = NOTHING) {
    const manifest = synthesize(code);
    if (!tools.terraform.found) throw new Error("needs Terraform");
    const said: string[] = [];
    const changed: string[] = [];
    const { path } = tools.terraform;
    const outcome = await as("apply", async () => {
      const provider = await startedProvider();
      return applyStacks({
        folders: stacks.filter((name) => name in manifest.stacks).map((name) => join(folder, "cdktf.out/stacks", name)),
        manifest,
        terraform: [path],
        allowances,
        confirm: async (stack) => changed.push(stack) > 0,
        print: (text) => void said.push(text),
        env: { ...process.env, TF_REATTACH_PROVIDERS: provider?.attachment },
      }).finally(() => provider?.release());
    });
    return { outcome, said: said.join(""), changed };
  }

  /** Deploys a repository, and allows what the gate refuses, as often as it does; returns the stacks in the order of their applies. */
  async function deployAllowed(stacks: readonly string[], code: Code) {
    const allowances = { delete: [] as string[], replace: [] as string[], update: [] as string[] };
    const order: string[] = [];
    for (let attempt = 1; ; attempt++) {
      const { outcome, said, changed } = await deploy(stacks, code, allowances);
      order.push(...changed);
      if (outcome === 0) return { order, allowances };
      if (outcome !== 3 || attempt === 4)
        throw new Error(`attempt ${attempt} ended with ${outcome}:\n${said.slice(-3000)}`);
      for (const [, action, address] of said.matchAll(/--allow-(delete|replace|update) '([^']+)'/g)) {
        allowances[action as keyof typeof allowances].push(address as string);
      }
    }
  }

  /** Releases images of these sources, or the configuration that is applied. */
  async function release(...sources: readonly string[]) {
    const printed: string[] = [];
    const code = await as("release", () =>
      runRelease({
        args: [
          "dev",
          ...sources.flatMap((each) => ["--image", image("a", each)]),
          ...["--stack", "shop", "--platform", "market", "--region", "eu-central-1"],
        ],
        cwd: folder,
        print: (text) => printed.push(text),
        contextOf: (place, print) => {
          const cloud = new AwsCloud(place.region);
          const sleep = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
          const interrupted = new AbortController().signal;
          return { cloud, place, print, now: Date.now, sleep, interrupted, by: "max", done: () => cloud.destroy() };
        },
      }),
    );
    if (code !== 0) throw new Error(printed.join(""));
  }

  /** Makes by hand, with other settings, what the platform and the first service take over; returns the ids of its network. */
  async function makeByHand(): Promise<Readonly<Record<string, string>>> {
    const ec2 = async (operation: string, id: string, params: object) =>
      field(await aws.call("ec2", operation, { ...params }), id) as string;
    const VpcId = await ec2("CreateVpc", "vpcId", { CidrBlock: "10.0.0.0/16" });
    const subnet = (zone: string, CidrBlock: string) =>
      ec2("CreateSubnet", "subnetId", { VpcId, CidrBlock, AvailabilityZone: `eu-central-1${zone}` });
    const InternetGateway = await ec2("CreateInternetGateway", "internetGatewayId", {});
    await aws.call("ec2", "AttachInternetGateway", { VpcId, InternetGatewayId: InternetGateway });
    const subnets = {
      Public1: await subnet("b", "10.0.1.0/24"),
      Public2: await subnet("c", "10.0.2.0/24"),
      Private1: await subnet("b", "10.0.11.0/24"),
      Private2: await subnet("c", "10.0.12.0/24"),
    };
    await aws.call("rds", "CreateDBSubnetGroup", {
      DBSubnetGroupName: "old",
      DBSubnetGroupDescription: "by hand",
      "SubnetIds.SubnetIdentifier.1": subnets.Private1,
      "SubnetIds.SubnetIdentifier.2": subnets.Private2,
    });
    await aws.call("rds", "CreateDBInstance", {
      DBInstanceIdentifier: "acme",
      DBInstanceClass: "db.t4g.micro",
      DBSubnetGroupName: "old",
      Engine: "postgres",
      EngineVersion: "17.4",
      MasterUsername: "acme",
      ManageMasterUserPassword: true,
      AllocatedStorage: 20,
      StorageType: "gp3",
    });
    await aws.rest(
      "s3",
      "PUT",
      "/acme-invoices",
      "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>",
    );
    await aws.rest("s3", "PUT", "/acme-invoices/1.txt", "paid");
    await aws.call("logs", "CreateLogGroup", { logGroupName: "/acme/audit" });
    await aws.call("logs", "PutRetentionPolicy", { logGroupName: "/acme/audit", retentionInDays: 7 });
    await aws.call("ecs", "CreateCluster", { clusterName: "market-dev" });
    const group = await ec2("CreateSecurityGroup", "groupId", {
      VpcId,
      GroupName: "by-hand",
      GroupDescription: "by hand",
    });
    const containerDefinitions = [
      { name: "payments", image: "nginx", portMappings: [{ name: "payments", containerPort: 8080 }] },
    ];
    await aws.call("ecs", "RegisterTaskDefinition", {
      family: "by-hand",
      networkMode: "awsvpc",
      requiresCompatibilities: ["FARGATE"],
      cpu: "256",
      memory: "512",
      containerDefinitions,
    });
    await aws.call("ecs", "CreateService", {
      cluster: "market-dev",
      serviceName: "payments",
      taskDefinition: "by-hand",
      desiredCount: 1,
      launchType: "FARGATE",
      networkConfiguration: {
        awsvpcConfiguration: { subnets: [subnets.Private1], securityGroups: [group], assignPublicIp: "DISABLED" },
      },
    });
    return { Resource: VpcId, InternetGateway, ...subnets };
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-year-"));
    emulator = await startAsAws(results, folder);
    aws = new AwsCaller(emulator.url);
    network = await makeByHand();
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await providers.stop();
    await emulator?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start: Code = { search: true, mailer: "shop" };

  it("begins with two repositories that call each other: the first says which one is missing, and then both are deployed", async () => {
    const alone = await deploy(SHOP, start);
    expect([alone.outcome, alone.changed], alone.said).toEqual([1, ["market-dev-platform", "shop-dev-data"]]);
    expect(alone.said).toContain(
      "The service payments is not deployed on the platform market in dev: deploy it first, in its repository.",
    );
    const paying = await deploy(PAYMENTS, start);
    expect(paying).toMatchObject({ outcome: 0, changed: PAYMENTS });
    expect(await deploy(SHOP, start)).toMatchObject({ outcome: 0, changed: ["shop-dev-service"] });
    // Network and cluster, data, service: taken over as they are, with what is in them.
    const imported = [
      ...`${alone.said}${paying.said}`.matchAll(/(\d+) to import, \d+ to add, \d+ to change, 0 to destroy/g),
    ];
    expect(imported.map(([, count]) => count)).toEqual(["7", "4", "1"]);
    expect(await aws.rest("s3", "GET", "/acme-invoices/1.txt")).toBe("paid");
    for (const stacks of [SHOP, PAYMENTS])
      expect(await deploy(stacks, start)).toMatchObject({ outcome: 0, changed: [] });
  });

  it("refuses another port and another health check path under running tasks, before anything is changed", async () => {
    const port = await deploy(SHOP, { ...start, port: 3001 });
    expect([port.outcome, port.changed]).toEqual([3, []]);
    expect(port.said).toContain("instead: create a second service with the new port");
    const path = await deploy(SHOP, { ...start, readyPath: "/healthz" });
    expect([path.outcome, path.changed]).toEqual([3, []]);
    expect(path.said).toContain("instead: release a version that passes both checks");
  });

  it("stops using a secret, a queue and another service: the live release keeps its access until the next one", async () => {
    const { ARN: secretArn } = await aws.call("secretsmanager", "CreateSecret", { Name: "key", SecretString: "x" });
    const before: Code = { ...start, secretArn };
    const after: Code = { ...start, stopsCalling: true };
    const access = async () => {
      const [app, start] = await Promise.all(
        ["task", "execution"].map(async (part) => {
          const answer = await aws
            .call("iam", "GetRolePolicy", {
              RoleName: `market-dev-storefront-${part}`,
              PolicyName: "grants",
            })
            .catch(String);
          return decodeURIComponent(answer);
        }),
      );
      const rules = await aws.call("ec2", "DescribeSecurityGroupRules");
      return {
        queue: app?.includes("sqs:SendMessage"),
        secret: start?.includes(secretArn),
        payments: /<description>to Payments/i.test(rules),
      };
    };
    await deployAllowed(SHOP, before);
    await release("storefront", "search", "mailer");
    expect(await access()).toEqual({ queue: true, secret: true, payments: true });

    const kept = await deploy(SHOP, after);
    expect([kept.outcome, kept.changed]).toEqual([0, ["shop-dev-service"]]);
    expect(kept.said).toContain("Kept until the next release of storefront");
    expect(await access()).toEqual({ queue: true, secret: true, payments: true });
    expect(await deploy(SHOP, after)).toMatchObject({ outcome: 0, changed: [] });

    await release();
    expect(await deploy(SHOP, after)).toMatchObject({ outcome: 0, changed: ["shop-dev-service"] });
    expect(await access()).toEqual({ queue: false, secret: false, payments: false });
    expect(await deploy(SHOP, after)).toMatchObject({ outcome: 0, changed: [] });
  });

  it("removes a service and adds another: what its callers still use goes after their next release", async () => {
    const code: Code = { reports: true, mailer: "shop" };
    expect((await deployAllowed(SHOP, code)).order).toEqual(["shop-dev-data", "shop-dev-service"]);
    await release("reports");
    expect((await deployAllowed(SHOP, code)).order).toEqual(["shop-dev-service", "shop-dev-data"]);
    expect(await deploy(SHOP, code)).toMatchObject({ outcome: 0, changed: [] });
  });

  it("moves a worker to another stack: says that it must leave the old one first", async () => {
    const both = [...MAIL, ...SHOP];
    const moved: Code = { reports: true, mailer: "mail" };
    const failed = await deploy(both, moved);
    expect(failed.outcome).toBe(1);
    expect(failed.said).toContain("The service mailer still exists in another stack of dev.");
    const { order } = await deployAllowed(SHOP, moved);
    expect(order).toEqual(["shop-dev-service", "shop-dev-data"]);
    expect(await deploy(both, moved)).toMatchObject({ outcome: 0, changed: MAIL });
  });

  it("goes from HTTP to HTTPS while services run", async () => {
    const certificate = await aws.call("acm", "RequestCertificate", { DomainName: "shop.example.com" });
    const secure: Code = { reports: true, mailer: "mail", certificateArn: certificate.CertificateArn };
    const { order } = await deployAllowed(SHOP, secure);
    expect(order).toEqual(["market-dev-platform", "shop-dev-service"]);
    expect(await deploy(SHOP, secure)).toMatchObject({ outcome: 0, changed: [] });
  });

  itWithIam("was deployed and released by calls that the roles may make which do so on AWS", async () => {
    const { problems, simulated } = await judgeCalls(join(results, CALLS), (caller) => {
      const [access = "", code = ""] = caller.split(".");
      // Its names are the same for every code, and so is what it may do.
      return access === "apply" ? roles[0]?.apply : roles[Number(code)]?.[access as "release"];
    });
    expect(problems).toEqual([]);
    expect(simulated["deployed-delivery-gh-dev-apply"]).toBeGreaterThan(500);
    expect(simulated["deployed-delivery-gh-dev-release"]).toBeGreaterThan(30);
  });
});
