import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type ProcessTemplate, processesPath, type ReleaseRecord, recordParameter } from "../../contract/release";
import { releasePermissions } from "../../contract/release-permissions";
import { Emulator } from "../../emulator";
import { AwsCloud } from "../../operations/release/aws";
import type { ReleaseContext } from "../../operations/release/context";
import { release, rollback } from "../../operations/release/release";
import { image } from "../operations/support/fake-cloud";
import { AwsCaller, field } from "../support/aws-call";
import { callsIn, describeOnEmulator, tools } from "../support/deployment";
import { ROOT } from "../support/examples";

const PLACE = { environment: "dev", platform: "shop", stack: "orders" };
const ARN = "arn:aws:ecs:eu-central-1:123456789012:task-definition/";

/** Actions that CreateDeployment requires besides its own. @see https://docs.aws.amazon.com/codedeploy/latest/userguide/auth-and-access-control-permissions-reference.html */
const IMPLIED = ["GetApplicationRevision", "GetDeploymentConfig", "RegisterApplicationRevision"];

describeOnEmulator("a release by CodeDeploy", () => {
  let emulator: Emulator;
  let cloud: AwsCloud;
  let aws: AwsCaller;
  const kept = { ...process.env };
  const printed: string[] = [];

  beforeAll(async () => {
    const log = join(mkdtempSync(join(tmpdir(), "antifragile-code-deploy-")), "emulator.log");
    emulator = await Emulator.start({ log, tools, catalogue: false });
    aws = new AwsCaller(emulator.url);
  });
  afterAll(() => emulator?.stop());

  beforeEach(async () => {
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: emulator.url,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    });
    printed.length = 0;
    cloud = new AwsCloud("eu-central-1", { pollMilliseconds: 10 });
    await emulator.reset();
    await shop();
  });
  afterEach(() => {
    cloud.destroy();
    process.env = { ...kept };
  });

  /** Resources that Terraform creates for a web service that CodeDeploy releases, with the bootstrap image. */
  async function shop(): Promise<void> {
    const vpc = field(await aws.call("ec2", "CreateVpc", { CidrBlock: "10.0.0.0/16" }), "vpcId");
    const subnets: string[] = [];
    for (const zone of ["a", "b"]) {
      const params = { VpcId: vpc, CidrBlock: `10.0.${subnets.length}.0/24`, AvailabilityZone: `eu-central-1${zone}` };
      subnets.push(field(await aws.call("ec2", "CreateSubnet", params), "subnetId") as string);
    }
    const elb = (operation: string, params: object) => aws.call("elasticloadbalancing", operation, { ...params });
    const loadBalancer = field(await elb("CreateLoadBalancer", { Name: "shop", Subnets: subnets }), "LoadBalancerArn");
    const groups: (string | undefined)[] = [];
    for (const Name of ["one", "two"]) {
      const params = { Name, Protocol: "HTTP", Port: 8080, VpcId: vpc, TargetType: "ip" };
      groups.push(field(await elb("CreateTargetGroup", params), "TargetGroupArn"));
    }
    const listener = field(
      await elb("CreateListener", {
        LoadBalancerArn: loadBalancer,
        Protocol: "HTTP",
        Port: 80,
        DefaultActions: [{ Type: "fixed-response", FixedResponseConfig: { StatusCode: "404" } }],
      }),
      "ListenerArn",
    );
    await elb("CreateRule", {
      ListenerArn: listener,
      Priority: 1,
      Conditions: [{ Field: "path-pattern", PathPatternConfig: { Values: ["/*"] } }],
      Actions: [{ Type: "forward", TargetGroupArn: groups[0] }],
    });
    await aws.call("ecs", "CreateCluster", { clusterName: "shop-dev", capacityProviders: ["FARGATE"] });
    await aws.call("ecs", "RegisterTaskDefinition", {
      family: "shop-dev-orders",
      requiresCompatibilities: ["FARGATE"],
      networkMode: "awsvpc",
      cpu: "256",
      memory: "512",
      executionRoleArn: "arn:aws:iam::123456789012:role/execution",
      containerDefinitions: [
        { name: "orders", image: "node", command: ["x"], portMappings: [{ containerPort: 8080 }] },
      ],
    });
    await aws.call("ecs", "CreateService", {
      cluster: "shop-dev",
      serviceName: "orders",
      taskDefinition: "shop-dev-orders",
      desiredCount: 1,
      launchType: "FARGATE",
      deploymentController: { type: "CODE_DEPLOY" },
      networkConfiguration: { awsvpcConfiguration: { subnets, securityGroups: [] } },
      loadBalancers: [{ targetGroupArn: groups[0], containerName: "orders", containerPort: 8080 }],
    });
    const name = "shop-dev-orders";
    await aws.call("codedeploy", "CreateApplication", { applicationName: name, computePlatform: "ECS" });
    await aws.call("codedeploy", "CreateDeploymentGroup", {
      applicationName: name,
      deploymentGroupName: name,
      serviceRoleArn: "arn:aws:iam::123456789012:role/shift",
      deploymentStyle: { deploymentType: "BLUE_GREEN", deploymentOption: "WITH_TRAFFIC_CONTROL" },
      ecsServices: [{ clusterName: "shop-dev", serviceName: "orders" }],
      loadBalancerInfo: {
        targetGroupPairInfoList: [
          { targetGroups: [{ name: "one" }, { name: "two" }], prodTrafficRoute: { listenerArns: [listener] } },
        ],
      },
    });
    const template: ProcessTemplate = {
      kind: "web",
      owner: "pipeline",
      cluster: "shop-dev",
      service: "orders",
      container: "orders",
      task: `${ARN}shop-dev-orders:1`,
      source: "orders",
      bootstrap: true,
      strategy: "codeDeploy",
      codeDeploy: { application: name, deploymentGroup: name, port: 8080 },
      network: { subnets: subnets.join(","), securityGroup: "sg-1", assignPublicIp: false },
      platformVersion: "LATEST",
      capacity: [{ capacityProvider: "FARGATE", weight: 1, base: 0 }],
      alarms: [],
      admin: {},
    };
    const parameters = { [`${processesPath(PLACE)}/orders`]: template, [recordParameter(PLACE)]: {} };
    for (const [Name, value] of Object.entries(parameters)) {
      await aws.call("ssm", "PutParameter", { Name, Type: "String", Value: JSON.stringify(value) });
    }
  }

  const world = (interrupted = new AbortController().signal): ReleaseContext => ({
    cloud,
    place: PLACE,
    print: (text) => printed.push(text),
    now: Date.now,
    sleep: () => new Promise((resolve) => setTimeout(resolve, 10)),
    interrupted,
    by: "max",
  });

  /** Task definition and target group of the service, and target group of the listener rule. */
  async function state() {
    const { services } = await aws.call("ecs", "DescribeServices", { cluster: "shop-dev", services: ["orders"] });
    const listeners: string = await aws.call("elasticloadbalancing", "DescribeLoadBalancers");
    const loadBalancer = field(listeners, "LoadBalancerArn");
    const found: string = await aws.call("elasticloadbalancing", "DescribeListeners", {
      LoadBalancerArn: loadBalancer,
    });
    const rules: string = await aws.call("elasticloadbalancing", "DescribeRules", {
      ListenerArn: field(found, "ListenerArn"),
    });
    const short = (arn: string | undefined) => arn?.split("/").at(-2);
    return {
      task: services[0].taskDefinition.split("/").at(-1),
      group: short(services[0].loadBalancers[0].targetGroupArn),
      rule: short(field(rules, "TargetGroupArn")),
    };
  }
  const record = async (): Promise<ReleaseRecord> => (await cloud.record(PLACE)) ?? {};

  test("moves tasks and traffic to the other target group, and the next release moves them back", async () => {
    expect(await state()).toEqual({ task: "shop-dev-orders:1", group: "one", rule: "one" });
    expect(await release(world(), { images: [image("a")], unlock: false })).toBe(0);
    expect(await state()).toEqual({ task: "shop-dev-orders:2", group: "two", rule: "two" });
    expect(await release(world(), { images: [image("b")], unlock: false })).toBe(0);
    expect(await state()).toEqual({ task: "shop-dev-orders:3", group: "one", rule: "one" });
    expect(await rollback(world(), { unlock: false })).toBe(0);
    expect(await state()).toEqual({ task: "shop-dev-orders:2", group: "two", rule: "two" });
    expect(await record()).toMatchObject({ live: { number: 3, of: 1 } });
  });

  test("that CodeDeploy stops leaves everything as it was, and reports why", async () => {
    await release(world(), { images: [image("a")], unlock: false });
    await emulator.rollBackNext({ cluster: "shop-dev", service: "orders", reason: "alarm shop-dev-orders-errors" });
    expect(await release(world(), { images: [image("b")], unlock: false })).toBe(1);
    expect(await state()).toEqual({ task: "shop-dev-orders:2", group: "two", rule: "two" });
    expect(printed.join("")).toMatch(/release 2 rolled back .*CodeDeploy: \S+ failed: alarm shop-dev-orders-errors/);
    expect(await record()).toMatchObject({ live: { number: 1 }, failed: { number: 2 } });
  });

  test("that is interrupted is stopped before any other call of CodeDeploy", async () => {
    await release(world(), { images: [image("a")], unlock: false });
    const controller = new AbortController();
    const stopping = { ...world(controller.signal), sleep: async () => controller.abort() };
    expect(await release(stopping, { images: [image("b")], unlock: false })).toBe(130);
    expect(await state()).toEqual({ task: "shop-dev-orders:2", group: "two", rule: "two" });
    expect(printed.join("")).toContain("rolled back");
    expect(await release(world(), { images: [image("b")], unlock: false })).toBe(0);
  });

  test("rolls back on Ctrl-C, reports it, exits with 130 and leaves no lock", async () => {
    await release(world(), { images: [image("a")], unlock: false });
    // An image outside of ECR, where the release would look for it.
    const elsewhere = `registry.example.com/orders@sha256:${"b".repeat(64)}`;
    const flags = ["--stack", "orders", "--platform", "shop", "--region", "eu-central-1"];
    const child = spawn(
      process.execPath,
      ["--import", "tsx", join(ROOT, "bin/antifragile.ts"), "release", "dev", "--image", elsewhere, ...flags],
      { cwd: ROOT, env: process.env, stdio: ["ignore", "pipe", "pipe"] },
    );
    let said = "";
    const code = await new Promise<number | null>((resolve) => {
      child.stdout.on("data", (chunk) => {
        const begun = said.includes("release 2 of orders");
        said += chunk;
        // It polls the deployment at once, and again after 5 s.
        if (!begun && said.includes("release 2 of orders")) setTimeout(() => child.kill("SIGINT"), 1_500);
      });
      child.stderr.on("data", (chunk) => {
        said += chunk;
      });
      child.once("close", resolve);
    });
    expect(said).toContain("interrupted by SIGINT: rolling back what has moved");
    expect(said).toContain("release 2 rolled back after");
    expect(code).toBe(130);
    expect(await state()).toEqual({ task: "shop-dev-orders:2", group: "two", rule: "two" });
    expect(await cloud.lockedBy(PLACE)).toBeUndefined();
  });

  test("calls only what its policy allows, and every CodeDeploy action that the policy has", async () => {
    const start = readFileSync(emulator.log, "utf8").length;
    await release(world(), { images: [image("a")], unlock: false });
    const controller = new AbortController();
    const stopping = { ...world(controller.signal), sleep: async () => controller.abort() };
    await release(stopping, { images: [image("b")], unlock: false });
    const log = readFileSync(emulator.log, "utf8").slice(start);
    const called = callsIn(log, "eu-central-1");
    const scope = { ...PLACE, partition: "aws", region: "eu-central-1", account: "123456789012", cluster: "shop-dev" };
    const process = {
      owner: "pipeline" as const,
      family: "shop-dev-orders",
      service: "orders",
      roles: [],
      admin: false,
      logGroup: "/shop/dev/orders",
      codeDeploy: { application: "shop-dev-orders", deploymentGroup: "shop-dev-orders" },
    };
    const allowed = releasePermissions(scope, [process]).flatMap(({ actions }) => actions);
    expect(allowed).toEqual(expect.arrayContaining(called));
    const ofCodeDeploy = (actions: readonly string[]) =>
      [...new Set(actions.filter((action) => action.startsWith("codedeploy:")))].sort();
    expect(ofCodeDeploy([...called, ...IMPLIED.map((each) => `codedeploy:${each}`)])).toEqual(ofCodeDeploy(allowed));
    expect(allowed).not.toContain("ecs:UpdateService");
  });
});
