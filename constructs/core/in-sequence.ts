import type { TerraformResource } from "cdktf";
import { addressOf } from "./stack";

/**
 * Policies and schedules of one group or service, created and changed one after the other: AWS refuses some of the concurrent
 * changes to one target.
 *
 * @see https://github.com/hashicorp/terraform-provider-aws/issues/17915
 */
export class InSequence {
  #last: string | undefined;

  add(resource: TerraformResource): void {
    if (this.#last !== undefined) resource.dependsOn = [...(resource.dependsOn ?? []), this.#last];
    this.#last = addressOf(resource);
  }
}
