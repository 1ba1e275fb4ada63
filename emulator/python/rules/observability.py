"""Refusals of CloudWatch and CloudWatch Logs."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

from call import Call
from callers import account_id
from refusals import moto_refuses, refuses
from services import functions, observability

DOCS = "https://docs.aws.amazon.com/"

RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


@refuses(
    "logs-retention",
    "logs",
    "PutRetentionPolicy",
    "InvalidParameterException",
    "1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum "
    "value set",
    DOCS + "AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html",
)
def log_retention(call: Call) -> dict[str, Any] | None:
    days = call.params["retentionInDays"]
    return None if days in RETENTION_DAYS else {"days": days}


moto_refuses(
    "logs-subscription-filters",
    "logs",
    "PutSubscriptionFilter",
    "LimitExceededException",
    DOCS + "AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html",
)


@refuses(
    "logs-function-permission",
    "logs",
    "PutSubscriptionFilter",
    "InvalidParameterException",
    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.",
    DOCS + "AmazonCloudWatch/latest/logs/SubscriptionFilters.html#LambdaFunctionExample",
)
def function_permission(call: Call) -> bool:
    destination = call.params["destinationArn"]
    if ":lambda:" not in destination:
        return False
    try:
        function = call.moto("lambda").get_function(destination)
    except Exception:
        return False  # moto refuses a function that does not exist
    group = call.arn("logs", f"log-group:{call.params['logGroupName']}:*")
    return not any(
        (each.get("Principal") or {}).get("Service", "").startswith("logs.")
        and fnmatch(group, source_of(each) or group)
        for each in functions.calls_of(function)
    )


def source_of(statement: dict[str, Any]) -> str | None:
    return ((statement.get("Condition") or {}).get("ArnLike") or {}).get("AWS:SourceArn")


@refuses(
    "logs-destination-policy",
    "logs",
    "PutSubscriptionFilter",
    "InvalidParameterException",
    "Could not deliver test message to specified destination. Check if the destination is valid.",
    DOCS + "AmazonCloudWatch/latest/logs/CrossAccountSubscriptions-Kinesis.html",
)
def destination_policy(call: Call) -> bool:
    arn = call.params["destinationArn"]
    if ":destination:" not in arn:
        return False
    destination = observability.destination_behind(arn)
    return destination is None or account_id() not in (destination.access_policy or "")


moto_refuses(
    "logs-resource-policies",
    "logs",
    "PutResourcePolicy",
    "LimitExceededException",
    DOCS + "AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html",
)


@refuses(
    "alarm-period",
    "cloudwatch",
    "PutMetricAlarm",
    "ValidationError",
    "Period must be 10, 20, 30 or a multiple of 60, got {period}",
    DOCS + "AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
)
def alarm_period(call: Call) -> dict[str, Any] | None:
    period = call.params.get("Period")
    fits = period is None or period in (10, 20, 30) or (period > 0 and period % 60 == 0)
    return None if fits else {"period": period}

moto_refuses(
    "logs-group-exists",
    "logs",
    "CreateLogGroup",
    "ResourceAlreadyExistsException",
    DOCS + "AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
)
