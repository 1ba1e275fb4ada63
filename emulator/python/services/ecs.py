"""ECS: moto forgets most of a service and never deploys. Here a deployment completes at once, fails on request, or follows an agent."""

from __future__ import annotations

import copy
import math
import time
import uuid
from typing import Any

from call import Account, Call, Refused
from state import Store, has_agent

KEPT = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "loadBalancers",
    "networkConfiguration",
    "placementConstraints",
    "placementStrategy",
    "platformVersion",
    "propagateTags",
    "serviceRegistries",
)
"""Fields of a service that ECS returns as they were written."""

ROLLED_BACK = "tasks failed to start."
STOPPED = "Essential container in task exited"

_services = Store()
_tasks = Store()
_roll_backs = Store()
_open_to_faults = Store()


SHOWN_SECONDS = 15
"""Seconds for which a failed deployment stays in the list; the provider waits until it is removed."""


def roll_back_next(fields: dict[str, Any]) -> None:
    """Make the next deployment of a service, in any region, fail and roll back."""
    _roll_backs.of("*")[f"{fields['cluster']}/{fields['service']}"] = {
        "reason": fields.get("reason", ROLLED_BACK),
        "stoppedReason": fields.get("stoppedReason", STOPPED),
        "shownSeconds": fields.get("shownSeconds", SHOWN_SECONDS),
    }


def amend_service(call: Call, body: dict[str, Any]) -> None:
    """CreateService, UpdateService, DeleteService: store the request, deploy it, and return both."""
    service = body["service"]
    if call.operation == "CreateService":
        record = _services.of(call.region)[_key(service)] = {"kept": _defaults(call.params), "deployments": []}
        _remember(record, call.params)
        _deploy(call, record, service, service.get("taskDefinition"))
    elif call.operation == "UpdateService":
        record = _services.of(call.region)[_key(service)]
        wanted = _arn_of_task_definition(call, call.params.get("taskDefinition"))
        _remember(record, call.params)
        changed = wanted is not None and wanted != record["taskDefinition"]
        redeployed = any(name in call.params for name in KEPT if name not in NOT_DEPLOYED)
        if changed or redeployed or call.params.get("forceNewDeployment"):
            _deploy(call, record, service, wanted or record["taskDefinition"])
    _show(call, service)


NOT_DEPLOYED = ("deploymentConfiguration", "healthCheckGracePeriodSeconds", "availabilityZoneRebalancing")
"""Changes of these take effect without a deployment (API reference, UpdateService)."""


def amend_services(call: Call, body: dict[str, Any]) -> None:
    """DescribeServices."""
    for service in body["services"]:
        _show(call, service)


def amend_task_list(call: Call, body: dict[str, Any]) -> None:
    """ListTasks: running tasks of services, and stopped tasks of a deployment that was rolled back."""
    cluster = call.params.get("cluster", "default").split("/")[-1]
    name, family = call.params.get("serviceName"), call.params.get("family")
    status = call.params.get("desiredStatus", "RUNNING")
    for task in _all_tasks(call):
        same_service = name is None or task["group"] == f"service:{name.split('/')[-1]}"
        same_family = family is None or task["taskDefinitionArn"].split("/")[-1].split(":")[0] == family
        same_cluster = task["clusterArn"].split("/")[-1] == cluster
        by_service = not call.params.get("startedBy") and not call.params.get("containerInstance")
        if same_service and same_family and same_cluster and by_service and task["desiredStatus"] == status:
            body["taskArns"].append(task["taskArn"])


def amend_task_descriptions(call: Call, body: dict[str, Any]) -> None:
    """DescribeTasks."""
    asked = {task.split("/")[-1] for task in call.params["tasks"]}
    tasks = [task for task in _all_tasks(call) if task["taskArn"].split("/")[-1] in asked]
    body["tasks"].extend(tasks)
    arns = {task["taskArn"] for task in tasks}
    body["failures"] = [failure for failure in body.get("failures", []) if failure.get("arn") not in arns]


def describe_service_deployments(call: Call) -> dict[str, Any]:
    """DescribeServiceDeployments."""
    found = {each["serviceDeploymentArn"]: each for each in _service_deployments(call)}
    asked = call.params["serviceDeploymentArns"]
    return {
        "serviceDeployments": [found[arn] for arn in asked if arn in found],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in found],
    }


def list_service_deployments(call: Call) -> dict[str, Any]:
    """ListServiceDeployments, the newest first."""
    service = call.params["service"].split("/")[-1]
    found = [each for each in _service_deployments(call) if each["serviceArn"].split("/")[-1] == service]
    return {"serviceDeployments": list(reversed(found))}


def amend_task_definition(call: Call, body: dict[str, Any]) -> None:
    """RegisterTaskDefinition, DescribeTaskDefinition: defaults of containers, and whether AWS FIS may change its network."""
    definition = body["taskDefinition"]
    for container in definition.get("containerDefinitions", []):
        fill_defaults(container, definition.get("networkMode"))
    remembered = _open_to_faults.of(call.region)
    if call.operation == "RegisterTaskDefinition":
        remembered[definition["taskDefinitionArn"]] = bool(call.params.get("enableFaultInjection"))
    definition["enableFaultInjection"] = remembered.get(definition["taskDefinitionArn"], False)


CONTAINER_DEFAULTS: dict[str, Any] = {
    "cpu": 0,
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "portMappings": [],
    "systemControls": [],
    "volumesFrom": [],
}


def fill_defaults(container: dict[str, Any], network_mode: str | None) -> None:
    """Defaults that ECS adds to container JSON where a request omits them, at every depth."""
    for name, value in CONTAINER_DEFAULTS.items():
        container.setdefault(name, copy.copy(value))
    for port in container["portMappings"]:
        port.setdefault("protocol", "tcp")
        if network_mode == "awsvpc":
            port.setdefault("hostPort", port["containerPort"])
    if health := container.get("healthCheck"):
        for name, value in (("interval", 30), ("timeout", 5), ("retries", 3)):
            health.setdefault(name, value)
    if capabilities := (container.get("linuxParameters") or {}).get("capabilities"):
        capabilities.setdefault("add", [])
        capabilities.setdefault("drop", [])


def _key(service: dict[str, Any]) -> str:
    return f"{service['clusterArn'].split('/')[-1]}/{service['serviceName']}"


def _defaults(params: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "availabilityZoneRebalancing": "DISABLED",
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        "propagateTags": "NONE",
    }
    if _controller(params) == "ECS":
        kept["deploymentConfiguration"] = {
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        }
    return kept


def _controller(service: dict[str, Any]) -> str:
    return (service.get("deploymentController") or {}).get("type", "ECS")


def _remember(record: dict[str, Any], params: dict[str, Any]) -> None:
    """Keep the fields of a call; a deployment configuration keeps the parts that the call omits."""
    before = record["kept"].get("deploymentConfiguration") or {}
    record["kept"].update({name: params[name] for name in KEPT if params.get(name) is not None})
    if params.get("deploymentConfiguration") is not None:
        record["kept"]["deploymentConfiguration"] = {**before, **params["deploymentConfiguration"]}
    if params.get("serviceConnectConfiguration") is not None:
        record["serviceConnect"] = params["serviceConnectConfiguration"]


def _arn_of_task_definition(call: Call, name: str | None) -> str | None:
    return call.moto().describe_task_definition(name).arn if name else None


def _deploy(call: Call, record: dict[str, Any], service: dict[str, Any], task_definition: str | None) -> None:
    """Add a deployment; if it fails, add the one that restores the previous task definition."""
    now = time.time()
    failure = _roll_backs.of("*").pop(_key(service), None) if record["deployments"] else None
    before = record.get("taskDefinition")
    new = _deployment(service, task_definition, now)
    # That of an earlier one that was rolled back.
    record.pop("forget", None)
    if failure is None and has_agent() and service["desiredCount"] > 0:
        older = [{**each, "status": "ACTIVE"} for each in record["deployments"] if each["rolloutState"] != "FAILED"]
        new.update(
            rolloutState="IN_PROGRESS",
            rolloutStateReason=f"ECS deployment {new['id']} in progress.",
            runningCount=0,
        )
        record.update(taskDefinition=task_definition, deployments=[new, *older])
        record.setdefault("history", []).append({**new, "status": "IN_PROGRESS"})
        return
    if failure is None or before is None:
        record.update(taskDefinition=task_definition, deployments=[new])
        record.setdefault("history", []).append({**new, "status": "SUCCESSFUL"})
        return
    back = _deployment(service, before, now)
    new.update(
        status="ACTIVE",
        rolloutState="FAILED",
        rolloutStateReason=f"ECS deployment {new['id']} failed: {failure['reason']}",
        failedTasks=max(service["desiredCount"], 1),
        runningCount=0,
    )
    back["rolloutStateReason"] = f"ECS deployment circuit breaker: rolled back from {new['id']}."
    record.update(deployments=[back, new], forget=now + failure["shownSeconds"])
    record.setdefault("history", []).append({**new, "status": "ROLLBACK_SUCCESSFUL"})
    for _ in range(new["failedTasks"]):
        task = _task(call, service, task_definition or "", new["id"], uuid.uuid4().hex, now)
        task.update(
            desiredStatus="STOPPED",
            lastStatus="STOPPED",
            stopCode="EssentialContainerExited",
            stoppedReason=failure["stoppedReason"],
            stoppedAt=now,
        )
        for container in task["containers"]:
            container.update(lastStatus="STOPPED", exitCode=1, reason=failure["stoppedReason"])
        _tasks.of(call.region)[task["taskArn"]] = task


def _deployment(service: dict[str, Any], task_definition: str | None, now: float) -> dict[str, Any]:
    identifier = f"ecs-svc/{uuid.uuid4().int % 10**19:019d}"
    return {
        "id": identifier,
        "status": "PRIMARY",
        "taskDefinition": task_definition,
        "desiredCount": service["desiredCount"],
        "runningCount": service["desiredCount"],
        "pendingCount": 0,
        "failedTasks": 0,
        "createdAt": now,
        "updatedAt": now,
        "rolloutState": "COMPLETED",
        "rolloutStateReason": f"ECS deployment {identifier} completed.",
    }


def _show(call: Call, service: dict[str, Any]) -> None:
    record = _services.of(call.region).get(_key(service))
    if record is None:
        return
    service.update(record["kept"])
    gone = service["status"] == "INACTIVE"
    service["runningCount"] = 0 if gone else service["desiredCount"]
    service["pendingCount"] = 0
    if service.get("capacityProviderStrategy"):
        service.pop("launchType", None)
    if record.get("taskDefinition"):
        service["taskDefinition"] = record["taskDefinition"]
    if _controller(service) != "ECS":
        service["deployments"] = []  # CODE_DEPLOY and EXTERNAL have task sets instead
        return
    if len(record["deployments"]) > 1 and time.time() > record.get("forget", math.inf):
        del record["deployments"][1:]
    deployments = [] if gone else record["deployments"]
    service["deployments"] = [_shown_deployment(record, service, each) for each in deployments]
    service["events"] = [
        {
            "id": each["id"],
            "createdAt": each["createdAt"],
            "message": f"(service {service['serviceName']}) {each['rolloutStateReason']}",
        }
        for each in reversed(record["history"])
    ]


LATEST_PLATFORM = "1.4.0"
"""Platform version of Fargate that deployments show where a service wants the latest."""


def _shown_deployment(record: dict[str, Any], service: dict[str, Any], deployment: dict[str, Any]) -> dict[str, Any]:
    shown = {**deployment, "desiredCount": service["desiredCount"]}
    if deployment["status"] == "PRIMARY" and deployment["rolloutState"] == "COMPLETED":
        shown["runningCount"] = service["desiredCount"]
    for name in ("running", "replaced"):
        shown.pop(name, None)
    for name in ("capacityProviderStrategy", "networkConfiguration", "platformVersion"):
        if record["kept"].get(name):
            shown[name] = record["kept"][name]
    if shown.get("platformVersion") == "LATEST":
        shown["platformVersion"] = record.get("platformVersion", LATEST_PLATFORM)
    if service.get("launchType"):
        shown["launchType"] = service["launchType"]
    # Like AWS, nothing once it is turned off: https://github.com/hashicorp/terraform-provider-aws/pull/43871
    if record.get("serviceConnect", {}).get("enabled"):
        shown["serviceConnectConfiguration"] = record["serviceConnect"]
    return shown


def _task(call: Call, service: dict[str, Any], definition: str, deployment: str, name: str, now: float) -> dict[str, Any]:
    cluster = service["clusterArn"].split("/")[-1]
    arn = call.arn("ecs", f"task/{cluster}/{name}")
    containers = call.moto().describe_task_definition(definition).container_definitions if definition else []
    return {
        "taskArn": arn,
        "clusterArn": service["clusterArn"],
        "taskDefinitionArn": definition,
        "group": f"service:{service['serviceName']}",
        "startedBy": deployment,
        "desiredStatus": "RUNNING",
        "lastStatus": "RUNNING",
        "healthStatus": "UNKNOWN",
        "createdAt": now,
        "startedAt": now,
        "enableExecuteCommand": service.get("enableExecuteCommand", False),
        "containers": [
            {"taskArn": arn, "name": each["name"], "image": each["image"], "lastStatus": "RUNNING", "runtimeId": f"{name}-1"}
            for each in containers
        ],
    }


def _all_tasks(call: Call) -> list[dict[str, Any]]:
    """Stopped tasks, and as many running tasks as services desire."""
    tasks = list(_tasks.of(call.region).values())
    for service in call.moto().services.values():
        record = _services.of(call.region).get(f"{service.cluster_name}/{service.name}")
        if record is None or service.status == "INACTIVE" or not record["deployments"]:
            continue
        view = {"clusterArn": service.cluster_arn, "serviceName": service.name, **record["kept"]}
        for deployment in record["deployments"]:
            if deployment["rolloutState"] == "FAILED":
                continue
            for number in range(service.desired_count):
                task = _task(
                    call, view, deployment["taskDefinition"], deployment["id"], _task_name(deployment, number), deployment["createdAt"]
                )
                if deployment["rolloutState"] == "IN_PROGRESS" and task["taskArn"] not in deployment.get("running", ()):
                    task["lastStatus"] = "PENDING"
                tasks.append(task)
    return tasks


def _task_name(deployment: dict[str, Any], number: int) -> str:
    """Id of the task in a place of a deployment: another one after each that stopped."""
    stopped = deployment.get("replaced", {}).get(number, 0)
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{deployment['id']}/{number}" + (f"/{stopped}" if stopped else "")).hex


FAILED_TASKS = 3
"""Stopped tasks after which the circuit breaker ends a deployment (its minimum threshold)."""


def report(call: Call, arn: str, status: str, reason: str, exit_codes: dict[str, int | None]) -> None:
    """Record the state of a service's task that an agent reports, and what follows for its deployment."""
    for service in call.moto().services.values():
        record = _services.of(call.region).get(f"{service.cluster_name}/{service.name}", {"deployments": []})
        for deployment in record["deployments"]:
            for number in range(service.desired_count):
                if arn.split("/")[-1] == _task_name(deployment, number):
                    _report(call, record, deployment, number, {"arn": arn, "status": status, "reason": reason, "codes": exit_codes})
                    return


def _report(call: Call, record: dict[str, Any], deployment: dict[str, Any], number: int, reported: dict[str, Any]) -> None:
    running = deployment.setdefault("running", [])
    arn, reason = reported["arn"], reported["reason"]
    if reported["status"] == "RUNNING":
        if arn not in running:
            running.append(arn)
        deployment["runningCount"] = len(running)
        if deployment["rolloutState"] == "IN_PROGRESS" and len(running) >= deployment["desiredCount"]:
            deployment.update(rolloutState="COMPLETED", rolloutStateReason=f"ECS deployment {deployment['id']} completed.")
            record["deployments"] = [deployment]
            _note(record, deployment, "SUCCESSFUL")
        return
    task = next((each for each in _all_tasks(call) if each["taskArn"] == arn), None)
    if task is not None:
        code = "EssentialContainerExited" if any(each is not None for each in reported["codes"].values()) else "ServiceSchedulerInitiated"
        task.update(desiredStatus="STOPPED", lastStatus="STOPPED", stopCode=code, stoppedReason=reason, stoppedAt=time.time())
        for container in task["containers"]:
            container.update(lastStatus="STOPPED", exitCode=reported["codes"].get(container["name"]), reason=reason)
        _tasks.of(call.region)[arn] = task
    running[:] = [each for each in running if each != arn]
    replaced = deployment.setdefault("replaced", {})
    replaced[number] = replaced.get(number, 0) + 1
    if deployment["rolloutState"] != "IN_PROGRESS":
        return
    deployment["failedTasks"] += 1
    earlier = next((each for each in record["deployments"] if each["status"] == "ACTIVE"), None)
    breaker = (record["kept"].get("deploymentConfiguration") or {}).get("deploymentCircuitBreaker") or {}
    if deployment["failedTasks"] < FAILED_TASKS or earlier is None or not breaker.get("rollback"):
        return
    why = f"ECS deployment {deployment['id']} failed: {ROLLED_BACK}"
    deployment.update(status="ACTIVE", rolloutState="FAILED", rolloutStateReason=why, runningCount=0)
    back = f"ECS deployment circuit breaker: rolled back from {deployment['id']}."
    restored = {**earlier, "status": "PRIMARY", "rolloutState": "COMPLETED", "rolloutStateReason": back}
    record.update(
        taskDefinition=earlier["taskDefinition"], deployments=[restored, deployment], forget=time.time() + SHOWN_SECONDS
    )
    _note(record, deployment, "ROLLBACK_SUCCESSFUL")


def _note(record: dict[str, Any], deployment: dict[str, Any], status: str) -> None:
    """The state of a deployment in the history."""
    for each in record["history"]:
        if each["id"] == deployment["id"]:
            each.update(status=status, rolloutStateReason=deployment["rolloutStateReason"])


def _service_deployments(call: Call) -> list[dict[str, Any]]:
    found = []
    for key, record in _services.of(call.region).items():
        for each in record.get("history", []):
            arn = call.arn("ecs", f"service-deployment/{key}/{each['id'].split('/')[-1]}")
            found.append(
                {
                    "serviceDeploymentArn": arn,
                    "serviceArn": call.arn("ecs", f"service/{key}"),
                    "clusterArn": call.arn("ecs", f"cluster/{key.split('/')[0]}"),
                    "status": each["status"],
                    "statusReason": each["rolloutStateReason"],
                    "createdAt": each["createdAt"],
                    "startedAt": each["createdAt"],
                    "finishedAt": each["updatedAt"],
                    "targetServiceRevision": {
                        "arn": call.arn("ecs", f"service-revision/{key}/{each['id'].split('/')[-1]}"),
                        "requestedTaskCount": each["desiredCount"],
                        "runningTaskCount": each["runningCount"],
                        "pendingTaskCount": 0,
                    },
                }
            )
    return found


def moved_by_code_deploy(call: Call, cluster: str, name: str, task_definition: str) -> str | None:
    """Move a service to a task definition; or, when configured to fail, give up and return why."""
    failure = _roll_backs.of("*").pop(f"{cluster}/{name}", None)
    if failure is not None:
        return str(failure["reason"])
    move(call, cluster, name, task_definition)
    return None


def move(account: Account, cluster: str, name: str, task_definition: str) -> None:
    """Deploy another task definition to a service, with success."""
    record = service_of(account, cluster, name)
    held = account.moto("ecs").services[f"{cluster}:{name}"]
    view = {"clusterArn": held.cluster_arn, "serviceName": name, "desiredCount": held.desired_count}
    new = _deployment(view, task_definition, time.time())
    record.update(taskDefinition=task_definition, deployments=[new])
    record.setdefault("history", []).append({**new, "status": "SUCCESSFUL"})


def swap_target_group(call: Call, cluster: str, name: str, groups: list[str]) -> str:
    """Register a service's tasks with the other one of two target groups, and return its ARN."""
    balancers = service_of(call, cluster, name)["kept"]["loadBalancers"]
    mine = next(each for each in balancers if each.get("targetGroupArn") in groups)
    mine["targetGroupArn"] = next(arn for arn in groups if arn != mine["targetGroupArn"])
    return str(mine["targetGroupArn"])


def service_of(account: Account, cluster: str, name: str) -> dict[str, Any]:
    """The emulator's record of an active service; refuses a service that does not exist."""
    record = _services.of(account.region).get(f"{cluster.split('/')[-1]}/{name.split('/')[-1]}")
    if record is None:
        raise Refused("ServiceNotFoundException", "Service not found.")
    return record


def running_services(account: Account) -> list[Any]:
    """Moto's services that have tasks."""
    return [each for each in account.moto("ecs").services.values() if each.status == "ACTIVE" and each.desired_count > 0]


def network_of(service: Any) -> dict[str, Any]:
    """Subnets and security groups of a service's tasks."""
    return (service.network_configuration or {}).get("awsvpcConfiguration") or {}
