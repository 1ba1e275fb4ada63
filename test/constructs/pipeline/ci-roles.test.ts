import { App } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  CiRoles,
  type CiRolesProps,
  DeliveryStack,
  type Environment,
  type GitHubActionsOptions,
  gitHubActions,
  ImageRepository,
  Platform,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { only, refusals, resources, warnings } from "../../support/synth";

const account = "123456789012";
const staging: Environment = { name: "staging", region: "eu-central-1", account, profile: "dev", state: "s3" };
const production: Environment = { ...staging, name: "production", profile: "production" };
const repository = { owner: "acme", name: "orders", numbers: { owner: 123456, repository: 456789 } };

type Props = Partial<Omit<CiRolesProps, "trust"> & GitHubActionsOptions>;

function roles({ environments = [staging, production], ...trust }: Props = {}) {
  const app = new App();
  const stack = new DeliveryStack(app, "orders", { region: "eu-central-1", account, state: "s3" });
  const made = new CiRoles(stack, "GitHub", {
    trust: gitHubActions({ repository, ...trust }),
    images: new ImageRepository(stack, "Images"),
    environments,
  });
  for (const environment of [staging, production]) new Platform(app, "shop", { environment });
  return { stack, made };
}

interface Trust {
  readonly Statement: readonly {
    readonly Action: string;
    readonly Principal: { readonly Federated: string };
    readonly Condition: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  }[];
}

/** Trust policy of each role, by its name. */
function subjects(props: Props = {}) {
  return Object.fromEntries(
    Object.values(resources(roles(props).stack, "aws_iam_role")).map(({ name, assume_role_policy: trust }) => [
      String(name).replace("orders-delivery-gh-", ""),
      (trust as Trust).Statement[0]?.Condition.StringEquals?.["token.actions.githubusercontent.com:sub"],
    ]),
  );
}

describe("CiRoles", () => {
  it("trusts exactly the subject that GitHub sends for this repository, with its ids", () => {
    const subject = "repo:acme@123456/orders@456789";
    expect(subjects()).toEqual({
      image: ["ref:refs/heads/main", "environment:staging", "environment:production"].map((of) => `${subject}:${of}`),
      "staging-plan": [`${subject}:ref:refs/heads/main`, `${subject}:pull_request`, `${subject}:environment:staging`],
      "staging-apply": [`${subject}:environment:staging`],
      "staging-release": [`${subject}:environment:staging`],
      "production-plan": [
        `${subject}:ref:refs/heads/main`,
        `${subject}:pull_request`,
        `${subject}:environment:production`,
      ],
      "production-apply": [`${subject}:environment:production`],
      "production-release": [`${subject}:environment:production`],
    });
  });

  it("requires the audience, and uses no patterns", () => {
    for (const { assume_role_policy: trust } of Object.values(resources(roles().stack, "aws_iam_role"))) {
      const { Statement: statements } = trust as Trust;
      expect(statements).toHaveLength(1);
      expect(statements[0]).toMatchObject({ Action: "sts:AssumeRoleWithWebIdentity" });
      expect(Object.keys(statements[0]?.Condition ?? {})).toEqual(["StringEquals"]);
      expect(statements[0]?.Condition.StringEquals?.["token.actions.githubusercontent.com:aud"]).toEqual([
        "sts.amazonaws.com",
      ]);
      expect(JSON.stringify(trust)).not.toContain("*");
    }
  });

  it("trusts older repositories by name, with a warning", () => {
    const old = { repository: { owner: "acme", name: "orders" }, branch: "trunk" };
    expect(subjects(old).image).toEqual(
      ["ref:refs/heads/trunk", "environment:staging", "environment:production"].map((of) => `repo:acme/orders:${of}`),
    );
    expect(warnings(roles(old).made)).toEqual([expect.stringMatching(/July 15, 2026.*\[CI_REPOSITORY_NUMBERS\]/s)]);
    expect(warnings(roles().made)).toEqual([]);
  });

  it("creates the account's identity provider, or uses the existing one", () => {
    expect(only(roles().stack, "aws_iam_openid_connect_provider")).toMatchObject({
      url: "https://token.actions.githubusercontent.com",
      client_id_list: ["sts.amazonaws.com"],
    });
    const { stack } = roles({ provider: "existing" });
    expect(resources(stack, "aws_iam_openid_connect_provider")).toEqual({});
    const { data } = synthesize(stack) as { data: Record<string, object> };
    expect(Object.keys(data)).toContain("aws_iam_openid_connect_provider");
  });

  it("has no role that can both plan and apply", () => {
    const { stack } = roles();
    const attachments = Object.values(resources(stack, "aws_iam_role_policy_attachment"));
    const policiesOf = (role: string) =>
      attachments.filter((each) => String(each.role).includes(role)).map((each) => String(each.policy_arn));
    expect(policiesOf("StagingPlan").length).toBeGreaterThan(0);
    expect(policiesOf("StagingPlan").filter((arn) => arn.includes("Write"))).toEqual([]);
    expect(policiesOf("StagingApply").filter((arn) => arn.includes("Write")).length).toBeGreaterThan(0);
    expect(policiesOf("StagingRelease")).toEqual([]);
    expect(policiesOf("StagingApply").filter((arn) => arn.includes("Production"))).toEqual([]);
  });

  it.each<[string, Props]>([
    ["GITHUB_REPOSITORY trust.repository", { repository: { ...repository, owner: "*" } }],
    ["GITHUB_REPOSITORY trust.repository", { repository: { ...repository, name: "*" } }],
    ["GITHUB_REPOSITORY trust.repository", { repository: { ...repository, name: "orders:*" } }],
    ["GITHUB_REPOSITORY trust.repository", { repository: { ...repository, name: "ord?rs" } }],
    ["GITHUB_REPOSITORY trust.repository", { repository: { ...repository, name: ".." } }],
    ["GITHUB_REPOSITORY trust.repository", { repository: { ...repository, owner: "acme/orders" } }],
    ["GITHUB_REPOSITORY trust.repository", { repository: { ...repository, name: '${file("/etc/passwd")}' } }],
    [
      "GITHUB_REPOSITORY trust.repository.numbers",
      { repository: { ...repository, numbers: { owner: 0, repository: 1 } } },
    ],
    ["GITHUB_BRANCH trust.branch", { branch: "release/*" }],
    ["GITHUB_BRANCH trust.branch", { branch: "" }],
    ["GITHUB_PROVIDER trust.provider", { provider: "other" as "made" }],
    ["CI_ENVIRONMENTS environments", { environments: [] }],
    ["CI_ENVIRONMENTS environments", { environments: [staging, staging] }],
    ["CI_STATE environments[0].state", { environments: [{ ...staging, state: "local" }] }],
    ["CI_ACCOUNT environments[0].account", { environments: [{ ...staging, account: "210987654321" }] }],
  ])("refuses %s (%#)", (refusal, props) => {
    expect(refusals(() => roles(props))).toContain(refusal);
  });

  it("refuses an environment without stacks at synth", () => {
    const stack = new DeliveryStack(new App(), "orders", { region: "eu-central-1", account, state: "s3" });
    const images = new ImageRepository(stack, "Images");
    new CiRoles(stack, "GitHub", { trust: gitHubActions({ repository }), images, environments: [staging] });
    expect(() => synthesize(stack)).toThrow(/PIPELINE_NO_STACKS/);
  });
});
