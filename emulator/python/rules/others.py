"""What the other services refuse: scaling, identities, registries, secrets, discovery, logs, releases, experiments."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import Any

from call import ACCOUNT, Call, backend
from refusals import moto_refuses, refuses
from services import functions, observability

DOCS = "https://docs.aws.amazon.com/"

# Scaling


@refuses(
    "scaling-tags-on-existing-target",
    "application-autoscaling",
    "RegisterScalableTarget",
    "ValidationException",
    "Tags can only be set when a scalable target is first registered. Use the TagResource API to tag an existing one.",
    "https://github.com/hashicorp/terraform-provider-aws/issues/31839",
)
def tags_on_existing_target(call: Call) -> bool:
    return bool(call.params.get("Tags")) and held_target(call) is not None


@refuses(
    "scaling-bounds",
    "application-autoscaling",
    "RegisterScalableTarget",
    "ValidationException",
    "Maximum capacity cannot be less than minimum capacity",
    DOCS + "autoscaling/application/APIReference/API_RegisterScalableTarget.html",
)
def scaling_bounds(call: Call) -> bool:
    held = held_target(call)
    lowest = call.params.get("MinCapacity", held.min_capacity if held else None)
    highest = call.params.get("MaxCapacity", held.max_capacity if held else None)
    return lowest is not None and highest is not None and int(lowest) > int(highest)


@refuses(
    "scaling-request-count-label",
    "application-autoscaling",
    "PutScalingPolicy",
    "ValidationException",
    "A resource label must be specified for ALBRequestCountPerTarget, and only for it",
    DOCS + "autoscaling/application/APIReference/API_PredefinedMetricSpecification.html",
)
def request_count_label(call: Call) -> bool:
    tracking = call.params.get("TargetTrackingScalingPolicyConfiguration") or {}
    metric = tracking.get("PredefinedMetricSpecification") or {}
    per_target = metric.get("PredefinedMetricType") == "ALBRequestCountPerTarget"
    return bool(metric) and per_target != bool(metric.get("ResourceLabel"))


@refuses(
    "scaling-policy-without-target",
    "application-autoscaling",
    "PutScalingPolicy PutScheduledAction",
    "ObjectNotFoundException",
    "No scalable target registered for service namespace: {namespace}, resource ID: {resource}, scalable dimension: "
    "{dimension}",
    DOCS + "autoscaling/application/APIReference/API_PutScalingPolicy.html",
)
def policy_without_target(call: Call) -> dict[str, Any] | None:
    if held_target(call) is not None:
        return None
    params = call.params
    resource, dimension = params["ResourceId"], params.get("ScalableDimension")
    return {"namespace": params["ServiceNamespace"], "resource": resource, "dimension": dimension}


def held_target(call: Call) -> Any:
    targets = call.moto().targets.get(call.params.get("ScalableDimension"), {})
    return targets.get(call.params["ResourceId"])


@refuses(
    "autoscaling-bounds",
    "autoscaling",
    "CreateAutoScalingGroup UpdateAutoScalingGroup SetDesiredCapacity",
    "ValidationError",
    "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}",
    DOCS + "autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html",
)
def autoscaling_bounds(call: Call) -> dict[str, Any] | None:
    held = call.moto().autoscaling_groups.get(call.params["AutoScalingGroupName"])
    lowest = call.params.get("MinSize", held.min_size if held else 0)
    highest = call.params.get("MaxSize", held.max_size if held else 0)
    desired = call.params.get("DesiredCapacity", lowest)
    fits = int(lowest) <= int(desired) <= int(highest)
    return None if fits else {"desired": desired, "min": lowest, "max": highest}


@refuses(
    "autoscaling-delete-with-machines",
    "autoscaling",
    "DeleteAutoScalingGroup",
    "ResourceInUse",
    "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
    DOCS + "autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html",
)
def delete_with_machines(call: Call) -> bool:
    held = call.moto().autoscaling_groups.get(call.params["AutoScalingGroupName"])
    return bool(held and held.instance_states and not call.params.get("ForceDelete"))


# Identities


@refuses(
    "iam-role-name",
    "iam",
    "CreateRole",
    "ValidationError",
    "1 validation error detected: Value '{name}' at 'roleName' failed to satisfy constraint: Member must have up to 64 "
    "letters, numbers and +=,.@_-",
    DOCS + "IAM/latest/APIReference/API_CreateRole.html",
)
def role_name(call: Call) -> dict[str, Any] | None:
    name = call.params["RoleName"]
    return None if re.fullmatch(r"[\w+=,.@-]{1,64}", name, re.ASCII) else {"name": name}


@refuses(
    "iam-role-description",
    "iam",
    "CreateRole UpdateRole",
    "ValidationError",
    "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have up to 1000 "
    "characters of Latin-1",
    DOCS + "IAM/latest/APIReference/API_CreateRole.html",
)
def role_description(call: Call) -> bool:
    text = call.params.get("Description") or ""
    return not re.fullmatch("[\t\n\r\x20-\x7e\xa1-\xff]{0,1000}", text)


moto_refuses(
    "iam-role-exists", "iam", "CreateRole", "EntityAlreadyExists", DOCS + "IAM/latest/APIReference/API_CreateRole.html"
)

# Registries


@refuses(
    "ecr-immutable-tag",
    "ecr",
    "PutImage",
    "ImageTagAlreadyExistsException",
    "The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the repository is "
    "immutable.",
    DOCS + "AmazonECR/latest/userguide/image-tag-mutability.html",
)
def immutable_tag(call: Call) -> dict[str, Any] | None:
    name, tag = call.params["repositoryName"], call.params.get("imageTag")
    repository = call.moto().repositories.get(name)
    if repository is None or tag is None or not str(repository.image_tag_mutability).startswith("IMMUTABLE"):
        return None
    held = [image for image in repository.images if tag in (image.image_tags or [])]
    changed = any(image.image_manifest != call.params["imageManifest"] for image in held)
    return {"tag": tag, "name": name} if changed else None


moto_refuses(
    "ecr-not-empty",
    "ecr",
    "DeleteRepository",
    "RepositoryNotEmptyException",
    DOCS + "AmazonECR/latest/APIReference/API_DeleteRepository.html",
)
moto_refuses(
    "s3-not-empty", "s3", "DeleteBucket", "BucketNotEmpty", DOCS + "AmazonS3/latest/API/ErrorResponses.html"
)

# Secrets and parameters


@refuses(
    "secret-scheduled-for-deletion",
    "secretsmanager",
    "CreateSecret",
    "InvalidRequestException",
    "You can't create this secret because a secret with this name is already scheduled for deletion.",
    "https://github.com/hashicorp/terraform-provider-aws/issues/4467",
)
def secret_scheduled_for_deletion(call: Call) -> bool:
    held = call.moto().secrets.get(call.params["Name"])
    return held is not None and held.is_deleted()


@refuses(
    "ssm-value-size",
    "ssm",
    "PutParameter",
    "ValidationException",
    "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, "
    "upgrade the parameter to use the advanced-parameter tier.",
    DOCS + "systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
)
def parameter_size(call: Call) -> bool:
    standard = call.params.get("Tier", "Standard") == "Standard"
    return standard and len(call.params["Value"].encode()) > 4096


moto_refuses(
    "ssm-empty-value",
    "ssm",
    "PutParameter",
    "ValidationException",
    DOCS + "systems-manager/latest/APIReference/API_PutParameter.html",
)
moto_refuses(
    "ssm-parameter-exists",
    "ssm",
    "PutParameter",
    "ParameterAlreadyExists",
    DOCS + "systems-manager/latest/APIReference/API_PutParameter.html",
)

# Discovery

CLOUD_MAP = DOCS + "cloud-map/latest/api/"


@refuses(
    "cloud-map-service-in-use",
    "servicediscovery",
    "DeleteService",
    "ResourceInUse",
    "Service contains registered instances; delete the instances before deleting the service",
    CLOUD_MAP + "API_DeleteService.html",
)
def cloud_map_service_in_use(call: Call) -> bool:
    service = call.moto().services.get(call.params["Id"].split("/")[-1])
    return service is not None and (bool(service.instances) or registered_by_ecs(call, service.arn))


@refuses(
    "cloud-map-namespace-in-use",
    "servicediscovery",
    "DeleteNamespace",
    "ResourceInUse",
    "Namespace {id} contains services that need to be deleted first",
    CLOUD_MAP + "API_DeleteNamespace.html",
)
def cloud_map_namespace_in_use(call: Call) -> dict[str, Any] | None:
    namespace = call.params["Id"].split("/")[-1]
    used = any(each.namespace_id == namespace for each in call.moto().services.values())
    return {"id": namespace} if used else None


@refuses(
    "cloud-map-service-exists",
    "servicediscovery",
    "CreateService",
    "ServiceAlreadyExists",
    "Service already exists: {name}",
    CLOUD_MAP + "API_CreateService.html",
)
def cloud_map_service_exists(call: Call) -> dict[str, Any] | None:
    name = call.params["Name"]
    namespace = call.params.get("NamespaceId") or (call.params.get("DnsConfig") or {}).get("NamespaceId")
    held = [each.name.lower() for each in call.moto().services.values() if each.namespace_id == namespace]
    return {"name": name} if name.lower() in held else None


def registered_by_ecs(call: Call, arn: str) -> bool:
    """Running tasks of a service are registered with its discovery services."""
    return any(
        service.status == "ACTIVE"
        and service.desired_count > 0
        and any(each.get("registryArn") == arn for each in service.service_registries)
        for service in backend("ecs", call.region).services.values()
    )


# Logs and alarms

RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


@refuses(
    "logs-retention",
    "logs",
    "PutRetentionPolicy",
    "InvalidParameterException",
    "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum "
    "value set",
    DOCS + "AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html",
)
def log_retention(call: Call) -> dict[str, Any] | None:
    days = call.params["retentionInDays"]
    return None if days in RETENTION_DAYS else {"days": days}


moto_refuses(
    "logs-subscription-filters",
    "logs",
    "PutSubscriptionFilter",
    "LimitExceededException",
    DOCS + "AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html",
)


@refuses(
    "logs-function-permission",
    "logs",
    "PutSubscriptionFilter",
    "InvalidParameterException",
    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.",
    DOCS + "AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample",
)
def function_permission(call: Call) -> bool:
    destination = call.params["destinationArn"]
    if ":lambda:" not in destination:
        return False
    try:
        function = call.moto("lambda").get_function(destination)
    except Exception:
        return False  # moto refuses one that is not there
    group = call.arn("logs", f"log-group:{call.params['logGroupName']}:*")
    return not any(
        (each.get("Principal") or {}).get("Service", "").startswith("logs.")
        and fnmatch(group, source_of(each) or group)
        for each in functions.calls_of(function)
    )


def source_of(statement: dict[str, Any]) -> str | None:
    return ((statement.get("Condition") or {}).get("ArnLike") or {}).get("AWS:SourceArn")


@refuses(
    "logs-destination-policy",
    "logs",
    "PutSubscriptionFilter",
    "InvalidParameterException",
    "Could not deliver test message to specified destination. Check if the destination is valid.",
    DOCS + "AmazonCloudWatch/latest/logs/CrossAccountSubscriptions-Kinesis.html",
)
def destination_policy(call: Call) -> bool:
    arn = call.params["destinationArn"]
    if ":destination:" not in arn:
        return False
    destination = observability.destination_behind(arn)
    return destination is None or ACCOUNT not in (destination.access_policy or "")


moto_refuses(
    "logs-resource-policies",
    "logs",
    "PutResourcePolicy",
    "LimitExceededException",
    DOCS + "AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html",
)


@refuses(
    "alarm-period",
    "cloudwatch",
    "PutMetricAlarm",
    "ValidationError",
    "Period must be 10, 20, 30 or a multiple of 60, got {period}",
    DOCS + "AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
)
def alarm_period(call: Call) -> dict[str, Any] | None:
    period = call.params.get("Period")
    fits = period is None or period in (10, 20, 30) or (period > 0 and period % 60 == 0)
    return None if fits else {"period": period}


# Releases and experiments


@refuses(
    "codedeploy-ecs-controller",
    "codedeploy",
    "CreateDeploymentGroup",
    "InvalidECSServiceException",
    "Deployment group's ECS service must be configured for a CODE_DEPLOY deployment controller.",
    DOCS + "codedeploy/latest/APIReference/API_CreateDeploymentGroup.html",
)
def code_deploy_controller(call: Call) -> bool:
    services = backend("ecs", call.region).services
    for each in call.params.get("ecsServices") or []:
        held = services.get(f"{each['clusterName']}:{each['serviceName']}")
        if held is None or held.deployment_controller["type"] != "CODE_DEPLOY":
            return True
    return False


STOP_CONDITIONS = 5


@refuses(
    "fis-stop-conditions",
    "fis",
    "CreateExperimentTemplate UpdateExperimentTemplate",
    "ServiceQuotaExceededException",
    "A template can have at most 5 stop conditions, got {count}.",
    DOCS + "fis/latest/userguide/fis-quotas.html",
)
def stop_conditions(call: Call) -> dict[str, Any] | None:
    count = len(call.params.get("stopConditions") or [])
    return {"count": count} if count > STOP_CONDITIONS else None


@refuses(
    "fis-unknown-target",
    "fis",
    "CreateExperimentTemplate",
    "ValidationException",
    "Action {action} refers to the target {target}, which the template does not define.",
    DOCS + "fis/latest/APIReference/API_CreateExperimentTemplate.html",
)
def unknown_target(call: Call) -> dict[str, Any] | None:
    known = call.params.get("targets") or {}
    for name, action in (call.params.get("actions") or {}).items():
        for target in (action.get("targets") or {}).values():
            if target not in known:
                return {"action": name, "target": target}
    return None
