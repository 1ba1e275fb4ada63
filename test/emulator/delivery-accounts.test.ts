import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { App, AwsStack, DeliveryStack, type Environment, LogStream, Pipeline, Source } from "../../constructs";
import { ASSUME_ROLE } from "../../constructs/pipeline/commands";
import { Emulator } from "../../emulator";
import { type Program, programOf } from "../iam/resolve";
import { AwsCaller, field } from "../support/aws-call";
import { asBuild, assumeRole, CODEBUILD, createRoles } from "../support/build-roles";
import { describeOnEmulator, tools } from "../support/deployment";

const REGION = "eu-central-1";
const ACCOUNTS = { delivery: "123456789012", staging: "444455556666", production: "777788889999" } as const;

/** Programs of a pipeline across three accounts, by account. */
function programs(): Record<string, Program> {
  const app = new App();
  const delivery = new DeliveryStack(app, "orders", { region: REGION, account: ACCOUNTS.delivery, state: "s3" });
  const environments = (["staging", "production"] as const).map(
    (name): Environment => ({
      name,
      region: REGION,
      account: ACCOUNTS[name],
      imageAccount: ACCOUNTS.delivery,
      profile: "dev",
      state: "s3",
    }),
  );
  new Pipeline(delivery, "Pipeline", {
    source: Source.gitHub("acme/orders"),
    releases: environments.map((environment) => ({ environment })),
  });
  for (const environment of environments) {
    new LogStream(new AwsStack(app, "shop", { environment, lifetime: "platform" }), "Audit");
  }
  const program = (id: string) => programOf(app.node.findChild(id) as AwsStack);
  return {
    [ACCOUNTS.delivery]: program("orders-delivery"),
    [ACCOUNTS.staging]: program("orders-delivery-staging"),
    [ACCOUNTS.production]: program("orders-delivery-production"),
  };
}

describeOnEmulator("the roles of a pipeline in three accounts", () => {
  let emulator: Emulator;
  let folder: string;
  const as = (accessKey: string) => new AwsCaller(emulator.url, REGION, accessKey);
  const roleArn = (account: string, name: string) => `arn:aws:iam::${account}:role/orders-delivery-${name}`;
  const assume = (accessKey: string, arn: string) => assumeRole(emulator.url, accessKey, arn);
  /** Access key of a build, as CodeBuild gets it. */
  const build = async (name: string) =>
    field(await assume(CODEBUILD, roleArn(ACCOUNTS.delivery, name)), "AccessKeyId") as string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-accounts-"));
    emulator = await Emulator.start({ log: join(folder, "emulator.log"), tools, catalogue: false });
    for (const [account, program] of Object.entries(programs())) {
      // Policies of builds; of roles that deploy, only the trust is asked here.
      await createRoles(emulator.url, { account, program, policies: account === ACCOUNTS.delivery });
    }
  });

  afterAll(() => emulator?.stop());

  test("are assumed by their own builds", async () => {
    for (const name of ["staging-plan", "staging-apply", "production-apply", "production-release"]) {
      const account = name.startsWith("staging") ? ACCOUNTS.staging : ACCOUNTS.production;
      const inside = field(await assume(await build(name), roleArn(account, name)), "AccessKeyId") as string;
      expect(field(await as(inside).call("sts", "GetCallerIdentity"), "Arn")).toBe(
        `arn:aws:sts::${account}:assumed-role/orders-delivery-${name}/test`,
      );
    }
  });

  test("are assumed by no other build, person, or service", async () => {
    const apply = roleArn(ACCOUNTS.production, "production-apply");
    const builds = ["production-plan", "production-release", "staging-apply", "staging-plan", "test", "image"];
    const keys = await Promise.all(builds.map(build));
    for (const key of [...keys, ACCOUNTS.delivery, ACCOUNTS.staging, ACCOUNTS.production, CODEBUILD]) {
      await expect(assume(key, apply)).rejects.toMatchObject({ code: "AccessDenied" });
    }
  });

  test("reach the images of the delivery account as far as its repository allows", async () => {
    const delivery = as(ACCOUNTS.delivery);
    const { resource } = programs()[ACCOUNTS.delivery] as Program;
    const [policy] = Object.values(resource?.aws_ecr_repository_policy ?? {});
    await delivery.call("ecr", "CreateRepository", { repositoryName: "orders" });
    await delivery.call("ecr", "SetRepositoryPolicy", { repositoryName: "orders", policyText: policy?.policy });
    const imageManifest = JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json" });
    await delivery.call("ecr", "PutImage", { repositoryName: "orders", imageManifest, imageTag: "commit-1" });
    const there = { registryId: ACCOUNTS.delivery, repositoryName: "orders" };
    const imageIds = [{ imageTag: "commit-1" }];
    const pull = (accessKey: string) => as(accessKey).call("ecr", "BatchGetImage", { ...there, imageIds });
    const tag = (accessKey: string) =>
      as(accessKey).call("ecr", "PutImage", { ...there, imageManifest, imageTag: "released-1" });

    const inside = async (name: string) => {
      const account = name.startsWith("staging") ? ACCOUNTS.staging : ACCOUNTS.production;
      return field(await assume(await build(name), roleArn(account, name)), "AccessKeyId") as string;
    };
    const [releases, plans] = [await inside("production-release"), await inside("production-plan")];
    for (const key of [releases, plans]) expect((await pull(key)).images).toHaveLength(1);
    await expect(pull("999988887777")).rejects.toMatchObject({ code: "AccessDeniedException" });
    await expect(tag(plans)).rejects.toMatchObject({ code: "AccessDeniedException" });
    await expect(as(releases).call("ecr", "BatchDeleteImage", { ...there, imageIds })).rejects.toMatchObject({
      code: "AccessDeniedException",
    });
    expect((await tag(releases)).image.imageId.imageTag).toBe("released-1");
  });

  test("are assumed by the first command of a build, for every later one", async () => {
    const identity = `const { STSClient, GetCallerIdentityCommand } = require("@aws-sdk/client-sts");
      new STSClient({}).send(new GetCallerIdentityCommand({})).then(({ Arn }) => console.log(Arn));`;
    const own = roleArn(ACCOUNTS.delivery, "production-apply");
    const run = (commands: readonly string[]) =>
      asBuild(emulator.url, own, async (variables) => {
        const { stdout } = await promisify(execFile)("bash", ["-ec", commands.join("\n")], {
          cwd: folder,
          env: {
            ...variables,
            PATH: process.env.PATH,
            HOME: folder,
            NODE_PATH: resolve("node_modules"),
            ROLE_ARN: roleArn(ACCOUNTS.production, "production-apply"),
          },
        });
        return stdout.trim();
      });
    const asked = `node -e '${identity}'`;
    expect(await run([asked])).toMatch(`:${ACCOUNTS.delivery}:assumed-role/orders-delivery-production-apply/`);
    expect(await run([ASSUME_ROLE, asked])).toMatch(
      `:${ACCOUNTS.production}:assumed-role/orders-delivery-production-apply/`,
    );
  });
});
