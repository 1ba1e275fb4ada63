"""The one list of what the emulator answers, adds or mends itself: an empty plan that rests on it is weaker than AWS.

`answer` takes the call instead of moto, `amend` completes moto's answer, `patch` mends moto when it starts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from call import Call
from services import app_autoscaling, ecs

Answer = Callable[[Call], dict[str, Any]]
Amend = Callable[[Call, dict[str, Any]], None]


@dataclass(frozen=True)
class Fake:
    """What is faked of some operations, and in which version of moto the lack was seen."""

    service: str
    operations: tuple[str, ...]
    what: str
    answer: Answer | None = None
    amend: Amend | None = None
    patch: Callable[[], None] | None = None
    moto: str = "5.2.1"


FAKES: list[Fake] = [
    Fake(
        "ecs",
        ("CreateService", "UpdateService", "DeleteService"),
        "fields that moto forgets are kept; a deployment completes at once, or is rolled back when told so",
        amend=ecs.amend_service,
    ),
    Fake("ecs", ("DescribeServices",), "kept fields, deployments and events; every wanted task runs", amend=ecs.amend_services),
    Fake("ecs", ("ListTasks",), "the tasks of services; no container runs", amend=ecs.amend_task_list),
    Fake("ecs", ("DescribeTasks",), "the tasks of services; no container runs", amend=ecs.amend_task_descriptions),
    Fake("ecs", ("ListServiceDeployments",), "deployments of services", answer=ecs.list_service_deployments),
    Fake("ecs", ("DescribeServiceDeployments",), "deployments of services", answer=ecs.describe_service_deployments),
    Fake("application-autoscaling", ("ListTagsForResource",), "tags", answer=app_autoscaling.list_tags),
    Fake("application-autoscaling", ("TagResource",), "tags", answer=app_autoscaling.tag),
    Fake("application-autoscaling", ("UntagResource",), "tags", answer=app_autoscaling.untag),
    Fake("application-autoscaling", ("RegisterScalableTarget",), "tags", amend=app_autoscaling.tags_at_registration),
    Fake(
        "application-autoscaling",
        ("DescribeScalingActivities",),
        "always empty: nothing scales",
        answer=app_autoscaling.scaling_activities,
    ),
]
