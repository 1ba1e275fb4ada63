import { DataAwsIamOpenidConnectProvider } from "@cdktf/provider-aws/lib/data-aws-iam-openid-connect-provider";
import { IamOpenidConnectProvider } from "@cdktf/provider-aws/lib/iam-openid-connect-provider";
import { Construct, type IConstruct } from "constructs";
import { checkArguments } from "../core/check-types";
import type { Environment } from "../core/environment";
import { Problems, validateAtSynth, warn } from "../core/errors";
import { Role } from "../core/iam";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import { AUDIENCE, type CiTrust, checkTrust, ISSUER, type OidcProvider } from "./ci-trust";
import { checkAgainstOwnRoles, EnvironmentStacks, resolveDelivered } from "./environment-stacks";
import { allowPush } from "./image-access";
import type { IImageRepository } from "./image-repository";
import { allowRelease } from "./release-access";
import { TerraformAccess } from "./terraform-access";

/**
 * Maximum duration of a session: the time that the generated workflow gives a job. Credentials of a workflow are not renewed, and an apply
 * whose credentials expire cannot save its state.
 */
const MAX_SESSION = Duration.hours(2);

export interface CiRolesProps {
  /** CI system whose jobs assume the roles: `gitHubActions(...)`. */
  readonly trust: CiTrust;
  /**
   * Environments to deploy, named as at GitHub, whose protection rules decide who may deploy to them. State must be in S3.
   */
  readonly environments: readonly Environment[];
  /** Image repository that jobs push to and release from. */
  readonly images: IImageRepository;
}

/**
 * Returns the environments with the defaults of the app.
 *
 * @throws InvalidPropsError CI_ENVIRONMENTS, CI_STATE, CI_ACCOUNT, and what {@link checkTrust} finds
 */
function resolve(scope: IConstruct, { trust, environments }: CiRolesProps): Environment[] {
  const problems = new Problems(scope);
  checkTrust(problems, trust);
  problems.check(
    environments.length > 0 && new Set(environments.map((each) => each.name)).size === environments.length,
    {
      code: "CI_ENVIRONMENTS",
      prop: "environments",
      problem: `must list at least one environment, and each only once, got ${environments.length}`,
      remedy: "List each environment that workflows deploy to.",
    },
  );
  const resolved = environments.map((environment, index) =>
    resolveDelivered(problems, scope, environment, {
      prop: `environments[${index}]`,
      codes: { state: "CI_STATE", account: "CI_ACCOUNT" },
      remedy: "Create the roles in a DeliveryStack of the account that they deploy to.",
    }),
  );
  problems.throwIfAny();
  return resolved;
}

/**
 * IAM roles for a CI system outside AWS, without long-lived keys: for each environment one role that plans, one that applies
 * and one that releases, and one role that pushes images. Each trusts exactly one repository:
 *
 * | role | may be assumed by |
 * |---|---|
 * | `<stack>-delivery-gh-image` | workflows of the branch, and jobs of the GitHub environments, subject to their protection rules |
 * | `<stack>-delivery-gh-<environment>-plan` | workflows of the branch, jobs of that environment, and pull requests from the same repository |
 * | `<stack>-delivery-gh-<environment>-apply`, `-release` | jobs of that environment |
 *
 * Sessions last up to 2 hours: set `role-duration-seconds: 7200`, since the default of GitHub's action is 1 hour.
 *
 * Free.
 *
 * @example
 * ```ts
 * const staging: Environment = { name: "staging", region: "eu-central-1", profile: "dev", account: "123456789012", state: "s3" };
 * const delivery = new DeliveryStack(app, "orders", { region: "eu-central-1", account: "123456789012", state: "s3" });
 * new CiRoles(delivery, "GitHub", {
 *   trust: gitHubActions({ repository: { owner: "acme", name: "orders", numbers: { owner: 123456, repository: 456789 } } }),
 *   images: new ImageRepository(delivery, "Images"),
 *   environments: [staging],
 * });
 * new Platform(app, "shop", { environment: staging, listener: insecureHttp() });
 * ```
 * @see https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws
 */
export class CiRoles extends Construct {
  /** ARN of the role that pushes images. */
  readonly imageRoleArn: string;
  readonly #subject: string;
  readonly #providerArn: string;

  /** @throws InvalidPropsError for the codes that {@link CiRolesProps} lists */
  constructor(scope: Construct, id: string, props: CiRolesProps) {
    super(scope, id);
    checkArguments("new CiRoles", { props }, this);
    const environments = resolve(this, props);
    const stack = AwsStack.of(this);
    const { repository, branch: branchName = "main", provider = "made" } = props.trust;
    const { owner, name, numbers } = repository;
    this.#subject =
      numbers === undefined ? `repo:${owner}/${name}` : `repo:${owner}@${numbers.owner}/${name}@${numbers.repository}`;
    if (numbers === undefined) {
      warn(this, {
        code: "CI_REPOSITORY_NUMBERS",
        prop: "trust.repository.numbers",
        problem:
          "is not set: none of these roles trusts a repository created or renamed since July 15, 2026, and all of them trust a new owner of the name of an older one",
        remedy: "Set the numbers of owner and repository.",
      });
    }
    this.#providerArn = this.#provider(provider);
    const branch = `ref:refs/heads/${branchName}`;
    const jobsOf = (environment: Environment) => `environment:${environment.name}`;
    const image = this.#role("Image", "image", [branch, ...environments.map(jobsOf)]);
    allowPush(image, props.images);
    this.imageRoleArn = image.roleArn;
    for (const environment of environments) {
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

  /** AWS verifies the certificate against its own list of authorities, so no thumbprint needs to be maintained. */
  #provider(provider: OidcProvider): string {
    if (provider === "made") {
      return new IamOpenidConnectProvider(this, "Provider", {
        url: `https://${ISSUER}`,
        clientIdList: [AUDIENCE],
      }).arn;
    }
    // Looked up, so that the plan fails if the account has none.
    return new DataAwsIamOpenidConnectProvider(this, "Provider", { url: `https://${ISSUER}` }).arn;
  }

  #role(id: string, name: string, contexts: readonly string[]): Role {
    return new Role(this, id, {
      name: `${AwsStack.of(this).stackName}-delivery-gh-${name}`,
      maxSession: MAX_SESSION,
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
