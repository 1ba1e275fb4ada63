"""Refusals of ECS task definitions."""

from __future__ import annotations

import json
import re
from typing import Any

from call import Call
from refusals import refuses

SERVICE = "ecs"
API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"
GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"

FARGATE_MEMORY_MIB = {
    256: [512, 1024, 2048],
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}


def is_fargate(call: Call) -> bool:
    return "FARGATE" in call.params.get("requiresCompatibilities", [])


def number(text: Any) -> int | None:
    """CPU units or MiB as an integer, from "512", "0.5 vCPU" or "1 GB"."""
    match = re.fullmatch(r"\s*([\d.]+)\s*(vcpu|gb)?\s*", str(text), re.IGNORECASE)
    return int(float(match[1]) * (1024 if match[2] else 1)) if match else None


@refuses(
    "ecs-fargate-size",
    SERVICE,
    "RegisterTaskDefinition",
    "ClientException",
    "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory.",
    GUIDE + "fargate-tasks-services.html#fargate-tasks-size",
)
def fargate_size(call: Call) -> dict[str, Any] | None:
    cpu, memory = call.params.get("cpu"), call.params.get("memory")
    fits = number(memory) in FARGATE_MEMORY_MIB.get(number(cpu) or 0, [])
    return {"cpu": cpu, "memory": memory} if is_fargate(call) and not fits else None


@refuses(
    "ecs-fargate-network-mode",
    SERVICE,
    "RegisterTaskDefinition",
    "ClientException",
    "Fargate only supports network mode 'awsvpc'.",
    GUIDE + "fargate-tasks-services.html#fargate-tasks-networkmode",
)
def fargate_network_mode(call: Call) -> bool:
    return is_fargate(call) and call.params.get("networkMode") != "awsvpc"


@refuses(
    "ecs-fargate-execution-role",
    SERVICE,
    "RegisterTaskDefinition",
    "ClientException",
    "Fargate requires task definition to have execution role ARN to support {what}.",
    GUIDE + "task_execution_IAM_role.html",
)
def fargate_execution_role(call: Call) -> dict[str, Any] | None:
    if not is_fargate(call) or call.params.get("executionRoleArn"):
        return None
    for container in call.params["containerDefinitions"]:
        if (container.get("logConfiguration") or {}).get("logDriver") == "awslogs":
            return {"what": "log driver awslogs"}
        if ".dkr.ecr." in container.get("image", ""):
            return {"what": "ECR images"}
        if container.get("secrets"):
            return {"what": "secrets"}
    return None


@refuses(
    "ecs-essential-container",
    SERVICE,
    "RegisterTaskDefinition",
    "ClientException",
    "At least one container in the task definition must be essential.",
    API + "API_ContainerDefinition.html",
)
def essential_container(call: Call) -> bool:
    return not any(each.get("essential", True) for each in call.params["containerDefinitions"])


@refuses(
    "ecs-container-names",
    SERVICE,
    "RegisterTaskDefinition",
    "ClientException",
    "Container names must be unique and consist of letters, numbers, hyphens and underscores: {name}",
    API + "API_ContainerDefinition.html",
)
def container_names(call: Call) -> dict[str, Any] | None:
    names = [each.get("name", "") for each in call.params["containerDefinitions"]]
    for name in names:
        if names.count(name) > 1 or not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
            return {"name": name}
    return None


@refuses(
    "ecs-host-ports",
    SERVICE,
    "RegisterTaskDefinition",
    "ClientException",
    "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
    API + "API_PortMapping.html",
)
def host_ports(call: Call) -> bool:
    ports = [port for each in call.params["containerDefinitions"] for port in each.get("portMappings", [])]
    own_interface = call.params.get("networkMode") == "awsvpc"
    return own_interface and any(port.get("hostPort") not in (None, 0, port.get("containerPort")) for port in ports)


@refuses(
    "ecs-stop-timeout",
    SERVICE,
    "RegisterTaskDefinition",
    "ClientException",
    "Invalid 'stopTimeout' setting for container '{name}'. The maximum value on Fargate is 120 seconds.",
    API + "API_ContainerDefinition.html",
)
def stop_timeout(call: Call) -> dict[str, Any] | None:
    for container in call.params["containerDefinitions"]:
        if is_fargate(call) and container.get("stopTimeout", 0) > 120:
            return {"name": container["name"]}
    return None


@refuses(
    "ecs-depends-on",
    SERVICE,
    "RegisterTaskDefinition",
    "ClientException",
    "Container '{name}' depends on '{other}', {why}.",
    API + "API_ContainerDependency.html",
)
def container_dependency(call: Call) -> dict[str, Any] | None:
    containers = {each["name"]: each for each in call.params["containerDefinitions"]}
    for name, container in containers.items():
        for dependency in container.get("dependsOn", []):
            other = containers.get(dependency["containerName"])
            if other is None:
                return {"name": name, "other": dependency["containerName"], "why": "which does not exist"}
            if dependency["condition"] == "HEALTHY" and not other.get("healthCheck"):
                return {"name": name, "other": other["name"], "why": "which has no health check"}
            if dependency["condition"] in ("COMPLETE", "SUCCESS") and other.get("essential", True):
                return {"name": name, "other": other["name"], "why": "an essential container, which must not exit"}
    return None


@refuses(
    "ecs-container-memory",
    SERVICE,
    "RegisterTaskDefinition",
    "ClientException",
    "Invalid 'memory' settings: the containers reserve {sum} MiB, the task has {memory} MiB.",
    API + "API_TaskDefinition.html",
)
def container_memory(call: Call) -> dict[str, Any] | None:
    memory = number(call.params["memory"]) if call.params.get("memory") else None
    wanted = sum(each.get("memoryReservation") or each.get("memory") or 0 for each in call.params["containerDefinitions"])
    return {"sum": wanted, "memory": memory} if memory is not None and wanted > memory else None


@refuses(
    "ecs-task-definition-size",
    SERVICE,
    "RegisterTaskDefinition",
    "ClientException",
    "Actual length: '{length}'. Max allowed length is '65536' bytes.",
    GUIDE + "service-quotas.html",
)
def task_definition_size(call: Call) -> dict[str, Any] | None:
    length = len(json.dumps(call.params, default=str, separators=(",", ":")))
    return {"length": length} if length > 65536 else None
