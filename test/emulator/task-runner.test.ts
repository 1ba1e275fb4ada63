import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Emulator } from "../../emulator";
import { AccountClient, pushImage, TaskRunner } from "../../emulator/runner";
import { describeOnEmulator, tools } from "../support/deployment";

const REGION = "eu-central-1";

/** A program as small as a service can be: it drains on SIGTERM, and answers with its configuration. */
const PROGRAM = `
const http = require("node:http");
if (process.argv[2] === "admin") { console.log("migrated " + process.env.SCHEMA); process.exit(Number(process.env.CODE ?? 0)); }
if (process.env.LEVEL === "wrong") { console.log("the environment is not valid"); process.exit(78); }
const server = http.createServer((request, response) => {
  if (request.url === "/crash") process.exit(3);
  if (request.url === "/livez") return response.end("alive");
  if (request.url === "/slow") return setTimeout(() => response.end("slow"), 300);
  const { VERSION, SECRET, PARAMETER } = process.env;
  response.end(JSON.stringify({ VERSION, SECRET, PARAMETER, via: request.headers["x-forwarded-proto"], url: request.url }));
});
server.listen(Number(process.env.PORT), () => console.log("listening"));
process.on("SIGTERM", () => { server.close(() => { console.log("drained"); process.exit(0); }); server.closeIdleConnections(); });
`;

describeOnEmulator("the task runner", () => {
  let folder: string;
  let emulator: Emulator;
  let account: AccountClient;
  let runner: TaskRunner;
  let image: string;
  let group: string;
  let listener: string;
  let network: object;
  let lines: string[];

  const ecs = <T>(operation: string, parameters: object) => account.call<T>("ecs", operation, parameters);
  const elb = <T>(operation: string, parameters: object) => account.call<T>("elbv2", operation, parameters);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-runner-"));
    emulator = await Emulator.start({ log: join(folder, "emulator.log"), tools, catalogue: false });
    account = new AccountClient(emulator.url, REGION);
  });

  afterAll(async () => {
    await emulator?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    await emulator.reset();
    const repository = join(folder, "orders");
    mkdirSync(join(repository, "node_modules"), { recursive: true });
    mkdirSync(join(folder, "images"), { recursive: true });
    writeFileSync(join(repository, "main.js"), PROGRAM);
    writeFileSync(join(repository, "Dockerfile"), 'FROM node\nENV VERSION=none\nCMD ["node", "main.js"]\n');
    await account.call("ecr", "CreateRepository", { repositoryName: "orders" });
    image = await pushImage(repository, join(folder, "images"), account, "orders");
    const { Vpc } = await account.call<{ Vpc: { VpcId: string } }>("ec2", "CreateVpc", { CidrBlock: "10.0.0.0/16" });
    const subnets: string[] = [];
    for (const [index, zone] of ["a", "b"].entries()) {
      const { Subnet } = await account.call<{ Subnet: { SubnetId: string } }>("ec2", "CreateSubnet", {
        VpcId: Vpc.VpcId,
        CidrBlock: `10.0.${index}.0/24`,
        AvailabilityZone: `${REGION}${zone}`,
      });
      subnets.push(Subnet.SubnetId);
    }
    const { GroupId } = await account.call<{ GroupId: string }>("ec2", "CreateSecurityGroup", {
      GroupName: "orders",
      Description: "orders",
      VpcId: Vpc.VpcId,
    });
    network = { awsvpcConfiguration: { subnets, securityGroups: [GroupId] } };
    const { LoadBalancers } = await elb<{ LoadBalancers: { LoadBalancerArn: string }[] }>("CreateLoadBalancer", {
      Name: "orders",
      Subnets: subnets,
    });
    const { TargetGroups } = await elb<{ TargetGroups: { TargetGroupArn: string }[] }>("CreateTargetGroup", {
      Name: "orders",
      Protocol: "HTTP",
      Port: 8080,
      VpcId: Vpc.VpcId,
      TargetType: "ip",
      HealthCheckPath: "/livez",
      HealthCheckIntervalSeconds: 5,
      HealthCheckTimeoutSeconds: 2,
      UnhealthyThresholdCount: 2,
    });
    group = TargetGroups[0]?.TargetGroupArn ?? "";
    const { Listeners } = await elb<{ Listeners: { ListenerArn: string }[] }>("CreateListener", {
      LoadBalancerArn: LoadBalancers[0]?.LoadBalancerArn,
      Protocol: "HTTP",
      Port: 80,
      DefaultActions: [
        { Type: "fixed-response", FixedResponseConfig: { StatusCode: "404", MessageBody: "no service" } },
      ],
    });
    listener = Listeners[0]?.ListenerArn ?? "";
    await elb("CreateRule", {
      ListenerArn: listener,
      Priority: 10,
      Conditions: [{ Field: "path-pattern", PathPatternConfig: { Values: ["/orders/*", "/crash", "/slow"] } }],
      Actions: [{ Type: "forward", TargetGroupArn: group }],
    });
    await ecs("CreateCluster", { clusterName: "main" });
    lines = [];
    runner = new TaskRunner({
      account,
      images: join(folder, "images"),
      replace: async () => ({}),
      print: (_task, line) => lines.push(line),
    });
  });

  afterEach(() => runner?.stop());

  /** Registers a task definition; the parts that are set replace those of a service that works. */
  const register = (variables: Record<string, string> = {}, parts: object = {}) =>
    ecs<{ taskDefinition: { taskDefinitionArn: string } }>("RegisterTaskDefinition", {
      family: "orders",
      networkMode: "awsvpc",
      containerDefinitions: [
        {
          name: "app",
          image,
          memory: 64,
          portMappings: [{ containerPort: 8080 }],
          environment: Object.entries({ PORT: "8080", VERSION: "1", ...variables }).map(([name, value]) => ({
            name,
            value,
          })),
          ...parts,
        },
      ],
    });
  const createService = (taskDefinition = "orders") =>
    ecs("CreateService", {
      cluster: "main",
      serviceName: "orders",
      taskDefinition,
      desiredCount: 1,
      healthCheckGracePeriodSeconds: 1,
      loadBalancers: [{ targetGroupArn: group, containerName: "app", containerPort: 8080 }],
      deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
      networkConfiguration: network,
    });
  const described = async () => {
    const { services } = await ecs<{
      services: { deployments: { rolloutState: string; taskDefinition: string; status: string }[] }[];
    }>("DescribeServices", { cluster: "main", services: ["orders"] });
    return services[0]?.deployments ?? [];
  };
  const url = () => runner.urls[0]?.url ?? "";
  const ask = (path = "/orders/1") => fetch(`${url()}${path}`);
  const until = async (holds: () => boolean | Promise<boolean>) => {
    for (let tries = 0; tries < 600 && !(await holds()); tries++) await new Promise((done) => setTimeout(done, 100));
    if (!(await holds())) throw new Error(`it never held; the tasks printed:\n${lines.join("\n")}`);
  };
  const deployed = () => until(async () => (await described())[0]?.rolloutState === "COMPLETED");

  test("runs what the task definition says, by the rules of the listener", async () => {
    await runner.start();
    const { ARN } = await account.call<{ ARN: string }>("secretsmanager", "CreateSecret", {
      Name: "key",
      SecretString: JSON.stringify({ api: "s3cret" }),
    });
    await account.call("ssm", "PutParameter", { Name: "/flag", Type: "SecureString", Value: "on" });
    await register(
      {},
      {
        secrets: [
          { name: "SECRET", valueFrom: `${ARN}:api::` },
          { name: "PARAMETER", valueFrom: `arn:aws:ssm:${REGION}:123456789012:parameter/flag` },
        ],
      },
    );
    await createService();
    await deployed();
    expect(await (await ask()).json()).toEqual({
      VERSION: "1",
      SECRET: "s3cret",
      PARAMETER: "on",
      via: "http",
      url: "/orders/1",
    });
    const elsewhere = await ask("/other");
    expect([elsewhere.status, await elsewhere.text()]).toEqual([404, "no service"]);
    expect(runner.differences.join()).toContain("the built program on Node.js");
  });

  /** The last is whether the tasks that run are unharmed: they have the same target group. */
  const faults: [string, () => Promise<unknown>, RegExp, boolean][] = [
    [
      "another path of the health check",
      async () => {
        await elb("ModifyTargetGroup", {
          TargetGroupArn: group,
          HealthCheckPath: "/crash-free",
          Matcher: { HttpCode: "204" },
        });
        await register();
      },
      /GET \/crash-free returned 200, and 204 is healthy/,
      false,
    ],
    [
      "another port than the one of the container",
      () => register({ PORT: "9090" }),
      /nothing listens on the port/,
      true,
    ],
    ["a wrong variable", () => register({ LEVEL: "wrong" }), /ended with 78/, true],
  ];
  for (const [fault, apply, shown, unharmed] of faults) {
    test(`rolls back ${fault}`, async () => {
      await register();
      await runner.start();
      await createService();
      await deployed();
      const before = (await described())[0]?.taskDefinition;
      await apply();
      await ecs("UpdateService", { cluster: "main", service: "orders", taskDefinition: "orders" });
      await until(async () => (await described()).some(({ rolloutState }) => rolloutState === "FAILED"));
      expect(lines.join("\n")).toMatch(shown);
      expect((await described())[0]).toMatchObject({ taskDefinition: before, status: "PRIMARY" });
      if (unharmed) expect((await ask()).status).toBe(200);
    });
  }

  test("rolls back again, after another rollback", async () => {
    await register();
    await runner.start();
    await createService();
    await deployed();
    const update = () => ecs("UpdateService", { cluster: "main", service: "orders", taskDefinition: "orders" });
    await emulator.rollBackNext({ cluster: "main", service: "orders", shownSeconds: 0 });
    await register({ VERSION: "2" });
    await update();
    const before = (await described())[0]?.taskDefinition;
    await register({ LEVEL: "wrong" });
    await update();
    expect((await described()).map(({ status }) => status)).toEqual(["PRIMARY", "ACTIVE"]);
    await until(async () => (await described()).some(({ rolloutState }) => rolloutState === "FAILED"));
    expect((await described())[0]).toMatchObject({ taskDefinition: before, status: "PRIMARY" });
  });

  test("lists the differences of what runs now, not of the image before the first release", async () => {
    await register({}, { image: "public.ecr.aws/docker/library/node:20" });
    await elb("ModifyTargetGroup", { TargetGroupArn: group, Matcher: { HttpCode: "204" } });
    await runner.start();
    await createService();
    await until(() => runner.differences.length > 0);
    expect(runner.differences).toEqual(["orders: the container app does not run, its image is not here"]);
    await register();
    await ecs("UpdateService", { cluster: "main", service: "orders", taskDefinition: "orders" });
    await until(() => lines.includes("listening"));
    // Until the new task is healthy, ECS lists the one of that image as well.
    await ecs("CreateCluster", { clusterName: "other" });
    await new Promise((done) => setTimeout(done, 1000));
    expect(runner.differences).toEqual([expect.stringContaining("orders: the built program on Node.js")]);
  });

  test("rolls a service over without a lost request", async () => {
    await register();
    await runner.start();
    await createService();
    await deployed();
    let over = false;
    const statuses: number[] = [];
    const versions = new Set<string>();
    const callers = Array.from({ length: 4 }, async () => {
      while (!over) {
        const slow = await ask("/slow");
        const answer = await ask();
        statuses.push(slow.status, answer.status);
        if (answer.ok) versions.add(((await answer.json()) as { VERSION: string }).VERSION);
      }
    });
    await register({ VERSION: "2" });
    await ecs("UpdateService", { cluster: "main", service: "orders", taskDefinition: "orders" });
    await until(() => lines.includes("stopped, exit code 0"));
    over = true;
    await Promise.all(callers);
    expect([...versions]).toEqual(["1", "2"]);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(lines).toContain("drained");
  });

  test("starts another task when one ends", async () => {
    await register();
    await runner.start();
    await createService();
    await deployed();
    await ask("/crash").catch(() => undefined);
    await until(() => lines.some((line) => line.startsWith("ended with 3")));
    await until(async () => (await ask().catch(() => undefined))?.status === 200);
    expect(lines.filter((line) => line === "listening")).toHaveLength(2);
  });

  test("runs a task without a service to its end, and writes its log", async () => {
    await account.call("logs", "CreateLogGroup", { logGroupName: "/orders" });
    await register(
      { SCHEMA: "3" },
      {
        logConfiguration: {
          logDriver: "awslogs",
          options: { "awslogs-group": "/orders", "awslogs-region": REGION, "awslogs-stream-prefix": "orders" },
        },
      },
    );
    await runner.start();
    const overrides = {
      containerOverrides: [
        { name: "app", command: ["node", "main.js", "admin"], environment: [{ name: "CODE", value: "4" }] },
      ],
    };
    const { tasks } = await ecs<{ tasks: { taskArn: string }[] }>("RunTask", {
      cluster: "main",
      taskDefinition: "orders",
      networkConfiguration: network,
      overrides,
    });
    const task = async () => {
      const found = await ecs<{ tasks: { lastStatus: string; containers: { exitCode?: number }[] }[] }>(
        "DescribeTasks",
        {
          cluster: "main",
          tasks: [tasks[0]?.taskArn],
        },
      );
      return found.tasks[0];
    };
    await until(async () => (await task())?.lastStatus === "STOPPED");
    expect((await task())?.containers[0]?.exitCode).toBe(4);
    const { events } = await account.call<{ events: { message: string }[] }>("logs", "FilterLogEvents", {
      logGroupName: "/orders",
    });
    expect(events.map(({ message }) => message)).toEqual(["migrated 3"]);
  });

  test("starts no container of a task that lacks a secret", async () => {
    await runner.start();
    const container = { image, memory: 64, environment: [{ name: "PORT", value: "8080" }] };
    const missing = `arn:aws:ssm:${REGION}:123456789012:parameter/missing`;
    await ecs("RegisterTaskDefinition", {
      family: "orders",
      networkMode: "awsvpc",
      containerDefinitions: [
        { ...container, name: "app" },
        { ...container, name: "side", secrets: [{ name: "SECRET", valueFrom: missing }] },
      ],
    });
    await ecs("RunTask", { cluster: "main", taskDefinition: "orders", networkConfiguration: network });
    await until(() => lines.some((line) => line.startsWith("a task does not start: ")));
    await new Promise((done) => setTimeout(done, 500));
    expect(lines).toHaveLength(1);
  });
});
