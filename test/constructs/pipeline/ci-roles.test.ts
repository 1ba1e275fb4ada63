import { App } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  CiRoles,
  type CiRolesProps,
  type CiTrust,
  DeliveryStack,
  type Environment,
  type GitHubActionsOptions,
  gitHubActions,
  gitLabCi,
  ImageRepository,
  iamPrincipal,
  Platform,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { only, refusals, resources, warnings } from "../../support/synth";
import { account, production, staging, statementsOf } from "./support/orders";

const repository = { owner: "acme", name: "orders", numbers: { owner: 123456, repository: 456789 } };

type Props = Partial<Omit<CiRolesProps, "trust"> & GitHubActionsOptions>;

const roles = ({ environments, ...trust }: Props = {}) =>
  rolesOf(gitHubActions({ repository, ...trust }), environments);

function rolesOf(trust: CiTrust, environments: readonly Environment[] = [staging, production]) {
  const app = new App();
  const stack = new DeliveryStack(app, "orders", { region: "eu-central-1", account, state: "s3" });
  const made = new CiRoles(stack, "Roles", {
    trust,
    images: new ImageRepository(stack, "Images"),
    environments,
  });
  for (const environment of [staging, production]) new Platform(app, "shop", { environment });
  return { stack, made };
}

interface Trust {
  readonly Statement: readonly {
    readonly Action: string;
    readonly Principal: Readonly<Record<string, string>>;
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  }[];
}

const GITHUB = "token.actions.githubusercontent.com";

/** Trust policy of each role, by its name. */
const trusts = (stack: DeliveryStack) =>
  Object.values(resources(stack, "aws_iam_role")).map(
    ({ name, assume_role_policy: trust }) =>
      [String(name).replace(/^orders-delivery-/, ""), (trust as Trust).Statement] as const,
  );

/** Subjects that each role trusts, and the ref that each of them must have. */
function subjects(props: Props = {}) {
  return Object.fromEntries(
    trusts(roles(props).stack).map(([name, statements]) => [
      name.replace("gh-", ""),
      statements.flatMap(({ Condition }) => {
        const claims = Condition?.StringEquals ?? {};
        return (claims[`${GITHUB}:sub`] ?? []).map((subject) =>
          [subject, ...(claims[`${GITHUB}:ref`] ?? [])].join(" "),
        );
      }),
    ]),
  );
}

describe("CiRoles", () => {
  it("trusts exactly the subjects that GitHub sends for the branch of this repository, with its ids", () => {
    const subject = (of: string) => `repo:acme@123456/orders@456789:${of} refs/heads/main`;
    const branch = subject("ref:refs/heads/main");
    const environment = (name: string) => subject(`environment:${name}`);
    expect(subjects()).toEqual({
      image: [branch],
      "staging-plan": [branch, environment("staging")],
      "staging-apply": [environment("staging")],
      "staging-release": [environment("staging")],
      "production-plan": [branch, environment("production")],
      "production-apply": [environment("production")],
      "production-release": [environment("production")],
    });
  });

  it("trusts pull requests only where asked, for plans, and never in production", () => {
    const trusting = Object.entries(subjects({ pullRequests: true })).flatMap(([role, found]) =>
      found.filter((subject) => subject.includes("pull_request")).map((subject) => [role, subject]),
    );
    expect(trusting).toEqual([["staging-plan", "repo:acme@123456/orders@456789:pull_request"]]);
  });

  it("trusts exactly the subject that GitLab sends for the branch of a project", () => {
    const { stack } = rolesOf(gitLabCi({ project: "acme/shop/orders", host: "gitlab.example.com", branch: "trunk" }));
    const names = trusts(stack).map(([name]) => name);
    expect(names).toEqual(expect.arrayContaining(["gl-image", "gl-staging-plan", "gl-production-release"]));
    for (const [, statements] of trusts(stack)) {
      expect(statements).toEqual([
        expect.objectContaining({
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: {
            StringEquals: {
              "gitlab.example.com:aud": ["sts.amazonaws.com"],
              "gitlab.example.com:sub": ["project_path:acme/shop/orders:ref_type:branch:ref:trunk"],
            },
          },
        }),
      ]);
    }
    expect(only(stack, "aws_iam_openid_connect_provider")).toMatchObject({ url: "https://gitlab.example.com" });
  });

  it("trusts the role of build agents, without an identity provider", () => {
    const arn = `arn:aws:iam::${account}:role/build-agents`;
    const { stack } = rolesOf(iamPrincipal({ arn }));
    expect(trusts(stack).map(([name]) => name)).toContain("ci-production-apply");
    for (const [, statements] of trusts(stack)) {
      expect(statements).toEqual([{ Effect: "Allow", Principal: { AWS: arn }, Action: "sts:AssumeRole" }]);
    }
    expect(resources(stack, "aws_iam_openid_connect_provider")).toEqual({});
  });

  it("lets the plan role store plans once, and the apply role read and delete them", () => {
    const { stack } = roles();
    const plans = (role: string) =>
      statementsOf(stack, `orders-delivery-gh-${role}`).filter(({ Resource }) => String(Resource).includes("/plans/"));
    const partition = `\${data.aws_partition.Partition.partition}`;
    const Resource = [`arn:${partition}:s3:::antifragile-state-${account}-eu-central-1/shop-staging-platform/plans/*`];
    const once = { Null: { "s3:if-none-match": "false" } };
    expect(plans("staging-plan")).toEqual([{ Effect: "Allow", Action: ["s3:PutObject"], Resource, Condition: once }]);
    expect(plans("staging-apply")).toEqual([
      { Effect: "Allow", Action: ["s3:DeleteObject", "s3:GetObject"], Resource },
    ]);
    expect(plans("staging-release")).toEqual([]);
  });

  it("warns of roles without a permissions boundary", () => {
    const open = [staging, production].map((environment) => ({ ...environment, guardrails: undefined }));
    expect(warnings(roles({ environments: open }).made)).toEqual(
      ["staging", "production"].map((name) =>
        expect.stringMatching(new RegExp(`environments\\.${name}.*\\[PIPELINE_NO_BOUNDARY\\]`, "s")),
      ),
    );
  });

  it("requires the audience, and uses no patterns", () => {
    for (const { assume_role_policy: trust } of Object.values(resources(roles().stack, "aws_iam_role"))) {
      const { Statement: statements } = trust as Trust;
      expect(statements).toHaveLength(1);
      expect(statements[0]).toMatchObject({ Action: "sts:AssumeRoleWithWebIdentity" });
      expect(Object.keys(statements[0]?.Condition ?? {})).toEqual(["StringEquals"]);
      expect(statements[0]?.Condition?.StringEquals?.["token.actions.githubusercontent.com:aud"]).toEqual([
        "sts.amazonaws.com",
      ]);
      expect(JSON.stringify(trust)).not.toContain("*");
    }
  });

  it("trusts older repositories by name, with a warning", () => {
    const old = { repository: { owner: "acme", name: "orders" }, branch: "trunk" };
    expect(subjects(old).image).toEqual(["repo:acme/orders:ref:refs/heads/trunk refs/heads/trunk"]);
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
    ["CI_ACCOUNT environments[0].imageAccount", { environments: [{ ...staging, account: "210987654321" }] }],
  ])("refuses %s (%#)", (refusal, props) => {
    expect(refusals(() => roles(props))).toContain(refusal);
  });

  it.each<[string, () => CiTrust]>([
    ["GITLAB_PROJECT trust.project", () => gitLabCi({ project: "orders" })],
    ["GITLAB_PROJECT trust.project", () => gitLabCi({ project: "acme/*" })],
    ["GITLAB_PROJECT trust.project", () => gitLabCi({ project: "acme/orders:ref_type:tag" })],
    ["GITLAB_HOST trust.host", () => gitLabCi({ project: "acme/orders", host: "https://gitlab.com" })],
    ["GITLAB_BRANCH trust.branch", () => gitLabCi({ project: "acme/orders", branch: "*" })],
    ["GITLAB_PROVIDER trust.provider", () => gitLabCi({ project: "acme/orders", provider: "other" as "made" })],
    ["CI_PRINCIPAL trust.arn", () => iamPrincipal({ arn: "*" })],
    ["CI_PRINCIPAL trust.arn", () => iamPrincipal({ arn: "arn:aws:iam::123456789012:root" })],
    ["CI_PRINCIPAL trust.arn", () => iamPrincipal({ arn: "arn:aws:iam::123456789012:role/*" })],
  ])("refuses %s (%#)", (refusal, trust) => {
    expect(refusals(() => rolesOf(trust()))).toContain(refusal);
  });

  it("refuses an environment without stacks at synth", () => {
    const stack = new DeliveryStack(new App(), "orders", { region: "eu-central-1", account, state: "s3" });
    const images = new ImageRepository(stack, "Images");
    new CiRoles(stack, "GitHub", { trust: gitHubActions({ repository }), images, environments: [staging] });
    expect(() => synthesize(stack)).toThrow(/PIPELINE_NO_STACKS/);
  });
});
