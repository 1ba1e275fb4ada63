"""Refusals of ECS."""

from __future__ import annotations

import re
from typing import Any

from call import Call, backend
from refusals import moto_refuses, refuses
from services.ecs import service_of

SERVICE = "ecs"
CREATE = "CreateService"
CREATE_UPDATE = "CreateService UpdateService"
API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"
GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
INVALID = "InvalidParameterException"

def task_definition(call: Call, name: str | None) -> Any:
    """Moto's task definition; None without a name, or when it does not exist, which moto refuses."""
    try:
        return call.moto().describe_task_definition(name) if name else None
    except Exception:
        return None


def task_definition_of(call: Call) -> Any:
    """Task definition of the service after a call that creates or updates it."""
    named = call.params.get("taskDefinition")
    if named is None and call.operation == "UpdateService":
        named = service_of(call, call.params.get("cluster", "default"), call.params["service"])["taskDefinition"]
    return task_definition(call, named)


def controller(call: Call) -> str:
    """Deployment controller of the service that a call creates or updates."""
    if call.operation == CREATE:
        return (call.params.get("deploymentController") or {}).get("type", "ECS")
    return held_service(call).deployment_controller["type"]


def held_service(call: Call) -> Any:
    name = call.params["service"].split("/")[-1]
    cluster = call.params.get("cluster", "default").split("/")[-1]
    service_of(call, cluster, name)  # refuses a service that does not exist
    return call.moto().services[f"{cluster}:{name}"]


def held_cluster(call: Call) -> Any:
    return call.moto().clusters.get(call.params.get("cluster", "default").split("/")[-1])


# Services


@refuses(
    "ecs-service-exists",
    SERVICE,
    CREATE,
    INVALID,
    "Creation of service was not idempotent.",
    API + "API_CreateService.html",
)
def service_exists(call: Call) -> bool:
    cluster = call.params.get("cluster", "default").split("/")[-1]
    held = call.moto().services.get(f"{cluster}:{call.params['serviceName']}")
    return held is not None and held.status == "ACTIVE"


@refuses(
    "ecs-service-name",
    SERVICE,
    CREATE,
    INVALID,
    "Service name {name} is not valid: up to 255 letters, numbers, underscores and hyphens.",
    API + "API_CreateService.html",
)
def service_name(call: Call) -> dict[str, Any] | None:
    name = call.params["serviceName"]
    return None if re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name) else {"name": name}


@refuses(
    "ecs-launch-type-and-strategy",
    SERVICE,
    CREATE,
    INVALID,
    "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
    API + "API_CreateService.html",
)
def launch_type_and_strategy(call: Call) -> bool:
    return bool(call.params.get("launchType") and call.params.get("capacityProviderStrategy"))


@refuses(
    "ecs-capacity-provider-association",
    SERVICE,
    CREATE_UPDATE,
    INVALID,
    "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster: "
    "{name}",
    GUIDE + "fargate-capacity-providers.html",
)
def capacity_provider_association(call: Call) -> dict[str, Any] | None:
    cluster = held_cluster(call)
    associated = getattr(cluster, "capacity_providers", None) or []
    for each in call.params.get("capacityProviderStrategy") or []:
        name = each["capacityProvider"].split("/")[-1]
        if cluster is not None and name not in [provider.split("/")[-1] for provider in associated]:
            return {"name": name}
    return None


@refuses(
    "ecs-mixed-strategy",
    SERVICE,
    CREATE_UPDATE,
    INVALID,
    "A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate providers.",
    API + "API_CapacityProviderStrategyItem.html",
)
def mixed_strategy(call: Call) -> bool:
    names = [each["capacityProvider"] for each in call.params.get("capacityProviderStrategy") or []]
    return len({name.startswith("FARGATE") for name in names}) > 1


@refuses(
    "ecs-task-launch-type",
    SERVICE,
    f"{CREATE_UPDATE} RunTask",
    INVALID,
    "Task definition does not support launch_type FARGATE.",
    "https://github.com/aws/aws-cli/issues/3983",
)
def task_launch_type(call: Call) -> bool:
    definition = task_definition_of(call)
    names = [each["capacityProvider"] for each in call.params.get("capacityProviderStrategy") or []]
    on_fargate = "FARGATE" in (call.params.get("launchType"), *(name.partition("_")[0] for name in names))
    return definition is not None and on_fargate and "FARGATE" not in (definition.requires_compatibilities or [])


@refuses(
    "ecs-full-bound",
    SERVICE,
    CREATE_UPDATE,
    INVALID,
    "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
    API + "API_DeploymentConfiguration.html",
)
def full_bound(call: Call) -> bool:
    wanted = call.params.get("deploymentConfiguration") or {}
    return wanted.get("maximumPercent") == 100 and wanted.get("minimumHealthyPercent") == 100


@refuses(
    "ecs-grace-period-without-load-balancer",
    SERVICE,
    CREATE,
    INVALID,
    "Health check grace period is only valid for services configured to use load balancers",
    API + "API_CreateService.html",
)
def grace_period_without_balancer(call: Call) -> bool:
    return call.params.get("healthCheckGracePeriodSeconds") is not None and not call.params.get("loadBalancers")


@refuses(
    "ecs-network-configuration",
    SERVICE,
    CREATE,
    INVALID,
    "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    API + "API_CreateService.html",
)
def network_configuration(call: Call) -> bool:
    definition = task_definition_of(call)
    own_interface = definition is not None and definition.network_mode == "awsvpc"
    return own_interface and not (call.params.get("networkConfiguration") or {}).get("awsvpcConfiguration")


@refuses(
    "ecs-target-group-without-load-balancer",
    SERVICE,
    CREATE_UPDATE,
    INVALID,
    "The target group with targetGroupArn {arn} does not have an associated load balancer.",
    GUIDE + "troubleshooting.html",
)
def target_group_without_balancer(call: Call) -> dict[str, Any] | None:
    for group in target_groups(call):
        if not group.load_balancer_arns:
            return {"arn": group.arn}
    return None


@refuses(
    "ecs-target-type",
    SERVICE,
    CREATE_UPDATE,
    INVALID,
    "The provided target group {arn} has target type {type}, which is incompatible with the awsvpc network mode specified "
    "in the task definition.",
    GUIDE + "alb.html",
)
def target_type(call: Call) -> dict[str, Any] | None:
    definition = task_definition_of(call)
    for group in target_groups(call):
        if definition is not None and definition.network_mode == "awsvpc" and group.target_type != "ip":
            return {"arn": group.arn, "type": group.target_type}
    return None


@refuses(
    "ecs-target-container",
    SERVICE,
    CREATE_UPDATE,
    INVALID,
    "The container {name} does not exist in the task definition or has no container port {port}.",
    API + "API_LoadBalancer.html",
)
def target_container(call: Call) -> dict[str, Any] | None:
    definition = task_definition_of(call)
    if definition is None:
        return None
    ports = {
        (container["name"], port["containerPort"])
        for container in definition.container_definitions
        for port in container.get("portMappings", [])
    }
    for each in call.params.get("loadBalancers") or []:
        if (each.get("containerName"), each.get("containerPort")) not in ports:
            return {"name": each.get("containerName"), "port": each.get("containerPort")}
    return None


def target_groups(call: Call) -> list[Any]:
    known = call.moto("elbv2").target_groups
    named = [each.get("targetGroupArn") for each in call.params.get("loadBalancers") or []]
    return [known[arn] for arn in named if arn in known]


@refuses(
    "ecs-target-group-missing",
    SERVICE,
    CREATE_UPDATE,
    INVALID,
    "The target group {arn} does not exist.",
    API + "API_LoadBalancer.html",
)
def target_group_missing(call: Call) -> dict[str, Any] | None:
    known = call.moto("elbv2").target_groups
    for each in call.params.get("loadBalancers") or []:
        arn = each.get("targetGroupArn")
        if arn and arn not in known:
            return {"arn": arn}
    return None


# Service Connect


@refuses(
    "ecs-service-connect-controller",
    SERVICE,
    CREATE_UPDATE,
    INVALID,
    "Service Connect is only supported by the ECS deployment controller, this service has {controller}.",
    GUIDE + "service-connect-concepts-deploy.html",
)
def service_connect_controller(call: Call) -> dict[str, Any] | None:
    enabled = (call.params.get("serviceConnectConfiguration") or {}).get("enabled")
    return {"controller": controller(call)} if enabled and controller(call) != "ECS" else None


@refuses(
    "ecs-service-connect-namespace",
    SERVICE,
    CREATE_UPDATE,
    "NamespaceNotFoundException",
    "The specified namespace wasn't found: {namespace}",
    API + "API_ServiceConnectConfiguration.html",
)
def service_connect_namespace(call: Call) -> dict[str, Any] | None:
    wanted = (call.params.get("serviceConnectConfiguration") or {}).get("namespace")
    if not wanted:
        return None
    known = call.moto("servicediscovery").namespaces.values()
    return None if any(wanted in (each.arn, each.name, each.id) for each in known) else {"namespace": wanted}


@refuses(
    "ecs-service-connect-port",
    SERVICE,
    CREATE_UPDATE,
    INVALID,
    "The portName {name} is not the name of a port mapping in the task definition.",
    API + "API_ServiceConnectService.html",
)
def service_connect_port(call: Call) -> dict[str, Any] | None:
    wanted = (call.params.get("serviceConnectConfiguration") or {}).get("services") or []
    definition = task_definition_of(call) if wanted else None
    if definition is None:
        return None
    ports = [port.get("name") for each in definition.container_definitions for port in each.get("portMappings", [])]
    for each in wanted:
        if each["portName"] not in ports:
            return {"name": each["portName"]}
    return None


# Deployment controllers


@refuses(
    "ecs-circuit-breaker-controller",
    SERVICE,
    CREATE_UPDATE,
    INVALID,
    "The deployment circuit breaker can only be used with the ECS deployment controller, this service has {controller}.",
    GUIDE + "deployment-circuit-breaker.html",
)
def circuit_breaker_controller(call: Call) -> dict[str, Any] | None:
    breaker = (call.params.get("deploymentConfiguration") or {}).get("deploymentCircuitBreaker") or {}
    return {"controller": controller(call)} if breaker.get("enable") and controller(call) != "ECS" else None


@refuses(
    "ecs-alarms-controller",
    SERVICE,
    CREATE_UPDATE,
    INVALID,
    "Deployment alarms can only be used with the ECS deployment controller, this service has {controller}.",
    GUIDE + "deployment-alarm-failure.html",
)
def alarms_controller(call: Call) -> dict[str, Any] | None:
    alarms = (call.params.get("deploymentConfiguration") or {}).get("alarms") or {}
    return {"controller": controller(call)} if alarms.get("enable") and controller(call) != "ECS" else None


def code_deploy_refuses(id: str, what: str, field: str) -> None:
    @refuses(
        id,
        SERVICE,
        "UpdateService",
        INVALID,
        f"Unable to update {what} on services with a CODE_DEPLOY deployment controller. "
        "Use AWS CodeDeploy to trigger a new deployment.",
        API + "API_UpdateService.html",
    )
    def rule(call: Call) -> bool:
        return bool(call.params.get(field)) and controller(call) == "CODE_DEPLOY"


code_deploy_refuses("ecs-code-deploy-task-definition", "task definition", "taskDefinition")
code_deploy_refuses("ecs-code-deploy-load-balancers", "load balancers", "loadBalancers")
code_deploy_refuses("ecs-code-deploy-network", "network parameters", "networkConfiguration")


@refuses(
    "ecs-code-deploy-force",
    SERVICE,
    "UpdateService",
    INVALID,
    "Cannot force a new deployment on services with a CODE_DEPLOY deployment controller. "
    "Use AWS CodeDeploy to trigger a new deployment.",
    API + "API_UpdateService.html",
)
def code_deploy_force(call: Call) -> bool:
    return bool(call.params.get("forceNewDeployment")) and controller(call) == "CODE_DEPLOY"


@refuses(
    "ecs-code-deploy-load-balancer",
    SERVICE,
    CREATE,
    INVALID,
    "Services using the CODE_DEPLOY deployment controller must be configured to use a load balancer.",
    GUIDE + "deployment-type-bluegreen.html",
)
def code_deploy_balancer(call: Call) -> bool:
    return controller(call) == "CODE_DEPLOY" and not call.params.get("loadBalancers")


@refuses(
    "ecs-inactive-service",
    SERVICE,
    "UpdateService",
    "ServiceNotActiveException",
    "Service was not ACTIVE.",
    API + "API_UpdateService.html",
)
def inactive_service(call: Call) -> bool:
    return held_service(call).status != "ACTIVE"


# Tasks without a service


@refuses(
    "ecs-run-task-network",
    SERVICE,
    "RunTask",
    INVALID,
    "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    API + "API_RunTask.html",
)
def run_task_network(call: Call) -> bool:
    definition = task_definition(call, call.params["taskDefinition"])
    own_interface = definition is not None and definition.network_mode == "awsvpc"
    return own_interface and not call.params.get("networkConfiguration")


@refuses(
    "ecs-run-task-override",
    SERVICE,
    "RunTask",
    INVALID,
    "Override for container named {name} is not a container in the TaskDefinition.",
    API + "API_ContainerOverride.html",
)
def run_task_override(call: Call) -> dict[str, Any] | None:
    definition = task_definition(call, call.params["taskDefinition"])
    names = [each["name"] for each in definition.container_definitions] if definition is not None else []
    for each in (call.params.get("overrides") or {}).get("containerOverrides", []):
        if definition is not None and each.get("name") not in names:
            return {"name": each.get("name")}
    return None


# Clusters and capacity providers


@refuses(
    "ecs-cluster-in-use",
    SERVICE,
    "DeleteCluster",
    "ClusterContainsServicesException",
    "The Cluster cannot be deleted while Services are active.",
    API + "API_DeleteCluster.html",
)
def cluster_in_use(call: Call) -> bool:
    return bool(_active_services(call))


def _active_services(call: Call) -> list[Any]:
    """Active services of the cluster that a call names."""
    name = call.params["cluster"].split("/")[-1]
    return [each for each in call.moto().services.values() if each.cluster_name == name and each.status == "ACTIVE"]


@refuses(
    "ecs-capacity-provider-in-use",
    SERVICE,
    "PutClusterCapacityProviders",
    "ResourceInUseException",
    "The specified capacity provider is in use and cannot be removed.",
    API + "API_PutClusterCapacityProviders.html",
)
def capacity_provider_in_use(call: Call) -> bool:
    kept = call.params["capacityProviders"]
    records = [service_of(call, each.cluster_name, each.name)["kept"] for each in _active_services(call)]
    return any(each["capacityProvider"] not in kept for record in records for each in record.get("capacityProviderStrategy") or [])


@refuses(
    "ecs-capacity-provider-name",
    SERVICE,
    "CreateCapacityProvider",
    "ClientException",
    "The specified capacity provider name is invalid. Up to 255 characters are allowed, which include letters (upper and "
    "lowercase), numbers, underscores, and hyphens. The name can't be prefixed with \"aws\", \"ecs\", or \"fargate\".",
    API + "API_CreateCapacityProvider.html",
)
def capacity_provider_name(call: Call) -> bool:
    name = call.params["name"]
    return not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name) or name.lower().startswith(("aws", "ecs", "fargate"))


@refuses(
    "ecs-termination-protection",
    SERVICE,
    "CreateCapacityProvider",
    "ClientException",
    "The managed termination protection setting for the capacity provider is invalid. To enable managed termination "
    "protection for a capacity provider, the Auto Scaling group must have instance protection from scale in enabled.",
    GUIDE + "managed-termination-protection.html",
)
def termination_protection(call: Call) -> bool:
    wanted = call.params.get("autoScalingGroupProvider") or {}
    if wanted.get("managedTerminationProtection") != "ENABLED":
        return False
    group = wanted["autoScalingGroupArn"].split("/")[-1]
    held = backend("autoscaling", call.region).autoscaling_groups.get(group)
    return held is not None and not held.new_instances_protected_from_scale_in


@refuses(
    "ecs-auto-scaling-group-in-use",
    SERVICE,
    "CreateCapacityProvider",
    "ClientException",
    "The specified Auto Scaling group ARN is already being used by another capacity provider. Specify a unique Auto Scaling "
    "group ARN and try again.",
    API + "API_CreateCapacityProvider.html",
)
def auto_scaling_group_in_use(call: Call) -> bool:
    wanted = (call.params.get("autoScalingGroupProvider") or {}).get("autoScalingGroupArn")
    held = [each.auto_scaling_group_provider for each in call.moto().capacity_providers.values()]
    return any(each and each.get("autoScalingGroupArn") == wanted for each in held)


moto_refuses("ecs-service-still-scaled", SERVICE, "DeleteService", INVALID, API + "API_DeleteService.html")
