"""Changes that AWS, or a release, makes to what Terraform created. A test asks for one, and expects the next plan to be empty."""

from __future__ import annotations

import copy
import json
import secrets
from collections.abc import Callable
from typing import Any

from call import Account
from callers import account_id
from services import ecs, elasticache, rds

Fields = dict[str, Any]


class UnknownChange(Exception):
    """A change that cannot be simulated, or a thing that does not exist."""


def simulate(account: Account, fields: Fields) -> dict[str, Any]:
    """Make one change; returns what it changed."""
    change = CHANGES.get(fields.get("change", ""))
    if change is None:
        raise UnknownChange(f"change must be one of {', '.join(CHANGES)}")
    return change(account, fields)


def raise_minor_version(account: Account, fields: Fields) -> dict[str, Any]:
    """The automatic minor upgrade of a database instance, a database cluster or a cache."""
    if "cache" in fields:
        held = elasticache.record_of(account, fields["cache"])
        if held is None:
            raise UnknownChange(f"no cache {fields['cache']}")
        major, minor = held["version"].split(".")[:2]
        held["version"] = f"{major}.{int(minor) + 1}.0"
        return {"version": held["version"]}
    database = _database(account, fields)
    major, _, minor = str(database.engine_version).partition(".")
    database.engine_version = f"{major}.{int(minor or 0) + 1}"
    return {"version": database.engine_version}


def _database(account: Account, fields: Fields) -> Any:
    name, held = fields["database"], account.moto("rds")
    database = held.databases.get(name) or held.clusters.get(name)
    if database is None:
        raise UnknownChange(f"no database {name}")
    return database


def pass_maintenance_window(account: Account, fields: Fields) -> dict[str, Any]:
    """The maintenance window of a database or a cache, in which the changes that wait for it are applied."""
    if "cache" in fields:
        return elasticache.pass_maintenance_window(account, fields["cache"])
    _database(account, fields)
    return rds.pass_maintenance_window(account, fields["database"])


def renew_certificate(account: Account, fields: Fields) -> dict[str, Any]:
    """ACM's managed renewal: another key and other dates under the same ARN."""
    held = account.moto("acm")._certificates.get(fields["arn"])
    if held is None:
        raise UnknownChange(f"no certificate {fields['arn']}")
    names = [option["DomainName"] for option in held.describe()["Certificate"].get("DomainValidationOptions", [])]
    new = type(held).generate_cert(held.common_name, account_id(), account.region, names)
    for attribute in ("cert", "key", "_cert", "_key"):
        setattr(held, attribute, getattr(new, attribute))
    return {"arn": held.arn}


def rotate_secret(account: Account, fields: Fields) -> dict[str, Any]:
    """A rotation: a new current version, with the old one kept as the previous."""
    store = account.moto("secretsmanager")
    identifier = fields["id"]
    if identifier not in store.secrets:
        raise UnknownChange(f"no secret {identifier}")
    value = json.dumps({"username": "master", "password": secrets.token_hex(16)})
    store.put_secret_value(identifier, value, None, secrets.token_hex(16), ["AWSCURRENT"])
    return {"id": identifier}


def release(account: Account, fields: Fields) -> dict[str, Any]:
    """A release: a task definition with another image, written beside Terraform's, that the service runs."""
    cluster, name = fields["cluster"], fields["service"]
    record = ecs.service_of(account, cluster, name)
    store = account.moto("ecs")
    held = store.describe_task_definition(record["taskDefinition"])
    new = copy.deepcopy(held)
    new.revision = max(store.task_definitions[held.family]) + 1
    new.arn = f"{held.arn.rsplit(':', 1)[0]}:{new.revision}"
    new.container_definitions[0]["image"] = fields.get("image", f"{held.container_definitions[0]['image']}-released")
    store.task_definitions[held.family][new.revision] = new
    ecs.move(account, cluster, name, new.arn)
    return {"taskDefinition": new.arn}


def publish_image(account: Account, fields: Fields) -> dict[str, Any]:
    """A newer machine image (AMI) of a family, whose id is in a public parameter."""
    store = account.moto("ssm")
    versions = store._parameters[fields["parameter"]]
    if not versions:
        raise UnknownChange(f"no parameter {fields['parameter']}")
    versions[-1].value = f"ami-0{secrets.token_hex(8)}"
    return {"image": versions[-1].value}


def raise_platform_version(account: Account, fields: Fields) -> dict[str, Any]:
    """A newer platform version of Fargate for the tasks of a service that wants the latest."""
    record = ecs.service_of(account, fields["cluster"], fields["service"])
    record["platformVersion"] = fields["version"]
    return {"platformVersion": fields["version"]}


CHANGES: dict[str, Callable[[Account, Fields], dict[str, Any]]] = {
    "raise-minor-version": raise_minor_version,
    "pass-maintenance-window": pass_maintenance_window,
    "renew-certificate": renew_certificate,
    "rotate-secret": rotate_secret,
    "release": release,
    "publish-image": publish_image,
    "raise-platform-version": raise_platform_version,
}
