export const RELEASE_OWNERS = ["terraform", "pipeline"] as const;
/**
 * Owner of releases, which decides the running version: `terraform apply`, or the release command (run manually or by a
 * pipeline).
 */
export type ReleaseOwner = (typeof RELEASE_OWNERS)[number];

/** Resources of a service that AWS or a release modifies while it runs. */
export type WrittenResource = "service" | "scalableTarget" | "schedule" | "listenerRule" | "releaseRecord";

/** Properties of a service that decide which attributes others modify. */
export interface Circumstances {
  readonly owner: ReleaseOwner;
  /** Deployment strategy: `rolling`, `blueGreen`, `codeDeploy` ... */
  readonly strategy: string;
  /** True if a schedule sets the bounds of the service's scaling. */
  readonly schedules: boolean;
}

/** An attribute that is modified outside Terraform. */
export interface WrittenAttribute {
  readonly resource: WrittenResource;
  /** Attribute in the syntax of `ignore_changes`. */
  readonly attribute: string;
  /** Writer of the attribute. */
  readonly writer: string;
  readonly when: (circumstances: Circumstances) => boolean;
  readonly source: string;
}

const always = () => true;

/**
 * All attributes that AWS or a release modifies and that Terraform must not reset. One row for each attribute; the
 * `ignore_changes` of every resource are derived from this table.
 *
 * @see https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle#ignore_changes
 */
export const WRITTEN_BY_OTHERS: readonly WrittenAttribute[] = [
  {
    resource: "service",
    attribute: "desired_count",
    writer: "Application Auto Scaling",
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
      writer: "a release by CodeDeploy, whose task sets have their own values; ECS refuses other changes",
      when: ({ strategy }) => strategy === "codeDeploy",
      source: "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html",
    }),
  ),
  {
    resource: "listenerRule",
    attribute: "action",
    writer: "CodeDeploy, which shifts requests with it and rewrites it",
    when: ({ strategy }) => strategy === "codeDeploy",
    source: "https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html",
  },
  // Only groups and weights: a rule with one group gets its second in the apply that changes the strategy.
  ...["stickiness", "target_group"].map(
    (part): WrittenAttribute => ({
      resource: "listenerRule",
      attribute: `action[0].forward[0].${part}`,
      writer: "ECS, which shifts requests with it",
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

/** Returns the sorted `ignore_changes` of a resource. */
export function ignoredChanges(resource: WrittenResource, circumstances: Circumstances): string[] {
  return WRITTEN_BY_OTHERS.filter((row) => row.resource === resource && row.when(circumstances))
    .map(({ attribute }) => attribute)
    .sort();
}
