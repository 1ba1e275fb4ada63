import { DataAwsSsmParameter } from "@cdktf/provider-aws/lib/data-aws-ssm-parameter";
import { SsmParameter } from "@cdktf/provider-aws/lib/ssm-parameter";
import { Fn, Lazy, type Postcondition, Token } from "cdktf";
import { Construct } from "constructs";

/**
 * What one stack tells others: a few ids as JSON in an SSM parameter, found by name.
 *
 * By name and not by remote state, so that teams share no state file, and as `insecure_value`, since a plain `value` turns
 * all that uses it into "(sensitive value)" in plans. Standard parameters are free.
 *
 * @see https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/ssm_parameter
 */
export class PublishedContract extends Construct {
  constructor(scope: Construct, id: string, props: { readonly name: string; readonly value: object | (() => object) }) {
    super(scope, id);
    new SsmParameter(this, "Resource", {
      name: props.name,
      type: "String",
      // Asked for last, since what a stack has grows until synth.
      insecureValue: Lazy.stringValue({
        produce: () => JSON.stringify(typeof props.value === "function" ? props.value() : props.value),
      }),
      description: "Read by stacks that build on this one; written by Terraform.",
    });
  }
}

/** What must be true of what another stack has told, or the plan fails. */
export interface Expectation {
  /** A Terraform condition on the JSON, given as an expression: `` (told) => `${told}.egress == "nat"` ``. */
  readonly condition: (contract: string) => string;
  /** What is wrong when it is not, and what to do. */
  readonly message: string;
}

/** What another stack has told: see {@link PublishedContract}. The plan fails, naming the parameter, until that stack is applied. */
export class ImportedContract extends Construct {
  readonly #parameter: DataAwsSsmParameter;
  readonly #value: unknown;
  readonly #expected: Postcondition[] = [];

  constructor(scope: Construct, id: string, props: { readonly name: string; readonly expect?: Expectation }) {
    super(scope, id);
    this.#parameter = new DataAwsSsmParameter(this, "Resource", { name: props.name });
    this.#value = Fn.jsondecode(this.#parameter.insecureValue);
    if (props.expect !== undefined) this.expect(props.expect);
  }

  /** Makes the plan fail unless something is true of what was told. */
  expect({ condition, message }: Expectation): void {
    this.#expected.push({
      condition: `\${${condition("jsondecode(self.insecure_value)")}}`,
      errorMessage: message,
    });
    this.#parameter.lifecycle = { postcondition: this.#expected };
  }

  text(...path: string[]): string {
    return Token.asString(Fn.lookupNested(this.#value, path));
  }

  number(...path: string[]): number {
    return Token.asNumber(Fn.lookupNested(this.#value, path));
  }

  list(...path: string[]): string[] {
    return Token.asList(Fn.lookupNested(this.#value, path));
  }
}

/** Where a platform tells of itself. */
export function platformParameter(environment: string, platform: string): string {
  return `/antifragile/${environment}/${platform}/platform`;
}

/** Where a service tells of itself; all services of a platform are below one path. */
export function serviceParameter(environment: string, platform: string, service: string): string {
  return `/antifragile/${environment}/${platform}/services/${service}`;
}

/** Where a user pool tells of itself; `owner` is the platform or service that has it. */
export function userPoolParameter(environment: string, owner: string, pool: string): string {
  return `/antifragile/${environment}/${owner}/user-pools/${pool}`;
}

/** Where a stack tells of the log archive that others may share. */
export function archiveParameter(environment: string, stack: string): string {
  return `/antifragile/${environment}/${stack}/archive`;
}

/** Where a backing service of a stack tells of itself. */
export function backingParameter(environment: string, stack: string, backing: string): string {
  return `/antifragile/${environment}/${stack}/backing/${backing}`;
}

/** Where an experiment of a stack tells of itself. */
export function experimentParameter(environment: string, stack: string, experiment: string): string {
  return `/antifragile/${environment}/${stack}/experiments/${experiment}`;
}
