"""RDS: resource ids, minor versions, subnet groups, snapshots and fields that moto lacks."""

from __future__ import annotations

import json
import uuid
from typing import Any

from call import Account, Call
from state import Store


def own_resource_ids() -> None:
    """Moto gives every instance the same resource id, and compares it in lower case."""
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
    """DescribeDBParameters: Terraform distinguishes its own settings from the engine's by their source."""
    for each in result.get("Parameters", []):
        each["Source"] = "user"


def keep_changed_subnet_groups() -> None:
    """Moto removes a subnet group when it is modified."""
    from moto.rds.models import RDSBackend

    modify = RDSBackend.modify_db_subnet_group

    def patched(self: Any, subnet_name: str, *rest: Any, **named: Any) -> Any:
        group = modify(self, subnet_name, *rest, **named)
        self.subnet_groups[subnet_name] = group
        return group

    RDSBackend.modify_db_subnet_group = patched


def delete_automated_snapshots() -> None:
    """Moto keeps the automated snapshots of a deleted cluster, and then cannot create another of its name in the same minute."""
    from moto.rds.models import RDSBackend

    delete = RDSBackend.delete_db_cluster

    def patched(self: Any, cluster_identifier: str, *rest: Any, **named: Any) -> Any:
        cluster = delete(self, cluster_identifier, *rest, **named)
        for name, snapshot in list(self.cluster_snapshots.items()):
            if snapshot.snapshot_type == "automated" and snapshot.cluster.db_cluster_identifier == cluster_identifier:
                del self.cluster_snapshots[name]
        return cluster

    RDSBackend.delete_db_cluster = patched


def forget_restored_password(call: Call, result: dict[str, Any]) -> None:
    """Restores: a restored database has a password in Secrets Manager only if the call asks for one; moto always makes one."""
    if call.params.get("ManageMasterUserPassword"):
        return
    rds = call.moto()
    name = call.params.get("TargetDBInstanceIdentifier") or call.params.get("DBInstanceIdentifier")
    held = rds.databases.get(name) if name else rds.clusters.get(call.params["DBClusterIdentifier"])
    if held is not None and hasattr(held, "master_user_secret"):
        held.master_user_secret.delete_secret()
        del held.master_user_secret
        held.manage_master_user_password = False
    (result.get("DBInstance") or result.get("DBCluster") or {}).pop("MasterUserSecret", None)


def name_master_users() -> None:
    """Moto writes "admin" into every secret that RDS manages; AWS writes the master user."""
    from moto.rds.models import MasterUserSecret

    def secret_string(self: Any) -> str:
        return json.dumps({"username": self.resource.master_username, "password": "P@55w0rd!"})

    MasterUserSecret._generate_secret_string = secret_string


def restore_clusters_with_managed_passwords() -> None:
    """Moto cannot restore the snapshot of a cluster whose password is in Secrets Manager."""
    from moto.rds.models import DBCluster

    def configuration(self: Any) -> dict[str, Any]:
        fields = {name: value for name, value in self.__dict__.items() if name != "backend"}
        for name in ("master_user_password", "enable_http_endpoint", "vpc_security_group_ids"):
            fields[name] = fields.pop(f"_{name}", None)
        return fields

    DBCluster.get_cfg = configuration


MINOR = 4
"""The minor version of a database whose request names a major version alone."""


def complete_version(call: Call, result: dict[str, Any]) -> None:
    """CreateDBInstance, CreateDBCluster, ModifyDBInstance, ModifyDBCluster: RDS picks the minor version."""
    rds = call.moto()
    shown = result.get("DBCluster") or result.get("DBInstance") or {}
    cluster = rds.clusters.get(call.params.get("DBClusterIdentifier") or "")
    instance = rds.databases.get(call.params.get("DBInstanceIdentifier") or "")
    for held in (each for each in (cluster, instance) if each is not None):
        full = _full_version(held.engine, held.engine_version)
        if full != held.engine_version:
            held.engine_version = shown["EngineVersion"] = full


def _full_version(engine: Any, version: Any) -> Any:
    return f"{version}.{MINOR}" if "postgres" in str(engine) and str(version).isdigit() else version


DEFERRED = {
    "allocated_storage": "AllocatedStorage",
    "db_instance_class": "DBInstanceClass",
    "engine_version": "EngineVersion",
    "iops": "Iops",
    "multi_az": "MultiAZ",
    "storage_type": "StorageType",
}
"""Moto's attributes whose changes wait for the maintenance window, and the fields that show them: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html"""

_pending = Store()
"""Values of deferred attributes, by kind and identifier."""


def wait_for_maintenance_windows() -> None:
    """Moto applies every change immediately."""
    from moto.rds.models import RDSBackend

    modify_instance, modify_cluster = RDSBackend.modify_db_instance, RDSBackend.modify_db_cluster

    def instance(self: Any, identifier: str, kwargs: Any) -> Any:
        return _deferring(self, "Instance", self.databases.get(identifier), kwargs, lambda wanted: modify_instance(self, identifier, wanted))

    def cluster(self: Any, kwargs: Any) -> Any:
        held = self.clusters.get(kwargs["db_cluster_identifier"])
        return _deferring(self, "Cluster", held, kwargs, lambda wanted: modify_cluster(self, wanted))

    RDSBackend.modify_db_instance, RDSBackend.modify_db_cluster = instance, cluster


def _deferring(backend: Any, kind: str, held: Any, kwargs: Any, modify: Any) -> Any:
    immediately = bool(kwargs.get("apply_immediately"))
    major = str(kwargs.get("engine_version") or "")
    # A major version alone updates an older minor version only: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    if held is not None and major.isdigit() and str(held.engine_version).startswith(f"{major}."):
        kwargs = {**kwargs, "engine_version": held.engine_version}
    before = {name: getattr(held, name) for name in DEFERRED if hasattr(held, name)}
    result = modify(kwargs)
    if held is None or immediately:
        return result
    pending = _pending.of(backend.region_name).setdefault((kind, _identifier(held)), {})
    for name, value in before.items():
        wanted = getattr(held, name)
        if wanted != value:
            pending[name] = _full_version(held.engine, wanted) if name == "engine_version" else wanted
            for each in (held, result):
                setattr(each, name, value)
    return result


def _identifier(held: Any) -> str:
    return str(getattr(held, "db_instance_identifier", None) or held.db_cluster_identifier).lower()


def pass_maintenance_window(account: Account, name: str) -> dict[str, Any]:
    """Applies what waits for the maintenance window of an instance or a cluster; returns the fields that changed."""
    rds = account.moto("rds")
    changed: dict[str, Any] = {}
    for kind, held in (("Instance", rds.databases.get(name)), ("Cluster", rds.clusters.get(name))):
        for attribute, value in _pending.of(account.region).pop((kind, name), {}).items():
            setattr(held, attribute, value)  # members of a cluster have its version
            changed[DEFERRED[attribute]] = value
    return changed


FIELDS = {
    "CACertificateIdentifier": "CACertificateIdentifier",
    "DatabaseInsightsMode": "DatabaseInsightsMode",
    "DedicatedLogVolume": "DedicatedLogVolume",
    "EnablePerformanceInsights": "PerformanceInsightsEnabled",
    "EngineLifecycleSupport": "EngineLifecycleSupport",
    "MonitoringInterval": "MonitoringInterval",
    "MonitoringRoleArn": "MonitoringRoleArn",
    "NetworkType": "NetworkType",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
}
"""Parameters that moto forgets, and the fields that show them."""

DEFAULT_CA = "rds-ca-rsa2048-g1"
"""Certificate authority of a new instance; for moto's own the provider would modify, and wait for, each instance."""

_databases = Store()


def remember_fields(call: Call, result: dict[str, Any]) -> None:
    """CreateDBInstance, ModifyDBInstance, CreateDBCluster, ModifyDBCluster: keep what moto forgets."""
    kind = "Cluster" if "Cluster" in call.operation else "Instance"
    key = (kind, call.params[f"DB{kind}Identifier"].lower())
    defaults = {"CACertificateIdentifier": DEFAULT_CA} if kind == "Instance" else {}
    held = defaults if call.operation.startswith("Create") else _databases.of(call.region).get(key, {})
    named = {shown: call.params[name] for name, shown in FIELDS.items() if call.params.get(name) is not None}
    _databases.of(call.region)[key] = {**held, **named}
    amend_databases(call, {f"DB{kind}s": [result.get(f"DB{kind}", {})]})


def amend_databases(call: Call, result: dict[str, Any]) -> None:
    """DescribeDBInstances, DescribeDBClusters."""
    for kind in ("Instance", "Cluster"):
        for each in result.get(f"DB{kind}s", []):
            key = (kind, str(each.get(f"DB{kind}Identifier")).lower())
            each.update(_databases.of(call.region).get(key, {}))
            if each.get("CACertificateIdentifier") == "rds-ca-default":
                each["CACertificateIdentifier"] = DEFAULT_CA  # of a restored instance
            pending = _pending.of(call.region).get(key, {})
            each["PendingModifiedValues"] = {DEFERRED[name]: value for name, value in pending.items()}
            if each.get("EngineMode") != "serverless":
                each.pop("ScalingConfigurationInfo", None)  # of Aurora Serverless v1 only
