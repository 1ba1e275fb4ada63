"""CodeDeploy on ECS: a deployment is in progress at the first GetDeployment, and has succeeded at the second."""

from __future__ import annotations

import json
from typing import Any

from call import Call, Refused
from services import ecs

RUNNING = ("Created", "InProgress")


def amend_deployment(call: Call, result: dict[str, Any]) -> None:
    """GetDeployment."""
    info = result["deploymentInfo"]
    held = call.moto().deployments[info["deploymentId"]]
    if held.status == "Created" and held.deployment_group.ecs_services:
        held.status = "InProgress"
    elif held.status in RUNNING:
        failure = _shift(call, held)
        held.status = "Failed" if failure else "Succeeded"
        held.failure = failure
    info["status"] = held.status
    if held.status not in RUNNING:
        info["completeTime"] = info["createTime"]
    if getattr(held, "failure", None):
        info["errorInformation"] = {"code": "HEALTH_CONSTRAINTS", "message": held.failure}


def stop_deployment(call: Call) -> dict[str, Any]:
    """StopDeployment: traffic has not moved before a deployment succeeds."""
    held = call.moto().get_deployment(call.params["deploymentId"])
    if held.status not in RUNNING:
        raise Refused("DeploymentAlreadyCompletedException", "The deployment has already completed.")
    held.status = "Stopped"
    return {"status": "Succeeded"}


def _shift(call: Call, held: Any) -> str | None:
    """Move the service to the deployment's task definition and the traffic to the other target group; returns why it failed."""
    group = held.deployment_group
    content = ((held.revision or {}).get("appSpecContent") or {}).get("content")
    if not group.ecs_services or content is None:
        return None
    where = group.ecs_services[0]
    properties = json.loads(content)["Resources"][0]["TargetService"]["Properties"]
    failure = ecs.moved_by_code_deploy(call, where["clusterName"], where["serviceName"], properties["TaskDefinition"])
    if failure is None:
        for pair in group.load_balancer_info.get("targetGroupPairInfoList", []):
            names = [each["name"] for each in pair["targetGroups"]]
            arns = [each.arn for each in call.moto("elbv2").target_groups.values() if each.name in names]
            new = ecs.swap_target_group(call, where["clusterName"], where["serviceName"], arns)
            for listener in pair["prodTrafficRoute"]["listenerArns"]:
                _send(call, listener, arns, new)
    return failure


def _send(call: Call, listener: str, groups: list[str], new: str) -> None:
    for rule in call.moto("elbv2").describe_rules(listener, None):
        for action in rule.actions:
            weighted = (action.data.get("ForwardConfig") or {}).get("TargetGroups", [])
            named = [action.data.get("TargetGroupArn"), *(each["TargetGroupArn"] for each in weighted)]
            if not any(each in groups for each in named):
                continue
            if weighted:
                for each in weighted:
                    each["Weight"] = 100 if each["TargetGroupArn"] == new else 0
            else:
                action.data["TargetGroupArn"] = action.TargetGroupArn = new
