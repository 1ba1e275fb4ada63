"""Refusals of Cloud Map."""

from __future__ import annotations

from typing import Any

from call import Call
from refusals import refuses
from services.ecs import running_services

DOCS = "https://docs.aws.amazon.com/"

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
    return any(each.get("registryArn") == arn for service in running_services(call) for each in service.service_registries)
