"""Application Auto Scaling: tags, updates of policies, and an empty list of activities."""

from __future__ import annotations

from typing import Any

from call import Call
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend, FakeApplicationAutoscalingPolicy
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


def keep_updated_policies() -> None:
    """PutScalingPolicy: moto replaces an updated policy by one with another ARN, and leaves the alarms of the old one."""
    put = ApplicationAutoscalingBackend.put_scaling_policy

    def patched(self: ApplicationAutoscalingBackend, *args: Any, **kwargs: Any) -> FakeApplicationAutoscalingPolicy:
        before = dict(self.policies)
        policy = put(self, *args, **kwargs)
        for key, old in before.items():
            if self.policies[key] is not old:
                for each in (old, policy):
                    each.delete_alarms(self.account_id, self.region_name)
                policy.policy_arn, policy.alarms = old.policy_arn, []
                policy.create_alarms()
        return policy

    ApplicationAutoscalingBackend.put_scaling_policy = patched  # type: ignore[method-assign]


def scaling_activities(call: Call) -> dict[str, Any]:
    return {"ScalingActivities": []}
