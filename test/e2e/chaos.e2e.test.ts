import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { DescribeTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { App, type Environment, experimentGate } from "../../constructs";
import { policyDocument } from "../../constructs/core/iam";
import { type Result, run } from "../cli/packed";
import { itWithIam } from "../iam/packages";
import { judgeDeployment } from "../iam/recorded/judge";
import type { SimulatedRole } from "../iam/roles";
import { AwsCaller } from "../support/aws-call";
import { type Deployment, deploy, describeOnEmulator, tools } from "../support/deployment";
import { COMBINATIONS, hasCdktn, itWithCdktn } from "../support/engines";
import { ROOT, stackJson, stackNames, synthExample } from "../support/examples";

const APP = join(ROOT, "test/e2e/apps/chaos.ts");

/** `"cdktf": "npm:cdktn@0.24.0"` in package.json: CDK Terrain with the bindings of AWS provider 5. */
const CDKTN = COMBINATIONS["cdktn as cdktf, with provider 5"];

describeOnEmulator("experiments", () => {
  let shop: Deployment;
  let aws: AwsCaller;

  beforeAll(async () => {
    shop = await deploy(APP, { name: "chaos", ...(hasCdktn ? { combination: CDKTN } : {}) });
    aws = new AwsCaller(shop.emulator.url);
    await shop.apply();
  });
  afterAll(() => shop?.end());

  /** Templates by what they are called. */
  async function templates() {
    const { experimentTemplates } = await aws.rest("fis", "GET", "/experimentTemplates");
    // The list has no more than their names.
    const byName = experimentTemplates.map(async ({ id, tags }: { id: string; tags: { Name: string } }) => {
      const { experimentTemplate } = await aws.rest("fis", "GET", `/experimentTemplates/${id}`);
      return [tags.Name, experimentTemplate];
    });
    return Object.fromEntries(await Promise.all(byName));
  }

  itWithCdktn("are synthesized by CDK Terrain", () => {
    const [version] = stackNames(join(shop.results, "cdktf.out")).map((name) => {
      const { metadata } = stackJson(join(shop.results, "cdktf.out"), name)["//"] as { metadata: { version: string } };
      return metadata.version;
    });
    expect(version).toBe(CDKTN.version);
  });

  it("cover every resource type of the example, except those of its platform", () => {
    const types = (outdir: string) =>
      stackNames(outdir)
        .filter((stack) => stack.endsWith("-service"))
        .flatMap((stack) => Object.keys((stackJson(outdir, stack).resource ?? {}) as object))
        .filter((type) => !/^aws_(lb|vpc|cloudwatch_metric_alarm)/.test(type));
    const mine = new Set(types(join(shop.results, "cdktf.out")));
    expect(types(synthExample("chaos")).filter((type) => !mine.has(type))).toEqual([]);
  });

  it("are applied, and a new plan of the same code is empty", async () => {
    await shop.expectNoDrift();
    const found = await templates();
    expect(Object.keys(found).sort()).toEqual([
      "orders-dev-late",
      "orders-dev-loses-a-zone",
      "orders-dev-loses-tasks",
      "shop-dev-memory-full",
    ]);
    expect(found["orders-dev-loses-tasks"]).toMatchObject({
      actions: { "stop-tasks": { actionId: "aws:ecs:stop-task", targets: { Tasks: "target" } } },
      targets: {
        target: {
          resourceType: "aws:ecs:task",
          selectionMode: "PERCENT(50)",
          parameters: { cluster: "shop-dev", service: "orders" },
        },
      },
      stopConditions: [
        { source: "aws:cloudwatch:alarm", value: "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-errors" },
      ],
    });
    expect(found["orders-dev-loses-tasks"].actions.watch).toMatchObject({
      actionId: "aws:fis:wait",
      parameters: { duration: "PT5M" },
      startAfter: ["stop-tasks"],
    });
    expect(found["orders-dev-loses-tasks"].experimentReportConfiguration.dataSources).toEqual({
      cloudWatchDashboards: [{ dashboardIdentifier: expect.stringMatching(/:dashboard\/shop-dev-orders$/) }],
    });
    expect(found["orders-dev-loses-a-zone"].stopConditions).toHaveLength(2);
    expect(found["orders-dev-loses-a-zone"].targets.target.resourceArns).toHaveLength(2);
    expect(found["shop-dev-memory-full"].targets.target.resourceTags["aws:autoscaling:groupName"]).toMatch(
      /^shop-dev-/,
    );
  });

  it("configure the tasks for their faults", async () => {
    const described = await shop.clients.ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: "shop-dev-orders" }),
    );
    const { pidMode, containerDefinitions = [] } = described.taskDefinition ?? {};
    expect(pidMode).toBe("task");
    expect(containerDefinitions.map(({ name }) => name).sort()).toEqual(["fault-agent", "orders"]);
  });

  it("can be started, and report their result", async () => {
    const { id } = (await templates())["orders-dev-loses-tasks"];
    const started = await aws.rest("fis", "POST", "/experiments", { experimentTemplateId: id, clientToken: "one" });
    const { experiment } = await aws.rest("fis", "GET", `/experiments/${started.experiment.id}`);
    expect(experiment).toMatchObject({ experimentTemplateId: id, state: { status: "completed" } });
  });

  const gateOf = (id: string) => {
    const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev", account: "123456789012" };
    return experimentGate(id, { environment, stack: "orders" });
  };

  /** Runs the commands of a gate as a build does, with an `aws` that calls the emulator; the access key is the name of the gate. */
  function runGate(id: string): Promise<Result> {
    if (!tools.python.found) throw new Error("needs Python");
    const folder = join(shop.results, "bin");
    mkdirSync(folder, { recursive: true });
    const aws = `#!/bin/sh\nexec "${tools.python.path}" "${join(__dirname, "fixtures/aws.py")}" "$@"\n`;
    writeFileSync(join(folder, "aws"), aws, { mode: 0o755 });
    const { commands } = gateOf(id);
    const account = { AWS_ENDPOINT_URL: shop.emulator.url, AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: "test" };
    const env = { ...account, PATH: `${folder}${delimiter}${process.env.PATH}` };
    return run(["bash", "--norc", "-ec", commands.join("\n")], shop.results, { env });
  }

  it("are gates of a pipeline, by the commands of its builds", async () => {
    const held = await runGate("LosesTasks");
    expect(held).toMatchObject({ code: 0, stdout: expect.stringContaining("Experiment completed.\tcompleted") });
    const missing = await runGate("LosesEverything");
    expect(missing.code).not.toBe(0);
    expect(missing.stderr).toContain("ParameterNotFound");
  });

  it("change in place", async () => {
    const harder = (await shop.inVersion("2", { VERSION: "2" }))("orders-dev-service");
    const { changes } = await harder.plan();
    expect(changes.map(({ actions }) => actions)).toEqual([["update"]]);
    await harder.apply();
    expect((await templates())["orders-dev-late"].actions["network-latency"].parameters.delayMilliseconds).toBe("600");
    expect((await harder.plan()).changes).toEqual([]);
  });

  it("leave nothing behind", async () => {
    await shop.destroy();
    await shop.expectNothingLeft();
    expect((await shop.emulator.leftovers()).billable).toEqual([]);
  });

  itWithIam(
    "are created, changed, started and destroyed by calls that the roles may make which do so on AWS",
    async () => {
      const gates = ["LosesTasks", "LosesEverything"].map((name): SimulatedRole => {
        const policy = JSON.parse(policyDocument(gateOf(name).permissions?.(new App()) ?? [])) as object;
        return { name, policies: [{ name, policy }] };
      });
      const { problems, simulated } = await judgeDeployment(shop, (caller) =>
        gates.find(({ name }) => name === caller),
      );
      expect(problems).toEqual([]);
      for (const { name } of gates) expect([name, simulated[name]]).toEqual([name, expect.any(Number)]);
      expect(simulated["deployed-delivery-gh-dev-apply"]).toBeGreaterThan(100);
    },
  );
});
