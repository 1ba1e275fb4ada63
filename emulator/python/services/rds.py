"""RDS: resource ids, minor versions, subnet groups, snapshots and fields that moto lacks."""

from __future__ import annotations

import uuid
from typing import Any

from call import Call
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


MINOR = 4
"""The minor version of a database whose request names a major version alone."""


def complete_version(call: Call, result: dict[str, Any]) -> None:
    """CreateDBInstance, CreateDBCluster, ModifyDBInstance, ModifyDBCluster: RDS picks the minor version."""
    rds = call.moto()
    shown = result.get("DBCluster") or result.get("DBInstance") or {}
    cluster = rds.clusters.get(call.params.get("DBClusterIdentifier") or "")
    instance = rds.databases.get(call.params.get("DBInstanceIdentifier") or "")
    for held in (each for each in (cluster, instance) if each is not None):
        text = str(held.engine_version or "")
        if "postgres" in str(held.engine) and text.isdigit():
            held.engine_version = f"{text}.{MINOR}"
            if "EngineVersion" in shown:
                shown["EngineVersion"] = held.engine_version


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
            each.update(_databases.of(call.region).get((kind, str(each.get(f"DB{kind}Identifier")).lower()), {}))
            if each.get("EngineMode") != "serverless":
                each.pop("ScalingConfigurationInfo", None)  # of Aurora Serverless v1 only
