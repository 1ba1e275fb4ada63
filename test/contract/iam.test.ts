import { describe, expect, it } from "vitest";
import { PROFILES } from "../../constructs";
import { lint, oversized } from "../iam/lint";
import { describeWithIam } from "../iam/packages";
import { type Program, programsOf, resolve } from "../iam/resolve";
import { stackJson, stackNames, synthExamples } from "../support/examples";
import { synthGenerated } from "../support/generated";
import { EVERYTHING, NOTHING } from "../templates/support/repository";
import { everyRole } from "./support/every-role";
import { everything } from "./support/everything";
import { type Allowances, judgePolicies, policiesIn } from "./support/policies";

/** Wildcards that there are, each with its reason. One that nothing needs any more fails. */
const ALLOWED: Allowances = {
  actions: [
    {
      what: "kms:*",
      why: "of a key: lets the account's own policies decide, or nobody could ever change the key again",
    },
    { what: "kms:GenerateDataKey*", why: "of a key: with and without plaintext, as AWS documents it for its services" },
    { what: "kms:ReEncrypt*", why: "of a key: from and to, as AWS documents it for CloudWatch Logs" },
  ],
  everything: [
    { what: "ecr:GetAuthorizationToken", why: "takes no resource" },
    { what: /^ec2:Describe[A-Za-z]+$/, why: "take no resource, and read only" },
    { what: "ecs:ListTasks", why: "takes container instances, of which Fargate has none", condition: /^ecs:cluster$/ },
    { what: "tag:GetResources", why: "takes no resource" },
    {
      what: /^logs:(CreateLogDelivery|DescribeLogGroups|DescribeResourcePolicies|PutResourcePolicy)$/,
      why: "take no resource",
    },
    {
      what: /^ssm:(CreateActivation|AddTagsToResource)$/,
      why: "what they make has no ARN yet",
      condition: /^aws:RequestTag\//,
    },
    { what: /^xray:(PutTraceSegments|PutTelemetryRecords|GetSampling(Rules|Targets))$/, why: "take no resource" },
    {
      what: /^ecs:(DescribeTaskDefinition|RegisterTaskDefinition)$/,
      why: "come before there is an ARN; PassRole bounds them",
    },
    { what: /^ssmmessages:(Create|Open)(Control|Data)Channel$/, why: "take no resource" },
    { what: /^cloudwatch:GetMetricWidgetImage$/, why: "takes no resource, and reads only" },
    {
      what: "cloudwatch:DescribeAlarms",
      why: "AWS returns composite alarms only to callers whose permission is scoped to *; reads only",
      condition: /^aws:RequestedRegion$/,
    },
    {
      what: /^ec2:((Assign|Unassign)PrivateIpAddresses|(Create|Delete)NetworkInterface)$/,
      why: "of a function in a network: Lambda asks whether its role has them on everything",
    },
    { what: "codedeploy:StopDeployment", why: "takes no resource", condition: /^aws:RequestedRegion$/ },
    { what: /^ssm:(DeleteActivation|CancelCommand|ListCommands)$/, why: "take no resource" },
  ],
  parts: [
    { what: /:log-group:[\w./-]+:log-stream:\*$/, why: "log streams of one group, by its name" },
    {
      what: /:parameter\/antifragile\/[a-z0-9/-]+\/processes\/\*$/,
      why: "what the services of one stack tell a release",
    },
    { what: /^x:\*$/, why: "log streams of one group; the ARN is that of a resource" },
    { what: /^(arn:x:s3:::[a-z0-9-]+|x)(\/[a-z0-9-]+)*\/\*$/, why: "objects of one bucket, or of a part of it" },
    {
      what: /^x\/\*\/\w+\/?\*$/,
      why: "artifacts of a pipeline by the name of the artifact; CodePipeline shortens its own",
    },
    { what: /:domain\/[a-z0-9-]+\/[a-z0-9._-]+-\*\/_bulk$/, why: "indices of one log stream, each of a day" },
    { what: /:table\/[\w.-]+\/index\/\*$/, why: "indexes of one table" },
    { what: /:ecs:[^:]*:[^:]*:(task|container-instance)\/[a-z0-9-]+\/\*$/, why: "tasks and machines of one cluster" },
    { what: /:ecs:[^:]*:[^:]*:task-definition\/[a-z0-9-]+:\*$/, why: "revisions of one family" },
    {
      what: /:ec2:[^:]*:[^:]*:network-acl\/\*$/,
      why: "what an experiment makes; with the subnets and the network that are named beside it",
    },
    {
      what: /:ssm:[^:]*:[^:]*:managed-instance\/\*$/,
      why: "tasks of one service, by their tag",
      condition: /^aws:ResourceTag\/ECS_SERVICE$/,
    },
    {
      what: /:ec2:[^:]*:[^:]*:instance\/\*$/,
      why: "instances of one Auto Scaling group, by their tag",
      condition: /^aws:ResourceTag\/aws:autoscaling:groupName$/,
    },
    { what: /:codedeploy:[^:]*:[^:]*:deploymentconfig:\*$/, why: "of AWS or of a service; reads only" },
    {
      what: /:fis:[^:]*:[^:]*:experiment-template\/\*$/,
      why: "one experiment, by its name; its id is not known before",
      condition: /^aws:ResourceTag\/Name$/,
    },
    {
      what: /:kms:[a-z0-9-]+:\*:key\/\*$/,
      why: "the key of one secret, which may be any: only by its store, and only for its ARN",
      condition: /^kms:EncryptionContext:(SecretARN|PARAMETER_ARN)$/,
    },
    {
      what: /:kms:[a-z0-9-]+:[^:]*:key\/\*$/,
      why: "the key of one table, whose id only its stack knows: only by DynamoDB, and only for the table's name",
      condition: /^kms:EncryptionContext:aws:dynamodb:tableName$/,
    },
    { what: /:fis:[^:]*:[^:]*:experiment\/\*$/, why: "what is started from one template; its id is not known before" },
  ],
  makers: [
    {
      what: /aws_iam_policy\.\w+Access_(Read|Write)(\d+|Own|Named)_/,
      why: "Terraform's own roles make what has no ARN yet: bounded by region, names and a permissions boundary; see the tests of pipelines",
    },
  ],
  deputies: [
    {
      what: "codestar-notifications.amazonaws.com",
      why: "of a key: publishes to an encrypted topic, and sends no account",
    },
    { what: "ec2.amazonaws.com", why: "sends no account" },
    {
      what: "logdelivery.elasticloadbalancing.amazonaws.com",
      why: "AWS's own policy for it has no condition: the folder of the objects names the account",
      actions: ["s3:PutObject"],
    },
    { what: "lambda.amazonaws.com", why: "sends no account" },
    { what: "codedeploy.amazonaws.com", why: "AWS's own policy for it asks for none; nothing says that it sends one" },
    { what: "ecs.amazonaws.com", why: "moves requests; AWS's own policy for it asks for no account" },
    {
      what: /^(delivery\.logs|events)\.amazonaws\.com$/,
      why: "of a log group: EventBridge creates the stream, and names neither account nor rule then; writing to it has a condition",
      actions: ["logs:CreateLogStream"],
    },
  ],
};

/** Stack of an app, with the name that identifies it in a finding. */
interface Stack {
  readonly where: string;
  readonly program: Program;
}

const stacksIn = (name: string, outdir: string): Stack[] =>
  stackNames(outdir).map((stack) => ({ where: `${name} ${stack}`, program: stackJson(outdir, stack) as Program }));

const FLAGS = [
  EVERYTHING,
  NOTHING,
  { joins: "shop" },
  { name: "shop", platform: true },
  { ...EVERYTHING, ci: "github-actions" },
];
const stacks = {
  examples: [...synthExamples()].flatMap(([name, outdir]) => stacksIn(`examples/${name}`, outdir)),
  generated: FLAGS.flatMap((flags) => stacksIn(`new ${JSON.stringify(flags)}`, synthGenerated(flags).outdir)),
  constructs: PROFILES.flatMap((profile) =>
    programsOf(everything(profile)).map(({ id, program }) => ({ where: `everything in ${profile} ${id}`, program })),
  ).concat(everyRole()),
};
const policiesOf = (part: readonly Stack[]) => part.flatMap(({ where, program }) => policiesIn(where, program));
const examples = policiesOf(stacks.examples);
const generated = policiesOf(stacks.generated);
const constructs = policiesOf(stacks.constructs);

describe("every policy of an example, a generated repository or a construct", () => {
  const all = [...examples, ...generated, ...constructs];
  const { problems, unneeded } = judgePolicies(all, ALLOWED);

  it("is found: identity policies, trust policies, resource policies", () => {
    for (const part of [examples, generated, constructs]) {
      expect(new Set(part.map(({ kind }) => kind))).toEqual(new Set(["identity", "trust", "resource"]));
    }
    expect(all.length).toBeGreaterThan(200);
  });

  it("allows named actions, on named resources, to named services with a source condition", () => {
    expect(problems).toEqual([]);
  });

  it("needs every wildcard exception", () => {
    expect(unneeded).toEqual([]);
  });
});

describeWithIam("every policy, by the data that AWS publishes", () => {
  const every = Object.values(stacks).flat();

  it("names actions that exist, with resources and condition keys that they take", async () => {
    const policies = every.flatMap(({ where, program }) =>
      policiesIn(where, program).map(({ statements, ...policy }) => ({
        ...policy,
        statements: JSON.parse(resolve(program, JSON.stringify(statements))) as typeof statements,
      })),
    );
    expect(policies.length).toBeGreaterThan(500);
    expect([...new Set((await Promise.all(policies.map(lint))).flat())]).toEqual([]);
  });

  it("fits the quotas of IAM", () => {
    const problems = every.flatMap(({ where, program }) => {
      const iam = Object.entries(program.resource ?? {}).filter(([type]) => type.startsWith("aws_iam_"));
      return oversized(where, JSON.parse(resolve(program, JSON.stringify(Object.fromEntries(iam)))));
    });
    expect(problems).toEqual([]);
  });

  const statement = (of: object) =>
    lint({ where: "x", kind: "identity", statements: [{ Effect: "Allow", ...of }] }).then((problems) =>
      problems.map((problem) => problem.replace("x: ", "")),
    );
  it.each<[object, string[]]>([
    [{ Action: "s3:GetObjects", Resource: "*" }, ["s3:GetObjects does not exist"]],
    [
      { Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket" },
      ["s3:GetObject takes none of arn:aws:s3:::bucket", "none of s3:GetObject takes arn:aws:s3:::bucket"],
    ],
    [
      { Action: ["s3:GetObject", "s3:ListBucket"], Resource: "arn:aws:s3:::bucket/key" },
      ["s3:ListBucket takes none of arn:aws:s3:::bucket/key"],
    ],
    [
      { Action: "ecs:ListClusters", Resource: "arn:aws:ecs:eu-central-1:123456789012:cluster/a" },
      [
        "ecs:ListClusters takes none of arn:aws:ecs:eu-central-1:123456789012:cluster/a",
        "none of ecs:ListClusters takes arn:aws:ecs:eu-central-1:123456789012:cluster/a",
      ],
    ],
    [
      { Action: "ecs:ListClusters", Resource: "*", Condition: { ArnEquals: { "ecs:cluster": "x" } } },
      ["ecs:ListClusters knows no ecs:cluster"],
    ],
    [{ Action: "ecs:ListClusters", Resource: "*", Condition: { StringEquals: { "aws:RequestedRegion": "x" } } }, []],
  ])("reports what can never allow: %j", async (of, expected) => {
    expect(await statement(of)).toEqual(expected);
  });

  it("reports what exceeds a quota", () => {
    const policy = (length: number) => ({ role: "a", policy: "x".repeat(length) });
    const resource = {
      aws_iam_role_policy: { A: policy(6000), B: policy(6000) },
      aws_iam_policy: { C: policy(6145) },
      aws_iam_role: { D: { assume_role_policy: "x".repeat(2049) } },
      aws_iam_role_policy_attachment: Object.fromEntries([..."0123456789a"].map((id) => [id, policy(1)])),
    };
    expect(oversized("x", resource)).toHaveLength(4);
  });
});

describe("the walk", () => {
  const NONE: Allowances = { actions: [], everything: [], parts: [], makers: [], deputies: [] };
  const one = (type: string, attribute: string, statement: object) =>
    judgePolicies(
      policiesIn("x", { resource: { [type]: { A: { [attribute]: JSON.stringify({ Statement: statement }) } } } }),
      NONE,
    ).problems.map((problem) => problem.replace(/^.*?: /, ""));
  const Allow = { Effect: "Allow" };

  it.each<[object, string[]]>([
    [{ Action: ["s3:*"], Resource: ["arn:aws:s3:::a"] }, ["allows s3:*"]],
    [{ Action: "s3:GetObject", Resource: "*" }, ["allows s3:GetObject on everything"]],
    [{ Action: "s3:GetObject", Resource: ["arn:aws:s3:::a*/b"] }, ["allows s3:GetObject on arn:aws:s3:::a*/b"]],
    [{ NotAction: "iam:*", Resource: "arn:aws:s3:::a" }, ["says NotAction, which allows what nobody thought of"]],
    [{ Action: "s3:GetObject", NotResource: "x" }, ["says NotResource, which allows what nobody thought of"]],
    [{ Action: "iam:PassRole", Resource: "arn:aws:iam::1:role/a" }, ["passes roles to any service"]],
    [
      {
        Action: "iam:PassRole",
        Resource: "arn:aws:iam::1:role/*",
        Condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
      },
      ["allows iam:PassRole on arn:aws:iam::1:role/* under iam:PassedToService", "passes more than exact roles"],
    ],
  ])("reports a permission that is too broad: %j", (statement, expected) => {
    expect(one("aws_iam_role_policy", "policy", { ...Allow, ...statement })).toEqual(expected);
  });

  const account = { StringEquals: { "aws:SourceAccount": "123456789012" } };
  it.each<[object, string[]]>([
    [{ Service: "ecs-tasks.amazonaws.com" }, ["lets ecs-tasks.amazonaws.com in on anybody's behalf"]],
    [{ AWS: "*" }, ["lets everybody in"]],
    [{ Federated: "arn:aws:iam::1:oidc-provider/x" }, ["takes tokens for others", "takes tokens of others"]],
  ])("reports a trust policy that is too broad: %j", (Principal, expected) => {
    expect(one("aws_iam_role", "assume_role_policy", { ...Allow, Principal, Action: "sts:AssumeRole" })).toEqual(
      expected,
    );
  });

  it("accepts a service with a source condition, and exact tokens", () => {
    const Service = "ecs-tasks.amazonaws.com";
    const trusted = { ...Allow, Principal: { Service }, Action: "sts:AssumeRole", Condition: account };
    expect(one("aws_iam_role", "assume_role_policy", trusted)).toEqual([]);
    const of = (sub: string) => ({
      ...Allow,
      Principal: { Federated: "arn:aws:iam::1:oidc-provider/token" },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: { StringEquals: { "token:aud": "sts.amazonaws.com", "token:sub": sub } },
    });
    expect(one("aws_iam_role", "assume_role_policy", of("repo:a/b:environment:dev"))).toEqual([]);
    expect(one("aws_iam_role", "assume_role_policy", of("repo:a/*"))).toEqual(["takes tokens of others"]);
  });

  it.each<[object, string[]]>([
    [{ Principal: "*", Action: "sqs:SendMessage" }, ["lets everybody in"]],
    [
      { Principal: { Service: "sns.amazonaws.com" }, Action: "sqs:SendMessage" },
      ["lets sns.amazonaws.com in on anybody's behalf"],
    ],
    [{ Principal: { Service: "sns.amazonaws.com" }, Action: "sqs:*", Condition: account }, ["allows sqs:*"]],
  ])("reports a resource policy that is too broad: %j", (statement, expected) => {
    expect(one("aws_sqs_queue", "policy", { ...Allow, Resource: "arn:aws:sqs:x", ...statement })).toEqual(expected);
  });

  it("accepts a service without a source condition only for the actions that an allowance names", () => {
    const deputies = [{ what: "events.amazonaws.com", why: "", actions: ["logs:CreateLogStream"] }];
    const judged = (Action: string | string[]) => {
      const statement = { ...Allow, Principal: { Service: "events.amazonaws.com" }, Action, Resource: "x" };
      const program = {
        resource: { aws_cloudwatch_log_resource_policy: { A: { text: JSON.stringify({ Statement: [statement] }) } } },
      };
      return judgePolicies(policiesIn("x", program), { ...NONE, deputies }).problems.length;
    };
    expect(judged("logs:CreateLogStream")).toBe(0);
    expect(judged(["logs:CreateLogStream", "logs:PutLogEvents"])).toBe(1);
  });

  it("allows denying everyone", () => {
    expect(
      one("aws_s3_bucket_policy", "policy", { Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "x" }),
    ).toEqual([]);
  });
});
