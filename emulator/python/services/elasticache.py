"""ElastiCache: members of replication groups, serverless caches, parameter groups and user groups, which moto lacks."""

from __future__ import annotations

import time
import uuid
from typing import Any

from call import Account, Call, Refused
from callers import account_id
from state import Records, Store, Tags

_tags = Tags()

CACHE_VERSIONS = {"valkey": "8.0.1", "redis": "7.1.0", "memcached": "1.6.22"}
_replication_groups = Store()
serverless_caches = Records("ServerlessCacheNotFoundFault", "Serverless cache {} not found")
parameter_groups = Records("CacheParameterGroupNotFound", "CacheParameterGroup {} not found.")
user_groups = Records("UserGroupNotFound", "User group {} not found")


def full_version(engine: str, wanted: str | None) -> str:
    version = wanted or CACHE_VERSIONS.get(engine, "7.1.0")
    return version if version.count(".") == 2 else ".".join([*version.split("."), "0", "0"][:3])


def amend_new_replication_group(call: Call, result: dict[str, Any]) -> None:
    """CreateReplicationGroup: moto names member clusters that do not exist."""
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
    for name in ("CacheNodeType", "TransitEncryptionMode", "KmsKeyId", "UserGroupIds"):
        if name in record["params"]:
            group[name] = record["params"][name]
    if len(group.get("NodeGroups", [])) == 1:
        name = group["ReplicationGroupId"]
        group["MemberClusters"] = [f"{name}-{number:03}" for number in range(1, record["params"].get("NumCacheClusters", 1) + 1)]
        group["NodeGroups"][0]["NodeGroupMembers"] = [
            {"CacheClusterId": member, "CacheNodeId": "0001", "CurrentRole": "replica" if number else "primary"}
            for number, member in enumerate(group["MemberClusters"])
        ]
    record["members"] = group["MemberClusters"]


def held_group(call: Call) -> dict[str, Any] | None:
    """Engine, version and parameters of the replication group that a call names."""
    return record_of(call, call.params.get("ReplicationGroupId", ""))


def record_of(account: Account, name: str) -> dict[str, Any] | None:
    return _replication_groups.of(account.region).get(name)


def used_by_groups(call: Call, field: str) -> list[Any]:
    """Values of a field of all replication groups: subnet groups, parameter groups, user groups in use."""
    return [record["params"].get(field) for record in _replication_groups.of(call.region).values()]


CHANGED_IN_MOTO = {
    "ReplicationGroupDescription": "description",
    "SnapshotRetentionLimit": "snapshot_retention_limit",
    "SnapshotWindow": "snapshot_window",
    "CacheNodeType": "cache_node_type",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
}
SWITCHES = {"AutomaticFailoverEnabled": "automatic_failover", "MultiAZEnabled": "multi_az"}


DEFERRED = ("CacheNodeType", "EngineVersion")
"""Changes that wait for the maintenance window, unless a call says otherwise."""


def modify_replication_group(call: Call) -> dict[str, Any]:
    """ModifyReplicationGroup."""
    group, record = _group_and_record(call)
    params = {name: value for name, value in call.params.items() if value is not None}
    if not params.get("ApplyImmediately"):
        record["pending"] = {**record.get("pending", {}), **{name: params.pop(name) for name in DEFERRED if name in params}}
    _modify(group, record, params)
    return _changed(group)


def pass_maintenance_window(account: Account, name: str) -> dict[str, Any]:
    """Applies what waits for the maintenance window; returns the fields that changed."""
    record, group = record_of(account, name), account.moto("elasticache").replication_groups.get(name)
    if record is None or group is None:
        raise Refused("ReplicationGroupNotFoundFault", f"Replication group {name} not found.")
    changed = record.pop("pending", {})
    _modify(group, record, dict(changed))
    return changed


def _modify(group: Any, record: dict[str, Any], params: dict[str, Any]) -> None:
    for name, attribute in CHANGED_IN_MOTO.items():
        if name in params:
            setattr(group, attribute, params[name])
    for name, attribute in SWITCHES.items():
        if name in params:
            setattr(group, attribute, "enabled" if params[name] else "disabled")
    if "EngineVersion" in params:
        record["version"] = full_version(record["engine"], params["EngineVersion"])
    users = [each for each in record["params"].get("UserGroupIds", []) if each not in params.pop("UserGroupIdsToRemove", [])]
    users += params.pop("UserGroupIdsToAdd", [])
    record["params"].update(params, **({"UserGroupIds": users} if users else {}))


def change_replica_count(call: Call) -> dict[str, Any]:
    """IncreaseReplicaCount, DecreaseReplicaCount."""
    group, record = _group_and_record(call)
    record["params"]["NumCacheClusters"] = int(call.params["NewReplicaCount"]) + 1
    return _changed(group)


def _group_and_record(call: Call) -> tuple[Any, dict[str, Any]]:
    name = call.params["ReplicationGroupId"]
    group, record = call.moto().replication_groups.get(name), held_group(call)
    if group is None or record is None:
        raise Refused("ReplicationGroupNotFoundFault", f"Replication group {name} not found.")
    return group, record


def _changed(group: Any) -> dict[str, Any]:
    return {"ReplicationGroup": {"ReplicationGroupId": group.replication_group_id, "Status": group.status, "ARN": group.arn}}


def describe_clusters(call: Call) -> dict[str, Any] | None:
    """DescribeCacheClusters of a replication group's member; other clusters are moto's."""
    wanted = call.params.get("CacheClusterId")
    members = _members(call)
    if wanted in members:
        return {"CacheClusters": [members[wanted]]}
    return None


def amend_cluster_list(call: Call, result: dict[str, Any]) -> None:
    """DescribeCacheClusters of all clusters: with the members of replication groups."""
    if not call.params.get("CacheClusterId") and not call.params.get("ShowCacheClustersNotInReplicationGroups"):
        result["CacheClusters"] = [*result.get("CacheClusters", []), *_members(call).values()]


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


def take_final_snapshot(call: Call) -> None:
    """DeleteReplicationGroup: moto takes no final snapshot."""
    if name := call.params.get("FinalSnapshotIdentifier"):
        call.moto().create_snapshot(name, call.params["ReplicationGroupId"], None, None, None)


def forget_replication_group(call: Call, result: dict[str, Any]) -> None:
    """DeleteReplicationGroup: moto never completes the deletion."""
    name = call.params["ReplicationGroupId"]
    _replication_groups.of(call.region).pop(name, None)
    call.moto().replication_groups.pop(name, None)


def modify_subnet_group(call: Call) -> dict[str, Any]:
    name = call.params["CacheSubnetGroupName"]
    held = call.moto().cache_subnet_groups.get(name)
    if held is None:
        raise Refused("CacheSubnetGroupNotFoundFault", f"Cache Subnet Group {name} does not exist.")
    description = call.params.get("CacheSubnetGroupDescription") or held.cache_subnet_group_description
    subnets = call.params.get("SubnetIds") or held.subnet_ids
    group = type(held)(account_id(), call.region, name, description, subnets, held.tags)
    group.arn = held.arn
    call.moto().cache_subnet_groups[name] = group
    return {"CacheSubnetGroup": {"CacheSubnetGroupName": name, "CacheSubnetGroupDescription": description, "ARN": group.arn}}


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
