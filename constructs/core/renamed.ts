import { Aspects, TerraformResource, TerraformStack } from "cdktf";
import { makeUniqueId } from "cdktf/lib/private/unique";
import type { IConstruct } from "constructs";

/**
 * Keeps the resources of a construct whose id has changed, in the user's program or in a version of this library: every resource
 * below it gets a `moved` block, including those that add-ons create later.
 *
 * @see https://developer.hashicorp.com/terraform/language/moved
 */
export function movedFrom(construct: IConstruct, formerId: string): void {
  const depth = construct.node.scopes.length - 1;
  Aspects.of(construct).add({
    visit(node) {
      if (!(node instanceof TerraformResource) || node.hasResourceMove()) return;
      const path = node.node.scopes.map((scope) => scope.node.id);
      path[depth] = formerId;
      const stackDepth = node.node.scopes.indexOf(TerraformStack.of(node));
      node.moveFromId(`${node.terraformResourceType}.${makeUniqueId(path.slice(stackDepth + 1))}`);
    },
  });
}
