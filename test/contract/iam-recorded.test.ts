import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { arn, roleArn } from "../iam/flows/flow";
import { describeWithIam } from "../iam/packages";
import { judgeCalls } from "../iam/recorded/judge";
import { ACCOUNT, REGION } from "../iam/resolve";
import { ROOT, textOf } from "./support/sources";

interface Made {
  readonly service?: string;
  readonly operation?: string;
  readonly params?: object;
  readonly named?: readonly string[];
}

/** A call as the emulator writes it: `elbv2:CreateRule`. */
const call = (name: string, params: object = {}, named: readonly string[] = []): Made => {
  const [service = "", operation = ""] = name.split(":");
  return { service, operation, params, named };
};

/** End-to-end tests whose calls no role of ours makes on AWS. */
const BY_PERSONS: Readonly<Record<string, string>> = {
  "deploy-local": "runs on an emulator of its own, for a developer",
  emulator: "deploys one resource of each kind that the emulator adds",
  harness: "deploys a program of the test",
  "on-call": "has a service that calls of AWS make; its commands are judged in release",
  state: "bootstraps an account and deploys a delivery, as a person does",
  "verify-aws": "is a script for maintainers, with an account of their own",
};

it("are judged in each end-to-end test, but for those of persons", () => {
  const tests = readdirSync(join(ROOT, "test/e2e")).filter((name) => name.endsWith(".test.ts"));
  const isJudged = (name: string) => /judge(Calls|Deployment)\(/.test(textOf(`test/e2e/${name}`));
  const others = tests.filter((name) => !isJudged(name)).map((name) => name.replace(".e2e.test.ts", ""));
  expect(others.sort()).toEqual(Object.keys(BY_PERSONS).sort());
});

describeWithIam("calls that the emulator recorded", () => {
  const folder = mkdtempSync(join(tmpdir(), "antifragile-recorded-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Calls that a role with these statements would be denied, without their context. */
  async function judged(statements: readonly object[], ...calls: readonly Made[]): Promise<string[]> {
    const file = join(folder, "calls.jsonl");
    const lines = calls.map((made) => ({
      caller: "role",
      request: "GET /unknown",
      region: REGION,
      named: [],
      ...made,
    }));
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const policy = { Version: "2012-10-17", Statement: statements.map((each) => ({ Effect: "Allow", ...each })) };
    const { problems } = await judgeCalls(file, (caller) =>
      caller === "role" ? { name: "deployer", policies: [{ name: "own", policy }] } : undefined,
    );
    return problems.map((problem) => problem.replace(/ (with )?\{.*$/, ""));
  }
  const allow = (
    Action: string | readonly string[],
    Resource: string | readonly string[] = "*",
    Condition?: object,
  ) => ({
    Action,
    Resource,
    ...(Condition === undefined ? {} : { Condition }),
  });

  it("are denied with action, resource, role, caller and operation", async () => {
    const deletes = call("rds:DeleteDBInstance", { DBInstanceIdentifier: "orders" });
    expect(await judged([allow("rds:DeleteDBInstance", arn("rds", "db:orders"))], deletes)).toEqual([]);
    expect(await judged([allow("rds:DeleteDBInstance", arn("rds", "db:other"))], deletes)).toEqual([
      `deployer may not rds:DeleteDBInstance on ${arn("rds", "db:orders")} (role rds:DeleteDBInstance)`,
    ]);
  });

  it("replace no object where the role may only write one that is not there", async () => {
    const writes = (more: object) => call("s3:PutObject", { Bucket: "plans", Key: "1.tgz", ...more });
    const once = allow("s3:PutObject", "arn:aws:s3:::plans/*", { Null: { "s3:if-none-match": "false" } });
    expect(await judged([once], writes({ IfNoneMatch: "*" }))).toEqual([]);
    expect(await judged([once], writes({}))).toHaveLength(1);
  });

  it("may be refused where a command expects it", async () => {
    const file = join(folder, "tolerated.jsonl");
    const reads = call("logs:GetLogEvents", { logGroupName: "orders", logStreamName: "web/1" });
    writeFileSync(file, JSON.stringify({ caller: "role", request: "POST /", region: REGION, named: [], ...reads }));
    const of = (tolerated: string[]) => judgeCalls(file, () => ({ name: "deployer", policies: [] }), tolerated);
    expect((await of([])).problems).toHaveLength(1);
    expect((await of(["logs:GetLogEvents"])).problems).toEqual([]);
  });

  it("are not judged where no role of ours makes them, and still create resources with tags", async () => {
    const created = call("kms:CreateKey", { Tags: [{ TagKey: "Environment", TagValue: "dev" }] }, [
      arn("kms", "key/1"),
    ]);
    const condition = { StringEquals: { "aws:ResourceTag/Environment": "dev" } };
    const deletes = (key: string) => call("kms:ScheduleKeyDeletion", { KeyId: key });
    const statements = [allow("kms:ScheduleKeyDeletion", "*", condition)];
    expect(await judged(statements, { ...created, ...{ caller: "test" } }, deletes("1"))).toEqual([]);
    expect(await judged(statements, { ...created, ...{ caller: "test" } }, deletes("2"))).toHaveLength(1);
  });

  it("are denied, too, for tags of what they create and for roles that they pass", async () => {
    const trust = JSON.stringify({ Statement: { Principal: { Service: "ecs-tasks.amazonaws.com" } } });
    const calls = [
      call("iam:CreateRole", { RoleName: "shop-task", AssumeRolePolicyDocument: trust }),
      call(
        "ecs:RegisterTaskDefinition",
        { family: "shop", taskRoleArn: roleArn("shop-task"), tags: [{ key: "a", value: "b" }] },
        [arn("ecs", "task-definition/shop:1")],
      ),
    ];
    const both = [allow(["iam:CreateRole", "ecs:RegisterTaskDefinition"])];
    expect(await judged(both, ...calls)).toEqual([
      `deployer may not ecs:TagResource on ${arn("ecs", "task-definition/shop:1")} (role ecs:RegisterTaskDefinition)`,
      `deployer may not iam:PassRole on ${roleArn("shop-task")} (role ecs:RegisterTaskDefinition)`,
    ]);
    const passes = (service: string) =>
      allow("iam:PassRole", roleArn("shop-task"), { StringEquals: { "iam:PassedToService": service } });
    const tags = allow("ecs:TagResource");
    expect(await judged([...both, tags, passes("ecs-tasks.amazonaws.com")], ...calls)).toEqual([]);
    expect(await judged([...both, tags, passes("ec2.amazonaws.com")], ...calls)).toHaveLength(1);
  });

  it("name roles and instance profiles with the path that they were created with", async () => {
    const calls = [
      call("iam:CreateInstanceProfile", { InstanceProfileName: "guests", Path: "/tenant/" }),
      call("iam:GetInstanceProfile", { InstanceProfileName: "guests" }),
      call("iam:CreateRole", { RoleName: "guests", Path: "/tenant/", AssumeRolePolicyDocument: "{}" }),
      call("iam:GetRole", { RoleName: "guests" }),
    ];
    const allowed = (path: string) =>
      ["InstanceProfile:instance-profile", "Role:role"].map((each) => {
        const [name = "", kind = ""] = each.split(":");
        return allow([`iam:Create${name}`, `iam:Get${name}`], `arn:aws:iam::${ACCOUNT}:${kind}${path}guests`);
      });
    expect(await judged(allowed("/tenant/"), ...calls)).toEqual([]);
    expect(await judged(allowed("/"), ...calls)).toHaveLength(4);
  });

  it("about a deployment are decided on the groups that were deployed to", async () => {
    const place = { applicationName: "shop", deploymentGroupName: "web" };
    const calls = [
      call("codedeploy:CreateDeployment", place),
      call("codedeploy:GetDeployment", { deploymentId: "d-1" }),
    ];
    const actions = ["codedeploy:CreateDeployment", "codedeploy:GetDeployment"];
    expect(await judged([allow(actions, arn("codedeploy", "deploymentgroup:shop/web"))], ...calls)).toEqual([]);
    expect(await judged([allow(actions, arn("codedeploy", "deploymentgroup:shop/other"))], ...calls)).toHaveLength(2);
  });

  it("have the names of IAM's actions and resources", async () => {
    const made: [Made, string, string][] = [
      [call("s3:HeadBucket", { Bucket: "logs" }), "s3:ListBucket", "arn:aws:s3:::logs"],
      [call("s3:DeletePublicAccessBlock", { Bucket: "logs" }), "s3:PutBucketPublicAccessBlock", "arn:aws:s3:::logs"],
      [call("s3:GetObject", { Bucket: "logs", Key: "a/b" }), "s3:GetObject", "arn:aws:s3:::logs/a/b"],
      [
        call("elbv2:DeleteListener", { ListenerArn: arn("elasticloadbalancing", "listener/app/shop/1/2") }),
        "elasticloadbalancing:DeleteListener",
        arn("elasticloadbalancing", "listener/app/shop/1/2"),
      ],
      [
        call("ec2:DeleteSubnet", { SubnetId: "subnet-0123456789abcdef0" }),
        "ec2:DeleteSubnet",
        arn("ec2", "subnet/subnet-0123456789abcdef0"),
      ],
      [
        call("ecs:UpdateService", { cluster: arn("ecs", "cluster/shop"), service: "orders" }),
        "ecs:UpdateService",
        arn("ecs", "service/shop/orders"),
      ],
      [call("sqs:DeleteQueue", { QueueUrl: "http://x/123456789012/mails" }), "sqs:DeleteQueue", arn("sqs", "mails")],
      [
        call("ssm:GetParameter", { Name: "/antifragile/dev" }),
        "ssm:GetParameter",
        arn("ssm", "parameter/antifragile/dev"),
      ],
    ];
    for (const [each, action, resource] of made) {
      expect([action, await judged([allow(action, resource)], each)]).toEqual([action, []]);
      expect(await judged([allow(action, `${resource}x`)], each)).toHaveLength(1);
    }
  });

  it("read composite alarms only with a permission on everything", async () => {
    const read = call("cloudwatch:DescribeAlarms", { AlarmNames: ["a"] });
    expect(await judged([allow("cloudwatch:DescribeAlarms", arn("cloudwatch", "alarm:*"))], read)).toHaveLength(1);
    expect(await judged([allow("cloudwatch:DescribeAlarms")], read)).toEqual([]);
  });

  it("fail if the operation, the action or the resource is not known", async () => {
    expect(await judged([allow("*")], { params: {} })).toEqual([
      "deployer GET /unknown: the emulator does not know the operation",
    ]);
    expect(await judged([allow("*")], call("sns:Teleport"))).toEqual([
      expect.stringContaining("IAM knows no such action"),
    ]);
    expect(await judged([allow("*")], call("sqs:DeleteQueue"))).toEqual([
      expect.stringContaining("it names no resource"),
    ]);
  });
});
