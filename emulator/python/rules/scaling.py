"""Refusals of Application Auto Scaling and EC2 Auto Scaling."""

from __future__ import annotations

from typing import Any

from call import Call
from refusals import refuses

DOCS = "https://docs.aws.amazon.com/"


@refuses(
    "scaling-tags-on-existing-target",
    "application-autoscaling",
    "RegisterScalableTarget",
    "ValidationException",
    "Tags can only be set when a scalable target is first registered. Use the TagResource API to tag an existing one.",
    "https://github.com/hashicorp/terraform-provider-aws/issues/31839",
)
def tags_on_existing_target(call: Call) -> bool:
    return bool(call.params.get("Tags")) and held_target(call) is not None


@refuses(
    "scaling-bounds",
    "application-autoscaling",
    "RegisterScalableTarget",
    "ValidationException",
    "Maximum capacity cannot be less than minimum capacity",
    DOCS + "autoscaling/application/APIReference/API_RegisterScalableTarget.html",
)
def scaling_bounds(call: Call) -> bool:
    held = held_target(call)
    lowest = call.params.get("MinCapacity", held.min_capacity if held else None)
    highest = call.params.get("MaxCapacity", held.max_capacity if held else None)
    return lowest is not None and highest is not None and int(lowest) > int(highest)


@refuses(
    "scaling-request-count-label",
    "application-autoscaling",
    "PutScalingPolicy",
    "ValidationException",
    "A resource label must be specified for ALBRequestCountPerTarget, and only for it",
    DOCS + "autoscaling/application/APIReference/API_PredefinedMetricSpecification.html",
)
def request_count_label(call: Call) -> bool:
    tracking = call.params.get("TargetTrackingScalingPolicyConfiguration") or {}
    metric = tracking.get("PredefinedMetricSpecification") or {}
    per_target = metric.get("PredefinedMetricType") == "ALBRequestCountPerTarget"
    return bool(metric) and per_target != bool(metric.get("ResourceLabel"))


@refuses(
    "scaling-policy-without-target",
    "application-autoscaling",
    "PutScalingPolicy PutScheduledAction",
    "ObjectNotFoundException",
    "No scalable target registered for service namespace: {namespace}, resource ID: {resource}, scalable dimension: "
    "{dimension}",
    DOCS + "autoscaling/application/APIReference/API_PutScalingPolicy.html",
)
def policy_without_target(call: Call) -> dict[str, Any] | None:
    if held_target(call) is not None:
        return None
    params = call.params
    resource, dimension = params["ResourceId"], params.get("ScalableDimension")
    return {"namespace": params["ServiceNamespace"], "resource": resource, "dimension": dimension}


def held_target(call: Call) -> Any:
    targets = call.moto().targets.get(call.params.get("ScalableDimension"), {})
    return targets.get(call.params["ResourceId"])


@refuses(
    "autoscaling-bounds",
    "autoscaling",
    "CreateAutoScalingGroup UpdateAutoScalingGroup SetDesiredCapacity",
    "ValidationError",
    "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}",
    DOCS + "autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html",
)
def autoscaling_bounds(call: Call) -> dict[str, Any] | None:
    held = call.moto().autoscaling_groups.get(call.params["AutoScalingGroupName"])
    lowest = call.params.get("MinSize", held.min_size if held else 0)
    highest = call.params.get("MaxSize", held.max_size if held else 0)
    desired = call.params.get("DesiredCapacity", lowest)
    fits = int(lowest) <= int(desired) <= int(highest)
    return None if fits else {"desired": desired, "min": lowest, "max": highest}


@refuses(
    "autoscaling-delete-with-instances",
    "autoscaling",
    "DeleteAutoScalingGroup",
    "ResourceInUse",
    "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
    DOCS + "autoscaling/ec2/APIReference/API_DeleteAutoScalingGroup.html",
)
def delete_with_machines(call: Call) -> bool:
    held = call.moto().autoscaling_groups.get(call.params["AutoScalingGroupName"])
    return bool(held and held.instance_states and not call.params.get("ForceDelete"))


@refuses(
    "autoscaling-group-exists",
    "autoscaling",
    "CreateAutoScalingGroup",
    "AlreadyExists",
    "AutoScalingGroup by this name already exists - A group with the name {name} already exists",
    DOCS + "autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html",
)
def group_exists(call: Call) -> dict[str, Any] | None:
    name = call.params["AutoScalingGroupName"]
    return {"name": name} if name in call.moto().autoscaling_groups else None
