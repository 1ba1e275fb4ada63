import { describe, expect, it } from "vitest";
import { type Environment, Platform } from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { resources, warnings } from "../../support/synth";

import { account, mayDo, orders, production, type Statement, staging, statementsOf } from "./support/orders";

describe("roles of a pipeline", () => {
  const { stack } = orders({ releases: [{ environment: staging }, { environment: production }] }, [
    staging,
    production,
  ]);
  const plan = statementsOf(stack, "orders-delivery-staging-plan");
  const apply = statementsOf(stack, "orders-delivery-staging-apply");
  const release = statementsOf(stack, "orders-delivery-staging-release");

  it("exist for each build, and trust its service in this account only", () => {
    const roles = Object.values(resources(stack, "aws_iam_role"));
    expect(new Set(roles.map(({ name }) => name)).size).toBe(roles.length);
    for (const { assume_role_policy: trust } of roles) {
      expect(trust).toMatchObject({
        Statement: [{ Condition: { StringEquals: { "aws:SourceAccount": account } } }],
      });
    }
  });

  it("allow a plan to change only the state lock and its artifacts", () => {
    const own = /^(s3:(PutObject|DeleteObject)|kms:(Encrypt|GenerateDataKey)|logs:(CreateLogStream|PutLogEvents))$/;
    const writes = plan
      .flatMap((statement) => statement.Action)
      .filter((action) => !/^[\w-]+:(Get|Describe|List|Decrypt)/.test(action) && !own.test(action));
    expect(writes).toEqual([]);
    const state = mayDo(plan, "s3:DeleteObject").flatMap((statement) => statement.Resource);
    expect(state.length).toBeGreaterThan(0);
    expect(state.filter((arn) => !arn.endsWith(".tflock"))).toEqual([]);
  });

  it("allow an apply to write only the state of this environment's stacks", () => {
    const written = mayDo(apply, "s3:PutObject")
      .flatMap((statement) => statement.Resource)
      .filter((arn) => arn.endsWith("/terraform.tfstate"));
    expect(written.map((arn) => arn.split(":::")[1])).toEqual(
      ["orders-staging-data", "orders-staging-service", "shop-staging-platform"].map(
        (id) => `antifragile-state-123456789012-eu-central-1/${id}/terraform.tfstate`,
      ),
    );
  });

  it("allow an apply to create and pass only roles with names of this environment, to services that constructs use", () => {
    for (const action of ["iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole", "iam:AttachRolePolicy"]) {
      const found = mayDo(apply, action);
      expect(found.flatMap((statement) => statement.Resource).map((arn) => arn.split("/").at(-1))).toEqual([
        "orders-staging-*",
        "shop-staging-*",
      ]);
    }
    expect(mayDo(apply, "iam:PassRole")[0]?.Condition).toMatchObject({
      StringEquals: { "iam:PassedToService": expect.arrayContaining(["ecs-tasks.amazonaws.com"]) },
    });
    expect(mayDo(apply, "iam:AttachRolePolicy")[0]?.Condition?.ArnEquals).toBeDefined();
  });

  it("allow an apply to empty buckets where deleting a bucket empties it: in production only those of accesses to logs", () => {
    const inProduction = statementsOf(stack, "orders-delivery-production-apply");
    for (const action of ["s3:DeleteObject", "s3:DeleteObjectVersion"]) {
      const buckets = (statements: readonly Statement[]) =>
        mayDo(statements, action)
          .flatMap(({ Resource }) => Resource)
          .filter((arn) => !arn.endsWith(".tflock"));
      expect(buckets(apply)).toEqual(
        ["orders-staging-*", "shop-staging-*"].map((name) =>
          expect.stringMatching(`:s3:::${name.replace("*", "\\*")}$`),
        ),
      );
      expect(buckets(inProduction).sort()).toEqual(
        ["orders-production", "shop-production"].map((name) =>
          expect.stringMatching(`:s3:::${name}-access-reads-${account}/\\*$`),
        ),
      );
    }
    expect(
      mayDo(apply, "s3:GetObject")
        .flatMap(({ Resource }) => Resource)
        .filter((arn) => arn.endsWith("-*")),
    ).toEqual([]);
  });

  it("allow an apply to create roles only with the permissions boundary; without one, synth warns", () => {
    const bounded = statementsOf(stack, "orders-delivery-production-apply");
    expect(mayDo(bounded, "iam:CreateRole")[0]?.Condition).toEqual({
      StringEquals: { "iam:PermissionsBoundary": `arn:aws:iam::${account}:policy/boundary` },
    });
    for (const environment of [staging, production]) {
      const open: Environment = { ...environment, guardrails: undefined };
      const warned = orders({ releases: [{ environment: open }] }, [open]);
      expect(warnings(warned.pipeline).join()).toContain(
        'Set guardrails: { permissionsBoundary: "bootstrap" } in the environment, and run antifragile bootstrap.  [PIPELINE_NO_BOUNDARY]',
      );
    }
    expect(warnings(orders().pipeline)).toEqual([]);
  });

  it("are refused where names of one environment begin with those of another in the same account", () => {
    const second: Environment = { ...staging, name: "staging-2" };
    const both = orders({ releases: [{ environment: staging }, { environment: second }] }, [staging, second]);
    expect(() => synthesize(both.stack)).toThrow(/begin with shop-staging-2-.*PIPELINE_NAMES_MEET/s);
    const elsewhere: Environment = { ...second, account: "210987654321" };
    const apart = orders({ releases: [{ environment: staging }] }, [staging]);
    new Platform(apart.app, "shop", { environment: elsewhere });
    expect(() => synthesize(apart.stack)).not.toThrow();
  });

  it("are limited to the environment's region for actions without resource-level permissions", () => {
    const everywhere = apply.filter(
      (statement) => statement.Resource.includes("*") && !/^(route53|chatbot):/.test(statement.Action[0] ?? ""),
    );
    expect(everywhere.length).toBeGreaterThan(10);
    for (const { Condition } of everywhere) {
      expect(Condition?.StringEquals).toMatchObject({ "aws:RequestedRegion": "eu-central-1" });
    }
  });

  it("name every action in full", () => {
    const all = [plan, apply, release].flat().flatMap((statement) => statement.Action);
    expect(all.filter((action) => action.includes("*"))).toEqual([]);
  });

  it("allow a release to update the services of this environment, tag the image, and read alarms", () => {
    expect(JSON.stringify(mayDo(release, "ecs:UpdateService"))).toContain("shop-staging/orders");
    expect(mayDo(release, "ecr:PutImage").flatMap((statement) => statement.Resource)).toHaveLength(1);
    // CloudWatch leaves composite alarms out of the answer for a narrower scope.
    expect(mayDo(release, "cloudwatch:DescribeAlarms")).toMatchObject([
      { Resource: ["*"], Condition: { StringEquals: { "aws:RequestedRegion": "eu-central-1" } } },
    ]);
    expect(mayDo(release, "iam:CreateRole")).toEqual([]);
    expect(JSON.stringify(release)).not.toContain("production");
  });

  it("fit into the limits of IAM", () => {
    const sizes = Object.values(resources(stack, "aws_iam_policy")).map(
      ({ policy }) => JSON.stringify(policy).replaceAll("${data.aws_partition.Partition.partition}", "aws").length,
    );
    expect(Math.max(...sizes)).toBeLessThanOrEqual(6144);
    const attachments = Object.values(resources(stack, "aws_iam_role_policy_attachment"));
    for (const { role } of attachments) {
      expect(attachments.filter((each) => each.role === role).length).toBeLessThanOrEqual(10);
    }
  });
});
