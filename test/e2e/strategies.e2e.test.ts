import { join } from "node:path";
import { CodeDeployClient, GetDeploymentConfigCommand, GetDeploymentGroupCommand } from "@aws-sdk/client-codedeploy";
import { DescribeServicesCommand } from "@aws-sdk/client-ecs";
import {
  type Action,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeRulesCommand,
  DescribeTargetGroupsCommand,
  ModifyRuleCommand,
} from "@aws-sdk/client-elastic-load-balancing-v2";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeVerdict, judgePlan } from "../../operations/plan-gate";
import { AwsCloud } from "../../operations/release/aws";
import { release } from "../../operations/release/release";
import { readPlan } from "../../operations/terraform-plan";
import { itWithIam } from "../iam/packages";
import { judgeDeployment } from "../iam/recorded/judge";
import { type Deployment, deploy, describeOnEmulator } from "../support/deployment";
import { ROOT } from "../support/examples";

const APP = join(ROOT, "test/e2e/apps/strategies.ts");
const STACKS = ["shop-dev-platform", "shop-dev-data", "shop-dev-service"] as const;

describeOnEmulator("strategies on provider 5", () => {
  let shop: Deployment;
  let codeDeploy: CodeDeployClient;

  /** The service's stack in another version of the code, on the same account and state. */
  const inVersion = async (version: number) =>
    (await shop.inVersion(`${version}`, { VERSION: `${version}` }))(STACKS[2]);
  const describeService = async (service: string) => {
    const { services = [] } = await shop.clients.ecs.send(
      new DescribeServicesCommand({ cluster: "shop-dev", services: [service] }),
    );
    return services[0] ?? {};
  };
  const rules = async () => {
    const { LoadBalancers = [] } = await shop.clients.elb.send(new DescribeLoadBalancersCommand({}));
    const { Listeners = [] } = await shop.clients.elb.send(
      new DescribeListenersCommand({ LoadBalancerArn: LoadBalancers[0]?.LoadBalancerArn }),
    );
    const { Rules = [] } = await shop.clients.elb.send(
      new DescribeRulesCommand({ ListenerArn: Listeners[0]?.ListenerArn }),
    );
    return Rules;
  };
  const ruleOf = async (path: string) => {
    const found = (await rules()).find(({ Conditions = [] }) =>
      Conditions.some(({ PathPatternConfig }) => PathPatternConfig?.Values?.includes(path)),
    );
    if (found === undefined) throw new Error(`no rule for ${path}`);
    return found;
  };
  const write = async (path: string, action: Omit<Action, "Type">) => {
    const { RuleArn } = await ruleOf(path);
    await shop.clients.elb.send(new ModifyRuleCommand({ RuleArn, Actions: [{ Type: "forward", ...action }] }));
  };
  const groups = async () => {
    const { TargetGroups = [] } = await shop.clients.elb.send(new DescribeTargetGroupsCommand({}));
    return new Map(TargetGroups.map((group) => [group.TargetGroupName, group.TargetGroupArn]));
  };
  const deploymentGroup = async (service: string) => {
    const name = `shop-dev-${service}`;
    const { deploymentGroupInfo } = await codeDeploy.send(
      new GetDeploymentGroupCommand({ applicationName: name, deploymentGroupName: name }),
    );
    return deploymentGroupInfo;
  };
  /** ARNs of the two groups between which CodeDeploy moves a service's requests: what it names, in its order. */
  const pair = async (service: string): Promise<[string, string]> => {
    const known = await groups();
    const names = (await deploymentGroup(service))?.loadBalancerInfo?.targetGroupPairInfoList?.[0]?.targetGroups ?? [];
    const arns = names.flatMap(({ name }) => known.get(name) ?? []);
    if (arns.length !== 2) throw new Error(`${service} has ${names.map(({ name }) => name)}`);
    return arns as [string, string];
  };

  beforeAll(async () => {
    shop = await deploy(APP, { name: "strategies", stacks: STACKS });
    codeDeploy = new CodeDeployClient({
      endpoint: shop.emulator.url,
      region: shop.region,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    await shop.apply();
  });
  afterAll(async () => {
    codeDeploy?.destroy();
    await shop?.end();
  });

  it("are applied with all of their resources, and a new plan is empty", async () => {
    expect((await shop.stack(STACKS[2]).plan()).changes).toEqual([]);
    const expected = {
      storefront: { type: "ECS", capacity: "FARGATE_SPOT" },
      internal: { type: "ECS", capacity: "shop-dev-instances" },
      mailer: { type: "ECS", capacity: "FARGATE" },
      halves: { type: "CODE_DEPLOY", capacity: "FARGATE" },
      canary: { type: "CODE_DEPLOY", capacity: "FARGATE_SPOT" },
      linear: { type: "CODE_DEPLOY", capacity: "shop-dev-instances" },
    };
    const found = await Promise.all(
      Object.keys(expected).map(async (name) => {
        const { deploymentController, capacityProviderStrategy = [] } = await describeService(name);
        // Terraform completes the name of the instances' group.
        const capacity = capacityProviderStrategy[0]?.capacityProvider?.replace(
          /^ec2-(shop-dev-instances)-\d.*$/,
          "$1",
        );
        return [name, { type: deploymentController?.type, capacity }];
      }),
    );
    expect(Object.fromEntries(found)).toEqual(expected);
    const deployed = (await describeService("storefront")).deployments?.[0];
    expect(deployed?.serviceConnectConfiguration?.enabled).toBe(true);
  });

  it("by CodeDeploy refer to their service, both target groups, the listener, the alarm and the traffic configuration", async () => {
    const ways = await Promise.all(
      ["halves", "canary", "linear"].map(async (name) => {
        const group = await deploymentGroup(name);
        expect(group).toMatchObject({
          computePlatform: "ECS",
          ecsServices: [{ clusterName: "shop-dev", serviceName: name }],
          alarmConfiguration: { enabled: true, alarms: [{ name: `shop-dev-${name}-errors` }] },
          autoRollbackConfiguration: { enabled: true },
          deploymentStyle: { deploymentType: "BLUE_GREEN", deploymentOption: "WITH_TRAFFIC_CONTROL" },
        });
        await pair(name);
        return group?.deploymentConfigName;
      }),
    );
    expect(ways).toEqual([
      "CodeDeployDefault.ECSAllAtOnce",
      "shop-dev-canary-canary-10-percent-5-minutes",
      "shop-dev-linear-linear-25-percent-1-minutes",
    ]);
    const { deploymentConfigInfo } = await codeDeploy.send(
      new GetDeploymentConfigCommand({ deploymentConfigName: ways[1] }),
    );
    expect(deploymentConfigInfo?.trafficRoutingConfig).toMatchObject({
      type: "TimeBasedCanary",
      timeBasedCanary: { canaryPercentage: 10, canaryInterval: 5 },
    });
  });

  it("are released by CodeDeploy, and a plan does not change its tasks, target groups and rules", async () => {
    const live = () =>
      Promise.all(
        ["halves", "canary", "linear"].map(async (name) => {
          const { taskSets = [], loadBalancers = [] } = await describeService(name);
          const primary = taskSets.find(({ status }) => status === "PRIMARY");
          return {
            task: primary?.taskDefinition ?? (await describeService(name)).taskDefinition,
            group: primary?.loadBalancers?.[0]?.targetGroupArn ?? loadBalancers[0]?.targetGroupArn,
            rule: (await ruleOf(`/${name}/*`)).Actions,
          };
        }),
      );
    const before = await live();
    const printed: string[] = [];
    const code = await shop.signedIn(async () => {
      const cloud = new AwsCloud(shop.region);
      const image = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop@sha256:${"2".repeat(64)}`;
      const world = {
        cloud,
        place: { environment: "dev", platform: "shop", stack: "shop" },
        print: (text: string) => printed.push(text),
        now: Date.now,
        sleep: () => new Promise<void>((resolve) => setTimeout(resolve, 20)),
        interrupted: new AbortController().signal,
        by: "a test",
      };
      return release(world, { images: [image], unlock: false }).finally(() => cloud.destroy());
    }, "release.dev");
    expect({ code, text: printed.join("") }).toMatchObject({ code: 0 });
    const after = await live();
    for (const [index, { task, group, rule }] of after.entries()) {
      expect(task).not.toBe(before[index]?.task);
      expect(group).not.toBe(before[index]?.group);
      expect(rule).not.toEqual(before[index]?.rule);
    }
    expect((await shop.stack(STACKS[2]).plan()).changes).toEqual([]);
    expect(await live()).toEqual(after);
  });

  it("ignore CodeDeploy's changes to rules, in both forms; the rule of a rolling service is restored", async () => {
    for (const [service, first] of [
      ["halves", 0],
      ["canary", 90],
    ] as const) {
      const [old, next] = await pair(service);
      await write(`/${service}/*`, {
        ForwardConfig: {
          TargetGroups: [
            { TargetGroupArn: old, Weight: first },
            { TargetGroupArn: next, Weight: 100 - first },
          ],
        },
      });
    }
    const [, next] = await pair("linear");
    await write("/linear/*", { TargetGroupArn: next });
    const before = (await ruleOf("/shop")).Actions?.[0];
    await write("/shop", { TargetGroupArn: next });
    const { changes } = await shop.stack(STACKS[2]).plan();
    expect(changes.map(({ address, actions }) => [address.replace(/_[0-9A-F]{8}$/, ""), actions])).toEqual([
      ["aws_lb_listener_rule.Storefront_Ingress_Rule", ["update"]],
    ]);
    await write("/shop", { TargetGroupArn: before?.TargetGroupArn });
  });

  it("change in place, and ignore the weights that ECS writes", async () => {
    // The second state has another canary, and on a rule that had one group what ECS's own strategies want there.
    const service = await inVersion(2);
    await service.apply();
    expect((await deploymentGroup("canary"))?.deploymentConfigName).toBe("shop-dev-canary-canary-20-percent-5-minutes");
    const [old, next] = (await ruleOf("/shop")).Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
    expect([old?.Weight, next?.Weight].sort()).toEqual([0, 100]);
    const written = [
      [
        { ...old, Weight: next?.Weight },
        { ...next, Weight: old?.Weight },
      ],
      [{ ...next, Weight: 1 }],
    ];
    for (const TargetGroups of written) {
      await write("/shop", { ForwardConfig: { TargetGroups, TargetGroupStickinessConfig: { Enabled: false } } });
      expect((await service.plan()).changes).toEqual([]);
    }
  });

  it("are not changed by accident if that replaces the service: the gate reports the consequences", async () => {
    await (await inVersion(3)).plan();
    const verdict = judgePlan(readPlan(shop.shownPlan(STACKS[2])));
    expect(verdict.refused.map(({ action, what }) => `${action} ${what}`)).toEqual(["replace service"]);
    expect(describeVerdict(verdict)).toMatch(
      /Storefront.*replaced: all of its tasks stop before new ones start: an outage[\s\S]*deployment_controller\.0\.type: "ECS" -> "CODE_DEPLOY"/,
    );
  });

  it("leave nothing behind", async () => {
    await (await inVersion(2)).destroy();
    await shop.stack(STACKS[1]).destroy();
    await shop.stack(STACKS[0]).destroy();
    await shop.expectNothingLeft();
    expect((await shop.emulator.leftovers()).billable).toEqual([]);
  });

  itWithIam(
    "are created, changed, released and destroyed by calls that the roles may make which do so on AWS",
    async () => {
      const { problems, simulated } = await judgeDeployment(shop);
      expect(problems).toEqual([]);
      expect(simulated["deployed-delivery-gh-dev-release"]).toBeGreaterThan(20);
      expect(simulated["deployed-delivery-gh-dev-apply"]).toBeGreaterThan(100);
    },
  );
});
