import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  DescribeAutoScalingGroupsCommand,
  DescribeInstanceRefreshesCommand,
  SetDesiredCapacityCommand,
} from "@aws-sdk/client-auto-scaling";
import { DescribeLaunchTemplateVersionsCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { GetRoleCommand } from "@aws-sdk/client-iam";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { itWithIam } from "../iam/packages";
import { readDeployingRoles, roleOfKey } from "../iam/recorded/deploying";
import { judgeDeployment } from "../iam/recorded/judge";
import { type Deployment, deploy, describeOnEmulator } from "../support/deployment";
import { stackJson, stackNames, synthExample } from "../support/examples";

const MAIN = join(__dirname, "apps/platform.ts");
const PLATFORM = "shop-dev-platform";

describeOnEmulator("a platform with instances", () => {
  let app: Deployment;

  beforeAll(async () => {
    app = await deploy(MAIN, { name: "platform" });
    await app.apply();
  });
  afterAll(() => app?.end());

  async function group(part: string) {
    const { AutoScalingGroups: groups = [] } = await app.clients.autoScaling.send(
      new DescribeAutoScalingGroupsCommand({}),
    );
    const found = groups.find((each) => each.AutoScalingGroupName?.startsWith(`shop-dev-${part}-`));
    if (found?.AutoScalingGroupName === undefined) throw new Error(`no group ${part}`);
    return { ...found, AutoScalingGroupName: found.AutoScalingGroupName, Instances: found.Instances ?? [] };
  }

  test("covers every resource type of the family's examples", () => {
    const types = (outdir: string) =>
      new Set(stackNames(outdir).flatMap((stack) => Object.keys((stackJson(outdir, stack).resource ?? {}) as object)));
    const deployed = types(join(app.results, "cdktf.out"));
    const used = ["auto-scaling-group", "ec2-cluster", "existing-vpc"].flatMap((name) => [
      ...types(synthExample(name)),
    ]);
    expect(used.filter((type) => !deployed.has(type))).toEqual([]);
    expect(deployed.size).toBeGreaterThan(30);
  });

  test("has an empty plan", async () => {
    await expect(app.expectNoDrift()).resolves.toBeUndefined();
  });

  test("starts instances with the user data script and its variables", async () => {
    const { MixedInstancesPolicy: _, LaunchTemplate: template } = await group("catalog");
    const { LaunchTemplateVersions: [version] = [] } = await app.clients.ec2.send(
      new DescribeLaunchTemplateVersionsCommand({
        LaunchTemplateId: template?.LaunchTemplateId,
        Versions: ["$Latest"],
      }),
    );
    const script = Buffer.from(version?.LaunchTemplateData?.UserData ?? "", "base64").toString();
    const written = readFileSync(join(__dirname, "../../examples/auto-scaling-group/catalog.sh"), "utf8");
    expect(script).toBe(
      written.replace("#!/bin/bash\n", `#!/bin/bash\nexport PORT='8080'\nexport GREETING='it'"'"'s \${HOME}'\n`),
    );
    expect(version?.LaunchTemplateData?.ImageId).toMatch(/^ami-/);
  });

  test("keeps the number of instances within its bounds", async () => {
    const { AutoScalingGroupName, MinSize, MaxSize, Instances } = await group("catalog");
    expect([MinSize, MaxSize, Instances.length]).toEqual([1, 4, 1]);
    const want = (DesiredCapacity: number) =>
      app.clients.autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity }));
    await want(4);
    expect((await group("catalog")).Instances).toHaveLength(4);
    await expect(want(5)).rejects.toThrow(/between the specified min size:1 and max size:4/);
    await expect(want(0)).rejects.toThrow(/between/);
    expect((await group("catalog")).Instances).toHaveLength(4);
    await want(2);
    expect((await group("catalog")).Instances).toHaveLength(2);
  });

  test("replaces a terminated instance", async () => {
    const [killed] = (await group("catalog")).Instances;
    await app.clients.ec2.send(new TerminateInstancesCommand({ InstanceIds: [killed?.InstanceId ?? ""] }));
    const ids = (await group("catalog")).Instances.map((each) => each.InstanceId);
    expect(ids).toHaveLength(2);
    expect(ids).not.toContain(killed?.InstanceId);
  });

  test("ignores a changed number of instances in plans", async () => {
    expect((await app.stack(PLATFORM).plan()).changes).toEqual([]);
  });

  test("hosts another platform, in its network, with its load balancer and its owner's rules", async () => {
    const { Parameter } = await app.clients.ssm.send(
      new GetParameterCommand({ Name: "/antifragile/dev/shop/platform" }),
    );
    const tenant = (await app.inVersion("tenant", { SHOP: Parameter?.Value ?? "" }))("tenant-dev-platform");
    await tenant.apply();
    expect((await tenant.plan()).changes).toEqual([]);
    const { Role } = await app.clients.iam.send(new GetRoleCommand({ RoleName: "acme-tenant-dev-guests" }));
    expect(Role).toMatchObject({
      Path: "/tenant/",
      PermissionsBoundary: { PermissionsBoundaryArn: "arn:aws:iam::aws:policy/PowerUserAccess" },
      Tags: expect.arrayContaining([{ Key: "CostCenter", Value: "4711" }]),
    });
    await tenant.destroy();
  });

  test("changes in place what AWS can change, replaces the rest, and rolls out new instances", async () => {
    const platform = (await app.inVersion("changed", { CHANGED: "1" }))(PLATFORM);
    const { changes } = await platform.plan();
    const done = Object.fromEntries(
      changes.map(({ address, actions }) => [address.replace(/_[0-9A-F]{8}$/, ""), actions.join("+")]),
    );
    const deleted = Object.keys(done).filter((address) => done[address] === "delete");
    expect(deleted.filter((address) => !/\.(Cluster_Exec|LoadBalancer_AccessLogs_)/.test(address))).toEqual([]);
    const others = Object.fromEntries(Object.entries(done).filter(([address]) => !deleted.includes(address)));
    expect(others).toEqual({
      "aws_autoscaling_group.Catalog": "update",
      "aws_autoscaling_group.Reports": "update",
      "aws_autoscaling_policy.Reports_Forecast": "update",
      "aws_autoscaling_policy.Reports_ScaleOnCpu": "update",
      // ECS Exec and access logs are turned off, not only their logs deleted.
      "aws_ecs_cluster.Cluster": "update",
      "aws_eip.Vpc_Nat2Address": "create",
      "aws_flow_log.Vpc_FlowLog": "delete+create",
      "aws_launch_template.Catalog_LaunchTemplate": "update",
      "aws_lb.LoadBalancer": "update",
      "aws_nat_gateway.Vpc_Nat2": "create",
      "aws_route.Vpc_Private2DefaultRoute": "update",
      "aws_ssm_parameter.Contract": "update",
    });
    await platform.apply();
    expect((await platform.plan()).changes).toEqual([]);
    const { AutoScalingGroupName } = await group("catalog");
    const { InstanceRefreshes: refreshes = [] } = await app.clients.autoScaling.send(
      new DescribeInstanceRefreshesCommand({ AutoScalingGroupName }),
    );
    expect(refreshes.map((refresh) => refresh.Preferences)).toEqual([
      expect.objectContaining({ MinHealthyPercentage: 100, MaxHealthyPercentage: 150, AutoRollback: true }),
    ]);
    expect((await group("reports")).MaxSize).toBe(8);
  });

  test("is destroyed completely", async () => {
    await app.destroy();
    await expect(app.expectNothingLeft()).resolves.toBeUndefined();
  });

  itWithIam("was created, changed and destroyed by calls that the roles may make which deploy it on AWS", async () => {
    const ofTenant = readDeployingRoles(join(app.results, "version-tenant"));
    const { problems, simulated } = await judgeDeployment(app, (caller) =>
      caller.includes(".tenant-") ? roleOfKey(ofTenant, caller) : undefined,
    );
    expect(problems).toEqual([]);
    expect(simulated["deployed-delivery-gh-dev-apply"]).toBeGreaterThan(500);
    expect(simulated["deployed-delivery-gh-dev-plan"]).toBeGreaterThan(100);
  });
});
