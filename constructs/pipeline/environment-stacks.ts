import { DataAwsSecretsmanagerSecretVersion } from "@cdktf/provider-aws/lib/data-aws-secretsmanager-secret-version";
import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { Token } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { type Environment, withDefaults } from "../core/environment";
import { type Problem, type Problems, warn } from "../core/errors";
import { bucketStart } from "../core/names";
import { AwsStack } from "../core/stack";
import { DataStack, ServiceStack } from "../platform/platform";

function prefixesOf(stacks: readonly AwsStack[]): string[] {
  const names = stacks.flatMap((stack) => {
    const platform = stack instanceof ServiceStack || stack instanceof DataStack ? [stack.platformName] : [];
    return [stack.stackName, ...platform].map((name) => stack.prefixed(name, stack.environment.name));
  });
  return [...new Set(names)].sort();
}

/** Stacks of an environment in this app, which a release consists of. Evaluated at synth, when all stacks exist. */
export class EnvironmentStacks {
  constructor(
    private readonly scope: IConstruct,
    private readonly environment: Environment,
  ) {}

  #all(): AwsStack[] {
    return this.#deployed().filter(({ environment }) => environment.name === this.environment.name);
  }

  #deployed(): AwsStack[] {
    return this.scope.node.root.node.children.filter(
      (child): child is AwsStack => child instanceof AwsStack && child.lifetime !== "delivery",
    );
  }

  ids(): string[] {
    return this.#all()
      .map((stack) => stack.node.id)
      .sort();
  }

  /** Name prefixes of the resources in the stacks: that of the platform, or of the stack itself. */
  prefixes(): string[] {
    return prefixesOf(this.#all());
  }

  /** The same of all other environments of the account in this app. */
  prefixesOfOthers(): string[] {
    const { name, account } = this.environment;
    return prefixesOf(
      this.#deployed().filter(({ environment }) => environment.name !== name && environment.account === account),
    );
  }

  /** Values of a tag of the stacks. */
  tags(key: string): string[] {
    return [...new Set(this.#all().flatMap(({ tags }) => tags[key] ?? []))].sort();
  }

  /** ARNs of secrets that Terraform itself reads, for AWS APIs that accept only plain text. */
  secrets(): string[] {
    const read = this.#elements().filter((node) => node instanceof DataAwsSecretsmanagerSecretVersion);
    return [...new Set(read.flatMap(({ secretIdInput }) => secretIdInput ?? []))].sort();
  }

  /** Names of adopted buckets, which do not begin as those of the environment. */
  adoptedBuckets(): string[] {
    const starts = this.prefixes().map(bucketStart);
    const names = this.#elements().flatMap((node) => (node instanceof S3Bucket ? (node.bucketInput ?? []) : []));
    return names.filter((name) => !Token.isUnresolved(name) && !starts.some((start) => name.startsWith(start))).sort();
  }

  #elements(): IConstruct[] {
    return this.#all().flatMap((stack) => stack.node.findAll());
  }

  /** Stacks whose services are released. */
  services(): ServiceStack[] {
    return this.#all().filter((stack) => stack instanceof ServiceStack);
  }
}

interface Delivered {
  /** Path of the environment's props, as in `releases[0].environment`. */
  readonly prop: string;
  /** Codes of the two problems. */
  readonly codes: { readonly state: string; readonly account: string };
}

/** Completes an environment with the defaults of the app, and records why it cannot be delivered from this stack. */
export function resolveDelivered(
  problems: Problems,
  scope: IConstruct,
  given: Environment,
  { prop, codes }: Delivered,
): Environment {
  const environment = withDefaults(scope, given);
  const { name, account, imageAccount = account, state = "local" } = environment;
  const own = AwsStack.of(scope).environment.account;
  problems.check(state !== "local", {
    code: codes.state,
    prop: `${prop}.state`,
    problem: `of ${name} must not be local: a build would not find it and would create every resource again`,
    remedy: 'Set state: "s3" in the environment; antifragile bootstrap creates the bucket.',
  });
  problems.check(account === own || (account !== undefined && own !== undefined), {
    code: codes.account,
    prop: `${prop}.account`,
    problem: `of ${name} is ${account ?? "not set"}, and that of the delivery stack is ${own ?? "not set"}`,
    remedy: "Set account in both, or for all: new App({ environmentDefaults: { account } }).",
  });
  problems.check(imageAccount === own || account === undefined || own === undefined, {
    code: codes.account,
    prop: `${prop}.imageAccount`,
    problem: `of ${name} must be ${own}, the account of the delivery stack, whose images its tasks pull; it is ${imageAccount ?? "not set"}`,
    remedy: `Set imageAccount: "${own}" in the environment.`,
  });
  return environment;
}

/**
 * Scope for roles of an environment: the construct itself or, for an environment of another account, a stack of that account,
 * `<name>-delivery-<environment>`. Who may deploy the environment must not be able to change it.
 */
export function rolesScope(construct: Construct, environment: Environment): Construct {
  const own = AwsStack.of(construct);
  if (environment.account === own.environment.account) return construct;
  const name = `delivery-${environment.name}`;
  const app = construct.node.root;
  const stack =
    (app.node.tryFindChild(`${own.stackName}-${name}`) as AwsStack | undefined) ??
    new AwsStack(app as Construct, own.stackName, {
      lifetime: "delivery",
      tags: own.tags,
      environment: {
        ...environment,
        name,
        profile: own.environment.profile,
        // The boundary limits roles of services; those here deploy them.
        guardrails: { ...environment.guardrails, permissionsBoundary: undefined },
      },
    });
  return new Construct(stack, construct.node.id);
}

/**
 * Checks that there are stacks to apply, and that the apply role cannot change itself. Runs at synth, since stacks may be
 * added late.
 */
export function checkAgainstOwnRoles(
  scope: IConstruct,
  environment: Environment,
  stacks: EnvironmentStacks,
  prop: string,
): Problem[] {
  const stack = AwsStack.of(scope);
  const own = stack.prefixed(stack.stackName, "delivery");
  if (stacks.ids().length === 0) {
    return [
      {
        code: "PIPELINE_NO_STACKS",
        prop,
        problem: `must list environments that have stacks in this app, but environment ${environment.name} has none`,
        remedy: "Create its platform or its services in the same app.",
      },
    ];
  }
  const prefixes = stacks.prefixes();
  return [
    ...prefixes
      .filter((prefix) => `${own}-`.startsWith(`${prefix}-`) || `${prefix}-`.startsWith(`${own}-`))
      .map((prefix) => ({
        code: "PIPELINE_OWN_ROLES",
        prop,
        problem: `must not allow the deploying roles to change themselves, but roles of ${environment.name} share their prefix ${prefix}`,
        remedy: "Rename the platform or the stack.",
      })),
    ...stacks
      .prefixesOfOthers()
      .filter((other) => prefixes.some((prefix) => `${other}-`.startsWith(`${prefix}-`)))
      .map((other) => ({
        code: "PIPELINE_NAMES_MEET",
        prop,
        problem: `must not allow one environment to change another, but names that begin with ${other}- also begin with a prefix of ${environment.name}`,
        remedy: "Rename the environment: its name must not continue that of another.",
      })),
  ];
}

/** Warns if the role that applies an environment may create roles without a permissions boundary. */
export function warnWithoutBoundary(scope: IConstruct, { name, guardrails }: Environment, prop: string): void {
  if (guardrails?.permissionsBoundary !== undefined) return;
  warn(scope, {
    code: "PIPELINE_NO_BOUNDARY",
    prop: `${prop}.${name}`,
    problem:
      "is applied by a role that creates roles, and no permissions boundary limits them: who controls it controls the account",
    remedy: 'Set guardrails: { permissionsBoundary: "bootstrap" } in the environment, and run antifragile bootstrap.',
  });
}
