"""Tasks without a service. Without an agent, a task starts, writes the configured lines, and exits as configured."""

from __future__ import annotations

import time
import uuid
from typing import Any

from call import Call, backend
from state import Store, has_agent

_tasks = Store()
_endings = Store()


def end_next_task(fields: dict[str, Any]) -> None:
    """Configure the exit code and the log lines of the next task of a family, in any region."""
    _endings.of("*")[fields["family"]] = {"exitCode": fields.get("exitCode", 0), "lines": fields.get("lines", [])}


def run_task(call: Call) -> dict[str, Any]:
    cluster = call.moto()._get_cluster(call.params.get("cluster", "default"))
    definition = call.moto().describe_task_definition(call.params["taskDefinition"])
    ending = _endings.of("*").pop(definition.family, {"exitCode": 0, "lines": []})
    identifier = uuid.uuid4().hex
    arn = call.arn("ecs", f"task/{cluster.name}/{identifier}")
    task = {
        "taskArn": arn,
        "clusterArn": cluster.arn,
        "taskDefinitionArn": definition.arn,
        "group": call.params.get("group", f"family:{definition.family}"),
        "startedBy": call.params.get("startedBy"),
        "overrides": call.params.get("overrides", {}),
        "desiredStatus": "RUNNING",
        "lastStatus": "PENDING",
        "createdAt": time.time(),
        "containers": [
            {"taskArn": arn, "name": each["name"], "image": each["image"], "lastStatus": "PENDING"}
            for each in definition.container_definitions
        ],
    }
    _tasks.of(call.region)[identifier] = {"task": task, "exitCode": ending["exitCode"]}
    _write(call, definition.container_definitions, identifier, ending["lines"])
    return {"tasks": [task], "failures": []}


def execute_command(call: Call) -> dict[str, Any]:
    session = f"ecs-execute-command-{uuid.uuid4().hex}"
    return {
        "taskArn": call.params["task"],
        "interactive": True,
        "session": {"sessionId": session, "streamUrl": f"wss://ssmmessages.{call.region}.amazonaws.com/v1/data-channel/{session}", "tokenValue": "emulated"},
    }


def stop_task(call: Call) -> dict[str, Any] | None:
    record = _tasks.of(call.region).get(call.params["task"].split("/")[-1])
    if record is None:
        return None
    if record["task"]["lastStatus"] != "STOPPED":
        _end(record["task"], 143, call.params.get("reason", "Task stopped by user"))
    return {"task": record["task"]}


def report(call: Call, arn: str, status: str, reason: str, exit_codes: dict[str, int | None]) -> bool:
    """Record the state of a task that an agent reports; false if the task belongs to a service."""
    record = _tasks.of(call.region).get(arn.split("/")[-1])
    if record is None:
        return False
    task = record["task"]
    if status != "STOPPED":
        task["lastStatus"] = status
    elif task["lastStatus"] != "STOPPED":
        _end(task, 1, reason)
        for container in task["containers"]:
            container["exitCode"] = exit_codes.get(container["name"])
    return True


def amend_list(call: Call, body: dict[str, Any]) -> None:
    """ListTasks: those that wait for an agent, or run there."""
    cluster, family = call.params.get("cluster", "default").split("/")[-1], call.params.get("family")
    if not has_agent() or call.params.get("serviceName") or call.params.get("desiredStatus", "RUNNING") != "RUNNING":
        return
    for record in _tasks.of(call.region).values():
        task = record["task"]
        same_family = family is None or task["taskDefinitionArn"].split("/")[-1].split(":")[0] == family
        if same_family and task["desiredStatus"] == "RUNNING" and task["clusterArn"].split("/")[-1] == cluster:
            body["taskArns"].append(task["taskArn"])


def amend_descriptions(call: Call, body: dict[str, Any]) -> None:
    """DescribeTasks: without an agent, a task moves to its next state at each call."""
    known = _tasks.of(call.region)
    asked = [known[each.split("/")[-1]] for each in call.params["tasks"] if each.split("/")[-1] in known]
    for record in asked:
        task = record["task"]
        if has_agent():
            continue
        if task["lastStatus"] == "PENDING":
            task["lastStatus"] = "RUNNING"
        elif task["lastStatus"] == "RUNNING":
            _end(task, record["exitCode"], "Essential container in task exited")
    body["tasks"].extend(record["task"] for record in asked)
    arns = {record["task"]["taskArn"] for record in asked}
    body["failures"] = [each for each in body.get("failures", []) if each.get("arn") not in arns]


def _end(task: dict[str, Any], exit_code: int, reason: str) -> None:
    task.update(desiredStatus="STOPPED", lastStatus="STOPPED", stoppedReason=reason, stoppedAt=time.time())
    for container in task["containers"]:
        container.update(lastStatus="STOPPED", exitCode=exit_code)


def _write(call: Call, containers: list[dict[str, Any]], identifier: str, lines: list[str]) -> None:
    """Write the lines of the first container to its log stream."""
    container = containers[0]
    options = (container.get("logConfiguration") or {}).get("options") or {}
    if not lines or "awslogs-group" not in options:
        return
    stream = f"{options.get('awslogs-stream-prefix', 'ecs')}/{container['name']}/{identifier}"
    logs = backend("logs", call.region)
    logs.create_log_stream(options["awslogs-group"], stream)
    now = int(time.time() * 1000)
    logs.put_log_events(options["awslogs-group"], stream, [{"timestamp": now, "message": line} for line in lines])
