import { App } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  AwsStack,
  CloudNativeService,
  DeliveryStack,
  type Environment,
  Ingress,
  insecureHttp,
  Platform,
} from "../../../constructs";
import { Role } from "../../../constructs/core/iam";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, refusals, resources, shop } from "../../support/synth";

describe("roles with the permissions boundary that bootstrap creates", () => {
  const account = "123456789012";
  const guarded = { ...DEV, account, guardrails: { permissionsBoundary: "bootstrap" } };

  it("are all roles of the environment", () => {
    const platform = new Platform(new App(), "shop", { environment: guarded, listener: insecureHttp() });
    const stack = platform.stack("orders");
    new CloudNativeService(stack, "Orders").add(new Ingress());
    const arn = `arn:aws:iam::${account}:policy/antifragile-dev-boundary`;
    const roles = [platform, stack].flatMap((each) => Object.values(resources(synthesize(each), "aws_iam_role")));
    expect(roles.length).toBeGreaterThan(1);
    expect(new Set(roles.map((role) => role.permissions_boundary))).toEqual(new Set([arn]));
    const china = new AwsStack(new App(), "shop", {
      environment: { ...guarded, region: "cn-north-1" },
      lifetime: "platform",
    });
    const role = new Role(china, "Role", { name: "x", service: "ecs-tasks.amazonaws.com" });
    expect(only(AwsStack.of(role), "aws_iam_role").permissions_boundary).toBe(
      `arn:aws-cn:iam::${account}:policy/antifragile-dev-boundary`,
    );
  });

  it("need an account, the tag by which the boundary recognizes resources, and a stack that is not for delivery", () => {
    expect(refusals(() => shop({ ...guarded, account: undefined }))).toEqual([
      "ENVIRONMENT_BOUNDARY environment.guardrails.permissionsBoundary",
    ]);
    expect(refusals(() => shop(guarded, { tags: { Environment: "development" } }))).toEqual([
      "TAGS_BOUNDARY tags.Environment",
    ]);
    const { guardrails, region } = guarded;
    expect(refusals(() => new DeliveryStack(new App(), "orders", { region, account, guardrails }))).toEqual([
      "STACK_BOUNDARY guardrails.permissionsBoundary",
    ]);
  });

  it("refuse a grant that the boundary would deny", () => {
    const grantTo = (environment: Environment, action: string) => {
      const platform = new Platform(new App(), "shop", { environment, listener: insecureHttp() });
      const stack = platform.stack("orders");
      const service = new CloudNativeService(stack, "Orders");
      service.grant({ actions: [action, "s3:GetObject"], resources: ["arn:aws:s3:::acme/*"] });
      return () => synthesize(stack);
    };
    expect(refusals(grantTo(guarded, "iam:CreateUser"))).toEqual(["ROLE_BEYOND_BOUNDARY actions"]);
    expect(grantTo(guarded, "bedrock:InvokeModelWithResponseStream")).not.toThrow();
    expect(grantTo(DEV, "iam:CreateUser")).not.toThrow();
  });
});
