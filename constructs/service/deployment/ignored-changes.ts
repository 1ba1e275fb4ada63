export const RELEASE_OWNERS = ["terraform", "pipeline"] as const;
/** Who decides which release runs: `terraform apply`, or the release command (by hand or in a pipeline). */
export type ReleaseOwner = (typeof RELEASE_OWNERS)[number];

/** Resources of a service that others write to while it runs. */
export type WrittenResource = "service" | "scalableTarget" | "schedule" | "listenerRule" | "releaseRecord";

/** What decides whether others write to an attribute of a service. */
export interface Circumstances {
  readonly owner: ReleaseOwner;
  /** How it goes over to a new version: `rolling`, `blueGreen`, `codeDeploy` ... */
  readonly strategy: string;
  /** Whether a schedule sets the bounds of its scaling. */
  readonly schedules: boolean;
}

/** One attribute that others write. */
export interface WrittenAttribute {
  readonly resource: WrittenResource;
  /** As `ignore_changes` wants it. */
  readonly attribute: string;
  /** Who writes it. */
  readonly writer: string;
  readonly when: (circumstances: Circumstances) => boolean;
  readonly source: string;
}

const always = () => true;

/**
 * All that AWS or a release writes to what Terraform has made, and that Terraform must not put back. One row an attribute;
 * the `ignore_changes` of every resource come from here.
 *
 * @see https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle#ignore_changes
 */
export const WRITTEN_BY_OTHERS: readonly WrittenAttribute[] = [
  {
    resource: "service",
    attribute: "desired_count",
    writer: "the scaler, whoever releases",
    when: always,
    source: "https://github.com/hashicorp/terraform-provider-aws/issues/335",
  },
  {
    resource: "service",
    attribute: "task_definition",
    writer: "a release",
    when: ({ owner }) => owner === "pipeline",
    source: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html",
  },
  ...["capacity_provider_strategy", "load_balancer", "network_configuration", "platform_version"].map(
    (attribute): WrittenAttribute => ({
      resource: "service",
      attribute,
      writer: "a release by CodeDeploy, whose task sets have their own; ECS takes none of it from anybody else",
      when: ({ strategy }) => strategy === "codeDeploy",
      source: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html",
    }),
  ),
  {
    resource: "listenerRule",
    attribute: "action",
    writer: "CodeDeploy, which moves requests by it and also makes another kind of it",
    when: ({ strategy }) => strategy === "codeDeploy",
    source: "https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html",
  },
  // Groups and weights alone: a rule that had one group gets its second at the apply that changes the strategy.
  ...["stickiness", "target_group"].map(
    (part): WrittenAttribute => ({
      resource: "listenerRule",
      attribute: `action[0].forward[0].${part}`,
      writer: "ECS, which moves requests by it",
      when: ({ strategy }) => ["blueGreen", "canary", "linear"].includes(strategy),
      source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/alb-resources-for-blue-green.html",
    }),
  ),
  {
    resource: "schedule",
    attribute: "target[0].ecs_parameters[0].task_definition_arn",
    writer: "a release",
    when: ({ owner }) => owner === "pipeline",
    source: "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html",
  },
  ...["min_capacity", "max_capacity"].map(
    (attribute): WrittenAttribute => ({
      resource: "scalableTarget",
      attribute,
      writer: "a scheduled action",
      when: ({ schedules }) => schedules,
      source:
        "https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html",
    }),
  ),
  {
    resource: "releaseRecord",
    attribute: "insecure_value",
    writer: "a release",
    when: always,
    source: "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html",
  },
];

/** The `ignore_changes` of a resource, sorted. */
export function ignoredChanges(resource: WrittenResource, circumstances: Circumstances): string[] {
  return WRITTEN_BY_OTHERS.filter((row) => row.resource === resource && row.when(circumstances))
    .map(({ attribute }) => attribute)
    .sort();
}
