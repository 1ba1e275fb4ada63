import { DataAwsIamOpenidConnectProvider } from "@cdktf/provider-aws/lib/data-aws-iam-openid-connect-provider";
import { IamOpenidConnectProvider } from "@cdktf/provider-aws/lib/iam-openid-connect-provider";
import { Annotations } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import type { Environment } from "../core/environment";
import { Problems, validateAtSynth } from "../core/errors";
import { Role } from "../core/iam";
import { AwsStack } from "../core/stack";
import { checkAgainstOwnRoles, EnvironmentStacks } from "./environment-stacks";
import { allowPush } from "./image-access";
import type { IImageRepository } from "./image-repository";
import { allowRelease } from "./release-access";
import { TerraformAccess } from "./terraform-access";

/** Issuer of the tokens of GitHub Actions. */
const ISSUER = "token.actions.githubusercontent.com";
/** Audience of the tokens. */
const AUDIENCE = "sts.amazonaws.com";

export const OIDC_PROVIDERS = ["made", "existing"] as const;
/** Identity provider of GitHub: created here, or already in the account; an account can have only one. */
export type OidcProvider = (typeof OIDC_PROVIDERS)[number];

/** A repository at GitHub, as its tokens name it. */
export interface GitHubRepository {
  /** User or organization: `acme`. */
  readonly owner: string;
  /** `orders`. */
  readonly name: string;
  /**
   * Ids of owner and repository at GitHub: `gh api repos/acme/orders --jq '.owner.id, .id'`. Tokens of repositories created,
   * renamed or transferred since 15 July 2026 contain both ids, so that taking over a name does not take over its roles.
   *
   * @default - none: an older repository, which never was renamed
   * @see https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
   */
  readonly numbers?: { readonly owner: number | string; readonly repository: number | string };
}

export interface CiRolesProps {
  /** The repository whose workflows deploy. */
  readonly repository: GitHubRepository;
  /** Environments, by the same names at GitHub: protection rules there say who may deploy to which. State must be in S3. */
  readonly environments: readonly Environment[];
  /** Image repository that workflows push to and release from. */
  readonly images: IImageRepository;
  /**
   * The branch whose workflows push images, and plan besides those of pull requests.
   *
   * @default "main"
   */
  readonly branch?: string;
  /**
   * Identity provider of GitHub: created here, or already in the account.
   *
   * @default "made"
   */
  readonly provider?: OidcProvider;
}

/** @throws InvalidPropsError GITHUB_REPOSITORY, GITHUB_BRANCH, GITHUB_PROVIDER, GITHUB_ENVIRONMENTS, GITHUB_STATE, GITHUB_ACCOUNT */
function check(scope: IConstruct, props: CiRolesProps): void {
  const problems = new Problems(scope);
  const { owner, name, numbers } = props.repository;
  problems.check(
    /^[a-zA-Z0-9](?:-?[a-zA-Z0-9_])*$/.test(owner) && owner.length <= 100 && /^(?!\.+$)[\w.-]{1,100}$/.test(name),
    {
      code: "GITHUB_REPOSITORY",
      prop: "repository",
      problem: `${JSON.stringify(`${owner}/${name}`)} is not a valid GitHub repository`,
      remedy: "Use the owner's and the repository's name. Wildcards would let others' repositories in.",
    },
  );
  problems.check(
    numbers === undefined || [numbers.owner, numbers.repository].every((each) => /^[1-9]\d{0,15}$/.test(String(each))),
    {
      code: "GITHUB_REPOSITORY",
      prop: "repository.numbers",
      problem: `${JSON.stringify(numbers)} are no numbers of GitHub's`,
      remedy: `Ask GitHub: gh api repos/${owner}/${name} --jq '.owner.id, .id'`,
    },
  );
  const branch = props.branch ?? "main";
  problems.check(/^(?!-)[\w./-]{1,255}$/.test(branch) && !branch.includes(".."), {
    code: "GITHUB_BRANCH",
    prop: "branch",
    problem: `${JSON.stringify(branch)} is not a valid branch name`,
    remedy: "Use one branch's name; wildcards are not possible.",
  });
  const provider = props.provider ?? "made";
  problems.check(OIDC_PROVIDERS.includes(provider), {
    code: "GITHUB_PROVIDER",
    prop: "provider",
    problem: `${JSON.stringify(provider)} is not known`,
    remedy: `Use one of: ${OIDC_PROVIDERS.join(", ")}.`,
  });
  problems.check(
    props.environments.length > 0 &&
      new Set(props.environments.map((each) => each.name)).size === props.environments.length,
    {
      code: "GITHUB_ENVIRONMENTS",
      prop: "environments",
      problem: `has ${props.environments.length} environments, or one twice`,
      remedy: "Name each environment that workflows deploy to, once.",
    },
  );
  const own = AwsStack.of(scope).environment.account;
  props.environments.forEach((environment, index) => {
    problems.check((environment.state ?? "local") !== "local", {
      code: "GITHUB_STATE",
      prop: `environments[${index}].state`,
      problem: `of ${environment.name} is local: a workflow would not find it, and would make everything a second time`,
      remedy: 'Set state: "s3" in the environment; antifragile bootstrap makes the bucket.',
    });
    problems.check(environment.account === own, {
      code: "GITHUB_ACCOUNT",
      prop: `environments[${index}].account`,
      problem: `of ${environment.name} is ${environment.account ?? "not set"}, and that of the roles ${own ?? "not set"}`,
      remedy: "Roles are in the account that they deploy to: make them in a DeliveryStack of each account.",
    });
  });
  problems.throwIfAny();
}

/**
 * IAM roles for a CI system outside AWS, without a long-lived key: for each environment a role that plans,
 * one that applies and one that releases, and one that pushes images. Each trusts exactly one repository:
 *
 * | role | who may take it |
 * |---|---|
 * | `<stack>-delivery-gh-image` | workflows of the branch, and jobs of the environments at GitHub, with their protection rules |
 * | `<stack>-delivery-gh-<environment>-plan` | those of the branch, of that environment, and of pull requests of the repository itself |
 * | `<stack>-delivery-gh-<environment>-apply`, `-release` | jobs of that environment |
 *
 * Free.
 *
 * @example
 * ```ts
 * const staging: Environment = { name: "staging", region: "eu-central-1", profile: "dev", account: "123456789012", state: "s3" };
 * const delivery = new DeliveryStack(app, "orders", { region: "eu-central-1", account: "123456789012", state: "s3" });
 * new CiRoles(delivery, "GitHub", {
 *   repository: { owner: "acme", name: "orders", numbers: { owner: 123456, repository: 456789 } },
 *   images: new ImageRepository(delivery, "Images"),
 *   environments: [staging],
 * });
 * new Platform(app, "shop", { environment: staging, listener: insecureHttp() });
 * ```
 * @see https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
 */
export class CiRoles extends Construct {
  /** The role that pushes images. */
  readonly imageRoleArn: string;
  readonly #subject: string;
  readonly #providerArn: string;

  /** @throws InvalidPropsError as {@link CiRolesProps} say */
  constructor(scope: Construct, id: string, props: CiRolesProps) {
    super(scope, id);
    check(this, props);
    const stack = AwsStack.of(this);
    const { owner, name, numbers } = props.repository;
    this.#subject =
      numbers === undefined ? `repo:${owner}/${name}` : `repo:${owner}@${numbers.owner}/${name}@${numbers.repository}`;
    if (numbers === undefined) {
      Annotations.of(this).addWarning(
        `repository.numbers is not set: a repository made or renamed since 15 July 2026 is let in by none of these roles, and who takes over the name of an older one by all`,
      );
    }
    this.#providerArn = this.#provider(props.provider ?? "made");
    const branch = `ref:refs/heads/${props.branch ?? "main"}`;
    const jobsOf = (environment: Environment) => `environment:${environment.name}`;
    const image = this.#role("Image", "image", [branch, ...props.environments.map(jobsOf)]);
    allowPush(image, props.images);
    this.imageRoleArn = image.roleArn;
    for (const environment of props.environments) {
      const part = environment.name.replace(/(^|-)([a-z0-9])/g, (_, __, letter: string) => letter.toUpperCase());
      const stacks = new EnvironmentStacks(this, environment);
      validateAtSynth(this, () => checkAgainstOwnRoles(this, environment, stacks, "environments"));
      const access = new TerraformAccess(this, `${part}Access`, {
        environment,
        stacks,
        name: `${stack.stackName}-delivery-gh-${environment.name}`,
      });
      const jobs = jobsOf(environment);
      access.allowPlan(this.#role(`${part}Plan`, `${environment.name}-plan`, [branch, "pull_request", jobs]));
      access.allowApply(this.#role(`${part}Apply`, `${environment.name}-apply`, [jobs]));
      allowRelease(this.#role(`${part}Release`, `${environment.name}-release`, [jobs]), {
        stack,
        environment,
        stacks,
        repositoryArn: props.images.repositoryArn,
      });
    }
  }

  /** Its certificate is checked by AWS's own list of authorities, so that no thumbprint needs to be kept. */
  #provider(provider: OidcProvider): string {
    if (provider === "made") {
      return new IamOpenidConnectProvider(this, "Provider", {
        url: `https://${ISSUER}`,
        clientIdList: [AUDIENCE],
      }).arn;
    }
    // Asked for, so that the plan says it when there is none.
    return new DataAwsIamOpenidConnectProvider(this, "Provider", { url: `https://${ISSUER}` }).arn;
  }

  #role(id: string, name: string, contexts: readonly string[]): Role {
    return new Role(this, id, {
      name: `${AwsStack.of(this).stackName}-delivery-gh-${name}`,
      service: {
        providerArn: this.#providerArn,
        claims: {
          [`${ISSUER}:aud`]: [AUDIENCE],
          [`${ISSUER}:sub`]: contexts.map((context) => `${this.#subject}:${context}`),
        },
      },
    });
  }
}
