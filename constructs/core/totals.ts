import type { Quota } from "./quotas";

/** Limit of what belongs together: several resources, or the parts of one. */
export interface Total {
  /** Things that are counted, and their owner: completes "has 61 ...". */
  readonly what: string;
  /** Terraform type of the resources that are counted. */
  readonly type: string;
  /**
   * Attribute whose text is measured, or whose elements are counted.
   *
   * @default - the resources are counted
   */
  readonly attribute?: string;
  /**
   * Unit of the attribute: characters without white space; bytes of JSON; or elements of a list or block, also of a list in JSON.
   *
   * @default "elements"
   */
  readonly unit?: "characters" | "bytes" | "elements";
  /** Attribute that names the owner; `region`: all resources of an account and region; `self`: each resource. */
  readonly per: string;
  readonly limit: number;
  /**
   * Quota in `environment.quotas` that raises the limit.
   *
   * @default - AWS does not raise it
   */
  readonly quota?: Quota;
  readonly remedy: string;
}

/**
 * Limits of sums, which the parts keep while the whole does not. Synth checks them over all stacks of an app.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 * @see https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html
 * @see https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html
 * @see https://docs.aws.amazon.com/fis/latest/userguide/fis-quotas.html
 * @see https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
 */
export const TOTALS: readonly Total[] = [
  {
    what: "characters in the inline policies of a role",
    type: "aws_iam_role_policy",
    attribute: "policy",
    unit: "characters",
    per: "role",
    limit: 10_240,
    remedy: "Split the service, or give the resources names with a common prefix and grant that.",
  },
  {
    what: "characters in a managed policy",
    type: "aws_iam_policy",
    attribute: "policy",
    unit: "characters",
    per: "self",
    limit: 6144,
    remedy: "Split it into several policies.",
  },
  {
    what: "managed policies attached to a role",
    type: "aws_iam_role_policy_attachment",
    per: "role",
    limit: 10,
    quota: "managedPoliciesPerRole",
    remedy: "Attach fewer, or have AWS raise the quota and set environment.quotas.managedPoliciesPerRole.",
  },
  ...(["egress", "ingress"] as const).map(
    (direction): Total => ({
      what: `${direction === "egress" ? "outbound" : "inbound"} rules of a security group`,
      type: `aws_vpc_security_group_${direction}_rule`,
      per: "security_group_id",
      limit: 60,
      quota: "rulesPerSecurityGroup",
      remedy:
        "Use a second platform or route calls through one service; or have AWS raise the quota and set environment.quotas.rulesPerSecurityGroup.",
    }),
  ),
  {
    what: "certificates of a listener, besides its default one",
    type: "aws_lb_listener_certificate",
    per: "listener_arn",
    limit: 25,
    quota: "certificatesPerLoadBalancer",
    remedy:
      "Use one certificate with a wildcard for the platform's domain, or have AWS raise the quota and set environment.quotas.certificatesPerLoadBalancer.",
  },
  {
    what: "CloudWatch Logs resource policies of a region",
    type: "aws_cloudwatch_log_resource_policy",
    per: "region",
    limit: 10,
    remedy: "Use fewer platforms in one account and region.",
  },
  {
    what: "subscription filters of a log group",
    type: "aws_cloudwatch_log_subscription_filter",
    per: "log_group_name",
    limit: 2,
    remedy: "Send the lines to at most two destinations.",
  },
  {
    what: "metric filters of a log group",
    type: "aws_cloudwatch_log_metric_filter",
    per: "log_group_name",
    limit: 100,
    remedy: "Count in fewer metrics, with dimensions.",
  },
  {
    what: "containers of a task definition",
    type: "aws_ecs_task_definition",
    attribute: "container_definitions",
    per: "self",
    limit: 10,
    remedy: "Use fewer sidecars.",
  },
  {
    what: "bytes in the environment variables of a function",
    type: "aws_lambda_function",
    attribute: "environment.variables",
    unit: "bytes",
    per: "self",
    limit: 4096,
    remedy: "Store long values in a parameter.",
  },
  {
    what: "scaling policies of a service",
    type: "aws_appautoscaling_policy",
    per: "resource_id",
    limit: 50,
    remedy: "Scale by fewer metrics.",
  },
  {
    what: "scheduled actions of a service",
    type: "aws_appautoscaling_scheduled_action",
    per: "resource_id",
    limit: 200,
    remedy: "Use fewer schedules.",
  },
  {
    what: "scaling policies of an Auto Scaling group",
    type: "aws_autoscaling_policy",
    per: "autoscaling_group_name",
    limit: 50,
    remedy: "Scale by fewer metrics.",
  },
  {
    what: "scheduled actions of an Auto Scaling group",
    type: "aws_autoscaling_schedule",
    per: "autoscaling_group_name",
    limit: 125,
    remedy: "Use fewer schedules.",
  },
  {
    what: "lifecycle hooks of an Auto Scaling group",
    type: "aws_autoscaling_lifecycle_hook",
    per: "autoscaling_group_name",
    limit: 50,
    remedy: "Use fewer lifecycle hooks.",
  },
  {
    what: "stop conditions of an experiment",
    type: "aws_fis_experiment_template",
    attribute: "stop_condition",
    per: "self",
    limit: 5,
    remedy: "Name fewer alarms.",
  },
  {
    what: "alarms of a deployment group",
    type: "aws_codedeploy_deployment_group",
    attribute: "alarm_configuration.alarms",
    per: "self",
    limit: 10,
    remedy: "Use fewer alarms, or combine them in a composite alarm.",
  },
];
