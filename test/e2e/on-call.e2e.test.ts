import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Emulator } from "../../emulator";
import { start } from "../cli/support/child";
import { NO_CREDENTIALS, usePackedCli } from "../cli/support/cli";
import { commit, generate, git } from "../cli/support/versions";
import { template } from "../operations/support/fake-cloud";
import { AwsCaller, field } from "../support/aws-call";
import { describeOnEmulator, resultsFolder, startEmulator } from "../support/deployment";
import { ROOT } from "../support/examples";
import { FaultProxy } from "../support/faulty-endpoint";
import { ImageRegistry } from "../support/image-registry";

const RELEASES = "/antifragile/dev/shop/releases/orders";

/** Program of a repository whose only stack says where its services are. */
const PROGRAM = `import { mkdirSync, writeFileSync } from "node:fs";
const program = {
  provider: { aws: [{ region: "eu-central-1", default_tags: [{ tags: { Environment: "dev" } }] }] },
  resource: { aws_ssm_parameter: { Orders: { name: "${RELEASES}/processes/orders" } } },
};
mkdirSync("infra/cdktf.out/stacks/orders-dev-service", { recursive: true });
writeFileSync("infra/cdktf.out/stacks/orders-dev-service/cdk.tf.json", JSON.stringify(program));
writeFileSync("infra/cdktf.out/manifest.json", '{"stacks":{"orders-dev-service":{"dependencies":[]}}}');
`;

/** A day on call in a repository, with the commands of the packed executable alone: `ship` builds and pushes a real image. */
describeOnEmulator("a day on call", () => {
  const packed = usePackedCli();
  let folder: string;
  let repository: string;
  let emulator: Emulator;
  let aws: AwsCaller;
  let proxy: FaultProxy;
  let registry: ImageRegistry;

  /** Runs a command in the repository, and returns its output. */
  async function run(words: readonly string[], { code = 0, input = "" } = {}): Promise<string> {
    const command = `"$@"`;
    const line = input === "" ? command : `printf %s '${input}' | ${command}`;
    const ended = await start(["bash", "--norc", "-c", line, "bash", ...packed.command(...words)], {
      cwd: repository,
      env: {
        ...NO_CREDENTIALS,
        ...registry.variables,
        AWS_ENDPOINT_URL: proxy.url,
        AWS_ACCESS_KEY_ID: "person",
        AWS_SECRET_ACCESS_KEY: "test",
        PATH: [join(folder, "bin"), process.env.PATH].join(delimiter),
      },
    }).ended;
    expect(ended.code, `${words.join(" ")}\n${ended.text}`).toBe(code);
    return ended.text;
  }

  /** Image that a service runs. */
  async function image(): Promise<string> {
    const { services } = await aws.call("ecs", "DescribeServices", { cluster: "shop-dev", services: ["orders"] });
    const { taskDefinition } = await aws.call("ecs", "DescribeTaskDefinition", {
      taskDefinition: services[0].taskDefinition,
    });
    return taskDefinition.containerDefinitions[0].image;
  }

  /** Makes what a deployment leaves: a service and a job that run the bootstrap image, and what they publish. */
  async function deployed(): Promise<void> {
    const ec2 = async (operation: string, id: string, params: object) =>
      field(await aws.call("ec2", operation, { ...params }), id) as string;
    const VpcId = await ec2("CreateVpc", "vpcId", { CidrBlock: "10.0.0.0/16" });
    const subnet = await ec2("CreateSubnet", "subnetId", { VpcId, CidrBlock: "10.0.1.0/24" });
    const group = await ec2("CreateSecurityGroup", "groupId", { VpcId, GroupName: "orders", GroupDescription: "x" });
    await aws.call("ecr", "CreateRepository", { repositoryName: "orders" });
    await aws.call("ecs", "CreateCluster", { clusterName: "shop-dev" });
    const roles = ["execution", "task", "scheduler"].map(async (RoleName) => {
      const Service = RoleName === "scheduler" ? "scheduler.amazonaws.com" : "ecs-tasks.amazonaws.com";
      const Statement = [{ Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" }];
      const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
      return field(await aws.call("iam", "CreateRole", { RoleName, AssumeRolePolicyDocument }), "Arn") as string;
    });
    const [executionRoleArn, taskRoleArn, RoleArn] = await Promise.all(roles);
    const network = { subnets: subnet, securityGroup: group, assignPublicIp: false };
    for (const [name, kind] of [
      ["orders", "web"],
      ["report", "job"],
    ] as const) {
      await aws.call("logs", "CreateLogGroup", { logGroupName: `/shop/${name}` });
      const options = {
        "awslogs-group": `/shop/${name}`,
        "awslogs-region": "eu-central-1",
        "awslogs-stream-prefix": name,
      };
      const { taskDefinition } = await aws.call("ecs", "RegisterTaskDefinition", {
        ...{ family: `shop-dev-${name}`, cpu: "256", memory: "512", networkMode: "awsvpc" },
        ...{ requiresCompatibilities: ["FARGATE"], executionRoleArn, taskRoleArn },
        containerDefinitions: [
          { name, image: "bootstrap", essential: true, logConfiguration: { logDriver: "awslogs", options } },
        ],
      });
      const task = taskDefinition.taskDefinitionArn as string;
      if (kind === "web") {
        await aws.call("ecs", "CreateService", {
          ...{ cluster: "shop-dev", serviceName: name, taskDefinition: task, desiredCount: 1, launchType: "FARGATE" },
          enableExecuteCommand: true,
          networkConfiguration: { awsvpcConfiguration: { subnets: [subnet], securityGroups: [group] } },
        });
      } else {
        await aws.rest("scheduler", "POST", `/schedules/shop-dev-${name}`, {
          ScheduleExpression: "cron(0 3 * * ? *)",
          FlexibleTimeWindow: { Mode: "OFF" },
          Target: {
            Arn: "arn:aws:ecs:eu-central-1:123456789012:cluster/shop-dev",
            RoleArn,
            EcsParameters: { TaskDefinitionArn: task },
          },
        });
      }
      const Value = JSON.stringify(template(name, { kind, task, network }));
      await aws.call("ssm", "PutParameter", { Name: `${RELEASES}/processes/${name}`, Value, Type: "String" });
    }
    await aws.call("ssm", "PutParameter", { Name: `${RELEASES}/record`, Value: "{}", Type: "String" });
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-on-call-"));
    const put = (path: string, text: string, mode = 0o644) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text, { mode });
    };
    // A stand-in for AWS's program: ends as if the shell in the container had ended with 3.
    put("bin/session-manager-plugin", "#!/bin/sh\n[ $# = 0 ] || exit 3\n", 0o755);
    await generate(packed.packageFolder, join(folder, "generated"));
    repository = join(folder, "repository");
    put("repository/package.json", '{"name":"orders"}');
    put("repository/.gitignore", "infra/cdktf.out\nimage.txt\nnode_modules\n");
    put("repository/infra/main.ts", PROGRAM);
    put("repository/infra/environments.ts", 'export const delivery = { region: "eu-central-1" };\n');
    put("repository/scripts/image.ts", readFileSync(join(folder, "generated/scripts/image.ts"), "utf8"));
    put("repository/Dockerfile", "FROM scratch\nCOPY main.js /\n");
    put("repository/main.js", "1");
    symlinkSync(join(ROOT, "node_modules"), join(repository, "node_modules"));
    git(repository, "init", "--quiet");
    commit(repository);

    emulator = await startEmulator(resultsFolder("on-call"));
    aws = new AwsCaller(emulator.url);
    registry = await ImageRegistry.start(folder, async (repositoryName, imageTag, imageManifest) => {
      const { image } = await aws.call("ecr", "PutImage", { repositoryName, imageTag, imageManifest });
      return image.imageId.imageDigest;
    });
    proxy = await FaultProxy.to(emulator.url, "");
    // ECR's registry is here.
    proxy.rewrite = (operation, text) =>
      operation === "DescribeRepositories"
        ? text.replaceAll(/[\w.-]+\.dkr\.ecr\.[\w.-]+\.amazonaws\.com/g, registry.host)
        : text;
    await deployed();
  });
  afterAll(async () => {
    proxy?.stop();
    registry?.stop();
    await emulator?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it("ships a commit, and then what is not committed, each built and pushed once", async () => {
    const first = await run(["ship", "dev"]);
    expect(first).toContain("release 1 is live");
    const committed = await image();
    expect(committed).toMatch(/^127\.0\.0\.1:\d+\/orders@sha256:[0-9a-f]{64}$/);

    writeFileSync(join(repository, "main.js"), "2");
    expect(await run(["ship", "dev"])).toContain("release 2 is live");
    expect(await image()).not.toBe(committed);
    const again = await run(["ship", "dev"]);
    expect(again).toContain("release 2 is live already");
    expect(again).not.toContain("COPY main.js");
    const { imageDetails } = await aws.call("ecr", "DescribeImages", { repositoryName: "orders" });
    const tags = (imageDetails as { imageTags: string[] }[]).flatMap(({ imageTags }) => imageTags).sort();
    expect(tags).toEqual([
      expect.stringMatching(/^commit-[0-9a-f]{40}$/),
      expect.stringMatching(/^uncommitted-[0-9a-f]{40}$/),
    ]);
  });

  it("looks at it, enters a task, runs a job, sets a secret, and rolls back", async () => {
    expect(await run(["status", "dev"])).toMatch(/orders +dev +2/);
    expect(JSON.parse(await run(["show", "dev", "orders", "--json"]))).toMatchObject([{ service: "orders" }]);
    await emulator.endNextTask({ family: "shop-dev-report", lines: ["reported 3 orders"] });
    expect(await run(["run", "dev", "report"])).toContain("reported 3 orders");
    expect(await run(["logs", "dev", "report", "--filter", "reported"])).toContain("reported 3 orders");
    await run(["exec", "dev", "orders", "--", "date"], { code: 3 });
    const secret = await run(["secret", "set", "stripe-key", "dev"], { input: "s3cret" });
    expect(secret).toContain("parameter/secrets/dev/stripe-key");
    expect(secret).not.toContain("s3cret");
    const shipped = await image();
    expect(await run(["rollback", "dev"])).toContain("is live after");
    expect(await image()).not.toBe(shipped);
    expect(await run(["releases", "dev"])).toMatch(/^3 +live.*1 again/m);
  });
});
