import { App } from "cdktf";
import { describe, expect, it } from "vitest";
import { existingLoadBalancer, https, Platform } from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, ordersStack, PRODUCTION, refusals, resources, shop } from "../../support/synth";

describe("Platform", () => {
  it("is a network, a cluster and a shared load balancer, published by one parameter", () => {
    const platform = shop();
    expect(only(platform, "aws_ssm_parameter")).toMatchObject({
      name: "/antifragile/dev/shop/platform",
      insecure_value: {
        vpc: { vpcId: expect.stringContaining("aws_vpc.") },
        cluster: { clusterName: expect.stringContaining("aws_ecs_cluster.") },
        loadBalancer: { listenerArn: expect.stringContaining("aws_lb_listener.LoadBalancer_Http") },
      },
    });
  });

  it("creates two stacks for each service, which depend on it and find it by name", () => {
    const stack = ordersStack();
    expect([stack.node.id, stack.data.node.id]).toEqual(["orders-dev-service", "orders-dev-data"]);
    expect(stack.dependencies.map((one) => one.node.id)).toEqual(["shop-dev-platform", "orders-dev-data"]);
    expect(synthesize(stack).data).toEqual({
      aws_ssm_parameter: {
        Platform_DD5CC455: {
          name: "/antifragile/dev/shop/platform",
          lifecycle: { postcondition: [expect.anything()] },
        },
      },
    });
  });

  it("can be in another repository: the same stacks, without the platform's own", () => {
    const app = new App();
    const stack = Platform.existing(app, "shop", { environment: DEV }).stack("orders");
    expect(app.node.children.map((child) => child.node.id).sort()).toEqual(["orders-dev-data", "orders-dev-service"]);
    expect(synthesize(stack)).toEqual(synthesize(ordersStack()));
  });

  it("requires the egress of another repo's platform, and the plan fails if it is wrong", () => {
    const contract = (egress?: "endpoints") => {
      const stack = Platform.existing(new App(), "shop", { environment: DEV, egress }).stack("orders");
      return JSON.stringify(Object.values(resources({ resource: synthesize(stack).data }, "aws_ssm_parameter")));
    };
    expect(contract()).toContain('contains([\\"nat\\",\\"single-nat\\"], jsondecode(self.insecure_value).vpc.egress)');
    expect(contract("endpoints")).toContain('contains([\\"endpoints\\"], ');
  });

  it("refuses an invalid name", () => {
    const existing = Platform.existing(new App(), '${file("/etc/passwd")}', { environment: DEV });
    expect(refusals(() => existing.stack("orders"))).toEqual(["PLATFORM_NAME platform"]);
  });

  it("separates environments of one account", () => {
    const app = new App();
    for (const environment of [DEV, PRODUCTION]) new Platform(app, "shop", { environment }).stack("orders");
    expect(app.node.children.map((child) => child.node.id)).toEqual([
      "shop-dev-platform",
      "orders-dev-service",
      "orders-dev-data",
      "shop-production-platform",
      "orders-production-service",
      "orders-production-data",
    ]);
  });

  it("lets EventBridge record stopped tasks, with a condition only on the action for which it names its rule", () => {
    const platform = shop(DEV);
    const { policy_document: policy } = only(platform, "aws_cloudwatch_log_resource_policy");
    const { Statement: statements } = policy as { Statement: { Action: string; Condition?: unknown }[] };
    const conditions = Object.fromEntries(statements.map(({ Action, Condition }) => [Action, Condition]));
    expect(conditions).toEqual({
      "logs:CreateLogStream": undefined,
      "logs:PutLogEvents": {
        ArnEquals: { "aws:SourceArn": expect.stringMatching(/^\$\{aws_cloudwatch_event_rule\.\w+\.arn\}$/) },
      },
    });
  });

  it("has Container Insights in production only, with its own log group", () => {
    expect(only(shop(), "aws_ecs_cluster")).toMatchObject({ setting: [{ value: "disabled" }] });
    const production = shop(PRODUCTION);
    expect(only(production, "aws_ecs_cluster")).toMatchObject({
      setting: [{ name: "containerInsights", value: "enabled" }],
      depends_on: [expect.stringMatching(/^aws_cloudwatch_log_group\./)],
    });
    expect(Object.values(resources(production, "aws_cloudwatch_log_group")).map((group) => group.name)).toContain(
      "/aws/ecs/containerinsights/shop-production/performance",
    );
  });
});

describe("LoadBalancer", () => {
  const certificateArn = "arn:aws:acm:eu-central-1:123456789012:certificate/1";

  it("redirects to HTTPS, accepts only TLS 1.2 and 1.3, and answers unmatched requests with 404", () => {
    const platform = shop(DEV, { listener: https({ certificateArn }) });
    const listeners = Object.values(resources(platform, "aws_lb_listener"));
    expect(listeners).toEqual([
      expect.objectContaining({
        port: 80,
        default_action: [expect.objectContaining({ type: "fixed-response" })],
      }),
      expect.objectContaining({
        port: 443,
        protocol: "HTTPS",
        ssl_policy: "ELBSecurityPolicy-TLS13-1-2-2021-06",
        default_action: [expect.objectContaining({ type: "fixed-response" })],
      }),
    ]);
    expect(only(platform, "aws_lb_listener_rule")).toMatchObject({
      listener_arn: expect.stringContaining("LoadBalancer_Http"),
      priority: 49_999,
      condition: [{ path_pattern: { values: ["*"] } }],
      action: [{ type: "redirect", redirect: { port: "443", protocol: "HTTPS", status_code: "HTTP_301" } }],
    });
  });

  it("keeps its listener on port 80 as it is when it changes to HTTPS", () => {
    const http = (listener: ReturnType<typeof https> | undefined) =>
      Object.values(resources(shop(DEV, { ...(listener && { listener }) }), "aws_lb_listener"))[0];
    expect(http(https({ certificateArn }))).toEqual(http(undefined));
  });

  it("keeps the resource address of the listener on port 80 when HTTPS is added", () => {
    const ids = [shop(), shop(DEV, { listener: https({ certificateArn }) })].map(
      (platform) => Object.keys(resources(platform, "aws_lb_listener"))[0],
    );
    expect(ids[0]).toBe(ids[1]);
  });

  it("opens only the listener's ports to the internet", () => {
    const open = (platform: Platform) =>
      Object.values(resources(platform, "aws_vpc_security_group_ingress_rule")).map((rule) => rule.from_port);
    expect(open(shop())).toEqual([80]);
    expect(open(shop(DEV, { listener: https({ certificateArn }) })).sort()).toEqual([443, 80]);
  });

  it("has deletion protection in production, and always drops invalid headers", () => {
    expect(only(shop(), "aws_lb")).toMatchObject({
      enable_deletion_protection: false,
      drop_invalid_header_fields: true,
    });
    expect(only(shop(PRODUCTION), "aws_lb")).toMatchObject({ enable_deletion_protection: true });
  });

  it("can be an existing one, by its ARN: Terraform reads the rest", () => {
    const loadBalancerArn =
      "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/front/50dc6c495c0c";
    const platform = shop(DEV, { listener: existingLoadBalancer({ loadBalancerArn, port: 8443 }) });
    const { aws_lb, aws_lb_listener } = synthesize(platform).data as Record<string, Record<string, object>>;
    expect(Object.values(aws_lb ?? {})).toEqual([{ arn: loadBalancerArn }]);
    expect(Object.values(aws_lb_listener ?? {})).toEqual([
      { load_balancer_arn: expect.stringMatching(/^\$\{data\.aws_lb\..*\.arn\}$/), port: 8443 },
    ]);
    expect(only(platform, "aws_ssm_parameter").insecure_value).toMatchObject({
      loadBalancer: {
        listenerArn: expect.stringMatching(/^\$\{.*data\.aws_lb_listener\.\w+\.arn.*\}$/),
        scheme: expect.stringMatching(/lower\(data\.aws_lb_listener\..*\.protocol\)/),
        securityGroupId: expect.stringMatching(/element\(tolist\(data\.aws_lb\..*\.security_groups\), 0\)/),
      },
    });
  });

  it("refuses the ARN of another resource, and an invalid port", () => {
    const loadBalancerArn =
      "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/front/50dc6c495c0c";
    expect(refusals(() => shop(DEV, { listener: existingLoadBalancer({ loadBalancerArn, port: 0 }) }))).toEqual([
      "LOAD_BALANCER_ARN loadBalancerArn",
      "LOAD_BALANCER_PORT port",
    ]);
  });

  it("refuses an empty certificate", () => {
    expect(refusals(() => shop(DEV, { listener: https({ certificateArn: "" }) }))).toEqual([
      "LISTENER_CERTIFICATE listener.certificateArn",
    ]);
  });
});
