"""SQS, Kinesis, S3 and DynamoDB: fields that moto drops or misreads."""

from __future__ import annotations

import json
import time
from typing import Any

from call import Call, Refused
from state import LOCK, Store

# SQS

POLL_SECONDS = 0.2


def let_others_pass_while_polling() -> None:
    """A long poll would keep all other calls waiting, as they are answered one at a time."""
    from moto.sqs.models import SQSBackend

    receive = SQSBackend.receive_message

    def patched(self: Any, queue_name: str, count: int, wait_seconds_timeout: int, *rest: Any, **named: Any) -> Any:
        end = time.time() + (wait_seconds_timeout or 0)
        while True:
            found = receive(self, queue_name, count, 0, *rest, **named)
            if found or time.time() >= end:
                return found
            LOCK.wait(POLL_SECONDS)

    SQSBackend.receive_message = patched


def know_redrive_allowed() -> None:
    """Moto refuses to read the attribute."""
    from moto.sqs.models import Queue

    Queue.redrive_allow_policy = None
    Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")


def tag_stream(call: Call, result: dict[str, Any]) -> None:
    """CreateStream: moto ignores its tags."""
    if tags := call.params.get("Tags"):
        call.moto().add_tags_to_stream(stream_arn=None, stream_name=call.params["StreamName"], tags=tags)


def amend_queue_attributes(call: Call, result: dict[str, Any]) -> None:
    """GetQueueAttributes: AWS returns policies without the spaces of Python's JSON."""
    attributes = result.get("Attributes") or {}
    for name in ("RedrivePolicy", "RedriveAllowPolicy"):
        if attributes.get(name) == "":
            del attributes[name]
        elif name in attributes:
            attributes[name] = json.dumps(json.loads(attributes[name]), separators=(",", ":"))


# S3

_metrics = Store()
"""Metrics configurations by bucket and id."""


def put_metrics(call: Call) -> dict[str, Any]:
    """PutBucketMetricsConfiguration: moto handles it as CreateBucket."""
    _metrics.of("*").setdefault(_bucket(call), {})[call.params["Id"]] = call.params["MetricsConfiguration"]
    return {}


def get_metrics(call: Call) -> dict[str, Any]:
    return {"MetricsConfiguration": _held_metrics(call)}


def list_metrics(call: Call) -> dict[str, Any]:
    return {"IsTruncated": False, "MetricsConfigurationList": list(_metrics.of("*").get(_bucket(call), {}).values())}


def delete_metrics(call: Call) -> dict[str, Any]:
    _held_metrics(call)
    del _metrics.of("*")[_bucket(call)][call.params["Id"]]
    return {}


def forget_metrics(call: Call) -> None:
    """DeleteBucket: deletes the configurations of the bucket."""
    _metrics.of("*").pop(call.params["Bucket"], None)


def _bucket(call: Call) -> str:
    name: str = call.params["Bucket"]
    if name not in call.moto().buckets:
        raise Refused("NoSuchBucket", "The specified bucket does not exist")
    return name


def _held_metrics(call: Call) -> dict[str, Any]:
    held = _metrics.of("*").get(_bucket(call), {}).get(call.params["Id"])
    if held is None:
        raise Refused("NoSuchConfiguration", "The specified configuration does not exist.")
    found: dict[str, Any] = held
    return found


def pass_over_conditions() -> None:
    """Moto ignores the condition of a Deny statement: a policy that requires TLS would deny every request."""
    from moto.s3.models import FakeBucket

    judge = FakeBucket.get_permission

    def get_permission(self: Any, action: str, resource: str) -> Any:
        kept = self.policy
        if kept is None:
            return judge(self, action, resource)
        policy = json.loads(kept)
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        policy["Statement"] = [each for each in statements if "Condition" not in each]
        self.policy = json.dumps(policy).encode()
        try:
            return judge(self, action, resource)
        finally:
            self.policy = kept

    FakeBucket.get_permission = get_permission


def show_event_bridge() -> None:
    """Moto stores a bucket's EventBridge setting and does not return it; without other settings it ignores it."""
    from moto.core.responses import ActionResult
    from moto.s3.responses import S3Response

    read, write = S3Response.get_bucket_notification, S3Response._notification_config_from_body

    def get(self: Any) -> Any:
        kept = self.backend.get_bucket_notification_configuration(self.bucket_name)
        lone = kept and kept.event_bridge is not None and not (kept.topic or kept.queue or kept.cloud_function)
        if not lone:
            return read(self)
        self.data["Action"] = "GetBucketNotificationConfiguration"
        return self.serialized(ActionResult({"EventBridgeConfiguration": {}}))

    def put(self: Any) -> dict[str, Any]:
        if b"EventBridgeConfiguration" not in self.body or any(
            kind in self.body for kind in (b"TopicConfiguration", b"QueueConfiguration", b"CloudFunctionConfiguration")
        ):
            return write(self)
        return {"EventBridgeConfiguration": {}}

    S3Response.get_bucket_notification, S3Response._notification_config_from_body = get, put


def keep_queue_policies() -> None:
    """Moto removes the policy of a queue when other attributes are set."""
    from moto.sqs.models import Queue

    update = Queue._set_attributes

    def patched(self: Any, attributes: dict[str, Any], now: Any = None) -> None:
        held = getattr(self, "policy", None)
        update(self, attributes, now)
        if "Policy" not in attributes:
            self.policy = held

    Queue._set_attributes = patched


def only_attributes_of_keys(call: Call, result: dict[str, Any]) -> None:
    """DescribeTable: moto keeps the attributes of a deleted index, which AWS no longer lists."""
    table = result.get("Table", {})
    indexes = [*table.get("GlobalSecondaryIndexes", []), *table.get("LocalSecondaryIndexes", [])]
    keys = {key["AttributeName"] for each in (table, *indexes) for key in each.get("KeySchema", [])}
    table["AttributeDefinitions"] = [each for each in table.get("AttributeDefinitions", []) if each["AttributeName"] in keys]
