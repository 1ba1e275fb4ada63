import { DataAwsIamOpenidConnectProvider } from "@cdktf/provider-aws/lib/data-aws-iam-openid-connect-provider";
import { IamOpenidConnectProvider } from "@cdktf/provider-aws/lib/iam-openid-connect-provider";
import { Construct, type IConstruct } from "constructs";
import { checkArguments } from "../core/check-types";
import type { Environment } from "../core/environment";
import { Problems, validateAtSynth } from "../core/errors";
import { Role, type RoleProps } from "../core/iam";
import { pascal } from "../core/names";
import { PROFILE_DEFAULTS } from "../core/profiles";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import { type CiTrust, checkTrust, type NeededProvider, resolveTrust, warnOfTrust } from "./ci-trust";
import {
  checkAgainstOwnRoles,
  EnvironmentStacks,
  resolveDelivered,
  rolesScope,
  warnWithoutBoundary,
} from "./environment-stacks";
import { allowPush } from "./image-access";
import type { IImageRepository } from "./image-repository";
import { allowPlanTransfer } from "./plan-transfer-access";
import { allowRelease } from "./release-access";
import { TerraformAccess } from "./terraform-access";

/**
 * Maximum duration of a session: the time that the generated workflow gives a job. Credentials of a workflow are not renewed, and an apply
 * whose credentials expire cannot save its state.
 */
const MAX_SESSION = Duration.hours(2);

export interface CiRolesProps {
  /** Jobs that assume the roles: `gitHubActions(...)`, `gitLabCi(...)` or `iamPrincipal(...)`. */
  readonly trust: CiTrust;
  /**
   * Environments to deploy, named as at the CI system, whose protection rules decide who may deploy to them. State must be in S3.
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
    }),
  );
  problems.throwIfAny();
  return resolved;
}

/**
 * IAM roles for a CI system: for each environment one role that plans, one that applies and one that releases, and one role that pushes
 * images. `<stack>-delivery-<ci>-image`, and `-<environment>-plan`, `-<environment>-apply` and `-<environment>-release`:
 *
 * | trust | `<ci>` | may be assumed by |
 * |---|---|---|
 * | `gitHubActions` | `gh` | workflows of the branch. Apply and release: only jobs of the environment at GitHub, subject to its protection rules. Plan: also the other jobs, since an approval follows it; with `pullRequests`, also pull requests from the same repository, except in production |
 * | `gitLabCi` | `gl` | each job of the branch |
 * | `iamPrincipal` | `ci` | the role of the build agents, or the user |
 *
 * Sessions last up to 2 hours: set `role-duration-seconds: 7200` at GitHub, since the default of its action is 1 hour. AWS limits sessions
 * of a role that another role assumes to 1 hour.
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
  /** Accounts that have the identity provider: each can have only one. */
  readonly #accounts = new Set<string | undefined>();

  /** @throws InvalidPropsError for the codes that {@link CiRolesProps} lists */
  constructor(scope: Construct, id: string, props: CiRolesProps) {
    super(scope, id);
    checkArguments("new CiRoles", { props }, this);
    const environments = resolve(this, props);
    const stack = AwsStack.of(this);
    warnOfTrust(this, props.trust);
    const inDelivery = resolveTrust(props.trust, (needed) => this.#provider(this, needed));
    const prefix = `${stack.stackName}-delivery-${inDelivery.prefix}`;
    const role = (scope: Construct, roleId: string, name: string, service: RoleProps["service"]) =>
      new Role(scope, roleId, { name: `${prefix}-${name}`, maxSession: MAX_SESSION, service });
    const image = role(this, "Image", "image", inDelivery.image);
    allowPush(image, props.images);
    this.imageRoleArn = image.roleArn;
    for (const environment of environments) {
      const { name, profile } = environment;
      const part = pascal(name);
      const stacks = new EnvironmentStacks(this, environment);
      const scope = rolesScope(this, environment);
      validateAtSynth(this, () => checkAgainstOwnRoles(scope, environment, stacks, "environments"));
      const trust = scope === this ? inDelivery : resolveTrust(props.trust, (needed) => this.#provider(scope, needed));
      const access = new TerraformAccess(scope, `${part}Access`, { environment, stacks, name: `${prefix}-${name}` });
      warnWithoutBoundary(this, environment, "environments");
      const plan = role(scope, `${part}Plan`, `${name}-plan`, trust.plan(name, PROFILE_DEFAULTS[profile].production));
      access.allowPlan(plan);
      const apply = role(scope, `${part}Apply`, `${name}-apply`, trust.deploy(name));
      access.allowApply(apply);
      allowPlanTransfer({ plan, apply }, { partition: AwsStack.of(scope).partition, environment, stacks });
      allowRelease(role(scope, `${part}Release`, `${name}-release`, trust.deploy(name)), {
        delivery: stack,
        environment,
        stacks,
        images: props.images,
      });
    }
  }

  /** AWS verifies the certificate against its own list of authorities, so no thumbprint needs to be maintained. */
  #provider(scope: Construct, { issuer, audience, provider }: NeededProvider): string {
    const url = `https://${issuer}`;
    const { account } = AwsStack.of(scope).environment;
    const isFirst = !this.#accounts.has(account);
    this.#accounts.add(account);
    if (provider === "made" && isFirst) {
      return new IamOpenidConnectProvider(scope, "Provider", { url, clientIdList: [audience] }).arn;
    }
    // Looked up, so that the plan fails if the account has none.
    return new DataAwsIamOpenidConnectProvider(scope, "Provider", { url }).arn;
  }
}
