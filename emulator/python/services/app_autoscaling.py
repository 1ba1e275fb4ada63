"""Application Auto Scaling: tags, and an empty list of activities."""

from __future__ import annotations

from typing import Any

from call import Call
from state import Store

_tags = Store()


def list_tags(call: Call) -> dict[str, Any]:
    return {"Tags": _tags.of(call.region).get(call.params["ResourceARN"], {})}


def tag(call: Call) -> dict[str, Any]:
    _tags.of(call.region).setdefault(call.params["ResourceARN"], {}).update(call.params["Tags"])
    return {}


def untag(call: Call) -> dict[str, Any]:
    tags = _tags.of(call.region).get(call.params["ResourceARN"], {})
    for key in call.params["TagKeys"]:
        tags.pop(key, None)
    return {}


def tags_at_registration(call: Call, body: dict[str, Any]) -> None:
    """RegisterScalableTarget takes tags, which moto drops."""
    if call.params.get("Tags") and body.get("ScalableTargetARN"):
        _tags.of(call.region)[body["ScalableTargetARN"]] = dict(call.params["Tags"])


def scaling_activities(call: Call) -> dict[str, Any]:
    return {"ScalingActivities": []}
