import { Aspects, TerraformResource, TerraformStack } from "cdktf";
import { makeUniqueId } from "cdktf/lib/private/unique";
import type { IConstruct } from "constructs";

/**
 * Keeps what a construct made under the id that it had before: every resource below it gets a `moved` block, those of
 * add-ons that come later too.
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
