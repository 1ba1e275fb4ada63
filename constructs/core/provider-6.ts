import type { TerraformResource } from "cdktf";
import type { IConstruct } from "constructs";
import { AwsStack } from "./stack";

/**
 * Passes through a value that only AWS provider 6 supports; the single place for such values.
 *
 * @throws Error with provider 5, whose plan would fail; the constructs that use it refuse the prop earlier, at synth
 */
export function onProvider6<T>(construct: IConstruct, value: T): T {
  const { providerLine } = AwsStack.of(construct);
  if (providerLine !== 6) throw new Error(`${construct.node.path}: ${JSON.stringify(value)} needs AWS provider 6`);
  return value;
}

/** Sets an attribute that the bindings of provider 5 lack, by its Terraform name. */
export function addOnProvider6(resource: TerraformResource, attribute: string, value: unknown): void {
  resource.addOverride(attribute, onProvider6(resource, value));
}
