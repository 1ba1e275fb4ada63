import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GetRoleCommand } from "@aws-sdk/client-iam";
import { afterAll, beforeAll, expect, test } from "vitest";
import { releasedTag } from "../../contract/images";
import { runPipeline } from "../../operations/pipeline-command";
import { keepImage } from "../../operations/release/keep-image";
import { operator } from "../iam/operators";
import { itWithIam } from "../iam/packages";
import { judgeCalls } from "../iam/recorded/judge";
import type { Program } from "../iam/resolve";
import { rolesIn } from "../iam/roles";
import { AwsCaller } from "../support/aws-call";
import { type Deployment, deploy, describeOnEmulator } from "../support/deployment";
import { stackJson } from "../support/examples";

const STACK = "orders-delivery";

// What is delivered is not deployed here: the stack of delivery alone, as a person applies it.
describeOnEmulator("the delivery of orders", () => {
  let app: Deployment;
  let aws: AwsCaller;
  const pipeline = async (name = "orders") => (await aws.call("codepipeline", "GetPipeline", { name })).pipeline;

  beforeAll(async () => {
    app = await deploy("examples/pipeline/main.ts", { name: "delivery", stacks: [STACK] });
    aws = new AwsCaller(app.emulator.url, app.region);
    await app.apply();
  });

  afterAll(() => app?.end());

  test("has an empty plan", async () => {
    await expect(app.expectNoDrift()).resolves.toBeUndefined();
  });

  test("has a pipeline from source to production, with an approval before production", async () => {
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

  test("has a pipeline that finds drift, which only its schedule starts", async () => {
    const { stages } = await pipeline("orders-drift");
    const [source, drift] = stages.map(({ actions }: { actions: unknown[] }) => actions);
    expect(source).toMatchObject([{ configuration: { DetectChanges: "false" } }]);
    expect(drift).toMatchObject([{ name: "Staging" }, { name: "Production" }]);
  });

  test("is shown stage by stage by pipeline status, also before it runs", async () => {
    const status = async (name: string) => {
      const lines: string[] = [];
      const args = ["status", name, "--region", app.region, "--json"];
      const print = (text: string) => void lines.push(text);
      await app.signedIn(() => runPipeline({ args, cwd: app.results, print }), "operator");
      return JSON.parse(lines.join(""));
    };
    const [{ stages }] = await status("orders");
    expect(stages.map(({ stage, status }: Record<string, string>) => `${stage}: ${status}`)).toEqual(
      ["Source", "Build", "Staging", "Production"].map((stage) => `${stage}: not started`),
    );
    await expect(status("ordres")).rejects.toThrow("pipeline ordres does not exist");
  });

  test("has the builds that the pipelines start, with a Docker engine only for the image", async () => {
    const { projects } = await aws.call("codebuild", "ListProjects");
    const found = (await aws.call("codebuild", "BatchGetProjects", { names: projects })).projects;
    const privileged = found.filter(
      (each: { environment: { privilegedMode?: boolean } }) => each.environment.privilegedMode,
    );
    expect(privileged.map(({ name }: { name: string }) => name)).toEqual(["orders-image"]);
    const started = [...(await pipeline()).stages, ...(await pipeline("orders-drift")).stages]
      .flatMap(({ actions }: { actions: { configuration: { ProjectName?: string } }[] }) => actions)
      .flatMap(({ configuration }: { configuration: { ProjectName?: string } }) => configuration.ProjectName ?? []);
    expect(started.sort()).toEqual([...projects].sort());
  });

  test("keeps a released image: its tag is added once", async () => {
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      config: {
        mediaType: "application/vnd.docker.container.image.v1+json",
        size: 2,
        digest: `sha256:${"c".repeat(64)}`,
      },
      layers: [],
    });
    const put = { repositoryName: "orders", imageManifest: manifest, imageTag: "commit-1" };
    const { imageDigest } = (await aws.call("ecr", "PutImage", put)).image.imageId;
    const uri = `123456789012.dkr.ecr.${app.region}.amazonaws.com/orders@${imageDigest}`;
    const keep = (image: string) => app.signedIn(() => keepImage(image), "orders-delivery-staging-release");
    await keep(uri);
    await keep(uri);
    await expect(keep(uri.replace(/.$/, (last) => (last === "0" ? "1" : "0")))).rejects.toThrow(/push it first/);
    const { imageDetails } = await aws.call("ecr", "DescribeImages", { repositoryName: "orders" });
    expect(imageDetails).toMatchObject([{ imageTags: ["commit-1", releasedTag(imageDigest)] }]);
    await aws.call("ecr", "BatchDeleteImage", { repositoryName: "orders", imageIds: [{ imageDigest }] });
  });

  test("changes in place", async () => {
    const file = join(app.results, "cdktf.out/stacks", STACK, "cdk.tf.json");
    const program = JSON.parse(readFileSync(file, "utf8"));
    const [resource] = Object.values<{ execution_mode: string }>(program.resource.aws_codepipeline);
    resource!.execution_mode = "QUEUED";
    writeFileSync(file, JSON.stringify(program));
    const changed = app.stackOf(join(app.results, "cdktf.out"), STACK);
    const { changes } = await changed.plan();
    expect(changes.map(({ address, actions }) => [address.split(".")[0], actions])).toEqual([
      ["aws_codepipeline", ["update"]],
    ]);
    await changed.apply();
    expect((await pipeline()).executionMode).toBe("QUEUED");
  });

  test("is destroyed completely", async () => {
    await app.destroy();
    await expect(app.expectNothingLeft()).resolves.toBeUndefined();
  });

  itWithIam("is looked after by calls that its roles and its operators may make; a person deploys it", async () => {
    const callers = [
      operator("operator", ["pipeline status"]),
      ...rolesIn(stackJson(join(app.results, "cdktf.out"), STACK) as Program),
    ];
    const { problems, simulated } = await judgeCalls(app.calls, (caller) =>
      callers.find(({ name }) => name === caller),
    );
    expect(problems).toEqual([]);
    expect(simulated).toEqual({ operator: 2, "orders-delivery-staging-release": 2 });
  });
});

describeOnEmulator("roles for GitHub Actions", () => {
  let app: Deployment;

  beforeAll(async () => {
    app = await deploy("examples/github-actions/main.ts", { name: "github-actions", stacks: ["payments-delivery"] });
    await app.apply();
  });

  afterAll(() => app?.end());

  test("have an empty plan, and each trusts one repository", async () => {
    await expect(app.expectNoDrift()).resolves.toBeUndefined();
    const { Role } = await app.clients.iam.send(new GetRoleCommand({ RoleName: "payments-delivery-gh-staging-apply" }));
    expect(JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ""))).toMatchObject({
      Statement: [
        {
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: {
            StringEquals: {
              "token.actions.githubusercontent.com:aud": ["sts.amazonaws.com"],
              "token.actions.githubusercontent.com:sub": ["repo:acme@123456/payments@456789:environment:staging"],
            },
          },
        },
      ],
    });
  });

  test("are destroyed completely", async () => {
    await app.destroy();
    await expect(app.expectNothingLeft()).resolves.toBeUndefined();
  });
});
