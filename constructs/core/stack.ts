import { DataAwsCallerIdentity } from "@cdktf/provider-aws/lib/data-aws-caller-identity";
import { DataAwsPartition } from "@cdktf/provider-aws/lib/data-aws-partition";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { type TerraformResource, TerraformStack } from "cdktf";
import type { Construct, IConstruct } from "constructs";
import { checkEnvironment, type Environment } from "./environment";
import { invalid, runSynthChecks } from "./errors";
import { literal } from "./literal";
import { NAME_PATTERN, NAME_RULE, type NameKind, physicalName, prefixed } from "./names";
import { reachable, Wishes } from "./order";
import { PROFILE_DEFAULTS, type ProfileDefaults } from "./profiles";
import { installedProviderLine, type ProviderLine } from "./provider-line";
import { QUOTAS, type Quota } from "./quotas";
import { Registry } from "./registry";
import { keepState } from "./state";

export const LIFETIMES = ["platform", "data", "service", "delivery"] as const;
/**
 * How long what a stack holds lives, and so what is applied together: the `platform` of an environment outlives the
 * `data` of a service, which outlives the `service` itself; `delivery` is one for all environments of a service.
 */
export type Lifetime = (typeof LIFETIMES)[number];

export interface AwsStackProps {
  readonly environment: Environment;
  readonly lifetime: Lifetime;
  /**
   * Line of the AWS provider to write for.
   *
   * @default - the line of the installed `@cdktf/provider-aws`
   */
  readonly providerLine?: ProviderLine;
  /**
   * Tags on everything in the stack, besides Platform or Service, Environment and ManagedBy. The user's win.
   *
   * @default - none
   */
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * A unit of Terraform state in one AWS account and region: `<name>-<environment>-<lifetime>`.
 *
 * Brings the provider with default tags. Costs nothing itself. Platforms, services and deliveries are such stacks; of its
 * own it is for what belongs to none of them.
 *
 * @example
 * ```ts
 * const stack = new AwsStack(app, "audit", { environment, lifetime: "data" });
 * ```
 * @see https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs#default_tags
 */
export class AwsStack extends TerraformStack {
  /** The stack that holds a construct. */
  static override of(construct: IConstruct): AwsStack {
    const stack = TerraformStack.of(construct);
    if (stack instanceof AwsStack) return stack;
    throw invalid(construct, {
      code: "NO_AWS_STACK",
      prop: "scope",
      problem: `is in a plain TerraformStack (${stack.node.path})`,
      remedy: "Put it into the stack that platform.stack(...) returns, into a Platform, or into a DeliveryStack.",
    });
  }

  /** Name of what the stack is for: a platform's or a service's. */
  readonly stackName: string;
  readonly environment: Environment;
  readonly lifetime: Lifetime;
  readonly providerLine: ProviderLine;
  /** Tags of everything in the stack. What AWS starts by itself, such as instances of a group, must be given them. */
  readonly tags: Readonly<Record<string, string>>;

  /** @throws InvalidPropsError STACK_NAME, TAGS_REQUIRED, and what {@link checkEnvironment} finds */
  constructor(scope: Construct, name: string, props: AwsStackProps) {
    // Delivery is one for all environments, so its id names none.
    super(scope, [name, ...(props.lifetime === "delivery" ? [] : [props.environment.name]), props.lifetime].join("-"));
    if (!NAME_PATTERN.test(name)) {
      throw invalid(this, {
        code: "STACK_NAME",
        prop: "name",
        problem: `${JSON.stringify(name)} is no name for a stack`,
        remedy: `Use ${NAME_RULE}.`,
      });
    }
    checkEnvironment(this, props.environment);
    this.stackName = name;
    this.environment = props.environment;
    this.lifetime = props.lifetime;
    this.providerLine = props.providerLine ?? installedProviderLine();
    const missing = (props.environment.guardrails?.requiredTags ?? []).filter((key) => !props.tags?.[key]);
    if (missing.length > 0) {
      throw invalid(this, {
        code: "TAGS_REQUIRED",
        prop: "tags",
        problem: `lack what environment ${props.environment.name} requires: ${missing.join(", ")}`,
        remedy: `Pass tags: { ${missing.map((key) => `${JSON.stringify(key)}: "..."`).join(", ")} }.`,
      });
    }
    this.tags = {
      [props.lifetime === "platform" ? "Platform" : "Service"]: name,
      ...(props.lifetime === "delivery" ? {} : { Environment: props.environment.name }),
      ManagedBy: "antifragile",
      ...Object.fromEntries(Object.entries(props.tags ?? {}).map(([key, value]) => [literal(key), literal(value)])),
    };
    keepState(this, props.environment);
    new AwsProvider(this, "Aws", {
      region: props.environment.region,
      allowedAccountIds: props.environment.account === undefined ? undefined : [props.environment.account],
      defaultTags: [{ tags: { ...this.tags } }],
    });
    // Without the namespace OpenTofu and Terraform disagree about which provider is meant.
    this.addOverride("terraform.required_providers.aws.source", "hashicorp/aws");
  }

  /**
   * Applies another stack before this one, as {@link addDependency} does, unless the other must be applied after this
   * one. That is decided at synth, when all such wishes are known.
   */
  preferAfter(stack: AwsStack): void {
    if (stack !== this) Registry.of(this.node.root).get(WISHES).add(this, stack);
  }

  // cdktf's own two walk every path, of which a dense graph has more than can be counted.
  /** @hidden */
  override addDependency(dependency: TerraformStack): void {
    if (this.dependencies.includes(dependency)) return;
    // cdktf says which circle it is.
    if (reachable(dependency, (stack) => stack.dependencies).has(this)) super.addDependency(dependency);
    this.dependencies.push(dependency);
  }

  /** @hidden */
  override dependsOn(stack: TerraformStack): boolean {
    grantWishes(this.node.root);
    return stack !== this && reachable<TerraformStack>(this, (each) => each.dependencies).has(stack);
  }

  /** @hidden */
  override runAllValidations(): void {
    runSynthChecks(this);
    super.runAllValidations();
  }

  /** @hidden */
  override prepareStack(): void {
    grantWishes(this.node.root);
    super.prepareStack();
  }

  /** What the environment's profile decides. */
  get defaults(): ProfileDefaults {
    return PROFILE_DEFAULTS[this.environment.profile];
  }

  /** In production, what holds data is protected and a zone may be lost. */
  get production(): boolean {
    return this.defaults.production;
  }

  /** Name of the platform that the stack is or runs on; its own name where there is none. */
  get platformName(): string {
    return this.stackName;
  }

  /** Topics that alarms of this stack notify; those of the platform, where it runs on one. */
  get alarmTopicArns(): readonly string[] {
    return [];
  }

  /** Id of the account that the stack is applied to. */
  get accountId(): string {
    return this.environment.account ?? this.once("Account", (id) => new DataAwsCallerIdentity(this, id)).accountId;
  }

  /** First part of every ARN: `aws`, `aws-cn`, `aws-us-gov`. */
  get partition(): string {
    return this.once("Partition", (id) => new DataAwsPartition(this, id)).partition;
  }

  /** An ARN in this stack's account and region. */
  arn(service: string, resource: string): string {
    return `arn:${this.partition}:${service}:${this.environment.region}:${this.accountId}:${resource}`;
  }

  /** A name for a thing in AWS, after the prefix that the environment may demand: see {@link physicalName}. */
  physicalName(kind: NameKind, ...parts: string[]): string {
    return physicalName(kind, this.prefixed(...parts));
  }

  /** The parts of a name joined by `-`, after the prefix that the environment may demand. */
  prefixed(...parts: string[]): string {
    return prefixed(this.environment.guardrails?.namePrefix, ...parts);
  }

  /**
   * Notes that a stack of this app makes more of something, and refuses what the account will not give.
   *
   * Counts over all stacks of the same account and region, or of the environment where no account is told.
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
        problem: `${claimed} are needed in ${region}, AWS gives ${limit}`,
        remedy: "Use fewer, use another account, or have AWS raise the quota and say so in environment.quotas.",
      });
    }
  }

  /** The child of this id, made when it is first asked for. */
  protected once<T extends IConstruct>(id: string, make: (id: string) => T): T {
    return (this.node.tryFindChild(id) as T | undefined) ?? make(id);
  }
}

/** Amounts that the stacks of an app claim of each quota, by quota and place. */
const CLAIMS = () => new Map<string, number>();

/** Stacks of an app that are to be applied first where that creates no cycle. */
const WISHES = () => new Wishes<TerraformStack>();

function grantWishes(app: IConstruct): void {
  const wishes = Registry.of(app).get(WISHES);
  for (const [stack, granted] of wishes.granted((each) => each.dependencies)) {
    stack.dependencies.push(...granted.filter((each) => !stack.dependencies.includes(each)));
  }
  wishes.clear();
}

/**
 * A resource's address in its state, as `depends_on` and `replace_triggered_by` want it.
 *
 * cdktf's own `fqn` is an expression, which Terraform refuses in `replace_triggered_by`.
 */
export function addressOf(resource: TerraformResource): string {
  return `${resource.terraformResourceType}.${resource.friendlyUniqueId}`;
}
