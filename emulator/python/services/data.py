"""What keeps data: databases, caches, queues, buckets."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from call import Call, Refused
from state import Records, Store, Tags

_tags = Tags()

# RDS


def own_resource_ids() -> None:
    """Moto gives every database instance the same resource id and then compares it in lower case."""
    from moto.rds.models import DBInstance
    from moto.rds.utils import FilterDef

    create = DBInstance.__init__

    def with_own_id(self: Any, *positional: Any, **named: Any) -> None:
        create(self, *positional, **named)
        self.dbi_resource_id = f"db-{uuid.uuid4().hex[:26].upper()}"

    DBInstance.__init__ = with_own_id
    by_resource_id = FilterDef(["dbi_resource_id"], "Dbi Resource Ids", case_insensitive=False)
    DBInstance.SUPPORTED_FILTERS["dbi-resource-id"] = by_resource_id


def amend_parameters(call: Call, result: dict[str, Any]) -> None:
    """DescribeDBParameters: Terraform tells its own settings from the engine's by their source."""
    for each in result.get("Parameters", []):
        each["Source"] = "user"


# SQS

def know_redrive_allowed() -> None:
    """Moto refuses to read the attribute."""
    from moto.sqs.models import Queue

    Queue.redrive_allow_policy = None
    Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")


def tag_stream(call: Call, result: dict[str, Any]) -> None:
    """Moto passes over tags that a stream is made with."""
    if tags := call.params.get("Tags"):
        call.moto().add_tags_to_stream(stream_arn=None, stream_name=call.params["StreamName"], tags=tags)


def amend_queue_attributes(call: Call, result: dict[str, Any]) -> None:
    """AWS gives policies back without the spaces that Python's JSON has."""
    attributes = result.get("Attributes") or {}
    for name in ("RedrivePolicy", "RedriveAllowPolicy"):
        if attributes.get(name) == "":
            del attributes[name]
        elif name in attributes:
            attributes[name] = json.dumps(json.loads(attributes[name]), separators=(",", ":"))


# S3


def pass_over_conditions() -> None:
    """Moto takes a statement whose condition it cannot check for one that denies: nobody could reach a bucket for TLS alone."""
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
    """Moto keeps a bucket's EventBridge setting and does not show it; it also takes a lone one for none."""
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


# ElastiCache

CACHE_VERSIONS = {"valkey": "8.0.1", "redis": "7.1.0", "memcached": "1.6.22"}
_replication_groups = Store()
serverless_caches = Records("ServerlessCacheNotFoundFault", "Serverless cache {} not found")
parameter_groups = Records("CacheParameterGroupNotFound", "CacheParameterGroup {} not found.")
user_groups = Records("UserGroupNotFound", "User group {} not found")


def full_version(engine: str, wanted: str | None) -> str:
    version = wanted or CACHE_VERSIONS.get(engine, "7.1.0")
    return version if version.count(".") == 2 else ".".join([*version.split("."), "0", "0"][:3])


def amend_new_replication_group(call: Call, result: dict[str, Any]) -> None:
    """CreateReplicationGroup: moto names member clusters and does not have them."""
    params = call.params
    name = params["ReplicationGroupId"]
    engine = params.get("Engine", "redis")
    _replication_groups.of(call.region)[name] = {
        "engine": engine,
        "version": full_version(engine, params.get("EngineVersion")),
        "params": params,
    }
    amend_replication_group(call, result["ReplicationGroup"])
    _tags.write(call, result["ReplicationGroup"]["ARN"], params.get("Tags"))


def amend_replication_groups(call: Call, result: dict[str, Any]) -> None:
    for group in result.get("ReplicationGroups", []):
        amend_replication_group(call, group)


def amend_replication_group(call: Call, group: dict[str, Any]) -> None:
    record = _replication_groups.of(call.region).get(group["ReplicationGroupId"])
    if record is None:
        return
    group["Engine"] = record["engine"]
    for name in ("TransitEncryptionMode", "KmsKeyId", "UserGroupIds"):
        if name in record["params"]:
            group[name] = record["params"][name]
    members = record["params"].get("NumCacheClusters", 1)
    if len(group.get("NodeGroups", [])) == 1 and members > len(group["MemberClusters"]):
        name = group["ReplicationGroupId"]
        group["MemberClusters"] = [f"{name}-{number:03}" for number in range(1, members + 1)]
        group["NodeGroups"][0]["NodeGroupMembers"] = [
            {"CacheClusterId": member, "CacheNodeId": "0001", "CurrentRole": "replica" if number else "primary"}
            for number, member in enumerate(group["MemberClusters"])
        ]
    record["members"] = group["MemberClusters"]


def describe_clusters(call: Call) -> dict[str, Any] | None:
    """DescribeCacheClusters of a replication group's member; other clusters are moto's."""
    wanted = call.params.get("CacheClusterId")
    members = _members(call)
    if wanted in members:
        return {"CacheClusters": [members[wanted]]}
    return None


def _members(call: Call) -> dict[str, dict[str, Any]]:
    found = {}
    for name, record in _replication_groups.of(call.region).items():
        group = call.moto().replication_groups.get(name)
        if group is None or group.status == "deleting":
            continue
        params = record["params"]
        family = f"{record['engine']}{record['version'].split('.')[0]}"
        for member in record["members"]:
            found[member] = {
                "CacheClusterId": member,
                "ARN": call.arn("elasticache", f"cluster:{member}"),
                "ReplicationGroupId": name,
                "CacheClusterStatus": "available",
                "Engine": record["engine"],
                "EngineVersion": record["version"],
                "CacheNodeType": params.get("CacheNodeType"),
                "NumCacheNodes": 1,
                "CacheSubnetGroupName": params.get("CacheSubnetGroupName"),
                "CacheParameterGroup": {
                    "CacheParameterGroupName": params.get("CacheParameterGroupName", f"default.{family}"),
                    "ParameterApplyStatus": "in-sync",
                },
                "SecurityGroups": [
                    {"SecurityGroupId": each, "Status": "active"} for each in params.get("SecurityGroupIds", [])
                ],
                "PreferredMaintenanceWindow": params.get("PreferredMaintenanceWindow", "sun:05:00-sun:06:00"),
                "SnapshotRetentionLimit": params.get("SnapshotRetentionLimit", 0),
                "SnapshotWindow": params.get("SnapshotWindow", "03:00-04:00"),
                "AutoMinorVersionUpgrade": params.get("AutoMinorVersionUpgrade", True),
                "TransitEncryptionEnabled": params.get("TransitEncryptionEnabled", False),
                "AtRestEncryptionEnabled": params.get("AtRestEncryptionEnabled", False),
                "TransitEncryptionMode": params.get("TransitEncryptionMode"),
                "NetworkType": "ipv4",
                "IpDiscovery": "ipv4",
                "CacheNodes": [{"CacheNodeId": "0001", "CacheNodeStatus": "available"}],
            }
    return found


def forget_replication_group(call: Call, result: dict[str, Any]) -> None:
    """DeleteReplicationGroup: moto leaves it deleting for ever."""
    name = call.params["ReplicationGroupId"]
    _replication_groups.of(call.region).pop(name, None)
    call.moto().replication_groups.pop(name, None)


def delete_subnet_group(call: Call) -> dict[str, Any]:
    name = call.params["CacheSubnetGroupName"]
    if call.moto().cache_subnet_groups.pop(name, None) is None:
        raise Refused("CacheSubnetGroupNotFoundFault", f"Cache Subnet Group {name} does not exist.")
    return {}


def create_serverless(call: Call) -> dict[str, Any]:
    params = call.params
    name = params["ServerlessCacheName"]
    if name in serverless_caches.of(call.region):
        raise Refused("ServerlessCacheAlreadyExistsFault", f"Serverless cache {name} already exists")
    version = full_version(params["Engine"], params.get("MajorEngineVersion"))
    arn = call.arn("elasticache", f"serverlesscache:{name}")
    address = f"{name}-{uuid.uuid4().hex[:6]}.serverless.cache.amazonaws.com"
    kept = ("ServerlessCacheName", "Description", "Engine", "SecurityGroupIds", "SubnetIds", "KmsKeyId", "UserGroupId",
            "CacheUsageLimits", "DailySnapshotTime", "SnapshotRetentionLimit")  # fmt: skip
    record = serverless_caches.add(
        call,
        name,
        {
            **{field: params[field] for field in kept if field in params},
            "ARN": arn,
            "CreateTime": time.time(),
            "Status": "available",
            "MajorEngineVersion": version.split(".")[0],
            "FullEngineVersion": ".".join(version.split(".")[:2]),
            "Endpoint": {"Address": address, "Port": 6379},
            "ReaderEndpoint": {"Address": address, "Port": 6380},
        },
    )
    _tags.write(call, arn, params.get("Tags"))
    return {"ServerlessCache": record}


def describe_serverless(call: Call) -> dict[str, Any]:
    name = call.params.get("ServerlessCacheName")
    return {"ServerlessCaches": [serverless_caches.find(call, name)] if name else serverless_caches.all(call)}


def modify_serverless(call: Call) -> dict[str, Any]:
    fields = {name: value for name, value in call.params.items() if name not in ("RemoveUserGroup",)}
    return {"ServerlessCache": serverless_caches.change(call, call.params["ServerlessCacheName"], fields)}


def delete_serverless(call: Call) -> dict[str, Any]:
    return {"ServerlessCache": {**serverless_caches.remove(call, call.params["ServerlessCacheName"]), "Status": "deleting"}}


def create_parameter_group(call: Call) -> dict[str, Any]:
    name = call.params["CacheParameterGroupName"]
    arn = call.arn("elasticache", f"parametergroup:{name}")
    fields = {key: call.params[key] for key in ("CacheParameterGroupName", "CacheParameterGroupFamily", "Description")}
    _tags.write(call, arn, call.params.get("Tags"))
    record = {**fields, "ARN": arn, "IsGlobal": False, "values": {}}
    return {"CacheParameterGroup": parameter_groups.add(call, name, record)}


def describe_parameter_groups(call: Call) -> dict[str, Any]:
    name = call.params.get("CacheParameterGroupName")
    return {"CacheParameterGroups": [parameter_groups.find(call, name)] if name else parameter_groups.all(call)}


def modify_parameter_group(call: Call) -> dict[str, Any]:
    name = call.params["CacheParameterGroupName"]
    for each in call.params["ParameterNameValues"]:
        parameter_groups.find(call, name)["values"][each["ParameterName"]] = each.get("ParameterValue")
    return {"CacheParameterGroupName": name}


def reset_parameter_group(call: Call) -> dict[str, Any]:
    values = parameter_groups.find(call, call.params["CacheParameterGroupName"])["values"]
    names = [each["ParameterName"] for each in call.params.get("ParameterNameValues") or []] or list(values)
    for name in names:
        values.pop(name, None)
    return {"CacheParameterGroupName": call.params["CacheParameterGroupName"]}


def describe_parameters(call: Call) -> dict[str, Any]:
    values = parameter_groups.find(call, call.params["CacheParameterGroupName"])["values"]
    found = [{"ParameterName": name, "ParameterValue": value, "Source": "user"} for name, value in values.items()]
    return {"Parameters": found}


def delete_parameter_group(call: Call) -> dict[str, Any]:
    parameter_groups.remove(call, call.params["CacheParameterGroupName"])
    return {}


def create_user_group(call: Call) -> dict[str, Any]:
    name = call.params["UserGroupId"]
    arn = call.arn("elasticache", f"usergroup:{name}")
    record = {"UserGroupId": name, "Status": "active", "Engine": call.params["Engine"], "ARN": arn}
    _tags.write(call, arn, call.params.get("Tags"))
    return user_groups.add(call, name, {**record, "UserIds": call.params.get("UserIds", []), "MinimumEngineVersion": "6.0"})


def describe_user_groups(call: Call) -> dict[str, Any]:
    name = call.params.get("UserGroupId")
    return {"UserGroups": [user_groups.find(call, name)] if name else user_groups.all(call)}


def modify_user_group(call: Call) -> dict[str, Any]:
    group = user_groups.find(call, call.params["UserGroupId"])
    users = [each for each in group["UserIds"] if each not in call.params.get("UserIdsToRemove", [])]
    group["UserIds"] = [*users, *(each for each in call.params.get("UserIdsToAdd", []) if each not in users)]
    return group


def delete_user_group(call: Call) -> dict[str, Any]:
    return {**user_groups.remove(call, call.params["UserGroupId"]), "Status": "deleting"}


def list_cache_tags(call: Call) -> dict[str, Any] | None:
    arn = call.params["ResourceName"]
    return {"TagList": _tags.read_list(call, arn)} if _ours(arn) else None


def tag_cache(call: Call) -> dict[str, Any] | None:
    arn = call.params["ResourceName"]
    if not _ours(arn):
        return None
    _tags.write(call, arn, call.params["Tags"])
    return {"TagList": _tags.read_list(call, arn)}


def untag_cache(call: Call) -> dict[str, Any] | None:
    arn = call.params["ResourceName"]
    if not _ours(arn):
        return None
    _tags.remove(call, arn, call.params["TagKeys"])
    return {"TagList": _tags.read_list(call, arn)}


def _ours(arn: str) -> bool:
    return arn.split(":")[5] in ("serverlesscache", "parametergroup", "usergroup", "replicationgroup")
