import type { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { App } from "cdktf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AwsStack, Duration, type Environment, InvalidPropsError, LIFETIMES } from "../../../constructs";
import { Problems } from "../../../constructs/core/errors";
import { policyDocument, Role } from "../../../constructs/core/iam";
import { kebab, NAME_LIMITS, type NameKind, physicalName } from "../../../constructs/core/names";
import { providerLineOf } from "../../../constructs/core/provider-line";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, PRODUCTION, refusals, resources } from "../../support/synth";

describe("names", () => {
  const kinds = Object.keys(NAME_LIMITS) as NameKind[];

  it("fit their limit, and stay distinct", () => {
    const part = fc.stringMatching(/^[a-z][a-z0-9]{0,400}$/);
    fc.assert(
      fc.property(fc.constantFrom(...kinds), part, part, (kind, a, b) => {
        const names = [physicalName(kind, "shop", a), physicalName(kind, "shop", b)];
        return names.every((name) => name.length <= NAME_LIMITS[kind]) && (a === b) === (names[0] === names[1]);
      }),
    );
    expect(physicalName("role", "shop", "dev", "orders-task")).toBe("shop-dev-orders-task");
  });

  it("are derived from the words of ids", () => {
    expect(["Orders", "OrderLines", "orderLines", "HTTPGateway", "a_b"].map(kebab)).toEqual([
      "orders",
      "order-lines",
      "order-lines",
      "http-gateway",
      "a-b",
    ]);
  });
});

describe("Duration", () => {
  it("converts and prints in the largest whole unit", () => {
    expect(Duration.minutes(1.5).toSeconds()).toBe(90);
    expect([Duration.seconds(90), Duration.hours(48), Duration.millis(5), Duration.minutes(2)].map(String)).toEqual([
      "90 s",
      "2 d",
      "5 ms",
      "2 min",
    ]);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])("refuses %d", (amount) => {
    expect(() => Duration.seconds(amount)).toThrow(/Duration.seconds\(.*\): use a finite number >= 0/);
  });
});

describe("errors", () => {
  it("name construct, prop, value, limit and remedy, all problems at once", () => {
    const stack = new AwsStack(new App(), "shop", { environment: DEV, lifetime: "platform" });
    const problems = new Problems(stack);
    problems.add({
      code: "A_CODE",
      prop: "scaling.min",
      problem: "must be <= scaling.max (4), got 9",
      remedy: "Raise max or lower min.",
    });
    problems.add({ code: "OTHER", prop: "x", problem: "is wrong", remedy: "Mend it." });
    expect(() => problems.throwIfAny()).toThrow(
      new InvalidPropsError("shop-dev-platform", [
        {
          code: "A_CODE",
          prop: "scaling.min",
          problem: "must be <= scaling.max (4), got 9",
          remedy: "Raise max or lower min.",
        },
        { code: "OTHER", prop: "x", problem: "is wrong", remedy: "Mend it." },
      ]),
    );
    expect(refusals(() => problems.throwIfAny())).toEqual(["A_CODE scaling.min", "OTHER x"]);
  });
});

describe("AwsStack", () => {
  const stack = (environment: Environment = DEV, name = "shop") =>
    new AwsStack(new App(), name, { environment, lifetime: "service" });

  it("is named after its purpose, the environment and the lifetime", () => {
    const ids = LIFETIMES.map((lifetime) => new AwsStack(new App(), "shop", { environment: DEV, lifetime }).node.id);
    expect(ids).toEqual(["shop-dev-platform", "shop-dev-data", "shop-dev-service", "shop-delivery"]);
  });

  it("tags everything and uses only the environment's account", () => {
    const { provider } = synthesize(
      new AwsStack(new App(), "shop", {
        environment: { ...PRODUCTION, account: "123456789012" },
        lifetime: "service",
        tags: { Team: "checkout", ManagedBy: "us" },
      }),
    );
    expect(provider).toEqual({
      aws: [
        {
          allowed_account_ids: ["123456789012"],
          default_tags: [{ tags: { Environment: "production", ManagedBy: "us", Service: "shop", Team: "checkout" } }],
          region: "eu-central-1",
        },
      ],
    });
  });

  it("detects the version of the installed provider", () => {
    expect(stack().providerLine).toBe(5);
  });

  it("refuses bindings of a provider that it does not know", () => {
    const provider = stack().node.findChild("Aws") as AwsProvider;
    Object.assign(provider, { terraformGeneratorMetadata: { providerName: "aws", providerVersion: "7.1.0" } });
    expect(refusals(() => providerLineOf(provider))).toEqual(["PROVIDER_LINE provider"]);
  });

  it.each([
    ["a name with an upper-case letter", () => stack({ ...DEV, name: "Dev" }), ["ENVIRONMENT_NAME environment.name"]],
    ["the name of delivery", () => stack({ ...DEV, name: "delivery" }), ["ENVIRONMENT_NAME environment.name"]],
    ["a name of its roles", () => stack({ ...DEV, name: "delivery-qa" }), ["ENVIRONMENT_NAME environment.name"]],
    ["no region", () => stack({ ...DEV, region: "frankfurt" }), ["ENVIRONMENT_REGION environment.region"]],
    ["an account as a short text", () => stack({ ...DEV, account: "1" }), ["ENVIRONMENT_ACCOUNT environment.account"]],
    [
      "an unknown profile",
      () => stack({ ...DEV, profile: "big" as never }),
      ["ENVIRONMENT_PROFILE environment.profile"],
    ],
    ["a stack's name with a slash", () => stack(DEV, "a/b"), ["STACK_NAME name"]],
  ])("refuses %s", (_, act, expected) => {
    expect(refusals(act)).toEqual(expected);
  });
});

describe("policies and roles", () => {
  it("have the same text for any order of statements", () => {
    const a = { actions: ["s3:PutObject", "s3:GetObject", "s3:GetObject"], resources: ["arn:b", "arn:a"] };
    const b = { actions: ["sqs:SendMessage"], resources: ["arn:q"] };
    expect(policyDocument([a, b])).toBe(policyDocument([b, a, a]));
    expect(JSON.parse(policyDocument([a])).Statement).toEqual([
      { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: ["arn:a", "arn:b"] },
    ]);
  });

  it("have one statement for equal actions and conditions", () => {
    const read = (resource: string, conditions?: Record<string, Record<string, string>>) => ({
      actions: ["s3:GetObject"],
      resources: [resource],
      ...(conditions === undefined ? {} : { conditions }),
    });
    const tls = { Bool: { "aws:SecureTransport": "true" } };
    expect(JSON.parse(policyDocument([read("arn:b"), read("arn:c", tls), read("arn:a"), read("arn:d", tls)]))).toEqual({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:a", "arn:b"] },
        { Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:c", "arn:d"], Condition: tls },
      ],
    });
  });

  it("trust the service in this account only, and have no policy until something is granted", () => {
    const stack = new AwsStack(new App(), "shop", { environment: DEV, lifetime: "service" });
    const role = new Role(stack, "Role", { name: "shop-dev-task", service: "ecs-tasks.amazonaws.com" });
    expect(only(stack, "aws_iam_role").assume_role_policy).toMatchObject({
      Statement: [
        {
          Principal: { Service: "ecs-tasks.amazonaws.com" },
          Condition: { StringEquals: { "aws:SourceAccount": "${data.aws_caller_identity.Account.account_id}" } },
        },
      ],
    });
    expect(resources(stack, "aws_iam_role_policy")).toEqual({});
    role.grant({ actions: ["sqs:SendMessage"], resources: ["arn:q"] });
    role.grant({ actions: ["s3:GetObject"], resources: ["arn:o"] });
    expect(only(stack, "aws_iam_role_policy").policy).toMatchObject({
      Statement: [{ Action: ["s3:GetObject"] }, { Action: ["sqs:SendMessage"] }],
    });
  });
});
