import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TerraformStack } from "../../emulator";
import { AwsCaller } from "../support/aws-call";
import { type Deployment, deploy, describeOnEmulator, tools } from "../support/deployment";

const STACK = "orders-delivery";

// What is delivered is not deployed here: the stack of delivery alone, as a person applies it.
describeOnEmulator("the delivery of orders", () => {
  let app: Deployment;
  let aws: AwsCaller;
  const pipeline = async () => (await aws.call("codepipeline", "GetPipeline", { name: "orders" })).pipeline;

  beforeAll(async () => {
    app = await deploy("examples/pipeline/main.ts", { name: "delivery", stacks: [STACK] });
    aws = new AwsCaller(app.emulator.url, app.region);
    await app.apply();
  });

  afterAll(() => app?.end());

  test("is as planned", async () => {
    await expect(app.expectNoDrift()).resolves.toBeUndefined();
  });

  test("has a pipeline from source to production, an approval before production is applied", async () => {
    const { stages, pipelineType, executionMode } = await pipeline();
    expect([pipelineType, executionMode]).toEqual(["V2", "SUPERSEDED"]);
    expect(
      stages.map(({ name, actions }: { name: string; actions: { name: string }[] }) => [
        name,
        ...actions.map((action) => action.name),
      ]),
    ).toEqual([
      ["Source", "Source"],
      ["Build", "Test", "Image"],
      ["Staging", "Plan", "Apply", "Release"],
      ["Production", "Plan", "Approve", "Apply", "Release"],
    ]);
  });

  test("builds what the pipeline starts, with a Docker engine for the image alone", async () => {
    const { projects } = await aws.call("codebuild", "ListProjects");
    const found = (await aws.call("codebuild", "BatchGetProjects", { names: projects })).projects;
    const privileged = found.filter(
      (each: { environment: { privilegedMode?: boolean } }) => each.environment.privilegedMode,
    );
    expect(privileged.map(({ name }: { name: string }) => name)).toEqual(["orders-image"]);
    const { stages } = await pipeline();
    const started = stages
      .flatMap(({ actions }: { actions: { configuration: { ProjectName?: string } }[] }) => actions)
      .flatMap(({ configuration }: { configuration: { ProjectName?: string } }) => configuration.ProjectName ?? []);
    expect(started.sort()).toEqual([...projects].sort());
  });

  test("changes in place", async () => {
    const file = join(app.results, "cdktf.out/stacks", STACK, "cdk.tf.json");
    const program = JSON.parse(readFileSync(file, "utf8"));
    const [resource] = Object.values<{ execution_mode: string }>(program.resource.aws_codepipeline);
    resource!.execution_mode = "QUEUED";
    writeFileSync(file, JSON.stringify(program));
    const changed = new TerraformStack({
      stack: join(app.results, "cdktf.out/stacks", STACK),
      folder: app.results,
      emulatorUrl: app.emulator.url,
      tools,
    });
    const { changes } = await changed.plan();
    expect(changes.map(({ address, actions }) => [address.split(".")[0], actions])).toEqual([
      ["aws_codepipeline", ["update"]],
    ]);
    await changed.apply();
    expect((await pipeline()).executionMode).toBe("QUEUED");
  });

  test("goes without leaving anything", async () => {
    await app.destroy();
    await expect(app.expectNothingLeft()).resolves.toBeUndefined();
  });
});
