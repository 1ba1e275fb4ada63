import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { DescribeScalableTargetsCommand } from "@aws-sdk/client-application-auto-scaling";
import { DescribeAutoScalingGroupsCommand } from "@aws-sdk/client-auto-scaling";
import { DescribeServicesCommand, DescribeTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import { GetRoleCommand } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, expect, it } from "vitest";
import { APPLY, ASSUME_ROLE, IMAGE, PLAN, RELEASE, TEST } from "../../constructs/pipeline/commands";
import { releasedTag } from "../../contract/images";
import type { Emulator } from "../../emulator";
import { DESTROY_ACTIONS } from "../../scripts/docs-operators";
import { type Result, run, succeeded, unpackPackage } from "../cli/packed";
import { itWithIam } from "../iam/packages";
import { judgeCalls } from "../iam/recorded/judge";
import { ACCOUNT, type Program } from "../iam/resolve";
import { rolesIn, type SimulatedRole } from "../iam/roles";
import { AwsCaller } from "../support/aws-call";
import { asBuild, createRoles } from "../support/build-roles";
import { planOnCi } from "../support/ci-plans";
import { pushTwice } from "../support/ci-pushes";
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
import { COMBINATIONS, itWithCdktn } from "../support/engines";
import { stackJson } from "../support/examples";
import { deployLocally, handled, type Local } from "../support/local-deployment";

const CDKTN = COMBINATIONS["cdktn as cdktf, with provider 5"];

const STACKS = ["orders-dev-platform", "orders-dev-data", "orders-dev-service", "orders-delivery"];

/** Accounts; that of dev is the emulator's own. */
const [DELIVERY, DEV, PRODUCTION] = ["111122223333", "123456789012", "777788889999"] as const;

/** Manifest of an image of one layer, whose digest repeats a character: that of the image is made from it. */
const manifestOf = (character: string) => {
  const digest = `sha256:${character.repeat(64)}`;
  const of = (kind: string) => ({ mediaType: `application/vnd.docker.${kind}`, size: 2, digest });
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: of("container.image.v1+json"),
    layers: [of("image.rootfs.diff.tar.gzip")],
  });
};

/** Output of a command that succeeded, without the colors of Terraform. */
const plain = (result: Result) => stripVTControlCharacters(succeeded(result));

/** Generates the repository `orders` in a folder, with the package of a tarball. */
async function generate(tarball: string, folder: string, ...flags: readonly string[]): Promise<void> {
  const exec = ["npm", "exec", "--yes", `--package=${tarball}`, "--"];
  const answers = ["--yes", "--capacity", "ec2", "--no-git", ...flags];
  succeeded(await run([...exec, "antifragile", "new", "orders", ...answers], folder));
}

/** Program of a generated repository whose pipeline delivers the environment dev, which a person deploys otherwise, to its own account. */
const DELIVERS_DEV = `
import { join } from "node:path";
import { App, DeliveryStack, ImageRepository, Pipeline, Source } from "antifragile";
import { environments } from "./environments";
import { infrastructure } from "./infrastructure";

const delivery = { region: "eu-central-1", account: "${DELIVERY}", state: "s3" as const };
const found = environments.filter(({ name }) => name === "dev");
const more = { account: "${DEV}", imageAccount: delivery.account, state: "s3" as const };
const releases = found.map((dev) => ({ environment: { ...dev, ...more } }));
const app = new App({ outdir: join(__dirname, "delivers-dev.out") });
infrastructure(app, releases.map(({ environment }) => environment) as never);
const stack = new DeliveryStack(app, "orders", delivery);
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
  /** The environment of a person with credentials of an account. */
  const signedIn = (accountId: string): NodeJS.ProcessEnv => ({ ...account, AWS_ACCESS_KEY_ID: accountId });
  /** Image that the pipeline has built. */
  let image: string;

  let zone: string;
  /** Creates the zone of the load balancers' domains in an account, and returns its id. */
  async function createZone(accountId: string): Promise<string> {
    const aws = new AwsCaller(emulator.url, "us-east-1", accountId);
    const answer = await aws.rest(
      "route53",
      "POST",
      "/2013-04-01/hostedzone",
      `<CreateHostedZoneRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Name>example.com</Name><CallerReference>1</CallerReference></CreateHostedZoneRequest>`,
    );
    zone = /<Id>\/hostedzone\/(\w+)<\/Id>/.exec(answer)?.[1] as string;
    return zone;
  }

  const programOf = (outdir: string, stack: string): Program =>
    JSON.parse(readFileSync(join(repository, "infra", outdir, "stacks", stack, "cdk.tf.json"), "utf8"));
  /** Roles of the pipeline that deploy dev, those that deploy production, and those of its builds in the account of delivery. */
  let roles: readonly SimulatedRole[];
  let inProduction: readonly SimulatedRole[];
  let builds: readonly SimulatedRole[];
  /** `npm run deploy:local` in a repository with all needs. It waits for minutes, during which the other tests go on. */
  let local: Promise<Local> | undefined;
  /** Runs of the CI systems besides GitHub and CodePipeline, during which the other tests go on as well. */
  let others: ReturnType<typeof planOnCi> | undefined;
  let productionDestroyed: Promise<void> | undefined;
  /** Roles with references of the account that they are in. */
  const inDelivery = (all: readonly SimulatedRole[]): SimulatedRole[] =>
    JSON.parse(JSON.stringify(all).replaceAll(ACCOUNT, DELIVERY));

  /** Repositories of CI systems, which begin as the repository is now. */
  const ciRepository = (name: string) => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...settings } = account;
    return {
      from: repository,
      folder: join(folder, name),
      variables: settings,
      url: emulator.url,
      account: DELIVERY,
    };
  };

  beforeAll(async () => {
    if (!tools.terraform.found) throw new Error("needs Terraform");
    folder = mkdtempSync(join(tmpdir(), "antifragile-generated-"));
    const { tarball } = unpackPackage();
    await generate(tarball, folder);
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
    await Promise.allSettled([local, others, productionDestroyed]);
    for (const client of Object.values(clients ?? {})) client.destroy();
    await emulator?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is installed by npm ci in another folder, with an empty npm cache", async () => {
    succeeded(await run(["npm", "ci", "--cache", join(folder, "empty-cache")], repository));
    expect(readdirSync(join(repository, "node_modules", "antifragile"))).toContain("dist");

    const [tarball] = readdirSync(join(repository, "vendor"));
    const needs = ["--database", "postgres", "--cache", "valkey", "--queue", "sqs", "--job"];
    mkdirSync(join(folder, "local"));
    local = generate(join(repository, "vendor", tarball as string), join(folder, "local"), ...needs).then(() =>
      deployLocally(join(folder, "local", "orders")),
    );
    local.catch(() => undefined);
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
      .replace(/delivery: placeholder\([^)]*\)/, `delivery: "${DELIVERY}"`)
      .replace(/production: placeholder\([^)]*\)/, `production: "${PRODUCTION}"`)
      .replaceAll(/zoneId: placeholder\([^)]*\)/g, `zoneId: "${await createZone(PRODUCTION)}"`)
      // As small as dev, and as easy to destroy.
      .replace('profile: "production"', 'profile: "dev"')
      .replaceAll(/emails: \[placeholder\([^)]*\)/g, 'emails: ["on-call@example.com"')
      .replaceAll(/repository: placeholder\([^)]*\)/g, 'repository: "acme/orders"')
      .replaceAll(/placeholder\([^)]*\)/g, '"shop.example.com"')
      // Of the environments, state goes to S3; here that of delivery itself stays a file.
      .replace('state: "s3" as const', 'state: "local" as const');
    writeFileSync(file, filled);
    const deploy = ["npm", "run", "deploy", "--", "delivery", "--auto-approve"];
    expect(plain(await run(deploy, repository, { env: signedIn(DELIVERY) }))).toMatch(
      /deploy delivery: orders-delivery\n.*Plan: [1-9]\d* to add, 0 to change, 0 to destroy.*Apply complete! Resources: [1-9]\d* added.*delivery is deployed/s,
    );
    const aws = new AwsCaller(emulator.url, "eu-central-1", DELIVERY);
    const { pipelines } = await aws.call("codepipeline", "ListPipelines");
    expect(pipelines).toMatchObject([{ name: "orders" }]);
    // The command line of CDK for Terraform is a way that stays open: it has the same state, and nothing is left to deploy.
    const cdktf = ["npm", "exec", "--yes", "--package=cdktf-cli@0.21.0", "--", "cdktf"];
    const quiet = { ...signedIn(DELIVERY), DISABLE_VERSION_CHECK: "1", CHECKPOINT_DISABLE: "1" };
    const again = [...cdktf, "deploy", "orders-delivery", "--auto-approve"];
    const output = plain(await run(again, join(repository, "infra"), { env: quiet }));
    expect(output).toContain("No changes. Your infrastructure matches the configuration.");
    // Terraform ends with this line also where it has nothing to apply.
    expect([...output.matchAll(/Apply complete! Resources: (.*)\./g)].map((match) => match[1])).toEqual([
      "0 added, 0 changed, 0 destroyed",
    ]);
  });

  it("delivers to production in an account of its own, which one command prepares", async () => {
    const bootstrap = (accessKey: string, ...flags: readonly string[]) =>
      run(["npm", "run", "bootstrap", "--", "delivery-production", ...flags], repository, { env: signedIn(accessKey) });
    const wrong = await bootstrap(DELIVERY, "--auto-approve");
    expect(wrong).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `the credentials are for account ${DELIVERY}, but orders-delivery-production belongs to ${PRODUCTION}: nothing was created`,
      ),
    });
    const doctor = async (accessKey: string = PRODUCTION) => {
      const command = ["npx", "antifragile", "doctor", "production", "--aws"];
      return (await run(command, repository, { env: signedIn(accessKey) })).stdout;
    };
    expect(await doctor(DELIVERY)).toMatch(
      /delivery-production +! account 777788889999 was not checked: the credentials are for 111122223333/,
    );
    expect(await doctor()).toMatch(
      /✖ antifragile-state-777788889999-eu-central-1 in account 777788889999 must be made, .*: run antifragile bootstrap delivery-production\n.*boundary in account 777788889999 must be made.*orders-delivery-production is not deployed/s,
    );
    expect(plain(await bootstrap(PRODUCTION, "--dry-run"))).toMatch(
      /antifragile-state-777788889999-eu-central-1 .*: would be made.*policy\/antifragile-production-boundary: would be made.*orders-delivery-production: would be planned and deployed/s,
    );
    expect(plain(await bootstrap(PRODUCTION, "--auto-approve"))).toMatch(
      /eu-central-1, account 777788889999: made.*boundary: made.*Apply complete! Resources: [1-9]\d* added/s,
    );
    expect(plain(await bootstrap(PRODUCTION, "--auto-approve"))).toMatch(
      /account 777788889999: no changes.*boundary: no changes.*\norders-delivery-production\n.*No changes\. Your infrastructure matches/s,
    );
    expect(await doctor()).toMatch(
      /✔ antifragile-state-777788889999-eu-central-1 in account 777788889999\n.*✔ .*boundary in account 777788889999\n.*✔ orders-delivery-production is deployed/s,
    );
    inProduction = rolesIn(programOf("cdktf.out", "orders-delivery-production"));
    builds = rolesIn(programOf("cdktf.out", "orders-delivery"));
    const RoleName = "orders-delivery-production-apply";
    const aws = new AwsCaller(emulator.url, "eu-central-1", PRODUCTION);
    expect(await aws.call("iam", "GetRole", { RoleName })).toContain(`arn:aws:iam::${PRODUCTION}:role/${RoleName}`);
  });

  const destroy = (name: string, env: NodeJS.ProcessEnv, clone = repository) =>
    run(["npx", "antifragile", "destroy", name, "--auto-approve"], clone, { env });

  /** Destroys production from another clone, during which the other tests go on. */
  async function destroyProduction(clone: string): Promise<void> {
    succeeded(await destroy("production", signedIn(PRODUCTION), clone));
    const aws = new AwsCaller(emulator.url, "us-east-1", PRODUCTION);
    await aws.rest("route53", "DELETE", `/2013-04-01/hostedzone/${zone}`);
    succeeded(await destroy("delivery-production", signedIn(PRODUCTION), clone));
  }

  const terraform = (stack: string, ...args: string[]) => {
    if (!tools.terraform.found) throw new Error("needs Terraform");
    const cwd = join(repository, "infra", "cdktf.out", "stacks", stack);
    // A person deploys the stack that has the roles.
    const env = stack === "orders-delivery" ? signedIn(DELIVERY) : as("plan");
    return run([tools.terraform.path, ...args, "-input=false", "-no-color"], cwd, { env });
  };

  it("has roles in its account for a pipeline of another account that delivers dev, too", async () => {
    writeFileSync(join(repository, "infra", "delivers-dev.ts"), DELIVERS_DEV);
    succeeded(await run(["npx", "tsx", "infra/delivers-dev.ts"], repository));
    const [own, others] = ["orders-delivery-dev", "orders-delivery"].map((stack) =>
      programOf("delivers-dev.out", stack),
    ) as [Program, Program];
    [roles, builds] = [rolesIn(own), [...builds, ...rolesIn(others)]];
    const names = ["plan", "apply", "release"].map((access) => `orders-delivery-dev-${access}`);
    expect(roles.map(({ name }) => name).sort()).toEqual([...names].sort());
    await createRoles(emulator.url, { account: DEV, program: own, policies: false });
    // The others are deployed.
    await createRoles(emulator.url, { account: DELIVERY, program: others, policies: true, isOne: /-dev-/ });
  });

  itWithCdktn("moves to CDK Terrain, which synthesizes it from here on", async () => {
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
    const plan = async (stack: string) => expect(succeeded(await terraform(stack, "plan"))).toContain("No changes.");
    for (const at of [0, 2]) await Promise.all(STACKS.slice(at, at + 2).map(plan));
  });

  /** Runs commands as CodeBuild does: in one shell, up to the first that fails. */
  const build = (commands: readonly string[], env: NodeJS.ProcessEnv) =>
    run(["bash", "--norc", "-ec", commands.join("\n")], repository, { env: { ...account, ...env, CI: "" } });

  /** Runs them as the build of an action, in the account of delivery, which assumes a role in that of the environment. */
  const buildOf = (name: "dev" | "production", access: string, commands: readonly string[], env: NodeJS.ProcessEnv) => {
    const arn = (id: string) => `arn:aws:iam::${id}:role/orders-delivery-${name}-${access}`;
    const keys = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
    const given = { ENVIRONMENT: name, ALLOW_DELETE: "none", ALLOW_REPLACE: "none", ...env };
    return asBuild(emulator.url, arn(DELIVERY), (variables) =>
      build([ASSUME_ROLE, ...commands], {
        ...keys,
        ...variables,
        ROLE_ARN: arn(name === "dev" ? DEV : PRODUCTION),
        ...given,
      }),
    );
  };

  // No Docker engine here: docker and aws are stubs that note how they are called. All else is real.
  it("is built, planned, applied and released by the commands of a pipeline's builds", async () => {
    if (!tools.terraform.found) throw new Error("needs Terraform");
    const stubs = join(folder, "stubs");
    mkdirSync(stubs);
    const aws = new AwsCaller(emulator.url, "eu-central-1", DELIVERY);
    const put = { repositoryName: "orders", imageManifest: manifestOf("c"), imageTag: "commit-1" };
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
    const url = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/orders";
    const source = {
      PATH,
      CODEBUILD_RESOLVED_SOURCE_VERSION: "1b77c0ffee",
      REPOSITORY_NAME: "orders",
      REPOSITORY_URL: url,
    };
    const made = succeeded(await build([...IMAGE, 'printf "IMAGE=%s" "$IMAGE"'], source));
    image = `${url}@${digest}`;
    expect(made).toContain(`IMAGE=${image}`);
    const again = () =>
      readFileSync(join(stubs, "calls"), "utf8")
        .split("\n")
        .filter((call) => call.startsWith("docker"));
    expect(again()).toEqual([
      "docker login --username AWS --password-stdin 111122223333.dkr.ecr.eu-central-1.amazonaws.com",
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
    expect(plain(await buildOf("dev", "plan", PLAN, { PATH }))).toMatch(/max_capacity += 4 -> 6/);
    mkdirSync(join(folder, "plans"));
    renameSync(join(repository, "plans.tgz"), join(folder, "plans", "plans.tgz"));
    // What was planned is applied, not what the source says by then.
    writeFileSync(file, before.replace(scaling, "scaling: { min: 1, max: 9 }"));
    const plans = { PLANS_ARTIFACT: "DevPlan", CODEBUILD_SRC_DIR_DevPlan: join(folder, "plans"), APPROVED: "yes" };
    succeeded(await buildOf("dev", "apply", APPLY, { PATH, ...plans }));
    const { ScalableTargets } = await clients.applicationAutoScaling.send(
      new DescribeScalableTargetsCommand({ ServiceNamespace: "ecs" }),
    );
    expect(ScalableTargets?.map(({ MaxCapacity }) => MaxCapacity)).toEqual([6]);
    writeFileSync(file, before);

    // Who deploys dev here may pull; the pipeline that is deployed delivers only the others.
    const [policy] = Object.values(
      programOf("delivers-dev.out", "orders-delivery").resource?.aws_ecr_repository_policy ?? {},
    );
    const { policyText } = await aws.call("ecr", "GetRepositoryPolicy", { repositoryName: "orders" });
    await aws.call("ecr", "SetRepositoryPolicy", { repositoryName: "orders", policyText: policy?.policy });
    const live = { PATH, IMAGE: image, WATCH_MINUTES: "0" };
    expect(succeeded(await buildOf("dev", "release", RELEASE, live))).toMatch(/alarm/);
    const { services } = await clients.ecs.send(
      new DescribeServicesCommand({ cluster: "orders-dev", services: ["orders"] }),
    );
    const { taskDefinition } = await clients.ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: services?.[0]?.taskDefinition }),
    );
    expect(taskDefinition?.containerDefinitions?.map(({ image }) => image)).toEqual([image]);
    const { imageDetails } = await aws.call("ecr", "DescribeImages", { repositoryName: "orders" });
    expect(imageDetails[0].imageTags).toContain(releasedTag(digest));
    await aws.call("ecr", "SetRepositoryPolicy", { repositoryName: "orders", policyText });
  });

  it("is planned, applied and released in the account of production by its builds, with the same image", async () => {
    // While Terraform waits for load balancers.
    const user = `arn:aws:iam::${DEV}:user/administrator`;
    others = planOnCi({ user, repository: ciRepository("ci") });
    others.catch(() => undefined);
    if (!tools.terraform.found) throw new Error("needs Terraform");
    const PATH = [dirname(tools.terraform.path), process.env.PATH].join(delimiter);
    expect(plain(await buildOf("production", "plan", PLAN, { PATH }))).toMatch(
      /orders-production-platform.*Plan: [1-9]\d* to add.*orders-production-service\nis planned after/s,
    );
    const artifact = join(folder, "production");
    mkdirSync(artifact);
    renameSync(join(repository, "plans.tgz"), join(artifact, "plans.tgz"));
    const plans = { PLANS_ARTIFACT: "ProductionPlan", CODEBUILD_SRC_DIR_ProductionPlan: artifact, APPROVED: "no" };
    succeeded(await buildOf("production", "apply", APPLY, { PATH, ...plans }));
    succeeded(await buildOf("production", "release", RELEASE, { PATH, IMAGE: image, WATCH_MINUTES: "0" }));
    const aws = new AwsCaller(emulator.url, "eu-central-1", PRODUCTION);
    const { services } = await aws.call("ecs", "DescribeServices", {
      cluster: "orders-production",
      services: ["orders"],
    });
    const { taskDefinition } = await aws.call("ecs", "DescribeTaskDefinition", {
      taskDefinition: services[0].taskDefinition,
    });
    expect(taskDefinition.containerDefinitions[0].image).toBe(image);
    expect(taskDefinition.taskDefinitionArn).toContain(`:${PRODUCTION}:`);
  });

  it("is delivered to production by two pushes through GitHub's workflow, whose older one is refused wherever it comes late", async () => {
    const log = join(results, "github-actions.log");
    const pushes = await pushTwice(ciRepository("github"), PRODUCTION, log);
    const [ofDelivery, ofProduction] = pushes.programs;
    builds = [...builds, ...inDelivery(rolesIn(ofDelivery))];
    inProduction = [...inProduction, ...rolesIn(ofProduction)];
    productionDestroyed = destroyProduction(pushes.clone);
    productionDestroyed.catch(() => undefined);
    const { older, newer, waiting, delivered, late, live } = pushes;
    for (const run of [waiting.older, waiting.newer]) {
      expect(run, run.output.slice(-3000)).toMatchObject({ failed: undefined, waiting: "production" });
    }
    expect(stripVTControlCharacters(waiting.older.output)).toMatch(/max_capacity += 20 -> 22/);
    const shown = stripVTControlCharacters(waiting.newer.output);
    expect(shown).toMatch(/Tests .* passed.*orders-staging-platform.*max_capacity += 20 -> 21/s);
    const next = pushes.image;
    expect(next).toMatch(/^111122223333\.dkr\.ecr\.\S+\/orders@sha256:[0-9a-f]{64}$/);
    const changes = [`apply staging --commit ${newer}`, `release staging --image ${next}`];
    expect(pushes.recorded).toEqual([...changes, "alarms staging --minutes 0"]);

    expect(delivered, delivered.output.slice(-3000)).toMatchObject({ failed: undefined, waiting: undefined });
    const isOlder = `commit ${older.slice(0, 12)} is older than ${newer.slice(0, 12)}, which production has`;
    expect(late.approved).toMatchObject({ failed: "production", output: expect.stringContaining(isOlder) });
    expect(late.planned).toMatchObject({ failed: "production-plan", output: expect.stringContaining(isOlder) });
    // A re-run of the job finds no plans any more.
    expect(late.repeated).toMatchObject({ failed: "production" });
    expect(late.repeated.output).toContain("They are deleted once they are applied: plan again");
    expect(live).toEqual([
      [20, image],
      [21, next],
      [21, next],
    ]);
  });

  it("is planned by the files of all other CI systems, each job with its own role", async () => {
    if (others === undefined) throw new Error("nothing was deployed");
    const { runs, roles: theirs, untrusted } = await others;
    builds = [...builds, ...inDelivery(theirs)];
    expect(untrusted).toEqual([]);
    for (const { ci, failed, output, recorded, sha } of runs) {
      writeFileSync(join(results, `${ci}.log`), output);
      expect(failed, output.slice(-3000)).toBeUndefined();
      expect(stripVTControlCharacters(output)).toMatch(
        /Tests .* passed.*orders-staging-platform.*Plan: [1-9]\d* to add/s,
      );
      expect(recorded).toEqual([
        `apply staging --commit ${sha}`,
        expect.stringMatching(/^release staging --image 111122223333\.dkr\.ecr\.\S+@sha256:[0-9a-f]{64}$/),
        "alarms staging --minutes 0",
        expect.stringMatching(
          `^plan production --commit ${sha} --upload \\S+ --allow-delete {2}--allow-replace {2}--allow-update`,
        ),
      ]);
    }
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

  it("with all needs is deployed to its own emulator by npm run deploy:local, works there, is rolled over without a lost request, and is destroyed by Ctrl-C", async () => {
    if (local === undefined) throw new Error("the repository was not installed");
    const { answers, created, stored, job, quotes, lost, rolledOver, result } = await local;
    // Interrupted by Ctrl-C, npm itself has no exit code: it waits for the command, whose last line reports success.
    const output = result.stdout;
    writeFileSync(join(results, "deploy-local.log"), output + result.stderr);
    writeFileSync(join(results, "deploy-local-again.log"), rolledOver.stdout + rolledOver.stderr);
    expect(answers).toEqual([401, 201, 404]);
    expect(output).toMatch(/"migration":"0001-quotes\.sql","msg":"migrated".*release 1 is live/s);
    expect(stored).toEqual(created);
    expect(succeeded(job)).toMatch(/"quotes":1,"total_cents":750,"msg":"report"/);

    expect(succeeded(rolledOver)).toMatch(
      /"migration":"0002-note\.sql","msg":"migrated".*release 2 is live.*rolled over/s,
    );
    expect(lost).toEqual([]);
    // Of both versions.
    expect([...new Set(quotes.map(({ totalCents }) => totalCents))]).toEqual([750, 1500]);
    const received = handled(output);
    expect([created, ...quotes].filter(({ id }) => !received.has(id))).toEqual([]);

    expect(output).toMatch(/"signal":"SIGTERM","msg":"stopping".*stopped, exit code 0/s);
    expect(output).toMatch(/service\/orders-dev\/orders is ACTIVE: 1 of 1 tasks/);
    expect(output).toMatch(/plan orders-dev-service again .* no changes/);
    expect(output).toContain("applied, found as planned, and destroyed");
  });

  it("is destroyed by antifragile, which refuses while there are images, and by plain terraform", async () => {
    const destroyed = succeeded(await destroy("dev", as("destroy")));
    writeFileSync(join(results, "destroy.log"), destroyed);
    expect(destroyed).toMatch(/destroy dev: orders-dev-service, orders-dev-data, orders-dev-platform\n/);
    expect(destroyed).toMatch(/aws_ecs_service\.\S+ {2}\(service: all of its tasks stop, and requests fail\)/);
    expect(destroyed).toMatch(/delivery, which all environments share, with its images/);
    await productionDestroyed;
    const refused = await destroy("delivery", signedIn(DELIVERY));
    expect(refused).toMatchObject({ code: 3, stdout: expect.stringContaining("holds images, in repository orders") });
    const ecr = new AwsCaller(emulator.url, "eu-central-1", DELIVERY);
    const { imageIds } = await ecr.call("ecr", "ListImages", { repositoryName: "orders" });
    await ecr.call("ecr", "BatchDeleteImage", { repositoryName: "orders", imageIds });
    // The plans that a pipeline hands on leave the providers out.
    succeeded(await terraform("orders-delivery", "init"));
    succeeded(await terraform("orders-delivery", "destroy", "-auto-approve"));
    const { billable } = await emulator.leftovers();
    // The states of Terraform, which `destroy` names as kept, and what it costs.
    expect(billable.map(({ kind, account, id }) => [kind, account, id]).sort()).toEqual(
      [DELIVERY, PRODUCTION].map((id) => ["bucket", id, `antifragile-state-${id}-eu-central-1`]),
    );
  });

  itWithIam("was deployed, built and destroyed by calls that the roles of its pipeline may make", async () => {
    const named = (all: readonly SimulatedRole[], role: string) => all.find(({ name }) => name === role);
    const roleFor = (access: string) => named(roles, `orders-delivery-dev-${access}`);
    // A person destroys, by what Terraform needs and what the command itself does.
    const Statement = [{ Effect: "Allow", Action: DESTROY_ACTIONS, Resource: "*" }];
    const policy = { Version: "2012-10-17", Statement };
    const person = { name: "person", policies: [{ name: "destroy", policy }, ...(roleFor("apply")?.policies ?? [])] };
    const { problems, simulated } = await judgeCalls(
      join(results, CALLS),
      (caller) => {
        const [id, role] = caller.replace("arn:aws:iam::", "").split(":role/");
        const all = { [DELIVERY]: builds, [DEV]: roles, [PRODUCTION]: inProduction }[id as string] ?? [];
        if (role !== undefined) return named(all, role);
        return caller === "destroy" ? person : roleFor(caller);
      },
      // The role reads no logs: apply then says why tasks stopped without their last lines.
      ["logs:GetLogEvents"],
    );
    expect(problems).toEqual([]);
    expect(simulated["orders-delivery-dev-plan"]).toBeGreaterThan(50);
    expect(simulated["orders-delivery-dev-apply"]).toBeGreaterThan(200);
    expect(simulated["orders-delivery-dev-release"]).toBeGreaterThan(10);
    expect(simulated.person).toBeGreaterThan(50);
    for (const [access, calls] of Object.entries({
      image: 2,
      "production-plan": 50,
      "production-apply": 10,
      "production-release": 10,
      "staging-plan": 5,
    })) {
      expect(simulated[`orders-delivery-gh-${access}`], access).toBeGreaterThan(calls);
    }
    for (const prefix of ["gl", "ci"]) {
      expect(simulated[`orders-delivery-${prefix}-image`]).toBeGreaterThan(2);
      expect(simulated[`orders-delivery-${prefix}-staging-plan`]).toBeGreaterThan(5);
    }
  });
});
