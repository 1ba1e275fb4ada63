/** Limit of a text in a request to AWS. */
export interface TextLimit {
  /** Attributes of Terraform resources that become the text: `aws_iam_role.name`. `*` stands for every key of a map. */
  readonly fields: readonly string[];
  /** Service, operation and field, as the API reference of the service names them. */
  readonly api: string;
  readonly min?: number;
  readonly max: number;
  /** Counts bytes of UTF-8 in place of characters. */
  readonly bytes?: boolean;
  /** @default - any text */
  readonly pattern?: RegExp;
  /** The pattern in words: completes "use ...". */
  readonly allowed?: string;
}

/** A kind of name: its pattern, and the pattern in words. */
type Format = Required<Pick<TextLimit, "pattern" | "allowed">>;

const format = (pattern: RegExp, allowed: string): Format => ({ pattern, allowed });

const ASCII = format(/^[\x20-\x7e]*$/, "printable ASCII characters");
const URL = format(/^[\x21-\x7e]+$/, "printable ASCII characters without spaces");
const PRINTABLE = format(/^[^\p{Cc}]*$/u, "printable characters");
const WORDS = format(/^[\w-]+$/, "ASCII letters, digits, - and _");
const DOTTED = format(/^[\w.-]+$/, "ASCII letters, digits and . - _");
const IAM = format(/^[\w+=,.@-]+$/, "ASCII letters, digits and + = , . @ - _");
const PIPELINE = format(/^[A-Za-z0-9.@_-]+$/, "ASCII letters, digits and . @ - _");
const HYPHENS = format(
  /^[a-z](?:-?[a-z0-9])*$/,
  "lowercase letters, digits and single hyphens, starting with a letter and not ending with a hyphen",
);
const NO_COLON = format(/^[^:*]*$/, "characters other than : and *");
const RULE = format(/^[A-Za-z0-9 ._:/()#,@[\]+=&;{}!$*-]*$/, "ASCII letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*");
const METRIC = format(/^(?!:)[\w .\-/#:]+$/, "ASCII letters, digits, spaces and . - _ / # :, not starting with :");
const LATIN = format(/^[\t\n\r\x20-\x7e\xa1-\xff]*$/, "printable Latin-1 characters");
const POLICY = format(/^[\t\n\r\x20-\xff]*$/, "Latin-1 characters");

const limit = (api: string, fields: readonly string[], max: number, rest: Partial<TextLimit> = {}): TextLimit => ({
  api,
  fields: fields.map((field) => `aws_${field}`),
  max,
  ...rest,
});

/** Characters that Terraform adds to a prefix. */
const SUFFIX = 26;

const STREAM = "kinesis_firehose_delivery_stream";
const TRACKED = "target_tracking_scaling_policy_configuration.customized_metric_specification.metrics";

/**
 * Limits of texts that the constructs send to AWS: names after every suffix, descriptions, patterns, documents. Synth checks
 * the final attributes against them, so a limit holds for every construct that writes the attribute, and for overrides.
 *
 * A test compares them with the service models of AWS; where the models state none, the limit is that of the API reference.
 */
export const TEXT_LIMITS: readonly TextLimit[] = [
  limit("application-autoscaling PutScalingPolicy PolicyName", ["appautoscaling_policy.name"], 256, PRINTABLE),
  limit(
    "application-autoscaling PutScheduledAction ScheduledActionName",
    ["appautoscaling_scheduled_action.name"],
    256,
    WORDS,
  ),
  limit(
    "application-autoscaling PutScalingPolicy TargetTrackingScalingPolicyConfiguration.CustomizedMetricSpecification.Metrics.MetricStat.Metric.Namespace",
    [`appautoscaling_policy.${TRACKED}.metric_stat.metric.namespace`],
    255,
    METRIC,
  ),
  limit(
    "application-autoscaling PutScalingPolicy TargetTrackingScalingPolicyConfiguration.CustomizedMetricSpecification.Metrics.MetricStat.Metric.Dimensions.Value",
    [`appautoscaling_policy.${TRACKED}.metric_stat.metric.dimensions.value`],
    1024,
    ASCII,
  ),
  limit(
    "application-autoscaling PutScalingPolicy TargetTrackingScalingPolicyConfiguration.CustomizedMetricSpecification.Metrics.Expression",
    [`appautoscaling_policy.${TRACKED}.expression`],
    2048,
    PRINTABLE,
  ),
  limit(
    "application-autoscaling RegisterScalableTarget ResourceId",
    ["appautoscaling_target.resource_id"],
    1600,
    PRINTABLE,
  ),
  limit(
    "autoscaling CreateAutoScalingGroup AutoScalingGroupName",
    ["autoscaling_group.name_prefix"],
    255 - SUFFIX,
    PRINTABLE,
  ),
  limit("autoscaling PutScalingPolicy PolicyName", ["autoscaling_policy.name"], 255, PRINTABLE),
  limit(
    "autoscaling PutScheduledUpdateGroupAction ScheduledActionName",
    ["autoscaling_schedule.scheduled_action_name"],
    255,
    PRINTABLE,
  ),
  limit(
    "autoscaling PutLifecycleHook LifecycleHookName",
    ["autoscaling_lifecycle_hook.name", "autoscaling_group.initial_lifecycle_hook.name"],
    255,
    format(/^[\w/-]+$/, "ASCII letters, digits and - _ /"),
  ),
  limit(
    "autoscaling PutLifecycleHook NotificationMetadata",
    [
      "autoscaling_lifecycle_hook.notification_metadata",
      "autoscaling_group.initial_lifecycle_hook.notification_metadata",
    ],
    1023,
    { min: 1, ...format(/^[\t\n\r\x20-\x7e]+$/, "ASCII characters") },
  ),
  limit(
    "chatbot CreateSlackChannelConfiguration ConfigurationName",
    ["chatbot_slack_channel_configuration.configuration_name"],
    128,
    WORDS,
  ),
  limit(
    "cloudwatch PutMetricAlarm AlarmName",
    ["cloudwatch_metric_alarm.alarm_name", "cloudwatch_composite_alarm.alarm_name"],
    255,
    PRINTABLE,
  ),
  limit(
    "cloudwatch PutMetricAlarm AlarmDescription",
    ["cloudwatch_metric_alarm.alarm_description", "cloudwatch_composite_alarm.alarm_description"],
    1024,
  ),
  limit("cloudwatch PutMetricAlarm Metrics.Expression", ["cloudwatch_metric_alarm.metric_query.expression"], 2048),
  limit(
    "cloudwatch PutMetricAlarm Namespace",
    [
      "cloudwatch_metric_alarm.namespace",
      "cloudwatch_metric_alarm.metric_query.metric.namespace",
      "autoscaling_policy.target_tracking_configuration.customized_metric_specification.namespace",
    ],
    255,
    METRIC,
  ),
  limit(
    "cloudwatch PutMetricAlarm MetricName",
    [
      "cloudwatch_metric_alarm.metric_name",
      "cloudwatch_metric_alarm.metric_query.metric.metric_name",
      "autoscaling_policy.target_tracking_configuration.customized_metric_specification.metric_name",
      `appautoscaling_policy.${TRACKED}.metric_stat.metric.metric_name`,
    ],
    255,
    ASCII,
  ),
  limit(
    "cloudwatch PutMetricAlarm Dimensions.Value",
    [
      "cloudwatch_metric_alarm.dimensions.*",
      "cloudwatch_metric_alarm.metric_query.metric.dimensions.*",
      "autoscaling_policy.target_tracking_configuration.customized_metric_specification.metric_dimension.value",
    ],
    1024,
    ASCII,
  ),
  limit(
    "cloudwatch PutMetricAlarm Dimensions.Name",
    [
      `appautoscaling_policy.${TRACKED}.metric_stat.metric.dimensions.name`,
      "autoscaling_policy.target_tracking_configuration.customized_metric_specification.metric_dimension.name",
    ],
    255,
    ASCII,
  ),
  limit("cloudwatch PutCompositeAlarm AlarmRule", ["cloudwatch_composite_alarm.alarm_rule"], 10_240),
  limit("cloudwatch PutDashboard DashboardName", ["cloudwatch_dashboard.dashboard_name"], 255, WORDS),
  limit("codebuild CreateProject name", ["codebuild_project.name"], 150, {
    min: 2,
    ...format(/^[A-Za-z0-9][\w-]*$/, "ASCII letters, digits, - and _, starting with a letter or digit"),
  }),
  limit("codebuild CreateProject description", ["codebuild_project.description"], 255),
  limit("codeconnections CreateConnection ConnectionName", ["codeconnections_connection.name"], 32, PRINTABLE),
  limit("codedeploy CreateApplication applicationName", ["codedeploy_app.name"], 100, IAM),
  limit(
    "codedeploy CreateDeploymentConfig deploymentConfigName",
    ["codedeploy_deployment_config.deployment_config_name"],
    100,
    IAM,
  ),
  limit(
    "codedeploy CreateDeploymentGroup deploymentGroupName",
    ["codedeploy_deployment_group.deployment_group_name"],
    100,
    IAM,
  ),
  limit("codepipeline CreatePipeline pipeline.name", ["codepipeline.name"], 100, PIPELINE),
  limit("codepipeline CreatePipeline pipeline.stages.name", ["codepipeline.stage.name"], 100, PIPELINE),
  limit("codepipeline CreatePipeline pipeline.stages.actions.name", ["codepipeline.stage.action.name"], 100, PIPELINE),
  limit(
    "codepipeline CreatePipeline pipeline.stages.actions.configuration.value",
    ["codepipeline.stage.action.configuration.*"],
    1000,
    { min: 1 },
  ),
  limit(
    "codepipeline CreatePipeline pipeline.variables.description",
    ["codepipeline.variable.description"],
    200,
    PRINTABLE,
  ),
  limit(
    "codestar-notifications CreateNotificationRule Name",
    ["codestarnotifications_notification_rule.name"],
    64,
    format(/^[\w -]+$/, "ASCII letters, digits, spaces, - and _"),
  ),
  limit(
    "cognito-idp CreateUserPool PoolName",
    ["cognito_user_pool.name", "cognito_user_pool_client.name"],
    128,
    format(/^[\w +=,.@-]+$/, "ASCII letters, digits, spaces and + = , . @ - _"),
  ),
  limit(
    "cognito-idp CreateUserPoolDomain Domain",
    ["cognito_user_pool_domain.domain"],
    63,
    format(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, "lowercase letters, digits and hyphens"),
  ),
  limit("cognito-idp CreateUserPoolClient CallbackURLs", ["cognito_user_pool_client.callback_urls"], 1024, URL),
  limit("dynamodb CreateTable TableName", ["dynamodb_table.name"], 255, { min: 3, ...DOTTED }),
  limit("dynamodb CreateTable AttributeDefinitions.AttributeName", ["dynamodb_table.attribute.name"], 255, { min: 1 }),
  limit(
    "ec2 CreateLaunchTemplate LaunchTemplateName",
    ["launch_template.name_prefix"],
    128 - SUFFIX,
    format(/^[A-Za-z0-9().\-/_]+$/, "ASCII letters, digits and ( ) . - / _"),
  ),
  limit("ec2 CreateSecurityGroup GroupName", ["security_group.name_prefix"], 255 - SUFFIX, RULE),
  limit(
    "ec2 CreateSecurityGroup Description",
    [
      "security_group.description",
      "vpc_security_group_egress_rule.description",
      "vpc_security_group_ingress_rule.description",
    ],
    255,
    RULE,
  ),
  limit("ecr CreateRepository repositoryName", ["ecr_repository.name"], 256, {
    min: 2,
    ...format(
      /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/,
      "lowercase letters and digits, separated by . _ - or /",
    ),
  }),
  limit("ecr PutLifecyclePolicy lifecyclePolicyText", ["ecr_lifecycle_policy.policy"], 30_720),
  limit("ecs CreateCluster clusterName", ["ecs_cluster.name"], 255, WORDS),
  limit("ecs CreateService serviceName", ["ecs_service.name"], 255, WORDS),
  limit(
    "ecs CreateService serviceConnectConfiguration.services.discoveryName",
    [
      "ecs_service.service_connect_configuration.service.discovery_name",
      "ecs_service.service_connect_configuration.service.port_name",
    ],
    64,
    format(/^[a-z0-9_][a-z0-9_-]*$/, "lowercase letters, digits, - and _"),
  ),
  limit("ecs RegisterTaskDefinition family", ["ecs_task_definition.family"], 255, WORDS),
  limit(
    "ecs CreateCapacityProvider name",
    ["ecs_capacity_provider.name"],
    255,
    format(/^(?!aws|ecs|fargate)[\w-]+$/i, "ASCII letters, digits, - and _, not starting with aws, ecs or fargate"),
  ),
  limit(
    "elasticache CreateReplicationGroup ReplicationGroupId",
    ["elasticache_replication_group.replication_group_id", "elasticache_user_group.user_group_id"],
    40,
    HYPHENS,
  ),
  limit("elasticache CreateUser UserId", ["elasticache_user.user_id", "elasticache_user.user_name"], 40, HYPHENS),
  limit("elasticache CreateCacheSubnetGroup CacheSubnetGroupName", ["elasticache_subnet_group.name"], 255, WORDS),
  limit("elbv2 CreateLoadBalancer Name", ["lb.name"], 32, {
    ...format(
      /^(?!internal-)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/,
      "ASCII letters, digits and hyphens inside, not starting with internal-",
    ),
  }),
  limit(
    "elbv2 CreateTargetGroup Name",
    ["lb_target_group.name_prefix"],
    32 - SUFFIX,
    format(/^[A-Za-z0-9][A-Za-z0-9-]*$/, "ASCII letters, digits and hyphens"),
  ),
  limit("elbv2 CreateTargetGroup HealthCheckPath", ["lb_target_group.health_check.path"], 1024, { min: 1, ...ASCII }),
  limit("events PutRule Name", ["cloudwatch_event_rule.name"], 64, DOTTED),
  limit("events PutRule Description", ["cloudwatch_event_rule.description"], 512),
  limit("events PutRule EventPattern", ["cloudwatch_event_rule.event_pattern"], 4096),
  limit("firehose CreateDeliveryStream DeliveryStreamName", [`${STREAM}.name`], 64, DOTTED),
  limit(
    "firehose CreateDeliveryStream HttpEndpointDestinationConfiguration.EndpointConfiguration.Url",
    [`${STREAM}.http_endpoint_configuration.url`],
    1000,
    format(/^https:\/\/[\x21-\x7e]*$/, "a URL with https://"),
  ),
  limit(
    "firehose CreateDeliveryStream HttpEndpointDestinationConfiguration.EndpointConfiguration.Name",
    [`${STREAM}.http_endpoint_configuration.name`],
    256,
    { min: 1, ...WORDS },
  ),
  limit(
    "firehose CreateDeliveryStream ExtendedS3DestinationConfiguration.Prefix",
    [
      `${STREAM}.extended_s3_configuration.prefix`,
      `${STREAM}.extended_s3_configuration.error_output_prefix`,
      `${STREAM}.http_endpoint_configuration.s3_configuration.prefix`,
      `${STREAM}.http_endpoint_configuration.s3_configuration.error_output_prefix`,
    ],
    1024,
    PRINTABLE,
  ),
  limit("fis CreateExperimentTemplate description", ["fis_experiment_template.description"], 512, { min: 1 }),
  limit(
    "fis CreateExperimentTemplate actions.key",
    ["fis_experiment_template.action.name", "fis_experiment_template.target.name"],
    64,
    WORDS,
  ),
  limit(
    "fis CreateExperimentTemplate experimentReportConfiguration.outputs.s3Configuration.prefix",
    ["fis_experiment_template.experiment_report_configuration.outputs.s3_configuration.prefix"],
    256,
    format(/^\S+$/, "characters other than spaces"),
  ),
  limit("iam CreateRole RoleName", ["iam_role.name"], 64, IAM),
  limit(
    "iam CreateRole Path",
    ["iam_role.path", "iam_policy.path"],
    512,
    format(/^\/(?:[\x21-\x7e]+\/)?$/, "ASCII characters without spaces, beginning and ending with /"),
  ),
  limit("iam CreateRole AssumeRolePolicyDocument", ["iam_role.assume_role_policy"], 2048, POLICY),
  limit("iam CreateRole Description", ["iam_role.description", "iam_policy.description"], 1000, LATIN),
  limit("iam CreateInstanceProfile InstanceProfileName", ["iam_instance_profile.name"], 128, IAM),
  limit("iam CreatePolicy PolicyName", ["iam_policy.name", "iam_role_policy.name"], 128, IAM),
  limit("iam PutRolePolicy PolicyDocument", ["iam_role_policy.policy", "iam_policy.policy"], 131_072, POLICY),
  limit("kms CreateKey Description", ["kms_key.description"], 8192),
  limit("kms CreateKey Policy", ["kms_key.policy"], 32_768, POLICY),
  limit("lambda CreateFunction FunctionName", ["lambda_function.function_name"], 64, WORDS),
  limit("lambda CreateFunction Description", ["lambda_function.description"], 256),
  limit(
    "logs CreateLogGroup logGroupName",
    ["cloudwatch_log_group.name", "cloudwatch_log_metric_filter.log_group_name"],
    512,
    format(/^(?!aws\/)[\w./#-]+$/, "ASCII letters, digits and . - _ / #, not starting with aws/"),
  ),
  limit(
    "logs CreateLogStream logStreamName",
    [
      "cloudwatch_log_stream.name",
      `${STREAM}.extended_s3_configuration.cloudwatch_logging_options.log_stream_name`,
      `${STREAM}.http_endpoint_configuration.cloudwatch_logging_options.log_stream_name`,
      `${STREAM}.http_endpoint_configuration.s3_configuration.cloudwatch_logging_options.log_stream_name`,
    ],
    512,
    NO_COLON,
  ),
  limit("logs PutMetricFilter filterName", ["cloudwatch_log_metric_filter.name"], 512, NO_COLON),
  limit(
    "logs PutMetricFilter filterPattern",
    ["cloudwatch_log_metric_filter.pattern", "cloudwatch_log_subscription_filter.filter_pattern"],
    1024,
  ),
  limit(
    "logs PutMetricFilter metricTransformations.metricName",
    ["cloudwatch_log_metric_filter.metric_transformation.name"],
    255,
    format(/^[\x20-#%-)+-9;-~]*$/, "printable ASCII characters other than : * and $"),
  ),
  limit(
    "logs PutMetricFilter metricTransformations.metricNamespace",
    ["cloudwatch_log_metric_filter.metric_transformation.namespace"],
    255,
    format(/^(?!AWS\/)[\w .\-/#]+$/, "ASCII letters, digits, spaces and . - _ / #, not starting with AWS/"),
  ),
  limit("logs PutSubscriptionFilter filterName", ["cloudwatch_log_subscription_filter.name"], 512, NO_COLON),
  limit("logs PutQueryDefinition name", ["cloudwatch_query_definition.name"], 255, { min: 1 }),
  limit("logs PutQueryDefinition queryString", ["cloudwatch_query_definition.query_string"], 10_000),
  limit("logs PutResourcePolicy policyDocument", ["cloudwatch_log_resource_policy.policy_document"], 5120),
  limit(
    "rds CreateDBInstance DBInstanceIdentifier",
    ["db_instance.identifier", "rds_cluster.cluster_identifier", "rds_cluster_instance.identifier"],
    63,
    HYPHENS,
  ),
  limit(
    "rds CreateDBInstance DBName",
    ["db_instance.db_name", "rds_cluster.database_name"],
    63,
    format(/^[A-Za-z]\w*$/, "ASCII letters, digits and _, starting with a letter"),
  ),
  limit(
    "rds CreateDBInstance MasterUsername",
    ["db_instance.username", "rds_cluster.master_username"],
    63,
    format(/^[A-Za-z]\w*$/, "ASCII letters, digits and _, starting with a letter"),
  ),
  limit(
    "rds DeleteDBInstance FinalDBSnapshotIdentifier",
    ["db_instance.final_snapshot_identifier", "rds_cluster.final_snapshot_identifier"],
    255,
    HYPHENS,
  ),
  limit("rds CreateDBSubnetGroup DBSubnetGroupName", ["db_subnet_group.name"], 255, HYPHENS),
  limit(
    "rds CreateDBParameterGroup DBParameterGroupName",
    ["db_parameter_group.name_prefix", "rds_cluster_parameter_group.name_prefix"],
    255 - SUFFIX,
    format(/^[a-z](?:-?[a-z0-9])*-$/, "lowercase letters, digits and single hyphens, starting with a letter"),
  ),
  limit(
    "route53 ChangeResourceRecordSets ChangeBatch.Changes.ResourceRecordSet.Name",
    ["route53_record.name"],
    255,
    ASCII,
  ),
  limit(
    "s3 CreateBucket Bucket",
    [
      "s3_bucket.bucket",
      "fis_experiment_template.experiment_report_configuration.outputs.s3_configuration.bucket_name",
    ],
    63,
    {
      min: 3,
      ...format(
        /^(?!xn--|sthree-|amzn-s3-demo-)(?!.*(?:-s3alias|--ol-s3|--x-s3)$)(?!.*\.\.)[a-z0-9][a-z0-9.-]*[a-z0-9]$/,
        "lowercase letters, digits, . and -, starting and ending with a letter or digit",
      ),
    },
  ),
  limit(
    "s3 CreateBucket Bucket",
    ["s3_bucket.bucket_prefix"],
    63 - SUFFIX,
    format(/^[a-z0-9][a-z0-9.-]*$/, "lowercase letters, digits, . and -, starting with a letter or digit"),
  ),
  limit("s3 PutBucketPolicy Policy", ["s3_bucket_policy.policy"], 20_480, { bytes: true }),
  limit("scheduler CreateSchedule Name", ["scheduler_schedule.name"], 64, DOTTED),
  limit("scheduler CreateSchedule Description", ["scheduler_schedule.description"], 512),
  limit("scheduler CreateSchedule ScheduleExpression", ["scheduler_schedule.schedule_expression"], 256),
  limit(
    "servicediscovery CreatePrivateDnsNamespace Name",
    ["service_discovery_private_dns_namespace.name"],
    253,
    format(/^(?!arn:)[\x21-\x7e]+$/, "printable ASCII characters"),
  ),
  limit(
    "servicediscovery CreateService Name",
    ["service_discovery_service.name"],
    63,
    format(/^[A-Za-z0-9](?:[\w-]*\w)?$/, "ASCII letters, digits, - and _"),
  ),
  limit(
    "servicediscovery CreateService Description",
    ["service_discovery_service.description", "service_discovery_private_dns_namespace.description"],
    1024,
  ),
  limit("sns CreateTopic Name", ["sns_topic.name"], 256, format(/^[\w-]+(?:\.fifo)?$/, WORDS.allowed)),
  limit("sns CreateTopic Attributes", ["sns_topic.policy", "sns_topic_policy.policy"], 30_720, { bytes: true }),
  limit("sqs CreateQueue QueueName", ["sqs_queue.name"], 80, format(/^[\w-]+(?:\.fifo)?$/, WORDS.allowed)),
  limit(
    "ssm PutParameter Name",
    ["ssm_parameter.name"],
    1011,
    format(/^[\w./-]+$/, "ASCII letters, digits and . - _ /"),
  ),
  limit("ssm PutParameter Description", ["ssm_parameter.description"], 1024),
  limit("ssm PutParameter Value", ["ssm_parameter.insecure_value", "ssm_parameter.value"], 4096, {
    min: 1,
    bytes: true,
  }),
  limit("wafv2 CreateWebACL Name", ["wafv2_web_acl.name", "wafv2_web_acl.rule.name"], 128, WORDS),
  limit(
    "wafv2 CreateWebACL VisibilityConfig.MetricName",
    ["wafv2_web_acl.visibility_config.metric_name", "wafv2_web_acl.rule.visibility_config.metric_name"],
    128,
    format(/^[\w#:.\-/]+$/, "ASCII letters, digits and # : . - / _"),
  ),
];

/**
 * Names that AWS accepts once in an account and region, or that a second resource would overwrite. Each row is one set of
 * names, which its attributes share.
 */
export const UNIQUE_NAMES: readonly (readonly string[])[] = [
  ["aws_cloudwatch_metric_alarm.alarm_name", "aws_cloudwatch_composite_alarm.alarm_name"],
  ["aws_db_instance.identifier", "aws_rds_cluster_instance.identifier"],
  ...[
    "cloudwatch_dashboard.dashboard_name",
    "cloudwatch_event_rule.name",
    "cloudwatch_log_group.name",
    "cloudwatch_log_resource_policy.policy_name",
    "cloudwatch_query_definition.name",
    "codebuild_project.name",
    "codedeploy_app.name",
    "codepipeline.name",
    "db_subnet_group.name",
    "dynamodb_table.name",
    "ecr_repository.name",
    "ecs_cluster.name",
    "ecs_task_definition.family",
    "elasticache_replication_group.replication_group_id",
    "elasticache_subnet_group.name",
    "elasticache_user.user_id",
    "elasticache_user_group.user_group_id",
    "iam_instance_profile.name",
    "iam_policy.name",
    "iam_role.name",
    `${STREAM}.name`,
    "lambda_function.function_name",
    "lb.name",
    "rds_cluster.cluster_identifier",
    "s3_bucket.bucket",
    "scheduler_schedule.name",
    "sns_topic.name",
    "sqs_queue.name",
    "ssm_parameter.name",
    "wafv2_web_acl.name",
  ].map((field) => [`aws_${field}`]),
];
