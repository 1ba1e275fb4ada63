import { describe, expect, it } from "vitest";
import {
  AutoScalingGroup,
  blueGreen,
  Capacity,
  CloudNativeService,
  type CloudNativeServiceProps,
  canary,
  codeDeploy,
  type Deployment,
  Duration,
  https,
  Image,
  Ingress,
  linear,
  oidcSignIn,
  rolling,
  type ServiceStack,
  worker,
} from "../../../../constructs";
import type { ProviderLine } from "../../../../constructs/core/provider-line";
import { ATTACHABLE_POLICIES } from "../../../../constructs/pipeline/named-actions";
import {
  FEATURES,
  type Feature,
  STRATEGIES,
  type Strategy,
  strategyCell,
} from "../../../../constructs/service/deployment/strategy-support";
import { synthesize } from "../../../../constructs/testing";
import { DEV, only, ordersStack, refusals, resources, shop, warnings } from "../../../support/synth";

const image = Image.digest(`registry.example.com/orders@sha256:${"a".repeat(64)}`);

const CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/12345678-1234-1234-1234-123456789012";

const DEPLOYMENTS: Readonly<Record<Strategy, Deployment>> = {
  rolling: rolling(),
  blueGreen: blueGreen(),
  canary: canary(),
  linear: linear(),
  codeDeploy: codeDeploy(canary()),
};

type Block = Readonly<Record<string, unknown>>;

/** Props that request a feature, and the evidence in the synthesized service. */
const ASKED: Readonly<
  Partial<
    Record<
      Feature,
      { readonly props: CloudNativeServiceProps; readonly addOns?: readonly Ingress[]; readonly shows: object }
    >
  >
> = {
  serviceConnect: { props: { connect: true }, shows: { service_connect_configuration: { enabled: true } } },
  spot: {
    props: { capacity: [Capacity.fargateSpot()] },
    shows: { capacity_provider_strategy: [{ capacity_provider: "FARGATE_SPOT", weight: 1 }] },
  },
  instances: {
    props: { capacity: [Capacity.instances("Instances")] },
    shows: { capacity_provider_strategy: [{ weight: 1 }] },
  },
  worker: { props: { process: worker() }, addOns: [], shows: { network_configuration: {} } },
  internal: { props: {}, addOns: [], shows: { network_configuration: {} } },
  auth: {
    props: {},
    addOns: [
      new Ingress({
        hosts: ["orders.example.com"],
        auth: oidcSignIn({
          issuer: "https://login.example.com",
          authorizationUrl: "https://login.example.com/authorize",
          tokenUrl: "https://login.example.com/token",
          userInfoUrl: "https://login.example.com/userinfo",
          clientId: "orders",
          clientSecretArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-login-AbCdEf",
        }),
      }),
    ],
    shows: { load_balancer: [{}] },
  },
  ownerPipeline: {
    props: { releaseOwner: "pipeline" },
    shows: { lifecycle: { ignore_changes: expect.arrayContaining(["task_definition"]) } },
  },
  ownerTerraform: {
    props: { releaseOwner: "terraform", image },
    shows: { lifecycle: { ignore_changes: ["desired_count"], postcondition: [{}] } },
  },
};

/** Features that a service enables by itself, and the evidence. */
const BROUGHT: Readonly<Partial<Record<Feature, string>>> = {
  circuitBreaker: "deployment_circuit_breaker",
  alarms: "alarms",
  forceNewDeployment: "force_new_deployment",
  steadyState: "wait_for_steady_state",
};

const REFUSAL: Readonly<Partial<Record<Feature, string>>> = {
  serviceConnect: "STRATEGY_SERVICE_CONNECT",
  worker: "STRATEGY_OF_WORKER",
  internal: "STRATEGY_NEEDS_INGRESS",
  auth: "STRATEGY_AUTH",
  ownerTerraform: "STRATEGY_RELEASE_OWNER",
};

function orders(
  line: ProviderLine,
  props: CloudNativeServiceProps,
  addOns: readonly Ingress[] = [new Ingress()],
): ServiceStack {
  const platform = shop(DEV, { providerLine: line, listener: https({ certificateArn: CERTIFICATE }) });
  if (props.capacity?.some(({ kind }) => kind === "EC2")) {
    new AutoScalingGroup(platform, "Instances", { scaling: { max: 4 } });
  }
  const stack = platform.stack("orders");
  new CloudNativeService(stack, "Orders", { ...props, addOns });
  return stack;
}

/** The service as it is written, or the codes that refuse it. */
function outcome(line: ProviderLine, props: CloudNativeServiceProps, addOns?: readonly Ingress[]): Block | string[] {
  try {
    return only(orders(line, props, addOns), "aws_ecs_service");
  } catch (error) {
    return [...String(error).matchAll(/\[([A-Z_0-9]+)\]/g)].map((match) => match[1]!);
  }
}

const LINES = [5, 6] as const;
const cells = STRATEGIES.flatMap((strategy) => LINES.map((line) => [strategy, line] as const));

describe("the table of strategies", () => {
  it("matches AWS's documentation", () => {
    const columns = Object.keys(FEATURES) as Feature[];
    const verdicts = cells.map(([strategy, line]) => {
      const row = columns.map(
        (feature) => ({ yes: "+", connect: "c", no: "-" })[strategyCell(strategy, line, feature).verdict],
      );
      return `${strategy} ${line} ${row.join("")}`;
    });
    // serviceConnect, spot, instances, worker, internal, auth, both owners; circuitBreaker, alarms, forceNewDeployment, steadyState
    expect(columns).toHaveLength(12);
    expect(verdicts).toEqual([
      "rolling 5 ++++++++++++",
      "rolling 6 ++++++++++++",
      "blueGreen 5 ------------",
      "blueGreen 6 +++++-++++++",
      "canary 5 ------------",
      "canary 6 +++-c-++-+++",
      "linear 5 ------------",
      "linear 6 +++-c-++-+++",
      "codeDeploy 5 -++---+-----",
      "codeDeploy 6 -++---+-----",
    ]);
  });

  it("has a source for each cell, and a reason for each no", () => {
    for (const [strategy, line] of cells) {
      for (const feature of Object.keys(FEATURES) as Feature[]) {
        const { verdict, source, note } = strategyCell(strategy, line, feature);
        const at = `${strategy} ${line} ${feature}`;
        expect(source, at).toMatch(/^https:\/\/(docs\.aws\.amazon\.com|github\.com|registry\.terraform\.io)\//);
        if (verdict !== "yes") expect(note, at).toBeTruthy();
      }
    }
  });
});

describe.each(cells)("%s on provider %i", (strategy, line) => {
  const deployment = DEPLOYMENTS[strategy];
  const lineSaysNo = strategyCell(strategy, line, "ownerPipeline").verdict === "no";

  it.each(Object.entries(ASKED))("with %s matches the table", (name, { props, addOns, shows }) => {
    const feature = name as Feature;
    const { verdict } = strategyCell(strategy, line, feature);
    const refused = lineSaysNo ? ["STRATEGY_NEEDS_PROVIDER_6"] : [REFUSAL[feature]];
    const found = outcome(line, { deployment, ...props }, addOns);
    if (verdict === "yes") expect(found).toMatchObject(shows);
    else expect(found).toEqual(refused);
    if (verdict === "connect") {
      expect(outcome(line, { deployment, connect: true, ...props }, addOns)).toMatchObject(shows);
    }
  });

  it("enables exactly the features of the table", () => {
    if (lineSaysNo) return expect(outcome(line, { deployment })).toEqual(["STRATEGY_NEEDS_PROVIDER_6"]);
    const service = outcome(line, { deployment }) as Block;
    for (const [feature, attribute] of Object.entries(BROUGHT)) {
      const { verdict } = strategyCell(strategy, line, feature as Feature);
      expect(service[attribute] !== undefined, feature).toBe(verdict === "yes");
    }
    expect(service.deployment_controller).toEqual({ type: strategy === "codeDeploy" ? "CODE_DEPLOY" : "ECS" });
  });
});

describe("a deployment that shifts traffic", () => {
  it("by ECS has two groups on one rule, a role for ECS, and weights that Terraform ignores", () => {
    const stack = orders(6, {
      deployment: canary({ percent: 5, wait: Duration.minutes(10), bakeTime: Duration.minutes(15) }),
    });
    const service = only(stack, "aws_ecs_service");
    expect(service).toMatchObject({
      deployment_configuration: {
        strategy: "CANARY",
        bake_time_in_minutes: "15",
        canary_configuration: { canary_percent: 5, canary_bake_time_in_minutes: "10" },
      },
      load_balancer: [
        {
          target_group_arn: expect.stringMatching(/Orders_Ingress_[0-9A-F]+\.arn/),
          advanced_configuration: {
            alternate_target_group_arn: expect.stringContaining("Orders_Ingress_Alternate_"),
            production_listener_rule: expect.stringContaining("Orders_Ingress_Rule_"),
            role_arn: expect.stringContaining("Orders_ShiftRole_"),
          },
        },
      ],
      timeouts: { create: "45m", update: "45m", delete: "20m" },
      depends_on: expect.arrayContaining([
        expect.stringMatching(/^aws_iam_role_policy_attachment\.Orders_ShiftRole_AmazonECSInfrastructureRole/),
        expect.stringMatching(/^aws_lb_listener_rule\./),
      ]),
    });
    expect(Object.keys(resources(stack, "aws_lb_target_group"))).toHaveLength(2);
    expect(only(stack, "aws_lb_listener_rule")).toMatchObject({
      action: [{ type: "forward", forward: { target_group: [{ weight: 100 }, { weight: 0 }] } }],
      lifecycle: { ignore_changes: ["action[0].forward[0].stickiness", "action[0].forward[0].target_group"] },
    });
  });

  it.each([
    [blueGreen({ bakeTime: Duration.minutes(0) }), { strategy: "BLUE_GREEN", bake_time_in_minutes: "0" }, "20m"],
    [
      linear({ percent: 30, wait: Duration.minutes(2) }),
      {
        strategy: "LINEAR",
        bake_time_in_minutes: "5",
        linear_configuration: { step_percent: 30, step_bake_time_in_minutes: "2" },
      },
      "31m",
    ],
  ])("by ECS is configured: %j", (deployment, expected, update) => {
    const service = only(orders(6, { deployment }), "aws_ecs_service");
    expect(service.deployment_configuration).toEqual(expected);
    expect(service.timeouts).toMatchObject({ update });
  });

  it("by CodeDeploy has an application, a group that rolls back on the service's alarms, and a role that passes two roles", () => {
    const stack = orders(5, { deployment: codeDeploy(canary({ percent: 20, wait: Duration.minutes(15) })) });
    expect(only(stack, "aws_codedeploy_app")).toMatchObject({ name: "shop-dev-orders", compute_platform: "ECS" });
    expect(only(stack, "aws_codedeploy_deployment_group")).toMatchObject({
      deployment_group_name: "shop-dev-orders",
      ecs_service: { service_name: expect.stringContaining("aws_ecs_service.Orders_") },
      alarm_configuration: { enabled: true, alarms: ["shop-dev-orders-errors"] },
      auto_rollback_configuration: {
        enabled: true,
        events: ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"],
      },
      blue_green_deployment_config: {
        terminate_blue_instances_on_deployment_success: { termination_wait_time_in_minutes: 5 },
      },
      load_balancer_info: {
        target_group_pair_info: {
          target_group: [
            { name: expect.stringMatching(/Orders_Ingress_[0-9A-F]+\.name/) },
            { name: expect.stringContaining("Orders_Ingress_Alternate_") },
          ],
        },
      },
    });
    expect(only(stack, "aws_codedeploy_deployment_config")).toMatchObject({
      deployment_config_name: "shop-dev-orders-canary-20-percent-15-minutes",
      traffic_routing_config: { type: "TimeBasedCanary", time_based_canary: { percentage: 20, interval: 15 } },
      lifecycle: { create_before_destroy: true },
    });
    const [policy] = Object.entries(resources(stack, "aws_iam_role_policy")).flatMap(([id, block]) =>
      id.includes("CodeDeploy_Role") ? [block.policy as { Statement: Block[] }] : [],
    );
    expect(policy?.Statement).toMatchObject([
      {
        Action: ["iam:PassRole"],
        Resource: [expect.stringContaining("Orders_TaskRole"), expect.stringContaining("Orders_ExecutionRole")],
        Condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
      },
    ]);
    expect(only(stack, "aws_lb_listener_rule")).toMatchObject({
      action: [{ type: "forward", target_group_arn: expect.anything() }],
      lifecycle: { ignore_changes: ["action"] },
    });
    expect(only(stack, "aws_ecs_service").lifecycle).toEqual({
      ignore_changes: [
        "capacity_provider_strategy",
        "desired_count",
        "load_balancer",
        "network_configuration",
        "platform_version",
        "task_definition",
      ],
    });
  });

  it.each([
    [blueGreen(), "CodeDeployDefault.ECSAllAtOnce"],
    [linear({ percent: 25, wait: Duration.minutes(1) }), /aws_codedeploy_deployment_config\.Orders_CodeDeploy_/],
  ] as const)("by CodeDeploy follows %j", (shift, name) => {
    const stack = orders(5, { deployment: codeDeploy(shift) });
    expect(only(stack, "aws_codedeploy_deployment_group").deployment_config_name).toMatch(name);
    const routing = Object.values(resources(stack, "aws_codedeploy_deployment_config")).map(
      ({ traffic_routing_config }) => traffic_routing_config,
    );
    expect(routing).toEqual(
      shift.kind === "linear" ? [{ type: "TimeBasedLinear", time_based_linear: { percentage: 25, interval: 1 } }] : [],
    );
  });

  it.each([
    [6, canary()],
    [5, codeDeploy(blueGreen())],
  ] as const)("counts errors and requests of both groups, and of each alone: provider %i, %j", (line, deployment) => {
    const stack = orders(line, { deployment, scaling: { max: 4, requestsPerTask: 100 } });
    const queries = only(stack, "aws_cloudwatch_metric_alarm").metric_query as Block[];
    expect(queries.filter(({ metric }) => metric !== undefined)).toHaveLength(6);
    // 10 is the most that an alarm takes.
    expect(queries.length).toBeLessThanOrEqual(10);
    expect(queries.at(-1)?.expression).toBe(
      "MAX([IF((requests0 + requests1) >= 20, 100 * (FILL(failed0, 0) + FILL(refused0, 0) + FILL(failed1, 0) + FILL(refused1, 0)) / (requests0 + requests1), 0), " +
        "IF((requests0) >= 20, 100 * (FILL(failed0, 0) + FILL(refused0, 0)) / (requests0), 0), " +
        "IF((requests1) >= 20, 100 * (FILL(failed1, 0) + FILL(refused1, 0)) / (requests1), 0)])",
    );
    const policies = Object.values(resources(stack, "aws_appautoscaling_policy"));
    const [onRequests] = policies.filter(({ name }) => name === "scale-on-requests");
    const tracked = JSON.stringify(onRequests);
    expect(tracked).toContain("MAX([FILL(requests0, REPEAT) / tasks0, FILL(requests1, REPEAT) / tasks1])");
    expect(tracked).toMatch(/Orders_Ingress_[0-9A-F]+\.arn_suffix.*Orders_Ingress_Alternate_/);
  });

  it("is found by DNS with CodeDeploy, on either side of a call", () => {
    const stack = ordersStack();
    const payments = new CloudNativeService(stack, "Payments", { deployment: codeDeploy(canary()) });
    payments.add(new Ingress());
    const storefront = new CloudNativeService(stack, "Storefront");
    storefront.call(payments);
    payments.call(storefront);
    const services = Object.values(resources(stack, "aws_ecs_service"));
    expect(services).toHaveLength(2);
    for (const service of services) {
      expect(service).not.toHaveProperty("service_connect_configuration");
      expect(service).toHaveProperty("service_registries");
    }
  });

  it("counts as two target groups of the load balancer", () => {
    const environment = { ...DEV, quotas: { targetGroupsPerLoadBalancer: 3 } };
    const stack = ordersStack(environment);
    const deployment = codeDeploy(canary());
    new CloudNativeService(stack, "Orders", { deployment }).add(new Ingress({ paths: ["/orders/*"] }));
    const second = new CloudNativeService(stack, "Payments", { deployment });
    expect(refusals(() => second.add(new Ingress({ paths: ["/payments/*"] })))).toEqual([
      "LOAD_BALANCER_QUOTA hosts and paths",
    ]);
  });

  it("refuses a target with a single group, and a second target", () => {
    const stack = ordersStack();
    const service = new CloudNativeService(stack, "Orders", { deployment: codeDeploy(canary()) });
    const target = {
      targetGroupArn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/x/1",
      targetGroupArnSuffix: "targetgroup/x/1",
      loadBalancerArnSuffix: "app/shop/1",
      dependsOn: [],
    };
    const extra = { name: "Extra", bind: (host: { addTarget(given: typeof target): void }) => host.addTarget(target) };
    expect(refusals(() => service.add(extra))).toEqual(["STRATEGY_TARGETS deployment"]);
  });

  it("prints a remedy if the provider does not support it", () => {
    let message = "";
    try {
      orders(5, { deployment: canary() });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toBe(
      "orders-dev-service/Orders: deployment canary() needs AWS provider 6; this app has 5\n" +
        "  Install @cdktf/provider-aws@21, or use codeDeploy(canary()), which supports neither Service Connect nor releases by Terraform.  [STRATEGY_NEEDS_PROVIDER_6]",
    );
  });

  it.each([
    [canary({ percent: 0 }), "DEPLOYMENT_PERCENT deployment.percent"],
    [canary({ percent: 100 }), "DEPLOYMENT_PERCENT deployment.percent"],
    [canary({ percent: 2.5 }), "DEPLOYMENT_PERCENT deployment.percent"],
    [linear({ percent: 2 }), "DEPLOYMENT_PERCENT deployment.percent"],
    [linear({ percent: 51 }), "DEPLOYMENT_PERCENT deployment.percent"],
    [canary({ wait: Duration.seconds(90) }), "DEPLOYMENT_TIME deployment.wait"],
    [linear({ wait: Duration.minutes(0) }), "DEPLOYMENT_TIME deployment.wait"],
    [blueGreen({ bakeTime: Duration.days(2) }), "DEPLOYMENT_TIME deployment.bakeTime"],
    [codeDeploy(canary({ percent: 0 })), "DEPLOYMENT_PERCENT deployment.percent"],
    [blueGreen({ errorPercent: 0 }), "DEPLOYMENT_ERRORS deployment.errorPercent"],
    [codeDeploy(linear({ minimumRequests: 0 })), "DEPLOYMENT_REQUESTS deployment.minimumRequests"],
  ])("refuses %j", (deployment, expected) => {
    expect(refusals(() => orders(6, { deployment }))).toEqual([expected]);
  });

  it.each([
    [6, canary()],
    [5, codeDeploy(canary())],
  ] as const)("has roles that a pipeline may create: provider %i, %j", (line, deployment) => {
    const attached = Object.values(resources(orders(line, { deployment }), "aws_iam_role_policy_attachment")).map(
      ({ policy_arn }) => String(policy_arn).replace(/^.*:policy\//, ""),
    );
    expect(attached).toHaveLength(1);
    expect(ATTACHABLE_POLICIES).toEqual(expect.arrayContaining(attached));
  });

  it("warns if it ends before an alarm can go off", () => {
    const warned = (deployment: Deployment) =>
      warnings(new CloudNativeService(ordersStack(DEV, { providerLine: 6 }), "Orders", { deployment }));
    const short = Duration.minutes(2);
    expect(warned(linear({ wait: short }))).toEqual([
      expect.stringMatching(/wait 2 min ends before.*DEPLOYMENT_TOO_SHORT/s),
    ]);
    expect(warned(codeDeploy(canary({ wait: short, bakeTime: short })))).toEqual([
      expect.stringContaining("bakeTime 2 min and wait 2 min"),
    ]);
    for (const deployment of [rolling(), blueGreen(), canary(), linear()]) expect(warned(deployment)).toEqual([]);
  });

  it("has the release owner pipeline with CodeDeploy, for any image", () => {
    const stack = orders(5, { deployment: codeDeploy(canary()), image });
    expect(synthesize(stack)).toBeDefined();
    expect(only(stack, "aws_ecs_service").lifecycle).not.toHaveProperty("postcondition");
  });
});
