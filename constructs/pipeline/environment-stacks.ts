import { DataAwsSecretsmanagerSecretVersion } from "@cdktf/provider-aws/lib/data-aws-secretsmanager-secret-version";
import type { IConstruct } from "constructs";
import type { Environment } from "../core/environment";
import { AwsStack } from "../core/stack";
import { DataStack, ServiceStack } from "../platform/platform";

/** The stacks of an environment in this app: what a release of it consists of. Asked for at synth, when all are there. */
export class EnvironmentStacks {
  constructor(
    private readonly scope: IConstruct,
    private readonly environment: Environment,
  ) {}

  #all(): AwsStack[] {
    return this.scope.node.root.node.children.filter(
      (child): child is AwsStack =>
        child instanceof AwsStack && child.lifetime !== "delivery" && child.environment.name === this.environment.name,
    );
  }

  ids(): string[] {
    return this.#all()
      .map((stack) => stack.node.id)
      .sort();
  }

  /** First parts of the names of what the stacks hold: after the platform, or the stack itself. */
  prefixes(): string[] {
    const names = this.#all().flatMap((stack) => {
      const platform = stack instanceof ServiceStack || stack instanceof DataStack ? [stack.platformName] : [];
      return [stack.stackName, ...platform].map((name) => stack.prefixed(name, stack.environment.name));
    });
    return [...new Set(names)].sort();
  }

  /** ARNs of secrets that Terraform itself reads: those that AWS takes only as text. */
  secrets(): string[] {
    const read = this.#all()
      .flatMap((stack) => stack.node.findAll())
      .filter((node) => node instanceof DataAwsSecretsmanagerSecretVersion);
    return [...new Set(read.flatMap(({ secretIdInput }) => secretIdInput ?? []))].sort();
  }

  /** Stacks whose services are released. */
  services(): ServiceStack[] {
    return this.#all().filter((stack) => stack instanceof ServiceStack);
  }
}

/** Validates that there are stacks to apply, and that the apply role cannot change itself. Runs at synth, since stacks may be added late. */
export function checkAgainstOwnRoles(
  scope: IConstruct,
  environment: Environment,
  stacks: EnvironmentStacks,
  prop: string,
): string[] {
  const stack = AwsStack.of(scope);
  const own = stack.prefixed(stack.stackName, "delivery");
  if (stacks.ids().length === 0) {
    return [
      `${prop}: this app has no stack of environment ${environment.name}; make its platform or its services in the same app  [PIPELINE_NO_STACKS]`,
    ];
  }
  return stacks
    .prefixes()
    .filter((prefix) => `${own}-`.startsWith(`${prefix}-`) || `${prefix}-`.startsWith(`${own}-`))
    .map(
      (prefix) =>
        `${prop}: roles of ${environment.name} begin with ${prefix}, as those that deploy it do: they could change themselves; rename the platform or the stack  [PIPELINE_OWN_ROLES]`,
    );
}
