import { DataAwsSsmParameter } from "@cdktf/provider-aws/lib/data-aws-ssm-parameter";
import { SsmParameter } from "@cdktf/provider-aws/lib/ssm-parameter";
import { Fn, Lazy, type Postcondition, Token } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { jsonText, markReferences } from "./literal";
import { Registry } from "./registry";
import { AwsStack } from "./stack";

/** Values that the stacks of an app publish, by the place of the parameter. */
const PUBLISHED = () => new Map<string, object>();

/** References to published values, by their marker: the place of the parameter, and the path of the value in it. */
const IMPORTED = () => new Map<string, { readonly place: string; readonly path: readonly string[] }>();

/** Account, region and name of a parameter. */
function placeOf(scope: IConstruct, name: string): string {
  const { account = "", region } = AwsStack.of(scope).environment;
  return `${account}:${region}:${name}`;
}

/**
 * Identity of a value, equal wherever two texts or numbers refer to the same one: each import of a published value is a
 * reference of its own, although all of them mean the value of the publishing stack.
 */
export function identityOf(scope: IConstruct, value: string | number): string {
  const registry = Registry.of(scope.node.root);
  const reference = registry.get(IMPORTED).get(String(value));
  if (reference === undefined) return String(value);
  const { place, path } = reference;
  const published = path.reduce<unknown>(
    (object, key) => (object as Readonly<Record<string, unknown>> | undefined)?.[key],
    registry.get(PUBLISHED).get(place),
  );
  if (typeof published === "string" || typeof published === "number") return identityOf(scope, published);
  return `${place}#${path.join(".")}`;
}

/**
 * Publishes values of a stack to other stacks: a few ids as JSON in an SSM parameter, found by name.
 *
 * Looked up by name rather than through remote state, so that teams share no state file. Uses `insecure_value`, since a
 * plain `value` turns everything derived from it into "(sensitive value)" in plans. Standard parameters are free.
 *
 * @see https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/ssm_parameter
 */
export class PublishedContract extends Construct {
  constructor(scope: Construct, id: string, props: { readonly name: string; readonly value: object | (() => object) }) {
    super(scope, id);
    const { name, value } = props;
    if (typeof value !== "function") Registry.of(this.node.root).get(PUBLISHED).set(placeOf(this, name), value);
    new SsmParameter(this, "Resource", {
      name,
      type: "String",
      // Evaluated last, since a stack keeps adding values until synth.
      insecureValue: Lazy.stringValue({ produce: () => jsonText(typeof value === "function" ? value() : value) }),
      description: "Read by stacks that build on this one; written by Terraform.",
    });
  }
}

/** A condition on the values that another stack publishes; the plan fails unless it holds. */
export interface Expectation {
  /** Terraform condition on the JSON, given as an expression: `` (contract) => `${contract}.egress == "nat"` ``. */
  readonly condition: (contract: string) => string;
  /** Problem and remedy, shown when the condition does not hold. */
  readonly message: string;
}

/**
 * Reads the values that another stack publishes with {@link PublishedContract}. Until that stack is applied, the plan fails
 * and names the parameter.
 */
export class ImportedContract extends Construct {
  readonly #place: string;
  readonly #parameter: DataAwsSsmParameter;
  readonly #value: unknown;
  readonly #expected: Postcondition[] = [];

  constructor(scope: Construct, id: string, props: { readonly name: string; readonly expect?: Expectation }) {
    super(scope, id);
    this.#place = placeOf(this, props.name);
    this.#parameter = new DataAwsSsmParameter(this, "Resource", { name: props.name });
    this.#value = Fn.jsondecode(this.#parameter.insecureValue);
    if (props.expect !== undefined) this.expect(props.expect);
  }

  /** Makes the plan fail unless the published values meet a condition. */
  expect({ condition, message }: Expectation): void {
    this.#expected.push({
      condition: `\${${condition("jsondecode(self.insecure_value)")}}`,
      errorMessage: message,
    });
    this.#parameter.lifecycle = { postcondition: this.#expected };
  }

  text(...path: string[]): string {
    // Who may write the parameter must not be able to add to the JSON or the script that contains its values.
    return this.#known(path, markReferences(Token.asString(Fn.lookupNested(this.#value, path))));
  }

  number(...path: string[]): number {
    return this.#known(path, Token.asNumber(Fn.lookupNested(this.#value, path)));
  }

  list(...path: string[]): string[] {
    return Token.asList(Fn.lookupNested(this.#value, path));
  }

  /** Records what a reference means, for {@link identityOf}. */
  #known<T extends string | number>(path: readonly string[], reference: T): T {
    Registry.of(this.node.root).get(IMPORTED).set(String(reference), { place: this.#place, path });
    return reference;
  }
}

/** Path of the parameter that a platform publishes. */
export function platformParameter(environment: string, platform: string): string {
  return `/antifragile/${environment}/${platform}/platform`;
}

/** Path of the parameter that a service publishes; all services of a platform share one parent path. */
export function serviceParameter(environment: string, platform: string, service: string): string {
  return `/antifragile/${environment}/${platform}/services/${service}`;
}

/** Path of the parameter that a user pool publishes; `owner` is its platform or service. */
export function userPoolParameter(environment: string, owner: string, pool: string): string {
  return `/antifragile/${environment}/${owner}/user-pools/${pool}`;
}

/** Path of the parameter that a stack publishes for a shared log archive. */
export function archiveParameter(environment: string, stack: string): string {
  return `/antifragile/${environment}/${stack}/archive`;
}

/** Path of the parameter that a stack publishes for a backing service. */
export function backingParameter(environment: string, stack: string, backing: string): string {
  return `/antifragile/${environment}/${stack}/backing/${backing}`;
}

/** Path of the parameter that a stack publishes for a chaos experiment. */
export function experimentParameter(environment: string, stack: string, experiment: string): string {
  return `/antifragile/${environment}/${stack}/experiments/${experiment}`;
}
