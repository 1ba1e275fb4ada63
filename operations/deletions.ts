import type { TerraformPlan } from "./terraform-plan";

/** Plan of a stack in two parts. */
export interface Split {
  /** Addresses of resources that it deletes. */
  readonly deleted: readonly string[];
  /** Addresses of everything else that it changes or moves. */
  readonly rest: readonly string[];
}

/**
 * Splits off the deletions of a plan, which wait until the stacks that depend on it no longer use what is deleted: AWS does
 * not delete the security group of running tasks, for example. Within one stack Terraform keeps this order itself.
 *
 * @returns undefined if nothing can wait: nothing is deleted, or a new resource takes a name that only the deletion frees
 */
export function splitDeletions(plan: TerraformPlan): Split | undefined {
  const changes = plan.resource_changes;
  const gone = changes.filter((each) => isOnly("delete", each) && each.deposed === undefined);
  if (gone.length === 0) return undefined;
  const taken = new Set(gone.flatMap(({ type, change }) => nameOf(type, change.before)));
  const isTaken = changes.some(
    (each) => isOnly("create", each) && nameOf(each.type, each.change.after).some((name) => taken.has(name)),
  );
  if (isTaken) return undefined;
  const stays = changes.filter(
    (each) =>
      !gone.includes(each) &&
      each.deposed === undefined &&
      (each.previous_address !== undefined || each.change.actions.join() !== "no-op"),
  );
  return { deleted: gone.map(({ address }) => address), rest: stays.map(({ address }) => address) };
}

function isOnly(action: string, { change }: TerraformPlan["resource_changes"][number]): boolean {
  return change.actions.join() === action;
}

/** Type and name of a resource; empty if it has no name. */
function nameOf(type: string, values: unknown): string[] {
  const name = (values as { readonly name?: unknown } | null | undefined)?.name;
  return typeof name === "string" ? [`${type} ${name}`] : [];
}
