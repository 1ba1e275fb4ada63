"""CodeDeploy, CodeCommit, CodeBuild, connections to repositories, and notifications."""

from __future__ import annotations

import time
import uuid
from typing import Any

from call import Call, Refused
from callers import account_id
from state import Records, Store, Tags

_tags = Tags()

# CodeDeploy

_configurations = Records("DeploymentConfigDoesNotExistException", "No deployment configuration found for name: {}")


def amend_deployment_group(call: Call, result: dict[str, Any]) -> None:
    """GetDeploymentGroup: moto writes empty objects for unset fields and forgets the alarms."""
    group = result["deploymentGroupInfo"]
    held = call.moto().get_deployment_group(group["applicationName"], group["deploymentGroupName"])
    for name in [name for name, value in group.items() if value == {}]:
        del group[name]
    group["alarmConfiguration"] = _alarms(held.alarm_configuration)
    group.setdefault("deploymentStyle", {"deploymentOption": "WITHOUT_TRAFFIC_CONTROL", "deploymentType": "IN_PLACE"})
    group.setdefault("autoRollbackConfiguration", {"enabled": False, "events": []})
    group.setdefault("outdatedInstancesStrategy", "UPDATE")


def _alarms(held: Any) -> dict[str, Any]:
    if isinstance(held, dict):
        return held
    if held is None:
        return {"enabled": False, "alarms": [], "ignorePollAlarmFailure": False}
    return {
        "enabled": held.enabled,
        "alarms": held.alarms,
        "ignorePollAlarmFailure": held.ignore_poll_alarm_failure,
    }


def update_deployment_group(call: Call) -> dict[str, Any]:
    params = call.params
    group = call.moto().get_deployment_group(params["applicationName"], params["currentDeploymentGroupName"])
    fields = {
        "autoRollbackConfiguration": "auto_rollback_configuration",
        "alarmConfiguration": "alarm_configuration",
        "blueGreenDeploymentConfiguration": "blue_green_deployment_configuration",
        "deploymentConfigName": "deployment_config_name",
        "deploymentStyle": "deployment_style",
        "ecsServices": "ecs_services",
        "loadBalancerInfo": "load_balancer_info",
        "serviceRoleArn": "service_role_arn",
        "triggerConfigurations": "trigger_configurations",
    }
    for name, attribute in fields.items():
        if name in params:
            setattr(group, attribute, params[name])
    return {"hooksNotCleanedUp": []}


def delete_application(call: Call) -> dict[str, Any]:
    call.moto().applications.pop(call.params["applicationName"], None)
    call.moto().deployment_groups.pop(call.params["applicationName"], None)
    return {}


def delete_deployment_group(call: Call) -> dict[str, Any]:
    groups = call.moto().deployment_groups.get(call.params["applicationName"], {})
    groups.pop(call.params["deploymentGroupName"], None)
    return {"hooksNotCleanedUp": []}


def create_configuration(call: Call) -> dict[str, Any]:
    record = {"deploymentConfigId": str(uuid.uuid4()), "createTime": time.time(), "computePlatform": "Server", **call.params}
    _configurations.add(call, call.params["deploymentConfigName"], record)
    return {"deploymentConfigId": record["deploymentConfigId"]}


def get_configuration(call: Call) -> dict[str, Any]:
    return {"deploymentConfigInfo": _configurations.find(call, call.params["deploymentConfigName"])}


def delete_configuration(call: Call) -> dict[str, Any]:
    _configurations.of(call.region).pop(call.params["deploymentConfigName"], None)
    return {}


def times(call: Call, result: dict[str, Any]) -> None:
    """Adds nothing: an amended answer is serialized again by the model, with times in the format of the protocol."""


# CodePipeline


def pipeline_state(call: Call) -> dict[str, Any]:
    name = call.params["name"]
    if name not in call.moto().pipelines:
        raise Refused("PipelineNotFoundException", f"Account '{account_id()}' does not have a pipeline with name '{name}'")
    pipeline = call.moto().pipelines[name].pipeline
    return {
        "pipelineName": pipeline["name"],
        "pipelineVersion": pipeline["version"],
        "stageStates": [
            {
                "stageName": stage["name"],
                "inboundTransitionState": {"enabled": True},
                "actionStates": [{"actionName": action["name"]} for action in stage["actions"]],
            }
            for stage in pipeline["stages"]
        ],
    }


# CodeCommit


def remember_repository_tags(call: Call, result: dict[str, Any]) -> None:
    _tags.write(call, result["repositoryMetadata"]["Arn"], call.params.get("tags"))


def list_repository_tags(call: Call) -> dict[str, Any]:
    return {"tags": _tags.read(call, call.params["resourceArn"])}


# CodeBuild


def accept_pipeline_projects() -> None:
    """Moto requires a location for the sources and artifacts of a pipeline, which have none."""
    from moto.codebuild import responses

    def unless_of_pipeline(check: Any) -> Any:
        return lambda part: None if part.get("type") == "CODEPIPELINE" else check(part)

    for name in ("_validate_required_params_source", "_validate_required_params_artifacts"):
        setattr(responses, name, unless_of_pipeline(getattr(responses, name)))


_keys = Store()


def remember_key(call: Call, result: dict[str, Any]) -> None:
    """Moto returns S3's own key, whatever the request named."""
    project = result["project"]
    key = call.params.get("encryptionKey") or _keys.of(call.region).get(project["name"])
    if key:
        _keys.of(call.region)[project["name"]] = project["encryptionKey"] = key


def amend_keys(call: Call, result: dict[str, Any]) -> None:
    for project in result.get("projects", []):
        project["encryptionKey"] = _keys.of(call.region).get(project["name"], project.get("encryptionKey"))


def delete_project(call: Call, result: dict[str, Any]) -> None:
    """DeleteProject: Terraform deletes by ARN, which moto handles as the name of an unknown project."""
    call.moto().delete_project(call.params["name"].split("/")[-1])


# Connections to GitHub, GitLab and Bitbucket: two services, the older an alias of the newer

connections = Records("ResourceNotFoundException", "Connection {} not found")


def create_connection(call: Call) -> dict[str, Any]:
    arn = call.arn(call.service, f"connection/{uuid.uuid4()}")
    connections.add(
        call,
        arn,
        {
            "ConnectionArn": arn,
            "ConnectionName": call.params["ConnectionName"],
            "ProviderType": call.params.get("ProviderType"),
            "HostArn": call.params.get("HostArn"),
            "ConnectionStatus": "PENDING",  # until a person approves it in the console
            "OwnerAccountId": account_id(),
        },
    )
    _tags.write(call, arn, call.params.get("Tags"))
    return {"ConnectionArn": arn, "Tags": _tags.read_list(call, arn)}


def get_connection(call: Call) -> dict[str, Any]:
    return {"Connection": connections.find(call, call.params["ConnectionArn"])}


def list_connections(call: Call) -> dict[str, Any]:
    return {"Connections": connections.all(call)}


def delete_connection(call: Call) -> dict[str, Any]:
    connections.remove(call, call.params["ConnectionArn"])
    return {}


def list_connection_tags(call: Call) -> dict[str, Any]:
    return {"Tags": _tags.read_list(call, call.params["ResourceArn"])}


def tag_connection(call: Call) -> dict[str, Any]:
    _tags.write(call, call.params["ResourceArn"], call.params["Tags"])
    return {}


def untag_connection(call: Call) -> dict[str, Any]:
    _tags.remove(call, call.params["ResourceArn"], call.params["TagKeys"])
    return {}


# Notification rules

rules = Records("ResourceNotFoundException", "Notification rule {} not found")


def create_rule(call: Call) -> dict[str, Any]:
    arn = call.arn("codestar-notifications", f"notificationrule/{uuid.uuid4().hex}")
    rules.add(call, arn, {"Arn": arn, "Status": "ENABLED", **_rule_fields(call.params)})
    _tags.write(call, arn, call.params.get("Tags"))
    return {"Arn": arn}


def update_rule(call: Call) -> dict[str, Any]:
    rules.change(call, call.params["Arn"], _rule_fields(call.params))
    return {}


def _rule_fields(params: dict[str, Any]) -> dict[str, Any]:
    fields = {name: params[name] for name in ("Name", "DetailType", "Resource", "Status") if name in params}
    if "EventTypeIds" in params:
        fields["EventTypes"] = [{"EventTypeId": each} for each in params["EventTypeIds"]]
    if "Targets" in params:
        fields["Targets"] = [{**each, "TargetStatus": "ACTIVE"} for each in params["Targets"]]
    return fields


def describe_rule(call: Call) -> dict[str, Any]:
    return {**rules.find(call, call.params["Arn"]), "Tags": _tags.read(call, call.params["Arn"])}


def delete_rule(call: Call) -> dict[str, Any]:
    rules.of(call.region).pop(call.params["Arn"], None)
    return {"Arn": call.params["Arn"]}


def list_rule_tags(call: Call) -> dict[str, Any]:
    return {"Tags": _tags.read(call, call.params["Arn"])}


def tag_rule(call: Call) -> dict[str, Any]:
    _tags.write(call, call.params["Arn"], call.params["Tags"])
    return {"Tags": _tags.read(call, call.params["Arn"])}


def untag_rule(call: Call) -> dict[str, Any]:
    _tags.remove(call, call.params["Arn"], call.params["TagKeys"])
    return {}


def delete_target(call: Call) -> dict[str, Any]:
    return {}


def continue_deployment(call: Call) -> dict[str, Any]:
    raise Refused("DeploymentAlreadyCompletedException", "The deployment has already completed.")
