import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Emulator } from "../../emulator";
import { AwsCaller, field } from "../support/aws-call";
import { describeOnEmulator, tools } from "../support/deployment";

const [FIRST, OTHER] = ["123456789012", "444455556666"] as const;

describeOnEmulator("accounts on the emulator", () => {
  let emulator: Emulator;
  const as = (accessKey: string) => new AwsCaller(emulator.url, "eu-central-1", accessKey);
  const role = async (account: string, RoleName: string, statement: object, allowed?: string) => {
    const AssumeRolePolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", ...statement }],
    });
    await as(account).call("iam", "CreateRole", { RoleName, AssumeRolePolicyDocument });
    if (allowed !== undefined) {
      const PolicyDocument = JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: ["sts:AssumeRole"], Resource: [allowed] }],
      });
      await as(account).call("iam", "PutRolePolicy", { RoleName, PolicyName: "p", PolicyDocument });
    }
    return `arn:aws:iam::${account}:role/${RoleName}`;
  };
  /** Assumes a role with an access key; returns that of the session. */
  const assume = async (accessKey: string, RoleArn: string, more: object = {}) =>
    field(
      await as(accessKey).call("sts", "AssumeRole", { RoleArn, RoleSessionName: "test", ...more }),
      "AccessKeyId",
    ) as string;
  const build = { Principal: { Service: "codebuild.amazonaws.com" } };
  const SERVICE = "codebuild.amazonaws.com";
  const trusting = (arn: string) => ({
    Principal: { AWS: `arn:aws:iam::${FIRST}:root` },
    Condition: { StringEquals: { "aws:PrincipalArn": [arn] } },
  });
  const denied = { code: "AccessDenied" };

  beforeAll(async () => {
    const log = join(mkdtempSync(join(tmpdir(), "antifragile-accounts-")), "emulator.log");
    emulator = await Emulator.start({ log, tools, catalogue: false });
  });

  beforeEach(() => emulator.reset());

  afterAll(() => emulator?.stop());

  test("have resources of their own", async () => {
    await as(OTHER).call("ecr", "CreateRepository", { repositoryName: "orders" });
    await as(OTHER).call("logs", "PutQueryDefinition", { name: "errors", queryString: "fields @message" });
    const repositories = async (key: string) => (await as(key).call("ecr", "DescribeRepositories")).repositories;
    expect(await repositories(OTHER)).toMatchObject([{ registryId: OTHER }]);
    expect(await repositories("test")).toEqual([]);
    expect((await as(FIRST).call("logs", "DescribeQueryDefinitions")).queryDefinitions).toEqual([]);
    const { billable, free } = await emulator.leftovers();
    const found = [...billable, ...free].map(({ kind, account }) => [kind, account]);
    expect(found).toEqual([
      ["repository", OTHER],
      ["saved query", OTHER],
    ]);
  });

  test("are entered by a role that trusts the caller, and by no other", async () => {
    const arn = (name: string) => `arn:aws:iam::${OTHER}:role/${name}`;
    const builder = await role(FIRST, "build", build, arn("apply"));
    await role(FIRST, "other-build", build, arn("apply"));
    const idle = await role(FIRST, "idle-build", build);
    await role(OTHER, "idle", trusting(idle));
    await role(OTHER, "apply", trusting(builder));
    await role(OTHER, "plan", trusting(builder));
    const session = await assume(SERVICE, builder);
    const inside = await assume(session, arn("apply"));
    expect(field(await as(inside).call("sts", "GetCallerIdentity"), "Arn")).toBe(
      `arn:aws:sts::${OTHER}:assumed-role/apply/test`,
    );
    // A permission without trust, no permission, administrators, a service, and a role that does not exist.
    const other = await assume(SERVICE, `arn:aws:iam::${FIRST}:role/other-build`);
    await expect(assume(other, arn("apply"))).rejects.toMatchObject(denied);
    await expect(assume(session, arn("plan"))).rejects.toMatchObject(denied);
    await expect(assume(await assume(SERVICE, idle), arn("idle"))).rejects.toMatchObject(denied);
    await expect(assume("test", arn("apply"))).rejects.toMatchObject(denied);
    await expect(assume(OTHER, arn("apply"))).rejects.toMatchObject(denied);
    await expect(assume(SERVICE, arn("apply"))).rejects.toMatchObject(denied);
    await expect(assume(session, arn("absent"))).rejects.toMatchObject(denied);
    await expect(assume("ecs.amazonaws.com", builder)).rejects.toMatchObject(denied);
  });

  test("evaluate external ids, the account of a service, and refuse conditions that they do not know", async () => {
    const trust = (Condition: object, Principal: object = { AWS: FIRST }) => ({ Principal, Condition });
    const external = await role(OTHER, "external", trust({ StringEquals: { "sts:ExternalId": "orders" } }));
    await expect(assume("test", external, { ExternalId: "payments" })).rejects.toMatchObject(denied);
    await expect(assume("test", external)).rejects.toMatchObject(denied);
    await expect(assume("test", external, { ExternalId: "orders" })).resolves.toBeTruthy();
    const source = (account: string) => trust({ StringEquals: { "aws:SourceAccount": account } }, build.Principal);
    await expect(assume(SERVICE, await role(OTHER, "own", source(OTHER)))).resolves.toBeTruthy();
    await expect(assume(SERVICE, await role(OTHER, "foreign", source(FIRST)))).rejects.toMatchObject(denied);
    const unknown = await role(
      OTHER,
      "unknown",
      trust({ DateLessThan: { "aws:CurrentTime": "2099-01-01T00:00:00Z" } }),
    );
    await expect(assume("test", unknown)).rejects.toMatchObject(denied);
    const like = await role(OTHER, "like", trust({ ArnLike: { "aws:PrincipalArn": `arn:aws:iam::${FIRST}:user/*` } }));
    await expect(assume("test", like)).resolves.toBeTruthy();
  });
});
