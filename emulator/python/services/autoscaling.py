"""EC2 Auto Scaling: fields of policies and hooks that moto drops, notifications, instance refreshes."""

from __future__ import annotations

import time
import uuid
from typing import Any

from call import Call, Refused
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, FakeScalingPolicy
from state import Store

_policies = Store()
_hooks = Store()
_notifications = Store()
_refreshes = Store()
_groups = Store()

HOOK_FIELDS = ("RoleARN", "NotificationTargetARN", "NotificationMetadata")


GROUP_FIELDS = ("DefaultInstanceWarmup", "CapacityRebalance")


def remember_group(call: Call, result: dict[str, Any]) -> None:
    """CreateAutoScalingGroup, UpdateAutoScalingGroup: an update keeps the fields that it omits."""
    held = {} if call.operation == "CreateAutoScalingGroup" else _groups.of(call.region).get(call.params["AutoScalingGroupName"], {})
    named = {name: call.params[name] for name in GROUP_FIELDS if call.params.get(name) is not None}
    _groups.of(call.region)[call.params["AutoScalingGroupName"]] = {**held, **named}


def amend_groups(call: Call, result: dict[str, Any]) -> None:
    for group in result.get("AutoScalingGroups", []):
        group.update(_groups.of(call.region).get(group["AutoScalingGroupName"], {}))


def keep_what_an_update_omits() -> None:
    """Moto removes the mixed instances policy when an update omits it."""
    update = FakeAutoScalingGroup.update

    def patched(self: FakeAutoScalingGroup, *args: Any, **kwargs: Any) -> None:
        held = self.mixed_instances_policy
        update(self, *args, **kwargs)
        named = kwargs.get("launch_config_name") or kwargs.get("launch_template") or kwargs.get("mixed_instances_policy")
        if not named:
            self.mixed_instances_policy = held

    FakeAutoScalingGroup.update = patched  # type: ignore[method-assign]


def unprotect_what_is_forced(call: Call) -> None:
    """DeleteAutoScalingGroup: a forced deletion terminates protected instances too; moto keeps them running."""
    group = call.moto().autoscaling_groups.get(call.params["AutoScalingGroupName"])
    for instance in group.instance_states if group and call.params.get("ForceDelete") else []:
        instance.protected_from_scale_in = False


def policies_by_group() -> None:
    """Two groups may have policies of one name; moto keeps only one of them."""
    put = AutoScalingBackend.put_scaling_policy

    def patched(self: AutoScalingBackend, *args: Any, **kwargs: Any) -> FakeScalingPolicy:
        policy = put(self, *args, **kwargs)
        self.policies[f"{policy.auto_scaling_group_name}/{policy.name}"] = self.policies.pop(policy.name)
        return policy

    AutoScalingBackend.put_scaling_policy = patched  # type: ignore[method-assign]


def _policy_key(call: Call) -> str | None:
    name, group = call.params["PolicyName"], call.params.get("AutoScalingGroupName")
    for key, policy in call.moto().policies.items():
        if name in (policy.name, policy.arn) and group in (None, policy.auto_scaling_group_name):
            return str(key)
    return None


def delete_policy(call: Call) -> dict[str, Any]:
    call.moto().policies.pop(_policy_key(call), None)
    return {}


def execute_policy(call: Call) -> dict[str, Any]:
    key = _policy_key(call)
    if key is None:
        raise Refused("ValidationError", f"PolicyName not found - no such policy: {call.params['PolicyName']}")
    call.moto().policies[key].execute()
    return {}


def remember_policy(call: Call, result: dict[str, Any]) -> None:
    key = (call.params["AutoScalingGroupName"], call.params["PolicyName"])
    _policies.of(call.region)[key] = call.params.get("Enabled", True)


def amend_policies(call: Call, result: dict[str, Any]) -> None:
    for policy in result.get("ScalingPolicies", []):
        key = (policy["AutoScalingGroupName"], policy["PolicyName"])
        policy["Enabled"] = _policies.of(call.region).get(key, True)
        if not policy.get("PredictiveScalingConfiguration", {}).get("MetricSpecifications"):
            policy.pop("PredictiveScalingConfiguration", None)


def remember_hook(call: Call, result: dict[str, Any]) -> None:
    key = (call.params["AutoScalingGroupName"], call.params["LifecycleHookName"])
    _hooks.of(call.region)[key] = {name: call.params[name] for name in HOOK_FIELDS if name in call.params}


def amend_hooks(call: Call, result: dict[str, Any]) -> None:
    for hook in result.get("LifecycleHooks", []):
        for name in HOOK_FIELDS:
            hook.pop(name, None)
        hook.update(_hooks.of(call.region).get((hook["AutoScalingGroupName"], hook["LifecycleHookName"]), {}))


def put_notification(call: Call) -> dict[str, Any]:
    key = (call.params["AutoScalingGroupName"], call.params["TopicARN"])
    _notifications.of(call.region)[key] = call.params["NotificationTypes"]
    return {}


def describe_notifications(call: Call) -> dict[str, Any]:
    groups = call.params.get("AutoScalingGroupNames")
    found = [
        {"AutoScalingGroupName": group, "TopicARN": topic, "NotificationType": kind}
        for (group, topic), kinds in _notifications.of(call.region).items()
        for kind in kinds
        if not groups or group in groups
    ]
    return {"NotificationConfigurations": found}


def delete_notification(call: Call) -> dict[str, Any]:
    _notifications.of(call.region).pop((call.params["AutoScalingGroupName"], call.params["TopicARN"]), None)
    return {}


def start_refresh(call: Call) -> dict[str, Any]:
    group = call.params["AutoScalingGroupName"]
    if group not in call.moto().autoscaling_groups:
        raise Refused("ValidationError", f"AutoScalingGroup name not found - no such group: {group}")
    now = time.time()
    refresh = {
        "InstanceRefreshId": str(uuid.uuid4()),
        "AutoScalingGroupName": group,
        "Status": "Successful",
        "StartTime": now,
        "EndTime": now,
        "PercentageComplete": 100,
        "InstancesToUpdate": 0,
        "Preferences": call.params.get("Preferences"),
    }
    _refreshes.of(call.region).setdefault(group, []).insert(0, refresh)
    return {"InstanceRefreshId": refresh["InstanceRefreshId"]}


def describe_refreshes(call: Call) -> dict[str, Any]:
    wanted = call.params.get("InstanceRefreshIds")
    refreshes = _refreshes.of(call.region).get(call.params["AutoScalingGroupName"], [])
    return {"InstanceRefreshes": [each for each in refreshes if not wanted or each["InstanceRefreshId"] in wanted]}


def cancel_refresh(call: Call) -> dict[str, Any]:
    raise Refused("ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found")
