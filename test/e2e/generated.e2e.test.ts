import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { DescribeScalableTargetsCommand } from "@aws-sdk/client-application-auto-scaling";
import { DescribeAutoScalingGroupsCommand } from "@aws-sdk/client-auto-scaling";
import { BatchDeleteImageCommand, ListImagesCommand } from "@aws-sdk/client-ecr";
import { DescribeServicesCommand, DescribeTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import { GetRoleCommand } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, expect, it } from "vitest";
import { APPLY, IMAGE, PLAN, RELEASE, TEST } from "../../constructs/pipeline/commands";
import { releasedTag } from "../../contract/images";
import type { Emulator } from "../../emulator";
import { DESTROY_ACTIONS } from "../../scripts/docs-operators";
import { type Result, run, succeeded, unpackPackage } from "../cli/packed";
import { itWithIam } from "../iam/packages";
import { judgeCalls } from "../iam/recorded/judge";
import type { Program } from "../iam/resolve";
import { rolesIn, type SimulatedRole } from "../iam/roles";
import { AwsCaller } from "../support/aws-call";
import {
  accountOf,
  CALLS,
  type Clients,
  clientsFor,
  describeOnEmulator,
  resultsFolder,
  startEmulator,
  tools,
} from "../support/deployment";
import { COMBINATIONS, hasCdktn } from "../support/engines";
import { stackJson } from "../support/examples";

const CDKTN = COMBINATIONS["cdktn as cdktf, with provider 5"];

const STACKS = ["orders-dev-platform", "orders-dev-data", "orders-dev-service", "orders-delivery"];

/** Output of a command that succeeded, without the colors of Terraform. */
const plain = (result: Result) => stripVTControlCharacters(succeeded(result));

/** Runs `npm run deploy:local`, calls what it has deployed by the URL and the token that it prints, and interrupts it. */
async function deployLocally(repository: string): Promise<{ answers: number[]; result: Result }> {
  const answers: number[] = [];
  const call = async (output: string) => {
    const url = /^ {2}(http:\/\/127\.0\.0\.1:\d+) /m.exec(output)?.[1];
    const issuer = /^ {2}token .*'(http:[^']+)'/m.exec(output)?.[1] ?? "";
    const type = { "content-type": "application/json" };
    const holder = { ...type, authorization: `Bearer ${await (await fetch(issuer)).text()}` };
    const body = JSON.stringify({ lines: [{ sku: "A-1", quantity: 3, unitPriceCents: 250 }] });
    for (const headers of [type, holder]) {
      answers.push((await fetch(`${url}/v1/quotes`, { method: "POST", headers, body })).status);
    }
    answers.push((await fetch(`${url}/v1/nothing`, { headers: holder })).status);
  };
  let called: Promise<void> | undefined;
  const result = await run(["npm", "run", "deploy:local"], repository, {
    group: true,
    onOutput: (output, kill) => {
      if (called !== undefined || !output.includes("Ctrl-C drains")) return;
      called = call(output).finally(() => kill("SIGINT"));
      called.catch(() => undefined);
    },
  });
  await called;
  return { answers, result };
}

/** Program of a generated repository that delivers the environment dev, which is deployed from a machine otherwise. */
const DELIVERS_DEV = `
import { join } from "node:path";
import { App, DeliveryStack, ImageRepository, Pipeline, Source } from "antifragile";
import { environments } from "./environments";
import { infrastructure } from "./infrastructure";

const account = "123456789012";
const found = environments.filter(({ name }) => name === "dev");
const releases = found.map((dev) => ({ environment: { ...dev, account, state: "s3" as const } }));
const app = new App({ outdir: join(__dirname, "delivers-dev.out") });
infrastructure(app, releases.map(({ environment }) => environment) as never);
const stack = new DeliveryStack(app, "orders", { region: "eu-central-1", account, state: "s3" });
const images = new ImageRepository(stack, "Images");
new Pipeline(stack, "Pipeline", { source: Source.gitHub("acme/orders"), images, releases });
app.synth();
`;

/** A user's way: scaffold, hand the repository on, install it elsewhere, deploy it, and leave cdktf behind. */
describeOnEmulator("a generated repository", () => {
  const results = resultsFolder("generated");
  let folder: string;
  let repository: string;
  let emulator: Emulator;
  let clients: Clients;
  /** The account that the credentials are for is the emulator's; nothing else is different from a real deployment. */
  let account: NodeJS.ProcessEnv;
  /** The account for one of the roles of a pipeline, or for who destroys; the access key says who calls. */
  const as = (role: "plan" | "apply" | "release" | "destroy"): NodeJS.ProcessEnv => ({
    ...account,
    AWS_ACCESS_KEY_ID: role,
  });
  let roles: readonly SimulatedRole[];
  /** `npm run deploy:local` in a copy of the repository. It waits for minutes, during which the other tests go on. */
  let local: ReturnType<typeof deployLocally> | undefined;

  beforeAll(async () => {
    if (!tools.terraform.found) throw new Error("needs Terraform");
    folder = mkdtempSync(join(tmpdir(), "antifragile-generated-"));
    const { tarball } = unpackPackage();
    succeeded(
      await run(
        [
          ...["npm", "exec", "--yes", `--package=${tarball}`, "--"],
          ...["antifragile", "new", "orders", "--yes", "--capacity", "ec2", "--no-git"],
        ],
        folder,
      ),
    );
    // Another folder, nothing installed, no tarball but the vendored one.
    repository = join(folder, "elsewhere", "orders");
    cpSync(join(folder, "orders"), repository, {
      recursive: true,
      filter: (path) => !path.startsWith(join(folder, "orders", "node_modules")),
    });
    rmSync(join(folder, "orders"), { recursive: true, force: true });
    unlinkSync(tarball);
    emulator = await startEmulator(results);
    clients = clientsFor(emulator.url, "eu-central-1");
    const mirror = tools.pluginMirror.found ? tools.pluginMirror.path : undefined;
    account = {
      ...accountOf(emulator, folder),
      // cdktf locks providers by requests to the registry, unless a mirror is configured.
      ...(mirror === undefined ? {} : { TF_CLI_ARGS_providers_lock: `-fs-mirror=${mirror}` }),
      CI: "1",
    };
  });

  afterAll(async () => {
    await local;
    for (const client of Object.values(clients ?? {})) client.destroy();
    await emulator?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is installed by npm ci in another folder, with an empty npm cache", async () => {
    succeeded(await run(["npm", "ci", "--cache", join(folder, "empty-cache")], repository));
    expect(readdirSync(join(repository, "node_modules", "antifragile"))).toContain("dist");

    const copy = join(folder, "local", "orders");
    const modules = join(repository, "node_modules");
    cpSync(repository, copy, { recursive: true, filter: (path) => path !== modules });
    symlinkSync(modules, join(copy, "node_modules"));
    local = deployLocally(copy);
  });

  it("passes its own tests in a first CI run, and its type check and lint", async () => {
    const output = succeeded(await run(["npm", "test"], repository, { env: { CI: "1" } }));
    expect(output).toContain("infra/test/infrastructure.test.ts");
    succeeded(await run(["npm", "run", "typecheck"], repository));
    succeeded(await run(["npm", "run", "lint"], repository));
    // What a pipeline runs on a commit is what ran here.
    expect(TEST).toEqual(["npm run lint", "npm run typecheck", "npm test"]);
  });

  it("fails its snapshot test when the infrastructure changes, naming the line", async () => {
    const file = join(repository, "infra", "environments.ts");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, before.replace("scaling: { min: 1, max: 4 }", "scaling: { min: 1, max: 5 }"));
    const { code, stdout, stderr } = await run(["npx", "vitest", "run", "infra/test"], repository, {
      env: { CI: "1", NO_COLOR: "1" },
    });
    writeFileSync(file, before);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/"max_capacity": 5/);
  });

  it("gets the permissions boundary of an environment by npm run bootstrap, which shows before what it will do", async () => {
    const file = join(repository, "infra", "environments.ts");
    const bounded =
      'profile: "dev",\n    account: "123456789012",\n    guardrails: { permissionsBoundary: "bootstrap" },';
    writeFileSync(file, readFileSync(file, "utf8").replace('profile: "dev",', bounded));
    const bootstrap = (...flags: string[]) =>
      run(["npm", "run", "bootstrap", "--", "dev", ...flags], repository, { env: account });
    const arn = "arn:aws:iam::123456789012:policy/antifragile-dev-boundary";
    expect(succeeded(await bootstrap("--dry-run"))).toContain(`${arn}: would be made\n`);
    expect(succeeded(await bootstrap())).toContain(`${arn}: made\n`);
  });

  it("is deployed by npm run deploy", async () => {
    const { code, stdout, stderr } = await run(["npm", "run", "deploy", "--", "dev", "--auto-approve"], repository, {
      env: as("apply"),
    });
    writeFileSync(join(results, "deploy.log"), stdout + stderr);
    expect(`${code} ${code === 0 ? "" : stdout.slice(-3000) + stderr.slice(-3000)}`).toBe("0 ");
    const { services } = await clients.ecs.send(
      new DescribeServicesCommand({ cluster: "orders-dev", services: ["orders"] }),
    );
    expect(services).toEqual([expect.objectContaining({ status: "ACTIVE", desiredCount: 1, runningCount: 1 })]);
    const { Role } = await clients.iam.send(new GetRoleCommand({ RoleName: "orders-dev-orders-task" }));
    expect(Role?.PermissionsBoundary?.PermissionsBoundaryArn).toMatch(/antifragile-dev-boundary$/);
    const { AutoScalingGroups } = await clients.autoScaling.send(new DescribeAutoScalingGroupsCommand({}));
    expect(AutoScalingGroups).toMatchObject([{ MinSize: 1, MaxSize: 4, Instances: [{ LifecycleState: "InService" }] }]);
  });

  it("refuses an unknown or incomplete environment, and lists the existing ones and the missing values", async () => {
    const deploy = (name: string) =>
      run(["npm", "run", "deploy", "--", name, "--auto-approve"], repository, { env: account });
    const moon = await deploy("moon");
    expect(moon.code).toBe(1);
    expect(moon.stdout + moon.stderr).toMatch(/has no environment "moon"\s+Name one of: dev, staging, production/);
    const production = await deploy("production");
    expect(production.code).toBe(1);
    expect(production.stdout + production.stderr).toContain("production.account is not filled in");
  });

  it("lists by npm run doctor the values that only its owner knows", async () => {
    const all = await run(["npm", "run", "doctor"], repository, { env: account });
    expect(all.code).toBe(1);
    expect(all.stdout).toMatch(/production +✖ account is not filled in/);
    succeeded(await run(["npm", "run", "doctor", "--", "dev"], repository, { env: account }));
  });

  it("deploys its pipeline by the name delivery, after its placeholders are filled in", async () => {
    const file = join(repository, "infra", "environments.ts");
    const filled = readFileSync(file, "utf8")
      .replaceAll(/account: placeholder\([^)]*\)/g, 'account: "123456789012"')
      .replaceAll(/zoneId: placeholder\([^)]*\)/g, 'zoneId: "Z0123456789ABCDEFGHIJ"')
      .replaceAll(/emails: \[placeholder\([^)]*\)/g, 'emails: ["on-call@example.com"')
      .replaceAll(/repository: placeholder\([^)]*\)/g, 'repository: "acme/orders"')
      .replaceAll(/placeholder\([^)]*\)/g, '"shop.example.com"')
      // Of the environments, state goes to S3; here that of delivery itself stays a file.
      .replace('state: "s3" as const', 'state: "local" as const');
    writeFileSync(file, filled);
    const deploy = ["npm", "run", "deploy", "--", "delivery", "--auto-approve"];
    expect(plain(await run(deploy, repository, { env: account }))).toMatch(
      /deploy delivery: orders-delivery.*Plan: [1-9]\d* to add, 0 to change, 0 to destroy.*Apply complete! Resources: [1-9]\d* added.*delivery is deployed/s,
    );
    const aws = new AwsCaller(emulator.url);
    const { pipelines } = await aws.call("codepipeline", "ListPipelines");
    expect(pipelines).toMatchObject([{ name: "orders" }]);
    // The command line of CDK for Terraform is a way that stays open: it has the same state, and nothing is left to deploy.
    const cdktf = ["npm", "exec", "--yes", "--package=cdktf-cli@0.21.0", "--", "cdktf"];
    const quiet = { ...account, DISABLE_VERSION_CHECK: "1", CHECKPOINT_DISABLE: "1" };
    const again = [...cdktf, "deploy", "orders-delivery", "--auto-approve"];
    const output = plain(await run(again, join(repository, "infra"), { env: quiet }));
    expect(output).toContain("No changes. Your infrastructure matches the configuration.");
    // Terraform ends with this line also where it has nothing to apply.
    expect([...output.matchAll(/Apply complete! Resources: (.*)\./g)].map((match) => match[1])).toEqual([
      "0 added, 0 changed, 0 destroyed",
    ]);
  });

  it("is deployed to its own emulator by npm run deploy:local, answers there, and is destroyed by Ctrl-C", async () => {
    if (local === undefined) throw new Error("the repository was not installed");
    const { answers, result } = await local;
    // Interrupted by Ctrl-C, npm itself has no exit code: it waits for the command, whose last line reports success.
    const output = result.stdout;
    writeFileSync(join(results, "deploy-local.log"), output + result.stderr);
    // Without a token, with one, and at a path of which the contract knows nothing.
    expect(answers).toEqual([401, 201, 404]);
    expect(output).toMatch(/release 1 is live/);
    expect(output).toMatch(/"signal":"SIGTERM","msg":"stopping".*stopped, exit code 0/s);
    expect(output).toMatch(/service\/orders-dev\/orders is ACTIVE: 1 of 1 tasks/);
    expect(output).toMatch(/plan orders-dev-service again .* no changes/);
    expect(output).toContain("applied, found as planned, and destroyed");
  });

  const terraform = (stack: string, ...args: string[]) => {
    if (!tools.terraform.found) throw new Error("needs Terraform");
    const cwd = join(repository, "infra", "cdktf.out", "stacks", stack);
    // A person deploys the stack that has the roles.
    const env = stack === "orders-delivery" ? account : as("plan");
    return run([tools.terraform.path, ...args, "-input=false", "-no-color"], cwd, { env });
  };

  it("has roles for a pipeline that delivers dev, too", async () => {
    writeFileSync(join(repository, "infra", "delivers-dev.ts"), DELIVERS_DEV);
    succeeded(await run(["npx", "tsx", "infra/delivers-dev.ts"], repository));
    const stack = join(repository, "infra", "delivers-dev.out", "stacks", "orders-delivery");
    roles = rolesIn(JSON.parse(readFileSync(join(stack, "cdk.tf.json"), "utf8")) as Program);
    expect(roles.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["orders-delivery-dev-plan", "orders-delivery-dev-apply", "orders-delivery-dev-release"]),
    );
  });

  it.skipIf(!hasCdktn)("moves to CDK Terrain, which synthesizes it from here on", async () => {
    // As `"cdktf": "npm:cdktn@0.24.0"` in package.json installs it, with the bindings of provider 5.
    const engine = join(repository, "node_modules", "cdktf");
    rmSync(engine, { recursive: true });
    cpSync(CDKTN.packages.cdktf, engine, { recursive: true });
    succeeded(await run(["npm", "run", "synth"], repository));
    for (const stack of STACKS) {
      const about = stackJson(join(repository, "infra", "cdktf.out"), stack)["//"];
      expect(about).toMatchObject({ metadata: { version: CDKTN.version } });
    }
  });

  it("needs neither engine to be planned: plain terraform finds no changes", async () => {
    for (const stack of STACKS) expect(succeeded(await terraform(stack, "plan"))).toContain("No changes.");
  });

  /** Runs commands as CodeBuild does: in one shell, up to the first that fails. */
  const build = (commands: readonly string[], env: NodeJS.ProcessEnv) =>
    run(["bash", "--norc", "-ec", commands.join("\n")], repository, { env: { ...account, ...env, CI: "" } });

  // No Docker engine here: docker and aws are stubs that note how they are called. All else is real.
  it("is built, planned, applied and released by the commands of a pipeline's builds", async () => {
    if (!tools.terraform.found) throw new Error("needs Terraform");
    const stubs = join(folder, "stubs");
    mkdirSync(stubs);
    const aws = new AwsCaller(emulator.url);
    const manifest = {
      schemaVersion: 2,
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      config: {
        mediaType: "application/vnd.docker.container.image.v1+json",
        size: 2,
        digest: `sha256:${"c".repeat(64)}`,
      },
      layers: [],
    };
    const put = { repositoryName: "orders", imageManifest: JSON.stringify(manifest), imageTag: "commit-1" };
    const digest = (await aws.call("ecr", "PutImage", put)).image.imageId.imageDigest;
    const stub = (name: string, text: string) =>
      writeFileSync(join(stubs, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    stub("docker", `echo "docker $*" >> "${stubs}/calls"; case "$1" in push) touch "${stubs}/pushed" ;; esac`);
    stub(
      "aws",
      `echo "aws $*" >> "${stubs}/calls"
case "$2" in
  get-login-password) echo password ;;
  describe-images) if [ -e "${stubs}/pushed" ]; then echo ${digest}; else exit 254; fi ;;
esac`,
    );
    const PATH = [stubs, dirname(tools.terraform.path), process.env.PATH].join(delimiter);
    const url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/orders";
    const source = {
      PATH,
      CODEBUILD_RESOLVED_SOURCE_VERSION: "1b77c0ffee",
      REPOSITORY_NAME: "orders",
      REPOSITORY_URL: url,
    };
    const made = succeeded(await build([...IMAGE, 'printf "IMAGE=%s" "$IMAGE"'], source));
    expect(made).toContain(`IMAGE=${url}@${digest}`);
    const again = () =>
      readFileSync(join(stubs, "calls"), "utf8")
        .split("\n")
        .filter((call) => call.startsWith("docker"));
    expect(again()).toEqual([
      "docker login --username AWS --password-stdin 123456789012.dkr.ecr.eu-central-1.amazonaws.com",
      `docker build --provenance=false --tag ${url}:commit-1b77c0ffee .`,
      `docker push ${url}:commit-1b77c0ffee`,
    ]);
    // The same commit once more: its image is there.
    succeeded(await build(IMAGE, source));
    expect(again().filter((call) => /build|push/.test(call))).toHaveLength(2);

    const file = join(repository, "infra", "environments.ts");
    const before = readFileSync(file, "utf8");
    const scaling = "scaling: { min: 1, max: 4 }";
    writeFileSync(file, before.replace(scaling, "scaling: { min: 1, max: 6 }"));
    const environment = { PATH, ENVIRONMENT: "dev", ALLOW_DELETE: "none", ALLOW_REPLACE: "none" };
    expect(plain(await build(PLAN, { ...as("plan"), ...environment }))).toMatch(/max_capacity += 4 -> 6/);
    mkdirSync(join(folder, "plans"));
    renameSync(join(repository, "plans.tgz"), join(folder, "plans", "plans.tgz"));
    // What was planned is applied, not what the source says by then.
    writeFileSync(file, before.replace(scaling, "scaling: { min: 1, max: 9 }"));
    const plans = { PLANS_ARTIFACT: "DevPlan", CODEBUILD_SRC_DIR_DevPlan: join(folder, "plans"), APPROVED: "yes" };
    succeeded(await build(APPLY, { ...as("apply"), ...environment, ...plans }));
    const { ScalableTargets } = await clients.applicationAutoScaling.send(
      new DescribeScalableTargetsCommand({ ServiceNamespace: "ecs" }),
    );
    expect(ScalableTargets?.map(({ MaxCapacity }) => MaxCapacity)).toEqual([6]);
    writeFileSync(file, before);

    const live = { ...as("release"), ...environment, IMAGE: `${url}@${digest}`, WATCH_MINUTES: "0" };
    expect(succeeded(await build(RELEASE, live))).toMatch(/alarm/);
    const { services } = await clients.ecs.send(
      new DescribeServicesCommand({ cluster: "orders-dev", services: ["orders"] }),
    );
    const { taskDefinition } = await clients.ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: services?.[0]?.taskDefinition }),
    );
    expect(taskDefinition?.containerDefinitions?.map(({ image }) => image)).toEqual([`${url}@${digest}`]);
    const { imageDetails } = await aws.call("ecr", "DescribeImages", { repositoryName: "orders" });
    expect(imageDetails[0].imageTags).toContain(releasedTag(digest));
  });

  it("reports why tasks stopped when Terraform releases and ECS rolls back, and the deployment fails", async () => {
    const file = join(repository, "infra", "infrastructure.ts");
    const before = readFileSync(file, "utf8");
    const larger = 'releaseOwner: "terraform", size: { cpu: 512, memoryMiB: 1024 },';
    writeFileSync(file, before.replace("process: web(", `${larger}\n      process: web(`));
    const stoppedReason = "Essential container in task exited: no such table";
    await emulator.rollBackNext({ cluster: "orders-dev", service: "orders", stoppedReason });
    const { code, stdout, stderr } = await run(["npm", "run", "deploy", "--", "dev", "--auto-approve"], repository, {
      env: as("apply"),
    });
    writeFileSync(join(results, "rolled-back.log"), stdout + stderr);
    expect(code).toBe(1);
    expect(stderr).toContain("ECS rolled back orders");
    expect(stdout).toMatch(/1 task of \S+ stopped: .*no such table/);
  });

  it("is destroyed by antifragile, which refuses while there are images, and by plain terraform", async () => {
    const destroy = (name: string, env = account) =>
      run(["npx", "antifragile", "destroy", name, "--auto-approve"], repository, { env });
    const refused = await destroy("delivery");
    expect(refused).toMatchObject({ code: 3, stdout: expect.stringContaining("holds images, in repository orders") });
    const { imageIds = [] } = await clients.ecr.send(new ListImagesCommand({ repositoryName: "orders" }));
    await clients.ecr.send(new BatchDeleteImageCommand({ repositoryName: "orders", imageIds }));
    const destroyed = succeeded(await destroy("dev", as("destroy")));
    writeFileSync(join(results, "destroy.log"), destroyed);
    expect(destroyed).toMatch(/destroy dev: orders-dev-service, orders-dev-data, orders-dev-platform\n/);
    expect(destroyed).toMatch(/aws_ecs_service\.\S+ {2}\(service: all of its tasks stop, and requests fail\)/);
    expect(destroyed).toMatch(/delivery, which all environments share, with its images/);
    // The plans that a pipeline hands on leave the providers out.
    succeeded(await terraform("orders-delivery", "init"));
    succeeded(await terraform("orders-delivery", "destroy", "-auto-approve"));
    const { billable } = await emulator.leftovers();
    expect(billable).toEqual([]);
  });

  itWithIam("was deployed, built and destroyed by calls that the roles of its pipeline may make", async () => {
    const roleFor = (access: string) => roles.find(({ name }) => name === `orders-delivery-dev-${access}`);
    // A person destroys, by what Terraform needs and what the command itself does.
    const Statement = [{ Effect: "Allow", Action: DESTROY_ACTIONS, Resource: "*" }];
    const policy = { Version: "2012-10-17", Statement };
    const person = { name: "person", policies: [{ name: "destroy", policy }, ...(roleFor("apply")?.policies ?? [])] };
    const { problems, simulated } = await judgeCalls(
      join(results, CALLS),
      (caller) => (caller === "destroy" ? person : roleFor(caller)),
      // The role reads no logs: apply then says why tasks stopped without their last lines.
      ["logs:GetLogEvents"],
    );
    expect(problems).toEqual([]);
    expect(simulated["orders-delivery-dev-plan"]).toBeGreaterThan(50);
    expect(simulated["orders-delivery-dev-apply"]).toBeGreaterThan(200);
    expect(simulated["orders-delivery-dev-release"]).toBeGreaterThan(10);
    expect(simulated.person).toBeGreaterThan(50);
  });
});
