import type { IConstruct } from "constructs";
import { checkArguments } from "../core/check-types";
import { type Problems, warn } from "../core/errors";
import type { Federated, IamPrincipal } from "../core/iam";

/** Audience of the tokens of all CI systems. */
const AUDIENCE = "sts.amazonaws.com";

export const OIDC_PROVIDERS = ["made", "existing"] as const;
/** OIDC identity provider of the CI system: created here, or already in the account. An account can have only one. */
export type OidcProvider = (typeof OIDC_PROVIDERS)[number];

/** A GitHub repository, as it appears in the claims of tokens. */
export interface GitHubRepository {
  /** User or organization: `acme`. */
  readonly owner: string;
  /** `orders`. */
  readonly name: string;
  /**
   * Numeric ids of owner and repository at GitHub: `gh api repos/acme/orders --jq '.owner.id, .id'`. Tokens of repositories created,
   * renamed or transferred since July 15, 2026 contain both ids, so that taking over a name does not take over its roles.
   *
   * @default - none: an older repository that was never renamed
   * @see https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
   */
  readonly numbers?: { readonly owner: number | string; readonly repository: number | string };
}

export interface GitHubActionsOptions {
  /** Repository whose workflows deploy. */
  readonly repository: GitHubRepository;
  /**
   * Branch whose workflows may assume the roles. A workflow of another branch may not, whatever environment its jobs name.
   *
   * @default "main"
   */
  readonly branch?: string;
  /**
   * Lets workflows of pull requests from the same repository create plans, except of production. They read the state of the environment,
   * in which some secrets are stored in plain text, and lock it.
   *
   * @default false
   */
  readonly pullRequests?: boolean;
  /**
   * OIDC identity provider of GitHub: created here, or already in the account.
   *
   * @default "made"
   */
  readonly provider?: OidcProvider;
}

export interface GitLabCiOptions {
  /** Path of the project whose pipelines deploy, with its groups: `acme/orders`. */
  readonly project: string;
  /**
   * Host of GitLab. AWS reads its keys from there, so it must be reachable from the internet.
   *
   * @default "gitlab.com"
   */
  readonly host?: string;
  /**
   * Branch whose pipelines may assume the roles. Protect it: who may push to it may deploy.
   *
   * @default "main"
   */
  readonly branch?: string;
  /**
   * OIDC identity provider of GitLab: created here, or already in the account.
   *
   * @default "made"
   */
  readonly provider?: OidcProvider;
}

export interface IamPrincipalOptions {
  /** ARN of an IAM role, such as the instance role of build agents, or of a user. */
  readonly arn: string;
}

/** Jobs of a CI system that may assume the roles of {@link CiRoles}: see {@link gitHubActions}, {@link gitLabCi} and {@link iamPrincipal}. */
export type CiTrust =
  | (GitHubActionsOptions & { readonly kind: "github-actions" })
  | (GitLabCiOptions & { readonly kind: "gitlab-ci" })
  | (IamPrincipalOptions & { readonly kind: "iam-principal" });

/**
 * Trusts the workflows of one branch of a GitHub repository, by OpenID Connect and without access keys.
 *
 * @see https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
 */
export function gitHubActions(options: GitHubActionsOptions): CiTrust {
  checkArguments("gitHubActions", { options });
  return { kind: "github-actions", ...options };
}

/**
 * Trusts the pipelines of one branch of a GitLab project, by OpenID Connect and without access keys. The token does not name the
 * environment of a job, so each job of the branch may assume each role: approvals are enforced by GitLab, not by AWS.
 *
 * @see https://docs.gitlab.com/ci/cloud_services/aws/
 */
export function gitLabCi(options: GitLabCiOptions): CiTrust {
  checkArguments("gitLabCi", { options });
  return { kind: "gitlab-ci", ...options };
}

/**
 * Trusts an IAM role or user: the instance role of the agents of Jenkins or TeamCity, which needs no access keys; or, for a CI system
 * that offers no more, a user with access keys and no other permissions. Each of its jobs may assume each role.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */
export function iamPrincipal(options: IamPrincipalOptions): CiTrust {
  checkArguments("iamPrincipal", { options });
  return { kind: "iam-principal", ...options };
}

/** OIDC identity provider that the roles need. */
export interface NeededProvider {
  readonly issuer: string;
  readonly audience: string;
  readonly provider: OidcProvider;
}

type Principals = readonly (Federated | IamPrincipal)[];

/** Principals that may assume each kind of role. */
export interface ResolvedTrust {
  /** Part of the roles' names. */
  readonly prefix: string;
  readonly image: Principals;
  /** Jobs that plan an environment. An approval follows, so they need none. */
  readonly plan: (environment: string, production: boolean) => Principals;
  /** Jobs that apply and release, which start once the protection rules of the environment allow it. */
  readonly deploy: (environment: string) => Principals;
}

/**
 * Resolves a trust that has passed {@link checkTrust}.
 *
 * @param providerArn returns the ARN of the identity provider; not called without one
 */
export function resolveTrust(trust: CiTrust, providerArn: (needed: NeededProvider) => string): ResolvedTrust {
  if (trust.kind === "iam-principal") {
    const all = [{ principalArn: trust.arn }];
    return { prefix: "ci", image: all, plan: () => all, deploy: () => all };
  }
  const { branch = "main", provider = "made" } = trust;
  const federated = (issuer: string) => {
    const arn = providerArn({ issuer, audience: AUDIENCE, provider });
    return (subjects: readonly string[], others: Readonly<Record<string, string>> = {}): Federated => ({
      providerArn: arn,
      claims: Object.fromEntries([
        [`${issuer}:aud`, [AUDIENCE]],
        [`${issuer}:sub`, subjects],
        ...Object.entries(others).map(([claim, value]) => [`${issuer}:${claim}`, [value]]),
      ]),
    });
  };
  if (trust.kind === "gitlab-ci") {
    const { host = "gitlab.com", project } = trust;
    const all = [federated(host)([`project_path:${project}:ref_type:branch:ref:${branch}`])];
    return { prefix: "gl", image: all, plan: () => all, deploy: () => all };
  }
  const { owner, name, numbers } = trust.repository;
  const repository =
    numbers === undefined ? `repo:${owner}/${name}` : `repo:${owner}@${numbers.owner}/${name}@${numbers.repository}`;
  const token = federated("token.actions.githubusercontent.com");
  const ref = `refs/heads/${branch}`;
  const jobs = `${repository}:ref:${ref}`;
  const jobsOf = (environment: string) => `${repository}:environment:${environment}`;
  // The subject of a job in an environment does not contain the branch: it has a claim of its own.
  return {
    prefix: "gh",
    image: [token([jobs], { ref })],
    plan: (environment, production) => [
      token([jobs, jobsOf(environment)], { ref }),
      // A plan role reads the state, in which some secrets are stored in plain text.
      ...(trust.pullRequests === true && !production ? [token([`${repository}:pull_request`])] : []),
    ],
    deploy: (environment) => [token([jobsOf(environment)], { ref })],
  };
}

/** Warns of a repository that tokens identify by its name alone. */
export function warnOfTrust(scope: IConstruct, trust: CiTrust): void {
  if (trust.kind !== "github-actions" || trust.repository.numbers !== undefined) return;
  warn(scope, {
    code: "CI_REPOSITORY_NUMBERS",
    prop: "trust.repository.numbers",
    problem:
      "is not set: none of these roles trusts a repository created or renamed since July 15, 2026, and all of them trust a new owner of the name of an older one",
    remedy: "Set the numbers of owner and repository.",
  });
}

/** @throws InvalidPropsError GITHUB_REPOSITORY, GITHUB_BRANCH, GITHUB_PROVIDER, GITLAB_PROJECT, GITLAB_HOST, GITLAB_BRANCH, GITLAB_PROVIDER, CI_PRINCIPAL */
export function checkTrust(problems: Problems, trust: CiTrust): void {
  if (trust.kind === "iam-principal") {
    problems.check(/^arn:aws[\w-]*:iam::\d{12}:(role|user)\/[\w+=,.@/-]{1,512}$/.test(trust.arn), {
      code: "CI_PRINCIPAL",
      prop: "trust.arn",
      problem: `${JSON.stringify(trust.arn)} is not the ARN of an IAM role or user`,
      remedy: "Use the ARN of one role or user, such as arn:aws:iam::123456789012:role/build-agents.",
    });
    return;
  }
  const codes = trust.kind === "gitlab-ci" ? "GITLAB" : "GITHUB";
  if (trust.kind === "gitlab-ci") checkProject(problems, trust);
  else checkRepository(problems, trust.repository);
  const branch = trust.branch ?? "main";
  problems.check(/^(?!-)[\w./-]{1,255}$/.test(branch) && !branch.includes(".."), {
    code: `${codes}_BRANCH`,
    prop: "trust.branch",
    problem: `${JSON.stringify(branch)} is not a valid branch name`,
    remedy: "Use the name of one branch, without wildcards.",
  });
  problems.checkOneOf(trust.provider ?? "made", OIDC_PROVIDERS, { code: `${codes}_PROVIDER`, prop: "trust.provider" });
}

function checkRepository(problems: Problems, { owner, name, numbers }: GitHubRepository): void {
  problems.check(
    /^[a-zA-Z0-9](?:-?[a-zA-Z0-9_])*$/.test(owner) && owner.length <= 100 && /^(?!\.+$)[\w.-]{1,100}$/.test(name),
    {
      code: "GITHUB_REPOSITORY",
      prop: "trust.repository",
      problem: `${JSON.stringify(`${owner}/${name}`)} is not a valid GitHub repository`,
      remedy: "Use the names of the owner and the repository, without wildcards, which would trust other repositories.",
    },
  );
  problems.check(
    numbers === undefined || [numbers.owner, numbers.repository].every((each) => /^[1-9]\d{0,15}$/.test(String(each))),
    {
      code: "GITHUB_REPOSITORY",
      prop: "trust.repository.numbers",
      problem: `${JSON.stringify(numbers)} are not valid GitHub ids`,
      remedy: `Look up both ids: gh api repos/${owner}/${name} --jq '.owner.id, .id'`,
    },
  );
}

function checkProject(problems: Problems, { project, host = "gitlab.com" }: GitLabCiOptions): void {
  problems.check(/^[a-zA-Z0-9_][\w.-]*(\/[a-zA-Z0-9_][\w.-]*){1,20}$/.test(project), {
    code: "GITLAB_PROJECT",
    prop: "trust.project",
    problem: `${JSON.stringify(project)} is not the path of a GitLab project`,
    remedy: "Use the path with all groups, acme/orders, without wildcards, which would trust other projects.",
  });
  problems.check(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/.test(host), {
    code: "GITLAB_HOST",
    prop: "trust.host",
    problem: `${JSON.stringify(host)} is not a host name`,
    remedy: "Use the name alone, such as gitlab.example.com, without https:// and port.",
  });
}
