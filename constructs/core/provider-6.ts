import type { TerraformResource } from "cdktf";
import type { IConstruct } from "constructs";
import { AwsStack } from "./stack";

/**
 * A value for what only line 6 of the provider knows: the one place that such a thing goes through.
 *
 * @throws Error on line 5, which would refuse it at plan; who asks for it is refused at synth before
 */
export function onProvider6<T>(construct: IConstruct, value: T): T {
  const { providerLine } = AwsStack.of(construct);
  if (providerLine !== 6) throw new Error(`${construct.node.path}: ${JSON.stringify(value)} needs AWS provider 6`);
  return value;
}

/** Sets an attribute that the bindings of line 5 have no property for, in Terraform's own words. */
export function addOnProvider6(resource: TerraformResource, attribute: string, value: unknown): void {
  resource.addOverride(attribute, onProvider6(resource, value));
}
