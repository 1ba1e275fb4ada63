import { checkArguments } from "../core/check-types";
import type { Problems } from "../core/errors";

/** Issuer of GitHub Actions tokens. */
export const ISSUER = "token.actions.githubusercontent.com";
/** Audience of the tokens. */
export const AUDIENCE = "sts.amazonaws.com";

export const OIDC_PROVIDERS = ["made", "existing"] as const;
/** OIDC identity provider of GitHub: created here, or already in the account. An account can have only one. */
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
   * Branch whose workflows may push images and, like those of pull requests, create plans.
   *
   * @default "main"
   */
  readonly branch?: string;
  /**
   * OIDC identity provider of GitHub: created here, or already in the account.
   *
   * @default "made"
   */
  readonly provider?: OidcProvider;
}

/** Jobs of a CI system that may assume the roles of {@link CiRoles}: see {@link gitHubActions}. */
export interface CiTrust extends GitHubActionsOptions {
  readonly kind: "github-actions";
}

/**
 * Trusts the workflows of one GitHub repository, by OpenID Connect and without access keys.
 *
 * @see https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
 */
export function gitHubActions(options: GitHubActionsOptions): CiTrust {
  checkArguments("gitHubActions", { options });
  return { kind: "github-actions", ...options };
}

/** @throws InvalidPropsError GITHUB_REPOSITORY, GITHUB_BRANCH, GITHUB_PROVIDER */
export function checkTrust(problems: Problems, trust: CiTrust): void {
  const { owner, name, numbers } = trust.repository;
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
  const branch = trust.branch ?? "main";
  problems.check(/^(?!-)[\w./-]{1,255}$/.test(branch) && !branch.includes(".."), {
    code: "GITHUB_BRANCH",
    prop: "trust.branch",
    problem: `${JSON.stringify(branch)} is not a valid branch name`,
    remedy: "Use the name of one branch, without wildcards.",
  });
  const provider = trust.provider ?? "made";
  problems.checkOneOf(provider, OIDC_PROVIDERS, { code: "GITHUB_PROVIDER", prop: "trust.provider" });
}
