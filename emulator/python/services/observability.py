"""CloudWatch Logs, X-Ray, FIS and AppConfig."""

from __future__ import annotations

import time
import uuid
from typing import Any

from call import Call, Refused
from state import Records, Store, Tags

_tags = Tags()

# CloudWatch Logs

_classes = Store()
queries = Store()
_protections = Store()


def remember_class(call: Call, result: dict[str, Any]) -> None:
    _classes.of(call.region)[call.params["logGroupName"]] = call.params.get("logGroupClass", "STANDARD")


def amend_groups(call: Call, result: dict[str, Any]) -> None:
    for group in result.get("logGroups", []):
        group["logGroupClass"] = _classes.of(call.region).get(group["logGroupName"], "STANDARD")


def amend_events(call: Call, result: dict[str, Any]) -> None:
    """Moto ignores the prefix of FilterLogEvents."""
    prefix = call.params.get("logStreamNamePrefix", "")
    result["events"] = [each for each in result.get("events", []) if each["logStreamName"].startswith(prefix)]


def put_query(call: Call) -> dict[str, Any]:
    identifier = call.params.get("queryDefinitionId") or str(uuid.uuid4())
    fields = ("name", "queryString", "logGroupNames", "queryLanguage")
    record = {name: call.params[name] for name in fields if name in call.params}
    queries.of(call.region)[identifier] = {"queryDefinitionId": identifier, "lastModified": int(time.time() * 1000), **record}
    return {"queryDefinitionId": identifier}


def describe_queries(call: Call) -> dict[str, Any]:
    prefix = call.params.get("queryDefinitionNamePrefix", "")
    return {"queryDefinitions": [each for each in queries.of(call.region).values() if each["name"].startswith(prefix)]}


def delete_query(call: Call) -> dict[str, Any]:
    return {"success": queries.of(call.region).pop(call.params["queryDefinitionId"], None) is not None}


def put_protection(call: Call) -> dict[str, Any]:
    group = call.params["logGroupIdentifier"]
    record = {"logGroupIdentifier": group, "policyDocument": call.params["policyDocument"]}
    _protections.of(call.region)[group] = record
    return record


def get_protection(call: Call) -> dict[str, Any]:
    group = call.params["logGroupIdentifier"]
    return _protections.of(call.region).get(group, {"logGroupIdentifier": group})


def delete_protection(call: Call) -> dict[str, Any]:
    _protections.of(call.region).pop(call.params["logGroupIdentifier"], None)
    return {}


def associate_key(call: Call) -> dict[str, Any]:
    """AssociateKmsKey, DisassociateKmsKey."""
    name = call.params.get("logGroupName") or call.params["resourceIdentifier"].split(":log-group:")[-1]
    group = call.moto().groups.get(name)
    if group is None:
        raise Refused("ResourceNotFoundException", "The specified log group does not exist.")
    group.kms_key_id = call.params.get("kmsKeyId")
    return {}


def send_to_destinations() -> None:
    """Moto handles a destination of CloudWatch Logs as a log group."""
    from moto.kinesis import kinesis_backends
    from moto.logs.models import LogsBackend, LogStream

    put, send = LogsBackend.put_subscription_filter, LogStream._send_log_events

    def put_filter(
        self: Any, log_group_name: str, filter_name: str, filter_pattern: str, destination_arn: str, role_arn: str
    ) -> None:
        if ":destination:" not in destination_arn:
            return put(self, log_group_name, filter_name, filter_pattern, destination_arn, role_arn)
        group = self._find_log_group(log_group_name=log_group_name)
        return group.put_subscription_filter(filter_name, filter_pattern, destination_arn, role_arn)

    def send_lines(self: Any, service: str, destination_arn: str, filter_name: str, log_events: list[dict[str, Any]]) -> None:
        if ":destination:" not in destination_arn:
            return send(self, service, destination_arn, filter_name, log_events)
        destination = destination_behind(destination_arn)
        if destination is None:
            return None
        account, stream = destination_arn.split(":")[4], destination.target_arn
        return kinesis_backends[account][stream.split(":")[3]].send_log_event(
            stream, filter_name, self.log_group.name, self.log_stream_name, log_events
        )

    LogsBackend.put_subscription_filter = put_filter
    LogStream._send_log_events = send_lines


def destination_behind(arn: str) -> Any | None:
    """Moto's record of a destination, in any account."""
    from moto.logs.models import logs_backends

    region, account = arn.split(":")[3:5]
    return logs_backends[account][region].destinations.get(arn)


# X-Ray

groups = Records("InvalidRequestException", "Group not found: {}")
sampling = Records("InvalidRequestException", "Sampling rule not found: {}")


def create_group(call: Call) -> dict[str, Any]:
    name = call.params["GroupName"]
    arn = call.arn("xray", f"group/{name}/{uuid.uuid4().hex.upper()}")
    insights = call.params.get("InsightsConfiguration") or {"InsightsEnabled": False, "NotificationsEnabled": False}
    record = {"GroupARN": arn, "GroupName": name, "FilterExpression": call.params.get("FilterExpression")}
    _tags.write(call, arn, call.params.get("Tags"))
    return {"Group": groups.add(call, arn, {**record, "InsightsConfiguration": insights})}


def get_group(call: Call) -> dict[str, Any]:
    return {"Group": groups.find(call, _group_arn(call))}


def update_group(call: Call) -> dict[str, Any]:
    fields = {name: call.params.get(name) for name in ("FilterExpression", "InsightsConfiguration")}
    return {"Group": groups.change(call, _group_arn(call), fields)}


def delete_group(call: Call) -> dict[str, Any]:
    groups.remove(call, _group_arn(call))
    return {}


def _group_arn(call: Call) -> str:
    if "GroupARN" in call.params:
        return call.params["GroupARN"]
    name = call.params.get("GroupName")
    return next((each["GroupARN"] for each in groups.all(call) if each["GroupName"] == name), str(name))


def create_sampling_rule(call: Call) -> dict[str, Any]:
    rule = call.params["SamplingRule"]
    rule["RuleARN"] = call.arn("xray", f"sampling-rule/{rule['RuleName']}")
    rule.setdefault("Attributes", {})
    _tags.write(call, rule["RuleARN"], call.params.get("Tags"))
    return _sampling_record(sampling.add(call, rule["RuleName"], rule))


def get_sampling_rules(call: Call) -> dict[str, Any]:
    return {"SamplingRuleRecords": [_sampling_record(each)["SamplingRuleRecord"] for each in sampling.all(call)]}


def update_sampling_rule(call: Call) -> dict[str, Any]:
    update = call.params["SamplingRuleUpdate"]
    return _sampling_record(sampling.change(call, _rule_name(update), update))


def delete_sampling_rule(call: Call) -> dict[str, Any]:
    return _sampling_record(sampling.remove(call, _rule_name(call.params)))


def _rule_name(params: dict[str, Any]) -> str:
    return params.get("RuleName") or params["RuleARN"].split("/")[-1]


def _sampling_record(rule: dict[str, Any]) -> dict[str, Any]:
    return {"SamplingRuleRecord": {"SamplingRule": rule, "CreatedAt": 0, "ModifiedAt": 0}}


def list_xray_tags(call: Call) -> dict[str, Any]:
    return {"Tags": _tags.read_list(call, call.params["ResourceARN"])}


def tag_xray(call: Call) -> dict[str, Any]:
    _tags.write(call, call.params["ResourceARN"], call.params["Tags"])
    return {}


def untag_xray(call: Call) -> dict[str, Any]:
    _tags.remove(call, call.params["ResourceARN"], call.params["TagKeys"])
    return {}


# FIS

_experiments = Records("ResourceNotFoundException", "Experiment {} not found")


def get_experiment_template(call: Call) -> dict[str, Any]:
    return {"experimentTemplate": _template(call, call.params["id"])}


def list_experiment_templates(call: Call) -> dict[str, Any]:
    return {"experimentTemplates": [_template(call, each) for each in call.moto().experiment_templates]}


def update_experiment_template(call: Call) -> dict[str, Any]:
    _template(call, call.params["id"])
    template = call.moto().experiment_templates[call.params["id"]]
    fields = {"description": "description", "stopConditions": "stop_conditions", "targets": "targets", "actions": "actions"}
    for name, attribute in {**fields, "roleArn": "role_arn"}.items():
        if name in call.params:
            setattr(template, attribute, call.params[name])
    return {"experimentTemplate": _template(call, call.params["id"])}


def start_experiment(call: Call) -> dict[str, Any]:
    template = _template(call, call.params["experimentTemplateId"])
    identifier = f"EXP{uuid.uuid4().hex[:17]}"
    now = time.time()
    done = {"status": "completed", "reason": "Experiment completed."}
    fields = {name: template.get(name) for name in ("roleArn", "stopConditions", "actions", "targets")}
    return {
        "experiment": _experiments.add(
            call,
            identifier,
            {
                "id": identifier,
                "experimentTemplateId": template["id"],
                "state": done,
                "startTime": now,
                "endTime": now,
                **fields,
            },
        )
    }


def get_experiment(call: Call) -> dict[str, Any]:
    return {"experiment": _experiments.find(call, call.params["id"])}


def _template(call: Call, identifier: str) -> dict[str, Any]:
    backend = call.moto()
    template = backend.experiment_templates.get(identifier)
    if template is None:
        raise Refused("ResourceNotFoundException", f"ExperimentTemplate {identifier} not found")
    return template.to_dict(tags=backend.tagger.get_tag_dict_for_resource(template.arn))


# AppConfig

_environments = Records("ResourceNotFoundException", "Environment {} could not be found")
_strategies = Records("ResourceNotFoundException", "DeploymentStrategy {} could not be found")
STRATEGY_FIELDS = (
    "Name",
    "Description",
    "DeploymentDurationInMinutes",
    "GrowthType",
    "GrowthFactor",
    "FinalBakeTimeInMinutes",
    "ReplicateTo",
)


def create_environment(call: Call) -> dict[str, Any]:
    identifier = uuid.uuid4().hex[:7]
    record = {
        "Id": identifier,
        "ApplicationId": call.params["ApplicationId"],
        "Name": call.params["Name"],
        "Description": call.params.get("Description"),
        "State": "READY_FOR_DEPLOYMENT",
        "Monitors": call.params.get("Monitors") or [],
    }
    arn = call.arn("appconfig", f"application/{record['ApplicationId']}/environment/{identifier}")
    call.moto().tagger.tag_resource(arn, call.moto().tagger.convert_dict_to_tags_input(call.params.get("Tags") or {}))
    return _environments.add(call, identifier, record)


def get_environment(call: Call) -> dict[str, Any]:
    return _environments.find(call, call.params["EnvironmentId"])


def update_environment(call: Call) -> dict[str, Any]:
    fields = {name: call.params.get(name) for name in ("Name", "Description", "Monitors")}
    return _environments.change(call, call.params["EnvironmentId"], fields)


def delete_environment(call: Call) -> dict[str, Any]:
    _environments.remove(call, call.params["EnvironmentId"])
    return {}


def create_strategy(call: Call) -> dict[str, Any]:
    identifier = uuid.uuid4().hex[:7]
    given = {name: call.params.get(name) for name in STRATEGY_FIELDS}
    arn = call.arn("appconfig", f"deploymentstrategy/{identifier}")
    call.moto().tagger.tag_resource(arn, call.moto().tagger.convert_dict_to_tags_input(call.params.get("Tags") or {}))
    record = {name: value for name, value in given.items() if value is not None}
    defaults = {"GrowthType": "LINEAR", "FinalBakeTimeInMinutes": 0}
    return _strategies.add(call, identifier, {"Id": identifier, **defaults, **record})


def get_strategy(call: Call) -> dict[str, Any]:
    return _strategies.find(call, call.params["DeploymentStrategyId"])


def update_strategy(call: Call) -> dict[str, Any]:
    return _strategies.change(
        call, call.params["DeploymentStrategyId"], {name: call.params.get(name) for name in STRATEGY_FIELDS}
    )


def delete_strategy(call: Call) -> dict[str, Any]:
    _strategies.remove(call, call.params["DeploymentStrategyId"])
    return {}
