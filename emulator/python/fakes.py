"""The one list of what the emulator answers, adds or mends itself: an empty plan that rests on it is weaker than AWS.

`answer` takes the call instead of moto (when it returns something), `amend` completes moto's answer, `patch` mends moto
when it starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from call import Call
from services import app_autoscaling, autoscaling, data, delivery, discovery, ecs, firehose, identity, network, observability

Answer = Callable[[Call], dict[str, Any] | None]
Amend = Callable[[Call, dict[str, Any]], None]


@dataclass(frozen=True)
class Fake:
    """What is faked of some operations, and in which version of moto the lack was seen."""

    service: str
    operations: tuple[str, ...]
    what: str
    answer: Answer | None = None
    amend: Amend | None = None
    patch: Callable[[], None] | None = None
    moto: str = "5.2.1"


FAKES: list[Fake] = [
    Fake(
        "ec2",
        ("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress"),
        "the description of a rule between groups",
        amend=network.remember_descriptions,
    ),
    Fake("ec2", ("ModifySecurityGroupRules",), "the description of a rule between groups", amend=network.remember_changes),
    Fake("ec2", ("DescribeSecurityGroupRules",), "the description of a rule between groups", amend=network.amend_rules),
    Fake(
        "ecs",
        ("CreateService", "UpdateService", "DeleteService"),
        "fields that moto forgets are kept; a deployment completes at once, or is rolled back when told so",
        amend=ecs.amend_service,
    ),
    Fake("ecs", ("DescribeServices",), "kept fields, deployments and events; every wanted task runs", amend=ecs.amend_services),
    Fake("ecs", ("ListTasks",), "the tasks of services; no container runs", amend=ecs.amend_task_list),
    Fake("ecs", ("DescribeTasks",), "the tasks of services; no container runs", amend=ecs.amend_task_descriptions),
    Fake("ecs", ("ListServiceDeployments",), "deployments of services", answer=ecs.list_service_deployments),
    Fake("ecs", ("DescribeServiceDeployments",), "deployments of services", answer=ecs.describe_service_deployments),
    Fake("application-autoscaling", ("ListTagsForResource",), "tags", answer=app_autoscaling.list_tags),
    Fake("application-autoscaling", ("TagResource",), "tags", answer=app_autoscaling.tag),
    Fake("application-autoscaling", ("UntagResource",), "tags", answer=app_autoscaling.untag),
    Fake("application-autoscaling", ("RegisterScalableTarget",), "tags", amend=app_autoscaling.tags_at_registration),
    Fake(
        "application-autoscaling",
        ("DescribeScalingActivities",),
        "always empty: nothing scales",
        answer=app_autoscaling.scaling_activities,
    ),
    Fake("autoscaling", ("CreateAutoScalingGroup", "UpdateAutoScalingGroup"), "the warm-up of a group", amend=autoscaling.remember_group),
    Fake("autoscaling", ("DescribeAutoScalingGroups",), "the warm-up of a group", amend=autoscaling.amend_groups),
    Fake("autoscaling", ("UpdateAutoScalingGroup",), "a mixed instances policy that is not named stays", patch=autoscaling.keep_what_an_update_omits),
    Fake("autoscaling", ("DeleteAutoScalingGroup",), "force ends protected machines too", answer=autoscaling.unprotect_what_is_forced),
    Fake("autoscaling", ("PutScalingPolicy",), "whether a policy is enabled; two groups may have policies of one name", amend=autoscaling.remember_policy, patch=autoscaling.policies_by_group),
    Fake("autoscaling", ("DeletePolicy",), "two groups may have policies of one name", answer=autoscaling.delete_policy),
    Fake("autoscaling", ("ExecutePolicy",), "two groups may have policies of one name", answer=autoscaling.execute_policy),
    Fake("cognito-idp", ("CreateUserPool", "UpdateUserPool"), "the tier of a user pool", amend=identity.remember_tier),
    Fake("cognito-idp", ("DescribeUserPool",), "the tier of a user pool", amend=identity.amend_pool),
    Fake("route53", ("CreateHostedZone",), "ids of zones begin with Z", patch=network.zones_begin_as_in_aws),
    Fake("ec2", ("DescribeSubnets",), "subnets by the association of their IPv6 range", patch=network.know_ipv6_subnets),
    Fake("ec2", ("DescribeLaunchTemplateVersions",), "tags of a launch template are not those of what it launches", amend=network.amend_launch_templates),
    Fake("autoscaling", ("DescribePolicies",), "whether a policy is enabled; no empty predictive configuration", amend=autoscaling.amend_policies),
    Fake("autoscaling", ("PutLifecycleHook",), "role, target and metadata of a hook", amend=autoscaling.remember_hook),
    Fake("autoscaling", ("DescribeLifecycleHooks",), "role, target and metadata of a hook, where moto invents them", amend=autoscaling.amend_hooks),
    Fake("autoscaling", ("PutNotificationConfiguration",), "notifications", answer=autoscaling.put_notification),
    Fake("autoscaling", ("DescribeNotificationConfigurations",), "notifications", answer=autoscaling.describe_notifications),
    Fake("autoscaling", ("DeleteNotificationConfiguration",), "notifications", answer=autoscaling.delete_notification),
    Fake("autoscaling", ("StartInstanceRefresh",), "an instance refresh succeeds at once and replaces nothing", answer=autoscaling.start_refresh),
    Fake("autoscaling", ("DescribeInstanceRefreshes",), "an instance refresh succeeds at once and replaces nothing", answer=autoscaling.describe_refreshes),
    Fake("autoscaling", ("CancelInstanceRefresh",), "an instance refresh succeeds at once and replaces nothing", answer=autoscaling.cancel_refresh),
    Fake("codedeploy", ("GetApplication", "BatchGetApplications",), "times as numbers", amend=delivery.times),
    Fake("codedeploy", ("GetDeploymentGroup",), "alarms and defaults; no empty objects", amend=delivery.amend_deployment_group),
    Fake("codedeploy", ("GetDeployment",), "times as numbers; a deployment succeeds at once and shifts nothing", amend=delivery.amend_deployment),
    Fake("codedeploy", ("ContinueDeployment", "StopDeployment",), "a deployment has always ended", answer=delivery.continue_deployment),
    Fake("codedeploy", ("UpdateDeploymentGroup",), "changing and deleting", answer=delivery.update_deployment_group),
    Fake("codedeploy", ("DeleteApplication",), "changing and deleting", answer=delivery.delete_application),
    Fake("codedeploy", ("DeleteDeploymentGroup",), "changing and deleting", answer=delivery.delete_deployment_group),
    Fake("codedeploy", ("CreateDeploymentConfig",), "deployment configurations", answer=delivery.create_configuration),
    Fake("codedeploy", ("GetDeploymentConfig",), "deployment configurations", answer=delivery.get_configuration),
    Fake("codedeploy", ("DeleteDeploymentConfig",), "deployment configurations", answer=delivery.delete_configuration),
    Fake("codecommit", ("CreateRepository",), "times as numbers; tags", amend=delivery.remember_repository_tags),
    Fake("codecommit", ("GetRepository",), "times as numbers", amend=delivery.times),
    Fake("codecommit", ("ListTagsForResource",), "tags", answer=delivery.list_repository_tags),
    Fake("codebuild", ("CreateProject", "UpdateProject",), "sources and artifacts that a pipeline hands over need no location", patch=delivery.accept_pipeline_projects),
    Fake("codebuild", ("DeleteProject",), "a project is deleted by its ARN too", amend=delivery.delete_project),
    Fake("codepipeline", ("GetPipeline",), "times as numbers", amend=delivery.times),
    Fake("codeconnections", ("CreateConnection",), "the service; a connection stays PENDING", answer=delivery.create_connection),
    Fake("codeconnections", ("GetConnection",), "the service; a connection stays PENDING", answer=delivery.get_connection),
    Fake("codeconnections", ("ListConnections",), "the service; a connection stays PENDING", answer=delivery.list_connections),
    Fake("codeconnections", ("DeleteConnection",), "the service; a connection stays PENDING", answer=delivery.delete_connection),
    Fake("codeconnections", ("ListTagsForResource",), "the service; a connection stays PENDING", answer=delivery.list_connection_tags),
    Fake("codeconnections", ("TagResource",), "the service; a connection stays PENDING", answer=delivery.tag_connection),
    Fake("codeconnections", ("UntagResource",), "the service; a connection stays PENDING", answer=delivery.untag_connection),
    Fake("codestar-connections", ("CreateConnection",), "the service; a connection stays PENDING", answer=delivery.create_connection),
    Fake("codestar-connections", ("GetConnection",), "the service; a connection stays PENDING", answer=delivery.get_connection),
    Fake("codestar-connections", ("ListConnections",), "the service; a connection stays PENDING", answer=delivery.list_connections),
    Fake("codestar-connections", ("DeleteConnection",), "the service; a connection stays PENDING", answer=delivery.delete_connection),
    Fake("codestar-connections", ("ListTagsForResource",), "the service; a connection stays PENDING", answer=delivery.list_connection_tags),
    Fake("codestar-connections", ("TagResource",), "the service; a connection stays PENDING", answer=delivery.tag_connection),
    Fake("codestar-connections", ("UntagResource",), "the service; a connection stays PENDING", answer=delivery.untag_connection),
    Fake("codestar-notifications", ("CreateNotificationRule",), "the service; nothing is sent", answer=delivery.create_rule),
    Fake("codestar-notifications", ("UpdateNotificationRule",), "the service; nothing is sent", answer=delivery.update_rule),
    Fake("codestar-notifications", ("DescribeNotificationRule",), "the service; nothing is sent", answer=delivery.describe_rule),
    Fake("codestar-notifications", ("DeleteNotificationRule",), "the service; nothing is sent", answer=delivery.delete_rule),
    Fake("codestar-notifications", ("ListTagsForResource",), "the service; nothing is sent", answer=delivery.list_rule_tags),
    Fake("codestar-notifications", ("TagResource",), "the service; nothing is sent", answer=delivery.tag_rule),
    Fake("codestar-notifications", ("UntagResource",), "the service; nothing is sent", answer=delivery.untag_rule),
    Fake("codestar-notifications", ("DeleteTarget",), "the service; nothing is sent", answer=delivery.delete_target),
    Fake("cloudwatch", ("PutCompositeAlarm",), "composite alarms; no alarm is ever evaluated", patch=observability.accept_composite_alarms),
    Fake("logs", ("CreateLogGroup",), "the class of a log group", amend=observability.remember_class),
    Fake("logs", ("DescribeLogGroups",), "the class of a log group", amend=observability.amend_groups),
    Fake("logs", ("PutQueryDefinition",), "saved queries", answer=observability.put_query),
    Fake("logs", ("DescribeQueryDefinitions",), "saved queries", answer=observability.describe_queries),
    Fake("logs", ("DeleteQueryDefinition",), "saved queries", answer=observability.delete_query),
    Fake("logs", ("PutDataProtectionPolicy",), "data protection policies; nothing is masked", answer=observability.put_protection),
    Fake("logs", ("GetDataProtectionPolicy",), "data protection policies; nothing is masked", answer=observability.get_protection),
    Fake("logs", ("DeleteDataProtectionPolicy",), "data protection policies; nothing is masked", answer=observability.delete_protection),
    Fake("xray", ("CreateGroup",), "groups", answer=observability.create_group),
    Fake("xray", ("GetGroup",), "groups", answer=observability.get_group),
    Fake("xray", ("UpdateGroup",), "groups", answer=observability.update_group),
    Fake("xray", ("DeleteGroup",), "groups", answer=observability.delete_group),
    Fake("xray", ("CreateSamplingRule",), "sampling rules", answer=observability.create_sampling_rule),
    Fake("xray", ("GetSamplingRules",), "sampling rules", answer=observability.get_sampling_rules),
    Fake("xray", ("UpdateSamplingRule",), "sampling rules", answer=observability.update_sampling_rule),
    Fake("xray", ("DeleteSamplingRule",), "sampling rules", answer=observability.delete_sampling_rule),
    Fake("xray", ("ListTagsForResource",), "tags", answer=observability.list_xray_tags),
    Fake("xray", ("TagResource",), "tags", answer=observability.tag_xray),
    Fake("xray", ("UntagResource",), "tags", answer=observability.untag_xray),
    Fake("fis", ("GetExperimentTemplate",), "reading and changing templates", answer=observability.get_experiment_template),
    Fake("fis", ("ListExperimentTemplates",), "reading and changing templates", answer=observability.list_experiment_templates),
    Fake("fis", ("UpdateExperimentTemplate",), "reading and changing templates", answer=observability.update_experiment_template),
    Fake("fis", ("StartExperiment",), "an experiment completes at once and disturbs nothing", answer=observability.start_experiment),
    Fake("fis", ("GetExperiment",), "an experiment completes at once and disturbs nothing", answer=observability.get_experiment),
    Fake("appconfig", ("CreateEnvironment",), "environments", answer=observability.create_environment),
    Fake("appconfig", ("GetEnvironment",), "environments", answer=observability.get_environment),
    Fake("appconfig", ("UpdateEnvironment",), "environments", answer=observability.update_environment),
    Fake("appconfig", ("DeleteEnvironment",), "environments", answer=observability.delete_environment),
    Fake("appconfig", ("CreateDeploymentStrategy",), "deployment strategies", answer=observability.create_strategy),
    Fake("appconfig", ("GetDeploymentStrategy",), "deployment strategies", answer=observability.get_strategy),
    Fake("appconfig", ("UpdateDeploymentStrategy",), "deployment strategies", answer=observability.update_strategy),
    Fake("appconfig", ("DeleteDeploymentStrategy",), "deployment strategies", answer=observability.delete_strategy),
    Fake("rds", ("CreateDBInstance", "DescribeDBInstances",), "a resource id of its own for each instance, found by it", patch=data.own_resource_ids),
    Fake("ec2", ("DeleteNatGateway",), "the network interface goes with its gateway", patch=network.delete_nat_interfaces),
    Fake("servicediscovery", ("CreatePrivateDnsNamespace",), "namespaces whose names do not overlap in one network", patch=discovery.allow_namespaces_beside_each_other),
    Fake("servicediscovery", ("DeleteNamespace",), "the hosted zone goes with its namespace", patch=discovery.delete_hosted_zones),
    Fake("sqs", ("GetQueueAttributes",), "policies without spaces", amend=data.amend_queue_attributes, patch=data.know_redrive_allowed),
    Fake("s3", ("GetObject", "HeadObject", "PutObject", "DeleteObject",), "statements of a bucket policy that have a condition are passed over", patch=data.pass_over_conditions),
    Fake("s3", ("PutBucketNotificationConfiguration", "GetBucketNotificationConfiguration",), "the EventBridge setting of a bucket is shown", patch=data.show_event_bridge),
    Fake("elasticache", ("CreateReplicationGroup",), "member clusters, versions, tags", amend=data.amend_new_replication_group),
    Fake("elasticache", ("DescribeReplicationGroups",), "engine, user groups", amend=data.amend_replication_groups),
    Fake("elasticache", ("DescribeCacheClusters",), "member clusters of replication groups", answer=data.describe_clusters),
    Fake("elasticache", ("DeleteReplicationGroup",), "gone at once", amend=data.forget_replication_group),
    Fake("elasticache", ("DeleteCacheSubnetGroup",), "deleting", answer=data.delete_subnet_group),
    Fake("elasticache", ("CreateServerlessCache",), "serverless caches", answer=data.create_serverless),
    Fake("elasticache", ("DescribeServerlessCaches",), "serverless caches", answer=data.describe_serverless),
    Fake("elasticache", ("ModifyServerlessCache",), "serverless caches", answer=data.modify_serverless),
    Fake("elasticache", ("DeleteServerlessCache",), "serverless caches", answer=data.delete_serverless),
    Fake("elasticache", ("CreateCacheParameterGroup",), "parameter groups", answer=data.create_parameter_group),
    Fake("elasticache", ("DescribeCacheParameterGroups",), "parameter groups", answer=data.describe_parameter_groups),
    Fake("elasticache", ("ModifyCacheParameterGroup",), "parameter groups", answer=data.modify_parameter_group),
    Fake("elasticache", ("ResetCacheParameterGroup",), "parameter groups", answer=data.reset_parameter_group),
    Fake("elasticache", ("DescribeCacheParameters",), "parameter groups", answer=data.describe_parameters),
    Fake("elasticache", ("DeleteCacheParameterGroup",), "parameter groups", answer=data.delete_parameter_group),
    Fake("elasticache", ("CreateUserGroup",), "user groups", answer=data.create_user_group),
    Fake("elasticache", ("DescribeUserGroups",), "user groups", answer=data.describe_user_groups),
    Fake("elasticache", ("ModifyUserGroup",), "user groups", answer=data.modify_user_group),
    Fake("elasticache", ("DeleteUserGroup",), "user groups", answer=data.delete_user_group),
    Fake("elasticache", ("ListTagsForResource",), "tags of what is faked here", answer=data.list_cache_tags),
    Fake("elasticache", ("AddTagsToResource",), "tags of what is faked here", answer=data.tag_cache),
    Fake("elasticache", ("RemoveTagsFromResource",), "tags of what is faked here", answer=data.untag_cache),
    Fake("firehose", ("CreateDeliveryStream",), "a destination in OpenSearch; only its backup bucket is written", answer=firehose.create_stream),
    Fake("firehose", ("UpdateDestination",), "a destination in OpenSearch; only its backup bucket is written", answer=firehose.update_destination),
    Fake("firehose", ("PutRecord", "PutRecordBatch",), "lines of CloudWatch arrive unpacked, delimited and compressed as told; nothing is sent to endpoints", patch=firehose.deliver_as_told),
    Fake("firehose", ("DescribeDeliveryStream",), "a destination in OpenSearch; only its backup bucket is written", amend=firehose.amend_stream),
]
