export const RELEASE_OWNERS = ["terraform", "pipeline"] as const;
/** Who decides which release runs: `terraform apply`, or the release command (by hand or in a pipeline). */
export type ReleaseOwner = (typeof RELEASE_OWNERS)[number];

/**
 * What Terraform must not put back on an `aws_ecs_service`: what others write to it while it runs.
 *
 * @see https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle#ignore_changes
 */
export function ignoredServiceChanges(owner: ReleaseOwner): string[] {
  // The scaler writes the count, whoever releases.
  return owner === "pipeline" ? ["desired_count", "task_definition"] : ["desired_count"];
}
