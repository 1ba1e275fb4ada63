import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { App, AwsStack, DeliveryStack, type Environment, LogStream, Pipeline, Source } from "../../constructs";
import { ASSUME_ROLE } from "../../constructs/pipeline/commands";
import { Emulator } from "../../emulator";
import { type Program, programOf } from "../iam/resolve";
import { rolesIn, trustPolicies } from "../iam/roles";
import { AwsCaller, field } from "../support/aws-call";
import { describeOnEmulator, tools } from "../support/deployment";

const REGION = "eu-central-1";
const ACCOUNTS = { delivery: "123456789012", staging: "444455556666", production: "777788889999" } as const;
const SERVICE = "codebuild.amazonaws.com";

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
  const assume = (accessKey: string, RoleArn: string): Promise<string> =>
    as(accessKey).call("sts", "AssumeRole", { RoleArn, RoleSessionName: "test" });
  /** Access key of a build, as CodeBuild gets it. */
  const build = async (name: string) =>
    field(await assume(SERVICE, roleArn(ACCOUNTS.delivery, name)), "AccessKeyId") as string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-accounts-"));
    emulator = await Emulator.start({ log: join(folder, "emulator.log"), tools, catalogue: false });
    for (const [account, program] of Object.entries(programs())) {
      const policies = rolesIn(program);
      for (const { name: RoleName, policy } of trustPolicies(program)) {
        await as(account).call("iam", "CreateRole", { RoleName, AssumeRolePolicyDocument: JSON.stringify(policy) });
        // Those of builds; of roles that deploy, only the trust is asked here.
        if (account !== ACCOUNTS.delivery) continue;
        for (const { name, policy: own } of policies.find((each) => each.name === RoleName)?.policies ?? []) {
          const PolicyDocument = JSON.stringify(own);
          await as(account).call("iam", "PutRolePolicy", { RoleName, PolicyName: name, PolicyDocument });
        }
      }
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
    for (const key of [...keys, ACCOUNTS.delivery, ACCOUNTS.staging, ACCOUNTS.production, SERVICE]) {
      await expect(assume(key, apply)).rejects.toMatchObject({ code: "AccessDenied" });
    }
  });

  test("are assumed by the first command of a build, for every later one", async () => {
    const answer = await assume(SERVICE, roleArn(ACCOUNTS.delivery, "production-apply"));
    const [AccessKeyId, SecretAccessKey, Token, Expiration] = [
      "AccessKeyId",
      "SecretAccessKey",
      "SessionToken",
      "Expiration",
    ].map((name) => field(answer, name));
    // The endpoint from which tools in a build read its credentials.
    const server = createServer((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ AccessKeyId, SecretAccessKey, Token, Expiration }));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const identity = `const { STSClient, GetCallerIdentityCommand } = require("@aws-sdk/client-sts");
      new STSClient({}).send(new GetCallerIdentityCommand({})).then(({ Arn }) => console.log(Arn));`;
    const run = async (commands: readonly string[]) => {
      const { stdout } = await promisify(execFile)("bash", ["-ec", commands.join("\n")], {
        cwd: folder,
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          NODE_PATH: resolve("node_modules"),
          AWS_ENDPOINT_URL: emulator.url,
          AWS_REGION: REGION,
          AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
          ROLE_ARN: roleArn(ACCOUNTS.production, "production-apply"),
        },
      });
      return stdout.trim();
    };
    const asked = `node -e '${identity}'`;
    try {
      expect(await run([asked])).toMatch(`:${ACCOUNTS.delivery}:assumed-role/orders-delivery-production-apply/`);
      expect(await run([ASSUME_ROLE, asked])).toMatch(
        `:${ACCOUNTS.production}:assumed-role/orders-delivery-production-apply/`,
      );
    } finally {
      server.close();
    }
  });
});
