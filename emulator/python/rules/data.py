"""Refusals of RDS, ElastiCache, DynamoDB, SQS and S3."""

from __future__ import annotations

from typing import Any

from call import Call
from refusals import moto_refuses, refuses
from services import elasticache

DOCS = "https://docs.aws.amazon.com/"
RDS_API = DOCS + "AmazonRDS/latest/APIReference/"
CACHE_API = DOCS + "AmazonElastiCache/latest/APIReference/"
COMBINATION = "InvalidParameterCombination"
MODIFY = "ModifyDBInstance ModifyDBCluster"


def version(text: Any) -> tuple[int, ...]:
    return tuple(int(part) for part in str(text or "").split(".") if part.isdigit())


def is_older(wanted: Any, held: Any) -> bool:
    """True if a version comes before another, compared by the parts that both have: 17 is not older than 17.4."""
    a, b = version(wanted), version(held)
    shared = min(len(a), len(b))
    return a[:shared] < b[:shared]


# RDS


def held_database(call: Call) -> Any:
    """The instance or the cluster that a call changes or deletes; moto refuses one that does not exist."""
    cluster = call.params.get("DBClusterIdentifier")
    if "Cluster" in call.operation:
        return call.moto().clusters.get(str(cluster).lower())
    return call.moto().databases.get(str(call.params.get("DBInstanceIdentifier")).lower())


def raises_major(call: Call, held: Any) -> bool:
    """True if a call raises the major version, the first number of a PostgreSQL version."""
    wanted = call.params.get("EngineVersion")
    return bool(wanted) and version(wanted)[:1] > version(held.engine_version)[:1]


@refuses(
    "rds-major-version",
    "rds",
    MODIFY,
    COMBINATION,
    "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
    RDS_API + "API_ModifyDBInstance.html",
)
def major_version(call: Call) -> bool:
    held = held_database(call)
    return held is not None and raises_major(call, held) and not call.params.get("AllowMajorVersionUpgrade")


@refuses(
    "rds-downgrade",
    "rds",
    MODIFY,
    COMBINATION,
    "Cannot upgrade {engine} from {held} to {wanted}",
    "https://github.com/hashicorp/terraform/issues/22462",
)
def downgrade(call: Call) -> dict[str, Any] | None:
    held, wanted = held_database(call), call.params.get("EngineVersion")
    if held is None or not wanted or not is_older(wanted, held.engine_version):
        return None
    return {"engine": held.engine, "held": held.engine_version, "wanted": wanted}


@refuses(
    "rds-parameter-group-family",
    "rds",
    "CreateDBInstance ModifyDBInstance CreateDBCluster ModifyDBCluster",
    COMBINATION,
    "The Parameter Group {group} with DBParameterGroupFamily {family} cannot be used for this instance. Please use a Parameter "
    "Group with DBParameterGroupFamily {wanted}",
    "https://github.com/aws-quickstart/quickstart-r3-corda/issues/25",
)
def parameter_group_family(call: Call) -> dict[str, Any] | None:
    held = held_database(call)
    engine = call.params.get("Engine") or (held.engine if held else "")
    major = version(call.params.get("EngineVersion") or (held.engine_version if held else ""))[:1]
    if "postgres" not in engine or not major:
        return None
    if "Cluster" in call.operation:
        name = call.params.get("DBClusterParameterGroupName") or (held.parameter_group if held else None)
        group = call.moto().db_cluster_parameter_groups.get(name or "")
        family = group and group.db_parameter_group_family
    else:
        name = call.params.get("DBParameterGroupName") or (held.db_parameter_group_name if held else None)
        group = call.moto().db_parameter_groups.get(name or "")
        family = group and group.family
    wanted = f"{engine}{major[0]}"
    if group is None or family == wanted:
        return None  # a default group follows the engine
    return {"group": name, "family": family, "wanted": wanted}


@refuses(
    "rds-custom-instance-group",
    "rds",
    "ModifyDBCluster",
    COMBINATION,
    "The current DB instance parameter group {group} is custom. You must explicitly specify a new DB instance parameter group, "
    "either default or custom, for the engine version upgrade.",
    "https://github.com/cloudposse/terraform-aws-rds-cluster/issues/134",
)
def custom_instance_group(call: Call) -> dict[str, Any] | None:
    cluster = held_database(call)
    if cluster is None or not raises_major(call, cluster) or call.params.get("DBInstanceParameterGroupName"):
        return None
    for member in cluster.members:
        group = member.db_parameter_group_name
        if group and not group.startswith("default."):
            return {"group": group}
    return None


@refuses(
    "rds-storage-shrink",
    "rds",
    "ModifyDBInstance",
    COMBINATION,
    "Requested storage size ({wanted}) cannot be less than the current storage size ({held})",
    DOCS + "AmazonRDS/latest/UserGuide/USER_PIOPS.ModifyingExisting.html",
)
def storage_shrink(call: Call) -> dict[str, Any] | None:
    held, wanted = held_database(call), call.params.get("AllocatedStorage")
    if held is None or wanted is None or int(wanted) >= int(held.allocated_storage or 0):
        return None
    return {"wanted": wanted, "held": held.allocated_storage}


@refuses(
    "rds-final-snapshot",
    "rds",
    "DeleteDBInstance DeleteDBCluster",
    COMBINATION,
    "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
    RDS_API + "API_DeleteDBInstance.html",
)
def final_snapshot(call: Call) -> bool:
    held = held_database(call)
    if held is None or getattr(held, "db_cluster_identifier", None) and "Instance" in call.operation:
        return False  # the snapshot of a member is its cluster's
    return not call.params.get("SkipFinalSnapshot") and not call.params.get("FinalDBSnapshotIdentifier")


@refuses(
    "rds-parameter-group-in-use",
    "rds",
    "DeleteDBParameterGroup DeleteDBClusterParameterGroup",
    "InvalidDBParameterGroupState",
    "One or more database instances are still members of this parameter group {name}, so the group cannot be deleted",
    RDS_API + "API_DeleteDBParameterGroup.html",
)
def parameter_group_in_use(call: Call) -> dict[str, Any] | None:
    rds = call.moto()
    if "Cluster" in call.operation:
        name, users = call.params["DBClusterParameterGroupName"], [each.parameter_group for each in rds.clusters.values()]
    else:
        name, users = call.params["DBParameterGroupName"], [each.db_parameter_group_name for each in rds.databases.values()]
    return {"name": name} if name in users else None


@refuses(
    "rds-subnet-group-in-use",
    "rds",
    "DeleteDBSubnetGroup",
    "InvalidDBSubnetGroupStateFault",
    "Cannot delete the subnet group '{name}' because at least one database instance: {user} is still using it.",
    RDS_API + "API_DeleteDBSubnetGroup.html",
)
def subnet_group_in_use(call: Call) -> dict[str, Any] | None:
    name = call.params["DBSubnetGroupName"]
    users = {each.db_instance_identifier: getattr(each, "_db_subnet_group_name", None) for each in call.moto().databases.values()}
    users |= {each.db_cluster_identifier: each.db_subnet_group_name for each in call.moto().clusters.values()}
    for user, used in users.items():
        if name == used:
            return {"name": name, "user": user}
    return None


@refuses(
    "rds-cluster-exists",
    "rds",
    "CreateDBCluster",
    "DBClusterAlreadyExistsFault",
    "DB Cluster already exists",
    RDS_API + "API_CreateDBCluster.html",
)
def cluster_exists(call: Call) -> bool:
    return call.params["DBClusterIdentifier"].lower() in call.moto().clusters


@refuses(
    "rds-subnet-group-exists",
    "rds",
    "CreateDBSubnetGroup",
    "DBSubnetGroupAlreadyExists",
    "The DB subnet group '{name}' already exists.",
    RDS_API + "API_CreateDBSubnetGroup.html",
)
def subnet_group_exists(call: Call) -> dict[str, Any] | None:
    name = call.params["DBSubnetGroupName"]
    return {"name": name} if name.lower() in call.moto().subnet_groups else None


moto_refuses("rds-instance-exists", "rds", "CreateDBInstance", "DBInstanceAlreadyExists", RDS_API + "API_CreateDBInstance.html")
moto_refuses(
    "rds-parameter-group-exists", "rds", "CreateDBParameterGroup", "DBParameterGroupAlreadyExists", RDS_API + "API_CreateDBParameterGroup.html"
)
moto_refuses("rds-snapshot-exists", "rds", "DeleteDBInstance", "DBSnapshotAlreadyExists", RDS_API + "API_DeleteDBInstance.html")
moto_refuses(
    "rds-cluster-snapshot-exists", "rds", "DeleteDBCluster", "DBClusterSnapshotAlreadyExistsFault", RDS_API + "API_DeleteDBCluster.html"
)
moto_refuses("rds-instance-protected", "rds", "DeleteDBInstance", COMBINATION, RDS_API + "API_DeleteDBInstance.html")
moto_refuses("rds-cluster-protected", "rds", "DeleteDBCluster", COMBINATION, RDS_API + "API_DeleteDBCluster.html")

# ElastiCache


@refuses(
    "cache-downgrade",
    "elasticache",
    "ModifyReplicationGroup",
    COMBINATION,
    "Cannot downgrade {engine} from {held} to {wanted}",
    DOCS + "AmazonElastiCache/latest/dg/VersionManagement.HowTo.html",
)
def cache_downgrade(call: Call) -> dict[str, Any] | None:
    held, wanted = elasticache.held_group(call), call.params.get("EngineVersion")
    if held is None or not wanted or not is_older(wanted, held["version"]):
        return None
    return {"engine": held["engine"], "held": held["version"], "wanted": wanted}


@refuses(
    "cache-parameter-group-family",
    "elasticache",
    "CreateReplicationGroup ModifyReplicationGroup",
    COMBINATION,
    "Expected a parameter group of family {wanted} but found one of family {family}",
    "https://github.com/cloudposse/terraform-aws-elasticache-redis/pull/12",
)
def cache_parameter_group_family(call: Call) -> dict[str, Any] | None:
    held = elasticache.held_group(call)
    engine = call.params.get("Engine") or (held["engine"] if held else "redis")
    wanted = call.params.get("EngineVersion") or (held["version"] if held else elasticache.full_version(engine, None))
    name = call.params.get("CacheParameterGroupName")
    group = elasticache.parameter_groups.of(call.region).get(name)
    family = f"{engine}{version(wanted)[0]}"
    if group is None or group["CacheParameterGroupFamily"] == family:
        return None
    return {"wanted": family, "family": group["CacheParameterGroupFamily"]}


@refuses(
    "cache-snapshot-exists",
    "elasticache",
    "CreateSnapshot DeleteReplicationGroup",
    "SnapshotAlreadyExistsFault",
    "Snapshot with specified name already exists.",
    CACHE_API + "API_DeleteReplicationGroup.html",
)
def cache_snapshot_exists(call: Call) -> bool:
    name = call.params.get("FinalSnapshotIdentifier") or call.params.get("SnapshotName")
    return name in call.moto().snapshots


@refuses(
    "cache-subnet-group-in-use",
    "elasticache",
    "DeleteCacheSubnetGroup",
    "CacheSubnetGroupInUse",
    "Cache subnet group {name} is currently in use by a cache cluster.",
    CACHE_API + "API_DeleteCacheSubnetGroup.html",
)
def cache_subnet_group_in_use(call: Call) -> dict[str, Any] | None:
    name = call.params["CacheSubnetGroupName"]
    return {"name": name} if name in elasticache.used_by_groups(call, "CacheSubnetGroupName") else None


@refuses(
    "cache-parameter-group-in-use",
    "elasticache",
    "DeleteCacheParameterGroup",
    "InvalidCacheParameterGroupState",
    "One or more cache clusters are still members of this parameter group {name}, so the group cannot be deleted.",
    CACHE_API + "API_DeleteCacheParameterGroup.html",
)
def cache_parameter_group_in_use(call: Call) -> dict[str, Any] | None:
    name = call.params["CacheParameterGroupName"]
    return {"name": name} if name in elasticache.used_by_groups(call, "CacheParameterGroupName") else None


@refuses(
    "cache-user-group-in-use",
    "elasticache",
    "DeleteUserGroup",
    "InvalidUserGroupState",
    "User group {name} is associated with a replication group and cannot be deleted.",
    CACHE_API + "API_DeleteUserGroup.html",
)
def cache_user_group_in_use(call: Call) -> dict[str, Any] | None:
    name = call.params["UserGroupId"]
    return {"name": name} if [name] in elasticache.used_by_groups(call, "UserGroupIds") else None


@refuses(
    "cache-parameter-group-exists",
    "elasticache",
    "CreateCacheParameterGroup",
    "CacheParameterGroupAlreadyExists",
    "Cache parameter group {name} already exists.",
    CACHE_API + "API_CreateCacheParameterGroup.html",
)
def cache_parameter_group_exists(call: Call) -> dict[str, Any] | None:
    name = call.params["CacheParameterGroupName"]
    return {"name": name} if name in elasticache.parameter_groups.of(call.region) else None


@refuses(
    "cache-user-group-exists",
    "elasticache",
    "CreateUserGroup",
    "UserGroupAlreadyExists",
    "User group {name} already exists.",
    CACHE_API + "API_CreateUserGroup.html",
)
def cache_user_group_exists(call: Call) -> dict[str, Any] | None:
    name = call.params["UserGroupId"]
    return {"name": name} if name in elasticache.user_groups.of(call.region) else None


moto_refuses(
    "cache-group-exists", "elasticache", "CreateReplicationGroup", "ReplicationGroupAlreadyExists", CACHE_API + "API_CreateReplicationGroup.html"
)

# DynamoDB, SQS, S3

DYNAMODB_API = DOCS + "amazondynamodb/latest/APIReference/"


@refuses(
    "table-expires-by-another-attribute",
    "dynamodb",
    "UpdateTimeToLive",
    "ValidationException",
    "TimeToLive is active on a different AttributeName: current AttributeName is {name}",
    DYNAMODB_API + "API_UpdateTimeToLive.html",
)
def expires_by_another_attribute(call: Call) -> dict[str, Any] | None:
    table = call.moto().tables.get(call.params["TableName"])
    ttl = table.ttl if table else {}
    name = ttl.get("AttributeName")
    is_other = name != call.params["TimeToLiveSpecification"]["AttributeName"]
    return {"name": name} if ttl.get("TimeToLiveStatus") == "ENABLED" and is_other else None


moto_refuses("table-exists", "dynamodb", "CreateTable", "ResourceInUseException", DYNAMODB_API + "API_CreateTable.html")
moto_refuses("table-protected", "dynamodb", "DeleteTable", "ValidationException", DYNAMODB_API + "API_DeleteTable.html")
moto_refuses(
    "queue-exists", "sqs", "CreateQueue", "QueueNameExists", DOCS + "AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html"
)
moto_refuses("bucket-exists", "s3", "CreateBucket", "BucketAlreadyOwnedByYou", DOCS + "AmazonS3/latest/API/ErrorResponses.html")
moto_refuses(
    "s3-not-empty", "s3", "DeleteBucket", "BucketNotEmpty", DOCS + "AmazonS3/latest/API/ErrorResponses.html"
)