import { DataAwsSsmParameter } from "@cdktf/provider-aws/lib/data-aws-ssm-parameter";
import { SsmParameter } from "@cdktf/provider-aws/lib/ssm-parameter";
import { Fn, Lazy, ref, type TerraformStack } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { invalid } from "./errors";

/** Attributes whose value must not be in a parameter that everything in the account can read. */
const SECRET = /[._](password|secret|secret_string|secret_binary|secret_key|private_key|private_key_pem|token)(_wo)?$/;

/** Place of the values that a stack shares. */
export interface SharedPlace {
  readonly parameter: string;
  /** Account and region. */
  readonly location: string;
}

/**
 * Values of one stack that other stacks of the app refer to, as JSON in an SSM parameter. It replaces CDK for Terraform's outputs
 * and `terraform_remote_state`: a stack never reads the state of another.
 *
 * @see https://developer.hashicorp.com/terraform/cdktf/concepts/stacks#cross-stack-references
 */
export class SharedValues extends Construct {
  /** Returns the shared values of a stack, and creates their parameter at the first call. */
  static of(stack: TerraformStack, place: SharedPlace): SharedValues {
    return (stack.node.tryFindChild(SHARED) as SharedValues | undefined) ?? new SharedValues(stack, place);
  }

  readonly #values: Record<string, unknown> = {};
  readonly #stack: TerraformStack;
  readonly #place: SharedPlace;

  private constructor(stack: TerraformStack, place: SharedPlace) {
    super(stack, SHARED);
    this.#stack = stack;
    this.#place = place;
    new SsmParameter(this, "Resource", {
      name: place.parameter,
      type: "String",
      insecureValue: Lazy.stringValue({ produce: () => Fn.jsonencode(this.#values) }),
      description: "Read by stacks that refer to resources of this one; written by Terraform.",
    });
  }

  /**
   * Shares the value of a reference.
   *
   * @returns its key
   * @throws InvalidPropsError SHARED_SECRET
   */
  add(identifier: string): string {
    if (SECRET.test(identifier)) {
      throw invalid(this.#stack, {
        code: "SHARED_SECRET",
        prop: identifier,
        problem: "is used by another stack, and would be readable in an SSM parameter",
        remedy: "Store it in AWS Secrets Manager, and pass the ARN of the secret to the other stack.",
      });
    }
    this.#values[identifier] = ref(identifier, this.#stack);
    return identifier;
  }

  /**
   * Returns the Terraform expression for a shared value in another stack.
   *
   * @throws InvalidPropsError SHARED_LOCATION
   */
  expression(reader: IConstruct, location: string, key: string): string {
    if (location !== this.#place.location) {
      throw invalid(reader, {
        code: "SHARED_LOCATION",
        prop: key,
        problem: `belongs to ${this.#stack.node.id} in ${this.#place.location}, but ${reader.node.path} is in ${location}`,
        remedy: "Stacks share values within an account and region; pass a name or an ARN as text instead.",
      });
    }
    const id = `${SHARED}_${this.#stack.node.id}`;
    const parameter =
      (reader.node.tryFindChild(id) as DataAwsSsmParameter | undefined) ??
      new DataAwsSsmParameter(reader as Construct, id, { name: this.#place.parameter });
    return `jsondecode(data.${parameter.terraformResourceType.replace(/^data\./, "")}.${parameter.friendlyUniqueId}.insecure_value)[${JSON.stringify(key)}]`;
  }
}

const SHARED = "SharedValues";

/** Name of the parameter of a stack. */
export function sharedParameter(environment: string, stack: string, lifetime: string): string {
  return `/antifragile/${environment}/${stack}/shared/${lifetime}`;
}
