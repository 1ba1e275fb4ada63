"""Application Auto Scaling: tags, and an empty list of activities."""

from __future__ import annotations

from typing import Any

from call import Call
from state import Tags

_tags = Tags()


def list_tags(call: Call) -> dict[str, Any]:
    return {"Tags": _tags.read(call, call.params["ResourceARN"])}


def tag(call: Call) -> dict[str, Any]:
    _tags.write(call, call.params["ResourceARN"], call.params["Tags"])
    return {}


def untag(call: Call) -> dict[str, Any]:
    _tags.remove(call, call.params["ResourceARN"], call.params["TagKeys"])
    return {}


def tags_at_registration(call: Call, result: dict[str, Any]) -> None:
    """RegisterScalableTarget: moto drops its tags."""
    if call.params.get("Tags") and result.get("ScalableTargetARN"):
        _tags.write(call, result["ScalableTargetARN"], call.params["Tags"])


def scaling_activities(call: Call) -> dict[str, Any]:
    return {"ScalingActivities": []}
