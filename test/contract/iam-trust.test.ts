import { expect, it } from "vitest";
import {
  App,
  CiRoles,
  type CiTrust,
  DeliveryStack,
  type Environment,
  gitHubActions,
  gitLabCi,
  ImageRepository,
  iamPrincipal,
  Platform,
} from "../../constructs";
import { describeWithIam } from "../iam/packages";
import { ACCOUNT, programOf, REGION } from "../iam/resolve";
import { trustPolicies } from "../iam/roles";
import { isAllowedByResource, trustsToken } from "../iam/simulate";

const ENVIRONMENTS: readonly Environment[] = (["staging", "production"] as const).map((name) => ({
  name,
  region: REGION,
  account: ACCOUNT,
  profile: name === "staging" ? "dev" : "production",
  state: "s3",
}));

/** Roles of a CI system, by what they do: `staging-apply`. */
function trustsOf(trust: CiTrust): Map<string, object> {
  const app = new App();
  const stack = new DeliveryStack(app, "orders", { region: REGION, account: ACCOUNT, state: "s3" });
  new CiRoles(stack, "Ci", { trust, images: new ImageRepository(stack, "Images"), environments: ENVIRONMENTS });
  for (const environment of ENVIRONMENTS) new Platform(app, "shop", { environment });
  return new Map(
    trustPolicies(programOf(stack)).map(({ name, policy }) => [name.replace(/^orders-delivery-[a-z]+-/, ""), policy]),
  );
}

/** Claims of a token, without the name of who issued it. */
type Claims = Readonly<Record<string, string>>;

const GITHUB = "token.actions.githubusercontent.com";
const AUDIENCE = { aud: "sts.amazonaws.com" };

/** Roles that a token of an issuer may assume, as IAM decides it. */
async function assumed(trusts: Map<string, object>, issuer: string, claims: Claims): Promise<string[]> {
  const found: string[] = [];
  for (const [name, policy] of trusts) if (await trustsToken(policy, issuer, claims)) found.push(name);
  return found;
}

describeWithIam("tokens of CI systems, simulated", () => {
  const repository = { owner: "acme", name: "orders", numbers: { owner: 1, repository: 2 } };
  const gitHub = trustsOf(gitHubActions({ repository }));
  const asked = trustsOf(gitHubActions({ repository, pullRequests: true }));
  const main = "refs/heads/main";
  const branch = `ref:${main}`;
  const token = (subject: string, ref = main, of = "acme@1/orders@2"): Claims => ({
    ...AUDIENCE,
    sub: `repo:${of}:${subject}`,
    ref,
  });
  const pullRequest = token("pull_request", "refs/pull/7/merge");

  it.each<[string, Claims, string[]]>([
    ["a job of the branch", token(branch), ["image", "staging-plan", "production-plan"]],
    ["a job of staging", token("environment:staging"), ["staging-plan", "staging-apply", "staging-release"]],
    [
      "a job of production",
      token("environment:production"),
      ["production-plan", "production-apply", "production-release"],
    ],
    ["a job of production on another branch", token("environment:production", "refs/heads/fix"), []],
    ["a job of an environment of a longer name", token("environment:production-2"), []],
    ["another branch", token("ref:refs/heads/fix", "refs/heads/fix"), []],
    ["a tag called like the branch", token("ref:refs/tags/main", "refs/tags/main"), []],
    ["a pull request", pullRequest, []],
    ["another repository", token(branch, main, "acme@1/mails@3"), []],
    ["a repository that took over the name", token(branch, main, "acme@1/orders@9"), []],
    ["an owner who took over the name", token(branch, main, "acme@9/orders@2"), []],
    ["a repository of the name without numbers", token(branch, main, "acme/orders"), []],
    ["a job that asked for a token for somebody else", { ...token(branch), aud: "https://github.com/acme" }, []],
  ])("of GitHub: %s assumes what it needs", async (_, claims, roles) => {
    expect(await assumed(gitHub, GITHUB, claims)).toEqual(roles);
  });

  it("of GitHub: a pull request plans where it is asked for, except for production", async () => {
    expect(await assumed(asked, GITHUB, pullRequest)).toEqual(["staging-plan"]);
    expect(await assumed(asked, GITHUB, token("pull_request", main, "mallory@7/orders@8"))).toEqual([]);
  });

  const gitLab = trustsOf(gitLabCi({ project: "acme/orders" }));
  const job = (subject: string): Claims => ({ ...AUDIENCE, sub: `project_path:${subject}` });
  it.each<[string, Claims, boolean]>([
    ["the branch", job("acme/orders:ref_type:branch:ref:main"), true],
    ["another branch", job("acme/orders:ref_type:branch:ref:fix"), false],
    ["a tag called like the branch", job("acme/orders:ref_type:tag:ref:main"), false],
    ["another project", job("acme/mails:ref_type:branch:ref:main"), false],
    ["a fork", job("mallory/orders:ref_type:branch:ref:main"), false],
  ])("of GitLab: a job of %s", async (_, claims, isTrusted) => {
    expect(await assumed(gitLab, "gitlab.com", claims)).toEqual(isTrusted ? [...gitLab.keys()] : []);
  });

  it("of no kind are needed by build agents: their role assumes each role, and no other does", async () => {
    const agents = `arn:aws:iam::${ACCOUNT}:role/agents`;
    for (const [name, policy] of trustsOf(iamPrincipal({ arn: agents }))) {
      const call = { action: "sts:AssumeRole", resource: `arn:aws:iam::${ACCOUNT}:role/${name}`, context: {} };
      const answers = [
        await isAllowedByResource(policy, agents, call),
        await isAllowedByResource(policy, `${agents}-of-others`, call),
        await isAllowedByResource(policy, agents.replace(ACCOUNT, "210987654321"), call),
      ];
      expect([name, ...answers]).toEqual([name, true, false, false]);
    }
  });
});
