import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateLogGroupCommand,
  DescribeLogGroupsCommand,
  PutRetentionPolicyCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateNatGatewayCommand, DescribeSubnetsCommand } from "@aws-sdk/client-ec2";
import { DescribeServicesCommand, DescribeTasksCommand, ListTasksCommand } from "@aws-sdk/client-ecs";
import { GetParametersCommand, ListTagsForResourceCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Emulator, ProviderPool, TerraformStack } from "../../emulator";
import { clientsFor, type Deployment, deploy, describeOnEmulator, resultsFolder, tools } from "../support/deployment";
import { fixtureProgram } from "../support/fixture-program";

// The harness itself: whether it sees what it is there to see.
describeOnEmulator("the harness", () => {
  let folder: string;
  let app: Deployment;

  const write = (program: object) => {
    mkdirSync(join(folder, "stacks/fixture"), { recursive: true });
    writeFileSync(join(folder, "stacks/fixture/cdk.tf.json"), JSON.stringify(program));
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-harness-"));
    write(fixtureProgram());
    app = await deploy(folder, { name: "harness", stacks: ["fixture"] });
    await app.apply();
  });

  afterAll(() => app?.end());

  test("a deployed stack has its resources, its outputs and no drift", async () => {
    expect(await app.stack("fixture").resources()).toContain("aws_ecs_service.Service");
    expect(await app.stack("fixture").outputs()).toEqual({ cluster: "fixture" });
    await expect(app.expectNoDrift()).resolves.toBeUndefined();
  });

  test("a service runs its desired tasks", async () => {
    const { services } = await app.clients.ecs.send(
      new DescribeServicesCommand({ cluster: "fixture", services: ["web"] }),
    );
    expect(services).toMatchObject([
      { desiredCount: 2, runningCount: 2, deployments: [{ status: "PRIMARY", rolloutState: "COMPLETED" }] },
    ]);
  });

  test("a change outside of Terraform is drift, reported with its values", async () => {
    const retention = (retentionInDays: number) =>
      app.clients.logs.send(new PutRetentionPolicyCommand({ logGroupName: "/fixture/web", retentionInDays }));
    await retention(7);
    await expect(app.expectNoDrift()).rejects.toThrow(
      /aws_cloudwatch_log_group\.Logs: update\s+retention_in_days: 7 -> 30/,
    );
    await retention(30);
  });

  test("a deployment that ECS rolls back is visible: reason, old task definition, stopped tasks", async () => {
    const { ecs } = app.clients;
    await app.emulator.rollBackNext({ cluster: "fixture", service: "web", stoppedReason: "relation does not exist" });
    write(fixtureProgram({ message: "broken" }));
    // The same app after its program changed, on the same emulator and with the same state.
    await app.stackOf(folder, "fixture").apply();

    const { services } = await ecs.send(new DescribeServicesCommand({ cluster: "fixture", services: ["web"] }));
    expect(services?.[0]?.taskDefinition).toMatch(/fixture-web:1$/);
    expect(services?.[0]?.deployments).toMatchObject([
      { status: "PRIMARY", rolloutState: "COMPLETED", taskDefinition: expect.stringMatching(/:1$/) },
      {
        status: "ACTIVE",
        rolloutState: "FAILED",
        rolloutStateReason: expect.stringContaining("tasks failed to start"),
        taskDefinition: expect.stringMatching(/:2$/),
      },
    ]);
    const { taskArns } = await ecs.send(
      new ListTasksCommand({ cluster: "fixture", serviceName: "web", desiredStatus: "STOPPED" }),
    );
    const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster: "fixture", tasks: taskArns }));
    expect(tasks?.[0]).toMatchObject({
      lastStatus: "STOPPED",
      stoppedReason: "relation does not exist",
      taskDefinitionArn: expect.stringMatching(/:2$/),
    });
  });

  test("stacks share one provider, or two at once, keep their own region and tags, and continue if it ends", async () => {
    const providers = new ProviderPool(join(app.results, "shared-provider.log"));
    const regions = { east: "us-east-1", west: "us-west-2" };
    const stacks = Object.entries(regions).map(([name, region]) => {
      mkdirSync(join(folder, "stacks", name), { recursive: true });
      const program = {
        terraform: { required_providers: { aws: { source: "hashicorp/aws", version: "5.100.0" } } },
        provider: { aws: [{ region, default_tags: [{ tags: { [name]: region } }] }] },
        resource: { aws_ssm_parameter: { Parameter: { name: `/${name}`, type: "String", insecure_value: "x" } } },
      };
      writeFileSync(join(folder, "stacks", name, "cdk.tf.json"), JSON.stringify(program));
      return new TerraformStack({
        stack: join(folder, "stacks", name),
        folder: app.results,
        emulatorUrl: app.emulator.url,
        tools,
        providers,
      });
    });
    // To and fro, so that each finds the provider as the other left it.
    for (const stack of stacks) expect(await stack.countPlanned()).toMatchObject({ add: 1, change: 0, remove: 0 });
    for (const stack of stacks) await stack.applyPlanned();
    for (const stack of stacks) expect((await stack.plan()).empty).toBe(true);
    for (const [name, region] of Object.entries(regions)) {
      const { ssm } = clientsFor(app.emulator.url, region);
      const { TagList } = await ssm.send(
        new ListTagsForResourceCommand({ ResourceType: "Parameter", ResourceId: `/${name}` }),
      );
      expect(TagList).toEqual([{ Key: name, Value: region }]);
    }
    const log = readFileSync(providers.log, "utf8");
    expect(log.match(/plugin address/g)).toHaveLength(1);
    const plans = await Promise.all(stacks.map((stack) => stack.plan()));
    expect(plans.map(({ empty }) => empty)).toEqual([true, true]);
    expect(readFileSync(providers.log, "utf8").match(/plugin address/g)).toHaveLength(2);
    // Requests hold secrets.
    expect(log).not.toMatch(/HTTP Request|Received request/);

    await providers.stop();
    for (const stack of stacks) await stack.destroy();
    for (const [name, region] of Object.entries(regions)) {
      const { ssm } = clientsFor(app.emulator.url, region);
      const { Parameters } = await ssm.send(new GetParametersCommand({ Names: [`/${name}`] }));
      expect(Parameters).toEqual([]);
    }
  });

  test("resources created outside of Terraform are reported as leftovers", async () => {
    const { Subnets } = await app.clients.ec2.send(new DescribeSubnetsCommand({}));
    const planted = await app.clients.ec2.send(
      new CreateNatGatewayCommand({
        SubnetId: Subnets?.find((each) => each.DefaultForAz)?.SubnetId,
        ConnectivityType: "private",
      }),
    );
    await app.destroy();
    await expect(app.expectNothingLeft()).rejects.toThrow(`NAT gateway ${planted.NatGateway?.NatGatewayId}`);
    await app.emulator.reset();
    await expect(app.expectNothingLeft()).resolves.toBeUndefined();
  });

  test("two emulators are independent, and one that is killed is reported with its log", async () => {
    const other = await Emulator.start({ log: join(resultsFolder("harness"), "other.log"), tools });
    const { logs } = clientsFor(other.url, "eu-central-1");
    await logs.send(new CreateLogGroupCommand({ logGroupName: "/only/there" }));
    const here = await app.clients.logs.send(new DescribeLogGroupsCommand({}));
    expect(other.port).not.toBe(app.emulator.port);
    expect(here.logGroups).toEqual([]);
    process.kill(other.pid, "SIGKILL");
    await expect(other.leftovers()).rejects.toThrow(/emulator at .* ended by SIGKILL\s+end of .*other\.log:/);
  });

  test("without a program it prints the remedy", async () => {
    const wrong = await deploy(folder, { name: "harness-wrong", stacks: ["nothing"], region: "eu-central-1" });
    await expect(wrong.apply()).rejects.toThrow(/no cdk\.tf\.json in .*nothing: synthesize the app first/);
    await wrong.end();
  });
});
