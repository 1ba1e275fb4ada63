"""Resources that remain in all accounts, billable and free.

Excluded are those that every account has from its first day: the default VPC, AWS's own policies and keys.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from services import delivery, elasticache, observability
from state import Store


@dataclass(frozen=True)
class Kind:
    """A kind of resource: its place in moto, and whether AWS bills it while it is idle."""

    name: str
    service: str
    billable: bool
    find: Callable[[Any], Iterable[str]]


def keys(attribute: str) -> Callable[[Any], Iterable[str]]:
    return lambda backend: [str(key) for key in getattr(backend, attribute)]


EBS_KEY = "Default master key that protects my EBS volumes when no other key is defined"
"""AWS creates it with the first encrypted volume, free of charge; moto lists it as a customer's key."""


def is_of_aws(key: Any) -> bool:
    return key.description == EBS_KEY or any(alias.startswith("alias/aws/") for alias in key.aliases)


KINDS = [
    Kind("service", "ecs", True, lambda ecs: (each.arn for each in ecs.services.values() if each.status != "INACTIVE")),
    Kind("task", "ecs", True, lambda ecs: (task.task_arn for by_id in ecs.tasks.values() for task in by_id.values() if task.last_status != "STOPPED")),
    Kind("cluster", "ecs", False, lambda ecs: (each.arn for each in ecs.clusters.values() if each.status != "INACTIVE")),
    Kind("capacity provider", "ecs", False, keys("capacity_providers")),
    Kind("task definition", "ecs", False, lambda ecs: (each.arn for by_number in ecs.task_definitions.values() for each in by_number.values() if each.status == "ACTIVE")),
    Kind("auto scaling group", "autoscaling", True, keys("autoscaling_groups")),
    Kind("instance", "ec2", True, lambda ec2: (each.id for reservation in ec2.reservations.values() for each in reservation.instances if each.state != "terminated")),
    Kind("volume", "ec2", True, keys("volumes")),
    Kind("NAT gateway", "ec2", True, lambda ec2: (key for key, each in ec2.nat_gateways.items() if each.state != "deleted")),
    Kind("elastic IP", "ec2", True, lambda ec2: (each.public_ip for each in ec2.addresses)),
    Kind("VPC endpoint", "ec2", True, lambda ec2: (key for key, each in ec2.vpc_end_points.items() if each.state != "deleted")),
    Kind("VPC", "ec2", False, lambda ec2: (key for key, each in ec2.vpcs.items() if not each.is_default)),
    Kind("subnet", "ec2", False, lambda ec2: (each.id for by_id in ec2.subnets.values() for each in by_id.values() if str(each.default_for_az).lower() != "true")),
    Kind("security group", "ec2", False, lambda ec2: (each.id for by_id in ec2.groups.values() for each in by_id.values() if each.name != "default")),
    Kind("internet gateway", "ec2", False, keys("internet_gateways")),
    Kind("flow log", "ec2", False, keys("flow_logs")),
    Kind("launch template", "ec2", False, keys("launch_templates")),
    Kind("network interface", "ec2", False, lambda ec2: (key for key, each in ec2.enis.items() if not (each.instance and each.instance.state == "terminated"))),
    Kind("load balancer", "elbv2", True, keys("load_balancers")),
    Kind("target group", "elbv2", False, keys("target_groups")),
    Kind("database", "rds", True, keys("databases")),
    Kind("database cluster", "rds", True, keys("clusters")),
    Kind("database proxy", "rds", True, keys("db_proxies")),
    Kind("database subnet group", "rds", False, keys("subnet_groups")),
    Kind("database snapshot", "rds", True, keys("database_snapshots")),
    Kind("database snapshot", "rds", True, keys("cluster_snapshots")),
    Kind("cache", "elasticache", True, keys("cache_clusters")),
    Kind("cache", "elasticache", True, keys("replication_groups")),
    Kind("cache snapshot", "elasticache", True, keys("snapshots")),
    Kind("cache subnet group", "elasticache", False, keys("cache_subnet_groups")),
    Kind("table", "dynamodb", True, keys("tables")),
    Kind("bucket", "s3", True, keys("buckets")),
    Kind("file system", "efs", True, keys("file_systems_by_id")),
    Kind("search domain", "opensearch", True, keys("domains")),
    Kind("queue", "sqs", False, keys("queues")),
    Kind("topic", "sns", False, keys("topics")),
    Kind("stream", "kinesis", True, keys("streams")),
    Kind("delivery stream", "firehose", True, keys("delivery_streams")),
    Kind("function", "lambda", False, lambda functions: list(functions._lambdas._functions)),
    Kind("log group", "logs", True, keys("groups")),
    Kind("alarm", "cloudwatch", True, keys("alarms")),
    Kind("dashboard", "cloudwatch", True, keys("dashboards")),
    Kind("repository", "ecr", True, keys("repositories")),
    Kind("secret", "secretsmanager", True, lambda store: (each.name for each in store.secrets.values() if not each.is_deleted())),
    Kind("secret pending deletion", "secretsmanager", False, lambda store: (each.name for each in store.secrets.values() if each.is_deleted())),
    Kind("parameter", "ssm", False, lambda ssm: (name for name, versions in ssm._parameters.items() if versions and not name.startswith("/aws/"))),
    Kind("key", "kms", True, lambda kms: (key for key, each in kms.keys.items() if not is_of_aws(each) and each.key_state != "PendingDeletion")),
    Kind("key pending deletion", "kms", False, lambda kms: (key for key, each in kms.keys.items() if each.key_state == "PendingDeletion")),
    Kind("hosted zone", "route53", True, keys("zones")),
    Kind("certificate", "acm", False, keys("_certificates")),
    Kind("web ACL", "wafv2", True, keys("wacls")),
    Kind("user pool", "cognito-idp", True, keys("user_pools")),
    Kind("namespace", "servicediscovery", False, keys("namespaces")),
    Kind("discovery service", "servicediscovery", False, keys("services")),
    Kind("scalable target", "application-autoscaling", False, lambda scaling: chain(*scaling.targets.values())),
    Kind("role", "iam", False, lambda iam: iam.roles),
    Kind("policy", "iam", False, lambda iam: (arn for arn in iam.managed_policies if "::aws:" not in arn)),
    Kind("pipeline", "codepipeline", True, keys("pipelines")),
    Kind("build project", "codebuild", False, keys("codebuild_projects")),
    Kind("release application", "codedeploy", False, keys("applications")),
    Kind("code repository", "codecommit", False, keys("repositories")),
    Kind("experiment template", "fis", False, keys("experiment_templates")),
    Kind("event rule", "events", False, lambda events: (rule for bus in events.event_buses.values() for rule in bus.rules)),
    Kind("schedule", "scheduler", False, lambda scheduler: (name for group in scheduler.schedule_groups.values() for name in group.schedules)),
]  # fmt: skip

FAKED: list[tuple[str, bool, Store]] = [
    ("cache", True, elasticache.serverless_caches),
    ("cache parameter group", False, elasticache.parameter_groups),
    ("cache user group", False, elasticache.user_groups),
    ("connection", False, delivery.connections),
    ("notification rule", False, delivery.rules),
    ("saved query", False, observability.queries),
    ("trace group", False, observability.groups),
    ("sampling rule", False, observability.sampling),
]
"""Kinds that the emulator keeps itself."""

OWN_ROLES = "AWSServiceRoleFor"
"""Prefix of the service-linked roles, which AWS creates itself."""


def leftovers() -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {"billable": [], "free": []}

    def add(billable: bool, kind: str, identifier: str, account: str, region: str) -> None:
        other = {} if account == DEFAULT_ACCOUNT_ID else {"account": account}
        found["billable" if billable else "free"].append({"kind": kind, "id": identifier, "region": region, **other})

    for kind in KINDS:
        if not is_loaded(kind.service):
            continue
        # A copy: reading one region may create another region's backend.
        for account, regions in list(get_backend(kind.service).items()):
            for region, backend in list(regions.items()):
                for identifier in kind.find(backend):
                    if kind.name != "role" or not backend.roles[identifier].name.startswith(OWN_ROLES):
                        add(kind.billable, kind.name, str(identifier), account, region)
    for name, billable, store in FAKED:
        for (account, region), held in store.places():
            for identifier in held:
                add(billable, name, str(identifier), account, region)
    return found


def is_loaded(service: str) -> bool:
    """True after the first call of a service: moto loads it then."""
    return f"moto.{service.replace('-', '')}.models" in sys.modules
