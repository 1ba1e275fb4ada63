import type { TerraformPlan } from "../../../operations/terraform-plan";

export type Change = TerraformPlan["resource_changes"][number]["change"];

/** A plan of changes, as `address: actions`. */
export function plan(changes: Readonly<Record<string, readonly string[] | Change>>): TerraformPlan {
  return {
    resource_changes: Object.entries(changes).map(([address, change]) => ({
      address,
      type: address.split(".")[0] as string,
      change: "actions" in change ? change : { actions: change },
    })),
  };
}
