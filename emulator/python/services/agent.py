"""The agent that runs containers for ECS. Once one is connected, tasks and deployments have the states that it reports."""

from __future__ import annotations

from typing import Any

from call import Call
from services import ecs, one_off
from state import AGENT


def connect() -> None:
    """From now on, tasks wait for an agent."""
    AGENT.of("*")["connected"] = True


def submit_task_state_change(call: Call) -> dict[str, Any]:
    """SubmitTaskStateChange: a task runs, as its health checks pass, or has stopped."""
    exit_codes = {each["containerName"]: each.get("exitCode") for each in call.params.get("containers", [])}
    task, status, reason = call.params["task"], call.params["status"], call.params.get("reason", "")
    if not one_off.report(call, task, status, reason, exit_codes):
        ecs.report(call, task, status, reason, exit_codes)
    return {"acknowledgment": "ok"}
