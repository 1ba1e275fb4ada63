import { DataAwsCallerIdentity } from "@cdktf/provider-aws/lib/data-aws-caller-identity";
import { DataAwsPartition } from "@cdktf/provider-aws/lib/data-aws-partition";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { type TerraformOutput, type TerraformRemoteState, type TerraformResource, TerraformStack } from "cdktf";
import type { Construct, IConstruct } from "constructs";
import { BOOTSTRAP_BOUNDARY } from "../../contract/boundary";
import { checkArguments, idErrors } from "./check-types";
import { withoutChanges } from "./engine-startup";
import { checkEnvironment, type Environment, withDefaults } from "./environment";
import { invalid, Problems, synthErrors, throwAll } from "./errors";
import { limitErrors } from "./limits";
import { NAME_PATTERN, NAME_RULE, type NameKind, physicalName, prefixed } from "./names";
import { reachable, Wishes } from "./order";
import { overrideErrors } from "./overrides";
import { PROFILE_DEFAULTS, type ProfileDefaults } from "./profiles";
import { type ProviderLine, providerLineOf } from "./provider-line";
import { QUOTAS, type Quota } from "./quotas";
import { Registry } from "./registry";
import { SharedValues, sharedParameter } from "./shared-values";
import { keepState } from "./state";
import { resolveTags } from "./tags";

export const LIFETIMES = ["platform", "data", "service", "delivery"] as const;
/**
 * Lifetime of the contents of a stack, which decides what is applied together: the `platform` of an environment outlives the
 * `data` of a service, which outlives the `service` itself; one `delivery` stack serves all environments of a service.
 */
export type Lifetime = (typeof LIFETIMES)[number];

export interface AwsStackProps {
  readonly environment: Environment;
  readonly lifetime: Lifetime;
  /**
   * Major version of the AWS provider to generate for.
   *
   * @default - that of the installed bindings, `@cdktf/provider-aws` or `@cdktn/provider-aws`
   */
  readonly providerLine?: ProviderLine;
  /**
   * Tags on every resource in the stack, besides Platform or Service, Environment and ManagedBy. Override those on conflict,
   * also where only the case of a key differs. At most 45, with keys of up to 128 and values of up to 256 characters.
   *
   * @default - none
   */
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * A Terraform stack in one AWS account and region: `<name>-<environment>-<lifetime>`.
 *
 * Configures the AWS provider with default tags. Costs nothing itself. Platforms, services and deliveries are such stacks;
 * create one directly for resources that belong to none of them.
 *
 * @example
 * ```ts
 * const stack = new AwsStack(app, "audit", { environment, lifetime: "data" });
 * ```
 * @see https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs#default_tags
 */
export class AwsStack extends TerraformStack {
  /** Returns the stack that contains a construct. */
  static override of(construct: IConstruct): AwsStack {
    const stack = TerraformStack.of(construct);
    if (stack instanceof AwsStack) return stack;
    throw invalid(construct, {
      code: "NO_AWS_STACK",
      prop: "scope",
      problem: `is in a plain TerraformStack (${stack.node.path})`,
      remedy: "Create it in the stack that platform.stack(...) returns, in a Platform, or in a DeliveryStack.",
    });
  }

  /** Name of the platform or service that the stack is for. */
  readonly stackName: string;
  readonly environment: Environment;
  readonly lifetime: Lifetime;
  readonly providerLine: ProviderLine;
  /**
   * Tags of every resource in the stack. Resources that AWS creates itself, such as the instances of a group, need them set
   * explicitly.
   */
  readonly tags: Readonly<Record<string, string>>;

  /** @throws InvalidPropsError STACK_NAME, STACK_BOUNDARY, PROVIDER_LINE, TAGS_REQUIRED, TAGS_BOUNDARY, TAGS_COUNT, TAGS_KEY, TAGS_VALUE, and what {@link checkEnvironment} finds */
  constructor(scope: Construct, name: string, props: AwsStackProps) {
    checkArguments("new AwsStack", { name, props });
    // A delivery stack serves all environments, so its id contains none, except in another account: see rolesScope.
    const { environment: named, lifetime } = props;
    const parts = named.name.startsWith("delivery-") ? [named.name] : [lifetime];
    super(scope, [name, ...(lifetime === "delivery" ? parts : [named.name, lifetime])].join("-"));
    if (!NAME_PATTERN.test(name)) {
      throw invalid(this, {
        code: "STACK_NAME",
        prop: "name",
        problem: `${JSON.stringify(name)} is not a valid stack name`,
        remedy: `Use ${NAME_RULE}.`,
      });
    }
    const environment = withDefaults(this, props.environment);
    checkEnvironment(this, environment);
    if (props.lifetime !== "delivery" && /^delivery(-|$)/.test(environment.name)) {
      throw invalid(this, {
        code: "ENVIRONMENT_NAME",
        prop: "environment.name",
        problem: `must not begin with delivery, which names the stacks that deploy all environments, got ${JSON.stringify(environment.name)}`,
        remedy: "Rename the environment.",
      });
    }
    this.stackName = name;
    this.environment = environment;
    this.lifetime = props.lifetime;
    const missing = (environment.guardrails?.requiredTags ?? []).filter((key) => !props.tags?.[key]);
    if (missing.length > 0) {
      throw invalid(this, {
        code: "TAGS_REQUIRED",
        prop: "tags",
        problem: `must include the tags that environment ${environment.name} requires; missing: ${missing.join(", ")}`,
        remedy: `Pass tags: { ${missing.map((key) => `${JSON.stringify(key)}: "..."`).join(", ")} }.`,
      });
    }
    const own = {
      [props.lifetime === "platform" ? "Platform" : "Service"]: name,
      ...(props.lifetime === "delivery" ? {} : { Environment: environment.name }),
      ManagedBy: "antifragile",
    };
    this.tags = resolveTags(this, own, props.tags);
    if (environment.guardrails?.permissionsBoundary === BOOTSTRAP_BOUNDARY) this.#checkBoundary();
    keepState(this, environment);
    const provider = new AwsProvider(this, "Aws", {
      region: environment.region,
      allowedAccountIds: environment.account === undefined ? undefined : [environment.account],
      defaultTags: [{ tags: { ...this.tags } }],
    });
    this.providerLine = props.providerLine ?? providerLineOf(provider);
    // Without the namespace, OpenTofu and Terraform resolve the provider differently.
    this.addOverride("terraform.required_providers.aws.source", "hashicorp/aws");
  }

  /** @throws InvalidPropsError STACK_BOUNDARY, TAGS_BOUNDARY */
  #checkBoundary(): void {
    const problems = new Problems(this);
    const { Environment: tag = "" } = this.tags;
    problems.check(this.lifetime !== "delivery", {
      code: "STACK_BOUNDARY",
      prop: "guardrails.permissionsBoundary",
      problem: `must not be "${BOOTSTRAP_BOUNDARY}" in a delivery stack: its roles deploy, which that boundary denies`,
      remedy: "Set guardrails: {} in the DeliveryStack, or the ARN of your own policy.",
    });
    problems.check(this.lifetime === "delivery" || tag === this.environment.name, {
      code: "TAGS_BOUNDARY",
      prop: "tags.Environment",
      problem: `must be ${this.environment.name}, by which the permissions boundary recognizes resources of the environment, got ${JSON.stringify(tag)}`,
      remedy: "Use another key, or a permissions boundary of your own.",
    });
    problems.throwIfAny();
  }

  /**
   * Applies another stack before this one, as {@link addDependency} does, unless the other must be applied after this one.
   * Decided at synth, when all such preferences are known.
   */
  preferAfter(stack: AwsStack): void {
    if (stack !== this) Registry.of(this.node.root).get(WISHES).add(this, stack);
  }

  // cdktf's own addDependency and dependsOn walk every path, which takes exponential time in a dense graph.
  /** @hidden */
  override addDependency(dependency: TerraformStack): void {
    if (this.dependencies.includes(dependency)) return;
    // cdktf reports the cycle.
    if (reachable(dependency, (stack) => stack.dependencies).has(this)) super.addDependency(dependency);
    this.dependencies.push(dependency);
  }

  /** @hidden */
  override dependsOn(stack: TerraformStack): boolean {
    grantWishes(this.node.root);
    return stack !== this && reachable<TerraformStack>(this, (each) => each.dependencies).has(stack);
  }

  // cdktf calls these two where a construct refers to a resource of another stack, and reads no more of the results.
  /** @hidden */
  override registerOutgoingCrossStackReference(identifier: string): TerraformOutput {
    return { friendlyUniqueId: this.#sharedValues.add(identifier) } as TerraformOutput;
  }

  /** @hidden */
  override registerIncomingCrossStackReference(stack: TerraformStack): TerraformRemoteState {
    const from = AwsStack.of(stack);
    return {
      getString: (key: string) => from.#sharedValues.expression(this, this.#location, key),
    } as TerraformRemoteState;
  }

  get #sharedValues(): SharedValues {
    const { environment, stackName, lifetime } = this;
    return SharedValues.of(this, {
      parameter: sharedParameter(environment.name, stackName, lifetime),
      location: this.#location,
    });
  }

  get #location(): string {
    const { account = "the account of the credentials", region } = this.environment;
    return `${account}, ${region}`;
  }

  /** @hidden */
  override runAllValidations(): void {
    throwAll([...idErrors(this), ...synthErrors(this), ...overrideErrors(this)]);
    super.runAllValidations();
  }

  /** @hidden */
  // biome-ignore lint/suspicious/noExplicitAny: the type in cdktf.
  override toTerraform(): any {
    const terraform = withoutChanges(this, () => super.toTerraform());
    throwAll(limitErrors(this, terraform));
    return terraform;
  }

  /** @hidden */
  override prepareStack(): void {
    grantWishes(this.node.root);
    withoutChanges(this, () => super.prepareStack());
  }

  /** Defaults of the environment's profile. */
  get defaults(): ProfileDefaults {
    return PROFILE_DEFAULTS[this.environment.profile];
  }

  /** True if stored data is protected and the loss of a zone must be tolerated. */
  get production(): boolean {
    return this.defaults.production;
  }

  /** True if the account has KMS keys of its own for data at rest. */
  get customerManagedKeys(): boolean {
    return (this.environment.encryption ?? this.defaults.encryption) === "customer-managed";
  }

  /** Name of the platform that the stack is or runs on; the stack's own name if there is none. */
  get platformName(): string {
    return this.stackName;
  }

  /** Topics that the alarms of this stack notify: those of its platform, if there is one. */
  get alarmTopicArns(): readonly string[] {
    return [];
  }

  /** Id of the account that the stack is deployed to. */
  get accountId(): string {
    return this.environment.account ?? this.once("Account", (id) => new DataAwsCallerIdentity(this, id)).accountId;
  }

  /** AWS partition, the second part of every ARN: `aws`, `aws-cn`, `aws-us-gov`. */
  get partition(): string {
    return this.once("Partition", (id) => new DataAwsPartition(this, id)).partition;
  }

  /** Creates an ARN in the stack's account and region. */
  arn(service: string, resource: string): string {
    return `arn:${this.partition}:${service}:${this.environment.region}:${this.accountId}:${resource}`;
  }

  /** Creates a physical name, after the environment's name prefix: see {@link physicalName}. */
  physicalName(kind: NameKind, ...parts: string[]): string {
    return physicalName(kind, this.prefixed(...parts));
  }

  /** Joins the parts of a name with `-`, after the environment's name prefix. */
  prefixed(...parts: string[]): string {
    return prefixed(this.environment.guardrails?.namePrefix, ...parts);
  }

  /**
   * Counts a use of a quota, and refuses what exceeds it.
   *
   * Counts over all stacks of the same account and region, or of the environment if no account is configured.
   *
   * @throws InvalidPropsError QUOTA
   */
  claim(construct: IConstruct, quota: Quota, amount: number): void {
    const { account, name, region, quotas } = this.environment;
    const place = `${account ?? name} ${region}`;
    const claims = Registry.of(this.node.root).get(CLAIMS);
    const claimed = (claims.get(`${quota} ${place}`) ?? 0) + amount;
    claims.set(`${quota} ${place}`, claimed);
    const limit = quotas?.[quota] ?? QUOTAS[quota];
    if (claimed > limit) {
      throw invalid(construct, {
        code: "QUOTA",
        prop: `environment.quotas.${quota}`,
        problem: `is ${limit} in ${region}, but this app needs ${claimed}`,
        remedy:
          "Create fewer resources or use a different account; or request a quota increase from AWS, then set environment.quotas.",
      });
    }
  }

  /** Returns the child with this id, creating it on first use. */
  protected once<T extends IConstruct>(id: string, make: (id: string) => T): T {
    return (this.node.tryFindChild(id) as T | undefined) ?? make(id);
  }
}

/** Amounts that the stacks of an app claim of each quota, by quota and location. */
const CLAIMS = () => new Map<string, number>();

/** Stacks to apply first where that creates no cycle. */
const WISHES = () => new Wishes<TerraformStack>();

function grantWishes(app: IConstruct): void {
  const wishes = Registry.of(app).get(WISHES);
  for (const [stack, granted] of wishes.granted((each) => each.dependencies)) {
    stack.dependencies.push(...granted.filter((each) => !stack.dependencies.includes(each)));
  }
  wishes.clear();
}

/**
 * Returns the address of a resource, as `depends_on` and `replace_triggered_by` expect it.
 *
 * cdktf's own `fqn` is an expression, which Terraform refuses in `replace_triggered_by`.
 */
export function addressOf(resource: TerraformResource): string {
  return `${resource.terraformResourceType}.${resource.friendlyUniqueId}`;
}
